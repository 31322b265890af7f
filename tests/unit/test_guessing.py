"""How unevenly untrained networks guess: the formulas against simulation and against each other."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ib_utils.measures import expected_guess_agreement, guess_agreement, guess_share_distribution, relu_cosine

cosines = st.floats(0.01, 0.97)


def simulated_counts(cosine: float, n_inputs: int, n_draws: int = 20_000) -> np.ndarray:
    generator = np.random.default_rng(0)
    common, own = generator.standard_normal((n_draws, 1)), generator.standard_normal((n_draws, n_inputs))
    return (math.sqrt(cosine) * common + math.sqrt(1 - cosine) * own > 0).sum(1)


@pytest.mark.parametrize("cosine", [0.0, 1 / math.pi, 0.5, 0.8])
def test_shares_of_gaussian_outputs_are_distributed_as_predicted(cosine):
    at, counts = np.array([0.1, 0.3, 0.5, 0.8]), simulated_counts(cosine, 20)
    measured = (counts[:, None] <= at * 20).mean(0)
    np.testing.assert_allclose(measured, guess_share_distribution(at, cosine, n_inputs=20), atol=0.015)


@pytest.mark.parametrize("cosine", [0.0, 0.3, 0.9])
def test_agreement_is_unbiased_for_few_inputs(cosine):
    counts = torch.from_numpy(simulated_counts(cosine, 4))
    assert guess_agreement(counts, 4).mean().item() == pytest.approx(expected_guess_agreement(cosine), abs=0.01)


@given(cosines, st.floats(0.02, 0.98))
def test_the_classes_may_change_places(cosine, share):
    below, above = guess_share_distribution(np.array([share, 1 - share]), cosine)
    assert below == pytest.approx(1 - above, abs=1e-9)


@given(cosines)
def test_agreement_is_twice_the_mean_squared_share_less_the_rest(cosine):
    """E[S^2 + (1 - S)^2] from the distribution of S equals 1/2 + arcsin(c) / pi."""
    share = np.linspace(0, 1, 20_001)
    cumulative = guess_share_distribution(share, cosine)
    second_moment = 1 - np.trapezoid(2 * share * cumulative, share)  # by parts
    assert 2 * second_moment == pytest.approx(expected_guess_agreement(cosine), abs=2e-3)


def test_a_cosine_of_one_half_makes_shares_uniform():
    share = np.linspace(0.05, 0.95, 7)
    np.testing.assert_allclose(guess_share_distribution(share, 0.5), share, atol=1e-12)


def test_many_inputs_approach_the_limit():
    at = np.array([0.2, 0.45, 0.7])
    np.testing.assert_allclose(
        guess_share_distribution(at, 0.4, n_inputs=20_000), guess_share_distribution(at, 0.4), atol=2e-3
    )


@pytest.mark.parametrize("cosine", [-1.0, -0.3, 0.0, 0.4, 1.0])
def test_a_relu_layer_maps_cosines_as_wide_networks_do(cosine):
    generator = np.random.default_rng(1)
    u, v = generator.standard_normal((2, 400_000))
    a, b = np.maximum(u, 0), np.maximum(cosine * u + math.sqrt(1 - cosine**2) * v, 0)
    assert (a * b).mean() / 0.5 == pytest.approx(relu_cosine(cosine), abs=0.01)


@given(st.floats(-1, 1), st.integers(0, 30))
def test_depth_only_ever_raises_the_cosine(cosine, depth):
    assert relu_cosine(cosine, depth + 1) >= relu_cosine(cosine, depth) - 1e-12


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: relu_cosine(1.5), "between -1 and 1"),
        (lambda: guess_share_distribution(np.array([0.5]), 1.0), r"\[0, 1\)"),
    ],
)
def test_impossible_cosines_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
