"""Train many small networks side by side: *members* that differ in seed, data or settings.

:func:`train` is the one engine of the book. Member i of an ensemble comes out as if it had been trained alone.
"""

from ib_utils.training.engine import resolve_device, train
from ib_utils.training.gradients import sharpness_aware
from ib_utils.training.result import Run
from ib_utils.training.schedules import log_spaced_steps
from ib_utils.training.tuning import tune_learning_rate

__all__ = ["Run", "log_spaced_steps", "resolve_device", "sharpness_aware", "train", "tune_learning_rate"]
