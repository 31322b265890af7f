"""Two-layer ReLU networks of which only the hidden layer learns: the setting in which training has a closed form.

The output weights are fixed signs. Each hidden unit comes twice, with opposite signs, so the network starts at zero and
its tangent kernel is that of its independent units, half of all. Many members run side by side by gradient descent that
is written out, so that the residual can be changed on its way to the weights (`ib_utils.models.gradient_adjustment`).
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ib_utils.models.kernels import dual
from ib_utils.seeds import stream

Weights = Float[Tensor, "member width n_inputs"]
OPTIMIZERS = ("sgd", "adam")


class Path(NamedTuple):
    """Where training went.

    Args:
        outputs: of each member on its training inputs at the recorded steps, in the order in which they were asked for.
        weights: of the hidden layer after the last step.
    """

    outputs: Float[Tensor, "step member point"]
    weights: Weights


def paired_weights(seeds: Sequence[int], *, width: int, n_inputs: int = 3) -> Weights:
    """Standard normal hidden weights, the second half a copy of the first (their output signs are opposite).

    Raises:
        ValueError: an odd width.
    """
    if width % 2:
        raise ValueError(f"units come in pairs: width must be even, got {width}")
    halves = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(stream(seed, "init"))
        halves.append(torch.randn(width // 2, n_inputs, generator=generator, dtype=torch.float64))
    return torch.stack(halves).repeat(1, 2, 1)


def two_layer_kernel(x: Float[Tensor, "point n_inputs"]) -> Float[Tensor, "point point"]:
    """Tangent kernel of the hidden layer at infinite width: x . x' (pi - angle) / (2 pi).

    Source:
        Basri et al. (2019). Explained in chapter *Spectral bias*.

    Example:
        >>> two_layer_kernel(torch.eye(2))
        tensor([[0.5000, 0.0000],
                [0.0000, 0.5000]])
    """
    inner, square = x @ x.T, (x * x).sum(1)
    return inner * dual("relu", square[:, None], square, inner)[1]


def two_layer_ntk(x: Float[Tensor, "point n_inputs"], weights: Weights) -> Float[Tensor, "member point point"]:
    """Tangent kernel of the hidden layer as it is: x . x' times the share of units that are active at both.

    Example:
        >>> from ib_utils.data import circle_points
        >>> wide = two_layer_ntk(circle_points(5), paired_weights([0], width=20000))[0]
        >>> bool((wide - two_layer_kernel(circle_points(5))).abs().max() < 0.02)
        True
    """
    active = (weights @ x.T.to(weights.dtype) > 0).to(weights.dtype)  # (member, width, point)
    return (x @ x.T).to(weights.dtype) * (active.mT @ active) / weights.shape[1]


def two_layer_path(
    x: Float[Tensor, "point n_inputs"],
    y: Float[Tensor, "member point"],
    weights: Weights,
    *,
    learning_rate: float,
    n_steps: int,
    record_at: Sequence[int],
    adjustment: Float[Tensor, "*member point point"] | None = None,
    optimizer: str = "sgd",
) -> Path:
    """Train the hidden layer on the mean squared error, with the residual r replaced by S r if S is given.

    Args:
        x: training inputs, the same for all members.
        y: targets, a row a member.
        weights: of :func:`paired_weights`.
        learning_rate: of gradient descent on ``mean((f - y)^2)``, full batch; or of Adam.
        n_steps: how many.
        record_at: steps at which outputs are kept, at most ``n_steps``; 0 is the start.
        adjustment: S, one for all members or one a member.
        optimizer: "sgd" or "adam".

    Raises:
        ValueError: an unknown optimizer.
        KeyError: a step to be recorded that is not among the ``n_steps``.

    Explained in chapter *Spectral bias*.
    """
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"unknown optimizer {optimizer!r}; one of {OPTIMIZERS}")
    width, n_points = weights.shape[1], len(x)
    w = weights.clone()
    x, y = x.to(w.dtype), y.to(w.dtype)
    signs = torch.ones(width, dtype=w.dtype) / math.sqrt(width)
    signs[width // 2 :] *= -1
    make = torch.optim.SGD if optimizer == "sgd" else torch.optim.Adam
    stepper = make([w], lr=learning_rate)
    outputs = {}
    for step in range(n_steps + 1):
        before = w @ x.T  # (member, width, point)
        f = torch.einsum("w,mwp->mp", signs, before.relu())
        if step in record_at:
            outputs[step] = f
        if step == n_steps:
            break
        residual = f - y
        if adjustment is not None:
            residual = torch.einsum("...pq,...q->...p", adjustment.to(w.dtype), residual)
        gated = torch.where(before > 0, residual[:, None], 0.0)
        w.grad = (2 / n_points) * signs[:, None] * (gated @ x)
        stepper.step()
    return Path(torch.stack([outputs[step] for step in record_at]), w)
