"""What changes over the steps: which of them are recorded, and the learning rate's factor."""

import math
from collections.abc import Callable

import numpy as np

Schedule = Callable[[float], float]
SCHEDULES: dict[str, Schedule] = {
    "constant": lambda done: 1.0,
    "linear": lambda done: 1.0 - done,
    "cosine": lambda done: (1.0 + math.cos(math.pi * done)) / 2,
}


def log_spaced_steps(n_steps: int, n_records: int) -> list[int]:
    """About ``n_records`` steps from 0 to ``n_steps``, evenly spaced in the logarithm; both ends are in.

    Example:
        >>> log_spaced_steps(1000, 4)
        [0, 10, 100, 1000]
    """
    inner = np.geomspace(max(1.0, n_steps ** (1 / max(1, n_records - 1))), n_steps, max(1, n_records - 1))
    return sorted({0, n_steps, *(round(step) for step in inner)})
