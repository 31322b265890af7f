"""Each architecture against a published implementation, and the constraint that sets it apart."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from ib_utils.models import (
    MLP,
    Convolution,
    ConvolutionalNetwork,
    GRUClassifier,
    LocallyConnected,
    LocallyConnectedNetwork,
    LogisticRegression,
)

layers = st.fixed_dictionaries(
    {
        "n_axes": st.integers(1, 2),
        "in_channels": st.integers(1, 3),
        "n_channels": st.integers(1, 4),
        "kernel_size": st.integers(1, 4),
        "stride": st.integers(1, 3),
        "padding": st.integers(0, 2),
        "size": st.integers(5, 9),
    }
)


def make(layer: type[LocallyConnected], case: dict) -> LocallyConnected:
    shape = (case["in_channels"], *[case["size"]] * case["n_axes"])
    return layer(
        shape, case["n_channels"], case["kernel_size"], stride=case["stride"], padding=case["padding"]
    ).double()


@given(layers)
@settings(max_examples=40, deadline=None)
def test_convolution_equals_torch(case):
    ours = make(Convolution, case)
    kind = {1: nn.Conv1d, 2: nn.Conv2d}[case["n_axes"]]
    torch_layer = kind(
        case["in_channels"], case["n_channels"], case["kernel_size"], case["stride"], case["padding"]
    ).double()
    torch_layer.weight.data = ours.weight.data.view_as(torch_layer.weight)
    torch_layer.bias.data = ours.bias.data
    x = torch.randn(3, case["in_channels"], *[case["size"]] * case["n_axes"], dtype=torch.float64)
    torch.testing.assert_close(ours(x), torch_layer(x), rtol=0, atol=1e-12)


@given(layers)
@settings(max_examples=40, deadline=None)
def test_locally_connected_with_equal_weights_everywhere_is_a_convolution(case):
    local, convolution = make(LocallyConnected, case), make(Convolution, case)
    local.weight.data = convolution.weight.data.expand_as(local.weight).clone()
    local.bias.data = convolution.bias.data.expand_as(local.bias).clone()
    x = torch.randn(3, case["in_channels"], *[case["size"]] * case["n_axes"], dtype=torch.float64)
    torch.testing.assert_close(local(x), convolution(x), rtol=0, atol=1e-12)


@given(layers)
@settings(max_examples=20, deadline=None)
def test_an_output_of_a_local_layer_sees_only_its_window(case):
    local = make(LocallyConnected, case)
    x = torch.randn(1, case["in_channels"], *[case["size"]] * case["n_axes"], dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(lambda z: local(z).flatten(2)[0, 0], x)
    seen = (jacobian[:, 0] != 0).any(1).flatten(1).sum(1)  # input places that each output position reaches
    assert seen.max() <= case["kernel_size"] ** case["n_axes"]


def test_locally_connected_weights_differ_between_positions():
    local = LocallyConnected((1, 6), 2, 3).double()
    x = torch.ones(1, 1, 6, dtype=torch.float64)
    assert local(x).std(-1).min() > 1e-3  # a convolution would give the same value at every position
    assert Convolution((1, 6), 2, 3).double()(x).std(-1).max() < 1e-12


def test_convolution_commutes_with_circular_shifts_away_from_the_border():
    convolution = Convolution((2, 12), 3, 3).double()
    x = torch.randn(4, 2, 12, dtype=torch.float64)
    torch.testing.assert_close(convolution(x.roll(1, -1))[..., 1:], convolution(x)[..., :-1])


def test_pooling_makes_the_scores_blind_to_position():
    network = ConvolutionalNetwork((1, 30), [4, 4], [3, 3], 5, pooling=True).double()
    x = torch.zeros(2, 1, 30, dtype=torch.float64)
    x[..., 10:14] = torch.randn(2, 1, 4, dtype=torch.float64)
    torch.testing.assert_close(network(x.roll(5, -1)), network(x))
    without = ConvolutionalNetwork((1, 30), [4, 4], [3, 3], 5).double()
    assert (without(x.roll(5, -1)) - without(x)).abs().max() > 1e-6


def test_pooling_keeps_the_largest_response_of_each_channel():
    network = ConvolutionalNetwork((1, 9), [5], [3], 4, pooling=True)
    x = torch.randn(6, 1, 9)
    torch.testing.assert_close(network(x), network.head(network.layers[0](x).relu().amax(2)))


def test_initial_weights_have_the_scale_of_torch_convolutions():
    torch.manual_seed(0)
    ours, theirs = LocallyConnected((8, 40), 16, 5), nn.Conv1d(8, 16, 5)
    assert ours.weight.abs().max() <= 1 / math.sqrt(40)
    assert ours.weight.std().item() == pytest.approx(theirs.weight.std().item(), rel=0.1)


def test_networks_of_the_mnist1d_benchmark_have_the_published_sizes():
    """Parameter counts of the authors' models: 410, 15,210, 5,210 and 5,134 (Greydanus & Kobak 2024)."""
    networks = {
        410: LogisticRegression((1, 40), 10),
        15_210: MLP((1, 40), [100, 100], 10, residual=True),
        5_210: ConvolutionalNetwork((1, 40), [25, 25, 25], [5, 3, 3], 10, stride=2, padding=1),
        5_134: GRUClassifier((1, 40), 6, 10),
    }
    for expected, network in networks.items():
        assert sum(p.numel() for p in network.parameters()) == expected


def test_a_local_and_a_convolutional_network_have_the_same_shape():
    local = LocallyConnectedNetwork((1, 8, 8), [4, 6], [3, 3], 10)
    convolutional = ConvolutionalNetwork((1, 8, 8), [4, 6], [3, 3], 10)
    assert local.hidden_widths == convolutional.hidden_widths == [4 * 36, 6 * 16]
    for a, b in zip(local.layers, convolutional.layers, strict=True):
        assert a.weight.shape[1:] == b.weight.shape  # only the position axis is missing


def test_gru_equals_torch():
    torch.manual_seed(1)
    ours, theirs = (
        GRUClassifier((2, 9), 5, 3).double(),
        nn.GRU(2, 5, batch_first=True, bidirectional=True).double(),
    )
    for direction, suffix in enumerate(["", "_reverse"]):
        for name, value in {
            "weight_ih": ours.weight_input,
            "weight_hh": ours.weight_state,
            "bias_ih": ours.bias_input,
            "bias_hh": ours.bias_state,
        }.items():
            target = getattr(theirs, f"{name}_l0{suffix}")
            target.data = value.data[direction].view_as(target)
    x = torch.randn(4, 2, 9, dtype=torch.float64)
    states, _ = theirs(x.transpose(1, 2))
    ours_states = ours.states(x)
    torch.testing.assert_close(torch.cat([*ours_states], -1).transpose(0, 1), states, rtol=0, atol=1e-12)


def test_residual_layers_add_their_input():
    mlp = MLP((3,), [4, 4], 2, residual=True)
    nn.init.zeros_(mlp.hidden[1].weight)
    nn.init.zeros_(mlp.hidden[1].bias)
    x = torch.randn(5, 3)
    torch.testing.assert_close(mlp(x), mlp.head(mlp.hidden[0](x).relu()))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: MLP((4,), [], 2), "no hidden widths"),
        (lambda: LocallyConnected((1, 4), 2, 7), "does not fit"),
        (lambda: ConvolutionalNetwork((1, 8, 8), [4, 4], [3], 10), "2 channels for 1 kernel"),
    ],
)
def test_impossible_shapes_are_refused_in_one_line(build, message):
    with pytest.raises(ValueError, match=message):
        build()
