"""What is left of a random network when its layers become infinitely wide: two kernels, computed layer by layer.

The NNGP kernel is the covariance of the outputs over random weights; the neural tangent kernel (NTK) says how far a
gradient step on one input moves the output at another. All networks here are in the parametrisation of Jacot et al.
(2018): weights are standard normal and each layer multiplies by sqrt(weight_variance / fan-in).
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

CRITICAL = {"relu": 2.0, "linear": 1.0, "erf": 1.0, "tanh": 1.0}  # weight variance that keeps a signal's size


class Kernels(NamedTuple):
    """The two kernels of an infinitely wide network between two sets of inputs.

    Args:
        nngp: covariance of the outputs over random weights, shape (inputs 1, inputs 2).
        ntk: neural tangent kernel, same shape.
    """

    nngp: Float[Tensor, "n1 n2"]
    ntk: Float[Tensor, "n1 n2"]


def dual(
    activation: str, q1: Float[Tensor, "*a"], q2: Float[Tensor, "*b"], q12: Float[Tensor, "*c"]
) -> tuple[Float[Tensor, "*c"], Float[Tensor, "*c"]]:
    """E[phi(u) phi(v)] and E[phi'(u) phi'(v)] for Gaussian u, v with variances q1, q2 and covariance q12.

    Args:
        activation: "relu", "erf" or "linear".
        q1, q2, q12: variances and covariance, of shapes that broadcast.

    Returns:
        Both expectations, in the shape of ``q12``.

    Raises:
        ValueError: an activation without closed form here.

    Source:
        ReLU: arc-cosine kernels, Cho and Saul (2009); erf: Williams (1997).

    Example:
        >>> one, c = torch.tensor(1.0), torch.tensor(0.0)
        >>> [round(float(x), 4) for x in dual("relu", one, one, c)]  # 1 / (2 pi) and 1 / 4
        [0.1592, 0.25]
    """
    if activation == "linear":
        return q12, torch.ones_like(q12)
    if activation == "relu":
        size = (q1 * q2).sqrt()
        angle = (q12 / size).clamp(-1, 1).arccos()
        slopes = (math.pi - angle) / (2 * math.pi)
        return size * angle.sin() / (2 * math.pi) + q12 * slopes, slopes
    if activation == "erf":
        a, b = 1 + 2 * q1, 1 + 2 * q2
        value = (2 / math.pi) * (2 * q12 / (a * b).sqrt()).clamp(-1, 1).arcsin()
        return value, (4 / math.pi) / (a * b - 4 * q12**2).sqrt()
    raise ValueError(f"no closed form for activation {activation!r}; allowed are relu, erf, linear")


def dense_kernels(
    x1: Float[Tensor, "n1 d"],
    x2: Float[Tensor, "n2 d"],
    *,
    depth: int,
    activation: str = "relu",
    weight_variance: float | None = None,
    bias_variance: float = 0.0,
) -> Kernels:
    """Kernels of an infinitely wide fully connected network with ``depth`` hidden layers and a linear read-out.

    Args:
        x1, x2: inputs.
        depth: hidden layers; 0 is a linear model.
        activation: "relu", "erf" or "linear".
        weight_variance: of every layer, times its fan-in; the critical one of the activation if not given.
        bias_variance: of every layer.

    Returns:
        NNGP kernel and neural tangent kernel (of one output unit).

    Raises:
        ValueError: an unknown activation, a negative depth, or inputs of different dimension.

    Source:
        Lee et al. (2018) for the NNGP kernel, Jacot et al. (2018) for the tangent kernel. Explained in chapters
        *Infinite width and depth* and *Learning at infinite width*.

    Example:
        >>> x = torch.eye(2)
        >>> dense_kernels(x, x, depth=1).nngp[0].round(decimals=4)
        tensor([1.0000, 0.3183])
    """
    if depth < 0:
        raise ValueError(f"depth must not be negative, got {depth}")
    return local_kernels(
        x1[:, None],
        x2[:, None],
        windows=[1] * depth,
        activation=activation,
        weight_variance=weight_variance,
        bias_variance=bias_variance,
    )


def local_kernels(
    x1: Float[Tensor, "n1 position channel"],
    x2: Float[Tensor, "n2 position channel"],
    *,
    windows: Sequence[int],
    activation: str = "relu",
    weight_variance: float | None = None,
    bias_variance: float = 0.0,
) -> Kernels:
    """Kernels of an infinitely wide network that merges neighbouring positions layer by layer, like a tree.

    A unit of hidden layer l looks at ``windows[l]`` neighbouring positions of the layer below; windows do not overlap.
    The read-out is linear in everything that is left. Whether positions share their weights makes no difference at
    infinite width, so this is the kernel of the convolutional and of the locally connected network alike.

    Args:
        x1, x2: inputs, a vector of ``channel`` numbers at each position.
        windows: positions merged by each hidden layer; their product divides the number of positions.
        activation: "relu", "erf" or "linear".
        weight_variance: of every layer, times its fan-in; the critical one of the activation if not given.
        bias_variance: of every layer.

    Returns:
        NNGP kernel and neural tangent kernel (of one output unit).

    Raises:
        ValueError: windows that do not divide the positions, inputs of different shape, or an unknown activation.

    Source:
        Cagnetta, Favero and Wyart (2023); Novak et al. (2019) for the absence of a trace of weight sharing. Explained
        in chapter *Learning at infinite width*.

    Example:
        >>> x = torch.randn(3, 4, 2, generator=torch.Generator().manual_seed(0))
        >>> local_kernels(x, x, windows=[1, 2, 2]).ntk.shape
        torch.Size([3, 3])
    """
    if x1.shape[1:] != x2.shape[1:]:
        raise ValueError(f"inputs have shapes {tuple(x1.shape[1:])} and {tuple(x2.shape[1:])}; they must agree")
    if activation not in ("relu", "erf", "linear"):
        raise ValueError(f"no closed form for activation {activation!r}; allowed are relu, erf, linear")
    n_positions, n_channels = x1.shape[1:]
    if n_positions % math.prod(windows) or min(windows, default=1) < 1:
        raise ValueError(f"windows {list(windows)} do not divide {n_positions} positions")
    variance = CRITICAL[activation] if weight_variance is None else weight_variance

    def layer(k: Tensor, window: int) -> Tensor:  # (position, n1, n2): mean over a window, times the weight variance
        return variance * k.unflatten(0, (-1, window)).mean(1)

    q1 = (x1**2).mean(2).T[:, :, None]  # (position, n1, 1)
    q2 = (x2**2).mean(2).T[:, None, :]  # (position, 1, n2)
    q12 = torch.einsum("apc,bpc->pab", x1, x2) / n_channels
    ntk = torch.zeros_like(q12)
    for window in windows:
        q1, q2, q12, ntk = (layer(k, window) for k in (q1, q2, q12, ntk))  # pre-activations of the hidden layer
        q1, q2, q12 = (q + bias_variance for q in (q1, q2, q12))
        ntk = ntk + q12  # this layer's own weights
        value, slope = dual(activation, q1, q2, q12)
        q1, q2 = (dual(activation, q, q, q)[0] for q in (q1, q2))
        q12, ntk = value, slope * ntk
    q12, ntk = (layer(k, len(k))[0] for k in (q12, ntk))
    return Kernels(q12 + bias_variance, ntk + q12 + bias_variance)


def residual_flow(
    correlation: float, *, time: float = 1.0, n_steps: int = 10_000, branch: Callable[[float], float] | None = None
) -> tuple[float, float]:
    """Squared length and inner product of two unit inputs behind an infinitely wide and deep residual ReLU network.

    The network adds W relu(y) / sqrt(depth) to y at each layer, W with entries of variance 1 / width. Its limit solves
    q_aa' = q_aa / 2 and q_ab' = E[relu(u) relu(v)] from time 0 to 1.

    Args:
        correlation: inner product of the two inputs over their dimension, both of squared length 1.
        time: sum of the squared branch scales; 1 for 1 / sqrt(depth).
        n_steps: layers of the infinitely wide network whose recursion is run; the limit is off by about 1 / n_steps.
        branch: squared scale of the branch as a function of the layer's place from 0 to 1, up to a factor; constant
            if not given.

    Returns:
        (q_aa, q_ab), in units of the inputs' squared length.

    Source:
        Hayou and Yang (2023) and Hayou (2023). Explained in chapter *Infinite width and depth*.

    Example:
        >>> q, c = residual_flow(1.0)
        >>> round(q, 3), round(c, 3)  # the square root of e
        (1.649, 1.649)
    """
    squares = [branch((step + 0.5) / n_steps) if branch else 1.0 for step in range(n_steps)]
    total = sum(squares)
    q, c = 1.0, correlation
    for square in squares:
        cosine = min(1.0, max(-1.0, c / q))
        angle = math.acos(cosine)
        gain = time * square / total
        c += gain * q * (math.sin(angle) + cosine * (math.pi - angle)) / (2 * math.pi)
        q += gain * q / 2
    return q, c
