"""A symmetric matrix as a product U Uᵀ, and gradient descent on it: where the bias to low rank comes from."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from ib_utils.data.sensing import MatrixSensing, symmetric_coordinates, symmetric_matrix
from ib_utils.seeds import stream


def small_factors(seeds: Sequence[int], *, size: int, rank: int, scale: float) -> Float[Tensor, "replicate size rank"]:
    """Random Gaussian starts U of spectral norm ``scale``, one a seed.

    Example:
        >>> start = small_factors([0], size=4, rank=2, scale=0.1)
        >>> start.shape, round(float(torch.linalg.matrix_norm(start, 2)), 6)
        (torch.Size([1, 4, 2]), 0.1)
    """
    draws = [
        torch.randn(size, rank, generator=torch.Generator().manual_seed(stream(s, "init")), dtype=torch.float64)
        for s in seeds
    ]
    factors = torch.stack(draws)
    return scale * factors / torch.linalg.matrix_norm(factors, 2)[:, None, None]


def factorised_path(
    problem: MatrixSensing, factor: Float[Tensor, "replicate d rank"], *, learning_rate: float, n_steps: int
) -> Float[Tensor, "step replicate d d"]:
    """Gradient descent on U ↦ f(U Uᵀ) / 2, all replicates at once.

    Args:
        problem: gives the gradient G of f.
        factor: where U starts.
        learning_rate: U moves by ``-learning_rate * G(U Uᵀ) U``.
        n_steps: steps.

    Returns:
        U Uᵀ at the start and after every step, ``n_steps + 1`` in all.

    Source:
        Jin et al. (2023). Explained in chapter *Implicit regularisation*.

    Example:
        >>> from ib_utils.data import make_matrix_sensing
        >>> problem = make_matrix_sensing(size=4, eigenvalues=[2, 1], n_measurements=None, seeds=[0])
        >>> start = small_factors([0], size=4, rank=4, scale=1e-3)
        >>> path = factorised_path(problem, start, learning_rate=0.1, n_steps=300)
        >>> bool((path[-1] - problem.target).norm() < 1e-3)
        True
    """
    path = [factor @ factor.mT]
    for _ in range(n_steps):
        factor = factor - learning_rate * problem.gradient(path[-1]) @ factor
        path.append(factor @ factor.mT)
    return torch.stack(path)


def direct_path(problem: MatrixSensing, *, learning_rate: float, n_steps: int) -> Float[Tensor, "step replicate d d"]:
    """Gradient descent on f itself, from X = 0: the same loss without the product.

    Args:
        problem: gives the gradient.
        learning_rate: X moves by ``-learning_rate * G(X)``.
        n_steps: steps.

    Returns:
        X at the start and after every step.

    Explained in chapter *Implicit regularisation*.
    """
    path = [torch.zeros_like(problem.target)]
    for _ in range(n_steps):
        path.append(path[-1] - learning_rate * problem.gradient(path[-1]))
    return torch.stack(path)


def layered_path(
    gradient: Callable[[Tensor], Tensor],
    layers: Sequence[Float[Tensor, "replicate n_out n_in"]],
    *,
    learning_rate: float,
    n_steps: int,
) -> Float[Tensor, "step replicate n_out n_in"]:
    """Gradient descent on a product of matrices, a deep linear network: W = W_N … W_1, all replicates at once.

    Args:
        gradient: of the loss, at W. The chain rule does the rest: layer j moves along the gradient, multiplied from the
            left by the layers after it and from the right by those before it, all transposed.
        layers: where W_1, …, W_N start, the first layer first.
        learning_rate: of every layer.
        n_steps: steps.

    Returns:
        W at the start and after every step.

    Explained in chapter *Implicit regularisation*.

    Example:
        >>> target = torch.diag(torch.tensor([2.0, 1.0]))
        >>> layers = [0.1 * torch.eye(2)[None] for _ in range(3)]
        >>> path = layered_path(lambda w: w - target, layers, learning_rate=0.05, n_steps=500)
        >>> bool((path[-1] - target).norm() < 1e-3)
        True
    """
    path = []
    for step in range(n_steps + 1):
        products = [layers[0]]  # W_1, W_2 W_1, …
        for layer in layers[1:]:
            products.append(layer @ products[-1])
        path.append(products[-1])
        if step == n_steps:
            break
        pull, moved = gradient(products[-1]), []  # pull: the gradient seen from behind the layer at hand
        for place in reversed(range(len(layers))):
            slope = pull @ products[place - 1].mT if place else pull
            moved.append(layers[place] - learning_rate * slope)
            pull = layers[place].mT @ pull
        layers = moved[::-1]
    return torch.stack(path)


def minimum_trace(
    problem: MatrixSensing, *, n_measurements: int, n_steps: int = 3000
) -> Float[Tensor, "replicate d d"]:
    """The positive matrix of least trace (nuclear norm) that fits all measurements, by alternating projections (ADMM).

    Args:
        problem: fewer measurements than coordinates, and none redundant.
        n_measurements: how many were made, the rank of ``problem.gram``.
        n_steps: rounds.

    Returns:
        A matrix that fits the measurements to rounding and is positive up to what ADMM leaves.

    Source:
        The reference point of Gunasekar et al. (2017). Explained in chapter *Implicit regularisation*.

    Example:
        >>> from ib_utils.data import make_matrix_sensing
        >>> problem = make_matrix_sensing(size=6, eigenvalues=[1], n_measurements=18, seeds=[0])
        >>> bool((minimum_trace(problem, n_measurements=18) - problem.target).norm() < 1e-3)
        True
    """
    seen = torch.linalg.eigh(problem.gram).eigenvectors[..., -n_measurements:]  # the row space of the measurements
    goal = symmetric_coordinates(problem.target)
    trace = symmetric_coordinates(torch.eye(problem.target.shape[-1]).to(goal))
    positive, dual = torch.zeros_like(goal), torch.zeros_like(goal)
    for _ in range(n_steps):
        near = positive - dual - trace
        fit = near + (seen @ (seen.mT @ (goal - near)[..., None]))[..., 0]
        values, vectors = torch.linalg.eigh(symmetric_matrix(fit + dual))
        positive = symmetric_coordinates(vectors * values.clamp(min=0)[:, None] @ vectors.mT)
        dual = dual + fit - positive
    return symmetric_matrix(fit)


def best_rank_fit(
    problem: MatrixSensing, rank: int, *, step: float = 0.5, tolerance: float = 1e-9, n_steps: int = 2000
) -> Float[Tensor, "replicate d d"]:
    """The positive matrix of at most a given rank that fits the measurements best, by projected gradient descent.

    Alternates a step along the gradient of f with cutting off all but the ``rank`` largest (positive) eigenvalues, with
    momentum that starts anew where it points uphill. With the whole matrix in sight the answer is the truncated
    spectrum (Eckart and Young); with measurements it is not.

    Args:
        problem: gives the gradient.
        rank: largest rank.
        step: of the gradient; at most 1 where measurements are near-isotropic.
        tolerance: it ends when no replicate moves farther than this in a step, relative to its norm.
        n_steps: most rounds.

    Returns:
        A stationary point if the tolerance was met: the gradient of f at it vanishes on its column space.

    Explained in chapter *Implicit regularisation*.

    Example:
        >>> from ib_utils.data import make_matrix_sensing
        >>> problem = make_matrix_sensing(size=4, eigenvalues=[2, 1], n_measurements=None, seeds=[0])
        >>> torch.linalg.eigvalsh(best_rank_fit(problem, 1))[0].round(decimals=6).abs().tolist()
        [0.0, 0.0, 0.0, 2.0]
    """
    fit = before = torch.zeros_like(problem.target)
    age = torch.zeros_like(fit[:, :1, :1])  # steps since the momentum last started anew
    for _ in range(n_steps):
        look = fit + age / (age + 3) * (fit - before)
        values, vectors = torch.linalg.eigh(look - step * problem.gradient(look))
        values, vectors = values[:, -rank:].clamp(min=0), vectors[:, :, -rank:]
        before, fit = fit, vectors * values[:, None] @ vectors.mT
        moved = fit - before
        if (torch.linalg.matrix_norm(moved) <= tolerance * torch.linalg.matrix_norm(fit)).all():
            break
        uphill = ((look - fit) * moved).sum((1, 2), keepdim=True) > 0
        age = torch.where(uphill, 0, age + 1)
    return fit


def nearest_approach(
    path: Float[Tensor, "step replicate d d"], goal: Float[Tensor, "replicate d d"]
) -> tuple[Float[Tensor, " replicate"], Float[Tensor, " replicate"]]:
    """How near a path comes to a matrix, relative to that matrix's norm, and at which step.

    Example:
        >>> path = torch.tensor([0.0, 0.9, 2.0]).view(3, 1, 1, 1)
        >>> [round(float(x.squeeze()), 6) for x in nearest_approach(path, torch.ones(1, 1, 1))]
        [0.1, 1.0]
    """
    distance = torch.linalg.matrix_norm(path - goal) / torch.linalg.matrix_norm(goal)
    nearest = distance.min(0)
    return nearest.values, nearest.indices


def sigmoidal_mode(
    time: Float[Tensor, "time 1"], strength: Float[Tensor, " mode"], start: Float[Tensor, "*any mode"]
) -> Float[Tensor, "*any mode"]:
    """Size of a mode of a linear network with one hidden layer under gradient flow, if modes do not interact.

    Solves du/dt = 2 u (s − u) with u(0) = u₀: u(t) = s / (1 + (s / u₀ − 1) exp(−2 s t)).

    Args:
        time: learning rate times steps, broadcast against the modes.
        strength: s, the singular value to be learned.
        start: u₀, above 0.

    Returns:
        u(t).

    Source:
        Saxe, McClelland and Ganguli (2014). Explained in chapter *Implicit regularisation*.

    Example:
        >>> sigmoidal_mode(torch.tensor([[0.0], [100.0]]), torch.tensor([2.0]), torch.tensor([0.5])).tolist()
        [[0.5], [2.0]]
    """
    return strength / (1 + (strength / start - 1) * torch.exp(-2 * strength * time))
