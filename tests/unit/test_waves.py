"""Targets made of waves, signals to be continued, coordinates and their encodings."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ib_utils.data import (
    circle_points,
    fourier_features,
    linear_lift,
    make_signal,
    pixel_coordinates,
    positional_encoding,
    random_pixels,
    regression_set,
    wave_targets,
)

SEED = st.integers(0, 2**20)


@given(n=st.integers(3, 40), bias=st.floats(0, 3))
def test_points_on_a_circle_have_length_one_and_an_inner_product_that_depends_on_distance_alone(n, bias):
    x = circle_points(n, bias=bias)
    gram = x @ x.T
    assert torch.allclose(gram.diagonal(), torch.ones(n, dtype=torch.float64))
    shifted = gram.roll((1, 1), (0, 1))
    assert torch.allclose(gram, shifted)


@given(seed=SEED, heights=st.lists(st.floats(0.1, 3), min_size=3, max_size=3))
def test_targets_hold_the_named_frequencies_at_the_named_heights_and_no_others(seed, heights):
    y = wave_targets([1, 4, 7], n_points=20, seeds=[seed], amplitudes=heights)
    height = torch.fft.rfft(y[0]).abs() / 10
    expected = torch.zeros(11, dtype=torch.float64)
    expected[[1, 4, 7]] = torch.tensor(heights, dtype=torch.float64)
    assert torch.allclose(height, expected, atol=1e-9)


def test_phases_differ_between_seeds_and_not_between_calls():
    y = wave_targets([3], n_points=16, seeds=[0, 1, 0])
    assert torch.equal(y[0], y[2])
    assert not torch.allclose(y[0], y[1])


@pytest.mark.parametrize("frequencies", [[8], [-1], [2, 9]])
def test_frequencies_that_the_points_cannot_show_are_refused(frequencies):
    with pytest.raises(ValueError, match="frequencies from 0 to below 8"):
        wave_targets(frequencies, n_points=16, seeds=[0])


@given(seed=SEED, kind=st.sampled_from(["sine", "two sines", "square", "chirp"]))
@settings(max_examples=30)
def test_signals_have_about_unit_variance_inside_and_go_on_without_noise_outside(seed, kind):
    d = make_signal(kind, seed=seed, n_train=200)
    assert 0.6 < float(d.y_train.var()) < 1.5
    assert (float(d.x_test.min()), float(d.x_test.max())) == (5.0, 15.0)
    noisy = make_signal(kind, seed=seed, n_train=200, noise=0.1)
    assert torch.equal(noisy.y_test, d.y_test)
    assert float((noisy.y_train - d.y_train).std()) == pytest.approx(0.1, rel=0.3)
    assert float(d.y_train[-1, 0]) == pytest.approx(float(d.y_test[0, 0]), abs=1e-4)  # both at 5


@given(seed=SEED)
def test_a_sine_obeys_its_differential_equation(seed):
    d = make_signal("sine", seed=seed, n_test=2001)
    y = d.y_test[:, 0].double()
    second = (y[2:] - 2 * y[1:-1] + y[:-2]) / (10 / 2000) ** 2
    big = y[1:-1].abs() > 1
    ratio = (-second / y[1:-1])[big]  # the squared angular frequency
    assert 1.4**2 < float(ratio.median()) < 2.6**2


@given(seed=SEED)
def test_frequencies_of_two_sines_have_the_ratio_1_7(seed):
    y = make_signal("two sines", seed=seed, n_test=21).y_test[:, 0].double()
    # With c = cos(w h) for steps of h: y(t+2) + y(t-2) - 2 (c1 + c2) (y(t+1) + y(t-1)) + (2 + 4 c1 c2) y(t) = 0.
    rows = torch.stack([2 * (y[3:-1] + y[1:-3]), -4 * y[2:-2]], 1)
    total, product = torch.linalg.lstsq(rows, (y[4:] + 2 * y[2:-2] + y[:-4])[:, None]).solution[:, 0]
    half = (total**2 / 4 - product).sqrt()
    slow, fast = (total / 2 + half).arccos(), (total / 2 - half).arccos()
    assert float(fast / slow) == pytest.approx(1.7, rel=1e-3)


@given(seed=SEED)
def test_a_chirp_turns_twice_as_often_as_the_sine_beyond_the_interval(seed):
    y = torch.cat([make_signal(kind, seed=seed, n_test=2000).y_test for kind in ("sine", "chirp")], 1)
    sine, chirp = (y[1:] * y[:-1] < 0).sum(0).tolist()
    assert abs(chirp - 2 * sine) <= 3


def test_an_unknown_signal_is_refused():
    with pytest.raises(ValueError, match="unknown kind 'saw'"):
        make_signal("saw", seed=0)


@given(seed=SEED, d=st.integers(1, 3))
def test_encodings_and_their_linear_control_have_equal_mean_square(seed, d):
    x = torch.rand(30, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    waves = fourier_features(x, n_features=12, bandwidth=2.0, seed=seed)
    lift = linear_lift(x, n_features=12, seed=seed)
    octaves = positional_encoding(x, 4)
    assert torch.allclose(waves.square().sum(1), torch.full((30,), 6.0, dtype=torch.float64))
    assert float(lift.square().sum(1).mean()) == pytest.approx(6)
    assert torch.allclose(octaves.square().sum(1), torch.full((30,), 4.0 * d, dtype=torch.float64))
    assert torch.linalg.matrix_rank(lift) <= d  # a lift adds no direction


def test_octaves_double_and_a_lift_vanishes_in_the_middle():
    x = torch.tensor([[0.3, 0.9]], dtype=torch.float64)
    expected = [math.sin(math.pi * 2**octave * value) for value in (0.3, 0.9) for octave in range(3)]
    assert positional_encoding(x, 3)[0, :6].tolist() == pytest.approx(expected)
    centred = linear_lift(torch.tensor([[0.5, 0.5], [0.2, 0.4]]), n_features=6, seed=0)
    assert not centred[0].any()


@pytest.mark.parametrize("bandwidth", [0.5, 2.0])
def test_the_kernel_of_many_fourier_features_is_gaussian(bandwidth):
    x = torch.tensor([[0.4], [0.5]], dtype=torch.float64)
    f = fourier_features(x, n_features=100_000, bandwidth=bandwidth, seed=0)
    expected = math.exp(-2 * (math.pi * bandwidth * 0.1) ** 2)
    assert float(f[0] @ f[1]) / 50_000 == pytest.approx(expected, abs=0.015)


@given(seed=SEED)
def test_inner_products_of_fourier_features_depend_on_the_difference_alone(seed):
    x = torch.tensor([[0.1], [0.3], [0.6], [0.8]], dtype=torch.float64)
    f = fourier_features(x, n_features=20, bandwidth=3.0, seed=seed)
    assert torch.allclose(f[0] @ f[1], f[2] @ f[3])


def test_an_odd_number_of_waves_is_refused():
    with pytest.raises(ValueError, match="must be even"):
        fourier_features(torch.zeros(2, 1), n_features=3, bandwidth=1.0, seed=0)


def test_pixels_are_listed_row_by_row():
    assert pixel_coordinates(3)[1].tolist() == pytest.approx([1 / 6, 1 / 2])
    assert len(pixel_coordinates(3)) == 9


def test_random_pixels_are_standard_normal_and_a_regression_set_tests_on_what_it_trains_on():
    y = random_pixels(4000, seed=1)
    assert abs(float(y.mean())) < 4 / math.sqrt(4000)
    assert float(y.std()) == pytest.approx(1, rel=0.05)
    d = regression_set(pixel_coordinates(3), y[:9])
    assert torch.equal(d.x_train, d.x_test)
    assert torch.equal(d.y_train, d.y_test)
    assert d.n_classes == 0
