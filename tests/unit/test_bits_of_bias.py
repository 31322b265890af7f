"""Bits of bias against chi-squared distributions, counting, and scikit-learn's Gaussian process."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, ncx2

from ib_utils.measures import (
    bits_by_rejection,
    bits_by_tail_fit,
    bits_of_gaussian_hypotheses,
    draw_losses,
    gaussian_posterior,
    log_evidence,
)


def radial(a, b):
    return np.exp(-((a[:, None] - b[None]) ** 2).sum(-1) / 2)


@given(st.integers(1, 200), st.floats(-5, 5), st.floats(0.05, 20))
@example(81, 5.0, 1.0)  # at the mean of a narrow distribution, where a path bent too far meets the poles
@example(79, 5.0, 1.0)
@settings(max_examples=60, deadline=None)
def test_equal_spreads_give_the_noncentral_chi_squared(n, offset, at):
    tolerance = at * (1 + offset**2)
    bits = bits_of_gaussian_hypotheses(np.full(n, offset), np.eye(n), np.zeros(n), tolerance)
    law = ncx2(n, n * offset**2) if offset else chi2(n)
    expected = -law.logcdf(n * tolerance) / math.log(2)
    if math.isfinite(expected):
        assert bits == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_unequal_spreads_agree_with_counting():
    rng = np.random.default_rng(0)
    factor = rng.standard_normal((6, 6))
    space = (rng.standard_normal(6), factor @ factor.T, rng.standard_normal(6))
    losses = draw_losses(*space, n_draws=200_000, seed=1)
    for level in np.quantile(losses, [0.01, 0.3, 0.9]):
        assert bits_of_gaussian_hypotheses(*space, level) == pytest.approx(bits_by_rejection(losses, level), abs=0.1)


def test_no_hypothesis_beats_the_error_that_all_share():
    assert (
        bits_of_gaussian_hypotheses(np.ones(3), np.zeros((3, 3)) + np.diag([1.0, 0, 0]), np.zeros(3), 0.5) == math.inf
    )


def test_a_share_that_nobody_drew_is_more_than_can_be_counted():
    assert bits_by_rejection(np.ones(100), 0.5) == math.inf


@pytest.mark.parametrize("family", ["noncentral chi-squared", "gamma"])
def test_the_fit_finds_the_tail_of_its_own_family(family):
    losses = np.random.default_rng(0).chisquare(20, 50_000)
    assert bits_by_tail_fit(losses, 2.0, family=family) == pytest.approx(-chi2(20).logcdf(2.0) / math.log(2), rel=0.05)


def test_64_quantiles_fit_as_well_as_scipy_fits_all_draws():
    rng = np.random.default_rng(0)
    sizes = rng.exponential(size=30)  # of no member of the family
    losses = draw_losses(rng.standard_normal(30), np.diag(sizes), np.zeros(30), n_draws=10_000, seed=1)
    shape = losses.mean() ** 2 / losses.var()
    degrees, shift, _, scale = ncx2.fit(losses, 2 * shape, 1.0, floc=0, scale=losses.mean() / (2 * shape))
    tolerance = losses.min() / 2
    theirs = -ncx2.logcdf(tolerance / scale, degrees, shift) / math.log(2)
    assert bits_by_tail_fit(losses, tolerance) == pytest.approx(theirs, rel=0.03)


def test_a_log_normal_tail_is_a_normal_one_in_logs():
    losses = np.exp(np.random.default_rng(0).standard_normal(50_000))
    assert bits_by_tail_fit(losses, math.exp(-3), family="log-normal") == pytest.approx(9.53, abs=0.2)


@pytest.mark.parametrize(("losses", "family", "why"), [([1, 2, 0], "gamma", "positive"), ([1, 2, 3], "t", "unknown")])
def test_what_cannot_be_fitted_is_refused(losses, family, why):
    with pytest.raises(ValueError, match=why):
        bits_by_tail_fit(np.array(losses, dtype=float), 0.1, family=family)


def test_posterior_and_evidence_are_those_of_scikit_learn():
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF

    rng = np.random.default_rng(0)
    x, y, new = rng.standard_normal((7, 2)), rng.standard_normal(7), rng.standard_normal((5, 2))
    mean, covariance = gaussian_posterior(radial, x, y, new, noise=1e-3)
    theirs = GaussianProcessRegressor(RBF(1.0), alpha=1e-3, optimizer=None).fit(x, y)
    their_mean, their_covariance = theirs.predict(new, return_cov=True)
    np.testing.assert_allclose(mean, their_mean, atol=1e-8)
    np.testing.assert_allclose(covariance, their_covariance, atol=1e-8)
    ours = log_evidence(radial, x, y, noise=1e-3) - 3.5 * math.log(2 * math.pi)
    assert ours == pytest.approx(theirs.log_marginal_likelihood_value_)
