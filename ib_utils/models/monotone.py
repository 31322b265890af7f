"""Networks whose weights are not allowed to be negative, and what becomes of them with fixed signs."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh}
SIGNS = ("positive", "fixed", "free")


class SignedLinear(nn.Module):
    """A linear layer whose weights have given signs; biases are free.

    ``weight = sign * softplus(raw)``, where the signs are all +1 ("positive"), one drawn for each input neuron and kept
    ("fixed"), or where ``weight = raw`` ("free"). Start: magnitudes uniform in [0.1, 1.9] / fan_in where signs are
    given, so that a unit starts as an average of its inputs; free weights start as in ``torch.nn.Linear``.

    Args:
        n_in, n_out: size of input and output.
        signs: "positive", "fixed" or "free".

    Raises:
        ValueError: unknown signs.
    """

    def __init__(self, n_in: int, n_out: int, *, signs: str = "positive"):
        super().__init__()
        if signs not in SIGNS:
            raise ValueError(f"signs must be one of {SIGNS}, got {signs!r}")
        self.free = signs == "free"
        linear = nn.Linear(n_in, n_out)
        start = linear.weight.detach() if self.free else _inverse_softplus((0.1 + 1.8 * torch.rand(n_out, n_in)) / n_in)
        self.raw = nn.Parameter(start)
        self.bias = nn.Parameter(linear.bias.detach())
        # a parameter, so that members of an ensemble keep signs of their own; detached below, so that none is trained
        self.sign = nn.Parameter(torch.randint(0, 2, (n_in,)) * 2.0 - 1 if signs == "fixed" else torch.ones(n_in))

    @property
    def weight(self) -> Float[Tensor, "n_out n_in"]:
        return self.raw if self.free else self.sign.detach() * F.softplus(self.raw)

    def forward(self, x: Float[Tensor, "batch n_in"]) -> Float[Tensor, "batch n_out"]:
        return x @ self.weight.T + self.bias


class MonotoneMLP(nn.Module):
    """Multilayer perceptron with one output and, by default, no negative weight.

    With non-decreasing activations and weights of at least 0 each unit is a non-decreasing function of the layer below,
    so x <= x' in every input implies f(x) <= f(x'). Classes 0 and 1 get the scores 0 and f(x): a free score for each
    class would undo the constraint, as the difference of two non-decreasing functions can be anything.

    Args:
        input_shape: shape of one example; it is flattened.
        widths: units of each hidden layer.
        activation: "relu" or "tanh". With ReLU and weights of at least 0 the function is convex too.
        signs: "positive", "fixed" (a random sign for each neuron, kept) or "free".
        mirrored: give the network (x, -x) instead of x; then it is no longer bound to be monotone in x.

    Raises:
        ValueError: unknown activation or signs.

    Source:
        Wang et al. (2022), Why do networks have inhibitory/negative connections?, arXiv:2208.03211.

    Explained in chapter *No free lunch*.

    Example:
        >>> network = MonotoneMLP((2,), [8, 8])
        >>> low, high = torch.zeros(1, 2), torch.ones(1, 2)
        >>> bool(network.value(low) <= network.value(high))
        True
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        widths: Sequence[int],
        *,
        activation: str = "tanh",
        signs: str = "positive",
        mirrored: bool = False,
    ):
        super().__init__()
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation must be one of {sorted(ACTIVATIONS)}, got {activation!r}")
        self.activation, self.mirrored = ACTIVATIONS[activation], mirrored
        sizes = [torch.Size(input_shape).numel() * (1 + mirrored), *widths, 1]
        self.layers = nn.ModuleList(SignedLinear(a, b, signs=signs) for a, b in pairwise(sizes))

    def value(self, x: Float[Tensor, "batch ..."]) -> Float[Tensor, " batch"]:
        """The one output, f(x)."""
        h = x.flatten(1)
        h = torch.cat([h, -h], 1) if self.mirrored else h
        for layer in self.layers[:-1]:
            h = self.activation(layer(h))
        return self.layers[-1](h)[:, 0]

    def forward(self, x: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch 2"]:
        """Scores of the classes 0 and 1: 0 and f(x)."""
        f = self.value(x)
        return torch.stack([torch.zeros_like(f), f], 1)


def _inverse_softplus(x: Tensor) -> Tensor:
    return x + torch.log(-torch.expm1(-x))
