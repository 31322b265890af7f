"""A core feature, a loud cue that usually agrees with it, and noise by which an example is told from all others."""

from __future__ import annotations

import torch

from ib_utils.data.dataset import Dataset


def make_noisy_cue(
    *,
    noise: float,
    agreement: float = 0.9,
    cue_scale: float = 5.0,
    n_noise: int = 1798,
    n_train: int = 1000,
    n_test: int = 1000,
    seed: int,
) -> Dataset:
    """Draw inputs (core, cue, noise ...) with labels 0 and 1; in the test set the cue says nothing.

    The core feature is -1 or 1 by the label plus noise of standard deviation 0.12. The cue is made alike but has the
    label's sign for a share ``agreement`` of the examples only, and is ``cue_scale`` times as large.

    Args:
        noise: standard deviation of each noise feature.
        agreement: share of training examples whose cue agrees with the label; 1/2 in the test set.
        cue_scale: size of the cue.
        n_noise: noise features.
        n_train, n_test: examples.
        seed: of all draws.

    Raises:
        ValueError: an agreement outside 0 to 1, or negative noise.

    Source:
        Bayat et al. (2025), The Pitfalls of Memorization, arXiv:2412.07684, Fig. 1, as in the authors' code.
        Explained in chapter *Shortcuts: harm and repair*.

    Example:
        >>> data = make_noisy_cue(noise=0.0, n_noise=3, n_train=10, seed=0)
        >>> data.x_train.shape, data.x_train[:, 2:].abs().max().item()
        (torch.Size([10, 5]), 0.0)
    """
    if not 0 <= agreement <= 1 or noise < 0:
        raise ValueError(f"agreement={agreement} must lie in 0 to 1 and noise={noise} must not be negative")
    generator = torch.Generator().manual_seed(seed)
    parts = []
    for n, share in ((n_train, agreement), (n_test, 0.5)):
        y = torch.randint(0, 2, (n,), generator=generator)
        sign = (2 * y - 1).float()
        core, cue = (sign * (1 + 0.12 * torch.randn(n, generator=generator)) for _ in range(2))
        disagrees = torch.randperm(n, generator=generator)[: round((1 - share) * n)]
        cue[disagrees] *= -1
        rest = noise * torch.randn(n, n_noise, generator=generator)
        parts.append((torch.cat([core[:, None], cue_scale * cue[:, None], rest], 1), y))
    train, test = parts
    return Dataset(
        *train,
        *test,
        n_classes=2,
        name=f"core and cue, noise {noise:g}",
        source="generated, after Bayat et al. (2025)",
        licence="none needed",
        note=f"the cue agrees with the label for {agreement:.0%} of the training and half of the test examples",
    )
