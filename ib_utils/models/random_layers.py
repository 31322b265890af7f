"""Random networks without their weights: the exact law of what a layer's inner products do to the next layer's.

Given the layer below, the pre-activations of a layer with Gaussian weights are independent Gaussian vectors, one a
unit, whose covariance between inputs is the layer's Gram matrix. So one can draw units instead of weight matrices:
width numbers a layer and input instead of width squared, with the same distribution.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from ib_utils.models.kernels import CRITICAL
from ib_utils.models.wide import ACTIVATIONS


def sample_variances(
    *,
    width: int,
    depth: int,
    n_networks: int,
    generator: torch.Generator,
    activation: str = "relu",
    weight_variance: float | None = None,
    start: float = 1.0,
) -> Float[Tensor, "network layer"]:
    """Variance of the next layer's units, layer by layer, for one input and many random networks.

    The output of a network with l hidden layers is Gaussian given column l, with that variance; over networks it is a
    mixture of Gaussians, and the spread of the column is all that keeps it from being one.

    Args:
        width: units of every hidden layer.
        depth: hidden layers.
        n_networks: networks to draw.
        generator: source of randomness.
        activation: "relu", "tanh", "erf" or "linear".
        weight_variance: of every layer, times its fan-in; the critical one of the activation if not given.
        start: variance of the first hidden layer's pre-activations.

    Returns:
        Variances; column 0 is ``start``, column l follows from hidden layer l.

    Raises:
        ValueError: an unknown activation.

    Source:
        The nearly Gaussian distributions of Roberts, Yaida and Hanin (2021). Explained in chapter *Infinite width and
        depth*.

    Example:
        >>> sample_variances(width=8, depth=3, n_networks=5, generator=torch.Generator().manual_seed(0)).shape
        torch.Size([5, 4])
    """
    if activation not in ACTIVATIONS:
        raise ValueError(f"unknown activation {activation!r}; allowed are {', '.join(ACTIVATIONS)}")
    scale = CRITICAL[activation] if weight_variance is None else weight_variance
    variance = torch.full((n_networks,), float(start), device=generator.device)
    columns = [variance]
    for _ in range(depth):
        units = torch.randn(n_networks, width, generator=generator, device=generator.device)
        hidden = ACTIVATIONS[activation](units * variance.sqrt()[:, None])
        variance = scale * (hidden**2).mean(1)
        columns.append(variance)
    return torch.stack(columns, 1)


def sample_grams(
    *,
    correlation: float,
    width: int,
    depth: int,
    n_networks: int,
    generator: torch.Generator,
    skip: float = 1.0,
    branches: Float[Tensor, " layer"] | None = None,
    weight_variance: float = 1.0,
) -> Float[Tensor, "network 2 2"]:
    """Inner products (over width) of two inputs behind the last layer of many random ReLU networks.

    A layer maps y to ``skip * y + branches[l] * W relu(y)``: with ``skip = 0`` it is fully connected and plain.

    Args:
        correlation: inner product of the two inputs, both of squared length 1 (over width).
        width: units of every layer.
        depth: layers.
        n_networks: networks to draw.
        generator: source of randomness.
        skip: factor on the layer's input.
        branches: factor on each layer's branch; depth^(-1/2) if not given.
        weight_variance: of W, times the width.

    Returns:
        A Gram matrix a network.

    Raises:
        ValueError: a correlation outside -1 to 1, or not one branch factor a layer.

    Source:
        Hayou and Yang (2023), Hayou (2023). Explained in chapter *Infinite width and depth*.

    Example:
        >>> sample_grams(correlation=0.2, width=8, depth=3, n_networks=5, generator=torch.Generator()).shape
        torch.Size([5, 2, 2])
    """
    if not -1 <= correlation <= 1:
        raise ValueError(f"correlation must lie between -1 and 1, got {correlation}")
    if branches is None:
        branches = torch.full((depth,), depth**-0.5)
    if len(branches) != depth:
        raise ValueError(f"got {len(branches)} branch factors for {depth} layers")

    def units(a: Tensor, b: Tensor, c: Tensor) -> Tensor:  # (2, network, width), independent Gaussian pairs
        z = torch.randn(2, n_networks, width, generator=generator, device=generator.device)
        root = a.sqrt()
        shared = torch.where(root > 0, c / root, 0.0)  # 0 where no unit is active any more
        rest = (b - shared**2).clamp_min(0).sqrt()  # (root, shared, rest): Cholesky factor of [[a, c], [c, b]]
        return torch.stack([root[:, None] * z[0], shared[:, None] * z[0] + rest[:, None] * z[1]])

    one = torch.ones(n_networks, device=generator.device)
    y = units(one, one, correlation * one)
    for factor in branches.tolist():
        h = y.relu()
        a, b, c = (h[0] ** 2).mean(1), (h[1] ** 2).mean(1), (h[0] * h[1]).mean(1)
        new = factor * math.sqrt(weight_variance) * units(a, b, c)
        y = skip * y + new
    return torch.einsum("anw,bnw->nab", y, y) / width
