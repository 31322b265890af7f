"""Formula size: how many inputs a Boolean function's shortest formula names, for all functions at once."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

GATES = {"and": np.bitwise_and, "xor": np.bitwise_xor}


def formula_size(n_inputs: int, gates: Sequence[str] = ("and",)) -> Int[np.ndarray, " function"]:
    """Leaves of the smallest formula of every Boolean function, negation being free.

    A formula is an input, or a gate applied to two formulas; either may be negated anywhere. With free negation
    ``and`` brings ``or`` along. The size is the number of inputs that the formula names, repeats counted. Constants
    would need no input; they have size 1 here.

    All functions that take L leaves arise from one of a leaves and one of L - a: so sizes are found in rising order.

    Args:
        n_inputs: number of inputs, at most 4 (65,536 functions).
        gates: "and", "xor" or both. With both, every gate of two inputs can be had.

    Returns:
        Sizes in the order of ``ib_utils.data.boolean_functions``.

    Raises:
        ValueError: more than 4 inputs, an unknown gate, or no "and".

    Source:
        C. E. Shannon's measure of a function; parity of 2^k inputs has size 4^k over and, or, not (Khrapchenko 1971),
        which the tests check.

    Explained in chapter *No free lunch*.

    Example:
        >>> formula_size(2).tolist()  # exclusive or (0110) and equality (1001) need four leaves, the others one or two
        [1, 2, 2, 1, 2, 1, 4, 2, 2, 4, 1, 2, 1, 2, 2, 1]
    """
    if not 1 <= n_inputs <= 4:
        raise ValueError(f"n_inputs must lie in 1 to 4, got {n_inputs}")
    if unknown := set(gates) - set(GATES) or "and" not in gates:
        raise ValueError(f"gates must be 'and', perhaps with 'xor', got {tuple(gates)} ({unknown})")
    n_points = 2**n_inputs
    everything = (1 << n_points) - 1  # truth tables are the bits of a number; the last point is the lowest bit
    points = np.arange(n_points)[::-1]
    inputs = [int(((points >> k & 1) << np.arange(n_points)).sum()) for k in range(n_inputs)]
    size = np.zeros(everything + 1, dtype=np.int64)
    size[[0, everything, *inputs, *(everything ^ f for f in inputs)]] = 1
    length = 1
    while not size.all():
        length += 1
        reached = np.zeros(everything + 1, dtype=bool)
        for left in range(1, length // 2 + 1):
            others = np.flatnonzero(size == length - left)
            for function in np.flatnonzero(size == left):
                for gate in gates:
                    reached[GATES[gate](function, others)] = True
        reached |= reached[::-1]  # a function's negation is its mirror image in this order
        size[reached & (size == 0)] = length
    return size
