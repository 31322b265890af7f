"""Finite groups as multiplication tables, and the task of learning one: given a and b, name their product."""

from collections.abc import Callable
from itertools import permutations, product
from random import Random

import torch
from jaxtyping import Int
from torch import Tensor
from torch.nn import functional as F

from ib_utils.data.dataset import Dataset, split

Table = Int[Tensor, "order order"]


def cyclic_table(order: int) -> Table:
    """Addition modulo ``order``: entry (a, b) is a + b.

    Raises:
        ValueError: an order below 2.

    Example:
        >>> cyclic_table(3).tolist()
        [[0, 1, 2], [1, 2, 0], [2, 0, 1]]
    """
    if order < 2:
        raise ValueError(f"a group to learn needs at least 2 elements, got order {order}")
    a = torch.arange(order)
    return (a[:, None] + a) % order


def dihedral_table(n_sides: int) -> Table:
    """The 2n symmetries of a regular polygon with n sides: rotations 0 to n - 1, then reflections.

    Raises:
        ValueError: fewer than 3 sides.
    """
    if n_sides < 3:
        raise ValueError(f"a polygon needs at least 3 sides, got {n_sides}")

    def multiply(g: tuple[int, int], h: tuple[int, int]) -> tuple[int, int]:
        return (g[0] ^ h[0], (g[1] + (-h[1] if g[0] else h[1])) % n_sides)

    return _table(list(product((0, 1), range(n_sides))), multiply)


def symmetric_table(n_letters: int) -> Table:
    """All permutations of ``n_letters`` letters, the identity first; entry (a, b) is "b, then a".

    Raises:
        ValueError: fewer than 2 letters or more than 6 (720 permutations).
    """
    if not 2 <= n_letters <= 6:
        raise ValueError(f"n_letters must lie in 2 to 6, got {n_letters}")
    return _table(list(permutations(range(n_letters))), lambda g, h: tuple(g[i] for i in h))


def quaternion_table() -> Table:
    """The quaternion group of order 8: 1, i, j, k and their negatives."""
    units = {"11": "1", "1i": "i", "1j": "j", "1k": "k", "i1": "i", "ii": "-1", "ij": "k", "ik": "-j"}
    units |= {"j1": "j", "ji": "-k", "jj": "-1", "jk": "i", "k1": "k", "ki": "j", "kj": "-i", "kk": "-1"}

    def multiply(g: tuple[int, str], h: tuple[int, str]) -> tuple[int, str]:
        result = units[g[1] + h[1]]
        return ((g[0] + h[0] + result.startswith("-")) % 2, result[-1])

    return _table(list(product((0, 1), "1ijk")), multiply)


def product_table(first: Table, second: Table) -> Table:
    """The direct product of two groups: pairs, multiplied part by part.

    Example:
        >>> product_table(cyclic_table(2), cyclic_table(2)).tolist()
        [[0, 1, 2, 3], [1, 0, 3, 2], [2, 3, 0, 1], [3, 2, 1, 0]]
    """
    n, m = len(first), len(second)
    pairs = first[:, None, :, None] * m + second[None, :, None, :]  # (a, a', b, b')
    return pairs.reshape(n * m, n * m)


def latin_square(order: int, *, seed: int, n_moves: int | None = None) -> Table:
    """A random Latin square: every row and column holds every element once, as in a group, and no more structure.

    A random walk of Jacobson and Matthews over squares in which one entry may be improper.

    Args:
        order: elements.
        seed: of the walk.
        n_moves: proper moves after which it ends; it starts from addition modulo ``order``. None: three an entry.

    Returns:
        The square. It is a group's table with a chance that is negligible from order 8 on.

    Raises:
        ValueError: an order below 3.

    Source:
        Jacobson and Matthews (1996), Generating uniformly distributed random Latin squares.

    Example:
        >>> square = latin_square(7, seed=0)
        >>> bool((square.sort(0).values == torch.arange(7)[:, None]).all())
        True
    """
    if order < 3:
        raise ValueError(f"order must be at least 3, got {order}")
    rng, n_moves = Random(seed), 3 * order**2 if n_moves is None else n_moves
    cube = F.one_hot(cyclic_table(order), order).tolist()  # cube[row][column][symbol]

    def ones(line: list[int]) -> int:
        found = [i for i, value in enumerate(line) if value == 1]
        return rng.choice(found)

    at: tuple[int, int, int] | None = None  # where the square is improper
    moves = 0
    while moves < n_moves or at is not None:
        row, column, symbol = at or (rng.randrange(order), rng.randrange(order), rng.randrange(order))
        if cube[row][column][symbol] == 1:
            continue
        other_row = ones([cube[r][column][symbol] for r in range(order)])
        other_column = ones([cube[row][c][symbol] for c in range(order)])
        other_symbol = ones(cube[row][column])
        for r, c, s in product((row, other_row), (column, other_column), (symbol, other_symbol)):
            flips = (r != row) + (c != column) + (s != symbol)
            cube[r][c][s] += 1 if flips % 2 == 0 else -1
        corner = (other_row, other_column, other_symbol)
        at = corner if cube[other_row][other_column][other_symbol] < 0 else None
        moves += at is None
    return torch.tensor(cube).argmax(-1)


def make_group_products(
    table: Table, *, n_train: int | None, seed: int, name: str = "group", one_hot: bool = False
) -> Dataset:
    """All pairs (a, b) of a table, to be answered with their product.

    Args:
        table: entry (a, b) is the product, an element from 0 to ``order - 1``; of a group or not.
        n_train: pairs to train on, drawn with each product in proportion; the others are for testing. None: all pairs
            are both (nothing is held out).
        seed: of the split.
        name: what the table is called.
        one_hot: targets are one-hot vectors of real numbers, for a squared error, instead of labels.

    Returns:
        Inputs ``(n, 2 * order)``: a and b as two one-hot vectors, one after the other.

    Raises:
        ValueError: not a square table, or ``n_train`` that leaves nothing on one side.

    Source:
        The task of Power et al. (2022). Explained in chapter *Grokking*.

    Example:
        >>> make_group_products(cyclic_table(5), n_train=15, seed=0).x_train.shape
        torch.Size([15, 10])
    """
    order = len(table)
    if table.shape != (order, order) or not bool(((table >= 0) & (table < order)).all()):
        raise ValueError(f"a table needs shape (order, order) and entries below order; got {tuple(table.shape)}")
    if n_train is not None and not order <= n_train < order**2:
        raise ValueError(f"n_train={n_train} must lie between {order} and {order**2 - 1}, or be None")
    pairs = torch.cartesian_prod(torch.arange(order), torch.arange(order))
    x, y = F.one_hot(pairs, order).flatten(1).float(), table.flatten().long()
    if n_train is None:
        parts = {"x_train": x, "y_train": y, "x_test": x, "y_test": y}
    else:
        parts = split(x, y, n_train=n_train, n_classes=order, seed=seed)
    if one_hot:
        parts |= {key: F.one_hot(parts[key], order).float() for key in ("y_train", "y_test")}
    return Dataset(
        **parts,
        n_classes=0 if one_hot else order,
        name=f"products in {name} (order {order})",
        source="generated",
        licence="none needed",
        note="" if n_train else "all pairs, none held out",
    )


def inverses(table: Table) -> Int[Tensor, " order"]:
    """The inverse of every element of a group.

    Raises:
        ValueError: the table has no identity, so it is no group's.

    Example:
        >>> inverses(cyclic_table(4)).tolist()
        [0, 3, 2, 1]
    """
    order = len(table)
    identity = (table == torch.arange(order)).all(1).nonzero().flatten()
    if len(identity) != 1:
        raise ValueError("the table has no identity: it is not a group's")
    return (table == identity).int().argmax(1)


def _table(elements: list, multiply: Callable) -> Table:
    index = {g: i for i, g in enumerate(elements)}
    return torch.tensor([[index[multiply(g, h)] for h in elements] for g in elements])
