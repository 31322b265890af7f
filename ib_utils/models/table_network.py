"""Two-layer networks that learn a multiplication table, and the diagonal network: homogeneous, and small enough to
solve."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

COMBINATIONS = ("square", "relu", "product")


class TableNetwork(nn.Module):
    """One hidden layer over two one-hot inputs a and b; every neuron is three functions u, v, w on the elements.

    Its outputs are ``f(a, b)[c] = sum over neurons of s(u(a), v(b)) w(c)``, where ``s(x, y)`` is ``(x + y)^2``
    ("square"), ``relu(x + y)`` ("relu") or ``x y`` ("product": the network is then a sum of ``width`` rank-one
    3-tensors).

    Args:
        order: number of elements.
        width: neurons.
        combine: "square", "relu" or "product".

    Raises:
        ValueError: an unknown combination.

    Source:
        Square: Morwani et al. (2024); product: the surrogate of Shutman et al. (2025). Explained in chapter *Grokking*.

    Example:
        >>> TableNetwork(5, 16)(torch.zeros(3, 10)).shape
        torch.Size([3, 5])
    """

    def __init__(self, order: int, width: int, combine: str = "square"):
        super().__init__()
        if combine not in COMBINATIONS:
            raise ValueError(f"unknown combination {combine!r}; one of {COMBINATIONS}")
        self.order, self.combine = order, combine
        self.left = nn.Parameter(torch.randn(order, width) / width**0.5)  # u
        self.right = nn.Parameter(torch.randn(order, width) / width**0.5)  # v
        self.out = nn.Parameter(torch.randn(width, order) / width**0.5)  # w

    def forward(self, x: Float[Tensor, "batch two_orders"]) -> Float[Tensor, "batch order"]:
        a, b = x[:, : self.order] @ self.left, x[:, self.order :] @ self.right  # (batch, width)
        if self.combine == "product":
            hidden = a * b
        else:
            hidden = (a + b).square() if self.combine == "square" else (a + b).relu()
        return hidden @ self.out


class DiagonalNetwork(nn.Module):
    """A linear function with squared weights: ``f(x) = sum over i of (u_i^2 - v_i^2) x_i``, zero at initialisation.

    All parameters start at 1; train it with ``initial_scale``. Its outputs are ``-f / 2`` and ``f / 2``, so that the
    cross-entropy of two classes is the logistic loss of f.

    Args:
        n_inputs: length of the input.

    Source:
        Lyu et al. (2024), the diagonal network of their Fig. 3. Explained in chapter *Grokking*.

    Example:
        >>> DiagonalNetwork(4)(torch.ones(1, 4)).abs().tolist()
        [[0.0, 0.0]]
    """

    def __init__(self, n_inputs: int):
        super().__init__()
        self.positive = nn.Parameter(torch.ones(n_inputs))
        self.negative = nn.Parameter(torch.ones(n_inputs))

    def forward(self, x: Float[Tensor, "batch n_inputs"]) -> Float[Tensor, "batch 2"]:
        f = x @ (self.positive.square() - self.negative.square())
        return torch.stack([-f / 2, f / 2], dim=1)
