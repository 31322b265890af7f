"""Two cues of set predictivity and availability, and the reliance on one of them."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ib_utils.data import latent_grid, make_two_cues
from ib_utils.measures import cue_reliance

seeds = st.integers(0, 2**31)


def latents(task):
    return task.dataset.x_train @ torch.linalg.pinv(task.embedding)


@settings(max_examples=10, deadline=None)
@given(seeds, st.floats(0.6, 0.95), st.floats(0.6, 0.95), st.floats(0.2, 8))
def test_each_cue_alone_is_right_as_often_as_asked(seed, shortcut, core, availability):
    task = make_two_cues(predictivity=(shortcut, core), availability=availability, n_train=20_000, seed=seed)
    right = (latents(task) > 0) == task.dataset.y_train[:, None].bool()
    torch.testing.assert_close(right.float().mean(0), torch.tensor([shortcut, core]), atol=0.015, rtol=0)


@settings(max_examples=5, deadline=None)
@given(seeds, st.floats(-0.8, 0.8))
def test_no_linear_rule_beats_the_optimal_one(seed, correlation):
    task = make_two_cues(predictivity=(0.7, 0.85), availability=3.0, correlation=correlation, n_train=20_000, seed=seed)
    z, y = latents(task), task.dataset.y_train.bool()
    angle = torch.linspace(0, 2 * torch.pi, 90)
    rules = torch.stack([angle.cos(), angle.sin()])
    accuracy = (((z @ rules) > 0) == y[:, None]).float().mean(0)
    assert ((z @ task.optimal > 0) == y).float().mean() >= accuracy.max() - 0.01


@given(seeds, st.floats(0.1, 10))
@settings(max_examples=10, deadline=None)
def test_amplitudes_have_the_ratio_asked_for_and_directions_are_orthogonal(seed, availability):
    task = make_two_cues(predictivity=(0.7, 0.9), availability=availability, n_inputs=7, n_train=2, seed=seed)
    shortcut, core = task.embedding
    assert shortcut.norm() / core.norm() == pytest.approx(availability, rel=1e-4)
    assert abs(shortcut @ core) < 1e-5


@given(st.floats(0.1, 3), st.floats(0.1, 3))
def test_reliance_is_one_minus_one_and_zero_at_the_three_pure_rules(a, b):
    grid = latent_grid(torch.tensor([a, b]))
    assert cue_reliance(grid[:, 0], grid) == 1
    assert cue_reliance(grid[:, 1], grid) == -1
    both = grid[:, 0] / a + grid[:, 1] / b + 1e-6
    assert abs(cue_reliance(both, grid)) < 0.06


def test_equal_cues_leave_the_optimal_rule_without_preference():
    task = make_two_cues(predictivity=(0.8, 0.8), availability=5.0, n_train=2, seed=0)
    torch.testing.assert_close(task.optimal[0], task.optimal[1])


@pytest.mark.parametrize("wrong", [{"predictivity": (0.4, 0.9)}, {"availability": 0.0}, {"correlation": 1.0}])
def test_impossible_cues_are_refused(wrong):
    asked = {"predictivity": (0.7, 0.9), "availability": 2.0, "n_train": 5, "seed": 0} | wrong
    with pytest.raises(ValueError, match="must"):
        make_two_cues(**asked)


def test_reliance_needs_disputed_points():
    with pytest.raises(ValueError, match="agree"):
        cue_reliance(torch.ones(2), torch.ones(2, 2))
