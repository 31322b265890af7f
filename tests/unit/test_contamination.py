"""Core and background features, and the network whose hidden layer alone learns."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ib_utils.data import make_core_and_background
from ib_utils.models import FixedReadout, hinge, part_norms

seeds = st.integers(0, 2**31)


@settings(max_examples=10, deadline=None)
@given(seeds, st.booleans())
def test_core_tells_the_label_and_the_background_does_not(seed, centred):
    task = make_core_and_background(n_core=3, n_background=4, n_inputs=9, centred=centred, n_train=2000, seed=seed)
    x, sign = task.dataset.x_train, 2 * task.dataset.y_train - 1
    assert ((x @ task.core.T) * sign[:, None] > -1e-5).all()
    background = x @ task.background.T
    torch.testing.assert_close(background.mean(0), torch.full((4,), 0.0 if centred else 0.5), atol=0.05, rtol=0)
    assert ((background * sign[:, None]).mean(0) - background.mean(0) * sign.float().mean()).abs().max() < 0.05


def test_the_shift_turns_the_background_and_keeps_the_core():
    task = make_core_and_background(n_train=5, n_test=50, seed=0)
    shifted, familiar = task.dataset.x_test, task.familiar
    torch.testing.assert_close(shifted @ task.core.T, familiar @ task.core.T, atol=1e-5, rtol=0)
    torch.testing.assert_close(shifted @ task.background.T, -(familiar @ task.background.T), atol=1e-5, rtol=0)


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_lengths_of_the_two_parts_make_up_the_whole(seed):
    task = make_core_and_background(n_core=5, n_background=3, n_inputs=8, n_train=2, seed=seed)
    weight = torch.randn(1, 8, generator=torch.Generator().manual_seed(seed))
    parts = [part_norms(weight, directions) for directions in (task.core, task.background)]
    torch.testing.assert_close(parts[0] ** 2 + parts[1] ** 2, (weight**2).sum())


def test_the_readout_is_the_difference_of_the_halves_over_the_width():
    network = FixedReadout(2, 6)
    with torch.no_grad():
        network.hidden.weight.zero_()
        network.hidden.bias.copy_(torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0, -9.0]))
    scores = network(torch.zeros(1, 2))
    torch.testing.assert_close(scores, torch.tensor([[0.25, -0.25]]))  # f = (6 - 9) / 6


def test_the_hinge_is_zero_beyond_the_margin_and_straight_before_it():
    margins = torch.tensor([[3.0], [1.0], [0.25], [-2.0]])
    scores = torch.cat([-margins / 2, margins / 2], 1)
    losses = [hinge(own[None], torch.tensor([1])).item() for own in scores]
    assert losses == pytest.approx([0, 0, 0.75, 3])


def test_linear_units_do_not_see_a_mean_that_both_classes_share():
    """At the start, with all examples inside the margin, the gradient is the difference of class means."""
    task = make_core_and_background(n_train=4000, seed=0)
    gradient = {}
    for activation in ("linear", "relu"):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            network = FixedReadout(64, 32, activation=activation)
        loss = hinge(network(task.dataset.x_train), task.dataset.y_train)
        gradient[activation] = torch.autograd.grad(loss, network.hidden.weight)[0]
    lengths = {a: part_norms(g, task.background) / part_norms(g, task.core) for a, g in gradient.items()}
    assert lengths["linear"] < 0.1
    assert lengths["relu"] > 3 * lengths["linear"]


def test_impossible_settings_are_refused():
    with pytest.raises(ValueError, match="n_inputs"):
        make_core_and_background(n_core=40, n_background=40, n_inputs=64, seed=0)
    with pytest.raises(ValueError, match="even"):
        FixedReadout(3, 5)
    with pytest.raises(ValueError, match="one of"):
        FixedReadout(3, 4, activation="step")
