"""Coordinates of graded complexity, all fully predictive of the label: alternating slabs (Shah et al. 2020)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ib_utils.data.dataset import Dataset, split_at

# Share of the inner slabs in a class, by number of slabs and class, where a class has slabs at two distances.
INNER_SHARE = {(5, 0): 3 / 4, (7, 0): 1 / 2, (7, 1): 7 / 8}


def make_slabs(
    n_slabs: Sequence[int],
    *,
    margin: float = 0.1,
    ambiguous: float = 0.0,
    n_train: int,
    n_test: int = 2000,
    seed: int,
) -> Dataset:
    """Draw points whose every coordinate tells the label, by as many alternating slabs as asked for.

    A coordinate with k slabs cuts [-1, 1] into k intervals of equal width, a gap of two margins between neighbours,
    which belong to the two classes in turn. With k = 2 a threshold separates the classes; with k slabs it takes k - 1
    of them. Given the label, coordinates are independent.

    Args:
        n_slabs: slabs of each coordinate: 2 (linear), 3, 5 or 7.
        margin: half of the gap between neighbouring slabs, in units of half the range.
        ambiguous: share of the examples whose *first* coordinate is redrawn from the gap at 0, where it says nothing.
        n_train: training examples.
        n_test: test examples.
        seed: of all draws.

    Returns:
        A data set of signals of shape (1, coordinate), two classes.

    Raises:
        ValueError: another number of slabs, or a share or margin outside its range.

    Source:
        Shah, Tamuly, Raghunathan, Jain and Netrapalli (2020), The Pitfalls of Simplicity Bias in Neural Networks,
        arXiv:2006.07710, "LMS-k"; shares of the slabs as in the authors' code.

    Explained in chapter *Simplicity bias*.

    Example:
        >>> make_slabs([2, 3, 5], n_train=10, seed=0).x_train.shape
        torch.Size([10, 1, 3])
    """
    if not n_slabs or any(k not in (2, 3, 5, 7) for k in n_slabs):
        raise ValueError(f"n_slabs={list(n_slabs)} must list 2, 3, 5 or 7 for each coordinate")
    if not 0 < margin < 1 / 6 or not 0 <= ambiguous <= 1:
        raise ValueError(f"margin={margin} must lie in 0 to 1/6 and ambiguous={ambiguous} in 0 to 1")
    generator = torch.Generator().manual_seed(seed)
    y = torch.randint(0, 2, (n_train + n_test,), generator=generator)
    x = torch.stack([_coordinate(y, k, margin, generator) for k in n_slabs], 1)
    unclear = torch.randperm(len(y), generator=generator)[: round(ambiguous * len(y))]
    x[unclear, 0] = margin * (2 * torch.rand(len(unclear), generator=generator) - 1)
    return Dataset(
        **split_at(x[:, None], y, n_train),
        n_classes=2,
        name=f"slabs {list(n_slabs) if len(n_slabs) < 8 else f'{n_slabs[0]}, {n_slabs[1]}, …'}",
        source="generated, after Shah et al. (2020)",
        licence="none needed",
    )


def slab_edges(k: int, margin: float) -> Float[Tensor, "slab 2"]:
    """Lower and upper ends of the k slabs, from left to right.

    Example:
        >>> slab_edges(2, 0.1)
        tensor([[-1.0000, -0.1000],
                [ 0.1000,  1.0000]])
    """
    width = (2 - 2 * margin * (k - 1)) / k
    left = -1 + (width + 2 * margin) * torch.arange(k)
    return torch.stack([left, left + width], 1)


def _coordinate(
    y: Int[Tensor, " example"], k: int, margin: float, generator: torch.Generator
) -> Float[Tensor, " example"]:
    """Values in the slabs of each label; the middle slab (the left one of two) belongs to class 0."""
    distance = (torch.arange(k) - (k - 1) / 2).abs()  # from the middle, in slabs
    classes = torch.arange(k) if k == 2 else distance.long() % 2
    slab = torch.empty_like(y)
    for label in (0, 1):
        own = (classes == label).nonzero().flatten()
        inner, share = distance[own] == distance[own].min(), INNER_SHARE.get((k, label), 1.0)
        weights = torch.where(inner, share / inner.sum(), (1 - share) / (~inner).sum().clamp(min=1))
        mine = y == label
        slab[mine] = own[torch.multinomial(weights, int(mine.sum()), replacement=True, generator=generator)]
    low, high = slab_edges(k, margin)[slab].unbind(1)
    return low + (high - low) * torch.rand(len(y), generator=generator)
