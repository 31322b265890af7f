"""The one type that every loader returns: training and test tensors, and where they came from."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor


@dataclass(frozen=True, repr=False, eq=False)
class Dataset:
    """Inputs and labels for training and testing, with their provenance.

    Every method returns a new data set and leaves this one as it is. Draws use the given seed, never a global
    generator.

    Args:
        x_train: training inputs: images `(n_train, channel, height, width)`, signals
            `(n_train, channel, length)`.
        y_train: training labels, integers from 0 to `n_classes - 1`; real numbers where `n_classes` is 0.
        x_test: test inputs, of the same shape but for their number.
        y_test: test labels.
        n_classes: number of classes; 0 for regression.
        name: what the data set is called.
        source: who made it, and where it was taken from.
        licence: terms of use of the data.
        note: what a reader has to know besides, such as an unusual split.

    Raises:
        ValueError: if lengths, shapes, types or labels do not fit together.

    Example:
        >>> from ib_utils.data import load_digits
        >>> digits = load_digits()
        >>> digits.subset(50, seed=0).y_train.bincount().tolist()
        [5, 5, 5, 5, 5, 5, 5, 5, 5, 5]
    """

    x_train: Float[Tensor, "n_train ..."]
    y_train: Shaped[Tensor, "n_train ..."]
    x_test: Float[Tensor, "n_test ..."]
    y_test: Shaped[Tensor, "n_test ..."]
    n_classes: int
    name: str
    source: str
    licence: str
    note: str = ""

    def __post_init__(self) -> None:
        for part, x, y in (("train", self.x_train, self.y_train), ("test", self.x_test, self.y_test)):
            if not x.is_floating_point():
                raise ValueError(f"x_{part} is {x.dtype}; inputs must be floating point, such as torch.float32")
            if x.ndim < 2:
                raise ValueError(f"x_{part} has shape {tuple(x.shape)}; it needs a batch axis and at least one more")
            if self.n_classes == 0 and not y.is_floating_point():
                raise ValueError(f"y_{part} is {y.dtype}; with n_classes=0 targets must be floating point")
            if self.n_classes and (y.dtype != torch.int64 or y.ndim != 1):
                raise ValueError(f"y_{part} is {y.dtype} of shape {tuple(y.shape)}; labels must be a vector of int64")
            if len(x) != len(y):
                raise ValueError(f"x_{part} has {len(x)} examples, but y_{part} has {len(y)} labels")
            if len(y) == 0:
                raise ValueError(f"y_{part} is empty; at least one example is needed")
            if self.n_classes == 0:
                continue
            low, high = int(y.min()), int(y.max())
            if low < 0 or high >= self.n_classes:
                raise ValueError(
                    f"y_{part} has labels from {low} to {high}; with n_classes={self.n_classes} "
                    f"they must lie in 0 to {self.n_classes - 1}"
                )
        if self.x_train.shape[1:] != self.x_test.shape[1:]:
            raise ValueError(
                f"training inputs have shape {self.input_shape}, test inputs {tuple(self.x_test.shape[1:])}; "
                "they must be equal"
            )
        if self.n_train < self.n_classes:
            raise ValueError(f"n_train={self.n_train} is below the number of classes, {self.n_classes}")

    @property
    def n_train(self) -> int:
        return len(self.y_train)

    @property
    def n_test(self) -> int:
        return len(self.y_test)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input, without the batch axis."""
        return tuple(self.x_train.shape[1:])

    def __repr__(self) -> str:
        lines = [
            f"{self.name}: {self.n_train:,} training and {self.n_test:,} test examples "
            f"of shape {self.input_shape}, " + (f"{self.n_classes} classes" if self.n_classes else "real targets"),
            f"  source:  {self.source}",
            f"  licence: {self.licence}",
        ]
        return "\n".join(lines + ([f"  note:    {self.note}"] if self.note else []))

    def to(self, device: str | torch.device) -> Dataset:
        """The same data on another device."""
        tensors = {key: getattr(self, key).to(device) for key in ("x_train", "y_train", "x_test", "y_test")}
        return replace(self, **tensors)

    def subset(self, n_train: int, *, seed: int) -> Dataset:
        """Draw `n_train` training examples, classes as even as possible; the test set stays the same object.

        Which classes get the remainder is drawn at random. With one seed, smaller subsets lie inside larger.

        Args:
            n_train: number of examples to draw, from `n_classes` to `self.n_train`.
            seed: of the draw.

        Raises:
            ValueError: if `n_train` is out of that range.
        """
        self._check_size(n_train, self.n_train, "available for training")
        generator = torch.Generator().manual_seed(seed)
        order, rank, labels = _ranks_within_class(self.y_train, self.n_classes, generator)
        # Rounds of one example a class, the classes of a round in an order drawn once: the first n_train are
        # as even as the class sizes allow.
        n_classes = max(1, self.n_classes)
        turn = torch.randperm(n_classes, generator=generator)[labels]
        chosen = order[torch.argsort(rank * n_classes + turn)[:n_train]].sort().values
        chosen = chosen.to(self.x_train.device)
        return replace(self, x_train=self.x_train[chosen], y_train=self.y_train[chosen])

    def resplit(self, n_train: int, *, seed: int) -> Dataset:
        """Pool training and test set and split them anew, each class in proportion.

        Args:
            n_train: size of the new training set; the others become the test set.
            seed: of the draw.

        Raises:
            ValueError: if `n_train` is below `n_classes` or leaves no test example.
        """
        x, y = torch.cat([self.x_train, self.x_test]), torch.cat([self.y_train, self.y_test])
        self._check_size(n_train, len(y) - 1, "in the pool, one kept for the test")
        parts: dict[str, Any] = split(x, y, n_train=n_train, n_classes=self.n_classes, seed=seed)
        return replace(self, **parts, note=self._with_note(f"split anew with seed {seed}"))

    def with_label_noise(self, level: float, *, seed: int) -> Dataset:
        """Spoil the training labels; the test labels stay clean.

        Args:
            level: share of the training labels, rounded to whole examples, that become another class, each other class
                equally likely. For real targets: standard deviation of the normal noise added to every target.
            seed: of the draw.

        Raises:
            ValueError: if `level` is negative or, for classes, above 1.
        """
        if level < 0 or (self.n_classes and level > 1):
            raise ValueError(f"label noise must lie in 0 to 1 (real targets: not be negative), got {level}")
        generator = torch.Generator().manual_seed(seed)
        if self.n_classes:
            spoilt = torch.randperm(self.n_train, generator=generator)[: round(level * self.n_train)]
            shift = torch.randint(1, max(2, self.n_classes), (len(spoilt),), generator=generator)
            y = self.y_train.clone()
            y[spoilt] = (y[spoilt] + shift.to(y.device)) % self.n_classes
        else:
            noise = torch.randn(self.y_train.shape, generator=generator, dtype=self.y_train.dtype)
            y = self.y_train + level * noise.to(self.y_train.device)
        return replace(self, y_train=y, note=self._with_note(f"label noise {level:g}, seed {seed}"))

    def permuted(self, *, seed: int) -> Dataset:
        """Apply one random permutation of the input positions to all examples, training and test alike.

        The channels of a position stay together. What a network can know of the order or the neighbourhood of
        positions is gone; everything else is as before.

        Args:
            seed: of the permutation.
        """
        first = min(2, self.x_train.ndim - 1)  # images and signals have a channel axis before their positions
        n_positions = math.prod(self.x_train.shape[first:])
        order = torch.randperm(n_positions, generator=torch.Generator().manual_seed(seed)).to(self.x_train.device)

        def permute(x: Tensor) -> Tensor:
            return x.flatten(first)[..., order].reshape(x.shape)

        return replace(
            self,
            x_train=permute(self.x_train),
            x_test=permute(self.x_test),
            note=self._with_note(f"positions permuted with seed {seed}"),
        )

    def moved(self, max_shift: int, *, margin: int | None = None, seed: int) -> Dataset:
        """Add an empty margin around each image and move each by a random number of whole pixels.

        Args:
            max_shift: each image moves by -max_shift to max_shift pixels along each axis, uniformly; 0 keeps it
                in the middle.
            margin: pixels of zeros on each side, at least `max_shift` (the default).
            seed: of the shifts.

        Raises:
            ValueError: if the margin is smaller than the shift, or the inputs are not images.
        """
        margin = max_shift if margin is None else margin
        if not 0 <= max_shift <= margin:
            raise ValueError(f"max_shift={max_shift} must lie between 0 and the margin, {margin}")
        if self.x_train.ndim != 4:
            raise ValueError(f"inputs of shape {self.input_shape} are not images (channel, height, width)")
        generator = torch.Generator().manual_seed(seed)

        def move(x: Tensor) -> Tensor:
            x = torch.nn.functional.pad(x, (margin,) * 4)
            for axis in (2, 3):  # the margin is empty, so rolling moves the image and wraps nothing
                shift = torch.randint(-max_shift, max_shift + 1, (len(x), 1), generator=generator)
                index = (torch.arange(x.shape[axis]) - shift) % x.shape[axis]
                shape = [len(x), 1, 1, 1]
                shape[axis] = x.shape[axis]
                x = x.gather(axis, index.to(x.device).view(shape).expand_as(x))
            return x

        return replace(
            self,
            x_train=move(self.x_train),
            x_test=move(self.x_test),
            note=self._with_note(f"margin of {margin}, each image moved by up to {max_shift} pixels"),
        )

    def validation(self, fraction: float, *, seed: int) -> Dataset:
        """Hold out a part of the training set, which stands as the test set of the result: for tuning.

        The test set of this data set is not in the result, so tuning can't see it.

        Args:
            fraction: part of the training examples held out, between 0 and 1; each class in proportion.
            seed: of the draw.

        Raises:
            ValueError: if `fraction` leaves too few examples on either side.
        """
        if not 0 < fraction < 1:
            raise ValueError(f"fraction={fraction} must lie between 0 and 1")
        n_train = self.n_train - round(fraction * self.n_train)
        self._check_size(n_train, self.n_train - 1, "for training, one held out")
        parts: dict[str, Any] = split(self.x_train, self.y_train, n_train=n_train, n_classes=self.n_classes, seed=seed)
        return replace(self, **parts, note=self._with_note("the test set here is held out of the training set"))

    def _check_size(self, n_train: int, most: int, what: str) -> None:
        least = max(1, self.n_classes)
        if not least <= n_train <= most:
            raise ValueError(f"n_train={n_train} must lie between {least} (one a class) and {most} ({what})")

    def _with_note(self, note: str) -> str:
        return f"{self.note}; {note}" if self.note else note


def split(
    x: Float[Tensor, "n ..."], y: Int[Tensor, " n"], *, n_train: int, n_classes: int, seed: int
) -> dict[str, Tensor]:
    """Split examples at random, each class within one example of its proportional share.

    Returns:
        The four tensors under the names that `Dataset` gives them.

    Raises:
        ValueError: if there are more inputs than labels, or fewer.
    """
    if len(x) != len(y):
        raise ValueError(f"{len(x)} inputs, but {len(y)} labels")
    generator = torch.Generator().manual_seed(seed)
    order, rank, labels = _ranks_within_class(y, n_classes, generator)
    n_classes = max(1, n_classes)
    share = torch.bincount(labels, minlength=n_classes) * n_train  # in units of 1 / len(y) examples
    quota = share // len(y)
    turn = torch.randperm(n_classes, generator=generator)  # decides between equal remainders
    by_remainder = turn[torch.argsort(share[turn] % len(y), descending=True, stable=True)]
    quota[by_remainder[: n_train - int(quota.sum())]] += 1
    for_training = rank < quota[labels]
    train, test = (order[part].sort().values.to(x.device) for part in (for_training, ~for_training))
    return {"x_train": x[train], "y_train": y[train], "x_test": x[test], "y_test": y[test]}


def split_at(x: Float[Tensor, "n ..."], y: Shaped[Tensor, "n ..."], n_train: int) -> dict[str, Any]:
    """The first ``n_train`` examples for training and the others for testing, under the names of `split`."""
    return {"x_train": x[:n_train], "y_train": y[:n_train], "x_test": x[n_train:], "y_test": y[n_train:]}


def _ranks_within_class(
    y: Tensor, n_classes: int, generator: torch.Generator
) -> tuple[Int[Tensor, " n"], Int[Tensor, " n"], Int[Tensor, " n"]]:
    """A random order of the examples and, in that order, their ranks within their classes and labels.

    Real targets count as one class.
    """
    order = torch.randperm(len(y), generator=generator)
    labels = y.cpu()[order] if n_classes else torch.zeros(len(y), dtype=torch.long)
    n_classes = max(1, n_classes)
    one_hot = torch.nn.functional.one_hot(labels, n_classes)  # (n, n_classes)
    rank = (one_hot.cumsum(0) * one_hot).sum(1) - 1
    return order, rank, labels
