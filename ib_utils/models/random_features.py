"""Deep random features: a frozen random network whose last layer alone is trained, and the Gaussian model like it."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ib_utils.models.wide import ACTIVATIONS


def gaussian_parts(activation: str, variance: float) -> tuple[float, float, float]:
    """Linear coefficient, leftover and mean square of an odd activation at a Gaussian input.

    For z ~ N(0, variance), phi(z) = linear * z + rest with the rest uncorrelated with z.

    Args:
        activation: "tanh", "erf" or "linear": odd, so that its mean is 0.
        variance: of the input.

    Returns:
        (E[z phi(z)] / variance, standard deviation of the rest, E[phi(z)^2]).

    Raises:
        ValueError: an activation that is not odd.

    Source:
        kappa_1, kappa_* and r of Schröder et al. (2023).

    Example:
        >>> [round(part, 4) for part in gaussian_parts("tanh", 1.0)]
        [0.6057, 0.1656, 0.3943]
    """
    if activation not in ("tanh", "erf", "linear"):
        raise ValueError(f"activation {activation!r} is not odd; allowed are tanh, erf, linear")
    nodes, weights = np.polynomial.hermite_e.hermegauss(100)
    z = torch.from_numpy(nodes) * math.sqrt(variance)
    phi, weight = ACTIVATIONS[activation](z), torch.from_numpy(weights / weights.sum())
    linear = float((weight * z * phi).sum()) / variance
    square = float((weight * phi**2).sum())
    return linear, math.sqrt(max(0.0, square - linear**2 * variance)), square


class DeepRandomFeatures:
    """Layers h -> phi(W h / sqrt(fan-in)) with random frozen W, and for each the linear layer plus noise that is
    indistinguishable from it to a linear read-out in high dimension.

    Args:
        n_inputs: dimension of the input.
        widths: units of each layer.
        generator: draws the weights; its device is where everything lives.
        activation: "tanh", "erf" or "linear".
        input_variance: of an entry of the input.

    Raises:
        ValueError: an activation that is not odd.

    Source:
        Schröder, Cui, Dmitriev and Loureiro (2023). Explained in chapter *Learning at infinite width*.

    Example:
        >>> network = DeepRandomFeatures(20, [40, 40], generator=torch.Generator().manual_seed(0))
        >>> [tuple(h.shape) for h in network(torch.zeros(5, 20))]
        [(5, 40), (5, 40)]
    """

    def __init__(
        self,
        n_inputs: int,
        widths: Sequence[int],
        *,
        generator: torch.Generator,
        activation: str = "tanh",
        input_variance: float = 1.0,
    ):
        sizes, self.activation = [n_inputs, *widths], activation
        self.weights = [
            torch.randn(n_out, n_in, generator=generator, device=generator.device) / math.sqrt(n_in)
            for n_in, n_out in pairwise(sizes)
        ]
        self.parts: list[tuple[float, float]] = []
        variance = input_variance
        for _ in widths:
            linear, rest, variance = gaussian_parts(activation, variance)
            self.parts.append((linear, rest))

    def __call__(self, x: Float[Tensor, "batch n_inputs"]) -> list[Float[Tensor, "batch width"]]:
        """The features of every layer."""
        layers = []
        for weight in self.weights:
            x = ACTIVATIONS[self.activation](x @ weight.T)
            layers.append(x)
        return layers

    def equivalent(
        self, x: Float[Tensor, "batch n_inputs"], *, generator: torch.Generator
    ) -> list[Float[Tensor, "batch width"]]:
        """The features of the equivalent model: every layer linear, plus independent noise. Gaussian if x is."""
        layers = []
        for weight, (linear, rest) in zip(self.weights, self.parts, strict=True):
            x = linear * (x @ weight.T)
            x = x + rest * torch.randn(x.shape, generator=generator, device=x.device)
            layers.append(x)
        return layers

    def covariance(self, layer: int, *, input_variance: float = 1.0) -> Float[Tensor, "width width"]:
        """Covariance of a layer's features (counted from 0) that the recursion over layers predicts."""
        omega = input_variance * torch.eye(self.weights[0].shape[1], device=self.weights[0].device)
        for weight, (linear, rest) in zip(self.weights[: layer + 1], self.parts, strict=False):
            omega = linear**2 * weight @ omega @ weight.T + rest**2 * torch.eye(len(weight), device=weight.device)
        return omega
