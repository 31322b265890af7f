"""Does a model extrapolate along a postulated state? Predictions compared over pairs of points, per probe data set."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int


class ProbeScores(NamedTuple):
    """Scores of one model, means over the probe data sets.

    Args:
        respects: R-IB, 1 if points in the same state always get the same prediction, 0 if as often as by a coin.
        distinguishes: D-IB, 1 if points in different states agree as often as by a coin, 0 if always.
    """

    respects: float
    distinguishes: float

    @property
    def discrimination(self) -> float:
        """R-IB + D-IB - 1: 1 for the oracle, 0 for a coin *and* for a constant."""
        return self.respects + self.distinguishes - 1


def probe_scores(predictions: Bool[np.ndarray, "dataset point"], states: Int[np.ndarray, " point"]) -> ProbeScores:
    """Inductive bias probe: agreement of a model's predictions within and between states.

    Each row holds the predictions of a model tuned on one small data set, whose labels were random functions of the
    state. With e the share of disagreeing pairs, R-IB = 1 - 2 e over pairs in the same state and D-IB = 2 e over pairs
    in different states. A constant model has R-IB 1 and D-IB 0, a coin R-IB 0 and D-IB 1, the state's own labels 1 and
    (on average over labels) 1: neither score means anything without the other.

    Args:
        predictions: 0 or 1 at each point, a row a probe data set.
        states: state of each point, 0, 1, ….

    Returns:
        The scores. NaN where there is no such pair.

    Raises:
        ValueError: shapes that do not fit.

    Source: Vafa et al. (2025), section on the inductive bias probe with finite state space and binary outputs.

    Explained in chapter *Probing for state and invariance*.

    Example:
        >>> states = np.array([0, 0, 1, 1])
        >>> own = np.array([[0, 0, 1, 1], [1, 1, 1, 1]])  # the labels themselves, of two data sets
        >>> scores = probe_scores(own, states)
        >>> scores.respects, scores.distinguishes
        (1.0, 1.0)
    """
    predictions, states = np.asarray(predictions, dtype=float), np.asarray(states)
    if predictions.ndim != 2 or states.shape != predictions.shape[1:]:
        raise ValueError(f"needed are predictions (dataset, point) and one state a point, got {predictions.shape}")
    one_hot = states[:, None] == np.arange(states.max() + 1)  # (point, state)
    ones, n = predictions @ one_hot, one_hot.sum(0).astype(float)  # how often 1 is predicted in each state
    zeros = n - ones
    disagree = ones[:, :, None] * zeros[:, None, :] + zeros[:, :, None] * ones[:, None, :]  # ordered pairs
    pairs = np.outer(n, n) - np.diag(n)
    same = np.eye(len(n), dtype=bool)

    def error(which: np.ndarray) -> float:
        total = pairs[which].sum()
        return float((disagree[:, which].sum(1) / total).mean()) if total else float("nan")

    return ProbeScores(1 - 2 * error(same), 2 * error(~same))
