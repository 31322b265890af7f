"""Two classes in the plane, or in a cube, that differ in one thing: whether the boundary is monotone."""

import numpy as np
import torch
from jaxtyping import Float

from ib_utils.data.dataset import Dataset, split_at

SHAPES = ("xor", "ring", "stripe", "staircase")


def make_planar(shape: str, *, n_train: int, n_test: int = 500, seed: int) -> Dataset:
    """Points of the square [-1, 1]^2, uniformly drawn, labelled by a region; where it lies is drawn too.

    - ``xor``: 1 where the two coordinates lie on different sides of a centre;
    - ``ring``: 1 inside a closed band around a centre;
    - ``stripe``: 1 in a band of positive slope;
    - ``staircase``: 1 above a falling staircase, the one region here that a non-decreasing function can have.

    Args:
        shape: one of the four.
        n_train, n_test: number of points.
        seed: of the region and of the points.

    Raises:
        ValueError: an unknown shape.

    Source:
        The regions that networks with non-negative weights cannot have, after Wang et al. (2022), arXiv:2208.03211.

    Explained in chapter *No free lunch*.

    Example:
        >>> make_planar("ring", n_train=100, seed=0).input_shape
        (2,)
    """
    if shape not in SHAPES:
        raise ValueError(f"shape must be one of {SHAPES}, got {shape!r}")
    generator = np.random.default_rng(seed)
    x: np.ndarray = generator.uniform(-1, 1, (n_train + n_test, 2))
    y: np.ndarray
    centre, turn = generator.uniform(-0.2, 0.2, 2), generator.uniform(0.9, 1.1)
    across = x - centre
    if shape == "xor":
        y = across[:, 0] * across[:, 1] < 0
    elif shape == "ring":
        y = np.abs(np.hypot(*across.T) - 0.55 * turn) < 0.2
    elif shape == "stripe":
        y = np.abs(across[:, 1] - turn * across[:, 0]) < 0.4
    else:
        steps = np.sort(generator.uniform(-1, 1, (2, 4)), axis=1)
        corners = np.stack([steps[0], steps[1][::-1]], 1)  # descending: no corner lies below another
        y = np.any(np.all(x[:, None, :] >= corners, axis=2), axis=1)
    return _dataset(x, y, n_train, f"{shape} in the plane", "region and points drawn at random")


def make_monotone(n_inputs: int, *, n_train: int, n_test: int = 500, n_terms: int = 6, seed: int) -> Dataset:
    """Points of the cube [-1, 1]^n with a random non-decreasing label: 1 where the largest of some minima is above.

    The target is a lattice polynomial, max over terms of min over some inputs of (input - offset), cut at its median:
    non-decreasing, and of no network's form.

    Args:
        n_inputs: dimension of the cube, at least 2.
        n_train, n_test: number of points.
        n_terms: minima, each over two inputs.
        seed: of target and points.

    Explained in chapter *No free lunch*.
    """
    generator = np.random.default_rng(seed)
    x = generator.uniform(-1, 1, (n_train + n_test, n_inputs))
    pairs = np.stack([generator.permutation(n_inputs)[:2] for _ in range(n_terms)])
    offsets = generator.uniform(-0.3, 0.3, pairs.shape)
    height = (x[:, pairs] - offsets).min(2).max(1)
    y = height > np.median(height)
    return _dataset(x, y, n_train, f"monotone target of {n_inputs} inputs", "target and points drawn at random")


def _dataset(x: Float[np.ndarray, "example input"], y: np.ndarray, n_train: int, name: str, source: str) -> Dataset:
    parts = split_at(torch.from_numpy(x).float(), torch.from_numpy(y).long(), n_train)
    return Dataset(**parts, n_classes=2, name=name, source=source, licence="made here")
