"""Cutting out and pasting: what stays, what moves, and what leaks."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ib_utils.data import compose, draw_backgrounds, place, recombine, shift_and_flip, texture_templates

seeds = st.integers(0, 2**31)


def scenes(seed: int, n: int = 12, side: int = 10):
    generator = torch.Generator().manual_seed(seed)
    corner = torch.randint(1, 4, (n, 2), generator=generator)
    masks = place(torch.ones(n, 1, 5, 5), corner=corner, size=torch.full((n,), 5), side=side)
    labels = torch.arange(n) % 3
    grounds = draw_backgrounds(texture_templates(3, side=side, seed=seed), labels, generator)
    return compose(masks, grounds), labels


@settings(max_examples=10, deadline=None)
@given(seeds, st.integers(0, 3))
def test_pasting_keeps_all_of_the_object(seed, max_move):
    photos, labels = scenes(seed)
    images = recombine(photos, labels, among="all", max_move=max_move, generator=torch.Generator().manual_seed(seed))
    assert ((images > 0.999).sum((1, 2, 3)) >= 25).all()  # white objects of 25 pixels


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_within_classes_every_background_is_that_of_an_image_of_the_class(seed):
    photos, labels = scenes(seed)
    images = recombine(photos, labels, among="same class", generator=torch.Generator().manual_seed(seed))
    for image, mask, label in zip(images, photos.masks, labels, strict=True):
        outside = mask == 0
        candidates = photos.backgrounds[labels == label]
        assert any(torch.equal(image[outside], ground[outside]) for ground in candidates)


def test_among_all_the_tie_is_broken():
    photos, labels = scenes(0, n=300)
    images = recombine(photos, labels, among="all", generator=torch.Generator().manual_seed(1))
    outside = photos.masks[:, 0] == 0
    same = [
        any(torch.equal(i[0][o], g[0][o]) for g in photos.backgrounds[labels == label])
        for i, o, label in zip(images, outside, labels, strict=True)
    ]
    assert abs(sum(same) / len(same) - 1 / 3) < 0.1


def test_blurred_masks_leak_and_exact_ones_do_not():
    photos, labels = scenes(2)
    bright = photos._replace(images=photos.images.where(photos.masks > 0, 1.0))  # a background of pure white
    empty = photos._replace(backgrounds=torch.zeros_like(photos.backgrounds), masks=photos.masks)
    for blurred in (False, True):
        draws = torch.Generator().manual_seed(0)
        pasted = recombine(empty._replace(images=bright.images), labels, among="all", blurred=blurred, generator=draws)
        rim = pasted.where(photos.masks == 0, 0.0).sum()
        assert (rim > 0) == blurred


def test_imperfect_inpainting_leaves_a_ghost_of_the_old_object():
    masks = torch.zeros(40, 1, 6, 6)
    masks[:20, :, 2:4, 1:3] = 1  # half of the images show an object, the others nothing
    photos = compose(masks, torch.zeros_like(masks))
    for blurred in (False, True):
        draws = torch.Generator().manual_seed(0)
        empty = recombine(photos, torch.zeros(40), among="all", blurred=blurred, generator=draws)[20:]
        brightest = {round(value, 3) for value in empty.amax((1, 2, 3)).tolist()}
        assert brightest == ({0.0, 0.3} if blurred else {0.0})


@settings(max_examples=10, deadline=None)
@given(seeds, st.integers(0, 2), st.integers(0, 3))
def test_objects_land_where_they_are_placed(seed, row, column):
    dot = torch.rand(1, 1, 4, 4, generator=torch.Generator().manual_seed(seed))
    canvas = place(dot, corner=torch.tensor([[row, column]]), size=torch.tensor([4]), side=8)
    torch.testing.assert_close(canvas[:, :, row : row + 4, column : column + 4], dot)
    assert float(canvas.sum()) == pytest.approx(float(dot.sum()), rel=1e-5)


def test_objects_move_by_every_step_asked_for_and_stop_at_the_edge():
    n, side = 400, 9
    corner = torch.tensor([3, 1]).expand(n, 2)  # two pixels from the edges above and below, one from the left
    masks = place(torch.ones(n, 1, 4, 4), corner=corner, size=torch.full((n,), 4), side=side)
    photos = compose(masks, torch.zeros(n, 1, side, side))
    draws = torch.Generator().manual_seed(0)
    moved = recombine(photos, torch.zeros(n), among="all", max_move=2, generator=draws)[:, 0]
    assert (moved.sum((1, 2)) == 16).all()
    for axis, first in ((2, {1, 2, 3, 4, 5}), (1, {0, 1, 2, 3})):
        assert set(moved.amax(axis).argmax(1).tolist()) == first


def test_whole_images_move_by_every_step_with_their_edges_repeated():
    images = torch.rand(1, 1, 6, 6, generator=torch.Generator().manual_seed(0)).expand(200, -1, -1, -1)
    new = shift_and_flip(images, max_move=1, flip=False, generator=torch.Generator().manual_seed(1))
    index = torch.arange(6)
    expected = {
        images[0, 0][(index + down).clamp(0, 5)][:, (index + right).clamp(0, 5)].numpy().tobytes()
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
    }
    assert {image[0].contiguous().numpy().tobytes() for image in new} == expected


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_whole_images_without_moves_are_themselves_or_their_mirror(seed):
    photos, _ = scenes(seed)
    new = shift_and_flip(photos.images, max_move=0, generator=torch.Generator().manual_seed(seed))
    mirror = torch.tensor([torch.equal(a, b) for a, b in zip(new, photos.images.flip(-1), strict=True)])
    plain = torch.tensor([torch.equal(a, b) for a, b in zip(new, photos.images, strict=True)])
    assert (plain | mirror).all()
    photos, _ = scenes(seed, n=200)
    new = shift_and_flip(photos.images, max_move=0, generator=torch.Generator().manual_seed(seed))
    assert 60 < sum(torch.equal(a, b) for a, b in zip(new, photos.images, strict=True)) < 140


def test_textures_of_one_class_resemble_each_other_more_than_those_of_two():
    templates = texture_templates(4, side=12, seed=0)
    kind = torch.arange(4).repeat_interleave(50)
    grounds = draw_backgrounds(templates, kind, torch.Generator().manual_seed(0)).flatten(1)
    distance = torch.cdist(grounds, templates.flatten(1))
    assert (distance.argmin(1) == kind).float().mean() > 0.95


def test_impossible_pastes_are_refused():
    photos, labels = scenes(0)
    with pytest.raises(ValueError, match="among"):
        recombine(photos, labels, among="none", generator=torch.Generator())
    with pytest.raises(ValueError, match="beyond"):
        place(torch.ones(1, 1, 5, 5), corner=torch.tensor([[8, 0]]), size=torch.tensor([5]), side=10)
