"""The energy that each hidden unit climbs on its own while a two-layer network learns a multiplication table."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def feature_energy(
    weights: Float[Tensor, "batch two_orders"],
    pairs: Float[Tensor, "batch order order"],
    table: Int[Tensor, "order order"],
) -> tuple[Float[Tensor, " batch"], Float[Tensor, "batch two_orders"]]:
    """Energy of units with quadratic activation, and its gradient.

    With ``f(a, b) = (u(a) + v(b))^2`` and Y the centred one-hot answers it is ``E = |Y^T f|^2 / 2``, summed over the
    pairs that are in the training set: how far the unit's mean activity differs between answers.

    Args:
        weights: u and v of each unit, one after the other.
        pairs: 1 for training pairs, 0 for the others, a set a unit.
        table: the answers.

    Source:
        Tian (2025). Explained in chapter *Grokking*.

    Example:
        >>> from ib_utils.data import cyclic_table
        >>> wave = torch.cos(2 * torch.pi * torch.arange(7) / 7).repeat(2)[None] / 7**0.5
        >>> energy, _ = feature_energy(wave, torch.ones(1, 7, 7), cyclic_table(7))
        >>> round(energy.item(), 4)  # order / 4, the largest of unit vectors on addition
        1.75
    """
    order, answers = len(table), table.flatten()
    zeros = weights.new_zeros(len(weights), order)
    counts = zeros.index_add(1, answers, pairs.flatten(1))
    shares = counts / counts.sum(1, keepdim=True)
    z = weights[:, :order, None] + weights[:, None, order:]  # (batch, a, b)
    f = (z.square() * pairs).flatten(1)
    h = zeros.index_add(1, answers, f) - shares * f.sum(1, keepdim=True)  # Y^T f: (batch, answer)
    back = 2 * z * pairs * (h[:, table] - (shares * h).sum(1)[:, None, None])
    return h.square().sum(1) / 2, torch.cat([back.sum(2), back.sum(1)], dim=1)


def ascend_feature_energy(
    weights: Float[Tensor, "batch two_orders"],
    pairs: Float[Tensor, "batch order order"],
    table: Int[Tensor, "order order"],
    *,
    n_steps: int = 150,
    step: float = 0.05,
) -> Float[Tensor, "batch two_orders"]:
    """Climb the energy over unit vectors, by steps of fixed length along the gradient.

    Args:
        weights: where each unit starts; taken to length 1.
        pairs: as in :func:`feature_energy`.
        table: the answers.
        n_steps: steps.
        step: length of a step before the result is taken back to length 1.

    Returns:
        Where each unit ends.
    """
    weights = torch.nn.functional.normalize(weights)
    for _ in range(n_steps):
        _, gradient = feature_energy(weights, pairs, table)
        weights = torch.nn.functional.normalize(weights + step * torch.nn.functional.normalize(gradient))
    return weights
