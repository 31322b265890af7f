"""How many examples one model needs compared with another: learning curves read sideways."""

import math

import numpy as np
from jaxtyping import Float

N_LEVELS = 50  # error levels over which the horizontal distance is averaged


def examples_needed(
    n_train: Float[np.ndarray, " size"], error: Float[np.ndarray, " size"], level: Float[np.ndarray, " level"]
) -> Float[np.ndarray, " level"]:
    """Training-set size at which a learning curve first comes down to each error level.

    The curve is made non-increasing (isotonic regression: more data never hurt a good learner on average) and
    interpolated linearly in log size against log error.

    Args:
        n_train: training-set sizes, ascending.
        error: test error at each size, above 0.
        level: error levels.

    Returns:
        Examples; infinite where the curve never comes down to the level, the smallest size where it starts below.

    Raises:
        ValueError: sizes that do not ascend, lengths that differ, or an error outside (0, 1] or missing.

    Example:
        >>> n_train, error = np.array([10, 100, 1000]), np.array([0.4, 0.2, 0.1])
        >>> examples_needed(n_train, error, np.array([0.2, 0.05])).round(6).tolist()
        [100.0, inf]
    """
    log_size, curve = _descending(n_train, error)
    # np.interp wants ascending abscissae: read the curve from its low end
    needed = np.exp(np.interp(np.log(level), curve[::-1], log_size[::-1]))
    return np.where(np.log(level) < curve[-1] - 1e-12, math.inf, needed)


def data_factor(
    n_train: Float[np.ndarray, " size"],
    error: Float[np.ndarray, " size"],
    reference_error: Float[np.ndarray, " size"],
) -> float:
    """How many times more examples the reference needs for the same error, as a natural logarithm.

    The horizontal distance between the two curves of log error against log size, averaged over the error levels that
    both reach. Positive: the first model needs fewer examples. Curves with no level in common are as far apart as
    the sizes allow, the largest over the smallest; no factor can exceed that, so one near it is a lower limit.

    Its expectation is 0 for two equal learners whose errors scatter alike. Where the model's errors scatter more than
    the reference's it leans towards the model: standard deviations of the log error of 0.2 against 0.05 gave +0.04 on
    steep curves (error halving with twice the data) and more on flat ones (tested by simulation).

    Args:
        n_train: training-set sizes, ascending, the same for both.
        error: test error of the model at each size.
        reference_error: test error of the reference.

    Returns:
        Mean of log(n_reference / n_model); ``math.exp`` of it is the factor.

    Raises:
        ValueError: as ``examples_needed``.

    Explained in chapter *Locality and weight sharing*.

    Example:
        >>> n = np.array([50, 100, 200, 400])
        >>> round(math.exp(data_factor(n, 2 / n, 6 / n)), 6)  # an error three times lower at each size
        3.0
    """
    (_, model), (_, reference) = (_descending(n_train, e) for e in (error, reference_error))
    low, high = max(model[-1], reference[-1]), min(model[0], reference[0])
    if low > high:
        sign = 1 if model[0] < reference[-1] else -1
        return sign * math.log(n_train[-1] / n_train[0])
    levels = np.exp(np.linspace(high, low, N_LEVELS))
    needed, needed_by_reference = (examples_needed(n_train, e, levels) for e in (error, reference_error))
    return float(np.mean(np.log(needed_by_reference / needed)))


def _descending(
    n_train: Float[np.ndarray, " size"], error: Float[np.ndarray, " size"]
) -> tuple[Float[np.ndarray, " point"], Float[np.ndarray, " point"]]:
    """Log sizes and log errors of the non-increasing curve; of each plateau only the point where it is reached."""
    from sklearn.isotonic import isotonic_regression

    n_train, error = np.asarray(n_train, dtype=float), np.asarray(error, dtype=float)
    if n_train.shape != error.shape or n_train.ndim != 1 or (np.diff(n_train) <= 0).any():
        raise ValueError(f"needed are ascending sizes and one error each, got sizes {n_train} and errors {error}")
    if not ((error > 0) & (error <= 1)).all():
        raise ValueError(f"errors must lie in (0, 1], got {error}")
    curve = isotonic_regression(np.log(error), increasing=False)
    first = np.concatenate([[True], np.diff(curve) < 0])
    return np.log(n_train[first]), curve[first]
