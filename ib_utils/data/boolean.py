"""Boolean functions: the cube on which they live, and all of them at once."""

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor


def boolean_cube(n_inputs: int) -> Float[Tensor, "point input"]:
    """All points of {0, 1}^n, in the order of the binary numbers (the first input counts most).

    Args:
        n_inputs: number of inputs, n.

    Example:
        >>> boolean_cube(2).tolist()
        [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    """
    points = torch.arange(2**n_inputs)
    return (points[:, None] >> torch.arange(n_inputs - 1, -1, -1) & 1).float()


def boolean_functions(n_inputs: int) -> Bool[np.ndarray, "function point"]:
    """The truth tables of all 2^(2^n) Boolean functions, a row a function; row k holds the binary digits of k.

    Args:
        n_inputs: number of inputs, n: at most 4, of which there are 65,536 functions.

    Raises:
        ValueError: more inputs than can be enumerated.

    Explained in chapter *No free lunch*.

    Example:
        >>> boolean_functions(1).astype(int).tolist()  # never, identity, negation, always
        [[0, 0], [0, 1], [1, 0], [1, 1]]
    """
    if not 1 <= n_inputs <= 4:
        raise ValueError(f"n_inputs must lie in 1 to 4, got {n_inputs}")
    n_points = 2**n_inputs
    return (np.arange(2**n_points)[:, None] >> np.arange(n_points)[::-1] & 1).astype(bool)
