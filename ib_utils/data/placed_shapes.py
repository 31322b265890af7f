"""Two shapes, each of which always turns up in its own two corners: is a class a shape or a place?"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ib_utils.data.dataset import Dataset, split_at

SHAPE = 5  # side of a shape, pixels
INK = 13  # pixels of ink in each shape: equal, so that counting them says nothing


def make_placed_shapes(*, side: int = 16, tied: bool = True, n_train: int, n_test: int = 500, seed: int) -> Dataset:
    """Images of one shape a class; in training each class keeps to two opposite corners, in testing to the others'.

    Two random shapes with the same amount of ink are drawn for each seed. Place is within two pixels of a corner.

    Args:
        side: of the image, pixels; at least 14, so that the corners do not overlap.
        tied: whether place tells the class in training; if not, every shape turns up in all corners.
        n_train, n_test: images.
        seed: of all draws, the shapes among them.

    Returns:
        A data set whose test images show each class where training (if tied) never did.

    Raises:
        ValueError: a smaller side.

    Source:
        Geirhos et al. (2020), Shortcut Learning in Deep Neural Networks, Fig. 2 (stars and moons), with random shapes
        of equal area. Explained in chapter *Shortcuts*.

    Example:
        >>> make_placed_shapes(n_train=20, seed=0).x_train.sum((1, 2, 3)).unique().tolist()
        [13.0]
    """
    if side < 2 * (SHAPE + 2):
        raise ValueError(f"side={side} must be at least {2 * (SHAPE + 2)}: shapes of {SHAPE} pixels move by 2")
    generator = torch.Generator().manual_seed(seed)
    shapes = torch.zeros(2, SHAPE * SHAPE)
    for shape in shapes:
        shape[torch.randperm(SHAPE * SHAPE, generator=generator)[:INK]] = 1
    n = n_train + n_test
    y = torch.randint(0, 2, (n,), generator=generator)
    diagonal = y.clone()  # class 0 top left and bottom right, class 1 in the other two corners
    if not tied:
        diagonal[:n_train] = torch.randint(0, 2, (n_train,), generator=generator)
    diagonal[n_train:] = 1 - y[n_train:]
    x = _placed(shapes.view(2, SHAPE, SHAPE)[y], diagonal, side, generator)
    return Dataset(
        **split_at(x, y, n_train),
        n_classes=2,
        name="placed shapes" if tied else "placed shapes, place untied",
        source="generated, after Geirhos et al. (2020)",
        licence="none needed",
        note="test images show each class in the other class's corners",
    )


def _placed(
    shapes: Float[Tensor, "n shape shape"], diagonal: Int[Tensor, " n"], side: int, generator: torch.Generator
) -> Float[Tensor, "n 1 side side"]:
    """Each shape within two pixels of a corner: on the main diagonal (0) or on the other one (1)."""
    n, far = len(shapes), side - SHAPE
    jitter = torch.randint(0, 3, (n, 2), generator=generator)
    low = torch.randint(0, 2, (n,), generator=generator)  # upper or lower corner
    column_low = low ^ diagonal
    top = torch.where(low == 0, jitter[:, 0], far - jitter[:, 0])
    left = torch.where(column_low == 0, jitter[:, 1], far - jitter[:, 1])
    within = torch.arange(SHAPE)
    images = torch.zeros(n, side, side)
    rows, columns = top[:, None, None] + within[:, None], left[:, None, None] + within
    images[torch.arange(n)[:, None, None], rows, columns] = shapes
    return images[:, None]
