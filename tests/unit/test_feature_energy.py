"""The energy of a hidden unit: its gradient, its symmetry, and its maxima on addition."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from ib_utils.data import cyclic_table, latin_square
from ib_utils.measures import ascend_feature_energy, feature_energy, irrep_power, irrep_projections


def draw(order, seed, n=3):
    g = torch.Generator().manual_seed(seed)
    weights = torch.randn(n, 2 * order, generator=g, dtype=torch.float64)
    pairs = (torch.rand(n, order, order, generator=g) < 0.6).double()
    return weights, pairs


@given(order=st.integers(3, 8), seed=st.integers(0, 99))
def test_energy_is_half_the_squared_length_of_centred_answers_times_activity(order, seed):
    table, (weights, pairs) = latin_square(order, seed=seed, n_moves=20), draw(order, seed)
    energy, _ = feature_energy(weights, pairs, table)
    for own, mask, value in zip(weights, pairs.bool(), energy, strict=True):
        f = (own[:order, None] + own[order:]).square()[mask]
        y = F.one_hot(table[mask], order).double()
        assert value.item() == pytest.approx(((y - y.mean(0)).T @ f).square().sum().item() / 2)


@given(order=st.integers(3, 8), seed=st.integers(0, 99))
def test_the_gradient_is_that_of_the_energy(order, seed):
    table, (weights, pairs) = latin_square(order, seed=seed, n_moves=20), draw(order, seed)
    weights.requires_grad_()
    energy, gradient = feature_energy(weights, pairs, table)
    torch.testing.assert_close(gradient, torch.autograd.grad(energy.sum(), weights)[0])


@pytest.mark.parametrize("order", [5, 7, 11])
def test_with_all_pairs_units_end_as_single_waves_of_energy_a_quarter_of_the_order(order):
    table = cyclic_table(order)
    start = torch.randn(6, 2 * order, generator=torch.Generator().manual_seed(order), dtype=torch.float64)
    every = torch.ones(6, order, order, dtype=torch.float64)
    ends = ascend_feature_energy(start, every, table, n_steps=600, step=0.02)
    energy, _ = feature_energy(ends, every, table)
    torch.testing.assert_close(energy, torch.full_like(energy, order / 4), rtol=1e-3, atol=0)
    power = irrep_power(ends.view(6, 2, order), irrep_projections(table)).sum(1)
    assert (power.amax(1) > 0.99).all()


def test_ascent_raises_the_energy_of_unit_vectors():
    weights, pairs = draw(7, 0)
    table = cyclic_table(7)
    before, _ = feature_energy(F.normalize(weights), pairs, table)
    ends = ascend_feature_energy(weights, pairs, table, n_steps=50)
    after, _ = feature_energy(ends, pairs, table)
    torch.testing.assert_close(ends.norm(dim=1), torch.ones(3, dtype=torch.float64))
    assert (after > before).all()
