"""Data sets as tensors in memory: real ones by `load_*`, generated ones by `make_*`; no pickles."""

from ib_utils.data.boolean import boolean_cube, boolean_functions
from ib_utils.data.clones import gaussian_clone
from ib_utils.data.coordinates import (
    fourier_features,
    linear_lift,
    pixel_coordinates,
    positional_encoding,
    random_pixels,
    regression_set,
)
from ib_utils.data.core_background import CoreBackground, make_core_and_background
from ib_utils.data.dataset import Dataset
from ib_utils.data.discs import disc_images, make_discs, read_concepts, well_formed
from ib_utils.data.dominoes import make_dominoes
from ib_utils.data.fast_slow import feature_directions, has_fast_feature, make_fast_slow
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
from ib_utils.data.moments import make_moments
from ib_utils.data.noisy_cue import make_noisy_cue
from ib_utils.data.patches import make_signal_in_patch, patch_rotation, rotated, signal_direction
from ib_utils.data.placed_shapes import make_placed_shapes
from ib_utils.data.planar import make_monotone, make_planar
from ib_utils.data.recombination import (
    Scenes,
    compose,
    draw_backgrounds,
    place,
    recombine,
    shift_and_flip,
    texture_templates,
)
from ib_utils.data.sensing import MatrixSensing, make_matrix_sensing, symmetric_coordinates, symmetric_matrix
from ib_utils.data.signals import make_mnist1d
from ib_utils.data.slabs import make_slabs, slab_edges
from ib_utils.data.sprites import ATTRIBUTES, make_sprites, sprites
from ib_utils.data.two_cues import TwoCues, latent_grid, make_two_cues
from ib_utils.data.waves import circle_points, make_signal, wave_targets

__all__ = [
    "ATTRIBUTES",
    "CoreBackground",
    "Dataset",
    "FactorRegression",
    "MatrixSensing",
    "Scenes",
    "TwoCues",
    "boolean_cube",
    "boolean_functions",
    "circle_points",
    "compose",
    "cyclic_table",
    "dihedral_table",
    "disc_images",
    "draw_backgrounds",
    "draw_observed",
    "embed",
    "feature_directions",
    "fourier_features",
    "gaussian_clone",
    "gratings",
    "harmonics",
    "has_fast_feature",
    "inverses",
    "latent_grid",
    "latin_square",
    "lattice_walks",
    "legal_moves",
    "linear_lift",
    "load_digits",
    "load_mnist",
    "make_core_and_background",
    "make_discs",
    "make_dominoes",
    "make_factor_regression",
    "make_fast_slow",
    "make_gratings",
    "make_group_products",
    "make_matrix_sensing",
    "make_mnist1d",
    "make_modular_sums",
    "make_moments",
    "make_monotone",
    "make_noisy_cue",
    "make_placed_shapes",
    "make_planar",
    "make_signal",
    "make_signal_in_patch",
    "make_slabs",
    "make_sprites",
    "make_torus_harmonics",
    "make_torus_waves",
    "make_two_cues",
    "next_move_task",
    "patch_rotation",
    "pixel_coordinates",
    "place",
    "positional_encoding",
    "product_table",
    "quaternion_table",
    "random_pixels",
    "read_concepts",
    "recombine",
    "regression_set",
    "rotated",
    "shift_and_flip",
    "signal_direction",
    "slab_edges",
    "sprites",
    "state_label_task",
    "symmetric_coordinates",
    "symmetric_matrix",
    "symmetric_table",
    "texture_templates",
    "wave_targets",
    "well_formed",
]
