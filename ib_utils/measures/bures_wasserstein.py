"""The Bures-Wasserstein loss: how far the covariance that a linear generator makes is from a target covariance."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def bures_wasserstein_loss(
    weight: Float[Tensor, "*any d k"], root: Float[Tensor, "*any d d"], *, smoothing: float = 0.0
) -> Float[Tensor, "*any"]:
    """Squared Wasserstein distance between the Gaussians N(0, W Wᵀ + τ I) and N(0, R²).

    A linear generator x = W z makes the first from white noise z; τ = 0 is the generator itself.

    Args:
        weight: W.
        root: R, symmetric and positive, the square root of the target's covariance.
        smoothing: τ, the variance of white noise added to the output.

    Returns:
        tr(W Wᵀ + τ I) + tr R² − 2 tr (R (W Wᵀ + τ I) R)^½.

    Raises:
        ValueError: a negative smoothing.

    Source:
        Bréchet et al. (2023). Explained in chapter *Implicit regularisation*.

    Example:
        >>> bures_wasserstein_loss(torch.eye(2) * 3, torch.eye(2))  # each of two standard deviations is 2 too large
        tensor(8.)
    """
    if smoothing < 0:
        raise ValueError(f"smoothing must not be negative, got {smoothing}")
    d = root.shape[-1]
    variances = (weight**2).sum((-2, -1)) + (root**2).sum((-2, -1)) + smoothing * d
    if smoothing == 0:
        return variances - 2 * torch.linalg.svdvals(root @ weight).sum(-1)
    noise = smoothing * torch.eye(d, dtype=root.dtype, device=root.device)
    inner = root @ (weight @ weight.mT + noise) @ root
    return variances - 2 * torch.linalg.eigvalsh(inner).clamp(min=0).sqrt().sum(-1)


def bures_wasserstein_gradient(
    weight: Float[Tensor, "*any d k"], root: Float[Tensor, "*any d d"], *, smoothing: float = 0.0
) -> Float[Tensor, "*any d k"]:
    """Gradient of :func:`bures_wasserstein_loss` in W.

    Without smoothing it is 2 (W − R U Vᵀ) with R W = U S Vᵀ: the target pulls with a strength that does not depend on
    the size of W. That is what sets this loss apart from the square one, and it is undefined where R W loses rank.

    Args:
        weight, root, smoothing: as in :func:`bures_wasserstein_loss`.

    Returns:
        The gradient, in the shape of ``weight``.

    Source:
        Bréchet et al. (2023). Explained in chapter *Implicit regularisation*.

    Example:
        >>> bures_wasserstein_gradient(torch.eye(2) * 3, torch.eye(2)).tolist()
        [[4.0, 0.0], [0.0, 4.0]]
    """
    if smoothing == 0:
        left, _, right = torch.linalg.svd(root @ weight, full_matrices=False)
        return 2 * (weight - root @ left @ right)
    noise = smoothing * torch.eye(root.shape[-1], dtype=root.dtype, device=root.device)
    values, vectors = torch.linalg.eigh(root @ (weight @ weight.mT + noise) @ root)
    inverse_root = vectors / values.sqrt()[..., None, :] @ vectors.mT
    return 2 * (weight - root @ inverse_root @ root @ weight)


def square_gradient(weight: Float[Tensor, "*any d k"], root: Float[Tensor, "*any d d"]) -> Float[Tensor, "*any d k"]:
    """Gradient in W of half the squared distance between covariances, ‖W Wᵀ − R²‖² / 2.

    Example:
        >>> square_gradient(torch.eye(2) * 3, torch.eye(2)).tolist()
        [[48.0, 0.0], [0.0, 48.0]]
    """
    return 2 * (weight @ weight.mT - root @ root) @ weight


def spectral_subset(root: Float[Tensor, "d d"], chosen: tuple[int, ...]) -> Float[Tensor, "d k"]:
    """The generator that makes some of the target's principal components exactly and none of the others.

    Args:
        root: R, symmetric and positive.
        chosen: places of the components, 0 the largest.

    Returns:
        W with W Wᵀ = the sum of eigenvalue times projection over the chosen components. Each is a critical point of
        the Bures-Wasserstein loss over generators of its rank, and the loss there is the sum of the other eigenvalues.

    Source:
        Bréchet et al. (2023). Explained in chapter *Implicit regularisation*.

    Example:
        >>> spectral_subset(torch.diag(torch.tensor([3.0, 2.0, 1.0])), (0, 2)).abs().sum(0).tolist()
        [3.0, 1.0]
    """
    values, vectors = torch.linalg.eigh(root)
    places = [root.shape[-1] - 1 - place for place in chosen]
    return vectors[:, places] * values[places]
