"""Functions on tori: orthonormal, embedded without distortion, of the chosen steepness."""

import pytest
import torch

from ib_utils.data import embed, harmonics, make_torus_harmonics, make_torus_waves


def points(n, m):
    return torch.rand(n, m, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize(("m", "r"), [(1, 3), (2, 2), (3, 1)])
def test_harmonics_are_orthonormal(m, r):
    grid = torch.cartesian_prod(*[torch.arange(8, dtype=torch.float64) / 8] * m).view(-1, m)
    basis = harmonics(grid, r)
    torch.testing.assert_close(basis.T @ basis / len(grid), torch.eye((2 * r + 1) ** m, dtype=torch.float64))


def test_turning_into_more_dimensions_keeps_distances():
    z = points(20, 3)
    torch.testing.assert_close(torch.cdist(embed(z), embed(z)), torch.cdist(embed(z, 17), embed(z, 17)))


def test_too_small_a_space_is_refused():
    with pytest.raises(ValueError, match="n_features=5 is below 6"):
        embed(points(2, 3), 5)


@pytest.mark.parametrize("dimension", [1, 2])
def test_waves_have_the_steepness_asked_for(dimension):
    squares = []
    for seed in range(40):
        task = make_torus_waves(
            dimension=dimension, sharpness=1.5, n_features=2 * dimension, n_train=1000, n_test=2, seed=seed
        )
        x, y = task.x_train.double(), task.y_train[:, 0].double()
        nearest = (torch.cdist(x, x) + 1e9 * torch.eye(len(x))).min(1)
        squares.append(((y - y[nearest.indices]) ** 2 / nearest.values**2).mean())
    expected = 1.5**2 / dimension  # the gradient's share along one random direction of the torus
    assert torch.stack(squares).mean() == pytest.approx(expected, rel=0.25)


def test_a_target_along_one_coordinate_ignores_the_others():
    one = make_torus_harmonics(dimension=3, resolution=2, n_train=500, n_test=10, seed=0, varies_along=1)
    order = one.x_train[:, :2].double() @ torch.tensor([1.0, 1e-3], dtype=torch.float64)
    near = order.argsort()
    assert (one.y_train[near][1:] - one.y_train[near][:-1]).abs().median() < 0.2


def test_targets_have_unit_variance_and_small_sets_begin_large_ones():
    large = make_torus_harmonics(dimension=2, resolution=2, n_train=5000, n_test=10, seed=0)
    small = make_torus_harmonics(dimension=2, resolution=2, n_train=50, n_test=10, seed=0)
    assert large.y_train.var().item() == pytest.approx(1, abs=0.05)
    assert torch.equal(small.x_train, large.x_train[:50])
    torch.testing.assert_close(small.y_train, large.y_train[:50])
