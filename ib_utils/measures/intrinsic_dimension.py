"""Properties of a data set that need no model: its intrinsic dimension, and how sharply its labels change."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def maximum_likelihood_dimension(x: Float[np.ndarray, "point feature"], *, n_neighbours: int = 20) -> float:
    r"""Intrinsic dimension from how fast the distances to the nearest neighbours grow.

    If points are uniform near x, the logs of the ratios of its k-th neighbour's distance to the nearer ones have mean
    1/m. All points share one likelihood (the correction of MacKay and Ghahramani), so

    $$\hat m = \Big[\frac{1}{n (k-1)} \sum_i \sum_{j<k} \ln \frac{T_k(x_i)}{T_j(x_i)}\Big]^{-1}.$$

    Args:
        x: points, no two of them equal.
        n_neighbours: k; more neighbours scatter less, but see a larger, less uniform region.

    Returns:
        The estimate. Where points are few for the dimension, curvature and edges bias it, up or down.

    Raises:
        ValueError: fewer points than neighbours, k below 2, or two equal points.

    Source: Levina and Bickel (2004), with the average of MacKay and Ghahramani (2005).

    Explained in chapter *Measuring bias*.

    Example:
        >>> plane = np.random.default_rng(0).random((2000, 2)) @ np.random.default_rng(1).random((2, 9))
        >>> round(maximum_likelihood_dimension(plane))
        2
    """
    if not 2 <= n_neighbours < len(x):
        raise ValueError(f"n_neighbours must lie in 2 to {len(x) - 1} for {len(x)} points, got {n_neighbours}")
    distances = _neighbour_distances(x, n_neighbours)
    return float(1 / np.log(distances[:, -1:] / distances[:, :-1]).mean())


def two_neighbours_dimension(x: Float[np.ndarray, "point feature"]) -> float:
    """Intrinsic dimension from the ratio of the distances to the second and the first nearest neighbour (TwoNN).

    The ratio has a Pareto distribution whose exponent is the dimension, whatever the density; here its maximum
    likelihood estimate.

    Args:
        x: points, no two of them equal.

    Returns:
        The estimate; noisier than with more neighbours, and the least disturbed by varying density.

    Raises:
        ValueError: fewer than 3 points, or two equal points.

    Source: Facco et al. (2017), with maximum likelihood in place of their line fit.
    """
    if len(x) < 3:
        raise ValueError(f"two neighbours need at least 3 points, got {len(x)}")
    distances = _neighbour_distances(x, 2)
    return float((len(x) - 1) / np.log(distances[:, 1] / distances[:, 0]).sum())


def label_sharpness(x: Float[np.ndarray, "point feature"], y: Float[np.ndarray, " point"]) -> float:
    """Largest change of the label per distance between two examples.

    A maximum over pairs, so it grows with the number of examples: compare at equal numbers.

    Args:
        x: inputs.
        y: labels, numbers; two classes as 0 and 1.

    Returns:
        The maximum over pairs of `|y_i - y_j| / ||x_i - x_j||`; infinite if equal inputs have different labels.

    Source: Konz and Mazurowski (2024), section 3.2.

    Example:
        >>> label_sharpness(np.array([[0.0], [1.0], [3.0]]), np.array([0.0, 1.0, 1.0]))
        1.0
    """
    from scipy.spatial.distance import pdist

    change, distance = pdist(np.asarray(y, dtype=float)[:, None]), pdist(np.asarray(x, dtype=float))
    with np.errstate(divide="ignore"):
        return float((change[change > 0] / distance[change > 0]).max(initial=0.0))


def _neighbour_distances(x: np.ndarray, n_neighbours: int) -> np.ndarray:
    """Distances to the nearest neighbours, ascending, shape (point, neighbour)."""
    from scipy.spatial.distance import cdist

    distances = cdist(x, x)
    np.fill_diagonal(distances, np.inf)
    nearest = np.sort(np.partition(distances, n_neighbours - 1, axis=1)[:, :n_neighbours], axis=1)
    if not nearest[:, 0].all():
        raise ValueError(
            f"points {np.flatnonzero(nearest[:, 0] == 0)[:2].tolist()} have an equal twin: drop copies first"
        )
    return nearest
