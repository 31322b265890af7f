"""Data sets as tensors in memory: real ones by `load_*`, generated ones by `make_*`; no pickles."""

from ib_utils.data.boolean import boolean_cube, boolean_functions
from ib_utils.data.dataset import Dataset
from ib_utils.data.gratings import gratings, make_gratings
from ib_utils.data.groups import (
    cyclic_table,
    dihedral_table,
    inverses,
    latin_square,
    make_group_products,
    product_table,
    quaternion_table,
    symmetric_table,
)
from ib_utils.data.images import load_digits, load_mnist
from ib_utils.data.lattice import lattice_walks, legal_moves, next_move_task, state_label_task
from ib_utils.data.manifolds import embed, harmonics, make_torus_harmonics, make_torus_waves
from ib_utils.data.missing import FactorRegression, draw_observed, make_factor_regression
from ib_utils.data.modular import make_modular_sums
from ib_utils.data.patches import make_signal_in_patch, patch_rotation, rotated, signal_direction
from ib_utils.data.planar import make_monotone, make_planar
from ib_utils.data.sensing import MatrixSensing, make_matrix_sensing, symmetric_coordinates, symmetric_matrix
from ib_utils.data.signals import make_mnist1d

__all__ = [
    "Dataset",
    "FactorRegression",
    "MatrixSensing",
    "boolean_cube",
    "boolean_functions",
    "cyclic_table",
    "dihedral_table",
    "draw_observed",
    "embed",
    "gratings",
    "harmonics",
    "inverses",
    "latin_square",
    "lattice_walks",
    "legal_moves",
    "load_digits",
    "load_mnist",
    "make_factor_regression",
    "make_gratings",
    "make_group_products",
    "make_matrix_sensing",
    "make_mnist1d",
    "make_modular_sums",
    "make_monotone",
    "make_planar",
    "make_signal_in_patch",
    "make_torus_harmonics",
    "make_torus_waves",
    "next_move_task",
    "patch_rotation",
    "product_table",
    "quaternion_table",
    "rotated",
    "signal_direction",
    "state_label_task",
    "symmetric_coordinates",
    "symmetric_matrix",
    "symmetric_table",
]
