"""How much a learner must know beyond its data: minus the log of the share of hypotheses that generalise.

Hypotheses are drawn from a space *given the training set*; the share whose test loss is below a tolerance is counted
(rejection), read off a fitted tail, or, where the hypotheses are Gaussian, computed.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Float

FAMILIES = ("noncentral chi-squared", "gamma", "log-normal")
_QUANTILES = 64  # of the losses, at which the likelihood of a fit is evaluated


def gaussian_posterior(
    kernel: Callable[[np.ndarray, np.ndarray], np.ndarray],
    x_train: Float[np.ndarray, "n_train feature"],
    y_train: Float[np.ndarray, " n_train"],
    x_test: Float[np.ndarray, "n_test feature"],
    *,
    noise: float = 1e-6,
) -> tuple[Float[np.ndarray, " n_test"], Float[np.ndarray, "n_test n_test"]]:
    """Mean and covariance, at the test inputs, of random functions that fit the training set.

    The functions are a Gaussian process; conditioning leaves a Gaussian, exactly.

    Args:
        kernel: covariance of the functions' values: ``(n, feature), (m, feature) -> (n, m)``.
        x_train, y_train: the examples that every hypothesis fits.
        x_test: where the hypotheses are compared with the target.
        noise: variance of the fit's error, in units of the mean prior variance; keeps the algebra stable.

    Returns:
        The mean, shape (n_test,), and the covariance, shape (n_test, n_test).

    Source: Boopathy et al. (2024), section on kernel-based sampling; they train where this solves.

    Example:
        >>> x = np.array([[0.0], [1.0]])
        >>> mean, covariance = gaussian_posterior(lambda a, b: np.exp(-((a - b.T) ** 2)), x, np.array([1.0, -1.0]), x)
        >>> mean.round(3).tolist(), bool(covariance.max() < 1e-5)
        ([1.0, -1.0], True)
    """
    chol = _cholesky(kernel, x_train, noise)
    half = np.linalg.solve(chol, kernel(x_train, x_test))
    mean = half.T @ np.linalg.solve(chol, np.asarray(y_train, dtype=float))
    covariance = kernel(x_test, x_test) - half.T @ half
    return mean, (covariance + covariance.T) / 2


def log_evidence(
    kernel: Callable[[np.ndarray, np.ndarray], np.ndarray],
    x_train: Float[np.ndarray, "n_train feature"],
    y_train: Float[np.ndarray, " n_train"],
    *,
    noise: float = 1e-6,
) -> float:
    """Log density of the training labels under random functions: what a space's settings can be chosen by.

    Args:
        kernel, x_train, y_train, noise: as in ``gaussian_posterior``.

    Returns:
        Nats, without the constant -n/2 log(2 pi).

    Source: Rasmussen and Williams (2006), Gaussian Processes for Machine Learning, eq. 5.8.
    """
    chol = _cholesky(kernel, x_train, noise)
    half = np.linalg.solve(chol, np.asarray(y_train, dtype=float))
    return float(-0.5 * half @ half - np.log(np.diag(chol)).sum())


def draw_losses(
    mean: Float[np.ndarray, " n_test"],
    covariance: Float[np.ndarray, "n_test n_test"],
    y_test: Float[np.ndarray, " n_test"],
    *,
    n_draws: int,
    seed: int,
) -> Float[np.ndarray, " n_draws"]:
    """Mean squared test error of ``n_draws`` random Gaussian hypotheses.

    Args:
        mean, covariance: of the hypotheses' values at the test inputs, as from ``gaussian_posterior``.
        y_test: the target there.
        n_draws: number of hypotheses.
        seed: of the draw.
    """
    size, shift = _principal(mean, covariance, y_test)
    z = np.random.default_rng(seed).standard_normal((n_draws, len(size)))
    return ((shift + np.sqrt(size) * z) ** 2).sum(1)


def bits_by_rejection(losses: Float[np.ndarray, " n_draws"], tolerance: float) -> float:
    """Bits of bias by counting: minus the binary logarithm of the share of losses at or below the tolerance.

    Args:
        losses: test losses of random hypotheses that fit the training set.
        tolerance: test loss that counts as generalising.

    Returns:
        Bits; infinite where no draw generalises: then only a lower limit, log2 of the number of draws, is known.

    Example:
        >>> bits_by_rejection(np.array([0.1, 0.3, 0.4, 0.5]), 0.2)
        2.0
    """
    share = float(np.mean(np.asarray(losses) <= tolerance))
    return -math.log2(share) if share > 0 else math.inf


def bits_by_tail_fit(
    losses: Float[np.ndarray, " n_draws"], tolerance: float, *, family: str = "noncentral chi-squared"
) -> float:
    """Bits of bias by fitting a distribution to the losses (maximum likelihood) and reading off its lower tail.

    Args:
        losses: test losses of random hypotheses that fit the training set; above 0.
        tolerance: test loss that counts as generalising; it may lie far below every loss drawn.
        family: "noncentral chi-squared" with a free scale (the paper's), "gamma" or "log-normal".

    Returns:
        Bits, finite however small the tolerance.

    Raises:
        ValueError: for another family, or losses that are not positive.

    Source: Boopathy et al. (2024). The likelihood is evaluated at 64 quantiles of the losses.

    Explained in chapter *Measuring bias*.

    Example:
        >>> losses = np.random.default_rng(0).chisquare(8, 20_000)
        >>> round(bits_by_tail_fit(losses, 1.0), 0)  # exactly 9.2
        9.0
    """
    losses = np.sort(np.asarray(losses, dtype=float))
    if family not in FAMILIES:
        raise ValueError(f"unknown family {family!r}; one of {', '.join(FAMILIES)}")
    if not (len(losses) > 2 and losses[0] > 0 and np.isfinite(losses[-1])):
        raise ValueError(f"a fit needs more than 2 positive losses, got {len(losses)} from {losses[0]:.3g}")
    if family == "log-normal":
        from scipy.special import log_ndtr

        logs = np.log(losses)
        return float(-log_ndtr((math.log(tolerance) - logs.mean()) / logs.std()) / math.log(2))
    parts = np.array_split(losses, min(_QUANTILES, len(losses)))
    at, weight = np.array([p.mean() for p in parts]), np.array([len(p) for p in parts]) / len(losses)
    degrees, shift, scale = _fit_chi_squared(at, weight, central=family == "gamma")
    log_share = _log_below(tolerance, np.array([scale]), np.array([scale * shift]), np.array([degrees]))
    return -log_share / math.log(2)


def bits_of_gaussian_hypotheses(
    mean: Float[np.ndarray, " n_test"],
    covariance: Float[np.ndarray, "n_test n_test"],
    y_test: Float[np.ndarray, " n_test"],
    tolerance: float,
) -> float:
    r"""Bits of bias of Gaussian hypotheses, computed: $-\log_2 P(\text{mean squared test error} \le \text{tolerance})$.

    The squared error is a weighted sum of noncentral chi-squared variables. Its Laplace transform is known, and its
    inverse is taken along a curve of steepest descent through the saddle point, so that shares of $10^{-100}$ come out
    as precisely as shares of a half.

    Args:
        mean, covariance: of the hypotheses' values at the test inputs, as from ``gaussian_posterior``.
        y_test: the target there.
        tolerance: mean squared error that counts as generalising.

    Returns:
        Bits; infinite where the tolerance lies below the part of the error that all hypotheses share.

    Example:
        >>> round(bits_of_gaussian_hypotheses(np.zeros(2), np.eye(2), np.zeros(2), math.log(2)), 9)
        1.0
    """
    size, shift = _principal(mean, covariance, y_test)
    return -_log_below(tolerance, size, shift**2, np.ones_like(size)) / math.log(2)


def _cholesky(kernel: Callable[[np.ndarray, np.ndarray], np.ndarray], x: np.ndarray, noise: float) -> np.ndarray:
    among = kernel(x, x)
    return np.linalg.cholesky(among + noise * np.mean(np.diag(among)) * np.eye(len(among)))


def _principal(mean: np.ndarray, covariance: np.ndarray, y_test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean squared error as a sum of (shift + sqrt(size) z)^2 over independent standard normal z."""
    values, vectors = np.linalg.eigh(covariance)
    n = len(values)
    values = np.where(values > 1e-10 * values.max(), values, 0.0)  # rounding makes zeros negative
    return values / n, vectors.T @ (np.asarray(mean) - np.asarray(y_test)) / math.sqrt(n)


def _log_below(tolerance: float, size: np.ndarray, shift: np.ndarray, degrees: np.ndarray) -> float:
    """Log probability that a sum of ``size * noncentral chi-squared(degrees, shift / size)`` is at most ``tolerance``.

    P = 1/(2 pi i) int exp(phi(s)) ds with phi(s) = log E exp(-s L) + s tolerance - log s. On s > 0 phi is convex; the
    path leaves its minimum upwards, bending left as steepest descent does to second order. Above the mean loss the
    path crosses left of the pole at 0 and gives the complement.
    """
    from scipy.optimize import brentq

    if tolerance <= float(shift[size == 0].sum()):
        return -math.inf
    sign = 1 if tolerance <= float((degrees * size + shift).sum()) else -1
    edge = math.inf if sign > 0 else 0.5 / float(size.max())  # the path crosses the axis between 0 and here

    def slope(t: float) -> float:  # of phi at s = sign * t, along t
        grown = 1 + 2 * sign * t * size
        return sign * float(tolerance - (degrees * size / grown + shift / grown**2).sum()) - 1 / t

    low = high = min(1 / tolerance, edge / 2)
    while slope(low) > 0:
        low /= 4
    while slope(high) < 0:
        high = min(4 * high, (high + edge) / 2)
    saddle = sign * brentq(slope, low, high, xtol=1e-12 * low, rtol=1e-12)
    grown = 1 + 2 * saddle * size
    second = 1 / saddle**2 + (2 * degrees * (size / grown) ** 2 + 4 * shift * size / grown**3).sum()
    third = (8 * degrees * (size / grown) ** 3 + 24 * shift * size**2 / grown**4).sum() + max(0.0, 2 / saddle**3)

    def phi(s: np.ndarray) -> np.ndarray:
        grown = 1 + 2 * s[:, None] * size
        return -(degrees * np.log(grown) / 2 + shift * s[:, None] / grown).sum(1) + s * tolerance - np.log(sign * s)

    u = np.linspace(0, 30, 1201) / math.sqrt(second)  # 30 standard deviations; the bend makes it decay faster
    peak = float(phi(np.array([saddle + 0j]))[0].real)
    for bend in (-third / (6 * second) * share for share in (1, 1 / 4, 1 / 16, 0)):
        height = phi(saddle + 1j * u + bend * u**2) - peak
        if height.real.max() <= 1e-9:  # else bent too far, into the poles on the left
            break
    integrand = (np.exp(height) * (1j + 2 * bend * u) / 1j).real
    log_share = peak + math.log((integrand.sum() - integrand[0] / 2) * (u[1] - u[0]) / math.pi)
    return min(0.0, log_share) if sign > 0 else math.log1p(-min(math.exp(log_share), 1 - 1e-16))


def _fit_chi_squared(at: np.ndarray, weight: np.ndarray, *, central: bool) -> tuple[float, float, float]:
    """Degrees of freedom, noncentrality and scale of the likeliest scaled chi-squared distribution."""
    from scipy.optimize import minimize

    mean = weight @ at
    variance = weight @ (at - mean) ** 2

    def unpack(p: np.ndarray) -> tuple[float, float, float]:
        degrees, scale, *shift = np.exp(np.clip(p, -30, 30))
        return float(degrees), float(shift[0]) if shift else 0.0, float(scale)

    def loss(p: np.ndarray) -> float:
        degrees, shift, scale = unpack(p)
        value = float(math.log(scale) - weight @ _log_density(at / scale, degrees, shift))
        return value if math.isfinite(value) else 1e10

    share = 0.0 if central else 0.5  # of the mean that is noncentral, to start from
    scale = variance / (2 * mean * (1 + share))  # equal mean and variance
    first = [math.log(mean / scale * (1 - share)), math.log(scale)]
    first += [] if central else [math.log(mean / scale * share)]
    found = minimize(loss, first, method="Nelder-Mead", options={"maxiter": 400, "xatol": 1e-3, "fatol": 1e-7})
    return unpack(found.x)


def _log_density(x: np.ndarray, degrees: float, shift: float) -> np.ndarray:
    """Log density of the noncentral chi-squared distribution; ``scipy.stats.ncx2`` at a tenth of its time."""
    from scipy.special import gammaln, ive

    order = degrees / 2 - 1
    if shift < 1e-12:
        return order * np.log(x / 2) - x / 2 - gammaln(degrees / 2) - math.log(2)
    z = np.sqrt(shift * x)
    scaled = ive(order, z)
    with np.errstate(divide="ignore"):  # where it underflows, the first term of its series is all there is
        bessel = np.where(scaled > 0, np.log(scaled) + z, order * np.log(z / 2) - gammaln(order + 1))
    return bessel - (x + shift) / 2 + order / 2 * np.log(x / shift) - math.log(2)
