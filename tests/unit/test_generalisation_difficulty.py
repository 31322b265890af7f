"""Counting functions: the identity, and the published formula at the constants of the authors' program."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ib_utils.data import harmonics
from ib_utils.measures import bits_of_flat_prior, generalisation_difficulty, undetermined_directions

MNIST = {"intrinsic_dimension": 14, "radius": 17.179, "class_distance": 2.3987, "n_train": 60_000, "n_classes": 10}


@given(st.integers(1, 3), st.integers(1, 2), st.integers(0, 30), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_each_example_in_general_position_fixes_one_direction(m, r, n, seed):
    z = torch.rand(n, m, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    count = (2 * r + 1) ** m
    assert undetermined_directions(harmonics(z, r).numpy()) == max(0, count - n)


def test_halving_the_tolerance_costs_a_bit_a_direction():
    design = harmonics(torch.rand(4, 2, dtype=torch.float64), 1).numpy()
    bits = [bits_of_flat_prior(design, tolerance=t, radius=1.0) for t in (0.5, 0.25)]
    assert bits == [5.0, 10.0]


@pytest.mark.parametrize(
    ("constants", "error", "published"),
    [
        (MNIST, 0.001, 1.48e16),
        (
            MNIST | {"intrinsic_dimension": 27, "radius": 54.916, "class_distance": 2.7506, "n_train": 50_000},
            0.01,
            3.44e32,
        ),
    ],
)
def test_the_formula_gives_what_the_authors_program_gives(constants, error, published):
    assert generalisation_difficulty(**constants, error=error) == pytest.approx(published, rel=0.01)


def test_dimension_multiplies_where_examples_hardly_count():
    base = generalisation_difficulty(**MNIST, error=0.001)
    assert generalisation_difficulty(**MNIST | {"intrinsic_dimension": 15}, error=0.001) > 3 * base
    assert generalisation_difficulty(**MNIST | {"n_train": 600_000}, error=0.001) > 0.8 * base


def test_impossible_constants_are_refused():
    with pytest.raises(ValueError, match="positive"):
        generalisation_difficulty(**MNIST | {"radius": 0}, error=0.1)
