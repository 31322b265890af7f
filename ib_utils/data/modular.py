"""Modular sums: a rule on a grid of integers whose modulus sets how quickly the label alternates."""

from typing import Any

import torch

from ib_utils.data.dataset import Dataset, split


def make_modular_sums(modulus: int, *, n_train: int, seed: int, n_values: int = 16, n_terms: int = 3) -> Dataset:
    """All tuples of ``n_terms`` integers from 0 to ``n_values - 1``; label 1 where their sum modulo M is at most M / 2.

    The smaller M, the higher the frequency at which the label alternates along the diagonal. Its classes are not even:
    with 16 values and M = 4 three quarters of the labels are 1, so compare with the majority's accuracy.

    Args:
        modulus: M, at least 2.
        n_train: tuples to train on; all others are for testing.
        seed: of the split.
        n_values: integers a term can be, scaled to the range from -1 to below 1.
        n_terms: terms of the sum.

    Returns:
        Inputs ``(n, n_terms)`` and labels 0 and 1.

    Raises:
        ValueError: a modulus below 2, or ``n_train`` that leaves nothing on one side.

    Source:
        Teney et al. (2024), Neural Redshift, whose number of terms was not found. Explained in chapter *Random
        networks*.

    Example:
        >>> make_modular_sums(10, n_train=3000, seed=0).x_train.shape
        torch.Size([3000, 3])
    """
    n_tuples = n_values**n_terms
    if modulus < 2 or not 2 <= n_train < n_tuples:
        raise ValueError(f"got modulus {modulus} (at least 2) and n_train={n_train} (2 to {n_tuples - 1})")
    terms = torch.cartesian_prod(*[torch.arange(n_values)] * n_terms).view(n_tuples, n_terms)
    labels = (terms.sum(1) % modulus <= modulus / 2).long()
    parts: dict[str, Any] = split(-1 + 2 * terms / n_values, labels, n_train=n_train, n_classes=2, seed=seed)
    return Dataset(
        **parts,
        n_classes=2,
        name=f"sums of {n_terms} integers below {n_values}, modulo {modulus}",
        source="generated",
        licence="none needed",
    )
