"""Matrix sensing: a symmetric matrix of low rank that is seen through random linear measurements only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ib_utils.seeds import stream

ROOT_2 = 2.0**0.5


def symmetric_coordinates(matrix: Float[Tensor, "*any d d"]) -> Float[Tensor, "*any coordinate"]:
    """Upper triangle of a symmetric matrix as a vector of the same length: off-diagonal entries times √2.

    Example:
        >>> x = torch.tensor([[1.0, 2.0], [2.0, 3.0]])
        >>> torch.allclose(symmetric_coordinates(x).norm(), x.norm())
        True
    """
    row, column = torch.triu_indices(matrix.shape[-1], matrix.shape[-1], device=matrix.device)
    return matrix[..., row, column] * matrix.new_tensor([1.0, ROOT_2])[(row != column).long()]


def symmetric_matrix(coordinates: Float[Tensor, "*any coordinate"]) -> Float[Tensor, "*any d d"]:
    """The symmetric matrix with these coordinates: the inverse of :func:`symmetric_coordinates`.

    Raises:
        ValueError: a number of coordinates that is not d (d + 1) / 2.

    Example:
        >>> symmetric_matrix(torch.tensor([1.0, 0.0, 3.0])).tolist()
        [[1.0, 0.0], [0.0, 3.0]]
    """
    n_coordinates = coordinates.shape[-1]
    d = round(((8 * n_coordinates + 1) ** 0.5 - 1) / 2)
    if d * (d + 1) // 2 != n_coordinates:
        raise ValueError(f"a symmetric matrix has d (d + 1) / 2 coordinates; got {n_coordinates}")
    row, column = torch.triu_indices(d, d, device=coordinates.device)
    scaled = coordinates / coordinates.new_tensor([1.0, ROOT_2])[(row != column).long()]
    matrix = coordinates.new_zeros(*coordinates.shape[:-1], d, d)
    matrix[..., row, column] = scaled
    matrix[..., column, row] = scaled
    return matrix


@dataclass(frozen=True)
class MatrixSensing:
    """Problems of matrix sensing, one a replicate: minimise f(X) = ‖A(X − X*)‖² / 2m over symmetric X.

    Args:
        target: X*, the matrix to be found.
        gram: A*A / m in :func:`symmetric_coordinates`; the identity where the whole matrix is seen.

    Explained in chapter *Implicit regularisation*.
    """

    target: Float[Tensor, "replicate d d"]
    gram: Float[Tensor, "replicate coordinate coordinate"]

    def gradient(self, x: Float[Tensor, "replicate d d"]) -> Float[Tensor, "replicate d d"]:
        """Gradient of f at X: A*A (X − X*) / m."""
        error = symmetric_coordinates(x - self.target)
        return symmetric_matrix((self.gram @ error[..., None])[..., 0])

    def loss(self, x: Float[Tensor, "replicate d d"]) -> Float[Tensor, " replicate"]:
        """f(X), half the mean squared error of the measurements."""
        error = symmetric_coordinates(x - self.target)
        return 0.5 * (error * (self.gram @ error[..., None])[..., 0]).sum(-1)


def make_matrix_sensing(
    *, size: int, eigenvalues: Sequence[float], n_measurements: int | None, seeds: Sequence[int]
) -> MatrixSensing:
    """Random symmetric matrices with given eigenvalues, and random Gaussian measurements of them.

    A measurement is the inner product with a symmetric Gaussian matrix, scaled such that its square is ‖X‖² on
    average. Many of them are near-isotropic on matrices of low rank (the restricted isometry property).

    Args:
        size: d, of the d x d matrices.
        eigenvalues: those that are not zero; eigenvectors are uniformly random.
        n_measurements: m; None: every entry is seen, and f(X) = ‖X − X*‖² / 2.
        seeds: one a replicate, of eigenvectors and measurements.

    Raises:
        ValueError: more eigenvalues than ``size``, or no measurement.

    Source:
        Setting of Jin et al. (2023). Explained in chapter *Implicit regularisation*.

    Example:
        >>> problem = make_matrix_sensing(size=5, eigenvalues=[2, 1], n_measurements=40, seeds=[0, 1])
        >>> torch.linalg.eigvalsh(problem.target)[0, -2:].round(decimals=6).tolist()
        [1.0, 2.0]
    """
    if len(eigenvalues) > size:
        raise ValueError(f"a matrix of size {size} has no {len(eigenvalues)} eigenvalues")
    if n_measurements is not None and n_measurements < 1:
        raise ValueError(f"n_measurements must be at least 1, got {n_measurements}")
    n_coordinates = size * (size + 1) // 2
    targets, grams = [], []
    for seed in seeds:
        generator = torch.Generator().manual_seed(stream(seed, "sensing"))
        directions = torch.randn(size, len(eigenvalues), generator=generator, dtype=torch.float64)
        basis = torch.linalg.qr(directions).Q
        targets.append(basis * torch.tensor(eigenvalues, dtype=torch.float64) @ basis.T)
        if n_measurements is None:
            grams.append(torch.eye(n_coordinates, dtype=torch.float64))
        else:
            rows = torch.randn(n_measurements, n_coordinates, generator=generator, dtype=torch.float64)
            grams.append(rows.T @ rows / n_measurements)
    return MatrixSensing(torch.stack(targets), torch.stack(grams))
