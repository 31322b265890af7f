"""Programs by length and shortest descriptions, against direct evaluation and exhaustive search."""

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ib_utils.measures import best_fit, enumerate_programs, occam_bound, shortest_description
from ib_utils.measures.programs import NATS_PER_SYMBOL, SYMBOLS

PROGRAMS = enumerate_programs(8, n_numbers=60)
seeds = st.integers(0, 2**32 - 1)


def evaluate(text, x):
    """A program's answer to one number, by Python."""
    largest = math.isqrt(61)
    text = text.replace("mod", "%").replace(" = ", " == ")
    text = re.sub(r"\(([^()%]+)% ([^()]+)\)", r"(\1 % \2 if \2 else 0)", text)
    found = re.fullmatch(r"(not )?some i: (.*)", text)
    if found is None:
        return bool(eval(text, {"x": x}))
    answer = any(bool(eval(found[2], {"x": x, "i": i})) for i in range(2, min(largest + 1, x)))
    return answer != bool(found[1])


def simple(text):
    """Whether the translation above covers it: no brackets within brackets, no `and` or `or` of loops."""
    return "((" not in text and "))" not in text and not (("and" in text or "or" in text) and "some" in text)


def test_answers_are_those_of_python():
    checked = [k for k, text in enumerate(PROGRAMS.texts) if simple(text)]
    assert len(checked) > 100
    for k in checked:
        text = PROGRAMS.texts[k]
        assert [evaluate(text, int(x)) for x in PROGRAMS.numbers] == PROGRAMS.outputs[k].tolist(), text


def test_programs_differ_and_come_in_order_of_length():
    assert len(np.unique(PROGRAMS.outputs, axis=0)) == len(PROGRAMS)
    assert (np.diff(PROGRAMS.lengths) >= 0).all()
    longer = enumerate_programs(9, n_numbers=60)
    assert longer.texts[: len(PROGRAMS)] == PROGRAMS.texts  # a longer list begins with the shorter


def test_negation_costs_at_most_one_symbol():
    for k in np.flatnonzero(PROGRAMS.lengths < 8):
        other = PROGRAMS.find(~PROGRAMS.outputs[k])
        assert other is not None
        assert PROGRAMS.lengths[other] <= PROGRAMS.lengths[k] + 1


def test_lengths_satisfy_kraft():
    assert (len(SYMBOLS) ** -PROGRAMS.lengths.astype(float)).sum() < 1


@settings(max_examples=30)
@given(seeds)
def test_descriptions_are_the_shortest(seed):
    generator = np.random.default_rng(seed)
    samples = []
    for n in (1, 5, 20):
        index = generator.integers(0, 60, n)
        samples.append((index, generator.random(n) < 0.5))
    mistakes = PROGRAMS.mistakes(samples)
    chosen, nats = shortest_description(PROGRAMS, mistakes, generator=generator)
    rival = best_fit(mistakes, generator=generator)
    for s, (index, labels) in enumerate(samples):
        wrong = (PROGRAMS.outputs[:, index] != labels).sum(1)
        assert mistakes[:, s].tolist() == wrong.tolist()
        cost = PROGRAMS.lengths * NATS_PER_SYMBOL + wrong * math.log(60)
        assert nats[s] == pytest.approx(cost.min(), rel=1e-5)
        assert cost[chosen[s]] == pytest.approx(cost.min(), rel=1e-5)
        assert wrong[rival[s]] == wrong.min()


@settings(max_examples=30)
@given(seeds)
def test_without_exceptions_the_program_fits_alone(seed):
    generator = np.random.default_rng(seed)
    target = generator.integers(len(PROGRAMS))
    index = generator.integers(0, 60, 10)
    mistakes = PROGRAMS.mistakes([(index, PROGRAMS.outputs[target, index])])
    chosen, _ = shortest_description(PROGRAMS, mistakes, generator=generator, exceptions=False)
    assert mistakes[chosen[0], 0] == 0
    assert PROGRAMS.lengths[chosen[0]] <= PROGRAMS.lengths[target]


def test_ties_are_broken_evenly():
    generator = np.random.default_rng(0)
    drawn = best_fit(np.zeros((4, 4000), dtype=np.float32), generator=generator)
    assert np.bincount(drawn).min() > 900


def test_the_bound_is_kept_by_programs_that_fit():
    generator, target, broken = np.random.default_rng(1), PROGRAMS.outputs[40], 0
    samples = [(i, target[i]) for i in generator.integers(0, 60, (300, 15))]
    chosen, nats = shortest_description(PROGRAMS, PROGRAMS.mistakes(samples), generator=generator, exceptions=False)
    broken = ((PROGRAMS.outputs[chosen] != target).mean(1) > occam_bound(nats, 15, 0.1)).mean()
    assert broken <= 0.1


def test_bad_requests_are_refused():
    with pytest.raises(ValueError, match="max_length must lie in 3 to 12, got 2"):
        enumerate_programs(2)
    with pytest.raises(ValueError, match="n_numbers must be at least 1, got 0"):
        enumerate_programs(5, n_numbers=0)
