"""Coordinates as inputs: the pixels of an image as a regression data set, and the encodings put before the network."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from ib_utils.data.dataset import Dataset
from ib_utils.seeds import stream


def pixel_coordinates(side: int) -> Float[Tensor, "pixel 2"]:
    """Centres of the pixels of a square image, row by row, in the unit square.

    Example:
        >>> pixel_coordinates(2).tolist()
        [[0.25, 0.25], [0.25, 0.75], [0.75, 0.25], [0.75, 0.75]]
    """
    centre = (torch.arange(side, dtype=torch.float64) + 0.5) / side
    return torch.cartesian_prod(centre, centre)


def positional_encoding(x: Float[Tensor, "point d"], n_octaves: int) -> Float[Tensor, "point features"]:
    """Sines and cosines of 2^l pi times each coordinate, for l from 0 to ``n_octaves - 1``.

    Source:
        the encoding of radiance fields as used by Lazzari and Liu (2023). Explained in chapter *Spectral bias*.

    Example:
        >>> positional_encoding(torch.zeros(1, 2), 3).shape
        torch.Size([1, 12])
    """
    angle = (x[:, :, None] * math.pi * 2 ** torch.arange(n_octaves, dtype=x.dtype)).flatten(1)
    return torch.cat([angle.sin(), angle.cos()], 1)


def fourier_features(
    x: Float[Tensor, "point d"], *, n_features: int, bandwidth: float, seed: int
) -> Float[Tensor, "point n_features"]:
    """Cosines and sines of random frequencies, normal with standard deviation ``bandwidth`` in cycles per unit.

    Raises:
        ValueError: an odd number of features.

    Source:
        Tancik et al. (2020). Explained in chapter *Spectral bias*.

    Example:
        >>> waves = fourier_features(torch.tensor([[0.2], [0.7]]), n_features=8, bandwidth=1.0, seed=0)
        >>> waves.square().sum(1).round(decimals=4).tolist()
        [4.0, 4.0]
    """
    if n_features % 2:
        raise ValueError(f"n_features must be even, a cosine and a sine each; got {n_features}")
    generator = torch.Generator().manual_seed(seed)
    frequencies = bandwidth * torch.randn(x.shape[1], n_features // 2, generator=generator, dtype=torch.float64)
    angle = 2 * math.pi * x @ frequencies.to(x.dtype)
    return torch.cat([angle.cos(), angle.sin()], 1)


def linear_lift(x: Float[Tensor, "point d"], *, n_features: int, seed: int) -> Float[Tensor, "point n_features"]:
    """A random linear map of the coordinates, taken from [0, 1] to [-1, 1], to as many numbers as an encoding has.

    The mean squared length is ``n_features / 2``, which is that of sines and cosines. It is the control of an encoding:
    same dimension, same size, no waves.

    Example:
        >>> lifted = linear_lift(torch.rand(5, 2), n_features=8, seed=0)
        >>> round(lifted.square().sum(1).mean().item(), 4)
        4.0
    """
    generator = torch.Generator().manual_seed(seed)
    lift = torch.randn(x.shape[1], n_features, generator=generator, dtype=torch.float64)
    lifted = (2 * x - 1) @ lift.to(x.dtype)
    return lifted * (n_features / 2 / lifted.square().sum(1).mean()).sqrt()


def regression_set(
    x: Float[Tensor, "point features"], y: Float[Tensor, " point"], *, name: str = "values at coordinates"
) -> Dataset:
    """A data set of inputs and one real target each, whose test part is its training part: nothing to generalise to.

    Example:
        >>> regression_set(torch.zeros(3, 2), torch.zeros(3)).y_train.shape
        torch.Size([3, 1])
    """
    x, y = x.float(), y.float()[:, None]
    return Dataset(
        x_train=x, y_train=y, x_test=x, y_test=y, n_classes=0, name=name, source="generated", licence="public domain"
    )


def random_pixels(n_pixels: int, *, seed: int) -> Float[Tensor, " pixel"]:
    """Independent standard normal grey values: an image without any structure.

    Source:
        the random image of Lazzari and Liu (2023), one colour. Explained in chapter *Spectral bias*.

    Example:
        >>> random_pixels(4, seed=0).shape
        torch.Size([4])
    """
    generator = torch.Generator().manual_seed(stream(seed, "task"))
    return torch.randn(n_pixels, generator=generator, dtype=torch.float64)
