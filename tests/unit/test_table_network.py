"""The two-layer networks of the chapter on grokking compute their formulas and are homogeneous."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from ib_utils.data import cyclic_table, make_group_products
from ib_utils.models import DiagonalNetwork, TableNetwork

PAIRS = make_group_products(cyclic_table(5), n_train=None, seed=0).x_train


def network(combine, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return TableNetwork(5, 7, combine).requires_grad_(False)


@pytest.mark.parametrize(
    ("combine", "together"),
    [
        ("square", lambda u, v: (u + v) ** 2),
        ("relu", lambda u, v: (u + v).relu()),
        ("product", lambda u, v: u * v),
    ],
)
def test_outputs_are_the_sum_over_neurons(combine, together):
    net = network(combine)
    hidden = together(net.left[:, None], net.right[None])  # (a, b, neuron)
    torch.testing.assert_close(net(PAIRS), torch.einsum("abn,nc->abc", hidden, net.out).view(25, 5))


@given(scale=st.floats(0.1, 3), combine=st.sampled_from(["square", "relu", "product"]))
def test_outputs_grow_with_a_power_of_the_weights(scale, combine):
    net, scaled = network(combine), network(combine)
    for parameter in scaled.parameters():
        parameter.mul_(scale)
    degree = 2 if combine == "relu" else 3
    torch.testing.assert_close(scaled(PAIRS), scale**degree * net(PAIRS), rtol=1e-4, atol=1e-5)


def test_an_unknown_combination_is_refused():
    with pytest.raises(ValueError, match="unknown combination"):
        TableNetwork(5, 7, "cube")


def test_the_diagonal_network_starts_at_zero_and_is_linear_with_squared_weights():
    x = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    net = DiagonalNetwork(4).requires_grad_(False)
    assert not net(x).any()
    net.positive.copy_(torch.tensor([1.0, 2.0, 0.0, 1.0]))
    net.negative.copy_(torch.tensor([1.0, 0.0, 3.0, 0.0]))
    f = x @ torch.tensor([0.0, 4.0, -9.0, 1.0])
    torch.testing.assert_close(net(x).diff(dim=1).flatten(), f)


def test_the_cross_entropy_of_the_diagonal_network_is_the_logistic_loss():
    x = torch.randn(6, 4, generator=torch.Generator().manual_seed(1))
    net = DiagonalNetwork(4).requires_grad_(False)
    net.positive.mul_(1.5)
    y = torch.tensor([0, 1, 1, 0, 1, 0])
    margins = (2 * y - 1) * net(x).diff(dim=1).flatten()
    torch.testing.assert_close(F.cross_entropy(net(x), y), F.softplus(-margins).mean())
