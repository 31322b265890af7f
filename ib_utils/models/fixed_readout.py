"""Two-layer networks of which only the hidden layer learns, for any activation, with two class scores."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

ACTIVATIONS = {
    "relu": torch.relu,
    "gelu": F.gelu,
    "tanh": torch.tanh,
    "linear": lambda x: x,
}


class FixedReadout(nn.Module):
    """Scores (-f/2, f/2) of two classes, with f the sum of half the units minus that of the others, over the width.

    Args:
        n_inputs: dimension of the input.
        width: hidden units, even.
        activation: "relu", "gelu", "tanh" or "linear".

    Raises:
        ValueError: an odd width or an unknown activation.

    Source:
        The setting of the theorems of Zhang et al. (2024), arXiv:2406.03345. Explained in chapter *Shortcuts: harm and
        repair*.

    Example:
        >>> FixedReadout(3, 8)(torch.zeros(5, 3)).shape
        torch.Size([5, 2])
    """

    def __init__(self, n_inputs: int, width: int, *, activation: str = "relu"):
        super().__init__()
        if width % 2 or activation not in ACTIVATIONS:
            raise ValueError(
                f"width={width} must be even and activation={activation!r} one of {', '.join(ACTIVATIONS)}"
            )
        self.hidden = nn.Linear(n_inputs, width)
        self.activation = ACTIVATIONS[activation]
        self.register_buffer("readout", torch.tensor([1.0, -1.0]).repeat_interleave(width // 2) / width)

    def forward(self, x: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch 2"]:
        f = self.activation(self.hidden(x.flatten(1))) @ self.readout
        return torch.stack([-f / 2, f / 2], 1)


def hinge(scores: Float[Tensor, "*batch 2"], y: Int[Tensor, "*batch"]) -> Float[Tensor, ""]:
    """Mean of max(0, 1 - margin), the margin being the score of the right class minus that of the other.

    Example:
        >>> hinge(torch.tensor([[-0.5, 0.5], [-0.5, 0.5]]), torch.tensor([1, 0]))
        tensor(1.)
    """
    margin = (2 * y - 1) * (scores[..., 1] - scores[..., 0])
    return (1 - margin).clamp(min=0).mean()


def part_norms(
    weight: Float[Tensor, "*members width n_inputs"], directions: Float[Tensor, "*members part n_inputs"]
) -> Float[Tensor, " *members"]:
    """Length of each unit's weights within the span of orthonormal directions, mean over units.

    Example:
        >>> part_norms(torch.tensor([[3.0, 4.0], [0.0, 2.0]]), torch.tensor([[0.0, 1.0]]))
        tensor(3.)
    """
    return (weight @ directions.mT).norm(dim=-1).mean(-1)
