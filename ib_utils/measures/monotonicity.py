"""How far labels are from monotone: what the best order-preserving classifier has to get wrong."""

import numpy as np
from jaxtyping import Float, Int


def distance_to_monotonicity(x: Float[np.ndarray, "example input"], y: Int[np.ndarray, " example"]) -> float:
    """Smallest share of labels that has to change before some non-decreasing function fits the rest.

    A pair violates monotonicity if one example is at or below another in every coordinate, is labelled 1, and the other
    is labelled 0. Of each such pair one label has to give; the fewest that do it are a smallest vertex cover of the
    graph of violations, which in a bipartite graph is as large as a largest matching (König's theorem).

    So no network with non-negative weights and non-decreasing activations, of whatever size, has a lower training
    error.

    Args:
        x: inputs.
        y: labels 0 and 1.

    Returns:
        Share of the examples, 0 for monotone data.

    Raises:
        ValueError: labels other than 0 and 1.

    Source:
        The distance of property testing; as a bound for networks it follows from Wang et al. (2022), arXiv:2208.03211.

    Explained in chapter *No free lunch*.

    Example:
        >>> corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
        >>> distance_to_monotonicity(corners, np.array([0, 1, 1, 0]))  # exclusive or
        0.25
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import maximum_bipartite_matching

    x, y = np.asarray(x), np.asarray(y)
    if not np.isin(y, [0, 1]).all():
        raise ValueError(f"labels must be 0 and 1, got {np.unique(y)[:5]}")
    ones, zeros = x[y == 1], x[y == 0]
    if not (len(ones) and len(zeros)):
        return 0.0
    violated = (ones[:, None, :] <= zeros[None, :, :]).all(2)
    matching = maximum_bipartite_matching(csr_matrix(violated), perm_type="column")
    return float((matching >= 0).sum() / len(y))
