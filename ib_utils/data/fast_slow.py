"""Examples with a feature that is learned fast and one that is learned slowly (Nguyen et al. 2024)."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ib_utils.data.dataset import Dataset
from ib_utils.seeds import stream

SLOW, FAST = 0, 1  # patches; the third holds noise


def make_fast_slow(
    *,
    slow_strength: float = 0.2,
    fast_strength: float = 1.0,
    fast_share: float = 0.9,
    noise: float,
    patch_size: int = 50,
    n_train: int,
    n_test: int = 1000,
    seed: int,
) -> Dataset:
    """Draw examples of three patches: a weak feature in all, a strong one in most, and noise.

    With label sign s = -1 or 1 the patches are ``slow_strength * s * v_slow``; ``fast_strength * s * v_fast``, or zeros
    in a share ``1 - fast_share`` of the examples; and Gaussian noise. Two orthogonal unit vectors are drawn anew with
    the data.

    Args:
        slow_strength, fast_strength: lengths of the two features.
        fast_share: share of the examples that have the fast feature; exact in training and test set alike.
        noise: root mean square length of the noise patch.
        patch_size: entries of a patch.
        n_train: training examples.
        n_test: test examples, of the same distribution.
        seed: of features and draws.

    Returns:
        Data of shape (3, patch_size), two classes; :func:`has_fast_feature` tells which examples have the fast one.

    Raises:
        ValueError: a share outside 0 to 1.

    Source:
        Nguyen, Haddad, Gan and Mirzasoleiman (2024), Changing the Training Data Distribution to Reduce Simplicity
        Bias Improves In-distribution Generalization, arXiv:2404.17768; strengths and share of its synthetic data.

    Explained in chapter *Simplicity bias: remedies*.

    Example:
        >>> make_fast_slow(noise=1.0, n_train=10, seed=0).x_train.shape
        torch.Size([10, 3, 50])
    """
    if not 0 <= fast_share <= 1:
        raise ValueError(f"fast_share={fast_share} must lie in 0 to 1")
    features = feature_directions(patch_size, seed=seed)

    def draw(n: int, purpose: str) -> tuple[Float[Tensor, "n 3 patch_size"], Int[Tensor, " n"]]:
        generator = torch.Generator().manual_seed(stream(seed, purpose))
        y = torch.randint(0, 2, (n,), generator=generator)
        sign = (2.0 * y - 1)[:, None]
        fast = torch.ones(n, 1)
        fast[torch.randperm(n, generator=generator)[: round((1 - fast_share) * n)]] = 0
        noises = noise / patch_size**0.5 * torch.randn(n, patch_size, generator=generator)
        return torch.stack(
            [slow_strength * sign * features[SLOW], fast_strength * sign * fast * features[FAST], noises], 1
        ), y

    return Dataset(
        *draw(n_train, "train"),
        *draw(n_test, "test"),
        n_classes=2,
        name=f"slow feature in all, fast one in {fast_share:.0%}",
        source="generated, after Nguyen et al. (2024)",
        licence="none needed",
    )


def feature_directions(patch_size: int, *, seed: int) -> Float[Tensor, "2 patch_size"]:
    """The slow and the fast feature of a seed: two orthogonal unit vectors."""
    generator = torch.Generator().manual_seed(stream(seed, "task"))
    return torch.linalg.qr(torch.randn(patch_size, 2, generator=generator)).Q.T


def has_fast_feature(x: Float[Tensor, "n 3 patch_size"]) -> Bool[Tensor, " n"]:
    """Which examples hold the fast feature."""
    return x[:, FAST].square().sum(1) > 0
