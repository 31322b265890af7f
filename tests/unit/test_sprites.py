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


def test_place_is_a_mirror_and_orientation_too():
    values = torch.zeros(2, len(ATTRIBUTES))
    values[:, ATTRIBUTES.index("place")] = torch.tensor([-0.7, 0.7])
    values[:, ATTRIBUTES.index("texture")] = -1  # stripes down the image, even under a mirror
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


def test_unknown_attributes_are_refused():
    with pytest.raises(ValueError, match="attributes are"):
        make_sprites({"smell": 1.0}, n_train=5, seed=0)


def test_in_conflict_the_background_tells_the_opposite():
    data = make_sprites({"background": 1.0, "scale": 1.0}, conflict="background", n_train=50, n_test=100, seed=2)
    corner = data.x_test[:, 0, 0, 0]
    assert corner[data.y_test == 1].max() < corner[data.y_test == 0].min()
