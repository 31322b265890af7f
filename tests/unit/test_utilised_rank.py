"""Ranks by energy, and the directions in which a layer and its data meet."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ib_utils.measures import energy_rank, utilisation

seeds = st.integers(0, 2**31)


def normal(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=9), st.floats(0.05, 1.0))
def test_the_energy_rank_is_the_fewest_that_hold_the_share(values, share):
    values = torch.tensor(values, dtype=torch.float64)
    energy = values.square().sort(descending=True).values
    rank = energy_rank(values, share)
    assert energy[:rank].sum() >= (share - 1e-9) * energy.sum()
    assert energy[: rank - 1].sum() < (share + 1e-9) * energy.sum()


def test_zeros_do_not_count_and_nonsense_is_refused():
    assert energy_rank(torch.tensor([2.0, 1.0, 0.0, 0.0]), 1.0) == 2
    with pytest.raises(ValueError, match="share"):
        energy_rank(torch.ones(2), 1.5)
    with pytest.raises(ValueError, match="energy"):
        energy_rank(torch.zeros(2), 0.9)


@given(seeds, st.integers(1, 4))
def test_keeping_all_energy_keeps_the_layer_on_its_data_and_finds_their_rank(seed, rank):
    weight, inputs = normal(seed, 7, 5), normal(seed + 1, 30, rank) @ normal(seed + 2, rank, 5)
    used = utilisation(weight, inputs, share=1 - 1e-13)
    assert used.rank == rank
    assert used.share == rank / 5
    torch.testing.assert_close(inputs @ used.projected.T, inputs @ weight.T, atol=1e-6, rtol=1e-5)
    assert torch.linalg.matrix_rank(used.projected) == rank


@given(seeds, st.floats(0.5, 0.99))
def test_projections_are_orthogonal_and_hold_the_share(seed, share):
    weight, inputs = normal(seed, 6, 8), normal(seed + 1, 20, 8) * torch.arange(1, 9)
    used = utilisation(weight, inputs, share=share)
    for basis, x in ((used.inputs, inputs), (used.outputs, inputs @ weight.T)):
        torch.testing.assert_close(basis.T @ basis, torch.eye(basis.shape[1], dtype=torch.float64))
        assert (x @ basis).square().sum() >= (share - 1e-9) * x.square().sum()


@given(seeds)
def test_rotating_the_inputs_changes_neither_rank_nor_outputs(seed):
    weight, inputs = normal(seed, 6, 5), normal(seed + 1, 20, 5) * torch.arange(1, 6)
    turn = torch.linalg.qr(normal(seed + 2, 5, 5)).Q
    one, other = utilisation(weight, inputs, share=0.9), utilisation(weight @ turn, inputs @ turn, share=0.9)
    assert one.rank == other.rank
    torch.testing.assert_close(inputs @ one.projected.T, inputs @ turn @ other.projected.T)
