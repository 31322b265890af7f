"""What training side by side gains over a plain loop: read the ratio of the two rows, not the times."""

import pytest
import torch

from ib_utils.data import load_digits
from ib_utils.models import MLP, ConvolutionalNetwork
from ib_utils.training import train

NETWORKS = {
    "mlp": lambda: MLP((1, 8, 8), [100, 100], 10),
    "convolution": lambda: ConvolutionalNetwork((1, 8, 8), [16], [5], 10, pooling=True),
}


@pytest.mark.parametrize("strategy", ["vmap", "loop"])
@pytest.mark.parametrize("network", NETWORKS)
def test_sixteen_members(benchmark, network, strategy):
    torch.set_num_threads(1)
    digits, settings = load_digits(), {"n_steps": 100, "record_at": [100], "device": "cpu", "strategy": strategy}
    train(NETWORKS[network], digits, seeds=[0, 1], **settings)  # the first call imports torch.func
    benchmark.group = network
    benchmark.pedantic(train, (NETWORKS[network], digits), {"seeds": range(16), **settings}, rounds=3)
