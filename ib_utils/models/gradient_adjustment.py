"""Residuals turned by a matrix before they reach the weights, so that slow modes of the tangent kernel catch up."""

import torch
from jaxtyping import Float
from torch import Tensor

Matrix = Float[Tensor, "*member point point"]


def adjustment_matrix(
    kernel: Matrix, *, n_adjusted: int, reference: int = 0, eigenvectors: Matrix | None = None
) -> Matrix:
    """S = I - sum_i (1 - lambda_ref / lambda_i) v_i v_i^T over the leading eigenpairs of a kernel.

    With the residual replaced by S r, those modes are all learned as fast as the reference: S K has the eigenvalue
    lambda_ref on each of them.

    Args:
        kernel: symmetric; one, or one a member.
        n_adjusted: how many of its largest eigenvalues are adjusted.
        reference: which eigenvalue, counted from the largest, they are brought to: 0 raises the others.
        eigenvectors: columns to be used instead of the kernel's own, largest first (for a control).

    Raises:
        ValueError: counts outside the kernel's size, or an eigenvalue to be adjusted that is 0 within rounding.

    Source:
        Shi et al. (2025), Inductive gradient adjustment. Explained in chapter *Spectral bias*.

    Example:
        >>> adjustment_matrix(torch.diag(torch.tensor([4.0, 2.0, 1.0])), n_adjusted=2).diagonal()
        tensor([1., 2., 1.])
    """
    n_points = kernel.shape[-1]
    if not 0 < n_adjusted <= n_points or not 0 <= reference < n_points:
        raise ValueError(f"n_adjusted={n_adjusted} and reference={reference} do not fit a kernel of {n_points} points")
    values, vectors = torch.linalg.eigh(kernel)  # ascending
    values = values.flip(-1)
    if not (values[..., n_adjusted - 1] > n_points * torch.finfo(values.dtype).eps * values[..., 0]).all():
        raise ValueError(f"fewer than n_adjusted={n_adjusted} eigenvalues of the kernel are above 0")
    vectors = vectors.flip(-1) if eigenvectors is None else eigenvectors
    factor = values[..., reference : reference + 1] / values[..., :n_adjusted] - 1  # (*member, n_adjusted)
    v = vectors[..., :n_adjusted]
    identity = torch.eye(n_points, dtype=kernel.dtype, device=kernel.device)
    return identity + (v * factor[..., None, :]) @ v.mT


def inductive_adjustment(kernel: Matrix, *, group: int, n_adjusted: int, reference: int = 0) -> Matrix:
    """The adjustment computed from one point of each group of neighbours, and used at every position of the groups.

    Args:
        kernel: of all points, in an order in which neighbours follow one another.
        group: points a group; has to divide their number.
        n_adjusted, reference: as in :func:`adjustment_matrix`, for the kernel between the first points of the groups.

    Returns:
        S of the sampled points for the first points of all groups, again for the second ones, and so on (S x 1).

    Raises:
        ValueError: a group size that does not divide the number of points.

    Source:
        Shi et al. (2025). Explained in chapter *Spectral bias*.

    Example:
        >>> inductive_adjustment(torch.eye(6), group=3, n_adjusted=1).shape
        torch.Size([6, 6])
    """
    n_points = kernel.shape[-1]
    if n_points % group:
        raise ValueError(f"groups of {group} do not divide {n_points} points")
    sampled = kernel[..., ::group, ::group]
    s = adjustment_matrix(sampled, n_adjusted=n_adjusted, reference=reference)
    position = torch.eye(group, dtype=kernel.dtype, device=kernel.device)
    whole = torch.einsum("...ab,pq->...apbq", s, position)
    return whole.flatten(-4, -3).flatten(-2, -1)


def random_rotation(kernel: Matrix, *, seed: int) -> Matrix:
    """Orthonormal columns drawn uniformly, in place of the eigenvectors of a kernel.

    Example:
        >>> q = random_rotation(torch.eye(3), seed=0)
        >>> torch.allclose(q.mT @ q, torch.eye(3), atol=1e-6)
        True
    """
    generator = torch.Generator().manual_seed(seed)
    normal = torch.randn(kernel.shape, generator=generator, dtype=torch.float64)
    q, r = torch.linalg.qr(normal)
    return (q * r.diagonal(dim1=-2, dim2=-1).sign()[..., None, :]).to(kernel)
