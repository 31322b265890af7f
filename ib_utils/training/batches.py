"""Examples of all members on the device, and the order in which each member sees its own."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor, nn

from ib_utils.data import Dataset
from ib_utils.seeds import stream

Augment = Callable[[Tensor, torch.Generator], Tensor]
STEPS_PER_DRAW = 128  # batch indices are drawn for this many steps at a time
TRAIN_SCORED = 1000  # training examples that scores are taken on, unless the test set is larger


class Batches:
    """Training and test examples of a group of members, and each member's own sequence of batches.

    Args:
        datasets: one a member.
        seeds: one a member; batch order and augmentation draw from separate streams of it.
        batch_size: examples a step and member; None: the whole training set, of equal size for all members.
        augment: ``(inputs, generator) -> inputs`` of one member's batch, or None.
        device, dtype: where the examples are kept, and as what.
    """

    def __init__(
        self,
        datasets: Sequence[Dataset],
        seeds: Sequence[int],
        batch_size: int | None,
        device: torch.device,
        dtype: torch.dtype,
        augment: Augment | None = None,
    ):
        self.batch_size, self.device, self.augment = batch_size, device, augment
        self.orders, self.augmentations = (
            [torch.Generator().manual_seed(stream(seed, purpose)) for seed in seeds]
            for purpose in ("order", "augmentation")
        )
        self.train = Pool([(d.x_train, d.y_train) for d in datasets], device, dtype)
        self.test = Pool([(d.x_test, d.y_test) for d in datasets], device, dtype)
        parts = {
            "train": [_sample(d.n_train, max(d.n_test, TRAIN_SCORED), s) for d, s in zip(datasets, seeds, strict=True)],
            "test": [torch.arange(d.n_test) for d in datasets],
        }
        self.scored: dict[str, Int[Tensor, "member example"]] = {  # -1 where a member has fewer than another
            part: nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=-1).to(device)
            for part, rows in parts.items()
        }
        self.queues = [torch.empty(0, dtype=torch.long) for _ in seeds]
        self.drawn: Tensor = torch.empty(0, len(seeds), 0, dtype=torch.long)
        self.whole = None if batch_size else self.train[self._whole_index()]

    def next(self) -> tuple[Tensor, Tensor]:
        """Inputs and targets of the next step, each ``(member, batch, ...)``."""
        if self.whole is not None:
            x, y = self.whole
        else:
            if not len(self.drawn):
                self.drawn = self.order(STEPS_PER_DRAW)
            x, y = self.train[self.drawn[0]]
            self.drawn = self.drawn[1:]
        if self.augment is not None:
            x = torch.stack([self.augment(own, g) for own, g in zip(x, self.augmentations, strict=True)])
        return x, y

    def order(self, n_steps: int) -> Int[Tensor, "step member batch"]:
        """Indices of the next ``n_steps`` batches, drawn from consecutive permutations of each training set."""
        assert self.batch_size is not None
        wanted = n_steps * self.batch_size
        rows = []
        for i, (size, generator) in enumerate(zip(self.train.sizes, self.orders, strict=True)):
            missing = math.ceil((wanted - len(self.queues[i])) / size)
            queue = torch.cat([self.queues[i], *(torch.randperm(size, generator=generator) for _ in range(missing))])
            row, self.queues[i] = queue.split([wanted, len(queue) - wanted])
            rows.append(row.view(n_steps, self.batch_size))
        return torch.stack(rows, 1).to(self.device)

    def keep(self, rows: list[int]) -> None:
        """Go on with these members only."""
        for name in ("orders", "augmentations", "queues"):
            setattr(self, name, [getattr(self, name)[row] for row in rows])
        self.train.keep(rows)
        self.test.keep(rows)
        self.drawn = self.drawn[:, rows]
        self.scored = {part: index[rows] for part, index in self.scored.items()}
        if self.whole is not None:
            self.whole = (self.whole[0][rows], self.whole[1][rows])

    def _whole_index(self) -> Int[Tensor, "member batch"]:
        return torch.arange(self.train.sizes[0], device=self.device).expand(len(self.train.sizes), -1)


def _sample(n: int, most: int, seed: int) -> Int[Tensor, " example"]:
    """All of a member's training examples, or the same random ones at each step."""
    if n <= most:
        return torch.arange(n)
    return torch.randperm(n, generator=torch.Generator().manual_seed(stream(seed, "scores")))[:most]


class Pool:
    """Examples of all members in one tensor each; inputs and targets that members share are kept once."""

    def __init__(self, parts: list[tuple[Tensor, Tensor]], device: torch.device, dtype: torch.dtype):
        self.x, self.x_start = _join([x for x, _ in parts], device, dtype)
        self.y, self.y_start = _join([y for _, y in parts], device, dtype)
        self.sizes = [len(x) for x, _ in parts]

    def __getitem__(self, index: Int[Tensor, "member batch"]) -> tuple[Tensor, Tensor]:
        return _rows(self.x, index + self.x_start), _rows(self.y, index + self.y_start)

    def keep(self, rows: list[int]) -> None:
        self.x_start, self.y_start = self.x_start[rows], self.y_start[rows]
        self.sizes = [self.sizes[row] for row in rows]


def _rows(values: Tensor, index: Int[Tensor, "member batch"]) -> Tensor:
    return values.index_select(0, index.flatten()).view(
        *index.shape, *values.shape[1:]
    )  # twice as fast as values[index]


def _join(tensors: list[Tensor], device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Int[Tensor, "member 1"]]:
    """One after another, each only once, and where each member's begins."""
    unique = {id(tensor): tensor for tensor in tensors}
    ends = np.cumsum([len(tensor) for tensor in unique.values()]).tolist()
    starts = dict(zip(unique, [0, *ends[:-1]], strict=True))
    joined = torch.cat(list(unique.values())) if len(unique) > 1 else tensors[0]
    joined = joined.to(device, dtype if joined.is_floating_point() else None)
    return joined, torch.tensor([[starts[id(tensor)]] for tensor in tensors], device=device)
