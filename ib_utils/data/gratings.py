"""Gratings: plane waves of light and dark, the probe of early vision, and a small data set of them."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from ib_utils.data.dataset import Dataset, split_at
from ib_utils.seeds import stream


def gratings(
    size: int,
    *,
    orientation: Float[Tensor, " grating"],
    frequency: Float[Tensor, " grating"],
    phase: Float[Tensor, " grating"],
) -> Float[Tensor, "grating row column"]:
    """Plane waves cos(2 pi frequency u + phase), u the distance in pixels from the image's centre along the wave.

    Args:
        size: rows and columns, pixels.
        orientation: direction in which the wave runs, radians.
        frequency: cycles per pixel.
        phase: at the centre of the image, radians.

    Example:
        >>> zero = torch.zeros(1)
        >>> gratings(3, orientation=zero, frequency=zero + 0.5, phase=zero)[0, 0].round().tolist()
        [-1.0, 1.0, -1.0]
    """
    place = torch.arange(size) - (size - 1) / 2
    orientation, frequency, phase = (v[:, None, None] for v in (orientation, frequency, phase))
    along = place * orientation.cos() + place[:, None] * orientation.sin()  # (grating, row, column)
    return (2 * math.pi * frequency * along + phase).cos()


def make_gratings(
    *, label: str, n_train: int, n_test: int, size: int = 16, noise: float = 1.0, n_classes: int = 4, seed: int
) -> Dataset:
    """Noisy gratings of random orientation, frequency and phase, to be told apart by one of them.

    Args:
        label: "orientation" (phase does not matter) or "phase" (at the centre; orientation does not matter).
        n_train, n_test: images.
        size: rows and columns, pixels.
        noise: standard deviation of the pixel noise; the wave's amplitude is 1.
        n_classes: equally spaced values of orientation, and of phase.
        seed: of the images; the same for both labels gives the same images.

    Returns:
        Images (n, 1, size, size) and classes.

    Raises:
        ValueError: for another label.
    """
    if label not in ("orientation", "phase"):
        raise ValueError(f"label={label!r} must be 'orientation' or 'phase'")
    generator = torch.Generator().manual_seed(stream(seed, "gratings"))
    n = n_train + n_test
    which = {name: torch.randint(n_classes, (n,), generator=generator) for name in ("orientation", "phase")}
    frequency = 0.1 + 0.1 * torch.rand(n, generator=generator)
    x = gratings(
        size,
        orientation=math.pi * which["orientation"] / n_classes,
        frequency=frequency,
        phase=2 * math.pi * which["phase"] / n_classes,
    )
    x = (x + noise * torch.randn(x.shape, generator=generator))[:, None]
    y = which[label]
    return Dataset(
        **split_at(x, y, n_train),
        n_classes=n_classes,
        name=f"gratings by {label}",
        source="generated",
        licence="public domain",
    )
