"""The rulers of complexity against functions whose complexity is known."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ib_utils.measures import (
    above_median,
    chebyshev_coefficients,
    chebyshev_nodes,
    chebyshev_order,
    fourier_magnitudes,
    lempel_ziv_bits,
    lempel_ziv_words,
    mean_frequency,
    radial_spectrum,
)

N = 32
SIDE = torch.arange(N, dtype=torch.float64) / N  # one period
phases, scales = st.floats(0, 2 * math.pi), st.floats(0.01, 100)


def wave(frequency: int, phase: float) -> torch.Tensor:
    return torch.sin(2 * math.pi * frequency * SIDE + phase)


@given(st.integers(2, N // 2 - 2), phases, st.sampled_from(["hann", "none"]))
def test_the_mean_frequency_of_a_wave_is_its_frequency(frequency, phase, window):
    assert mean_frequency(wave(frequency, phase), n_axes=1, window=window).item() == pytest.approx(frequency, abs=1e-6)


@given(st.integers(2, 6), st.integers(7, 12), phases, st.floats(0.1, 10))
def test_two_waves_count_by_their_amplitudes(a, b, phase, amplitude):
    """By magnitude, as Teney et al. do, not by power."""
    measured = mean_frequency(wave(a, phase) + amplitude * wave(b, 0.0), n_axes=1, window="none").item()
    assert measured == pytest.approx((a + amplitude * b) / (1 + amplitude), abs=1e-6)


@given(st.integers(1, 12), st.integers(1, 12))
def test_in_the_plane_the_frequency_is_the_length_of_the_wave_vector(k, m):
    values = torch.cos(2 * math.pi * (k * SIDE[:, None] + m * SIDE))
    assert mean_frequency(values, window="none").item() == pytest.approx(math.hypot(k, m), abs=1e-6)


def test_magnitudes_are_those_of_numpy():
    values = torch.randn(3, N, N, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    _, magnitudes = fourier_magnitudes(values, window="none")
    centred = values.numpy() - values.numpy().mean((1, 2), keepdims=True)
    np.testing.assert_allclose(magnitudes, abs(np.fft.fft2(centred)), atol=1e-9)


def test_the_window_takes_out_what_leaks_from_the_edges():
    """A ramp is smooth but for the jump from its end to its start, which a periodic transform sees."""
    leaking, windowed = (mean_frequency(SIDE, n_axes=1, window=w).item() for w in ("none", "hann"))
    assert leaking > 4
    assert windowed < 2


@given(scales, st.floats(-100, 100), phases)
def test_offset_and_scale_do_not_matter(scale, offset, phase):
    values = wave(3, phase) + wave(7, 1.0)
    for measure in (mean_frequency, chebyshev_order):
        plain, moved = measure(values, n_axes=1), measure(offset + scale * values, n_axes=1)
        assert moved.item() == pytest.approx(plain.item(), abs=1e-6)
    torch.testing.assert_close(above_median(offset + scale * values, n_axes=1), above_median(values, n_axes=1))


@pytest.mark.parametrize("measure", [mean_frequency, chebyshev_order])
@pytest.mark.parametrize("level", [0.0, 1.0, -3e4])
def test_a_constant_has_no_complexity(measure, level):
    assert measure(torch.full((2, 8, 8), level)).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("measure", [mean_frequency, chebyshev_order])
def test_noise_is_more_complex_than_any_smooth_function_and_shuffling_leaves_it_alone(measure):
    generator = torch.Generator().manual_seed(1)
    noise = torch.randn(20, N, N, generator=generator, dtype=torch.float64)
    order = torch.randperm(N * N, generator=generator)
    shuffled = noise.flatten(1)[:, order].view_as(noise)
    assert measure(shuffled).mean().item() == pytest.approx(measure(noise).mean().item(), rel=0.02)
    smooth = (SIDE[:, None] + SIDE**2)[None]
    assert measure(noise).min() > 3 * measure(smooth)
    assert measure(smooth.flatten(1)[:, order].view_as(smooth)) > 3 * measure(smooth)


def test_the_mean_frequency_of_white_noise_is_that_of_the_grid():
    noise = torch.randn(200, N, N, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    frequency, _ = fourier_magnitudes(noise)
    expected = frequency.sum() / (N * N - 1)
    assert mean_frequency(noise, window="none").mean().item() == pytest.approx(expected.item(), rel=0.01)


def test_the_radial_spectrum_of_a_wave_is_a_line():
    values = torch.cos(2 * math.pi * 5 * SIDE).expand(N, N)
    spectrum = radial_spectrum(values, window="none")
    assert spectrum.shape == (N // 2 + 1,)
    assert spectrum.argmax() == 5
    assert spectrum[5] > 1e6 * spectrum[[3, 8]].max()


@given(st.integers(1, 15))
def test_the_order_of_a_chebyshev_polynomial_is_its_order(order):
    values = torch.cos(order * torch.acos(chebyshev_nodes(16)))
    assert chebyshev_order(values, n_axes=1).item() == pytest.approx(order, abs=1e-9)


@given(st.integers(0, 7), st.integers(1, 7))
def test_the_order_of_a_product_is_the_sum(k, m):
    angle = torch.acos(chebyshev_nodes(12))
    values = torch.cos(k * angle)[:, None] * torch.cos(m * angle)
    assert chebyshev_order(values).item() == pytest.approx(k + m, abs=1e-9)


def test_coefficients_are_those_of_numpy():
    nodes, coefficients = chebyshev_nodes(9), np.random.default_rng(0).standard_normal((9, 9))
    values = torch.from_numpy(np.polynomial.chebyshev.chebgrid2d(nodes.numpy(), nodes.numpy(), coefficients))
    np.testing.assert_allclose(chebyshev_coefficients(values), coefficients, atol=1e-10)


def words_of_1978(text: str) -> int:
    """The parsing as it is written in textbooks."""
    words, current = set(), ""
    for symbol in text:
        current += symbol
        if current not in words:
            words.add(current)
            current = ""
    return len(words)


@given(st.lists(st.text("012", min_size=40, max_size=40), min_size=1, max_size=5))
def test_words_are_counted_as_in_textbooks(texts):
    symbols = torch.tensor([[int(symbol) for symbol in text] for text in texts])
    assert lempel_ziv_words(symbols).tolist() == [words_of_1978(text) for text in texts]


@pytest.mark.parametrize(
    ("text", "words"),  # from the widely used example strings of an open implementation
    [("1001111011000010", 8), ("1010101010101010", 7), ("100111101100001000001010", 10)],
)
def test_words_of_known_strings(text, words):
    assert lempel_ziv_words(torch.tensor([int(s) for s in text])).item() == words


def test_a_constant_needs_about_the_root_of_its_length_and_noise_nearly_all_words():
    n = 4096
    constant = lempel_ziv_words(torch.zeros(1, n, dtype=torch.long)).item()
    assert constant == math.floor((math.sqrt(8 * n + 1) - 1) / 2)  # 1 + 2 + … + k <= n
    noise = torch.rand(8, n, generator=torch.Generator().manual_seed(3)) > 0.5
    words = lempel_ziv_words(noise).double().mean().item()
    assert 1 < words * math.log2(words) / n < 1.3  # c words are pointed at with log2(c) bits each: 1 in the limit


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0001101001000101", 6),  # 0 / 001 / 10 / 100 / 1000 / 101: the example of Lempel and Ziv (1976)
        ("01" * 20, 3),  # 0 / 1 / copied from itself to the end
        ("0" * 20, None),
    ],
)
def test_bits_of_known_strings(text, words):
    forward = lempel_ziv_bits(text)
    assert forward == lempel_ziv_bits(text[::-1])
    if words is None:
        assert forward == math.log2(len(text))
    else:
        from ib_utils.measures.complexity import _words_1976

        assert _words_1976(text) == words


@given(st.integers(0, 2**32))
def test_random_bits_are_long_and_sorted_bits_short(seed):
    bits = np.random.default_rng(seed).integers(0, 2, 128)
    text = "".join(map(str, bits))
    assert lempel_ziv_bits(text) > 100
    assert lempel_ziv_bits("".join(sorted(text))) < 40
    flipped = text.translate(str.maketrans("01", "10"))
    assert lempel_ziv_bits(flipped) == lempel_ziv_bits(text)


def test_half_of_the_points_lie_above_the_median():
    values = torch.randn(5, 8, 8, generator=torch.Generator().manual_seed(4))
    assert above_median(values).sum(1).tolist() == [32] * 5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mean_frequency(torch.zeros(4, 4), window="blackman"), "unknown window 'blackman'"),
        (lambda: mean_frequency(torch.zeros(4)), "have no 2 axes"),
        (lambda: lempel_ziv_words(torch.zeros(3, 0, dtype=torch.long)), "sequences of 1 or more"),
        (lambda: lempel_ziv_words(torch.tensor([0, -1])), "symbols from 0"),
        (lambda: lempel_ziv_bits("0"), "2 or more symbols"),
    ],
)
def test_what_cannot_be_measured_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
