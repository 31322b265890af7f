"""Data sets as tensors in memory: real ones by `load_*`, generated ones by `make_*`; no pickles."""

from ib_utils.data.dataset import Dataset
from ib_utils.data.images import load_digits, load_mnist
from ib_utils.data.signals import make_mnist1d

__all__ = ["Dataset", "load_digits", "load_mnist", "make_mnist1d"]
