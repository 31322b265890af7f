"""Estimates with intervals over independent replicates, as claims need them.

A replicate redraws everything that the statement generalises over; arrays are paired by position. Curves and
slopes are reduced to one number a replicate before they come here. Nothing in this module looks at a claim.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

# methods: what makes the interval also gives the p-value
T, BINOMIAL, SPEARMAN = "t over replicates", "exact binomial", "Spearman's rank correlation"
NORMAL_975 = 1.959963984540054
CURVE_TOLERANCE = 0.1  # of the predicted curve's range: how far from it a measured point may lie
FEW = 6  # below this many replicates an interval is flagged, and no claim is judged on it


@dataclass(frozen=True)
class Estimate:
    """A number with its interval.

    Args:
        value: the estimate, in the unit of the quantity; ±inf where a censored median lies beyond the range.
        low: lower end of the interval, None where it is open.
        high: upper end of the interval, None where it is open.
        n: independent replicates behind it (trials, for a proportion).
        method: how the interval was made.
        spread: standard deviation over replicates, same unit as ``value``; None where it has no meaning.
        confidence: coverage that the interval is built for.
        label: what this part of a joint estimate is.
        parts: the quantities of a joint estimate (order, equivalence, identity), each to lie above 0.
        sample: the replicates themselves, where the interval is one of order statistics.

    Raises:
        ValueError: ``value`` or an end is NaN, an end is infinite, or ``value`` lies outside its interval.
    """

    value: float
    low: float | None
    high: float | None
    n: int
    method: str
    spread: float | None = None
    confidence: float = 0.95
    label: str = ""
    parts: tuple[Estimate, ...] = ()
    sample: tuple[float, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        ends = [end for end in (self.low, self.high) if end is not None]
        if math.isnan(self.value) or not all(map(math.isfinite, ends)):
            raise ValueError(
                f"an estimate needs numbers (open ends: None); got {self.value} in [{self.low}, {self.high}]"
            )
        if (self.low is not None and self.value < self.low) or (self.high is not None and self.value > self.high):
            raise ValueError(f"estimate {self.value} lies outside its interval [{self.low}, {self.high}]")


def mean(x: ArrayLike) -> Estimate:
    """Mean over replicates with its 95 % t interval.

    Exact for normal replicates at any n. Coverage at n = 6, 8, 16 by simulation otherwise:

    - symmetric with heavy tails (t with 2 degrees of freedom): 97 %, 97 %, 96 %;
    - exponential: 89 %, 89 %, 91 %;
    - log-normal with unit log spread: 82 %, 83 %, 86 %: take logs (:func:`log_ratio`) or the :func:`median`;
    - normal, but one seed in ten fails and lies ten standard deviations lower: 73 %, 71 %, 82 % (of the mean over all
      seeds, failed ones too). Most samples then hold no failed seed or one, so the interval lies too high: it would
      find a mean of 0 to be above 0 in 27 %, 29 %, 18 % of cases instead of 2.5 %. Take the :func:`median`, with failed
      seeds censored.

    Args:
        x: one number a replicate, shape (replicates,).

    Returns:
        The estimate, in the unit of ``x``.

    Raises:
        ValueError: fewer than 2 replicates, or a replicate that is not finite.

    Example:
        >>> e = mean([0.90, 0.92, 0.91, 0.93, 0.92, 0.94])
        >>> f"{e.value:.3f} [{e.low:.3f}, {e.high:.3f}]"
        '0.920 [0.905, 0.935]'
    """
    return _mean(_replicates(x))


def difference(a: ArrayLike, b: ArrayLike) -> Estimate:
    """Mean of the paired differences a - b with its 95 % t interval.

    Pairing removes what a replicate's two arms share (its data, its seed). Covers as :func:`mean` does; the
    differences of two equally skewed arms are symmetric, and then it covers at least 95 %, also where one seed in ten
    fails in either arm. Where only one arm's seeds fail it covers 84 %, 82 %, 86 % at n = 6, 8, 16.

    Args:
        a: one number a replicate, shape (replicates,).
        b: the same replicates in the same order.

    Returns:
        The estimate, in the common unit of ``a`` and ``b``.

    Raises:
        ValueError: different lengths, fewer than 2 replicates, or a replicate that is not finite.

    Example:
        >>> round(difference([3.0, 4.0, 5.5], [1.0, 2.0, 3.0]).value, 3)
        2.167
    """
    a, b = _pair(a, b)
    return _mean(a - b)


def log_ratio(a: ArrayLike, b: ArrayLike, *, censored: bool = False) -> Estimate:
    """Mean of the paired natural-log ratios ln(a / b) with its 95 % t interval, on the log scale.

    Exact where the ratio is log-normal; on the raw ratio a t interval would under-cover as :func:`mean` says. Where
    one ratio in ten is tenfold (log spread 0.3 otherwise) it covers 82 %, 80 %, 84 % at n = 6, 8, 16.

    Args:
        a: one positive number a replicate, shape (replicates,).
        b: the same replicates in the same order.
        censored: allow ``inf`` ("not reached within the range tried") in either array; the estimate is then
            the :func:`median` of the log ratios.

    Returns:
        The estimate, a natural logarithm: ``exp`` of it is the factor.

    Raises:
        ValueError: as :func:`difference`; a value that is not positive; both members of a pair censored.

    Example:
        >>> round(math.exp(log_ratio([200, 220, 180], [100, 100, 100]).value), 2)
        1.99
    """
    a, b = _pair(a, b, censored=censored)
    for name, x in (("a", a), ("b", b)):
        _refuse(x <= 0, x, f"{name} must be positive")
    _refuse(np.isinf(a) & np.isinf(b), a, "both members of the pair are censored, their ratio is unknown")
    ratio = np.log(a) - np.log(b)
    return median(ratio) if censored else _mean(ratio)


def proportion(successes: int, trials: int) -> Estimate:
    """Share of successes with its exact (Clopper-Pearson) 95 % interval.

    Never covers less than 95 %, and more for few trials or shares near 0 and 1; but it counts trials as
    independent, and under-covers where they share a draw: 8 draws of 5 trials with intra-class correlation 0.3 and
    share 1/2 cover 83 %. There a draw is the trial: count the draws in which most succeed, or take the :func:`mean`
    of their shares.

    Args:
        successes: how many trials succeeded.
        trials: how many there were.

    Returns:
        The estimate, between 0 and 1.

    Raises:
        ValueError: no trial, or successes outside 0 … trials.

    Example:
        >>> e = proportion(8, 8)
        >>> e.value, round(e.low, 3), e.high
        (1.0, 0.631, 1.0)
    """
    from scipy.special import betaincinv

    if trials < 1 or not 0 <= successes <= trials:
        raise ValueError(f"got {successes} successes in {trials} trials; allowed are 0 … trials, trials ≥ 1")
    failures = trials - successes
    low = float(betaincinv(successes, failures + 1, 0.025)) if successes else 0.0
    high = float(betaincinv(successes + 1, failures, 0.975)) if failures else 1.0
    return Estimate(successes / trials, low, high, int(trials), BINOMIAL)


def median(x: ArrayLike) -> Estimate:
    """Median over replicates with an interval of order statistics.

    The interval is (x_(k), x_(n+1-k)), the narrowest of its kind that covers at least 95 %; ``confidence``
    records what it covers exactly for any continuous distribution, however skewed or heavy-tailed and with failed
    seeds in it (n = 8: 99.2 %; 6: 96.9 %; 16: 97.9 %), and it covers more under ties. Below n = 6 even the whole
    range covers less than 95 %: 93.8 % at n = 5.

    Args:
        x: one number a replicate, shape (replicates,). Unlike everywhere else, +inf and -inf are allowed:
            a replicate known only to lie above or below the range tried.

    Returns:
        The estimate, in the unit of ``x``. An end that falls on a censored replicate is open (None); where
        both ends are censored on the same side, both are open: no more than the side is known.

    Raises:
        ValueError: fewer than 2 replicates, or NaN.

    Example:
        >>> e = median([1.2, 0.8, 1.9, 1.1, 1.4, 0.9, 1.3, math.inf])
        >>> e.value, e.low, e.high, round(e.confidence, 4)
        (1.25, 0.8, None, 0.9922)
    """
    x = np.sort(_replicates(x, censored=True))
    n = len(x)
    tails = [2 * sum(math.comb(n, j) for j in range(k)) / 2**n for k in range(1, n // 2 + 1)]
    k = max((k for k, tail in enumerate(tails, start=1) if tail <= 0.05), default=1)
    low, high = (float(end) if np.isfinite(end) else None for end in (x[k - 1], x[n - k]))
    # The middle of an even count is taken by hand: between -inf and inf numpy would say NaN.
    lower, upper = x[(n - 1) // 2], x[n // 2]
    if np.isinf(lower) and np.isinf(upper) and lower != upper:
        raise ValueError("half of the replicates are censored below, half above: the median is unknown")
    value = float(lower + upper) / 2
    n_censored = int(np.isinf(x).sum())
    method = f"median, order statistics {k} and {n + 1 - k}"
    method += f", {n_censored} censored" if n_censored else ""
    return Estimate(value, low, high, n, method + _few(n), confidence=1 - tails[k - 1], sample=tuple(map(float, x)))


def order(columns: Mapping[str, ArrayLike]) -> Estimate:
    """Every adjacent paired difference of quantities that are said to increase.

    The order holds when every part lies above 0. As all have to, no correction for their number is due: a
    false "holds" stays below 2.5 %, while "one of them fails" is wrong in up to 2.5 % a part.

    Args:
        columns: quantities from the smallest to the largest; name to numbers of shape (replicates,), paired.

    Returns:
        The estimate of the part that binds (smallest in half-widths), with all ``parts`` in order.

    Raises:
        ValueError: fewer than 2 quantities, or as :func:`difference`.

    Example:
        >>> e = order({"a": [1.0, 1.1, 0.9], "b": [2.0, 2.2, 2.1], "c": [2.9, 3.4, 3.0]})
        >>> [part.label for part in e.parts], round(e.value, 2)
        (['b − a', 'c − b'], 1.0)
    """
    if len(columns) < 2:
        raise ValueError(f"an order needs at least 2 quantities; got {list(columns)}")
    parts = tuple(
        _relabel(difference(columns[large], columns[small]), f"{large} − {small}") for small, large in pairwise(columns)
    )
    return _joint(min(parts, key=_half_widths_above_zero), parts, "paired t, every adjacent difference")


def slope(x: ArrayLike, y: ArrayLike) -> Estimate:
    """Mean over replicates of the least-squares slope of each, with its 95 % t interval.

    A line through the mean curve instead would take the points for independent (83 % coverage at n = 8).

    Args:
        x: shape (points,); logarithms for an exponent.
        y: shape (replicates, points).

    Returns:
        The estimate, in units of y per unit of x.

    Raises:
        ValueError: shapes that do not fit, fewer than 2 points or replicates, values that are not finite.

    Example:
        >>> round(slope([0, 1, 2], [[0.0, 2.1, 4.0], [1.0, 3.0, 4.8]]).value, 2)
        1.95
    """
    x, y = np.asarray(x, dtype=float), _curves(y)
    if x.shape != y.shape[1:]:
        raise ValueError(f"x needs shape ({y.shape[1]},), one value a point; got {x.shape}")
    centred = x - x.mean()
    if not (centred**2).sum() > 0:
        raise ValueError("a slope needs at least 2 different values of x")
    return _mean(y @ centred / (centred**2).sum())


def curve(measured: ArrayLike, predicted: ArrayLike) -> Estimate:
    """Largest deviation of a mean curve from a predicted one, with an interval that covers all points at once.

    The intervals of the points share their 5 % (Bonferroni), so that "somewhere outside" is wrong in at most 5 %.
    Lying within ``CURVE_TOLERANCE`` of the prediction's range everywhere is more than not differing: a curve that is
    only noisy does not get there.

    Args:
        measured: shape (replicates, points), on the scale on which a deviation counts (logarithms for factors).
        predicted: shape (points,), or (replicates, points) where each replicate has its own prediction.

    Returns:
        The deviation at the point where it is largest, in units of the (mean) prediction's range, largest minus
        smallest; ``parts`` are ``CURVE_TOLERANCE`` minus the absolute deviation of each point, to lie above 0.

    Raises:
        ValueError: shapes that do not fit, a prediction without range, values that are not finite.

    Example:
        >>> e = curve([[0.0, 1.1, 2.0], [0.1, 0.9, 2.1], [-0.1, 1.0, 1.9], [0.0, 1.0, 2.0]], [0, 1, 2])
        >>> round(abs(e.value), 2), len(e.parts)
        (0.0, 3)
    """
    measured, prediction = _curves(measured), np.asarray(predicted, dtype=float)
    if prediction.shape not in (measured.shape, measured.shape[1:]) or not np.isfinite(prediction).all():
        raise ValueError(f"the prediction needs finite numbers of shape {measured.shape[1:]}; got {prediction.shape}")
    mean_curve = prediction if prediction.ndim == 1 else prediction.mean(0)
    extent = float(np.ptp(mean_curve))
    if not extent > 0:
        raise ValueError("the predicted curve is constant: its range is the unit, so it must have one")
    quantile = t_quantile(len(measured) - 1, 1 - 0.025 / measured.shape[1])
    parts, shown = [], []
    for point, deviations in enumerate(((measured - prediction) / extent).T):
        at = _mean(deviations)
        half = quantile * _spread(deviations) / math.sqrt(len(deviations))
        largest, smallest = abs(at.value) + half, max(0.0, abs(at.value) - half)
        label = f"tolerance − deviation at point {point}"
        value, low, high = (CURVE_TOLERANCE - x for x in (abs(at.value), largest, smallest))
        parts.append(Estimate(value, low, high, at.n, T, at.spread, label=label))
        shown.append(replace(at, low=at.value - half, high=at.value + half))
    worst = max(shown, key=lambda e: abs(e.value))
    return _joint(worst, tuple(parts), "t over replicates, all points at once (Bonferroni)")


def optimum(scores: Mapping[float, ArrayLike], predicted: float) -> Estimate:
    """How much better the predicted place is than every other one of a grid that is not its neighbour.

    A best value inside a grid whose two ends are bad is no discovery; that it lies where theory says is. Neighbours of
    the prediction may be as good. All differences have to lie above 0, as in :func:`order`.

    Args:
        scores: grid value to scores, larger is better, shape (replicates,), paired.
        predicted: the grid value that theory names.

    Returns:
        The estimate of the part that binds, with all ``parts``.

    Raises:
        ValueError: the prediction is not on the grid, or has not two grid values on either side.

    Example:
        >>> e = optimum({k: [-abs(k - 3) + noise for noise in (0, 0.1)] for k in range(1, 6)}, predicted=3)
        >>> [part.label for part in e.parts]
        ['3 − 1', '3 − 5']
    """
    grid = sorted(scores)
    place = grid.index(predicted) if predicted in scores else -1
    if not 2 <= place <= len(grid) - 3:
        raise ValueError(f"the prediction needs two grid values on either side; got {predicted} in {grid}")
    parts = tuple(
        _relabel(difference(scores[predicted], scores[other]), f"{predicted:g} − {other:g}")
        for i, other in enumerate(grid)
        if abs(i - place) > 1
    )
    return _joint(min(parts, key=_half_widths_above_zero), parts, "paired t, every place but the neighbours")


def association(x: ArrayLike, y: ArrayLike) -> Estimate:
    """Spearman's rank correlation over independent objects, with its 95 % interval.

    The interval is Fisher's with the variance of Bonett and Wright, (1 + r^2 / 2) / (n - 3) on the scale of arctanh.
    A perfect correlation takes the interval of the largest imperfect one (two neighbours swapped).

    Args:
        x: one number an object, shape (objects,).
        y: the same objects in the same order.

    Returns:
        The estimate, between -1 and 1.

    Raises:
        ValueError: fewer than 4 objects, one of the two constant, or values that are not finite.

    Source:
        Bonett and Wright (2000), Psychometrika 65, 23-28.

    Example:
        >>> e = association(range(12), [0, 2, 1, 3, 4, 6, 5, 7, 8, 9, 11, 10])
        >>> round(e.value, 3), round(e.low, 2)
        (0.979, 0.9)
    """
    from scipy.stats import rankdata

    x, y = _pair(x, y)
    if len(x) < 4 or np.ptp(x) == 0 or np.ptp(y) == 0:
        raise ValueError(f"a rank correlation needs at least 4 objects that differ; got {len(x)}")
    n, value = len(x), float(np.corrcoef(rankdata(x), rankdata(y))[0, 1])
    largest = 1 - 12 / (n * (n * n - 1))
    centre = math.atanh(min(max(value, -largest), largest))
    half = NORMAL_975 * math.sqrt((1 + value**2 / 2) / (n - 3))
    low, high = math.tanh(centre - half), math.tanh(centre + half)
    return Estimate(value, min(low, value), max(high, value), n, SPEARMAN)


def equivalence(effect: ArrayLike, reference: ArrayLike, *, fraction: float = 0.25) -> Estimate:
    """Test that an effect is smaller than a fraction of another one, whatever its sign (two one-sided tests).

    Both are noisy, so the two are tested jointly: a replicate's ``fraction * |reference| - effect`` and
    ``fraction * |reference| + effect`` each have to lie above 0. Each has a 95 % two-sided interval, so a
    false "equivalent" stays below 2.5 % (5 % where there is no main effect, whose sign is then a coin's);
    exponential effects make that 7 %, 7 %, 6 % at n = 6, 8, 16 if their tail points beyond the bound.

    Args:
        effect: effect that should be absent, one number a replicate, shape (replicates,).
        reference: the main effect of the same replicates, same unit; signed by its mean, so that a noisy
            reference is not made larger by taking absolute values.
        fraction: how large a share of the reference still counts as absent.

    Returns:
        The mean effect. Its interval is drawn so that it lies inside ± the mean of ``fraction * |reference|``
        exactly when both ``parts`` lie above 0: the reference's own uncertainty is in it.

    Raises:
        ValueError: as :func:`difference`, or a fraction that is not positive.

    Example:
        >>> e = equivalence([0.01, -0.02, 0.0, 0.01], [1.0, 1.1, 0.9, 1.0])
        >>> all(part.low > 0 for part in e.parts)
        True
    """
    if not fraction > 0:
        raise ValueError(f"fraction must be positive; got {fraction}")
    effect, reference = _pair(effect, reference)
    bound = fraction * reference * (1 if reference.mean() >= 0 else -1)
    below = _relabel(_mean(bound - effect), "bound − effect")
    above = _relabel(_mean(bound + effect), "bound + effect")
    centre, value = float(bound.mean()), float(effect.mean())
    assert above.low is not None  # a t interval has both ends
    assert below.low is not None
    shown = Estimate(
        value, min(above.low - centre, value), max(centre - below.low, value), below.n, "", _spread(effect)
    )
    return _joint(shown, (below, above), "paired t, two one-sided tests")


def identity(error: ArrayLike, counterexample: ArrayLike, *, scale: float, eps: float) -> Estimate:
    """Check an identity of mathematics: errors at rounding level where it holds, large where it must not.

    Args:
        error: deviations from the identity over the cases tried, any shape.
        counterexample: the same deviation for a named case that breaks the identity, any shape.
        scale: size of the compared quantities, same unit.
        eps: machine epsilon of the dtype that computed ``error``.

    Returns:
        The largest error in units of ``scale``, zero width; ``parts`` are ``100 eps`` minus that and the
        smallest counterexample (in units of ``scale``) minus ``1e-3``, each to lie above 0.

    Raises:
        ValueError: nothing to check, NaN, or scale or eps not positive.

    Example:
        >>> e = identity([1e-16, 2e-16], [0.3], scale=1.0, eps=2.2e-16)
        >>> all(part.low > 0 for part in e.parts)
        True
    """
    if not (scale > 0 and eps > 0):
        raise ValueError(f"scale and eps must be positive; got {scale} and {eps}")
    errors, others = (np.abs(np.asarray(x, dtype=float)).ravel() / scale for x in (error, counterexample))
    if not (errors.size and others.size):
        raise ValueError("an identity needs at least one case and one counterexample")
    largest, smallest = float(errors.max()), float(others.min())
    values = {"rounding − error": 100 * eps - largest, "counterexample − 0.001": smallest - 1e-3}
    parts = tuple(Estimate(v, v, v, errors.size, "largest error", None, 1.0, label) for label, v in values.items())
    return Estimate(largest, largest, largest, errors.size, "largest error", None, 1.0, "", parts)


def p_value(estimate: Estimate, *, above: float | None = None, below: float | None = None) -> float | None:
    """How surprising the estimate would be if its quantity did not lie between two edges.

    Got by inverting the interval: a single edge has twice the one-sided p-value (t test, sign test or exact binomial
    test, whichever made the interval), so that p < 0.05 exactly where the 95 % interval clears the edge. Several edges
    and ``parts`` (each to lie above 0) have to be cleared together: the largest p counts (intersection-union test,
    Casella and Berger, Statistical Inference, section 8.3), which needs no correction and is conservative.

    Args:
        estimate: from this module.
        above: lower edge, in the unit of ``estimate.value``; None: open.
        below: upper edge; None: open.

    Returns:
        The p-value; None where it is undefined (an identity, no edge, no interval).

    Example:
        >>> e = mean([0.1, 0.3, 0.2, 0.4, 0.1, 0.3])
        >>> round(p_value(e, above=0), 3), round(p_value(e, above=e.low), 3)
        (0.005, 0.05)
    """
    if estimate.parts:
        found = [p_value(part, above=0.0) for part in estimate.parts]
    else:
        found = [_p_beyond(estimate, edge, sign) for edge, sign in ((above, 1), (below, -1)) if edge is not None]
    known = [p for p in found if p is not None]
    return max(known) if known and len(known) == len(found) else None


def benjamini_hochberg(p_values: Sequence[float], *, level: float = 0.05) -> list[bool]:
    """Which of several tests stand, when at most a share ``level`` of those that stand shall be false on average.

    Args:
        p_values: one a test, independent or positively dependent.
        level: false discovery rate.

    Returns:
        Whether each stands, in the order given.

    Source:
        Benjamini and Hochberg (1995), Journal of the Royal Statistical Society B 57, 289-300.

    Example:
        >>> benjamini_hochberg([0.04, 0.001, 0.03, 0.5])
        [False, True, False, False]
    """
    ranked = sorted(p_values)
    cuts = [p for rank, p in enumerate(ranked, start=1) if p <= level * rank / len(ranked)]
    return [bool(cuts) and p <= cuts[-1] for p in p_values]


@cache
def t_quantile(degrees_of_freedom: int, probability: float = 0.975) -> float:
    """Quantile of Student's t distribution.

    Args:
        degrees_of_freedom: replicates minus 1.
        probability: mass below the quantile; the default gives two-sided 95 % intervals.

    Returns:
        The quantile.

    Example:
        >>> round(t_quantile(7), 3)
        2.365
    """
    from scipy.special import stdtrit  # a tenth of the import time of scipy.stats

    return float(stdtrit(degrees_of_freedom, probability))


def _mean(x: NDArray[np.float64]) -> Estimate:
    n, value, spread = len(x), float(x.mean()), _spread(x)
    half = t_quantile(n - 1) * spread / math.sqrt(n)
    return Estimate(value, value - half, value + half, n, T + _few(n), spread)


def _spread(x: NDArray[np.float64]) -> float:
    # Equal replicates have no spread; the rounding error of their mean must not make one up.
    return 0.0 if (x == x[0]).all() else float(x.std(ddof=1))


def _p_beyond(e: Estimate, edge: float, sign: int) -> float | None:
    """Twice the one-sided p-value for lying above (sign 1) or below (-1) an edge, at most 1."""
    from scipy.special import betainc, stdtr

    if e.sample:  # sign test; a replicate on the edge counts against
        against = sum(sign * (x - edge) <= 0 for x in e.sample)
        p = sum(math.comb(e.n, j) for j in range(against + 1)) / 2**e.n
    elif e.method.startswith(BINOMIAL):
        successes = round(e.value * e.n)
        count, share = (successes, edge) if sign > 0 else (e.n - successes, 1 - edge)
        p = float(betainc(count, e.n - count + 1, share)) if count else 1.0
    elif e.method == SPEARMAN:
        r = min(max(e.value, -1 + 12 / (e.n * (e.n**2 - 1))), 1 - 12 / (e.n * (e.n**2 - 1)))
        error = math.sqrt((1 + e.value**2 / 2) / (e.n - 3))
        p = math.erfc(sign * (math.atanh(r) - math.atanh(edge)) / error / math.sqrt(2)) / 2
    elif e.method.startswith(T) and e.low is not None and e.low < e.value:
        p = float(stdtr(e.n - 1, -sign * (e.value - edge) / (e.value - e.low) * t_quantile(e.n - 1)))
    else:
        return None
    return min(1.0, 2 * p)


def _joint(shown: Estimate, parts: tuple[Estimate, ...], method: str) -> Estimate:
    n = min(part.n for part in parts)
    return Estimate(
        shown.value, shown.low, shown.high, n, method + _few(n), shown.spread, label=shown.label, parts=parts
    )


def _relabel(e: Estimate, label: str) -> Estimate:
    return replace(e, label=label)


def _half_widths_above_zero(e: Estimate) -> float:
    assert e.low is not None
    half = e.value - e.low
    return e.value / half if half else math.copysign(math.inf, e.value)


def _few(n: int) -> str:
    return f" (only {n} replicates)" if n < FEW else ""


def _pair(a: ArrayLike, b: ArrayLike, *, censored: bool = False) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    a, b = _replicates(a, censored=censored), _replicates(b, censored=censored)
    if len(a) != len(b):
        raise ValueError(f"paired arrays need equal lengths; got {len(a)} and {len(b)} replicates")
    return a, b


def _replicates(x: ArrayLike, *, censored: bool = False) -> NDArray[np.float64]:
    values = np.asarray(x, dtype=float)
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(f"an interval needs at least 2 replicates, one number each; got shape {values.shape}")
    bad = np.isnan(values) if censored else ~np.isfinite(values)
    _refuse(bad, values, "allowed are numbers and ±inf" if censored else "allowed are finite numbers")
    return values


def _curves(y: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(y, dtype=float)
    if values.ndim != 2 or len(values) < 2 or not np.isfinite(values).all():
        raise ValueError(f"curves need finite numbers, shape (replicates ≥ 2, points); got shape {values.shape}")
    return values


def _refuse(bad: NDArray[np.bool_], x: NDArray[np.float64], why: str) -> None:
    if bad.any():
        first = int(bad.argmax())
        raise ValueError(f"replicate {first} is {x[first]}: {why}")
