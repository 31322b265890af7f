"""Fully connected networks made to be drawn, not trained: many at once, and with every component that sets which
functions they are likely to be (activation, depth, weight scale, normalisation, residual paths, gates)."""

import math
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

RELU_MEAN, RELU_VARIANCE = 1 / math.sqrt(2 * math.pi), 0.5 - 0.5 / math.pi  # of relu(z) for z ~ N(0, 1)
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "gelu": F.gelu,
    "tanh": torch.tanh,
    "gaussian": lambda z: torch.exp(-(z**2).clamp(max=60) / 2),  # below 1e-13 it would reach slow denormal numbers
    "sine": torch.sin,
    "centred relu": lambda z: (z.relu() - RELU_MEAN) / math.sqrt(RELU_VARIANCE),
}


class RandomAffine(nn.Module):
    """Affine maps x W + b with uniform weights and biases, one a draw.

    Args:
        n_in, n_out: units before and after.
        weight_range, bias_range: entries are uniform between minus and plus these.
        n_draws: number of maps; None for a single one without a draw axis.
        generator: of the draw; None takes torch's global one.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        weight_range: float,
        bias_range: float,
        n_draws: int | None,
        generator: torch.Generator | None,
    ):
        super().__init__()
        draws = () if n_draws is None else (n_draws,)
        weight, bias = (torch.rand(*draws, rows, n_out, generator=generator) for rows in (n_in, 1))
        self.weight = nn.Parameter((2 * weight - 1) * weight_range)
        self.bias = nn.Parameter((2 * bias - 1) * bias_range)

    def forward(self, x: Float[Tensor, "*draw point n_in"]) -> Float[Tensor, "*draw point n_out"]:
        return x @ self.weight + self.bias


class RandomNetworks(nn.Module):
    """Untrained networks, ``n_draws`` of them side by side; or one that can be trained, if ``n_draws`` is None.

    Weights are uniform in ±s with s = weight_scale sqrt(6 / (fan_in + fan_out)), biases uniform in ±bias_scale. A
    hidden layer is h <- phi(prefactor (W h + b)), with what the flags add.

    Args:
        n_inputs: dimension of the functions' domain.
        widths: units of each hidden layer.
        n_outputs: numbers that the functions return.
        activation: a name in ``ACTIVATIONS``.
        weight_scale, bias_scale: the ranges above; a weight scale of 1 is Glorot's.
        prefactor: multiplies what goes into each activation: larger weights, as far as the function is concerned.
        layer_norm: bring each layer's preactivations to mean 0 and variance 1 over the units.
        residual: add a layer's input to its output wherever both have the same width.
        gated: multiply each activation with a logistic gate that has weights of its own.
        max_pool: keep the largest of so many neighbouring units; the layer's width shrinks accordingly.
        n_draws: number of networks.
        seed: of the draw; None draws from torch's global generator, as other modules do.

    Raises:
        ValueError: an unknown activation, or a width that ``max_pool`` does not divide.

    Source:
        Teney et al. (2024), Neural Redshift. Explained in chapters *Random networks* and *Untrained classifiers*.

    Example:
        >>> RandomNetworks(2, [64, 64], activation="tanh", n_draws=5, seed=0)(torch.zeros(7, 2)).shape
        torch.Size([5, 7, 1])
    """

    def __init__(
        self,
        n_inputs: int,
        widths: Sequence[int],
        n_outputs: int = 1,
        *,
        activation: str = "relu",
        weight_scale: float = 1.0,
        bias_scale: float = 1.0,
        prefactor: float = 1.0,
        layer_norm: bool = False,
        residual: bool = False,
        gated: bool = False,
        max_pool: int = 1,
        n_draws: int | None = None,
        seed: int | None = None,
    ):
        super().__init__()
        if activation not in ACTIVATIONS:
            raise ValueError(f"unknown activation {activation!r}; one of {list(ACTIVATIONS)}")
        if any(width % max_pool for width in widths):
            raise ValueError(f"max_pool={max_pool} does not divide the widths {list(widths)}")
        self.activation, self.prefactor, self.max_pool = ACTIVATIONS[activation], prefactor, max_pool
        self.layer_norm, self.residual = layer_norm, residual
        generator = None if seed is None else torch.Generator().manual_seed(seed)

        def affine(n_in: int, n_out: int) -> RandomAffine:
            glorot = math.sqrt(6 / (n_in + n_out))
            return RandomAffine(
                n_in,
                n_out,
                weight_range=weight_scale * glorot,
                bias_range=bias_scale,
                n_draws=n_draws,
                generator=generator,
            )

        seen = [n_inputs, *(width // max_pool for width in widths)]
        self.layers = nn.ModuleList(map(affine, seen, widths))
        self.gates = nn.ModuleList(map(affine, seen, widths if gated else ()))
        self.head = affine(seen[-1], n_outputs)

    def forward(self, x: Float[Tensor, "*draw point n_inputs"]) -> Float[Tensor, "*draw point n_outputs"]:
        return self.head(self.features(x))

    def features(
        self, x: Float[Tensor, "*draw point n_inputs"], n_layers: int | None = None
    ) -> Float[Tensor, "*draw point width"]:
        """What the hidden layers pass on, all or the first ``n_layers``; with none of them, the inputs."""
        h = x
        for i, layer in enumerate(self.layers[:n_layers]):
            z = layer(h)  # (draw, point, width)
            if self.layer_norm:
                z = F.layer_norm(z, z.shape[-1:])
            new = self.activation(self.prefactor * z)
            if self.gates:
                new = new * torch.sigmoid(self.gates[i](h))
            if self.max_pool > 1:
                new = new.unflatten(-1, (-1, self.max_pool)).amax(-1)
            h = h + new if self.residual and h.shape[-1] == new.shape[-1] else new
        return h


class FourierNetworks(nn.Module):
    """Random functions without any preference for low frequencies: each weight is the amplitude of one wave.

    One hidden layer of sine and cosine units with fixed input weights, one pair for each frequency that a grid of
    ``n_grid`` points a side can show on [-1, 1]^2, and random output weights: an inverse Fourier transform.

    Args:
        n_grid: points a side of the grid on which the functions will be looked at.
        n_draws: number of functions.
        weight_scale: output weights are uniform in ±weight_scale.
        seed: of the draw.

    Source:
        Teney et al. (2024), Neural Redshift: their "unbiased model". Explained in chapter *Random networks*.

    Example:
        >>> FourierNetworks(8, n_draws=3, seed=0)(torch.zeros(5, 2)).shape
        torch.Size([3, 5, 1])
    """

    def __init__(self, n_grid: int, *, n_draws: int, weight_scale: float = 1.0, seed: int = 0):
        super().__init__()
        half = n_grid // 2
        pairs = [(k, m) for k in range(half + 1) for m in range(-half + 1, half + 1) if (k, m) > (0, 0)]
        self.frequencies: Tensor
        self.register_buffer("frequencies", torch.pi * torch.tensor(pairs, dtype=torch.float32).T)  # (2, wave)
        generator = torch.Generator().manual_seed(seed)
        self.weight = nn.Parameter(weight_scale * (2 * torch.rand(n_draws, 2 * len(pairs), 1, generator=generator) - 1))

    def forward(self, x: Float[Tensor, "point 2"]) -> Float[Tensor, "draw point 1"]:
        phase = x @ self.frequencies
        return torch.cat([phase.sin(), phase.cos()], -1) @ self.weight


def grid_points(n: int, *, nodes: Float[Tensor, " n"] | None = None) -> Float[Tensor, "point 2"]:
    """The points of an n x n grid on [-1, 1]^2, row by row: equally spaced cells, or any given ``nodes`` a side.

    Example:
        >>> grid_points(2).tolist()
        [[-1.0, -1.0], [-1.0, 0.0], [0.0, -1.0], [0.0, 0.0]]
    """
    side = -1 + 2 * torch.arange(n) / n if nodes is None else nodes.float()
    return torch.cartesian_prod(side, side)
