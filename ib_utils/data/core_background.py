"""Core features that tell the label and background features that do not, mixed by a random rotation."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ib_utils.data.dataset import Dataset


class CoreBackground(NamedTuple):
    """A task without any spurious correlation.

    Args:
        dataset: in its test inputs the background has the opposite sign.
        familiar: the test inputs with the background as in training.
        core: orthonormal directions of the core features.
        background: orthonormal directions of the background features.
    """

    dataset: Dataset
    familiar: Float[Tensor, "n_test n_inputs"]
    core: Float[Tensor, "n_core n_inputs"]
    background: Float[Tensor, "n_background n_inputs"]


def make_core_and_background(
    *,
    n_core: int = 32,
    n_background: int = 32,
    n_inputs: int = 64,
    centred: bool = False,
    n_train: int = 1000,
    n_test: int = 500,
    seed: int,
) -> CoreBackground:
    """Draw core features of the label's sign and backgrounds that are independent of the label.

    Core features are uniform between 0 and the label (-1 or 1). Background features are uniform between 0 and 1 in
    training, and between -1 and 0 under the shift.

    Args:
        n_core, n_background: features of each kind.
        n_inputs: dimension of the inputs, at least as many as features.
        centred: subtract the background's mean in training: uniform between -1/2 and 1/2, shifted to minus itself.
        n_train, n_test: examples.
        seed: of all draws, the rotation among them.

    Raises:
        ValueError: more features than inputs.

    Source:
        Zhang et al. (2024), Feature Contamination, arXiv:2406.03345, linear core features as in the authors' code.
        Explained in chapter *Shortcuts: harm and repair*.

    Example:
        >>> task = make_core_and_background(n_train=10, seed=0)
        >>> bool((task.dataset.x_train @ task.background.T > -1e-5).all())
        True
    """
    if n_core + n_background > n_inputs:
        raise ValueError(f"n_inputs={n_inputs} must be at least {n_core + n_background}, the number of features")
    generator = torch.Generator().manual_seed(seed)
    n = n_train + n_test
    y = torch.randint(0, 2, (n,), generator=generator)
    core = (2 * y[:, None] - 1) * torch.rand(n, n_core, generator=generator)
    background = torch.rand(n, n_background, generator=generator) - (0.5 if centred else 0.0)
    rotation = torch.linalg.qr(torch.randn(n_inputs, n_inputs, generator=generator))[0]
    to_core, to_background = rotation[:n_core], rotation[n_core : n_core + n_background]
    familiar = core @ to_core + background @ to_background
    shifted = core @ to_core - background @ to_background
    dataset = Dataset(
        familiar[:n_train],
        y[:n_train],
        shifted[n_train:],
        y[n_train:],
        n_classes=2,
        name="core and background features",
        source="generated, after Zhang et al. (2024)",
        licence="none needed",
        note="in the test set the background has the opposite sign",
    )
    return CoreBackground(dataset, familiar[n_train:], to_core, to_background)
