"""Accuracy under noise on the weights: none at radius zero, chance far out, blind to rescaling."""

import copy

import torch
from torch import nn

from ib_utils.measures import accuracy_under_noise
from ib_utils.models import MLP


def network(seed: int) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return MLP((4,), [16], 2)


x = torch.randn(2, 500, 4, generator=torch.Generator().manual_seed(0))


def test_without_noise_nothing_is_lost_and_with_much_of_it_everything():
    modules = [network(0), network(1)]
    y = torch.stack([m(own).argmax(1) for m, own in zip(modules, x, strict=True)])
    kept = accuracy_under_noise(modules, x, y, radii=[0.0, 0.1, 100.0], n_directions=200, seed=0)
    assert (kept[:, 0] == 1).all()
    assert (kept[:, 1] > 0.9).all()
    torch.testing.assert_close(kept[:, 2], torch.full((2,), 0.5), atol=0.1, rtol=0)


def test_rescaling_two_layers_against_each_other_changes_nothing():
    module = network(2)
    scaled = copy.deepcopy(module)
    with torch.no_grad():
        scaled.hidden[0].weight *= 10
        scaled.hidden[0].bias *= 10
        scaled.head.weight /= 10
    y = module(x[0]).argmax(1)
    both = accuracy_under_noise([module, scaled], x[:1].expand(2, -1, -1), y.expand(2, -1), radii=[0.5], seed=3)
    assert both[0] < 1
    torch.testing.assert_close(both[0], both[1])


def test_a_filter_moves_as_a_whole_like_the_row_of_a_matrix():
    """A convolution as large as its image is a fully connected layer."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        filters = nn.Sequential(nn.Conv2d(1, 2, 8, bias=False), nn.Flatten())
    rows = nn.Sequential(nn.Flatten(), nn.Linear(64, 2, bias=False))
    rows[1].weight.data.copy_(filters[0].weight.data.flatten(1))
    images = torch.randn(1, 300, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    y = filters(images[0]).argmax(1)[None]
    kept = [accuracy_under_noise([net], images, y, radii=[0.5, 1.0], seed=2) for net in (filters, rows)]
    torch.testing.assert_close(*kept)
