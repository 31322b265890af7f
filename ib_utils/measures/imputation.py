"""What it costs to fill missing inputs with zeros: exactly, for linear models of known moments."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def imputed_risk(
    theta: Float[Tensor, "*any d"],
    second_moments: Float[Tensor, "*any d d"],
    coefficients: Float[Tensor, "*any d"],
    masks: Float[Tensor, "mask d"],
    probabilities: Float[Tensor, " mask"],
) -> Float[Tensor, "*any"]:
    """Mean squared error of x ↦ θᵀ(mask ⊙ x) on y = βᵀx, noise left out, by summing over all masks.

    Args:
        theta: θ, the weights of the predictor.
        second_moments: E[x xᵀ].
        coefficients: β.
        masks: 1 where an entry is seen, 0 where it is missing and filled with zero.
        probabilities: of the masks, drawn independently of x.

    Returns:
        The risk.

    Explained in chapter *Implicit regularisation*.

    Example:
        >>> seen_or_not, fair = torch.tensor([[0.0], [1.0]]), torch.tensor([0.5, 0.5])
        >>> one = torch.ones(1)
        >>> imputed_risk(one, torch.eye(1), one, seen_or_not, fair)
        tensor(0.5000)
    """
    errors = theta[..., None, :] * masks - coefficients[..., None, :]  # (..., mask, d)
    return ((errors @ second_moments * errors).sum(-1) * probabilities).sum(-1)


def ridge_risk(
    theta: Float[Tensor, "*any d"],
    second_moments: Float[Tensor, "*any d d"],
    coefficients: Float[Tensor, "*any d"],
    share_observed: float,
) -> Float[Tensor, "*any"]:
    """What :func:`imputed_risk` is if every entry is missing on its own with probability 1 − ρ: a ridge penalty.

    With ϑ = ρ θ it is the risk of ϑ on complete inputs plus λ Σⱼ E[xⱼ²] ϑⱼ², λ = (1 − ρ) / ρ.

    Args:
        theta: θ, the weights of the predictor on imputed inputs.
        second_moments: E[x xᵀ].
        coefficients: β.
        share_observed: ρ.

    Source:
        Ayme et al. (2023). Explained in chapter *Implicit regularisation*.

    Example:
        >>> ridge_risk(torch.ones(1), torch.eye(1), torch.ones(1), 0.5)
        tensor(0.5000)
    """
    scaled = share_observed * theta
    error = scaled - coefficients
    complete = (error * (second_moments @ error[..., None])[..., 0]).sum(-1)
    diagonal = second_moments.diagonal(dim1=-2, dim2=-1)
    return complete + _penalty(share_observed) * (diagonal * scaled**2).sum(-1)


def imputation_bias(
    second_moments: Float[Tensor, "*any d d"], coefficients: Float[Tensor, "*any d"], share_observed: float
) -> Float[Tensor, "*any"]:
    """The smallest risk that a linear predictor on zero-imputed inputs can have (noise left out): a ridge bias.

    Args:
        second_moments: E[x xᵀ].
        coefficients: β.
        share_observed: ρ, between 0 and 1.

    Returns:
        The minimum of :func:`ridge_risk` over θ.

    Raises:
        ValueError: a share outside 0 to 1.

    Source:
        Ayme et al. (2023). Explained in chapter *Implicit regularisation*.

    Example:
        >>> imputation_bias(torch.eye(3), torch.tensor([1.0, 0.0, 0.0]), 0.5)  # inputs that do not stand in for others
        tensor(0.5000)
    """
    penalty = torch.diag_embed(_penalty(share_observed) * second_moments.diagonal(dim1=-2, dim2=-1))
    pull = second_moments @ coefficients[..., None]
    best = torch.linalg.solve(second_moments + penalty, pull)[..., 0] / share_observed
    return ridge_risk(best, second_moments, coefficients, share_observed)


def factor_imputation_bias(
    loadings: Float[Tensor, "*any d factor"], goal: Float[Tensor, "*any factor"], share_observed: float
) -> Float[Tensor, "*any"]:
    """:func:`imputation_bias` for inputs x = L z of unit variance and y = aᵀz: λ aᵀ (Lᵀ L + λ I)⁻¹ a.

    Its cost does not grow with the cube of the number of inputs. Lᵀ L does grow with it, so the bias falls like 1 / d.

    Args:
        loadings: L, with rows of length 1.
        goal: a.
        share_observed: ρ.

    Explained in chapter *Implicit regularisation*.

    Example:
        >>> factor_imputation_bias(torch.ones(9, 1), torch.ones(1), 0.5)  # nine readings of one factor
        tensor(0.1000)
    """
    penalty = _penalty(share_observed)
    inner = loadings.mT @ loadings + penalty * torch.eye(loadings.shape[-1]).to(loadings)
    return penalty * (goal * torch.linalg.solve(inner, goal[..., None])[..., 0]).sum(-1)


def _penalty(share_observed: float) -> float:
    if not 0 < share_observed <= 1:
        raise ValueError(f"share_observed must lie above 0 and at most at 1, got {share_observed}")
    return (1 - share_observed) / share_observed
