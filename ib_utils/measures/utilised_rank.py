"""How many directions a layer uses on its data, whatever the rank of its weights."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


def energy_rank(singular_values: Float[Tensor, " value"], share: float) -> int:
    """Fewest singular values whose squares add up to a share of the whole.

    Args:
        singular_values: in any order, not all zero.
        share: of the energy, above 0 and at most 1.

    Raises:
        ValueError: a share outside 0 to 1, or no energy.

    Example:
        >>> energy_rank(torch.tensor([3.0, 1.0, 0.1]), 0.95)
        2
    """
    if not 0 < share <= 1:
        raise ValueError(f"share must lie above 0 and at most at 1, got {share}")
    energy = singular_values.double().square().sort(descending=True).values
    if not energy.sum() > 0:
        raise ValueError("there is no energy: all singular values are zero")
    missing = 1 - energy.cumsum(0) / energy.sum()
    # rounding must not count zeros as needed for a share of 1
    return int((missing > 1 - share + 1e-12).sum()) + 1


@dataclass(frozen=True)
class Utilisation:
    """The subspaces on which a layer and its data interact.

    Args:
        inputs: orthonormal basis of the inputs' subspace S, shape (n_in, k_S).
        outputs: orthonormal basis of the outputs' subspace T, shape (n_out, k_T).
        projected: P_T W P_S, the weights that are left.
    """

    inputs: Float[Tensor, "n_in k_s"]
    outputs: Float[Tensor, "n_out k_t"]
    projected: Float[Tensor, "n_out n_in"]

    @property
    def rank(self) -> int:
        """The utilised rank, min(k_S, k_T)."""
        return min(self.inputs.shape[1], self.outputs.shape[1])

    @property
    def share(self) -> float:
        """The utilised rank over the full rank, min(n_in, n_out)."""
        return self.rank / min(self.projected.shape)


def utilisation(
    weight: Float[Tensor, "n_out n_in"], inputs: Float[Tensor, "example n_in"], *, share: float
) -> Utilisation:
    """Project a layer's weights on the directions in which its inputs lie and its outputs come out.

    S is spanned by the principal directions (not centred) of the inputs that hold a share of their energy; T likewise
    by those of the outputs W x, before the bias.

    Args:
        weight: W, as in ``nn.Linear``.
        inputs: what reaches the layer.
        share: of the energy to be kept on either side. The rank depends on it: vary it.

    Returns:
        The subspaces and the projected weights.

    Source:
        Garg et al. (2024), W' = P_S W P_T with inputs on the left. Explained in chapter *Implicit regularisation*.

    Example:
        >>> used = utilisation(torch.eye(3), torch.tensor([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), share=0.99)
        >>> used.rank, used.projected.diagonal().tolist()
        (2, [1.0, 1.0, 0.0])
    """
    s, t = (_principal_directions(x, share) for x in (inputs, inputs @ weight.mT))
    return Utilisation(s, t, t @ (t.mT @ weight @ s) @ s.mT)


def _principal_directions(x: Float[Tensor, "example n"], share: float) -> Float[Tensor, "n k"]:
    _, values, directions = torch.linalg.svd(x, full_matrices=False)
    return directions[: energy_rank(values, share)].mT
