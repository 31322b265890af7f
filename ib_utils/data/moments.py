"""Two classes that differ in their means alone, in their covariances alone, or in their fourth moments alone."""

from __future__ import annotations

import math

import torch

from ib_utils.data.dataset import Dataset, split_at
from ib_utils.data.patches import patch_rotation, rotated

N_INFORMATIVE = 4  # coordinates in which the classes differ
# m, r and the spread about the signs: with them the best classifier is right equally often in all three, 0.961.
STRENGTH = {1: 1.759, 2: 3.88, 4: 0.2}


def make_moments(order: int, *, n_coordinates: int = 10, n_train: int, n_test: int = 1000, seed: int) -> Dataset:
    """Draw two equally likely classes whose first difference lies in moments of a given order.

    Four coordinates are informative, the others standard normal; then the whole is rotated at random.

    - order 1: unit normal coordinates with mean -m/2 or m/2;
    - order 2: mean 0, standard deviation r^(-1/2) or r^(1/2);
    - order 4: standard normal, or a weighted sum of a random sign and a normal, with the same mean 0 and variance 1.

    Args:
        order: 1, 2 or 4.
        n_coordinates: of an input, four at least.
        n_train: training examples.
        n_test: test examples.
        seed: of rotation and draws.

    Raises:
        ValueError: another order, or too few coordinates.

    Explained in chapter *Simplicity bias*, as a control for Refinetti et al. (2023), arXiv:2211.11567.

    Example:
        >>> make_moments(4, n_train=10, seed=0).x_train.shape
        torch.Size([10, 1, 10])
    """
    if n_coordinates < N_INFORMATIVE:
        raise ValueError(f"n_coordinates={n_coordinates} must be at least {N_INFORMATIVE}")
    if order not in STRENGTH:
        raise ValueError(f"order={order} must be one of {sorted(STRENGTH)}")
    generator = torch.Generator().manual_seed(seed)
    n = n_train + n_test
    y = torch.randint(0, 2, (n,), generator=generator)
    x = torch.randn(n, n_coordinates, generator=generator)
    signs = 2.0 * torch.randint(0, 2, (n, N_INFORMATIVE), generator=generator) - 1
    informative, strength = x[:, :N_INFORMATIVE], STRENGTH[order]
    side = (2.0 * y - 1)[:, None]
    if order == 1:
        informative += side * strength / 2
    elif order == 2:
        informative *= strength ** (side / 2)
    else:
        informative[y == 1] = (math.sqrt(1 - strength**2) * signs + strength * informative)[y == 1]
    drawn = Dataset(
        **split_at(x[:, None], y, n_train),
        n_classes=2,
        name=f"classes that differ in moments of order {order}",
        source="generated",
        licence="none needed",
    )
    return rotated(drawn, patch_rotation("whole", n_patches=n_coordinates, patch_size=1, seed=seed))
