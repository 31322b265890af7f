"""When a network learns which frequency: errors frequency by frequency, times of learning, and a kernel's spectrum.

Functions live on a grid of even spacing that covers one period.
"""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn


def frequency_errors(
    outputs: Float[Tensor, "*batch point"], targets: Float[Tensor, "*batch point"], frequencies: Sequence[int]
) -> Float[Tensor, "*batch frequency"]:
    """What is left of each wave of the target: the residual's amplitude at a frequency over the target's.

    Args:
        outputs, targets: values on the grid; shapes broadcast.
        frequencies: cycles per period, each with a wave in the target.

    Example:
        >>> t = torch.arange(8) / 8
        >>> wave = torch.cos(2 * torch.pi * t)
        >>> frequency_errors(0.25 * wave, wave, [1]).item()
        0.75
    """
    index = torch.tensor(list(frequencies))
    residual, target = (torch.fft.rfft(values)[..., index].abs() for values in (outputs - targets, targets))
    return residual / target


def learning_times(
    errors: Float[Tensor, "step *batch"], steps: Sequence[int], *, threshold: float = 0.5
) -> Float[Tensor, "*batch"]:
    """The first time at which an error is down to a threshold, with interpolation on logs between recorded steps.

    Args:
        errors: at the recorded steps.
        steps: when they were recorded, ascending.
        threshold: error that counts as learned.

    Returns:
        In steps; infinite where the threshold is never reached; the first recorded step where it is reached there.

    Explained in chapter *Spectral bias*.

    Example:
        >>> learning_times(torch.tensor([1.0, 0.7, 0.49]), [0, 10, 20], threshold=0.7).item()
        10.0
    """
    reached = errors <= threshold
    after = reached.int().argmax(0)
    before = (after - 1).clamp(min=0)
    e1, e0 = (errors.gather(0, i[None])[0].double() for i in (after, before))
    time = torch.tensor(list(steps), dtype=torch.float64)
    t1, t0 = time[after], time[before]
    share = torch.where(after == before, 1.0, (e0.log() - torch.tensor(threshold).double().log()) / (e0 / e1).log())
    return torch.where(reached.any(0), t0 + share * (t1 - t0), torch.inf)


def frequency_eigenvalues(kernel: Float[Tensor, "*batch point point"]) -> Float[Tensor, "*batch frequency"]:
    """What a kernel gives to each frequency from 0 to half the number of points: v* K v for the wave v of length 1.

    They are the eigenvalues if the kernel depends on the distance along the circle alone; otherwise the mean over the
    places at which the wave may stand.

    Explained in chapter *Spectral bias*.

    Example:
        >>> frequency_eigenvalues(torch.eye(4))
        tensor([1., 1., 1.])
    """
    n = kernel.shape[-1]
    both = torch.fft.ifft(torch.fft.fft(kernel, dim=-2), dim=-1)  # (*batch, frequency, frequency)
    return both.diagonal(dim1=-2, dim2=-1).real[..., : n // 2 + 1]


@torch.no_grad()
def snapshot_outputs(
    modules: Sequence[nn.Module],
    parameters: Mapping[str, Float[Tensor, "member ..."]],
    inputs: Sequence[Float[Tensor, "point ..."]],
) -> Float[Tensor, "member point"]:
    """Outputs of members on inputs of their own, such as encodings drawn anew for each, at a snapshot of training.

    Args:
        modules: the members of a ``Run``, of one output each.
        parameters: stacked, of one of its snapshots.
        inputs: one tensor a member.

    Example:
        >>> net = nn.Linear(1, 1)
        >>> state = {"weight": torch.full((1, 1, 1), 2.0), "bias": torch.zeros(1, 1)}
        >>> snapshot_outputs([net], state, [torch.tensor([[3.0]])]).tolist()
        [[6.0]]
    """
    outputs = []
    for i, (module, x) in enumerate(zip(modules, inputs, strict=True)):
        own = {name: value[i] for name, value in parameters.items()}
        like = next(iter(own.values()))
        outputs.append(torch.func.functional_call(module, own, (x.to(like.device, like.dtype),))[:, 0].cpu())
    return torch.stack(outputs)
