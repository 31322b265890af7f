"""A signal in one of many patches, generated: the smallest task on which looking locally and sharing weights pay."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ib_utils.data.dataset import Dataset
from ib_utils.seeds import stream

Turned = Literal["whole", "alike", "apart"]


def make_signal_in_patch(
    *,
    n_patches: int,
    patch_size: int,
    noise: float,
    n_train: int,
    n_test: int = 1000,
    pinned: bool = False,
    seed: int,
) -> Dataset:
    """Draw the dynamic signal distribution: one patch holds a signed signal, every entry holds noise.

    With y = -1 or 1 at random and a position p uniform over the patches,
    x_p = y w + noise, x_q = noise for q != p, where the noise is independent Gaussian and w a unit vector, the same in
    all examples. The label (0 for y = -1, 1 for y = 1) says nothing of the position.

    Args:
        n_patches: patches in an example, k.
        patch_size: entries of a patch, d.
        noise: standard deviation of each entry, in units of the signal's length.
        n_train: training examples.
        n_test: test examples.
        pinned: the signal sits in the first patch always.
        seed: of the signal w (stream "task") and of the examples.

    Returns:
        A data set of signals of shape (1, n_patches * patch_size), patches one after the other, two classes.

    Raises:
        ValueError: if a size is below 1, or the noise is negative.

    Source:
        Lahoti, Karp, Winston, Singh and Li (2024), Role of Locality and Weight Sharing in Image-Based Tasks,
        arXiv:2403.15707, "dynamic signal distribution".

    Explained in chapter *Locality and weight sharing, counted in samples*.

    Example:
        >>> make_signal_in_patch(n_patches=4, patch_size=3, noise=0.3, n_train=10, seed=0).x_train.shape
        torch.Size([10, 1, 12])
    """
    sizes = {"n_patches": n_patches, "patch_size": patch_size, "n_train": n_train, "n_test": n_test}
    if wrong := {name: size for name, size in sizes.items() if size < 1}:
        raise ValueError(f"sizes must be at least 1, got {wrong}")
    if noise < 0:
        raise ValueError(f"noise={noise} must not be negative")
    signal = signal_direction(patch_size, seed=seed)

    def draw(n: int, purpose: str) -> tuple[Float[Tensor, "n 1 size"], Int[Tensor, " n"]]:
        # Labels, positions and noise have a generator each, so that pinning the signal leaves the others alone.
        label, place, noises = (torch.Generator().manual_seed(stream(seed, f"{purpose} {what}")) for what in "ypx")
        y = torch.randint(2, (n,), generator=label)
        position = torch.randint(1 if pinned else n_patches, (n,), generator=place)
        x = noise * torch.randn(n, n_patches, patch_size, generator=noises)
        x[torch.arange(n), position] += (2 * y - 1)[:, None] * signal
        return x.flatten(1).unsqueeze(1), y

    (x_train, y_train), (x_test, y_test) = draw(n_train, "train"), draw(n_test, "test")
    return Dataset(
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        n_classes=2,
        name=f"Signal in one of {n_patches} patches of {patch_size}" + (", always the first" if pinned else ""),
        source=f"after Lahoti et al. (2024), generated with noise {noise:g} and seed {seed}",
        licence="CC BY 4.0",
    )


def signal_direction(patch_size: int, *, seed: int) -> Float[Tensor, " patch_size"]:
    """The unit vector that `make_signal_in_patch` hides under this seed, uniform on the sphere.

    Example:
        >>> round(float(signal_direction(5, seed=0).norm()), 6)
        1.0
    """
    signal = torch.randn(patch_size, generator=torch.Generator().manual_seed(stream(seed, "task")))
    return signal / signal.norm()


def patch_rotation(how: Turned, *, n_patches: int, patch_size: int, seed: int) -> Float[Tensor, "size size"]:
    """A random orthogonal matrix on the input: of the whole, of all patches alike, or of each patch apart.

    Args:
        how: "whole": one matrix for all entries, which mixes the patches. "alike": one matrix for a patch, the same
            for each. "apart": a matrix of its own for each patch.
        n_patches: patches in an example.
        patch_size: entries of a patch.
        seed: of the matrices, uniform (Haar) over orthogonal ones.

    Returns:
        Matrix of float64, with n_patches * patch_size rows; block-diagonal unless ``how`` is "whole".

    Raises:
        ValueError: if ``how`` is another word.

    Example:
        >>> turn = patch_rotation("apart", n_patches=2, patch_size=3, seed=0)
        >>> bool((turn @ turn.T - torch.eye(6)).abs().max() < 1e-12), float(turn[0, 3])
        (True, 0.0)
    """
    generator = torch.Generator().manual_seed(stream(seed, "rotation"))

    def orthogonal(size: int) -> Float[Tensor, "size size"]:
        q, r = torch.linalg.qr(torch.randn(size, size, generator=generator, dtype=torch.float64))
        return q * r.diagonal().sign()  # without the signs it would not be uniform

    match how:
        case "whole":
            return orthogonal(n_patches * patch_size)
        case "alike":
            return torch.block_diag(*[orthogonal(patch_size)] * n_patches)
        case "apart":
            return torch.block_diag(*(orthogonal(patch_size) for _ in range(n_patches)))
    raise ValueError(f"how={how!r} must be 'whole', 'alike' or 'apart'")


def rotated(dataset: Dataset, rotation: Float[Tensor, "size size"]) -> Dataset:
    """The same examples, each multiplied by one matrix: x becomes ``rotation @ x``; labels stay.

    Args:
        dataset: inputs of shape (1, size).
        rotation: of the flattened input, such as from `patch_rotation`.

    Raises:
        ValueError: if the matrix does not fit the inputs.
    """
    size = dataset.input_shape[-1]
    if dataset.input_shape != (1, size) or rotation.shape != (size, size):
        raise ValueError(f"a matrix of {tuple(rotation.shape)} does not act on inputs of {dataset.input_shape}")
    x_train, x_test = (x @ rotation.T.to(x) for x in (dataset.x_train, dataset.x_test))
    return replace(dataset, x_train=x_train, x_test=x_test, name=f"{dataset.name}, rotated")
