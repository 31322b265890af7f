"""Sprites: each attribute changes the image, and tells the label without error where it is asked to."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ib_utils.data import ATTRIBUTES, make_sprites, sprites

attributes = st.sampled_from(ATTRIBUTES)


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_every_attribute_changes_the_image(attribute):
    values = torch.zeros(2, len(ATTRIBUTES))
    values[:, ATTRIBUTES.index(attribute)] = torch.tensor([-1.0, 1.0])
    low, high = sprites(values)
    assert (low - high).norm() > 0.5
    assert 0 <= min(low.min(), high.min()) <= max(low.max(), high.max()) <= 1.2


def test_place_is_a_mirror():
    values = torch.zeros(2, len(ATTRIBUTES))
    values[:, ATTRIBUTES.index("place")] = torch.tensor([-0.7, 0.7])
    values[:, ATTRIBUTES.index("texture")] = -1  # level stripes, which a mirror leaves alone
    left, right = sprites(values, side=20)
    torch.testing.assert_close(left.flip(-1), right, atol=1e-5, rtol=0)


@settings(max_examples=10, deadline=None)
@given(attributes, attributes, st.integers(0, 2**31))
def test_conflict_changes_test_images_and_no_others(first, second, seed):
    if first == second:
        return
    data = make_sprites({first: 1.0, second: 1.0}, conflict=second, n_train=50, n_test=50, seed=seed)
    again = make_sprites({first: 1.0, second: 1.0}, n_train=50, n_test=50, seed=seed)
    assert data.x_train.equal(again.x_train)
    assert not data.x_test.equal(again.x_test)


def test_background_can_be_read_from_a_corner():
    data = make_sprites({"background": 1.0}, n_train=200, n_test=50, seed=1)
    corner = data.x_train[:, 0, 0, 0]
    assert corner[data.y_train == 1].min() > corner[data.y_train == 0].max()


def test_values_lie_between_three_fifths_of_the_grade_and_the_grade():
    data = make_sprites({"background": 0.5}, n_train=500, seed=1)
    value = (data.x_train[:, 0, 0, 0] - 0.2) / 0.15  # of the corner, which the ink hardly reaches
    sign = 2 * data.y_train - 1
    assert 0.25 < (value * sign).min() < (value * sign).max() < 0.55


@pytest.mark.parametrize("grades", [{"smell": 1.0}, {}, {"scale": 0.0}, {"scale": 1.5}], ids=str)
def test_impossible_grades_are_refused(grades):
    with pytest.raises(ValueError, match="attributes are"):
        make_sprites(grades, n_train=5, seed=0)


def test_a_conflict_needs_an_attribute_that_tells_the_label():
    with pytest.raises(ValueError, match="conflict='shape' must be one of the attributes with a grade, scale"):
        make_sprites({"scale": 1.0}, conflict="shape", n_train=5, seed=0)


def test_in_conflict_the_background_tells_the_opposite():
    data = make_sprites({"background": 1.0, "scale": 1.0}, conflict="background", n_train=50, n_test=100, seed=2)
    corner = data.x_test[:, 0, 0, 0]
    assert corner[data.y_test == 1].max() < corner[data.y_test == 0].min()
