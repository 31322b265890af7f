"""Deep random features: their Gaussian parts by known values and quadrature, their covariance by simulation."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ib_utils import models


def test_tanh_layers_have_the_constants_of_the_papers_code():
    linear, rest, variance = models.gaussian_parts("tanh", 1.0)
    assert (linear, rest) == pytest.approx((0.6057, 0.1656), abs=1e-4)
    linear, rest, _ = models.gaussian_parts("tanh", variance)
    assert (linear, rest) == pytest.approx((0.7635, 0.0811), abs=1e-4)


@settings(deadline=None)
@given(variance=st.floats(0.05, 3))
def test_erf_has_closed_forms(variance):
    linear, _, square = models.gaussian_parts("erf", variance)
    assert linear == pytest.approx(2 / math.sqrt(math.pi * (1 + 2 * variance)), rel=1e-6)
    assert square == pytest.approx(2 / math.pi * math.asin(2 * variance / (1 + 2 * variance)), rel=1e-6)


@settings(deadline=None)
@given(variance=st.floats(0.05, 3))
def test_a_linear_layer_leaves_no_rest(variance):
    assert models.gaussian_parts("linear", variance) == pytest.approx((1.0, 0.0, variance), abs=1e-6)


def test_network_and_equivalent_have_the_predicted_covariance():
    network = models.DeepRandomFeatures(300, [100, 100], generator=torch.Generator().manual_seed(0))
    x = torch.randn(20_000, 300, generator=torch.Generator().manual_seed(1))
    noise = torch.Generator().manual_seed(2)
    for layer, (own, like) in enumerate(zip(network(x), network.equivalent(x, generator=noise), strict=True)):
        predicted = network.covariance(layer)
        for features in (own, like):
            assert (features.T.cov() - predicted).norm() < 0.15 * predicted.norm()
            size = predicted.diagonal().mean()  # the rest is 7 % of it in the first layer
            assert (features.var(0).mean() - size).abs() < 0.02 * size
        identity = predicted.diagonal().mean() * torch.eye(100)
        assert (identity - predicted).norm() > 0.4 * predicted.norm()  # the test can tell


def test_activations_that_are_not_odd_are_refused():
    with pytest.raises(ValueError, match="relu"):
        models.gaussian_parts("relu", 1.0)
