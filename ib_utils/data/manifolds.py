"""Targets on a flat torus of chosen dimension: how many directions a learner must generalise over, and how finely.

Point z of the torus [0, 1)^m stands in space as the m pairs (cos 2 pi z_i, sin 2 pi z_i): a manifold without edges, of
uniform density, on which distances are known.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from ib_utils.data.dataset import Dataset
from ib_utils.seeds import stream


def harmonics(z: Float[Tensor, "point coordinate"], resolution: int) -> Float[Tensor, "point function"]:
    """The (2 resolution + 1)^m products of 1, sin and cos up to a frequency, orthonormal on the torus.

    Args:
        z: points in [0, 1)^m.
        resolution: largest frequency along each coordinate, cycles per turn.

    Returns:
        Values of all basis functions, the constant one first.

    Example:
        >>> harmonics(torch.rand(5, 3), 2).shape
        torch.Size([5, 125])
    """
    turns = 2 * math.pi * z[:, :, None] * torch.arange(1, resolution + 1)  # (point, coordinate, frequency)
    waves = torch.cat([torch.ones_like(turns[:, :, :1]), turns.cos() * 2**0.5, turns.sin() * 2**0.5], -1)
    basis = waves[:, 0]
    for factor in waves.unbind(1)[1:]:
        basis = (basis[:, :, None] * factor[:, None, :]).flatten(1)
    return basis


def embed(z: Float[Tensor, "point coordinate"], n_features: int | None = None, *, seed: int = 0) -> Tensor:
    """Torus points in space: m pairs (cos, sin), turned at random into ``n_features`` dimensions where that is given.

    Raises:
        ValueError: ``n_features`` below 2 m.

    Example:
        >>> embed(torch.tensor([[0.0, 0.25]])).round(decimals=6).abs().tolist()
        [[1.0, 0.0, 0.0, 1.0]]
    """
    angle = 2 * math.pi * z
    x = torch.stack([angle.cos(), angle.sin()], -1).flatten(1)
    if n_features is None:
        return x
    if n_features < x.shape[1]:
        raise ValueError(
            f"n_features={n_features} is below {x.shape[1]}, which a torus of dimension {z.shape[1]} needs"
        )
    generator = torch.Generator().manual_seed(seed)
    turn = torch.linalg.qr(torch.randn(n_features, x.shape[1], generator=generator, dtype=torch.float64)).Q
    return x @ turn.T.to(x.dtype)


def make_torus_harmonics(
    *, dimension: int, resolution: int, n_train: int, n_test: int, seed: int, varies_along: int | None = None
) -> Dataset:
    """Regression of a random function with a frequency limit, on a torus.

    The target is a random combination of all harmonics but the constant, with mean 0 and variance 1 over the torus.

    Args:
        dimension: of the torus, m.
        resolution: largest frequency r along each coordinate; the target has (2r + 1)^m - 1 coefficients.
        n_train, n_test: examples, drawn uniformly; smaller training sets of one seed are the beginnings of larger ones.
        seed: of the target and the points.
        varies_along: on how many of the coordinates the target depends; all if not given.

    Returns:
        Inputs of 2 m features, real targets of shape (n, 1).

    Source: the construction behind Boopathy et al. (2023), with the torus as manifold.
    """
    along = dimension if varies_along is None else varies_along
    if not 1 <= along <= dimension or resolution < 1:
        raise ValueError(
            f"varies_along must lie in 1 to {dimension} and resolution be 1 or more, got {along, resolution}"
        )
    z_train, z_test = _points(dimension, n_train, n_test, seed)
    task = torch.Generator().manual_seed(stream(seed, "task"))
    coefficients = torch.randn((2 * resolution + 1) ** along - 1, 1, generator=task, dtype=torch.float64)
    coefficients /= coefficients.norm()
    return _dataset(
        embed(z_train),
        harmonics(z_train[:, :along], resolution)[:, 1:] @ coefficients,
        embed(z_test),
        harmonics(z_test[:, :along], resolution)[:, 1:] @ coefficients,
        f"harmonics up to {resolution} on a torus of dimension {dimension}",
    )


def make_torus_waves(
    *, dimension: int, sharpness: float, n_features: int, n_train: int, n_test: int, seed: int, n_waves: int = 256
) -> Dataset:
    """Regression of a random function with a chosen mean steepness, on a torus turned into a larger space.

    The target is a sum of plane waves of one frequency in random directions of the space, with variance 1. Its
    gradient along the torus has root mean square ``sharpness``, whatever the dimension.

    Args:
        dimension: of the torus, m.
        sharpness: root mean square of the target's gradient along the torus, per unit of length.
        n_features: dimension of the space around it, at least 2 m.
        n_train, n_test: examples, drawn uniformly; smaller training sets of one seed are the beginnings of larger ones.
        seed: of the target, the turn and the points.
        n_waves: number of plane waves.

    Returns:
        Inputs of ``n_features`` features, real targets of shape (n, 1).

    Source: controlled stand-in for the data sets of Konz and Mazurowski (2024), whose label sharpness is the largest
    steepness between two examples (``ib_utils.measures.label_sharpness``).
    """
    z_train, z_test = _points(dimension, n_train, n_test, seed)
    task = torch.Generator().manual_seed(stream(seed, "task"))
    directions = torch.randn(2 * dimension, n_waves, generator=task, dtype=torch.float64)
    directions *= 2**0.5 * sharpness / directions.norm(dim=0)  # half of a gradient's square lies along the torus
    phases = 2 * math.pi * torch.rand(n_waves, generator=task, dtype=torch.float64)

    def target(z: Tensor) -> Tensor:
        return ((embed(z) @ directions + phases).cos().sum(1, keepdim=True)) * (2 / n_waves) ** 0.5

    turned = [embed(z, n_features, seed=stream(seed, "turn")) for z in (z_train, z_test)]
    name = f"waves of steepness {sharpness:g} on a torus of dimension {dimension} in {n_features} dimensions"
    return _dataset(turned[0], target(z_train), turned[1], target(z_test), name)


def _points(dimension: int, n_train: int, n_test: int, seed: int) -> tuple[Tensor, Tensor]:
    return tuple(  # type: ignore[return-value]
        torch.rand(
            n, dimension, generator=torch.Generator().manual_seed(stream(seed, f"points {part}")), dtype=torch.float64
        )
        for part, n in (("train", n_train), ("test", n_test))
    )


def _dataset(x_train: Tensor, y_train: Tensor, x_test: Tensor, y_test: Tensor, name: str) -> Dataset:
    return Dataset(
        x_train=x_train.float(),
        y_train=y_train.float(),
        x_test=x_test.float(),
        y_test=y_test.float(),
        n_classes=0,
        name=name,
        source="generated",
        licence="public domain",
    )
