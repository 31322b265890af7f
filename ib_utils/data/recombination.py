"""Objects on textured backgrounds, and what recombining the two does to a training set."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F


class Scenes(NamedTuple):
    """Images and what they were put together from.

    Args:
        images: what a network sees.
        backgrounds: the same without their objects.
        masks: how much of each pixel is object.
    """

    images: Float[Tensor, "n 1 side side"]
    backgrounds: Float[Tensor, "n 1 side side"]
    masks: Float[Tensor, "n 1 side side"]


def texture_templates(n_classes: int, *, side: int, seed: int) -> Float[Tensor, "n_classes 1 side side"]:
    """One smooth random texture a class, between 0 and 0.4.

    Example:
        >>> texture_templates(3, side=12, seed=0).shape
        torch.Size([3, 1, 12, 12])
    """
    coarse = torch.randn(n_classes, 1, 5, 5, generator=torch.Generator().manual_seed(seed))
    smooth = F.interpolate(coarse, size=(side, side), mode="bicubic", align_corners=True)
    low, high = smooth.amin((1, 2, 3), keepdim=True), smooth.amax((1, 2, 3), keepdim=True)
    return 0.4 * (smooth - low) / (high - low)


def draw_backgrounds(
    templates: Float[Tensor, "n_classes 1 side side"], kind: Int[Tensor, " n"], generator: torch.Generator
) -> Float[Tensor, "n 1 side side"]:
    """A new background of each of the kinds asked for: its template, brighter or darker, with noise on every pixel."""
    n, side = len(kind), templates.shape[-1]
    strength = 0.7 + 0.6 * torch.rand(n, 1, 1, 1, generator=generator)
    noise = 0.05 * torch.randn(n, 1, side, side, generator=generator)
    return (strength * templates[kind] + noise).clamp(0, 1)


def place(
    objects: Float[Tensor, "n 1 height height"],
    *,
    corner: Int[Tensor, "n 2"],
    size: Int[Tensor, " n"],
    side: int,
) -> Float[Tensor, "n 1 side side"]:
    """Objects resized to ``size`` pixels, their upper left corner at ``corner``, on an empty canvas.

    Raises:
        ValueError: an object that does not fit on the canvas.

    Example:
        >>> where = torch.tensor([[0, 3]])
        >>> place(torch.ones(1, 1, 8, 8), corner=where, size=torch.tensor([4]), side=8).sum()
        tensor(16.)
    """
    if int((corner + size[:, None]).max()) > side or int(corner.min()) < 0:
        raise ValueError(f"an object reaches beyond the canvas of side {side}")
    canvas = torch.zeros(len(objects), 1, side, side)
    for s in size.unique().tolist():
        rows = (size == s).nonzero().flatten()
        small = F.interpolate(objects[rows], size=(s, s), mode="bilinear", antialias=True)
        within = torch.arange(s)
        down = corner[rows, 0, None, None] + within[:, None]
        right = corner[rows, 1, None, None] + within
        canvas[rows[:, None, None], 0, down, right] = small[:, 0]
    return canvas


def compose(masks: Float[Tensor, "n 1 side side"], backgrounds: Float[Tensor, "n 1 side side"]) -> Scenes:
    """White objects on backgrounds: ``mask + (1 - mask) * background``."""
    return Scenes(masks + (1 - masks) * backgrounds, backgrounds, masks)


def recombine(
    scenes: Scenes,
    labels: Int[Tensor, " n"],
    *,
    among: str,
    max_move: int = 0,
    blurred: bool = False,
    generator: torch.Generator,
) -> Float[Tensor, "n 1 side side"]:
    """Cut every object out, put it on the background of another image, and move it.

    Args:
        scenes: images with their parts.
        labels: class of each object.
        among: take the background of any image, its own not excluded ("all"); or deal out the backgrounds of each class
            among its images ("same class").
        max_move: how far objects move in either direction, pixels; they stay on the canvas.
        blurred: cut with a blurred mask, so that a rim of the old background comes along, and leave a ghost of the old
            object in every background, as imperfect segmentation and inpainting do.
        generator: of all draws.

    Raises:
        ValueError: another word for ``among``.

    Source:
        Nauen et al. (2025), ForAug, arXiv:2503.09399. Explained in chapter *Shortcuts: harm and repair*.

    Example:
        >>> scenes = compose(torch.zeros(2, 1, 4, 4), torch.rand(2, 1, 4, 4))
        >>> g = torch.Generator().manual_seed(0)
        >>> recombine(scenes, torch.tensor([0, 1]), among="same class", generator=g).equal(scenes.images)
        True
    """
    if among not in ("all", "same class"):
        raise ValueError(f"among={among!r} must be 'all' or 'same class'")
    n = len(labels)
    if among == "all":
        other = torch.randint(0, n, (n,), generator=generator)
    else:
        shuffled = torch.randperm(n, generator=generator)
        other = torch.empty(n, dtype=torch.long)
        other[labels.argsort(stable=True)] = shuffled[labels[shuffled].argsort(stable=True)]
    images, masks, grounds = scenes.images, scenes.masks, scenes.backgrounds
    if blurred:
        masks = F.avg_pool2d(F.pad(masks, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
        masks = (1.5 * masks).clamp(max=1)
        grounds = grounds + 0.3 * scenes.masks * (1 - grounds)
    moved = _moved(torch.cat([scenes.masks, masks, masks * images], 1), max_move, generator)
    return moved[:, 2:] + (1 - moved[:, 1:2]) * grounds[other]


def shift_and_flip(
    images: Float[Tensor, "n 1 side side"], *, max_move: int, flip: bool = True, generator: torch.Generator
) -> Float[Tensor, "n 1 side side"]:
    """Whole images moved at random (edges repeated) and, half of them, mirrored left to right."""
    n, side = len(images), images.shape[-1]
    padded = F.pad(images, (max_move,) * 4, mode="replicate")
    start = torch.randint(0, 2 * max_move + 1, (n, 2), generator=generator)
    within = torch.arange(side)
    down, right = start[:, 0, None, None] + within[:, None], start[:, 1, None, None] + within
    moved = padded[torch.arange(n)[:, None, None], 0, down, right][:, None]
    if not flip:
        return moved
    mirrored = torch.rand(n, generator=generator) < 0.5
    return torch.where(mirrored[:, None, None, None], moved.flip(-1), moved)


def _moved(
    layers: Float[Tensor, "n layer side side"], max_move: int, generator: torch.Generator
) -> Float[Tensor, "n layer side side"]:
    """Layers moved together, as far as asked for or until the object (first layer) meets the edge."""
    side, ticks = layers.shape[-1], torch.arange(layers.shape[-1])
    step = torch.randint(-max_move, max_move + 1, (len(layers), 2), generator=generator)
    for axis in (2, 3):
        used = layers[:, 0].amax(4 - axis) > 0.05  # (n, side): rows or columns with ink
        first = used.float().argmax(1)
        last = side - 1 - used.flip(1).float().argmax(1)
        own = torch.maximum(torch.minimum(step[:, axis - 2], side - 1 - last), -first)
        index = ticks - own[:, None]
        shape = [len(layers), 1, side, 1] if axis == 2 else [len(layers), 1, 1, side]
        inside = ((index >= 0) & (index < side)).view(shape)
        layers = layers.gather(axis, index.clamp(0, side - 1).view(shape).expand_as(layers)) * inside
    return layers
