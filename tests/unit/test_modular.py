"""Modular sums: the rule, the split, the even part of the labels."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ib_utils.data import make_modular_sums


@given(st.integers(2, 12), st.integers(0, 2**20))
def test_every_label_follows_the_rule_and_every_tuple_is_there_once(modulus, seed):
    sums = make_modular_sums(modulus, n_train=40, seed=seed, n_values=5, n_terms=3)
    x, y = torch.cat([sums.x_train, sums.x_test]), torch.cat([sums.y_train, sums.y_test])
    terms = ((x + 1) / 2 * 5).round().long()
    assert len({tuple(row) for row in terms.tolist()}) == len(terms) == 125
    assert torch.equal(y, (terms.sum(1) % modulus <= modulus / 2).long())


def test_modulo_four_three_labels_in_four_are_one():
    sums = make_modular_sums(4, n_train=3000, seed=0)
    y = torch.cat([sums.y_train, sums.y_test])
    assert y.float().mean().item() == 0.75
    assert sums.y_train.float().mean().item() == pytest.approx(0.75, abs=1e-3)
    assert -1 == sums.x_train.min() < sums.x_train.max() < 1


def test_a_seed_fixes_the_split():
    first, again, other = (make_modular_sums(7, n_train=50, seed=s, n_terms=2).x_train for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(("modulus", "n_train"), [(1, 10), (4, 25), (4, 1)])
def test_impossible_sums_are_refused(modulus, n_train):
    with pytest.raises(ValueError, match=f"modulus {modulus}"):
        make_modular_sums(modulus, n_train=n_train, seed=0, n_values=5, n_terms=2)
