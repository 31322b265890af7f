"""Linear regression by one pass of averaged stochastic gradient descent."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def averaged_sgd(
    x: Float[Tensor, "replicate example d"], y: Float[Tensor, "replicate example"], *, step: float
) -> Float[Tensor, "replicate d"]:
    """Weights of a linear model after one pass over the examples, averaged over the pass; all replicates at once.

    Args:
        x: inputs; each example is used once, in order.
        y: targets.
        step: step size, of the gradient of half the squared error; the iterates start at 0.

    Returns:
        The mean of the iterates after each example.

    Source:
        Polyak-Ruppert averaging, as Ayme et al. (2023) use it. Explained in chapter *Implicit regularisation*.

    Example:
        >>> x = torch.randn(1, 4000, 2, generator=torch.Generator().manual_seed(0))
        >>> averaged_sgd(x, x @ torch.tensor([1.0, -1.0]), step=0.1).round(decimals=1).tolist()
        [[1.0, -1.0]]
    """
    theta = x.new_zeros(x.shape[0], x.shape[2])
    total = torch.zeros_like(theta)
    for inputs, targets in zip(x.unbind(1), y.unbind(1), strict=True):
        error = targets - (theta * inputs).sum(1)
        theta = theta + step * error[:, None] * inputs
        total += theta
    return total / x.shape[1]
