"""Random networks drawn by their units against networks drawn by their weights, and against exact laws."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ib_utils import models


def source(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("activation", "nu"), [("relu", 5), ("linear", 2)])
@pytest.mark.parametrize(("width", "depth"), [(32, 2), (128, 8)])
def test_the_second_moment_of_the_variance_follows_the_exact_law(activation, nu, width, depth):
    drawn = models.sample_variances(
        width=width, depth=depth, n_networks=20_000, activation=activation, generator=source(0)
    )
    assert drawn.mean(0)[-1] == pytest.approx(1, rel=0.03)
    excess = float(drawn[:, -1].pow(2).mean()) - 1
    assert excess == pytest.approx((1 + nu / width) ** depth - 1, rel=0.1)


def test_units_and_weights_give_the_same_distribution():
    from scipy.stats import ks_2samp

    x, gains = torch.ones(1, 10), []
    for seed in range(400):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = models.WideNetwork(10, 12, 3, activation="tanh", weight_variance=1.5)
        gains.append(1.5 * network.hidden(x).square().mean().item())
    drawn = models.sample_variances(
        width=12,
        depth=3,
        n_networks=2000,
        activation="tanh",
        weight_variance=1.5,
        start=1.5,
        generator=source(1),
    )
    assert ks_2samp(gains, drawn[:, -1].numpy()).pvalue > 0.01


@settings(max_examples=10, deadline=None)
@given(correlation=st.floats(-1, 1), seed=st.integers(0, 99))
def test_gram_matrices_are_symmetric_and_positive(correlation, seed):
    grams = models.sample_grams(correlation=correlation, width=16, depth=5, n_networks=7, generator=source(seed))
    torch.testing.assert_close(grams, grams.mT)
    assert (torch.linalg.det(grams) >= -1e-4 * grams.diagonal(dim1=1, dim2=2).prod(1)).all()


def test_a_wide_residual_network_follows_the_flow():
    grams = models.sample_grams(correlation=0.2, width=4000, depth=100, n_networks=10, generator=source(0))
    q, c = models.residual_flow(0.2, n_steps=100)
    expected = torch.tensor([[q, c], [c, q]])
    assert (grams.mean(0) - expected).norm() < 0.05 * expected.norm()


def test_a_plain_network_has_the_arc_cosine_kernel():
    grams = models.sample_grams(
        correlation=0.2,
        width=4000,
        depth=1,
        n_networks=20,
        skip=0.0,
        branches=torch.tensor([math.sqrt(2)]),
        generator=source(0),
    )
    one = torch.tensor(1.0)
    assert grams[:, 0, 1].mean() == pytest.approx(float(2 * models.dual("relu", one, one, 0.2 * one)[0]), abs=0.02)


def test_networks_without_active_units_stay_at_zero_instead_of_nan():
    grams = models.sample_grams(
        correlation=-1.0,
        width=1,
        depth=20,
        n_networks=50,
        skip=0.0,
        branches=torch.ones(20),
        generator=source(0),
    )
    assert grams.isfinite().all()


def test_refusals_name_the_value():
    with pytest.raises(ValueError, match="sine"):
        models.sample_variances(width=2, depth=1, n_networks=1, activation="sine", generator=source(0))
    with pytest.raises(ValueError, match="2"):
        models.sample_grams(correlation=2, width=2, depth=1, n_networks=1, generator=source(0))
    with pytest.raises(ValueError, match="3 branch factors for 1"):
        models.sample_grams(correlation=0, width=2, depth=1, n_networks=1, branches=torch.ones(3), generator=source(0))
