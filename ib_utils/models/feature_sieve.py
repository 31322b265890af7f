"""The feature sieve: a head on an early layer finds what is easily read there, and training erases it (Tiwari 2023)."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F


class SievedMLP(nn.Module):
    """MLP with an auxiliary head on one of its hidden layers.

    The output holds three blocks of class scores, from which :func:`sieve_loss` builds one loss whose gradient does
    what the sieve's three updates do: scores of the network; of the auxiliary head, cut off from the layers below (they
    train the head alone); of the same head with its own weights cut off (they change the layers below alone).

    Args:
        input_shape: shape of one example; it is flattened.
        widths: units of each hidden layer.
        n_outputs: number of classes.
        position: the hidden layer that the auxiliary head reads, from 1.

    Raises:
        ValueError: a position outside the layers.

    Source: after Tiwari and Shenoy (2023), arXiv:2301.13293. Explained in chapter *Simplicity bias: remedies*.

    Example:
        >>> SievedMLP((1, 16, 8), [32, 32], 2, position=1)(torch.zeros(5, 1, 16, 8)).shape
        torch.Size([5, 6])
    """

    def __init__(self, input_shape: Sequence[int], widths: Sequence[int], n_outputs: int, *, position: int):
        super().__init__()
        if not 1 <= position <= len(widths):
            raise ValueError(f"position={position} must lie in 1 to {len(widths)}")
        sizes = [torch.Size(input_shape).numel(), *widths]
        self.hidden = nn.ModuleList(nn.Linear(n_in, n_out) for n_in, n_out in pairwise(sizes))
        self.head = nn.Linear(sizes[-1], n_outputs)
        self.auxiliary = nn.Linear(sizes[position], n_outputs)
        self.position = position

    def forward(self, x: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch scores"]:
        h = x.flatten(1)
        for depth, layer in enumerate(self.hidden, start=1):
            h = layer(h).relu()
            if depth == self.position:
                trains_the_head = self.auxiliary(h.detach())
                changes_the_layers = F.linear(h, self.auxiliary.weight.detach(), self.auxiliary.bias.detach())
        return torch.cat([self.head(h), trains_the_head, changes_the_layers], 1)


def sieve_loss(
    outputs: Float[Tensor, "batch scores"], y: Int[Tensor, " batch"], *, forgetting: float, shuffled: bool = False
) -> Float[Tensor, ""]:
    """Cross-entropy of the network, plus that of its auxiliary head, plus a pull of the head's guess to "don't know".

    Args:
        outputs: of a :class:`SievedMLP`.
        y: labels.
        forgetting: weight of the pull; 0 leaves ordinary training.
        shuffled: train the head on the labels of other examples of the batch: a control that finds nothing to erase.
    """
    scores, trains_the_head, changes_the_layers = outputs.chunk(3, 1)
    unsure = -changes_the_layers.log_softmax(1).mean()  # cross-entropy against equal chances
    return (
        F.cross_entropy(scores, y)
        + F.cross_entropy(trains_the_head, y.roll(1) if shuffled else y)
        + forgetting * unsure
    )
