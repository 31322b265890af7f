"""Measures against cases with a closed form."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ib_utils.measures import data_factor, examples_needed

SIZES = np.array([50.0, 100, 200, 400, 800])
curves = st.lists(st.floats(0.01, 0.9), min_size=5, max_size=5).map(np.array)


@given(st.floats(0.2, 5), st.floats(0.2, 1.0))
def test_power_laws_shifted_by_a_factor_give_that_factor(factor, exponent):
    error = 0.5 * (SIZES / 50) ** -exponent
    reference = error * factor**exponent
    if reference.max() <= 1 and reference.min() < error.max() and error.min() < reference.max():
        assert data_factor(SIZES, error, reference) == pytest.approx(math.log(factor), abs=1e-9)


@given(curves, curves)
def test_the_factor_changes_sign_when_the_models_change_places(error, reference):
    there, back = data_factor(SIZES, error, reference), data_factor(SIZES, reference, error)
    assert there == pytest.approx(-back, abs=1e-9)
    assert abs(there) <= math.log(16) + 1e-9


@given(curves)
def test_a_model_saves_nothing_over_itself(error):
    assert data_factor(SIZES, error, error) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("noise", "reference_noise", "low", "high"), [(0.1, 0.1, -0.01, 0.01), (0.2, 0.05, 0.0, 0.1)])
def test_equal_learners_have_factor_one_on_average_if_they_scatter_alike(noise, reference_noise, low, high):
    generator, curve = np.random.default_rng(0), 0.4 * (SIZES / 50) ** -0.8
    factors = [
        data_factor(
            SIZES,
            curve * np.exp(noise * generator.standard_normal(5)),
            curve * np.exp(reference_noise * generator.standard_normal(5)),
        )
        for _ in range(1500)
    ]
    assert low < np.mean(factors) < high


def test_a_better_curve_saves_data():
    reference = np.array([0.5, 0.4, 0.3, 0.2, 0.1])
    assert data_factor(SIZES, 0.8 * reference, reference) > 0.1


def test_curves_without_a_common_level_are_as_far_apart_as_the_sizes_allow():
    assert data_factor(SIZES, np.full(5, 0.1), np.full(5, 0.5)) == pytest.approx(math.log(16))


def test_noise_that_goes_up_is_smoothed_and_plateaus_count_from_their_start():
    needed = examples_needed(SIZES, np.array([0.4, 0.1, 0.2, 0.05, 0.05]), np.array([0.4, 0.05, 0.04]))
    assert needed[0] == pytest.approx(50)
    assert needed[1] == pytest.approx(400)
    assert needed[2] == math.inf


@pytest.mark.parametrize(
    ("sizes", "error", "message"),
    [
        (SIZES[::-1], np.full(5, 0.1), "ascending"),
        (SIZES, np.full(4, 0.1), "ascending sizes and one error each"),
        (SIZES, np.array([0.1, 0.1, 0.0, 0.1, 0.1]), r"\(0, 1\]"),
        (SIZES, np.array([0.1, 0.1, np.nan, 0.1, 0.1]), r"\(0, 1\]"),
    ],
)
def test_impossible_curves_are_refused(sizes, error, message):
    with pytest.raises(ValueError, match=message):
        examples_needed(sizes, error, np.array([0.1]))
