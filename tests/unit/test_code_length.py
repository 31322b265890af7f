"""Code lengths, periods of strings, and the probabilities that a transformer gives to strings."""

import math
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ib_utils.measures import adaptive_code_length, prefix_period, prequential_code_length
from ib_utils.models import GPT, string_log_probability

STRINGS = torch.tensor(list(product([0, 1], repeat=6)))
bits = st.lists(st.integers(0, 1), min_size=1, max_size=12)


def gpt(seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return GPT(2, 6, width=12, depth=2, n_heads=3)


@given(st.integers(2, 5), st.lists(st.integers(1, 20), min_size=2, max_size=6))
def test_a_learner_that_stays_uniform_saves_nothing(n_classes, blocks):
    ends = np.cumsum(blocks)
    losses = [math.log(n_classes)] * (len(ends) - 1)
    assert prequential_code_length(losses, ends, n_classes) == pytest.approx(ends[-1] * math.log2(n_classes))


@given(bits)
def test_adaptive_code_is_that_of_krichevsky_and_trofimov(labels):
    # the integral over a coin's bias under Beta(1/2, 1/2)
    ones, n = sum(labels), len(labels)
    log_beta = math.lgamma(ones + 0.5) + math.lgamma(n - ones + 0.5) - math.lgamma(n + 1)
    expected = -(log_beta - 2 * math.lgamma(0.5)) / math.log(2)
    assert adaptive_code_length(np.array(labels), 2) == pytest.approx(expected)


@given(bits)
def test_the_period_repeats_to_the_string_and_no_shorter_prefix_does(string):
    def repeats(p):
        return [string[i % p] for i in range(len(string))] == string

    period = int(prefix_period(np.array([string]))[0])
    assert repeats(period)
    assert not any(repeats(p) for p in range(1, period))


@pytest.mark.parametrize("context", [None, 1, 2, 3, 6])
def test_probabilities_of_all_strings_sum_to_one(context):
    assert string_log_probability(gpt(), STRINGS, context=context).exp().sum().item() == pytest.approx(1, abs=1e-5)


def test_a_context_of_one_is_a_markov_chain():
    model = gpt()
    step = model(torch.tensor([[0], [1]]))[:, 0].log_softmax(-1)
    chain = step[STRINGS[:, :-1], STRINGS[:, 1:]].sum(1) - math.log(2)
    torch.testing.assert_close(string_log_probability(model, STRINGS, context=1), chain)


@pytest.mark.parametrize("context", [2, 3, 4])
def test_a_window_is_scored_as_by_itself(context):
    model, string = gpt(1), STRINGS[37]
    total = -math.log(2)
    for t in range(1, 6):
        window = string[max(0, t - context) : t]
        total += model(window[None])[0, -1].log_softmax(-1)[string[t]].item()
    assert string_log_probability(model, STRINGS[37:38], context=context).item() == pytest.approx(total, abs=1e-5)


def test_the_future_is_not_seen():
    model, changed = gpt(), STRINGS.clone()
    changed[:, 4:] = 1 - changed[:, 4:]
    torch.testing.assert_close(model(STRINGS)[:, :4], model(changed)[:, :4])


def test_bad_requests_are_refused():
    with pytest.raises(ValueError, match="ascending ends"):
        prequential_code_length([0.5], [4], 2)
    with pytest.raises(ValueError, match="context must be at least 1, got 0"):
        string_log_probability(gpt(), STRINGS, context=0)
