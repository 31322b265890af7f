"""Linear regression with missing inputs: correlated inputs that share a few factors, and ways to lose entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ib_utils.seeds import stream

MECHANISMS = ("independent", "together", "large")


@dataclass(frozen=True)
class FactorRegression:
    """Inputs x = L z with hidden standard normal factors z, targets y = aᵀz + noise; one problem a replicate.

    Args:
        x: complete inputs, each of mean 0 and variance 1.
        y: targets; the part without noise has variance 1.
        loadings: L.
        goal: a, of length 1.

    Explained in chapter *Implicit regularisation*.
    """

    x: Float[Tensor, "replicate example d"]
    y: Float[Tensor, "replicate example"]
    loadings: Float[Tensor, "replicate d factor"]
    goal: Float[Tensor, "replicate factor"]

    @property
    def coefficients(self) -> Float[Tensor, "replicate d"]:
        """The smallest β with βᵀx = aᵀz."""
        return (torch.linalg.pinv(self.loadings).mT @ self.goal[..., None])[..., 0]

    @property
    def covariance(self) -> Float[Tensor, "replicate d d"]:
        """E[x xᵀ] = L Lᵀ."""
        return self.loadings @ self.loadings.mT


def make_factor_regression(
    *, n_examples: int, n_features: int, n_factors: int | None, noise: float, seeds: Sequence[int]
) -> FactorRegression:
    """Regression on inputs that stand in for one another, or (without factors) on independent ones.

    With fewer factors than features the inputs are redundant: each is a noiseless reading of the same few factors. The
    loadings of a feature do not depend on how many features there are, so more features are more readings.

    Args:
        n_examples: examples a replicate.
        n_features: d.
        n_factors: hidden factors; None: as many as features and L the identity, so that no input stands in for another.
        noise: standard deviation of the noise on y.
        seeds: one a replicate, of loadings, a, z and noise.

    Raises:
        ValueError: more factors than features: βᵀx could not be aᵀz.

    Source:
        Low-rank and isotropic inputs of Ayme et al. (2023). Explained in chapter *Implicit regularisation*.

    Example:
        >>> problem = make_factor_regression(n_examples=9, n_features=5, n_factors=2, noise=0.1, seeds=[0])
        >>> problem.x.shape, problem.covariance[0].diagonal().round(decimals=6).tolist()
        (torch.Size([1, 9, 5]), [1.0, 1.0, 1.0, 1.0, 1.0])
    """
    k = n_features if n_factors is None else n_factors
    if k > n_features:
        raise ValueError(f"{k} factors cannot be read off {n_features} features")
    columns: list[tuple[Tensor, ...]] = []
    for seed in seeds:
        draw = {name: torch.Generator().manual_seed(stream(seed, name)) for name in ("task", "data", "noise")}
        goal = torch.randn(k, generator=draw["task"], dtype=torch.float64)
        goal = goal / goal.norm()
        loadings = torch.eye(k, dtype=torch.float64)
        if n_factors is not None:
            loadings = torch.randn(n_features, k, generator=draw["task"], dtype=torch.float64)
            loadings = loadings / loadings.norm(dim=1, keepdim=True)
        z = torch.randn(n_examples, k, generator=draw["data"], dtype=torch.float64)
        y = z @ goal + noise * torch.randn(n_examples, generator=draw["noise"], dtype=torch.float64)
        columns.append((z @ loadings.T, y, loadings, goal))
    x, y, loadings, goals = (torch.stack(column) for column in zip(*columns, strict=True))
    return FactorRegression(x, y, loadings, goals)


def draw_observed(
    x: Float[Tensor, "replicate example d"], *, share: float, mechanism: str, seeds: Sequence[int]
) -> Bool[Tensor, "replicate example d"]:
    """Which entries are seen.

    Args:
        x: standardised inputs.
        share: of the entries that are seen, on average.
        mechanism: "independent": each entry is lost on its own, whatever its value (missing completely at random);
            "together": all entries of an example are seen, or none; "large": entries above a threshold are lost
            (missing depending on value).
        seeds: one a replicate.

    Raises:
        ValueError: an unknown mechanism, or a share outside 0 to 1.

    Explained in chapter *Implicit regularisation*.

    Example:
        >>> x = torch.tensor([[[-1.0, 0.5, 2.0]]])
        >>> draw_observed(x, share=0.5, mechanism="large", seeds=[0]).tolist()
        [[[True, False, False]]]
    """
    if mechanism not in MECHANISMS:
        raise ValueError(f"unknown mechanism {mechanism!r}; allowed are {', '.join(MECHANISMS)}")
    if not 0 < share <= 1:
        raise ValueError(f"share must lie above 0 and at most at 1, got {share}")
    if mechanism == "large":
        return x < torch.special.ndtri(torch.tensor(share, dtype=x.dtype))
    shape = x.shape[1:] if mechanism == "independent" else (x.shape[1], 1)
    draws = [torch.rand(shape, generator=torch.Generator().manual_seed(stream(s, "missing"))) for s in seeds]
    return (torch.stack(draws) < share).expand(x.shape)
