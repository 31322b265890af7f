"""Sums of waves on a circle or a line, one target a replicate, and functions to be continued beyond an interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from ib_utils.data.dataset import Dataset
from ib_utils.seeds import stream

SIGNALS = ("sine", "two sines", "square", "chirp")


def circle_points(n: int, *, bias: float = 1.0) -> Float[Tensor, "point 3"]:
    """Points of even spacing on a circle, with a constant coordinate that serves as a bias; all of length 1.

    Args:
        n: points.
        bias: the constant coordinate relative to the circle's radius; 0 for no bias.

    Returns:
        (cos t, sin t, bias) / sqrt(1 + bias^2) at the angles t = 2 pi i / n.

    Example:
        >>> circle_points(4, bias=0.0).round().abs().tolist()
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    angle = 2 * math.pi * torch.arange(n, dtype=torch.float64) / n
    points = torch.stack([angle.cos(), angle.sin(), torch.full_like(angle, bias)], 1)
    return points / math.sqrt(1 + bias**2)


def wave_targets(
    frequencies: Sequence[int], *, n_points: int, seeds: Sequence[int], amplitudes: float | Sequence[float] = 1.0
) -> Float[Tensor, "member point"]:
    """Sums of cosines with random phases at ``n_points`` even steps over one period, one a seed.

    Args:
        frequencies: whole cycles per period, below half of ``n_points``.
        n_points: values of each target.
        seeds: of the phases, one a member.
        amplitudes: of the waves; a number, or one a frequency.

    Raises:
        ValueError: a frequency that the points cannot show.

    Source:
        the targets of Rahaman et al. (2019), with other frequencies. Explained in chapter *Spectral bias*.

    Example:
        >>> y = wave_targets([1, 3], n_points=16, seeds=[0])
        >>> torch.fft.rfft(y).abs().round(decimals=6)[0, :5].tolist()
        [0.0, 8.0, 0.0, 8.0, 0.0]
    """
    if min(frequencies) < 0 or 2 * max(frequencies) >= n_points:
        raise ValueError(
            f"{n_points} points show frequencies from 0 to below {n_points / 2:g}, got {list(frequencies)}"
        )
    k = torch.tensor(list(frequencies), dtype=torch.float64)
    size = torch.as_tensor(amplitudes, dtype=torch.float64).expand(len(k))
    angle = 2 * math.pi * torch.arange(n_points, dtype=torch.float64) / n_points
    targets = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(stream(seed, "task"))
        phase = 2 * math.pi * torch.rand(len(k), generator=generator, dtype=torch.float64)
        targets.append(size @ torch.cos(k[:, None] * angle + phase[:, None]))
    return torch.stack(targets)


def make_signal(
    kind: str, *, seed: int, n_train: int = 64, n_test: int = 200, reach: float = 3.0, noise: float = 0.0
) -> Dataset:
    """A function on [-5, 5] to be learned, and beyond it, on [5, 5 reach], to be continued.

    Args:
        kind: "sine", "two sines" (frequencies in ratio 1 to 1.7), "square" (x^2) or "chirp" (a sine that rises in
            pitch). All have about unit variance on the interval; the angular frequency is drawn from 1.5 to 2.5, the
            phase from a full turn.
        seed: of frequency, phase and noise.
        n_train: points of even spacing on the interval.
        n_test: points of even spacing beyond it.
        reach: end of the test points, in units of the interval's end.
        noise: standard deviation of what is added to the training targets.

    Raises:
        ValueError: an unknown kind.

    Source:
        the setting of Ziyin, Hartwig and Ueda (2020), with sizes of our own. Explained in chapter *Spectral bias*.

    Example:
        >>> make_signal("sine", seed=0).x_test.min().item()
        5.0
    """
    if kind not in SIGNALS:
        raise ValueError(f"unknown kind {kind!r}; one of {SIGNALS}")
    generator = torch.Generator().manual_seed(stream(seed, "task"))
    u, v = torch.rand(2, generator=generator, dtype=torch.float64).tolist()
    frequency, phase = 1.5 + u, 2 * math.pi * v
    functions: dict[str, Callable[[Tensor], Tensor]] = {
        "sine": lambda x: 2**0.5 * torch.sin(frequency * x + phase),
        "two sines": lambda x: torch.sin(frequency * x + phase) + torch.sin(1.7 * frequency * x + 2 * phase),
        "square": lambda x: x**2 * (45 / 4) ** 0.5 / 25 + (v - 0.5),
        "chirp": lambda x: 2**0.5 * torch.sin(frequency * x * (1 + x / 20) + phase),
    }
    x_train = torch.linspace(-5, 5, n_train, dtype=torch.float64)[:, None]
    x_test = torch.linspace(5, 5 * reach, n_test, dtype=torch.float64)[:, None]
    spoil = torch.Generator().manual_seed(stream(seed, "noise"))
    added = noise * torch.randn(x_train.shape, generator=spoil, dtype=torch.float64)
    return Dataset(
        x_train=x_train.float(),
        y_train=(functions[kind](x_train) + added).float(),
        x_test=x_test.float(),
        y_test=functions[kind](x_test).float(),
        n_classes=0,
        name=f"{kind} on an interval, and beyond",
        source="generated",
        licence="public domain",
    )
