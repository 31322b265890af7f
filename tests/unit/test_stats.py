"""Estimates: against scipy, in closed form, and the coverage that their docstrings promise, by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from ib_utils import stats

N_DRAWS = 4000
TOLERANCE = 4 * math.sqrt(0.95 * 0.05 / N_DRAWS)  # four standard errors of a simulated 95 %
SIZES = pytest.mark.parametrize("n", [6, 8, 16])

numbers = st.floats(-1e3, 1e3)
replicates = st.lists(numbers, min_size=2, max_size=20)


def failed(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.random(shape) < 0.1


def covered(estimates: list[stats.Estimate], truth: float) -> float:
    inside = [(e.low is None or e.low <= truth) and (e.high is None or truth <= e.high) for e in estimates]
    return sum(inside) / len(inside)


# Against scipy and closed forms


@given(replicates)
def test_mean_is_scipys_t_interval(x: list[float]) -> None:
    e = stats.mean(x)
    assert e.value == pytest.approx(np.mean(x), abs=1e-9)
    if e.spread:
        exact = scipy.stats.t.interval(0.95, len(x) - 1, np.mean(x), scipy.stats.sem(x))
        assert (e.low, e.high) == pytest.approx(exact, rel=1e-9, abs=1e-9)


def test_equal_replicates_have_no_width() -> None:
    e = stats.mean([0.1] * 7)
    assert e.low == e.high
    assert e.spread == 0


@given(st.integers(1, 60), st.data())
def test_proportion_is_scipys_exact_interval(trials: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, trials))
    e = stats.proportion(successes, trials)
    exact = scipy.stats.binomtest(successes, trials).proportion_ci(method="exact")
    assert (e.low, e.high) == pytest.approx((exact.low, exact.high))


@pytest.mark.parametrize(
    ("n", "k", "confidence"),
    [(5, 1, 1 - 2 / 32), (6, 1, 1 - 2 / 64), (8, 1, 1 - 2 / 256), (9, 2, 1 - 20 / 512), (16, 4, 0.9787)],
)
def test_median_takes_the_narrowest_order_statistics_that_cover_95_percent(n: int, k: int, confidence: float) -> None:
    e = stats.median(np.arange(1.0, n + 1))
    assert (e.low, e.high) == (k, n + 1 - k)
    assert e.confidence == pytest.approx(confidence, abs=1e-4)


@given(replicates, replicates)
def test_pairing_cancels_what_the_arms_share(x: list[float], shift: list[float]) -> None:
    n = min(len(x), len(shift))
    a, b = np.array(x[:n]) + np.array(shift[:n]), np.array(shift[:n])
    assert stats.difference(a, b).value == pytest.approx(np.mean(x[:n]), abs=1e-6)


@given(st.lists(st.floats(0.1, 100), min_size=6, max_size=12), st.floats(0.1, 10))
def test_log_ratio_does_not_know_the_unit(x: list[float], unit: float) -> None:
    b = np.linspace(1, 2, len(x))
    plain, scaled = stats.log_ratio(x, b), stats.log_ratio(np.array(x) * unit, b * unit)
    assert scaled.value == pytest.approx(plain.value, abs=1e-9)
    assert stats.log_ratio(b, x).value == pytest.approx(-plain.value, abs=1e-9)


# Joint estimates


def test_order_has_every_adjacent_difference_and_names_the_one_that_binds() -> None:
    rng = np.random.default_rng(0)
    columns = {name: level + 0.1 * rng.standard_normal(8) for name, level in zip("abc", (0, 1, 1.2), strict=True)}
    e = stats.order(columns)
    assert [part.label for part in e.parts] == ["b − a", "c − b"]
    assert (e.value, e.low, e.high) == (e.parts[1].value, e.parts[1].low, e.parts[1].high)


@given(st.lists(st.tuples(numbers, numbers), min_size=6, max_size=12, unique=True))
def test_equivalence_interval_lies_inside_the_bound_exactly_when_both_parts_lie_above_zero(
    pairs: list[tuple[float, float]],
) -> None:
    effect, reference = np.array(pairs).T
    e = stats.equivalence(effect, reference)
    bound = sum(part.value for part in e.parts) / 2
    assert bound == pytest.approx(abs(reference.mean()) / 4, abs=1e-9)
    assert e.low is not None
    assert e.high is not None
    if min(abs(e.low + bound), abs(e.high - bound)) > 1e-9:  # away from rounding at the edge
        both = all(part.low is not None and part.low > 0 for part in e.parts)
        assert both == (-bound < e.low and e.high < bound)


def test_identity_holds_at_rounding_level_only_beside_a_counterexample() -> None:
    def held(error: float, counterexample: float) -> list[bool]:
        e = stats.identity([error], [counterexample], scale=2.0, eps=1e-7)
        return [part.value > 0 for part in e.parts]

    assert held(1e-5, 0.5) == [True, True]
    assert held(1e-4, 0.5) == [False, True]
    assert held(0.0, 1e-3) == [True, False]


# Censoring


def test_censored_replicates_open_the_end_they_fall_on() -> None:
    e = stats.median([1, 2, 3, 4, 5, 6, 7, math.inf])
    assert (e.value, e.low, e.high) == (4.5, 1, None)
    assert "1 censored" in e.method
    assert stats.median([-math.inf, 2, 3, 4, 5, 6, 7, 8]).low is None


def test_a_median_beyond_the_range_is_infinite_and_its_interval_open() -> None:
    e = stats.median([1, 2] + [math.inf] * 6)
    assert (e.value, e.low, e.high) == (math.inf, 1, None)
    assert stats.median([math.inf] * 8).low is None


def test_log_ratio_takes_censored_sizes_only_where_told() -> None:
    a, b = [200, 300, 400, 300, 250, math.inf], [100.0] * 6
    with pytest.raises(ValueError, match="replicate 5 is inf"):
        stats.log_ratio(a, b)
    assert stats.log_ratio(a, b, censored=True).value == pytest.approx(math.log(3))
    with pytest.raises(ValueError, match="both members"):
        stats.log_ratio(a, [100.0] * 5 + [math.inf], censored=True)


# What is refused


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_replicate_that_is_no_number_is_named(bad: float) -> None:
    for estimator in (
        stats.mean,
        lambda x: stats.difference(x, [1.0, 2, 3]),
        lambda x: stats.equivalence([1.0, 2, 3], x),
    ):
        with pytest.raises(ValueError, match=f"replicate 1 is {bad}"):
            estimator([1.0, bad, 3.0])
    with pytest.raises(ValueError, match="replicate 1 is nan"):
        stats.median([1.0, math.nan, 3.0])


def test_one_replicate_has_no_interval() -> None:
    for estimator in (stats.mean, stats.median):
        with pytest.raises(ValueError, match="at least 2 replicates"):
            estimator([1.0])
    with pytest.raises(ValueError, match="got 3 and 2"):
        stats.difference([1, 2, 3], [1, 2])
    with pytest.raises(ValueError, match="a must be positive"):
        stats.log_ratio([0, 1], [1, 1])
    with pytest.raises(ValueError, match="9 successes in 8 trials"):
        stats.proportion(9, 8)


def test_few_replicates_are_flagged() -> None:
    assert "only 3 replicates" in stats.mean([1, 2, 3]).method
    assert "only" not in stats.mean([1, 2, 3, 4, 5, 6]).method
    assert "only 3 replicates" in stats.order({"a": [1, 2, 3], "b": [3, 4, 6]}).method


def test_an_estimate_is_a_number_inside_its_interval() -> None:
    for value, low, high in ((math.nan, 0, 1), (0.5, math.nan, 1), (0.5, 0, math.inf), (2, 0, 1)):
        with pytest.raises(ValueError, match="estimate"):
            stats.Estimate(value, low, high, 8, "by hand")


# p-values


@given(st.lists(numbers, min_size=6, max_size=12, unique=True), numbers)
def test_the_p_value_of_a_mean_is_scipys_for_the_side_of_the_edge(x: list[float], edge: float) -> None:
    e = stats.mean(x)
    greater = scipy.stats.ttest_1samp(x, edge, alternative="greater").pvalue
    assert stats.p_value(e, above=edge) == pytest.approx(min(1, 2 * greater), abs=1e-6)
    assert stats.p_value(e, below=edge) == pytest.approx(min(1, 2 * (1 - greater)), abs=1e-6)


@given(st.integers(6, 30), st.data(), st.floats(0.05, 0.95))
def test_the_p_value_of_a_proportion_is_the_exact_binomial_tests(n: int, data: st.DataObject, edge: float) -> None:
    k = data.draw(st.integers(0, n))
    for side, alternative in (("above", "greater"), ("below", "less")):
        exact = scipy.stats.binomtest(k, n, edge, alternative=alternative).pvalue
        assert stats.p_value(stats.proportion(k, n), **{side: edge}) == pytest.approx(min(1, 2 * exact))


def test_the_p_value_of_a_median_is_the_sign_tests_and_knows_censored_replicates() -> None:
    assert stats.p_value(stats.median([1, 2, 3, 4, 5, 6, 7, math.inf]), above=0) == 2 / 2**8
    assert stats.p_value(stats.median([-1, 2, 3, 4, 5, 6, 7, math.inf]), above=0) == 2 * 9 / 2**8
    assert stats.p_value(stats.median([0, 2, 3, 4, 5, 6, 7, 8]), above=0) == 2 * 9 / 2**8  # on the edge is not above
    assert stats.p_value(stats.median([1, 2, 3, 4, 5, 6, 7, math.inf]), below=0) == 1


@given(st.lists(numbers, min_size=6, max_size=12, unique=True), numbers)
def test_p_is_below_5_percent_exactly_where_the_interval_clears_the_edge(x: list[float], edge: float) -> None:
    for e in (stats.mean(x), stats.median(x), stats.proportion(len(x) // 2, len(x))):
        edge_here = edge / 2e3 + 0.5 if e.method == "exact binomial" else edge
        assert e.low is not None
        assert e.high is not None
        if min(abs(e.low - edge_here), abs(e.high - edge_here)) > 1e-6:
            above, below = stats.p_value(e, above=edge_here), stats.p_value(e, below=edge_here)
            assert above is not None
            assert below is not None
            assert ((above < 0.05), (below < 0.05)) == (e.low > edge_here, e.high < edge_here)


def test_several_edges_or_parts_have_the_largest_p() -> None:
    e = stats.mean([0.1, 0.3, 0.2, 0.4, 0.1, 0.3])
    assert stats.p_value(e, above=0, below=1) == max(
        p for p in (stats.p_value(e, above=0), stats.p_value(e, below=1)) if p is not None
    )
    rng = np.random.default_rng(0)
    ordered = stats.order({name: level + rng.standard_normal(8) for name, level in zip("abc", (0, 9, 10), strict=True)})
    assert stats.p_value(ordered) == stats.p_value(ordered.parts[1], above=0)


def test_without_edge_or_interval_p_is_undefined() -> None:
    assert stats.p_value(stats.mean([1, 2, 3])) is None
    assert stats.p_value(stats.identity([0.0], [1.0], scale=1, eps=1e-16)) is None
    assert stats.p_value(stats.mean([1.0] * 8), above=0) is None


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.floats(0.01, 0.5))
def test_benjamini_hochberg_is_scipys(p: list[float], level: float) -> None:
    adjusted = scipy.stats.false_discovery_control(p, method="bh")
    clear = np.abs(adjusted - level) > 1e-9
    stands = np.array(stats.benjamini_hochberg(p, level=level))
    assert (stands == (adjusted <= level))[clear].all()


def test_nothing_stands_among_no_tests() -> None:
    assert stats.benjamini_hochberg([]) == []


# Coverage, by simulation


@SIZES
def test_t_interval_covers_95_percent_of_normal_means(n: int) -> None:
    draws = np.random.default_rng(n).standard_normal((N_DRAWS, n))
    assert covered([stats.mean(x) for x in draws], 0.0) == pytest.approx(0.95, abs=TOLERANCE)


@pytest.mark.parametrize(
    ("name", "promised"),
    [
        ("log-normal", (0.82, 0.83, 0.86)),
        ("exponential", (0.89, 0.89, 0.91)),
        ("failed", (0.73, 0.71, 0.82)),
        ("failed in one arm", (0.84, 0.82, 0.86)),
        ("tenfold", (0.82, 0.80, 0.84)),
    ],
)
def test_t_interval_under_covers_as_its_docstring_says(name: str, promised: tuple[float, ...]) -> None:
    rng = np.random.default_rng(0)
    draw, truth = {
        "log-normal": (lambda shape: np.exp(rng.standard_normal(shape)), math.exp(0.5)),
        "exponential": (lambda shape: rng.exponential(size=shape), 1.0),
        "failed": (lambda shape: rng.standard_normal(shape) - 10 * failed(rng, shape), -1.0),
        "failed in one arm": (
            lambda shape: rng.standard_normal(shape) - 10 * failed(rng, shape) - rng.standard_normal(shape),
            -1.0,
        ),
        "tenfold": (
            lambda shape: 0.3 * rng.standard_normal(shape) + math.log(10) * failed(rng, shape),
            math.log(10) / 10,
        ),
    }[name]
    for n, share in zip((6, 8, 16), promised, strict=True):
        coverage = covered([stats.mean(x) for x in draw((N_DRAWS, n))], truth)
        assert coverage == pytest.approx(share, abs=0.005 + 4 * math.sqrt(0.25 / N_DRAWS))
        assert coverage < 0.95 - TOLERANCE


@SIZES
def test_heavy_tails_make_the_t_interval_cover_more(n: int) -> None:
    draws = np.random.default_rng(n).standard_t(2, size=(N_DRAWS, n))
    assert 0.95 < covered([stats.mean(x) for x in draws], 0.0) < 0.98


@pytest.mark.parametrize(("n", "promised"), [(6, 0.27), (8, 0.29), (16, 0.18)])
def test_rare_failed_seeds_make_false_directions_as_the_docstring_says(n: int, promised: float) -> None:
    rng = np.random.default_rng(n)
    draws = 1 + rng.standard_normal((N_DRAWS, n)) - 10 * failed(rng, (N_DRAWS, n))  # mean 0
    claimed = [(stats.mean(x).low or 0) > 0 for x in draws]
    assert np.mean(claimed) == pytest.approx(promised, abs=0.005 + 4 * math.sqrt(0.25 / N_DRAWS))


@SIZES
def test_log_ratio_covers_95_percent_of_log_normal_factors(n: int) -> None:
    rng = np.random.default_rng(n)
    a, b = 2 * np.exp(rng.standard_normal((N_DRAWS, n))), np.exp(rng.standard_normal((N_DRAWS, n)))
    estimates = [stats.log_ratio(x, y) for x, y in zip(a, b, strict=True)]
    assert covered(estimates, math.log(2)) == pytest.approx(0.95, abs=TOLERANCE)


@SIZES
def test_differences_of_skewed_arms_cover_at_least_95_percent(n: int) -> None:
    rng = np.random.default_rng(n)
    skewed = np.exp(rng.standard_normal((2, N_DRAWS, n)))
    failing = rng.standard_normal((2, N_DRAWS, n)) - 10 * failed(rng, (2, N_DRAWS, n))
    for a, b in (skewed, failing):
        assert covered([stats.difference(x, y) for x, y in zip(a, b, strict=True)], 0.0) > 0.95 - TOLERANCE


@SIZES
@pytest.mark.parametrize("name", ["normal", "skewed", "heavy", "failed", "censored"])
def test_median_interval_covers_what_it_records(n: int, name: str) -> None:
    rng = np.random.default_rng(n)
    draws = rng.standard_normal((N_DRAWS, n))
    x, truth = {
        "normal": (draws, 0.0),
        "skewed": (np.exp(draws), 1.0),
        "heavy": (rng.standard_cauchy((N_DRAWS, n)), 0.0),
        "failed": (np.where(failed(rng, draws.shape), -np.inf, draws), -0.1397),  # P(Z < m) = 4/9
        "censored": (np.where(draws > 0.3, np.inf, draws), 0.0),
    }[name]
    estimates = [stats.median(row) for row in x]
    assert covered(estimates, truth) == pytest.approx(estimates[0].confidence, abs=TOLERANCE)
    assert estimates[0].confidence >= 0.95


@pytest.mark.parametrize("trials", [6, 8, 16, 50])
@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.93])
def test_proportion_never_covers_less_than_95_percent(trials: int, share: float) -> None:
    outcomes = np.arange(trials + 1)
    hits = [covered([stats.proportion(int(k), trials)], share) for k in outcomes]
    assert scipy.stats.binom.pmf(outcomes, trials, share) @ hits >= 0.95


def test_proportion_under_covers_where_trials_share_a_draw() -> None:
    rng = np.random.default_rng(0)
    share = rng.beta(7 / 6, 7 / 6, size=(N_DRAWS, 8))  # intra-class correlation 1 / (1 + 7/3) = 0.3
    successes = rng.binomial(5, share).sum(1)
    coverage = covered([stats.proportion(int(k), 40) for k in successes], 0.5)
    assert coverage == pytest.approx(0.83, abs=0.005 + 4 * math.sqrt(0.25 / N_DRAWS))


@pytest.mark.parametrize(("n", "promised"), [(6, 0.07), (8, 0.07), (16, 0.06)])
def test_equivalence_is_fooled_by_tails_beyond_its_bound_as_the_docstring_says(n: int, promised: float) -> None:
    rng = np.random.default_rng(n)
    effect = 0.25 + 0.05 * (rng.exponential(size=(N_DRAWS, n)) - 1)
    reference = 1 + 0.1 * rng.standard_normal((N_DRAWS, n))
    estimates = [stats.equivalence(e, r) for e, r in zip(effect, reference, strict=True)]
    claimed = [all((part.low or 0) > 0 for part in e.parts) for e in estimates]
    assert np.mean(claimed) == pytest.approx(promised, abs=0.005 + 4 * math.sqrt(0.25 / N_DRAWS))


@SIZES
def test_equivalence_is_wrong_in_at_most_2_5_percent_at_its_own_bound(n: int) -> None:
    rng = np.random.default_rng(n)
    effect, reference = (
        0.25 + 0.05 * rng.standard_normal((N_DRAWS, n)),
        1 + 0.1 * rng.standard_normal((N_DRAWS, n)),
    )
    claimed = [
        all(part.low is not None and part.low > 0 for part in stats.equivalence(e, r).parts)
        for e, r in zip(effect, reference, strict=True)
    ]
    assert np.mean(claimed) == pytest.approx(0.025, abs=TOLERANCE)


@SIZES
def test_an_order_with_one_tie_is_claimed_in_at_most_2_5_percent(n: int) -> None:
    draws = np.random.default_rng(n).standard_normal((N_DRAWS, 3, n)) + np.array([0, 0, 9])[:, None]
    claimed = [
        all(part.low is not None and part.low > 0 for part in stats.order(dict(zip("abc", x, strict=True))).parts)
        for x in draws
    ]
    assert np.mean(claimed) < 0.025 + TOLERANCE


# Slopes, curves, optima, associations


@given(st.lists(st.lists(numbers, min_size=4, max_size=4), min_size=2, max_size=6))
def test_slope_is_the_mean_of_scipys_regressions(y: list[list[float]]) -> None:
    x = [0.0, 1.0, 3.0, 4.0]
    each = [scipy.stats.linregress(x, row).slope for row in y]
    assert stats.slope(x, y).value == pytest.approx(np.mean(each), abs=1e-6)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=5, max_size=30))
def test_association_is_scipys_rank_correlation(pairs: list[tuple[int, int]]) -> None:
    x, y = np.array(pairs).T
    if np.ptp(x) and np.ptp(y):
        e = stats.association(x, y)
        assert e.value == pytest.approx(scipy.stats.spearmanr(x, y).statistic)
        assert e.low is not None
        assert e.high is not None
        assert -1 <= e.low < e.high <= 1


@pytest.mark.parametrize("n", [10, 20])
@pytest.mark.parametrize("correlation", [0.0, 0.6])
def test_association_covers_the_rank_correlation_of_a_normal_pair(n: int, correlation: float) -> None:
    rng = np.random.default_rng(n)
    draws = rng.multivariate_normal([0, 0], [[1, correlation], [correlation, 1]], size=(N_DRAWS, n))
    truth = 6 / math.pi * math.asin(correlation / 2)
    assert covered([stats.association(*draw.T) for draw in draws], truth) > 0.93


def test_p_values_of_associations_invert_their_interval() -> None:
    e = stats.association(range(12), [3, 1, 2, 5, 4, 8, 7, 6, 9, 11, 10, 12])
    assert stats.p_value(e, above=e.low) == pytest.approx(0.05)


@pytest.mark.parametrize("n", [6, 8])
def test_a_curve_that_is_right_rarely_lies_outside_its_band_anywhere(n: int) -> None:
    """All points at once: at most 5 %, where pointwise intervals would miss one of ten points in a third of cases."""
    rng = np.random.default_rng(n)
    predicted = np.linspace(0, 1, 10)
    missed = 0
    for noise in rng.standard_normal((1000, n, 10)):
        e = stats.curve(predicted + noise, predicted)
        missed += any(part.high < stats.CURVE_TOLERANCE for part in e.parts)
    assert missed / 1000 < 0.05 + 4 * math.sqrt(0.05 * 0.95 / 1000)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: stats.slope([0, 1], [[1.0, 2.0, 3.0]] * 2), "shape"),
        (lambda: stats.slope([1, 1], [[1.0, 2.0]] * 2), "different values"),
        (lambda: stats.curve([[1.0, 2.0]] * 2, [1.0, 1.0]), "constant"),
        (lambda: stats.curve([[1.0, math.nan]] * 2, [1.0, 2.0]), "finite"),
        (lambda: stats.optimum({1: [1.0, 2.0], 2: [1.0, 2.0]}, predicted=1), "two grid values"),
        (lambda: stats.association([1, 2, 3], [1, 2, 3]), "at least 4"),
    ],
)
def test_estimators_refuse_what_they_cannot_use(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
