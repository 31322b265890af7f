"""Dominoes: two digits one above the other, an easy one and a hard one that decides (or the reverse)."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ib_utils.data.dataset import Dataset
from ib_utils.seeds import stream

Half = Literal["lower", "upper"]


def make_dominoes(
    source: Dataset,
    *,
    agreement: float,
    test_agreement: float = 0.5,
    decides: Half = "lower",
    n_train: int,
    n_test: int,
    seed: int,
) -> Dataset:
    """Pair digits: the upper one is a 0 or a 1, the lower one any other digit; label and halves go together mostly.

    The upper half says 0 or 1, the lower half even or odd: a simple cue over a complex one. The label is what the
    deciding half says, always; the other half says the same in a share ``agreement`` of the training examples, exactly.
    In the test set the two halves say the same in one half of the examples, unless told otherwise: there the other half
    is worth nothing.

    Args:
        source: images of ten digits; its training images make training dominoes, its test images test dominoes.
        agreement: share of the training examples in which both halves say the same, 0.5 (untied) to 1 (always).
        test_agreement: the same share in the test examples; ``agreement`` for a validation set.
        decides: the half that is the label.
        n_train, n_test: examples; images are drawn with replacement.
        seed: of the draws.

    Returns:
        Images of twice the height, two classes.

    Raises:
        ValueError: an agreement below one half or above 1, or another half.

    Source:
        in the manner of the dominoes of Shah et al. (2020), arXiv:2006.07710, and of the controlled data of Tiwari and
        Shenoy (2023), arXiv:2301.13293.

    Explained in chapter *Simplicity bias: remedies*.

    Example:
        >>> from ib_utils.data import load_digits
        >>> make_dominoes(load_digits(), agreement=0.95, n_train=20, n_test=10, seed=0).input_shape
        (1, 16, 8)
    """
    if not 0.5 <= min(agreement, test_agreement) <= max(agreement, test_agreement) <= 1 or decides not in (
        "lower",
        "upper",
    ):
        raise ValueError(
            f"agreement={agreement} and test_agreement={test_agreement} must lie in 0.5 to 1, "
            f"decides={decides!r} be 'lower' or 'upper'"
        )

    def draw(
        x: Float[Tensor, "n 1 height width"], digits: Int[Tensor, " n"], n: int, share: float, purpose: str
    ) -> tuple[Float[Tensor, "n 1 twice width"], Int[Tensor, " n"]]:
        generator = torch.Generator().manual_seed(stream(seed, purpose))
        y = torch.randint(0, 2, (n,), generator=generator)
        differ = torch.randperm(n, generator=generator)[: round((1 - share) * n)]
        other = y.clone()
        other[differ] = 1 - y[differ]
        upper, lower = (other, y) if decides == "lower" else (y, other)
        halves = []
        for says, pool in ((upper, [digits == 0, digits == 1]), (lower, [_rest(digits, 0), _rest(digits, 1)])):
            rows = torch.empty_like(says)
            for value in (0, 1):
                own, mine = pool[value].nonzero().flatten(), says == value
                rows[mine] = own[torch.randint(len(own), (int(mine.sum()),), generator=generator)]
            halves.append(x[rows])
        return torch.cat(halves, 2), y

    return Dataset(
        *draw(source.x_train, source.y_train, n_train, agreement, "train"),
        *draw(source.x_test, source.y_test, n_test, test_agreement, "test"),
        n_classes=2,
        name=f"dominoes of {source.name}, the {decides} half decides",
        source=source.source,
        licence=source.licence,
        note=f"halves agree in {agreement:.0%} of the training and {test_agreement:.0%} of the test examples",
    )


def _rest(digits: Int[Tensor, " n"], parity: int) -> Bool[Tensor, " n"]:
    return (digits > 1) & (digits % 2 == parity)
