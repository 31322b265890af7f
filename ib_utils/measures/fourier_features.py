"""Which irreducible representations a network's weights and outputs use, and the margin that they buy.

A function on a finite group splits into parts, one an irreducible representation; on a cyclic group these parts are
the frequencies of the discrete Fourier transform.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ib_utils.data import inverses

Table = Int[Tensor, "order order"]
Projections = Float[Tensor, "irrep order order"]


def irrep_projections(table: Table) -> Projections:
    """Orthogonal projections of the functions on a group onto its real irreducible representations.

    Each projection is onto all copies of one representation in the space of functions; a complex one and its conjugate
    go together. They are the common eigenspaces of all symmetric matrices that commute with translations from the left
    and the right; a generic such matrix separates them.

    Args:
        table: of a group.

    Returns:
        One matrix a representation, in float64, smallest rank first, and the constant functions first of all. On a
        cyclic group of odd order number k is the plane of cosine and sine of frequency k.

    Raises:
        ValueError: the table is not a group's.

    Explained in chapter *Grokking*.

    Example:
        >>> from ib_utils.data import cyclic_table
        >>> irrep_projections(cyclic_table(5)).diagonal(dim1=1, dim2=2).sum(1).round().tolist()
        [1.0, 2.0, 2.0]
    """
    order, inverse = len(table), inverses(table)
    generator = torch.Generator().manual_seed(0)
    generic = torch.randn(order, generator=generator, dtype=torch.float64)
    conjugates = table[table, inverse[:, None].expand(order, order)]  # (h, g): h g h^-1
    on_classes = generic[conjugates].mean(0)  # constant on conjugacy classes
    symmetric = on_classes + on_classes[inverse]
    operator = symmetric[table[inverse[:, None], torch.arange(order)]]  # (g, h): a function of g^-1 h
    values, vectors = torch.linalg.eigh(operator)
    gaps = (values.diff() > 1e-8 * values.abs().max()).nonzero().flatten() + 1
    parts = [basis @ basis.T for basis in vectors.tensor_split(gaps.tolist(), dim=1)]
    first = int((table == torch.arange(order)).all(1).int().argmax())  # the identity
    parts.sort(key=lambda p: (round(float(p.trace())), [-round(float(x), 6) for x in p[first]]))
    found = torch.stack(parts)
    if not torch.allclose(found[:, table, first], found[:, first, table], atol=1e-6):
        raise ValueError("the table is not a group's: its projections do not commute with translations")
    return found


def irrep_power(functions: Float[Tensor, "*batch order"], projections: Projections) -> Float[Tensor, "*batch irrep"]:
    """Squared length of each part of functions on a group.

    Example:
        >>> from ib_utils.data import cyclic_table
        >>> wave = torch.cos(2 * torch.pi * 2 * torch.arange(7) / 7)
        >>> irrep_power(wave, irrep_projections(cyclic_table(7))).round(decimals=3).tolist()
        [0.0, 0.0, 3.5, 0.0]
    """
    parts = torch.einsum("rgh,...h->...rg", projections.to(functions.dtype), functions)
    return parts.square().sum(-1)


def neuron_power(
    left: Float[Tensor, "*batch order width"],
    right: Float[Tensor, "*batch order width"],
    out: Float[Tensor, "*batch width order"],
    projections: Projections,
) -> Float[Tensor, "*batch width irrep"]:
    """Power of every neuron of a :class:`ib_utils.models.TableNetwork` in every representation, u, v and w together.

    Explained in chapter *Grokking*.
    """
    functions = torch.stack([left.mT, right.mT, out])  # (3, *batch, width, order)
    return irrep_power(functions, projections).sum(0)


def concentration(power: Float[Tensor, "*batch width irrep"]) -> Float[Tensor, "*batch"]:
    """Share of the power that neurons have in their own strongest representation, neurons weighted by their power.

    It is 1 where every neuron uses one representation.

    Example:
        >>> concentration(torch.tensor([[3.0, 1.0], [0.0, 4.0]])).item()
        0.875
    """
    return power.amax(-1).sum(-1) / power.sum((-1, -2))


def character_part(
    logits: Float[Tensor, "order order order"], table: Table, projections: Projections
) -> tuple[Float[Tensor, "order order order"], Float[Tensor, " irrep"]]:
    """The best fit to outputs ``f(a, b)[c]`` by a sum of characters of ``a b c^-1``, one coefficient a representation.

    Args:
        logits: of all pairs; their mean over c is taken off first, which no softmax can see.
        table: of the group.
        projections: of :func:`irrep_projections`.

    Returns:
        The fitted part, and the share of the variance of the logits that each representation's character explains. The
        shares add up to the share of the whole sum.

    Source:
        Chughtai, Chan and Nanda (2023). Explained in chapter *Grokking*.
    """
    centred = (logits - logits.mean(-1, keepdim=True)).double()
    # A projection's entry (c, ab) is a multiple of the real character of c^-1 ab, which is also that of a b c^-1.
    characters = projections[:, torch.arange(len(table)), table[:, :, None]]  # (irrep, a, b, c)
    squares = characters.square().sum((1, 2, 3))
    coefficients = (characters * centred).sum((1, 2, 3)) / squares
    coefficients[0] = 0.0  # the constant
    fitted = torch.einsum("r,rabc->abc", coefficients, characters)
    return fitted.to(logits.dtype), coefficients.square() * squares / centred.square().sum()


def cubic_norm(
    left: Float[Tensor, "*batch order width"],
    right: Float[Tensor, "*batch order width"],
    out: Float[Tensor, "*batch width order"],
) -> Float[Tensor, "*batch"]:
    """The cube of the L_{2,3} norm: the sum over neurons of the cubed length of all their weights.

    It grows as the outputs of a network of squares or products do, by the cube of the scale.
    """
    squares = left.square().sum(-2) + right.square().sum(-2) + out.square().sum(-1)  # (*batch, width)
    return squares.pow(1.5).sum(-1)


def smallest_margin(
    logits: Float[Tensor, "*batch example n_classes"], labels: Int[Tensor, " example"]
) -> Float[Tensor, "*batch"]:
    """Smallest lead, over the examples, of the right output over the best wrong one.

    Example:
        >>> smallest_margin(torch.tensor([[3.0, 1.0], [0.0, 0.5]]), torch.tensor([0, 1])).item()
        0.5
    """
    index = labels.expand(logits.shape[:-1])[..., None]
    right = logits.gather(-1, index).squeeze(-1)
    wrong = logits.scatter(-1, index, -torch.inf).amax(-1)
    return (right - wrong).amin(-1)


def largest_cyclic_margin(modulus: int) -> float:
    """Largest margin of a network of squares on addition modulo an odd p, at cubic norm 1.

    It is sqrt(2 / 27) / (sqrt(p) (p - 1)).

    Source:
        Morwani et al. (2024), the theorem on modular addition. Explained in chapter *Grokking*.

    Example:
        >>> round(largest_cyclic_margin(11), 5)
        0.00821
    """
    return (2 / 27) ** 0.5 / (modulus**0.5 * (modulus - 1))
