"""Two cues that both predict the label: how well each does is one knob, how loudly it speaks another."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ib_utils.data.dataset import Dataset, split_at


class TwoCues(NamedTuple):
    """A task with a shortcut and a core cue.

    Args:
        dataset: inputs that show both cues along two directions, labels 0 and 1.
        means: of the shortcut and the core cue given label 1; minus that given label 0. Both have variance 1.
        embedding: takes latents (shortcut, core) to inputs; its rows are orthogonal, their lengths the amplitudes.
        optimal: weights on the latents of the Bayes-optimal rule, which is linear.
    """

    dataset: Dataset
    means: Float[Tensor, " cue"]
    embedding: Float[Tensor, "cue n_inputs"]
    optimal: Float[Tensor, " cue"]


def make_two_cues(
    *,
    predictivity: tuple[float, float],
    availability: float,
    correlation: float = 0.6,
    n_inputs: int = 100,
    n_train: int,
    n_test: int = 1000,
    seed: int,
) -> TwoCues:
    """Draw Gaussian latents given the label, and embed them in a random plane with unequal amplitudes.

    Args:
        predictivity: accuracy of the best rule that sees the shortcut alone, and the core cue alone; above 1/2.
        availability: amplitude of the shortcut over that of the core cue; their product is 1.
        correlation: of the two latents given the label.
        n_inputs: dimension of the inputs.
        n_train, n_test: examples.
        seed: of all draws, the plane among them.

    Raises:
        ValueError: a predictivity outside 1/2 to 1, an availability that is not positive, a correlation outside
            -1 to 1.

    Source:
        Hermann, Mobahi, Fel and Mozer (2024), On the Foundations of Shortcut Learning, arXiv:2310.16228. Explained in
        chapter *Shortcuts*.

    Example:
        >>> task = make_two_cues(predictivity=(0.9, 0.9), availability=4.0, n_train=10, seed=0)
        >>> task.dataset.input_shape, task.embedding.norm(dim=1)
        ((100,), tensor([2.0000, 0.5000]))
    """
    if not all(0.5 < p < 1 for p in predictivity):
        raise ValueError(f"predictivity={predictivity} must lie between 0.5 and 1, one for each cue")
    if not availability > 0 or not -1 < correlation < 1:
        raise ValueError(f"availability={availability} must be positive and correlation={correlation} between -1 and 1")
    generator = torch.Generator().manual_seed(seed)
    means = math.sqrt(2) * torch.erfinv(2 * torch.tensor(predictivity, dtype=torch.float64) - 1)
    covariance = torch.tensor([[1.0, correlation], [correlation, 1.0]], dtype=torch.float64)
    n = n_train + n_test
    y = torch.randint(0, 2, (n,), generator=generator)
    noise = torch.randn(n, 2, generator=generator, dtype=torch.float64) @ torch.linalg.cholesky(covariance).T
    z = (2 * y[:, None] - 1) * means + noise
    plane = torch.linalg.qr(torch.randn(n_inputs, 2, generator=generator, dtype=torch.float64))[0].T
    embedding = plane * torch.tensor([math.sqrt(availability), 1 / math.sqrt(availability)])[:, None]
    x = (z @ embedding).float()
    dataset = Dataset(
        **split_at(x, y, n_train),
        n_classes=2,
        name=f"two cues of predictivity {predictivity[0]:g} and {predictivity[1]:g}",
        source="generated, after Hermann et al. (2024)",
        licence="none needed",
    )
    return TwoCues(dataset, means.float(), embedding.float(), torch.linalg.solve(covariance, means).float())


def latent_grid(means: Float[Tensor, " cue"], *, n: int = 40) -> Float[Tensor, "point cue"]:
    """Points of an even grid over latents (shortcut, core) from minus to plus three means, none of them 0.

    Args:
        means: of the two cues.
        n: points a side, even.

    Example:
        >>> latent_grid(torch.tensor([1.0, 2.0]), n=2)
        tensor([[-1.5000, -3.0000],
                [-1.5000,  3.0000],
                [ 1.5000, -3.0000],
                [ 1.5000,  3.0000]])
    """
    ticks = 3 * (2 * torch.arange(n) + 1 - n) / n
    return torch.cartesian_prod(ticks * means[0], ticks * means[1])
