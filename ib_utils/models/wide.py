"""Fully connected networks of finite width in the parametrisation in which infinite width has a limit."""

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ib_utils.models.kernels import CRITICAL

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "erf": torch.erf,
    "linear": lambda x: x,
}


class WideNetwork(nn.Module):
    """A fully connected network whose weights are standard normal; each layer divides by the root of its fan-in.

    So outputs stay of order one at any width, and one learning rate suits all widths. No biases.

    Args:
        n_inputs: dimension of the input.
        width: units of every hidden layer.
        depth: hidden layers, at least 1.
        n_outputs: output units.
        activation: "relu", "tanh", "erf" or "linear".
        weight_variance: of every layer, times its fan-in; the critical one of the activation if not given.
        output_scale: factor on the output; width^(-1/2) gives the scaling in which features keep moving at any width.

    Raises:
        ValueError: a depth below 1 or an unknown activation.

    Source:
        Jacot et al. (2018); the factor on the output, Chizat et al. (2019). Explained in chapters *Infinite width and
        depth* and *Learning at infinite width*.

    Example:
        >>> WideNetwork(3, 64, 2)(torch.zeros(5, 3)).shape
        torch.Size([5, 1])
    """

    def __init__(
        self,
        n_inputs: int,
        width: int,
        depth: int,
        *,
        n_outputs: int = 1,
        activation: str = "relu",
        weight_variance: float | None = None,
        output_scale: float = 1.0,
    ):
        super().__init__()
        if depth < 1:
            raise ValueError(f"depth must be at least 1, got {depth}")
        if activation not in ACTIVATIONS:
            raise ValueError(f"unknown activation {activation!r}; allowed are {', '.join(ACTIVATIONS)}")
        sizes = [n_inputs, *[width] * depth, n_outputs]
        self.weights = nn.ParameterList(torch.randn(n_out, n_in) for n_in, n_out in pairwise(sizes))
        self.activation, self.output_scale = activation, output_scale
        self.weight_variance = CRITICAL[activation] if weight_variance is None else weight_variance

    def hidden(self, x: Float[Tensor, "batch n_inputs"]) -> Float[Tensor, "batch width"]:
        """Activations of the last hidden layer."""
        for weight in list(self.weights)[:-1]:
            x = x @ weight.T * math.sqrt(self.weight_variance / x.shape[1])  # (batch, width)
            x = ACTIVATIONS[self.activation](x)
        return x

    def forward(self, x: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch n_outputs"]:
        h = self.hidden(x.flatten(1))
        return self.output_scale * (h @ self.weights[-1].T) * math.sqrt(self.weight_variance / h.shape[1])
