"""How complex a function is, from its values: mean frequency, mean polynomial order, Lempel-Ziv description.

Three notions of simplicity that need not agree: a function may vary slowly, be close to a polynomial of low order, or
have a short description. Each measure ignores the function's offset and scale.
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

WINDOWS = ("hann", "none")
CONSTANT = 1e-6  # a spread below this share of the largest value is rounding error: the function is constant


def fourier_magnitudes(
    values: Float[Tensor, "*batch"], *, n_axes: int = 2, window: str = "hann"
) -> tuple[Float[Tensor, "*frequencies"], Float[Tensor, "*batch"]]:
    """Frequencies and magnitudes of the discrete Fourier transform of functions on a regular grid.

    The transform takes a grid for one period. Opposite edges that differ are then a jump, and its high frequencies leak
    into every magnitude: a ramp looks as rough as a saw. The Hann window fades the edges out and removes nearly all of
    that; it smears each frequency over its direct neighbours. The weighted mean is taken out before, so that the
    magnitude at frequency 0 vanishes.

    Args:
        values: functions on a grid of equal spacing; the last ``n_axes`` axes are the grid's.
        n_axes: dimension of the functions' domain.
        window: "hann", or "none" for functions that are periodic on the grid.

    Returns:
        Length of the frequency vector in cycles per side of the grid, shape of the grid; magnitudes, shape of values.

    Raises:
        ValueError: an unknown window, or fewer axes than ``n_axes``.

    Explained in chapter *Random networks*.
    """
    if window not in WINDOWS:
        raise ValueError(f"unknown window {window!r}; one of {WINDOWS}")
    if not 1 <= n_axes <= values.ndim:
        raise ValueError(f"values of shape {tuple(values.shape)} have no {n_axes} axes of a grid")
    axes, grid = tuple(range(-n_axes, 0)), values.shape[-n_axes:]
    weight = torch.ones((), dtype=values.dtype, device=values.device)
    square = torch.zeros((), dtype=values.dtype, device=values.device)
    for axis, size in zip(axes, grid, strict=True):
        shape = [size, *[1] * (-axis - 1)]
        if window == "hann":
            weight = weight * torch.hann_window(size, dtype=values.dtype, device=values.device).view(shape)
        frequency = size * torch.fft.fftfreq(size, dtype=values.dtype, device=values.device)
        square = square + frequency.view(shape) ** 2
    weight = weight.expand(grid)
    centred = values - (weight * values).sum(axes, keepdim=True) / weight.sum()
    return square.sqrt(), torch.fft.fftn(weight * centred, dim=axes).abs()


def mean_frequency(
    values: Float[Tensor, "*batch"], *, n_axes: int = 2, window: str = "hann"
) -> Float[Tensor, "*function"]:
    """Mean frequency of functions on a regular grid, weighted by Fourier magnitude: `sum |k| |f_k| / sum |f_k|`.

    Args:
        values: functions on a grid of equal spacing; the last ``n_axes`` axes are the grid's.
        n_axes: dimension of the functions' domain.
        window: as in :func:`fourier_magnitudes`.

    Returns:
        Cycles per side of the grid, one number a function; 0 for a constant.

    Raises:
        ValueError: as :func:`fourier_magnitudes`.

    Source:
        Teney et al. (2024), Neural Redshift; they weight by magnitude, not by power.

    Explained in chapter *Random networks*.

    Example:
        >>> x = torch.arange(64, dtype=torch.float64) / 64
        >>> round(mean_frequency(torch.sin(2 * torch.pi * 5 * x), n_axes=1).item(), 3)
        5.0
    """
    frequency, magnitude = fourier_magnitudes(values, n_axes=n_axes, window=window)
    axes = tuple(range(-n_axes, 0))
    total = magnitude.sum(axes)
    mean = (frequency * magnitude).sum(axes) / total
    return torch.where(_is_constant(values, axes), 0.0, mean)


def radial_spectrum(
    values: Float[Tensor, "*batch"], *, n_axes: int = 2, window: str = "hann"
) -> Float[Tensor, "*function frequency"]:
    """Mean Fourier magnitude at each whole frequency, over all directions.

    Args:
        values: functions on a grid of equal spacing; the last ``n_axes`` axes are the grid's.
        n_axes: dimension of the functions' domain.
        window: as in :func:`fourier_magnitudes`.

    Returns:
        Magnitudes at 0, 1, 2, … cycles per side, up to half the grid's shortest side (Nyquist's limit).

    Raises:
        ValueError: as :func:`fourier_magnitudes`.

    Explained in chapter *Random networks*.
    """
    frequency, magnitude = fourier_magnitudes(values, n_axes=n_axes, window=window)
    ring = frequency.round().long().flatten()
    rings = torch.nn.functional.one_hot(ring).to(magnitude.dtype)
    rings = rings[:, : min(values.shape[-n_axes:]) // 2 + 1]
    return magnitude.flatten(-n_axes) @ rings / rings.sum(0)


def chebyshev_nodes(n: int) -> Float[Tensor, " n"]:
    """The ``n`` points in (-1, 1) at which :func:`chebyshev_order` wants a function's values: zeros of T_n.

    Example:
        >>> chebyshev_nodes(2).tolist() == [math.cos(math.pi / 4), math.cos(3 * math.pi / 4)]
        True
    """
    return torch.tensor([math.cos(math.pi * (i + 0.5) / n) for i in range(n)], dtype=torch.float64)


def chebyshev_coefficients(values: Float[Tensor, "*batch"], *, n_axes: int = 2) -> Float[Tensor, "*batch"]:
    """Coefficients of the Chebyshev polynomials that interpolate functions at the Chebyshev nodes.

    With c_k = (2 - [k = 0]) / n sum_j f(x_j) T_k(x_j) along each axis, f(x, y) = sum_kl c_kl T_k(x) T_l(y).

    Args:
        values: functions at the nodes of :func:`chebyshev_nodes` along each of the last ``n_axes`` axes.
        n_axes: dimension of the functions' domain.

    Returns:
        Coefficients of the orders 0, 1, … along each axis, in the shape of ``values``.

    Explained in chapter *Random networks*.
    """
    for axis in range(-n_axes, 0):
        n = values.shape[axis]
        angle = torch.acos(chebyshev_nodes(n)).to(values.device)
        order = torch.arange(n, device=values.device)
        transform = torch.cos(order * angle[:, None]) * (2 - (order == 0).double()) / n  # (node, order)
        values = (values.movedim(axis, -1) @ transform.to(values.dtype)).movedim(-1, axis)
    return values


def chebyshev_order(values: Float[Tensor, "*batch"], *, n_axes: int = 2) -> Float[Tensor, "*function"]:
    """Mean order of the Chebyshev polynomials in a function, weighted by magnitude: `sum n |c_n| / sum |c_n|`.

    The order of T_k(x) T_l(y) is k + l. The constant part does not count.

    Args:
        values: functions at the nodes of :func:`chebyshev_nodes` along each of the last ``n_axes`` axes.
        n_axes: dimension of the functions' domain.

    Returns:
        The mean order, one number a function; 0 for a constant.

    Source:
        Teney et al. (2024), Neural Redshift.

    Explained in chapter *Random networks*.

    Example:
        >>> x = chebyshev_nodes(16)
        >>> round(chebyshev_order(4 * x**3 - 3 * x, n_axes=1).item(), 6)
        3.0
    """
    axes = tuple(range(-n_axes, 0))
    magnitude = chebyshev_coefficients(values, n_axes=n_axes).abs()
    order = torch.zeros((), dtype=values.dtype, device=values.device)
    for axis in axes:
        along = torch.arange(values.shape[axis], dtype=values.dtype, device=values.device)
        order = order + along.view([-1, *[1] * (-axis - 1)])
    mean = (order * magnitude).sum(axes) / (magnitude * (order > 0)).sum(axes)
    return torch.where(_is_constant(values, axes), 0.0, mean)


def above_median(values: Float[Tensor, "*batch"], *, n_axes: int = 2) -> Bool[Tensor, "*function cell"]:
    """The function as a string of bits, row by row: whether a value lies above the function's median.

    Lempel-Ziv needs symbols. Two of equal number keep the string's entropy out of the comparison, so that only the
    arrangement counts.

    Example:
        >>> above_median(torch.tensor([[1.0, 2.0], [3.0, 4.0]])).tolist()
        [False, False, True, True]
    """
    flat = values.flatten(-n_axes)
    return flat > flat.median(-1, keepdim=True).values


def lempel_ziv_words(symbols: Int[Tensor, "*batch length"] | Bool[Tensor, "*batch length"]) -> Int[Tensor, "*batch"]:
    """Number of words into which Lempel and Ziv's parsing of 1978 cuts a sequence: a dictionary's size.

    Each word is the shortest one not seen before; a rest at the end that was seen before does not count. All sequences
    are parsed side by side, each walking through a tree of its own words.

    Args:
        symbols: sequences of booleans or of integers from 0.

    Returns:
        The number of different words, one a sequence; about n / log2(n) for n random bits, sqrt(2 n) for a constant.

    Raises:
        ValueError: an empty sequence or a negative symbol.

    Source:
        The parsing of Ziv and Lempel's compression of 1978 (LZ78).

    Explained in chapter *Random networks*.

    Example:
        >>> text = "1001111011000010"  # 1 / 0 / 01 / 11 / 10 / 110 / 00 / 010
        >>> lempel_ziv_words(torch.tensor([int(symbol) for symbol in text])).item()
        8
    """
    if symbols.shape[-1] == 0 or int(symbols.min()) < 0:
        raise ValueError(f"needed are symbols from 0 in sequences of 1 or more; got shape {tuple(symbols.shape)}")
    text = symbols.reshape(-1, symbols.shape[-1]).cpu().long().numpy()
    n_sequences, length = text.shape
    import numpy as np

    # children[row, node, symbol] is the node of that longer word, 0 where there is none; the root is node 0
    children = np.zeros((n_sequences, length + 1, int(text.max()) + 1), dtype=np.int32)
    rows, node, n_words = np.arange(n_sequences), np.zeros(n_sequences, np.int64), np.zeros(n_sequences, np.int64)
    for symbol in text.T:
        child = children[rows, node, symbol]
        new = child == 0
        n_words += new
        children[rows[new], node[new], symbol[new]] = n_words[new]
        node = np.where(new, 0, child)
    return torch.from_numpy(n_words).view(symbols.shape[:-1])


def lempel_ziv_bits(symbols: str | Sequence[int]) -> float:
    """Description length of a sequence after Lempel and Ziv's parsing of 1976, read in both directions.

    log2(n) times the mean number of words N of the sequence and of its reverse; log2(n) if all symbols are equal. A
    word is the shortest piece that cannot be copied from what lies before its last symbol.

    Args:
        symbols: a text, or a sequence of the integers 0 to 9.

    Returns:
        Bits: small for regular sequences, near n (above it for short ones) for n random bits.

    Raises:
        ValueError: fewer than 2 symbols.

    Source:
        Dingle, Camargo and Louis (2018), Nature Communications 9, 761; the parsing is that of Lempel and Ziv (1976),
        On the complexity of finite sequences.

    Explained in chapter *Untrained classifiers*.

    Example:
        >>> lempel_ziv_bits("0" * 16), lempel_ziv_bits("01" * 8)
        (4.0, 12.0)
    """
    text = symbols if isinstance(symbols, str) else "".join(map(str, symbols))
    if len(text) < 2:
        raise ValueError(f"needed are 2 or more symbols, got {len(text)}")
    if len(set(text)) == 1:
        return math.log2(len(text))
    return math.log2(len(text)) * (_words_1976(text) + _words_1976(text[::-1])) / 2


def _words_1976(text: str) -> int:
    start, n_words = 0, 0
    while start < len(text):
        end = start + 1
        # overlap is allowed: a word may be copied from itself, up to its last symbol but one
        while end <= len(text) and text[start:end] in text[: end - 1]:
            end += 1
        n_words, start = n_words + 1, end
    return n_words


def _is_constant(values: Tensor, axes: tuple[int, ...]) -> Tensor:
    return values.amax(axes) - values.amin(axes) <= CONSTANT * values.abs().amax(axes)
