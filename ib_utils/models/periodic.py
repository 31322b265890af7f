"""Fully connected networks with a choice of activation, periodic ones among them, for continuing a function."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

FIXED: dict[str, Callable[[Tensor], Tensor]] = {"relu": torch.relu, "tanh": torch.tanh, "sine": torch.sin}


def snake(x: Float[Tensor, "*batch"], a: float | Tensor = 1.0) -> Float[Tensor, "*batch"]:
    """The activation x + sin^2(a x) / a: a slope of 1 with waves of period pi / a on it.

    Source:
        Ziyin, Hartwig and Ueda (2020). Explained in chapter *Spectral bias*.

    Example:
        >>> [round(value, 3) for value in snake(torch.tensor([0.0, torch.pi / 2, torch.pi])).tolist()]
        [0.0, 2.571, 3.142]
    """
    return x + torch.sin(a * x) ** 2 / a


class ActivationMLP(nn.Module):
    """Multilayer perceptron for real targets with one of several activations.

    Args:
        n_inputs: dimension of the input.
        widths: units of each hidden layer.
        activation: "relu", "tanh", "sine" or "snake".
        a: of the snake: half of the angular frequency that a unit with weight 1 has; ignored otherwise.
        learned: train a, one for each unit, from there; for the snake.

    Raises:
        ValueError: an unknown activation, or a that is not positive.

    Explained in chapter *Spectral bias*.

    Example:
        >>> ActivationMLP(1, [16, 16], "snake", a=5.0)(torch.zeros(7, 1)).shape
        torch.Size([7, 1])
    """

    def __init__(
        self, n_inputs: int, widths: Sequence[int], activation: str = "relu", *, a: float = 1.0, learned: bool = False
    ):
        super().__init__()
        if activation not in (*FIXED, "snake"):
            raise ValueError(f"unknown activation {activation!r}; one of {[*FIXED, 'snake']}")
        if not a > 0:
            raise ValueError(f"a must be positive, got {a}")
        self.layers = nn.ModuleList(nn.Linear(n_in, n_out) for n_in, n_out in pairwise([n_inputs, *widths]))
        self.head = nn.Linear(widths[-1], 1)
        self.activation, self.a = activation, a
        self.learned = nn.ParameterList(torch.full((width,), a) for width in widths) if learned else None

    def forward(self, x: Float[Tensor, "batch n_inputs"]) -> Float[Tensor, "batch 1"]:
        for i, layer in enumerate(self.layers):
            z = layer(x)  # (batch, width)
            if self.activation == "snake":
                x = snake(z, self.learned[i] if self.learned is not None else self.a)
            else:
                x = FIXED[self.activation](z)
        return self.head(x)
