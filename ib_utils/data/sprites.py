"""Small coloured sprites with ten attributes, any of which can be tied to the label."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ib_utils.data.dataset import Dataset, split_at

ATTRIBUTES = (
    "colour",
    "blueness",
    "brightness",
    "background",
    "place",
    "height",
    "scale",
    "orientation",
    "shape",
    "texture",
)


def sprites(values: Float[Tensor, "n attribute"], *, side: int = 10) -> Float[Tensor, "n 3 side side"]:
    """Draw one sprite for each row of attribute values.

    From -1 to 1 each attribute goes: colour from green to red, blueness from yellow to blue, brightness from dark to
    bright ink, background from dark to grey, place from left to right, height from top to bottom, scale from small to
    large, orientation of the long axis from -45 to 45 degrees, shape from star to box, texture from level to
    upright stripes.

    Args:
        values: between -1 and 1, one column for each of ``ATTRIBUTES``.
        side: of the image, pixels.

    Explained in chapter *Shortcuts*.

    Example:
        >>> sprites(torch.zeros(2, 10)).shape
        torch.Size([2, 3, 10, 10])
    """
    columns = (v[:, None, None] for v in values.T)
    colour, blueness, brightness, background, place, height, scale, orientation, shape, texture = columns
    ticks = (2 * torch.arange(side) + 1 - side) / side
    down, right = torch.meshgrid(ticks, ticks, indexing="ij")
    u, v = right - 0.25 * place, down - 0.25 * height
    angle = math.pi / 4 * orientation
    along, across = u * angle.cos() + v * angle.sin(), v * angle.cos() - u * angle.sin()
    size = 0.6 * (0.3 * scale).exp()
    power = 2.0 ** (1.5 * shape + 1.2)  # from 0.8, a star, over 2.3 to 6.5, nearly a box
    outline = ((along.abs() / (1.3 * size)) ** power + (across.abs() / (size / 1.3)) ** power) ** (1 / power)
    inside = torch.sigmoid((1 - outline) * 8)
    stripes = (1 + texture) / 2 * (right * 3 * math.pi).sin() + (1 - texture) / 2 * (down * 3 * math.pi).sin()
    ink = inside * (0.75 + 0.2 * brightness + 0.25 * stripes)
    paints = torch.stack([0.5 + 0.4 * colour, 0.5 - 0.4 * colour, 0.5 + 0.4 * blueness], 1)
    ground = (0.2 + 0.15 * background)[:, None]
    return paints * ink[:, None] + ground * (1 - inside[:, None])


def make_sprites(
    grades: Mapping[str, float],
    *,
    conflict: str | None = None,
    n_train: int,
    n_test: int = 200,
    side: int = 10,
    seed: int,
) -> Dataset:
    """Sprites whose label is told, without error, by each of the attributes named; the others are between -1/2 and 1/2.

    An attribute of grade g takes values from 0.6 g to g for label 1, the negative ones for label 0.

    Args:
        grades: attribute to grade, above 0 up to 1; at least one.
        conflict: one of these attributes, to tell the *opposite* of the label in the test images; None: none does.
        n_train, n_test: images.
        side: of the image, pixels.
        seed: of all draws.

    Raises:
        ValueError: no attribute or an unknown one, a grade outside 0 to 1, or a conflict of an attribute without grade.

    Source:
        The idea of equally conducive cues: Scimeca et al. (2022), arXiv:2110.03095, WCST-ML. Explained in chapter
        *Shortcuts*.

    Example:
        >>> make_sprites({"colour": 1.0, "shape": 1.0}, n_train=8, seed=0).x_train.shape
        torch.Size([8, 3, 10, 10])
    """
    if not grades or set(grades) - set(ATTRIBUTES) or not all(0 < g <= 1 for g in grades.values()):
        raise ValueError(f"grades={dict(grades)}: attributes are {', '.join(ATTRIBUTES)}, grades above 0 up to 1")
    if conflict and conflict not in grades:
        raise ValueError(f"conflict={conflict!r} must be one of the attributes with a grade, {', '.join(grades)}")
    generator = torch.Generator().manual_seed(seed)
    n = n_train + n_test
    y = torch.randint(0, 2, (n,), generator=generator)
    values = torch.rand(n, len(ATTRIBUTES), generator=generator) - 0.5
    for attribute, grade in grades.items():
        values[:, ATTRIBUTES.index(attribute)] = _told(y, grade, generator)
    if conflict:
        values[n_train:, ATTRIBUTES.index(conflict)] *= -1
    x = sprites(values, side=side)
    return Dataset(
        **split_at(x, y, n_train),
        n_classes=2,
        name="sprites told by " + " and ".join(grades),
        source="generated",
        licence="none needed",
        note=f"in test images {conflict} tells the opposite" if conflict else "",
    )


def _told(y: Int[Tensor, " n"], grade: float, generator: torch.Generator) -> Float[Tensor, " n"]:
    return (2 * y - 1) * grade * (0.6 + 0.4 * torch.rand(len(y), generator=generator))
