"""Discs with two concepts, colour and size, of which one combination is never shown (Park et al. 2024)."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ib_utils.data.dataset import Dataset

SIDE = 8  # pixels
N_PIXELS = 2 * SIDE * SIDE  # a red and a blue channel
CLASSES = ((-1.0, -1.0), (-1.0, 1.0), (1.0, -1.0), (1.0, 1.0))  # (colour, size): red or blue, large or small
UNSEEN = CLASSES[-1]  # blue and small
RADIUS, BRIGHTNESS = 2.3, 0.5  # pixels, of a channel: midway between the two classes


def make_discs(
    *, colour_separation: float, size_separation: float, n_train: int, jitter: float = 0.1, seed: int
) -> Dataset:
    """Draw discs, red or blue and large or small, with the prompt that goes with each; small blue ones are left out.

    An example is an image, its prompt (colour, size), each -1 or 1, and one empty place for the level of noise; its
    target is the clean image. The prompt is the same whatever the separation: only the images differ.

    Args:
        colour_separation: difference of a channel's brightness between red and blue discs, 0 to 1.
        size_separation: difference of the radius between large and small discs, in pixels, 0 to 2.
        n_train: training examples, the three shown combinations in turn.
        jitter: standard deviation of an image's own colour, in units of 0.25, and size, in units of half a pixel; it
            does not grow with the separations.
        seed: of the draws.

    Returns:
        A data set with real targets. Its test part is a hundred clean images of the unseen combination.

    Raises:
        ValueError: a separation outside its range.

    Source:
        after Park, Okawa, Lee, Lubana and Tanaka (2024), Emergence of Hidden Capabilities, arXiv:2406.19370.

    Explained in chapter *Simplicity bias*.

    Example:
        >>> make_discs(colour_separation=0.5, size_separation=1.0, n_train=30, seed=0).x_train.shape
        torch.Size([30, 131])
    """
    if not 0 <= colour_separation <= 1 or not 0 <= size_separation <= 2:
        raise ValueError(
            f"colour_separation={colour_separation} must lie in 0 to 1 and size_separation={size_separation} in 0 to 2"
        )
    generator = torch.Generator().manual_seed(seed)

    def draw(prompts: Float[Tensor, "n 2"]) -> tuple[Tensor, Tensor]:
        wobble = jitter * torch.randn(len(prompts), 2, generator=generator)
        colour = colour_separation / 2 * prompts[:, 0] + 0.25 * wobble[:, 0]
        radius = RADIUS - size_separation / 2 * prompts[:, 1] + 0.5 * wobble[:, 1]
        image = disc_images(colour, radius).flatten(1)
        return torch.cat([image, prompts, torch.zeros(len(prompts), 1)], 1), image

    shown = torch.tensor(CLASSES[:-1]).repeat(-(-n_train // 3), 1)[:n_train]
    return Dataset(
        *draw(shown),
        *draw(torch.tensor([UNSEEN]).repeat(100, 1)),
        n_classes=0,
        name="discs",
        source="generated, after Park et al. (2024)",
        licence="none needed",
    )


def disc_images(colour: Float[Tensor, " n"], radius: Float[Tensor, " n"]) -> Float[Tensor, "n 2 side side"]:
    """Smooth discs in the middle of a dark square; red and blue channel.

    Args:
        colour: added to blue and taken from red, from the even mixture.
        radius: in pixels; the edge falls off over one pixel.
    """
    axis = torch.arange(SIDE) - (SIDE - 1) / 2
    distance = (axis[:, None] ** 2 + axis**2).sqrt()
    inside = (radius[:, None, None] - distance + 0.5).clamp(0, 1)
    return torch.stack([BRIGHTNESS - colour, BRIGHTNESS + colour], 1)[:, :, None, None] * inside[:, None]


def read_concepts(
    images: Float[Tensor, "*batch pixel"], *, colour_separation: float, size_separation: float
) -> Float[Tensor, "*batch 2"]:
    """Colour and size of images, measured on the pixels, on the scale of the prompts: -1 and 1 are the class centres.

    Colour is the mean difference of the channels in the middle. Size is read off the total brightness in units of the
    brightness in the middle, so that a large disc that is still dim does not pass for a small one.

    Raises:
        ValueError: a separation of 0, which gives the concept no scale.

    Example:
        >>> image = disc_images(torch.tensor([-0.25]), torch.tensor([1.8])).flatten(1)
        >>> read_concepts(image, colour_separation=0.5, size_separation=1.0).round(decimals=3)
        tensor([[-1.,  1.]])
    """
    if not colour_separation > 0 or not size_separation > 0:
        raise ValueError(f"separations must be positive, got {colour_separation} and {size_separation}")
    red, blue = images.unflatten(-1, (2, -1)).unbind(-2)
    both = red + blue
    centre = disc_images(torch.zeros(1), torch.tensor([1.0]))[0, 0].flatten() > 0.25  # the four middle pixels
    colour = (blue - red)[..., centre].mean(-1) / 2 / (colour_separation / 2)
    radii = torch.tensor([RADIUS + size_separation / 2, RADIUS - size_separation / 2])
    large, small = disc_images(torch.zeros(2), radii).flatten(1).sum(1)
    level = both[..., centre].mean(-1).clamp_min(0.1)  # 1 in a finished disc; an image all dark has none
    size = 2 * (both.sum(-1) / level - large) / (small - large) - 1
    return torch.stack([colour, size], -1)


def well_formed(images: Float[Tensor, "*batch pixel"]) -> Bool[Tensor, " *batch"]:
    """Whether the middle is about as bright as a disc's: not black yet, not noise.

    Example:
        >>> well_formed(torch.zeros(1, N_PIXELS)).tolist()
        [False]
    """
    both = images.unflatten(-1, (2, SIDE, SIDE)).sum(-3)
    middle = both[..., SIDE // 2 - 1 : SIDE // 2 + 1, SIDE // 2 - 1 : SIDE // 2 + 1].mean((-2, -1))
    return (middle - 2 * BRIGHTNESS).abs() < BRIGHTNESS
