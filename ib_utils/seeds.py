"""Where randomness comes from: a base seed, its replicates, and a stream of each replicate for each purpose."""

import zlib

import numpy as np

REPLICATES = 1000  # the most that one base seed has
PILOT_SEED = 900  # base seeds from here on (replicate seeds from 900,000) are for pilots and tuning: no verdict


def replicate_seeds(seed: int, n_seeds: int) -> list[int]:
    """Seeds of ``n_seeds`` replicates under base seed ``seed``; different base seeds never share one.

    Raises:
        ValueError: fewer than 1 or more than 1000 replicates, or a negative base seed.

    Example:
        >>> replicate_seeds(7, 3)
        [7000, 7001, 7002]
    """
    if seed < 0:
        raise ValueError(f"seed must not be negative, got {seed}")
    if not 0 < n_seeds <= REPLICATES:
        raise ValueError(f"n_seeds must lie in 1 to {REPLICATES}, got {n_seeds}")
    return [REPLICATES * seed + replicate for replicate in range(n_seeds)]


def stream(seed: int, purpose: str) -> int:
    """A seed below 2^32 of its own for each purpose ("init", "order", "data", …) of a replicate.

    So one of them can be redrawn while the others stay.

    Example:
        >>> stream(7000, "init") == stream(7000, "init") != stream(7000, "data")
        True
    """
    return int(np.random.SeedSequence([seed, zlib.crc32(purpose.encode())]).generate_state(1, np.uint32)[0])
