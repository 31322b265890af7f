"""Networks that are drawn, not trained: layer by layer, and in distribution."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from ib_utils.measures import fourier_magnitudes
from ib_utils.models import FourierNetworks, RandomNetworks, grid_points
from ib_utils.models.random_functions import ACTIVATIONS

X = torch.randn(7, 3, generator=torch.Generator().manual_seed(0))


def by_hand(network: RandomNetworks, draw: int, x: torch.Tensor, phi, *, gated=False, layer_norm=False, residual=False):
    """One of the networks, written out."""
    h = x
    for i, layer in enumerate(network.layers):
        z = h @ layer.weight[draw] + layer.bias[draw]
        if layer_norm:
            z = (z - z.mean(-1, keepdim=True)) / (z.var(-1, unbiased=False, keepdim=True) + 1e-5).sqrt()
        new = phi(z)
        if gated:
            gate = h @ network.gates[i].weight[draw] + network.gates[i].bias[draw]
            new = new / (1 + torch.exp(-gate))
        h = h + new if residual and i > 0 else new
    return h @ network.head.weight[draw] + network.head.bias[draw]


@given(
    st.sampled_from(["relu", "tanh", "sine"]),
    st.fixed_dictionaries({name: st.booleans() for name in ("gated", "layer_norm", "residual")}),
    st.integers(1, 3),
)
@settings(max_examples=30)
def test_each_of_many_networks_is_the_network_written_out(activation, flags, depth):
    network = RandomNetworks(3, [8] * depth, 2, activation=activation, n_draws=4, seed=1, **flags).double()
    phi = {"relu": torch.relu, "tanh": torch.tanh, "sine": torch.sin}[activation]
    x = X.double()
    for draw in range(4):
        torch.testing.assert_close(network(x)[draw], by_hand(network, draw, x, phi, **flags))


def test_weights_lie_in_glorots_range_times_the_scale_and_biases_in_theirs():
    network = RandomNetworks(10, [50, 50], weight_scale=3.0, bias_scale=0.5, n_draws=20, seed=0)
    within = 3 * math.sqrt(6 / 100)
    weight, bias = network.layers[1].weight, network.layers[1].bias
    assert 0.99 * within < weight.abs().max().item() <= within
    assert weight.var().item() == pytest.approx(within**2 / 3, rel=0.02)
    assert 0.9 * 0.5 < bias.abs().max().item() <= 0.5


def test_a_seed_fixes_the_draw_and_leaves_the_global_generator_alone():
    state = torch.get_rng_state()
    first, again, other = (RandomNetworks(3, [8], n_draws=2, seed=s)(X) for s in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(state, torch.get_rng_state())


@given(st.floats(0.2, 5))
def test_a_prefactor_acts_like_larger_weights_and_biases(prefactor):
    inside = RandomNetworks(3, [8], activation="sine", prefactor=prefactor, n_draws=2, seed=0)
    outside = RandomNetworks(3, [8], activation="sine", weight_scale=prefactor, bias_scale=prefactor, n_draws=2, seed=0)
    torch.testing.assert_close(inside.features(X), outside.features(X))


@given(st.floats(0.2, 5))
def test_a_relu_network_without_biases_is_homogeneous(factor):
    network = RandomNetworks(3, [8, 8], bias_scale=0.0, n_draws=3, seed=0)
    torch.testing.assert_close(network(factor * X), factor * network(X), rtol=1e-4, atol=1e-5)


def test_without_n_draws_it_is_one_trainable_network_with_the_shape_of_a_draw():
    torch.manual_seed(3)
    one = RandomNetworks(3, [8, 8], 2, activation="tanh")
    assert one(X).shape == (7, 2)
    assert all(parameter.requires_grad for parameter in one.parameters())
    many = RandomNetworks(3, [8, 8], 2, activation="tanh", n_draws=1, seed=0)
    assert [p.shape[1:] for p in many.parameters()] == [p.shape for p in one.parameters()]


def test_the_first_layers_of_a_network_are_the_network_that_ends_there():
    deep = RandomNetworks(3, [8, 8, 8], n_draws=2, seed=0)
    assert torch.equal(deep.features(X, 0), X)
    torch.testing.assert_close(deep.features(X, 1), (X @ deep.layers[0].weight + deep.layers[0].bias).relu())
    assert torch.equal(deep.features(X, 3), deep.features(X))


def test_max_pooling_keeps_the_largest_of_neighbouring_units():
    network = RandomNetworks(3, [8], activation="tanh", max_pool=2, n_draws=1, seed=0)
    z = torch.tanh(X @ network.layers[0].weight + network.layers[0].bias)
    torch.testing.assert_close(network.features(X), F.max_pool1d(z, 2))


def test_the_centred_relu_has_mean_0_and_variance_1_on_gaussian_inputs():
    z = torch.randn(2_000_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    values = ACTIVATIONS["centred relu"](z)
    assert values.mean().item() == pytest.approx(0, abs=3e-3)
    assert values.var().item() == pytest.approx(1, abs=5e-3)


@pytest.mark.parametrize("n", [8, 16])
def test_the_spectrum_of_a_fourier_network_is_flat(n):
    network = FourierNetworks(n, n_draws=2000, seed=0)
    values = network(grid_points(n)).detach().view(-1, n, n)
    frequency, magnitude = fourier_magnitudes(values.double(), window="none")
    inside = (frequency > 0) & (frequency < n // 2)  # on Nyquist's lines a sine vanishes
    mean = magnitude.mean(0)[inside]
    assert (mean / mean.mean() - 1).abs().max() < 0.1


def test_the_grid_is_one_period_and_takes_other_nodes():
    points = grid_points(4)
    assert points.shape == (16, 2)
    assert points[:4].tolist() == [[-1, -1], [-1, -0.5], [-1, 0], [-1, 0.5]]
    nodes = torch.tensor([0.1, 0.9])
    assert grid_points(2, nodes=nodes)[1].tolist() == pytest.approx([0.1, 0.9])


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: RandomNetworks(2, [4], activation="step"), "unknown activation 'step'"),
        (lambda: RandomNetworks(2, [5], max_pool=2), "does not divide"),
    ],
)
def test_impossible_networks_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
