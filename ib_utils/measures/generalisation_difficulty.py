"""How much information a task asks for beyond its data, without any model: counting the functions of a manifold."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float


def undetermined_directions(design: Float[np.ndarray, "example function"]) -> int:
    """How many directions in the space of coefficients the examples leave free.

    Args:
        design: values of the basis functions at the training inputs.

    Returns:
        Number of functions minus the rank.

    Example:
        >>> undetermined_directions(np.random.default_rng(0).standard_normal((4, 9)))
        5
    """
    return design.shape[1] - int(np.linalg.matrix_rank(design))


def bits_of_flat_prior(design: Float[np.ndarray, "example function"], *, tolerance: float, radius: float) -> float:
    """Bits needed to pick, among all functions of a ball that fit the examples, those close to the true one.

    The functions that fit form a flat space of ``undetermined_directions`` dimensions. A ball of radius ``tolerance``
    takes up the share (tolerance / radius)^directions of one of radius ``radius``.

    Args:
        design: values of the basis functions at the training inputs, the basis orthonormal.
        tolerance: root mean square error that counts as generalising.
        radius: root mean square of the largest function considered.

    Returns:
        Bits.

    Source: the counting argument behind Boopathy et al. (2023).

    Example:
        >>> bits_of_flat_prior(np.zeros((0, 9)), tolerance=0.25, radius=1.0)
        18.0
    """
    return undetermined_directions(design) * math.log2(radius / tolerance)


def generalisation_difficulty(
    *,
    intrinsic_dimension: float,
    radius: float,
    class_distance: float,
    n_train: int,
    n_classes: int,
    error: float,
) -> float:
    r"""Inductive bias complexity of a classification task, in bits: the published upper bound, as a formula.

    The target is a function on a sphere of dimension m and radius R with frequencies up to $M = 2 \pi R / \delta$; the
    harmonics up to there are counted, n examples taken off, and each remaining coefficient costs the bits of its
    resolution. It grows like $M^m$.

    Args:
        intrinsic_dimension: m.
        radius: R, largest norm of an input.
        class_distance: delta, smallest distance between inputs of different classes.
        n_train: n, examples.
        n_classes: number of classes.
        error: error rate aimed at.

    Returns:
        Bits.

    Raises:
        ValueError: a value that is not positive, fewer than 2 classes, or so large that the count overflows.

    Source: Boopathy et al. (2023), as in the authors' released program. Explained in chapter *Measuring bias*.

    Example:
        >>> mnist = dict(intrinsic_dimension=14, radius=17.18, class_distance=2.3987, n_train=60_000, n_classes=10)
        >>> f"{generalisation_difficulty(**mnist, error=0.001):.0e}"
        '1e+16'
    """
    from scipy.special import gammaln

    m, d = float(intrinsic_dimension), n_classes - 1
    positive = (m, radius, class_distance, n_train, error, d)
    if min(positive) <= 0:
        raise ValueError(f"all arguments must be positive and n_classes at least 2, got {positive}")
    frequency = 2 * math.pi * radius / class_distance
    degree = (math.sqrt((m - 1) ** 2 + 4 * frequency**2) - (m - 1)) / 2  # of the harmonics with that eigenvalue

    def log_binomial(k: float) -> float:  # of (m + k, m)
        return float(gammaln(m + k + 1) - gammaln(m + 1) - gammaln(k + 1))

    log_count = np.logaddexp(log_binomial(degree), log_binomial(degree - 1)) + math.log(2 * d * n_classes)
    if log_count > 700:
        raise ValueError(f"about e^{log_count:.0f} coefficients overflow: intrinsic_dimension={m:g} is too large")
    free = math.exp(log_count) - n_train * d
    spacing = 0.5 * math.log(m / 6) + math.log(radius) - math.log(n_train) / m
    spacing += (math.log(2 * n_classes) + (m + 1) / 2 * math.log(math.pi) - float(gammaln((m + 1) / 2))) / m
    steepness = math.log(degree * math.sqrt(d) / radius)
    nats_each = 0.5 * math.log(d) + 0.5 * math.log(n_classes) - math.log(error) + steepness + spacing
    return free * nats_each / math.log(2)
