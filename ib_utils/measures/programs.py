"""A counted language of programs about numbers, all its programs in order of length, and the shortest description
of labels: a program plus a list of the examples that it gets wrong."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Bool, Float, Int

SYMBOLS = ("x", "i", "0", "1", "2", "3", "+", "*", "mod", "=", "<", "not", "and", "or", "some")
NATS_PER_SYMBOL = math.log(len(SYMBOLS))
LARGEST = 2**31 - 1  # larger results count as this

Sample = tuple[Int[np.ndarray, " example"], Bool[np.ndarray, " example"]]  # places of the numbers, labels
Expressions = dict[int, list[tuple[str, np.ndarray]]]  # length in symbols -> (text, values)


@dataclass(frozen=True)
class Programs:
    """All programs of a language up to a length, one for each behaviour: the shortest, in order of length.

    Args:
        texts: each program, in readable form.
        lengths: symbols of each.
        outputs: answer of each program to each number.
        numbers: the numbers.
    """

    texts: list[str]
    lengths: Int[np.ndarray, " program"]
    outputs: Bool[np.ndarray, "program number"]
    numbers: Int[np.ndarray, " number"]

    def __len__(self) -> int:
        return len(self.texts)

    def find(self, labels: Bool[np.ndarray, " number"]) -> int | None:
        """Index of the program that gives these labels, None if there is none."""
        same = np.flatnonzero((self.outputs == labels).all(1))
        return int(same[0]) if len(same) else None

    def mistakes(self, samples: Sequence[Sample]) -> Float[np.ndarray, "program sample"]:
        """How many examples of each sample each program gets wrong.

        Args:
            samples: of each, the places of its examples in ``numbers`` and their labels.
        """
        against = np.zeros((len(self.numbers), len(samples)), dtype=np.float32)  # labels "no" minus labels "yes"
        for votes, (index, labels) in zip(against.T, samples, strict=True):
            np.add.at(votes, index, np.where(labels, -1.0, 1.0))
        wrong = self.outputs.astype(np.float32) @ against
        wrong += np.array([labels.sum() for _, labels in samples], dtype=np.float32)
        return wrong


def enumerate_programs(max_length: int = 11, n_numbers: int = 510) -> Programs:
    """Enumerate the programs of up to ``max_length`` symbols on the numbers 2, 3, … .

    A program is a yes-or-no question about a number x. In prefix notation, which needs no brackets, it is

    - ``= a b`` or ``< a b``, with a and b numbers: ``x``, ``0`` to ``3``, or ``+``, ``*``, ``mod`` of two numbers
      (``mod`` by zero is 0);
    - ``not p``, ``and p q``, ``or p q``;
    - ``some``, followed by a comparison in which i may stand for a number: whether it is true for some i from 2 up to
      the square root of the largest number, and below x.

    Programs that answer alike on all numbers count once, at their smallest length. No program continues another, so
    the lengths in nats, ``NATS_PER_SYMBOL`` times the symbols, satisfy Kraft's inequality.

    Args:
        max_length: in symbols, 3 to 12.
        n_numbers: how many numbers, from 2 on.

    Raises:
        ValueError: a length out of range, or no number.

    Source:
        A language of our own, after the simple neural programs of Chatterjee & Sudijono (2026), arXiv:2409.12446,
        with one loop; theirs compiles to networks, ours does not.

    Explained in chapter *No free lunch*.

    Example:
        >>> programs = enumerate_programs(7, n_numbers=20)
        >>> primes = np.isin(programs.numbers, [2, 3, 5, 7, 11, 13, 17, 19])
        >>> programs.texts[programs.find(primes)]
        'not some i: 0 = (x mod i)'
    """
    if not 3 <= max_length <= 12:
        raise ValueError(f"max_length must lie in 3 to 12, got {max_length}")
    if n_numbers < 1:
        raise ValueError(f"n_numbers must be at least 1, got {n_numbers}")
    x = np.arange(2, n_numbers + 2, dtype=np.int32)[:, None]
    loop = np.arange(2, math.isqrt(n_numbers + 1) + 1, dtype=np.int32)  # finds a divisor of every composite number
    plain, looped = _numbers(x, loop, max_length)
    inside = x > loop
    found: Expressions = {}
    seen: set[bytes] = set()
    for length in range(3, max_length + 1):
        found[length] = []
        for text, answer in _questions(length, plain, looped, found, inside):
            if (key := np.packbits(answer).tobytes()) not in seen:
                seen.add(key)
                found[length].append((text, answer))
    listed = [(text, length, answer) for length, level in found.items() for text, answer in level]
    texts, lengths, answers = zip(*listed, strict=True)
    return Programs(list(texts), np.array(lengths), np.stack(answers), x[:, 0])


def shortest_description(
    programs: Programs,
    mistakes: Float[np.ndarray, "program sample"],
    *,
    generator: np.random.Generator,
    exceptions: bool = True,
) -> tuple[Int[np.ndarray, " sample"], Float[np.ndarray, " sample"]]:
    """The program in the shortest description of each sample's labels, and the length of that description.

    A description is a program and the list of the examples that it gets wrong. Each symbol of the program costs
    ``NATS_PER_SYMBOL``, each exception the logarithm of how many numbers there are; so every labelling has a
    description, and program plus list always fit the sample.

    Args:
        programs: all programs.
        mistakes: of each program on each sample, from ``programs.mistakes``.
        generator: breaks ties.
        exceptions: allow them; without, the program alone has to fit.

    Returns:
        Index of the program, and length of the description in nats (infinite where nothing fits), for each sample.

    Source:
        Minimum description length as in Chatterjee & Sudijono (2026), arXiv:2409.12446.

    Explained in chapter *No free lunch*.
    """
    nats: np.ndarray = (programs.lengths[:, None] * NATS_PER_SYMBOL).astype(np.float32)
    nats = nats + mistakes * np.float32(math.log(len(programs.numbers)))
    if not exceptions:
        nats = np.where(mistakes == 0, nats, math.inf)
    return _lowest(nats, generator), nats.min(0)


def best_fit(
    mistakes: Float[np.ndarray, "program sample"], *, generator: np.random.Generator
) -> Int[np.ndarray, " sample"]:
    """A program with the fewest mistakes, drawn at random whatever its length: the rival without a taste for brevity.

    Args:
        mistakes: of each program on each sample, from ``Programs.mistakes``.
        generator: draws.

    Returns:
        Index of the program, for each sample.
    """
    return _lowest(mistakes, generator)


def occam_bound(
    nats: Float[np.ndarray, "..."] | float, n_examples: Int[np.ndarray, "..."] | int, delta: float
) -> Float[np.ndarray, "..."]:
    """Error that a program of this length can have, but for a share ``delta`` of samples, if it fits all examples.

    By the union bound over a prefix-free code: (length + ln 1/delta) / n.

    Args:
        nats: length of the program.
        n_examples: drawn independently and uniformly.
        delta: probability that the bound is broken.

    Source:
        The counting argument of Chatterjee & Sudijono (2026), with explicit constants.

    Example:
        >>> round(float(occam_bound(19.0, 100, 0.05)), 3)
        0.22
    """
    return np.minimum(1.0, (np.asarray(nats) + math.log(1 / delta)) / n_examples)


def _lowest(score: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Row of the lowest score in each column, ties broken at random (scores differ by more than 0.5 or not at all)."""
    jitter = generator.random(score.shape, dtype=np.float32)
    return (score + np.float32(1e-2) * jitter).argmin(0)


def _numbers(x: np.ndarray, loop: np.ndarray, max_length: int) -> tuple[Expressions, Expressions]:
    """Distinct arithmetic expressions by length: without i, and with it (one column a value of i)."""
    constant = [(str(c), np.full_like(x, c)) for c in range(4)]
    plain: Expressions = {1: [("x", x), *constant]}
    looped: Expressions = {1: [("i", np.tile(loop, (len(x), 1)))]}
    seen = {values.tobytes() for _, values in plain[1] + looped[1]}
    for length in range(3, max_length - 1, 2):  # the shortest comparison adds two symbols
        plain[length], looped[length] = [], []
        for left in range(1, length - 1, 2):
            right = length - 1 - left
            pairs = [(plain[left], plain[right], plain)]
            if length <= max_length - 3:  # "some", "=" and another number
                pairs += [
                    (looped[left], plain[right], looped),
                    (plain[left], looped[right], looped),
                    (looped[left], looped[right], looped),
                ]
            for firsts, seconds, into in pairs:
                for text, values in _arithmetic(firsts, seconds):
                    if (key := values.tobytes()) not in seen:
                        seen.add(key)
                        into[length].append((text, values))
    return plain, looped


def _arithmetic(firsts: list, seconds: list) -> Iterator[tuple[str, np.ndarray]]:
    for (a, u), (b, v) in product(firsts, seconds):
        yield f"({a} + {b})", np.minimum(np.add(u, v, dtype=np.int64), LARGEST).astype(np.int32)
        yield f"({a} * {b})", np.minimum(np.multiply(u, v, dtype=np.int64), LARGEST).astype(np.int32)
        yield f"({a} mod {b})", np.where(v > 0, u % np.maximum(v, 1), 0)


def _questions(
    length: int, plain: Expressions, looped: Expressions, found: Expressions, inside: np.ndarray
) -> Iterator[tuple[str, np.ndarray]]:
    """Every program of exactly this length, repeats included."""
    for left in range(1, length - 1, 2):
        for (a, u), (b, v) in product(plain.get(left, []), plain.get(length - 1 - left, [])):
            yield f"{a} = {b}", (u == v)[:, 0]
            yield f"{a} < {b}", (u < v)[:, 0]
        right = length - 2 - left
        for firsts, seconds in ((looped, plain), (plain, looped), (looped, looped)):
            for (a, u), (b, v) in product(firsts.get(left, []), seconds.get(right, [])):
                yield f"some i: {a} = {b}", ((u == v) & inside).any(1)
                yield f"some i: {a} < {b}", ((u < v) & inside).any(1)
    for text, answer in found.get(length - 1, []):
        yield f"not {text}", ~answer
    for left in range(3, (length - 1) // 2 + 1):
        for (p, u), (q, v) in product(found[left], found.get(length - 1 - left, [])):
            yield f"({p}) and ({q})", u & v
            yield f"({p}) or ({q})", u | v
