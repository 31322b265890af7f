"""How much nearby inputs share inside a ReLU network: which units are active, and where their gradients point."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

Pairs = Int[Tensor, "pair 2"]


def grid_neighbours(height: int, width: int) -> Pairs:
    """Index pairs of the points of a grid (row by row) that lie side by side or one above the other.

    Example:
        >>> grid_neighbours(2, 2).tolist()
        [[0, 1], [2, 3], [0, 2], [1, 3]]
    """
    index = torch.arange(height * width).view(height, width)
    across = torch.stack([index[:, :-1].flatten(), index[:, 1:].flatten()], 1)
    down = torch.stack([index[:-1].flatten(), index[1:].flatten()], 1)
    return torch.cat([across, down])


def activation_patterns(module: nn.Module, x: Float[Tensor, "point ..."]) -> Bool[Tensor, "point unit"]:
    """Which hidden units are active at each input, over all hidden layers of a :class:`ib_utils.models.MLP`.

    Points with equal patterns lie in one region on which the network is affine.

    Raises:
        ValueError: a network without ``hidden`` layers.

    Explained in chapter *Spectral bias*.
    """
    layers = getattr(module, "hidden", None)
    if not isinstance(layers, nn.ModuleList):
        raise ValueError(f"{type(module).__name__} has no list of hidden layers: take ib_utils.models.MLP")
    h, patterns = x.flatten(1), []
    with torch.no_grad():
        for layer in layers:
            z = layer(h)
            patterns.append(z > 0)
            h = z.relu()
    return torch.cat(patterns, 1)


def pattern_distance(patterns: Bool[Tensor, "point unit"], pairs: Pairs) -> Float[Tensor, " pair"]:
    """Share of the units that are active at one of two points and not at the other (Hamming distance over units).

    Example:
        >>> patterns = torch.tensor([[True, True, False, False], [True, False, False, False]])
        >>> pattern_distance(patterns, torch.tensor([[0, 1]])).item()
        0.25
    """
    return (patterns[pairs[:, 0]] ^ patterns[pairs[:, 1]]).float().mean(1)


def gradient_cosines(
    kernel: Float[Tensor, "point point"], residual: Float[Tensor, " point"], pairs: Pairs
) -> Float[Tensor, " pair"]:
    """Cosine of the angle between the gradients of the squared errors at two inputs.

    A gradient of the loss at one input is the residual times the gradient of the output, so the cosine is that of the
    tangent kernel, with the sign of the product of the residuals.

    Args:
        kernel: tangent kernel, such as of :func:`ib_utils.measures.empirical_ntk`.
        residual: output minus target.
        pairs: of inputs.

    Example:
        >>> k = torch.tensor([[1.0, 0.6], [0.6, 1.0]])
        >>> gradient_cosines(k, torch.tensor([2.0, -1.0]), torch.tensor([[0, 1]])).item()
        -0.6000000238418579
    """
    i, j = pairs.T
    length = kernel.diagonal().sqrt()
    return kernel[i, j] / (length[i] * length[j]) * residual[i].sign() * residual[j].sign()


def gradient_confusion(cosines: Float[Tensor, " pair"]) -> Float[Tensor, ""]:
    """How strongly steps for one input undo those for another: mean of the negative parts of the cosines.

    0 where no two gradients oppose each other; 1 where all pairs are exactly opposed.

    Source:
        after the gradient confusion of Sankararaman et al. as used by Lazzari and Liu (2023). Explained in chapter
        *Spectral bias*.

    Example:
        >>> gradient_confusion(torch.tensor([-1.0, 0.5])).item()
        0.5
    """
    return (-cosines).relu().mean()
