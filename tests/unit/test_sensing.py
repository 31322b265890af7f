"""Matrix sensing: coordinates, gradients, and what its measurements mean on average."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ib_utils.data import make_matrix_sensing, symmetric_coordinates, symmetric_matrix

seeds = st.integers(0, 2**31)


def symmetric(seed: int, size: int) -> torch.Tensor:
    x = torch.randn(size, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return x + x.T


@given(seeds, st.integers(1, 7))
def test_coordinates_keep_inner_products_and_come_back(seed, size):
    x, y = symmetric(seed, size), symmetric(seed + 1, size)
    a, b = symmetric_coordinates(x), symmetric_coordinates(y)
    torch.testing.assert_close(a @ b, (x * y).sum())
    torch.testing.assert_close(symmetric_matrix(a), x)


def test_impossible_coordinates_are_refused():
    with pytest.raises(ValueError, match="got 5"):
        symmetric_matrix(torch.zeros(5))


@given(seeds, st.sampled_from([None, 3, 40]))
def test_the_gradient_is_that_of_the_loss(seed, n_measurements):
    problem = make_matrix_sensing(size=4, eigenvalues=[2, 1], n_measurements=n_measurements, seeds=[seed])
    x, step = symmetric(seed, 4)[None], symmetric(seed + 1, 4)[None]
    slope = torch.func.jvp(problem.loss, (x,), (step,))[1]
    torch.testing.assert_close(slope, (problem.gradient(x) * step).sum((1, 2)))


def test_the_truth_fits_and_has_the_eigenvalues_asked_for():
    problem = make_matrix_sensing(size=6, eigenvalues=[3, 1], n_measurements=9, seeds=[0, 1])
    torch.testing.assert_close(problem.loss(problem.target), torch.zeros(2, dtype=torch.float64))
    values = torch.linalg.eigvalsh(problem.target)
    expected = torch.tensor([0, 0, 0, 0, 1, 3], dtype=torch.float64).expand(2, 6)
    torch.testing.assert_close(values, expected, atol=1e-12, rtol=0)
    assert not torch.allclose(problem.target[0], problem.target[1])


def test_many_measurements_are_near_isotropic_and_seeing_everything_is_isotropic():
    many = make_matrix_sensing(size=4, eigenvalues=[1], n_measurements=40_000, seeds=[0]).gram[0]
    eye = torch.eye(10, dtype=torch.float64)
    assert (many - eye).abs().max() < 0.05
    assert torch.equal(make_matrix_sensing(size=4, eigenvalues=[1], n_measurements=None, seeds=[0]).gram[0], eye)


@pytest.mark.parametrize("wrong", [{"eigenvalues": [1, 1, 1]}, {"n_measurements": 0}])
def test_impossible_problems_are_refused(wrong):
    with pytest.raises(ValueError, match=r"eigenvalues|n_measurements"):
        make_matrix_sensing(**{"size": 2, "eigenvalues": [1], "n_measurements": 5, "seeds": [0]} | wrong)
