"""Walks on a line between two walls: sequences of moves whose legal continuations depend on a hidden state."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from ib_utils.data.dataset import Dataset, split_at
from ib_utils.seeds import stream

LEFT, STAY, RIGHT = range(3)  # the tokens


def legal_moves(states: Int[Tensor, "*any"], n_states: int) -> Bool[Tensor, "*any move"]:
    """Which of left, stay and right a walker may do next: not left at state 0, not right at the last one.

    Example:
        >>> legal_moves(torch.tensor([0, 1, 2]), 3).int().tolist()
        [[0, 1, 1], [1, 1, 1], [1, 1, 0]]
    """
    inside = torch.ones_like(states, dtype=torch.bool)
    return torch.stack([states > 0, inside, states < n_states - 1], -1)


def lattice_walks(
    *, n_sequences: int, length: int, n_states: int, seed: int
) -> tuple[Int[Tensor, "sequence time"], Int[Tensor, "sequence time"]]:
    """Random walks on ``n_states`` places in a row, from the leftmost, every legal move equally likely.

    Args:
        n_sequences, length: how many walks, and of how many moves.
        n_states: places, at least 2.
        seed: of the draw.

    Returns:
        Moves (0 left, 1 stay, 2 right), and the state *after* each move: what a model that has read the moves so far
        would have to know to tell the legal next ones.

    Raises:
        ValueError: fewer than 2 states.

    Source: Vafa et al. (2025), lattice problem. Explained in chapter *Probing for state and invariance*.

    Example:
        >>> moves, states = lattice_walks(n_sequences=4, length=10, n_states=3, seed=0)
        >>> moves.shape, int(states.max()) <= 2
        (torch.Size([4, 10]), True)
    """
    if n_states < 2:
        raise ValueError(f"a lattice has at least 2 states, got {n_states}")
    generator = torch.Generator().manual_seed(stream(seed, "walks"))
    state = torch.zeros(n_sequences, dtype=torch.long)
    moves, states = [], []
    for _ in range(length):
        move = torch.multinomial(legal_moves(state, n_states).float(), 1, generator=generator)[:, 0]
        state = state + move - STAY
        moves.append(move)
        states.append(state)
    return torch.stack(moves, 1), torch.stack(states, 1)


def next_move_task(*, n_train: int, n_test: int, length: int, n_states: int, seed: int) -> Dataset:
    """Predict the next move of a lattice walk from the moves so far.

    Returns:
        Inputs: moves one-hot, (n, length, 3). Targets: the move after each one, one-hot, and zeros after the last.

    Source: Vafa et al. (2025).
    """
    moves, _ = lattice_walks(n_sequences=n_train + n_test, length=length, n_states=n_states, seed=seed)
    x = torch.nn.functional.one_hot(moves, 3).float()
    y = torch.cat([x[:, 1:], torch.zeros_like(x[:, :1])], 1)
    return _dataset(x, y, n_train, f"next move on a lattice of {n_states} states")


def state_label_task(*, n_train: int, n_test: int, length: int, n_states: int, seed: int, task_seed: int) -> Dataset:
    """A small task that only the state solves: each state has a coin-flip label, shown at one time of each walk.

    Never at the last time, where a model of the next move has learned nothing.

    Args:
        n_train, n_test: walks; the test walks have no labels and are all zeros in ``y_test``.
        length, n_states: as in ``lattice_walks``.
        seed: of the walks and of the times at which labels are shown.
        task_seed: of the labels of the states.

    Returns:
        Inputs: moves one-hot, (n, length, 3). Targets (n, length, 2): the label one-hot where it is shown, else zeros.

    Raises:
        ValueError: walks of a single move, which have no time but the last.

    Source: Vafa et al. (2025), the inductive bias probe.
    """
    if length < 2:
        raise ValueError(f"walks of length {length} have no time before the last; take at least 2")
    moves, states = lattice_walks(n_sequences=n_train + n_test, length=length, n_states=n_states, seed=seed)
    generator = torch.Generator().manual_seed(stream(task_seed, "labels"))
    label_of_state = torch.randint(2, (n_states,), generator=generator)
    time = torch.randint(length - 1, (n_train,), generator=torch.Generator().manual_seed(stream(seed, "places")))
    rows = torch.arange(n_train)
    y = torch.zeros(n_train + n_test, length, 2)
    y[rows, time] = torch.nn.functional.one_hot(label_of_state[states[rows, time]], 2).float()
    x = torch.nn.functional.one_hot(moves, 3).float()
    return _dataset(x, y, n_train, f"labels of the states of a lattice of {n_states}")


def _dataset(x: Tensor, y: Tensor, n_train: int, name: str) -> Dataset:
    return Dataset(
        **split_at(x, y, n_train),
        n_classes=0,
        name=name,
        source="generated, after Vafa et al. (2025)",
        licence="public domain",
    )
