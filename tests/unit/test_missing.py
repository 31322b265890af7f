"""Missing inputs: what is drawn, what filling with zeros costs, and one pass of averaged SGD."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ib_utils.data import draw_observed, make_factor_regression
from ib_utils.measures import factor_imputation_bias, imputation_bias, imputed_risk, ridge_risk
from ib_utils.models import averaged_sgd

seeds = st.integers(0, 2**31)
shares = st.floats(0.1, 1.0)


def normal(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@settings(max_examples=30)
@given(seeds, shares)
def test_independent_holes_are_a_ridge_penalty(seed, share):
    root, theta, beta = normal(seed, 4, 4), normal(seed + 1, 4), normal(seed + 2, 4)
    masks = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * 4)
    chances = share ** masks.sum(1) * (1 - share) ** (4 - masks.sum(1))
    second = root @ root.T
    torch.testing.assert_close(
        imputed_risk(theta, second, beta, masks, chances), ridge_risk(theta, second, beta, share)
    )


@settings(max_examples=30)
@given(seeds, shares)
def test_the_bias_is_the_least_risk(seed, share):
    root, beta = normal(seed, 4, 5), normal(seed + 2, 4)
    second = root @ root.T
    least = imputation_bias(second, beta, share)
    for i in range(5):
        assert ridge_risk(normal(seed + 3 + i, 4), second, beta, share) >= least - 1e-9


def test_nothing_missing_costs_nothing_and_unrelated_inputs_lose_their_share():
    beta = normal(0, 5)
    assert imputation_bias(torch.eye(5).double(), beta, 1.0) == pytest.approx(0, abs=1e-12)
    lost = imputation_bias(torch.eye(5).double(), beta, 0.3)
    assert lost.item() == pytest.approx(0.7 * float(beta @ beta))


@settings(max_examples=30)
@given(seeds, st.integers(3, 20), shares)
def test_the_short_formula_for_factors_is_the_long_one(seed, n_features, share):
    problem = make_factor_regression(n_examples=1, n_features=n_features, n_factors=3, noise=0, seeds=[seed])
    long = imputation_bias(problem.covariance, problem.coefficients, share)
    short = factor_imputation_bias(problem.loadings, problem.goal, share)
    torch.testing.assert_close(short, long, atol=1e-6, rtol=1e-4)


def test_factors_make_redundant_inputs_of_unit_variance_and_targets_linear_in_them():
    problem = make_factor_regression(n_examples=50, n_features=9, n_factors=2, noise=0.0, seeds=[0, 1])
    assert torch.linalg.matrix_rank(problem.x).tolist() == [2, 2]
    torch.testing.assert_close(problem.covariance.diagonal(dim1=1, dim2=2), torch.ones(2, 9).double())
    torch.testing.assert_close((problem.x @ problem.coefficients[..., None])[..., 0], problem.y)
    alone = make_factor_regression(n_examples=5, n_features=3, n_factors=None, noise=0.0, seeds=[0])
    assert torch.equal(alone.covariance[0], torch.eye(3).double())


@pytest.mark.parametrize("mechanism", ["independent", "together", "large"])
def test_the_share_of_entries_asked_for_is_seen(mechanism):
    x = normal(0, 1, 20_000, 3)
    seen = draw_observed(x, share=0.7, mechanism=mechanism, seeds=[0])
    assert seen.double().mean().item() == pytest.approx(0.7, abs=0.02)
    rows = seen.double().mean(2)
    assert bool(((rows == 0) | (rows == 1)).all()) == (mechanism == "together")
    assert bool(x[seen].max() < x[~seen].min()) == (mechanism == "large")


@pytest.mark.parametrize("wrong", [{"mechanism": "never"}, {"share": 0.0}])
def test_impossible_holes_are_refused(wrong):
    with pytest.raises(ValueError, match=r"never|share"):
        draw_observed(torch.zeros(1, 2, 2), **{"share": 0.5, "mechanism": "together", "seeds": [0]} | wrong)


def test_more_factors_than_features_and_impossible_shares_are_refused():
    with pytest.raises(ValueError, match="3 factors"):
        make_factor_regression(n_examples=1, n_features=2, n_factors=3, noise=0, seeds=[0])
    with pytest.raises(ValueError, match="share_observed"):
        ridge_risk(torch.ones(1), torch.eye(1), torch.ones(1), 0.0)


def test_averaged_sgd_is_the_mean_of_plain_iterates():
    x, y = normal(0, 2, 6, 3), normal(1, 2, 6)
    theta, iterates = torch.zeros(3).double(), []
    for inputs, target in zip(x[1], y[1], strict=True):
        theta = theta - 0.05 * (theta @ inputs - target) * inputs
        iterates.append(theta)
    torch.testing.assert_close(averaged_sgd(x, y, step=0.05)[1], torch.stack(iterates).mean(0))
