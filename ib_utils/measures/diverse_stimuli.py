"""What does a unit ignore? Images that all excite it, and differ from each other as much as they can."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

Activation = Callable[[Float[Tensor, "unit image row column"]], Float[Tensor, "unit image"]]


def diverse_stimuli(
    activation: Activation,
    *,
    n_units: int,
    size: int,
    diversity: float,
    n_images: int = 6,
    n_steps: int = 200,
    learning_rate: float = 0.05,
    seed: int,
) -> tuple[Float[Tensor, "unit image row column"], Float[Tensor, "unit image"]]:
    """Batches of images of unit norm that excite each unit and lie far apart, by gradient ascent.

    What rises is the mean activation plus ``diversity`` times the smallest distance between two images of the batch,
    with each unit's activation in units of the largest found without the second term.

    Args:
        activation: images of all units to the units' activations; differentiable.
        n_units: units searched at once, each with a batch of its own.
        size: rows and columns of an image.
        diversity: weight of the distance; 0 gives independent restarts.
        n_images: images in a batch.
        n_steps, learning_rate: of Adam.
        seed: of the first images, which are noise.

    Returns:
        Images, and their activations relative to the largest found with diversity 0.

    Source: Cadena et al. (2018); distances in pixels, and the smallest one, as in their released program.

    Explained in chapter *Probing for state and invariance*.
    """
    generator = torch.Generator().manual_seed(seed)
    start = torch.randn(n_units, n_images, size, size, generator=generator)
    alone = ascend(activation, start, torch.ones(n_units), 0.0, n_steps, learning_rate)
    largest = activation(alone).detach().amax(1).abs().clamp(min=1e-9)
    images = ascend(activation, start, largest, diversity, n_steps, learning_rate) if diversity else alone
    return images, activation(images).detach() / largest[:, None]


def phase_coverage(
    images: Float[Tensor, "unit image row column"], waves: Float[Tensor, "unit 2 row column"]
) -> Float[Tensor, " unit"]:
    """How much of the circle of phases a batch of images covers: 1 less the length of the mean phase vector.

    Args:
        images: a batch a unit.
        waves: cosine and sine wave whose phase is meant, a pair a unit.

    Returns:
        0 where all images have one phase, 1 where the phases are spread evenly.

    Example:
        >>> waves = torch.eye(4)[:2].view(1, 2, 2, 2)
        >>> phase_coverage(torch.cat([waves, -waves], 1), waves).round(decimals=5).tolist()
        [1.0]
    """
    parts = torch.einsum("uirc,uprc->uip", images, waves)
    return 1 - torch.nn.functional.normalize(parts, dim=-1).mean(1).norm(dim=-1)


def ascend(
    activation: Activation,
    start: Tensor,
    scale: Float[Tensor, " unit"],
    diversity: float,
    n_steps: int,
    learning_rate: float,
) -> Tensor:
    """The images at the end of the ascent, each unit's activation divided by its ``scale``."""
    raw = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([raw], lr=learning_rate)
    pair = torch.triu_indices(start.shape[1], start.shape[1], 1)
    for _ in range(n_steps):
        images = raw / raw.flatten(2).norm(dim=2)[:, :, None, None]
        gain = (activation(images) / scale[:, None]).mean(1)
        if diversity:
            apart = (images[:, pair[0]] - images[:, pair[1]]).flatten(2).norm(dim=2)
            gain = gain + diversity * apart.amin(1)
        (gradient,) = torch.autograd.grad(-gain.sum(), raw)
        raw.grad = gradient
        optimizer.step()
        with torch.no_grad():  # back to unit norm, so that the step size keeps its meaning
            raw.mul_(math.sqrt(raw[0, 0].numel()) / raw.flatten(2).norm(dim=2)[:, :, None, None])
    return (raw / raw.flatten(2).norm(dim=2)[:, :, None, None]).detach()
