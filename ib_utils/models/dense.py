"""Fully connected networks: every input reaches every unit, so nothing is assumed about where inputs lie."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn


class LogisticRegression(nn.Module):
    """One affine map from the flattened input to the class scores.

    Args:
        input_shape: shape of one example, e.g. ``(1, 40)``.
        n_outputs: number of class scores.

    Explained in chapter *Locality and weight sharing*.
    """

    def __init__(self, input_shape: Sequence[int], n_outputs: int):
        super().__init__()
        self.head = nn.Linear(torch.Size(input_shape).numel(), n_outputs)

    def forward(self, x: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch n_outputs"]:
        return self.head(x.flatten(1))


class MLP(nn.Module):
    """Multilayer perceptron with ReLU units.

    Args:
        input_shape: shape of one example; it is flattened.
        widths: units of each hidden layer.
        n_outputs: number of class scores.
        residual: add a layer's input to its output wherever both have the same width
            (``h + relu(W h + b)``, as the MNIST-1D benchmark does; Greydanus & Kobak 2024).

    Raises:
        ValueError: if ``widths`` is empty (use ``LogisticRegression``).

    Example:
        >>> MLP((1, 8, 8), [32], 10)(torch.zeros(5, 1, 8, 8)).shape
        torch.Size([5, 10])
    """

    def __init__(self, input_shape: Sequence[int], widths: Sequence[int], n_outputs: int, *, residual: bool = False):
        super().__init__()
        if not widths:
            raise ValueError("MLP got no hidden widths; use LogisticRegression for a linear model")
        sizes = [torch.Size(input_shape).numel(), *widths]
        self.hidden = nn.ModuleList(nn.Linear(n_in, n_out) for n_in, n_out in pairwise(sizes))
        self.head = nn.Linear(sizes[-1], n_outputs)
        self.residual = residual

    def forward(self, x: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch n_outputs"]:
        h = x.flatten(1)
        for layer in self.hidden:
            new = layer(h).relu()
            h = h + new if self.residual and layer.in_features == layer.out_features else new
        return self.head(h)
