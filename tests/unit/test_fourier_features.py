"""Projections onto irreducible representations, characters in outputs, margins and their closed-form maximum."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ib_utils.data import (
    cyclic_table,
    dihedral_table,
    latin_square,
    make_group_products,
    quaternion_table,
    symmetric_table,
)
from ib_utils.measures import (
    character_part,
    concentration,
    cubic_norm,
    irrep_power,
    irrep_projections,
    largest_cyclic_margin,
    neuron_power,
    smallest_margin,
)
from ib_utils.models import TableNetwork

GROUPS = {
    "C7": (cyclic_table(7), [1, 2, 2, 2]),
    "C8": (cyclic_table(8), [1, 1, 2, 2, 2]),
    "D5": (dihedral_table(5), [1, 1, 4, 4]),
    "S4": (symmetric_table(4), [1, 1, 4, 9, 9]),
    "Q8": (quaternion_table(), [1, 1, 1, 1, 4]),
}


@pytest.mark.parametrize("name", GROUPS)
def test_projections_split_all_functions_and_commute_with_translations(name):
    table, ranks = GROUPS[name]
    projections = irrep_projections(table)
    order = len(table)
    eye = torch.eye(order, dtype=torch.float64)
    torch.testing.assert_close(projections.sum(0), eye)
    products = torch.einsum("rij,sjk->rsik", projections, projections)
    expected = torch.einsum("rs,rij->rsij", torch.eye(len(projections), dtype=torch.float64), projections)
    torch.testing.assert_close(products, expected, atol=1e-8, rtol=0)
    assert projections.diagonal(dim1=1, dim2=2).sum(1).round().int().tolist() == ranks
    for translation in (*eye[table], *eye[table.T]):  # from the left and from the right
        torch.testing.assert_close(projections @ translation, translation @ projections, atol=1e-8, rtol=0)
    torch.testing.assert_close(projections[0], torch.full((order, order), 1 / order, dtype=torch.float64))


@given(order=st.sampled_from([5, 7, 11, 13]), seed=st.integers(0, 99))
def test_power_on_a_cyclic_group_is_that_of_the_discrete_fourier_transform(order, seed):
    f = torch.randn(order, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    power = np.abs(np.fft.rfft(f.numpy())) ** 2 / order
    power[1:] *= 2  # positive and negative frequency
    np.testing.assert_allclose(irrep_power(f, irrep_projections(cyclic_table(order))), power, atol=1e-10)


def test_a_random_square_has_no_projections():
    with pytest.raises(ValueError, match="not a group"):
        irrep_projections(latin_square(8, seed=0))


@pytest.mark.parametrize("name", GROUPS)
def test_a_sum_of_characters_is_explained_wholly_and_noise_is_not(name):
    table, _ = GROUPS[name]
    order, projections = len(table), irrep_projections(table)
    weights = torch.arange(1.0, len(projections) + 1, dtype=torch.float64)
    kernel = torch.einsum("r,rgh->gh", weights, projections)
    logits = kernel[torch.arange(order), table[:, :, None]]  # depends on c^-1 a b only
    fitted, shares = character_part(logits, table, projections)
    torch.testing.assert_close(fitted, logits - logits.mean(-1, keepdim=True))
    assert shares.sum().item() == pytest.approx(1)
    assert torch.equal(logits.argmax(-1), table)
    noise = torch.randn(order, order, order, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert character_part(noise, table, projections)[1].sum() < 0.1


def waves(p, n_phases=8):
    """The network of squares that attains the largest margin on addition modulo p."""
    turns = 2 * torch.pi * torch.arange(n_phases, dtype=torch.float64) / n_phases
    k, s, t = (
        x.flatten()[:, None]
        for x in torch.meshgrid(torch.arange(1, (p + 1) // 2, dtype=torch.float64), turns, turns, indexing="ij")
    )
    angle = 2 * torch.pi * k * torch.arange(p) / p
    return torch.cos(angle + s).T, torch.cos(angle + t).T, torch.cos(angle + s + t)


@pytest.mark.parametrize("p", [5, 7, 11, 23])
def test_waves_of_all_frequencies_attain_the_largest_margin(p):
    left, right, out = waves(p)
    task = make_group_products(cyclic_table(p), n_train=None, seed=0)
    net = TableNetwork(p, left.shape[1]).double()
    net.load_state_dict({"left": left, "right": right, "out": out})
    with torch.no_grad():
        margin = smallest_margin(net(task.x_train.double()), task.y_train) / cubic_norm(left, right, out)
    assert margin.item() == pytest.approx(largest_cyclic_margin(p), rel=1e-10)
    assert concentration(neuron_power(left, right, out, irrep_projections(cyclic_table(p)))).item() == pytest.approx(1)


def test_random_weights_are_no_waves():
    g = torch.Generator().manual_seed(0)
    left, right, out = (
        torch.randn(23, 40, generator=g),
        torch.randn(23, 40, generator=g),
        torch.randn(40, 23, generator=g),
    )
    assert concentration(neuron_power(left, right, out, irrep_projections(cyclic_table(23)))) < 0.3


@given(scale=st.floats(0.1, 10))
def test_margin_over_cubic_norm_does_not_change_with_scale(scale):
    left, right, out = (scale * x for x in waves(5))
    assert cubic_norm(left, right, out).item() == pytest.approx(scale**3 * cubic_norm(*waves(5)).item())


def test_the_smallest_margin_is_negative_where_an_answer_is_wrong():
    logits = torch.tensor([[[2.0, 1.0, 0.0], [0.0, 3.0, 1.0]], [[2.0, 1.0, 0.0], [0.0, 3.0, 3.5]]])
    assert smallest_margin(logits, torch.tensor([0, 1])).tolist() == [1.0, -0.5]
