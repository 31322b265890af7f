"""A two-layer convolutional network with cubic units: the smallest one with a simplicity bias to be proved."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn


class CubicFilters(nn.Module):
    """f(x) = sum over filters j and patches p of (w_j . x_p)^3, as scores -f/2 and f/2 of two classes.

    Args:
        patch_size: entries of a patch.
        n_filters: number of filters.
        scale: root mean square length of a filter at the start.

    Source: the network of Nguyen et al. (2024), arXiv:2404.17768. Explained in chapter *Simplicity bias: remedies*.

    Example:
        >>> CubicFilters(50, 20)(torch.zeros(5, 3, 50)).shape
        torch.Size([5, 2])
    """

    def __init__(self, patch_size: int, n_filters: int, *, scale: float = 0.1):
        super().__init__()
        self.filters = nn.Parameter(scale / patch_size**0.5 * torch.randn(n_filters, patch_size))

    def forward(self, x: Float[Tensor, "batch patch patch_size"]) -> Float[Tensor, "batch 2"]:
        f = (x @ self.filters.T).pow(3).sum((1, 2))
        return torch.stack([-f / 2, f / 2], 1)


def alignments(
    parameters: Mapping[str, Float[Tensor, "member ..."]], features: Float[Tensor, "member feature patch_size"]
) -> Float[Tensor, "member feature"]:
    """The largest projection of a member's filters on each of its features: how far the feature has been learned."""
    return (parameters["filters"] @ features.mT).amax(1)
