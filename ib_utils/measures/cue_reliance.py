"""Which of two cues decides where they disagree, and how much noise on the weights a decision stands."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call, vmap


def cue_reliance(
    scores: Float[Tensor, "*members point"], latents: Float[Tensor, "point cue"]
) -> Float[Tensor, " *members"]:
    """Share of disputed points decided by the first cue, minus the share decided by the second.

    A point is disputed where the cues' signs differ. The result is 1 for a rule that follows the first cue alone, -1
    for the second alone, 0 for one that weighs both alike.

    Args:
        scores: positive for the class of positive cues.
        latents: values of the two cues.

    Raises:
        ValueError: no point is disputed.

    Source:
        After Hermann et al. (2024), who read reliance off the decisions on an even grid of latents. Explained in
        chapter *Shortcuts*.

    Example:
        >>> z = torch.tensor([[1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]])
        >>> cue_reliance(z[:, 0], z), cue_reliance(z[:, 1], z)
        (tensor(1.), tensor(-1.))
    """
    disputed = latents[:, 0] * latents[:, 1] < 0
    if not disputed.any():
        raise ValueError("the two cues agree at all points: nothing tells which of them decides")
    return (scores.sign() * latents[:, 0].sign())[..., disputed].mean(-1)


@torch.no_grad()
def accuracy_under_noise(
    modules: Sequence[nn.Module],
    x: Float[Tensor, "module example ..."],
    y: Float[Tensor, "module example"],
    *,
    radii: Sequence[float],
    n_directions: int = 4,
    seed: int,
) -> Float[Tensor, "module radius"]:
    """Accuracy after a step of given length in random directions of weight space: flat minima keep it.

    Directions are normalised unit by unit: each row of a weight matrix, or filter, moves by a vector ``radius`` times
    as long as itself, so that rescaling a layer changes nothing. Biases move in proportion to their own length.

    Args:
        modules: networks of one architecture.
        x, y: inputs and labels, a set for each module.
        radii: step lengths relative to the weights.
        n_directions: random directions to average over.
        seed: of the directions, the same for all modules.

    Source:
        Filter normalisation: Li et al. (2018), Visualizing the Loss Landscape of Neural Nets. Explained in chapter
        *Shortcuts*.

    Example:
        >>> net = nn.Linear(2, 2)
        >>> x = torch.randn(1, 50, 2)
        >>> accuracy_under_noise([net], x, net(x).argmax(-1), radii=[0.0], seed=0)
        tensor([[1.]])
    """
    named = [dict(module.named_parameters()) for module in modules]
    stacked = {name: torch.stack([p[name] for p in named]) for name in named[0]}
    forward = vmap(lambda state, own: functional_call(modules[0], state, (own,)))
    generator = torch.Generator().manual_seed(seed)
    total = torch.zeros(len(modules), len(radii))
    for _ in range(n_directions):
        steps = {}
        for name, value in stacked.items():
            step = torch.randn(value.shape[1:], generator=generator).to(value.device).expand_as(value)
            unit = tuple(range(min(2, value.ndim - 1), value.ndim))  # its weights; of a bias, the whole
            length, drawn = (torch.linalg.vector_norm(v, dim=unit, keepdim=True) for v in (value, step))
            steps[name] = step * length / drawn
        for i, radius in enumerate(radii):
            moved = {name: value + radius * steps[name] for name, value in stacked.items()}
            total[:, i] += (forward(moved, x).argmax(-1) == y).float().mean(-1).cpu()
    return total / n_directions
