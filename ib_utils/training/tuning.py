"""Choosing a learning rate the same way for every architecture."""

import math
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from torch import nn

from ib_utils.data import Dataset
from ib_utils.training.engine import train

if TYPE_CHECKING:
    import pandas as pd


def tune_learning_rate(
    build: Callable[[], nn.Module],
    data: Sequence[Dataset],
    *,
    learning_rates: Sequence[float],
    seeds: Sequence[int],
    max_widenings: int = 2,
    converged_below: float = math.inf,
    **settings: Any,
) -> "pd.Series":
    """Mean validation error of each learning rate, over one (data set, seed) pair a trial; best first.

    For real targets the error is the validation loss.

    The same grid and number of trials for every architecture make a baseline fair. A best value on the edge of the
    grid widens it by one step of the grid's own ratio, at most ``max_widenings`` times.

    Args:
        build: as in ``train``.
        data: one data set a seed whose *test* part is held-out training data (``Dataset.validation``).
        learning_rates: the grid, at least two values with a constant ratio.
        seeds: of the trials; take pilot seeds (``ib_utils.seeds``), so that no verdict sees them.
        max_widenings: how often the grid may grow.
        converged_below: mean training loss below which a network counts as trained. Rates that have not got there
            come last: a low error on a small set may only be early stopping, which larger sets do not get.
        settings: passed on to ``train``.

    Returns:
        Series of validation error, indexed by learning rate, best first: ``.index[0]`` is the choice.
    """
    import pandas as pd

    grid = sorted(learning_rates)
    if len(grid) < 2:
        raise ValueError(f"learning_rates needs at least two values, got {grid}")
    errors: dict[float, float] = {}
    unfinished: dict[float, bool] = {}
    for _ in range(max_widenings + 1):
        new = [rate for rate in grid if rate not in errors]
        run = train(
            build,
            [d for d in data for _ in new],
            seeds=[s for s in seeds for _ in new],
            learning_rate=[rate for _ in seeds for rate in new],
            labels={"grid_rate": [rate for _ in seeds for rate in new]},  # exact values, not float32
            **settings,
        )
        # a diverged member is as bad as guessing nothing right
        final = run.final
        error = (
            1 - final["test_accuracy"].fillna(0.0) if "test_accuracy" in final else final["test_loss"].fillna(math.inf)
        )
        errors |= error.groupby(run.final["grid_rate"]).mean().to_dict()
        loss = run.final["train_loss"].groupby(run.final["grid_rate"]).agg(lambda trials: trials.mean(skipna=False))
        unfinished |= (~(loss < converged_below)).to_dict()
        best = min(errors, key=lambda rate: (unfinished[rate], errors[rate]))
        if best == grid[0]:
            grid.insert(0, grid[0] ** 2 / grid[1])
        elif best == grid[-1]:
            grid.append(grid[-1] ** 2 / grid[-2])
        else:
            break
    else:
        warnings.warn(f"the best learning rate, {best:.2g}, lies on the edge of the grid; widen it", stacklevel=2)
    ranked = sorted(errors, key=lambda rate: (unfinished[rate], errors[rate]))
    return pd.Series({rate: errors[rate] for rate in ranked}, name="validation error").rename_axis("learning rate")
