"""Networks in the tangent-kernel parametrisation: sizes at initialisation, scales, refusals."""

import pytest
import torch

from ib_utils import models


def build(seed: int = 0, **settings) -> models.WideNetwork:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return models.WideNetwork(6, settings.pop("width", 50), settings.pop("depth", 2), **settings)


@pytest.mark.parametrize("width", [20, 200])
def test_outputs_are_of_order_one_at_any_width(width):
    x = torch.ones(1, 6)
    outputs = torch.stack([build(seed, width=width)(x)[0, 0] for seed in range(300)])
    assert outputs.var().item() == pytest.approx(2.0, rel=0.3)  # the critical variance of the first layer


def test_the_output_scale_is_a_factor():
    x = torch.randn(3, 6, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(build(output_scale=0.1)(x), 0.1 * build()(x))


def test_a_linear_network_is_the_product_of_its_weights():
    network, x = build(activation="linear"), torch.eye(6)
    w1, w2, w3 = network.weights
    torch.testing.assert_close(network(x), (w3 @ w2 @ w1).T / (6 * 50 * 50) ** 0.5)


def test_refusals_name_the_value():
    with pytest.raises(ValueError, match="0"):
        build(depth=0)
    with pytest.raises(ValueError, match="sine"):
        build(activation="sine")
