"""Code lengths: how short labels become when a learner that improves as it reads them predicts them, and how long the
part is that a string repeats."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Int


def prequential_code_length(losses: Sequence[float], n_examples: Sequence[int], n_classes: int) -> float:
    """Bits for all labels when each block is coded by a model trained on the blocks before it.

    The first block is coded by uniform probabilities. Sender and receiver both know the inputs and train the same model
    on what has been sent, so no parameter has to be sent: the sum is an upper bound on the labels' complexity given the
    inputs, up to the length of the program that trains.

    Args:
        losses: mean cross-entropy of each later block, nats an example, under the model trained on all blocks before.
        n_examples: where the blocks end: examples seen after the first, second, … block.
        n_classes: number of labels.

    Returns:
        Code length of all labels, bits.

    Raises:
        ValueError: lengths that do not fit, or ends that do not ascend.

    Source:
        A. P. Dawid's prequential coding, as used for networks by Blier & Ollivier (2018), arXiv:1802.07044.

    Explained in chapter *No free lunch*.

    Example:
        >>> prequential_code_length([math.log(2) / 2], [4, 8], 2)  # one bit each, then half a bit each
        6.0
    """
    ends = np.asarray(n_examples)
    if len(losses) != len(ends) - 1 or (np.diff(ends) <= 0).any() or ends[0] < 1:
        raise ValueError(f"needed are ascending ends and a loss for each but the first, got {ends} and {losses}")
    later = float(np.dot(losses, np.diff(ends)))
    return (float(ends[0]) * math.log(n_classes) + later) / math.log(2)


def adaptive_code_length(labels: Int[np.ndarray, " example"], n_classes: int) -> float:
    """Bits for labels when only their frequencies so far predict them: what knowing no input costs.

    The estimator of Krichevsky and Trofimov: (count + 1/2) / (examples + n_classes / 2).

    Args:
        labels: 0 to ``n_classes - 1``.
        n_classes: number of labels.

    Example:
        >>> round(adaptive_code_length(np.array([0, 1]), 2), 3)  # 1/2, then 1/4
        3.0
    """
    before = np.cumsum(np.eye(n_classes)[labels], 0) - np.eye(n_classes)[labels]
    count = before[np.arange(len(labels)), labels]
    return float(-np.log2((count + 0.5) / (np.arange(len(labels)) + n_classes / 2)).sum())


def prefix_period(strings: Int[np.ndarray, "string position"]) -> Int[np.ndarray, " string"]:
    """Length of the shortest prefix that, repeated and cut off, gives the string: 1 for a constant, at most its length.

    Args:
        strings: symbols.

    Source:
        The complexity of strings in Goldblum et al. (2024), arXiv:2304.05366.

    Explained in chapter *No free lunch*.

    Example:
        >>> prefix_period(np.array([[0, 0, 0, 0], [0, 1, 0, 1], [0, 1, 1, 0], [0, 1, 1, 1]])).tolist()
        [1, 2, 3, 4]
    """
    strings = np.asarray(strings)
    length = strings.shape[1]
    period = np.full(len(strings), length)
    for p in range(length - 1, 0, -1):
        period[(strings[:, p:] == strings[:, :-p]).all(1)] = p
    return period
