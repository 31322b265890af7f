"""One hidden layer of thresholded templates on a row of patches: fully connected, local, or local with shared weights.

The three networks differ in the shape of one weight and in nothing else.
"""

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import softshrink

Connections = Literal["full", "local", "shared"]


def soft_threshold(z: Float[Tensor, "..."], threshold: float) -> Float[Tensor, "..."]:
    """What of ``z`` exceeds the threshold in size, with its sign: relu(z - b) - relu(-z - b).

    Called the local signal adaptive activation, because it lets a strong signal pass and stops weak noise.

    Source: Karp, Winston, Li and Singh (2021), Local Signal Adaptivity, NeurIPS.

    Example:
        >>> soft_threshold(torch.tensor([-2.0, 0.0, 0.5, 2.0]), 1.0).tolist()
        [-1.0, 0.0, 0.0, 1.0]
    """
    return softshrink(z, threshold)  # torch's name for it, in one pass over memory


class TemplateNetwork(nn.Module):
    """Sum of k thresholded template matches, f(x) = gain * sum_i phi_b(w_i . x), with a score for each of two classes.

    Args:
        n_patches: patches in the input, k; also the number of hidden units.
        patch_size: entries of a patch, d.
        connections: "full": each unit sees the whole input, weight ``(k, k d)``. "local": unit i sees patch i alone,
            weight ``(k, d)``. "shared": the same for all patches, weight ``(d,)``. Each contains the next.
        threshold: b, in units of the signal's length.

    Templates are used at unit length, so that the threshold means the same to all, and start in a uniform direction
    (Gaussian weights). The gain is trained with them.

    Raises:
        ValueError: if ``connections`` is another word.

    Source: the networks of Lahoti et al. (2024), arXiv:2403.15707, one hidden layer of width k, whose templates have
    length 1 at most. Explained in chapter *Locality and weight sharing, counted in samples*.

    Example:
        >>> TemplateNetwork(4, 3, "local")(torch.zeros(5, 1, 12)).shape
        torch.Size([5, 2])
    """

    def __init__(self, n_patches: int, patch_size: int, connections: Connections, *, threshold: float = 0.4):
        super().__init__()
        shapes = {
            "full": (n_patches, n_patches * patch_size),
            "local": (n_patches, patch_size),
            "shared": (patch_size,),
        }
        if connections not in shapes:
            raise ValueError(f"connections={connections!r} must be one of {', '.join(shapes)}")
        self.patches, self.connections, self.threshold = (n_patches, patch_size), connections, threshold
        self.weight = nn.Parameter(torch.randn(shapes[connections]) / math.sqrt(shapes[connections][-1]))
        self.gain = nn.Parameter(torch.tensor(4.0))

    def forward(self, x: Float[Tensor, "batch 1 size"]) -> Float[Tensor, "batch 2"]:
        w = self.weight / self.weight.norm(dim=-1, keepdim=True)
        x = x.squeeze(1)  # (batch, k d)
        if self.connections != "full":  # (batch, k, d): one row of w a patch, or the one row for all
            x = x.unflatten(-1, self.patches)
        z = x @ w.T if self.connections == "full" else (x * w).sum(-1)  # (batch, k)
        f = self.gain * soft_threshold(z, self.threshold).sum(-1)
        return torch.stack([-f, f], -1)
