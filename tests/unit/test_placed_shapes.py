"""Shapes in corners: one shape a class, its own corners in training, the other's in testing."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ib_utils.data import make_placed_shapes

seeds = st.integers(0, 2**31)


def on_main_diagonal(x: torch.Tensor) -> torch.Tensor:
    """Whether the ink lies in the upper left or lower right quarter."""
    half = x.shape[-1] // 2
    quarters = x[:, 0].unflatten(1, (2, half)).unflatten(3, (2, half)).sum((2, 4))  # (n, 2, 2)
    return quarters[:, 0, 0] + quarters[:, 1, 1] > quarters[:, 0, 1] + quarters[:, 1, 0]


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_place_tells_the_class_in_training_and_its_opposite_in_testing(seed):
    data = make_placed_shapes(n_train=100, n_test=100, seed=seed)
    assert (on_main_diagonal(data.x_train) == (data.y_train == 0)).all()
    assert (on_main_diagonal(data.x_test) == (data.y_test == 1)).all()


def test_untied_places_say_nothing():
    data = make_placed_shapes(tied=False, n_train=2000, n_test=10, seed=0)
    agree = (on_main_diagonal(data.x_train) == (data.y_train == 0)).float().mean()
    assert abs(agree - 0.5) < 0.05


@pytest.mark.parametrize(("tied", "n_corners"), [(True, 2), (False, 4)])
def test_a_shape_turns_up_in_nine_places_at_each_of_its_corners(tied, n_corners):
    data = make_placed_shapes(tied=tied, n_train=2000, n_test=2, seed=0)
    for label in (0, 1):
        assert len(data.x_train[data.y_train == label].unique(dim=0)) == 9 * n_corners


def test_corners_that_overlap_are_refused():
    with pytest.raises(ValueError, match="side=13 must be at least 14"):
        make_placed_shapes(side=13, n_train=2, seed=0)


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_every_image_of_a_class_is_one_shape_moved(seed):
    data = make_placed_shapes(n_train=60, n_test=2, seed=seed)
    for label in (0, 1):
        spectrum = torch.fft.fft2(data.x_train[data.y_train == label]).abs()  # blind to (cyclic) moves
        torch.testing.assert_close(spectrum, spectrum[:1].expand_as(spectrum), atol=1e-4, rtol=0)
    assert (data.x_train.sum((1, 2, 3)) == data.x_train[0].sum()).all()
