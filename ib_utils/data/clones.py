"""Clones of a data set that keep the low-order statistics of each class and nothing else (Refinetti et al. 2023)."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ib_utils.data.dataset import Dataset
from ib_utils.seeds import stream

Keep = Literal["means", "covariances"]


def gaussian_clone(dataset: Dataset, keep: Keep, *, test: bool = False, seed: int) -> Dataset:
    """Replace the inputs by Gaussian ones with the same mean, or mean and covariance, in each class.

    With "means", a class is an isotropic Gaussian around its mean, with the class's variance averaged over the
    coordinates; with "covariances", it has the class's whole covariance. Labels stay in their places.

    Args:
        dataset: data with classes; each class needs at least two training examples.
        keep: which statistics survive, besides the labels.
        test: clone the test inputs too (with the training set's statistics); they stay real otherwise.
        seed: of the draws.

    Returns:
        The clone. Values are not clipped to the original's range.

    Raises:
        ValueError: another word than the two, data without classes, or a class with a single example.

    Source:
        Refinetti, Ingrosso and Goldt (2023), Neural networks trained with SGD learn distributions of increasing
        complexity, arXiv:2211.11567: "isoGM" and "GM".

    Explained in chapter *Simplicity bias*.

    Example:
        >>> from ib_utils.data import load_digits
        >>> gaussian_clone(load_digits(), "means", seed=0).input_shape
        (1, 8, 8)
    """
    if keep not in ("means", "covariances"):
        raise ValueError(f"keep={keep!r} must be 'means' or 'covariances'")
    if not dataset.n_classes:
        raise ValueError(f"{dataset.name} has real targets; clones are of classes")
    parts = {"x_train": (dataset.x_train, dataset.y_train)}
    if test:
        parts["x_test"] = (dataset.x_test, dataset.y_test)
    new = {name: torch.empty_like(x) for name, (x, _) in parts.items()}
    for label in range(dataset.n_classes):
        own = dataset.x_train[dataset.y_train == label].flatten(1).double()
        if len(own) < 2:
            raise ValueError(f"class {label} has {len(own)} training examples; a covariance needs two")
        mean, root = own.mean(0), _root_of_covariance(own, keep)
        for name, (x, y) in parts.items():
            rows = (y == label).nonzero().flatten()
            new[name][rows] = (mean + _normal(rows, root, stream(seed, f"{name} {label}"))).view_as(x[rows]).to(x.dtype)
    note = dataset._with_note(f"class {keep} kept")
    x_test = new.get("x_test", dataset.x_test)
    return replace(dataset, x_train=new["x_train"], x_test=x_test, name=f"{dataset.name}, Gaussian clone", note=note)


def _root_of_covariance(x: Float[Tensor, "example coordinate"], keep: Keep) -> Float[Tensor, "coordinate coordinate"]:
    """A matrix whose product with its transpose is the covariance that is kept."""
    if keep == "means":
        return x.var(0).mean().sqrt() * torch.eye(x.shape[1]).to(x)
    values, vectors = torch.linalg.eigh(torch.atleast_2d(x.T.cov()))
    return vectors * values.clamp(min=0).sqrt()


def _normal(rows: Int[Tensor, " row"], root: Float[Tensor, "a a"], seed: int) -> Float[Tensor, "row a"]:
    z = torch.randn(len(rows), len(root), generator=torch.Generator().manual_seed(seed), dtype=root.dtype)
    return z.to(root) @ root.T
