"""Paths of gradient descent on products, against autograd and closed forms."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ib_utils.data import make_matrix_sensing
from ib_utils.models import (
    best_rank_fit,
    direct_path,
    factorised_path,
    layered_path,
    minimum_trace,
    nearest_approach,
    sigmoidal_mode,
    small_factors,
)

seeds = st.integers(0, 2**31)


def normal(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@settings(max_examples=20)
@given(seeds)
def test_a_step_on_the_factor_goes_along_autograds_gradient(seed):
    problem = make_matrix_sensing(size=5, eigenvalues=[2, 1], n_measurements=30, seeds=[seed])
    factor = small_factors([seed], size=5, rank=3, scale=0.7)
    gradient = torch.func.grad(lambda u: problem.loss(u @ u.mT).sum() / 2)(factor)
    moved = factor - 0.1 * gradient
    path = factorised_path(problem, factor, learning_rate=0.1, n_steps=1)
    torch.testing.assert_close(path[1], moved @ moved.mT)


@settings(max_examples=20)
@given(seeds, st.integers(1, 4))
def test_a_step_on_the_layers_goes_along_autograds_gradient(seed, depth):
    target = normal(seed, 2, 3, 3)
    layers = [normal(seed + 1 + i, 2, 3, 3) for i in range(depth)]

    def loss(layers):
        product = layers[0]
        for layer in layers[1:]:
            product = layer @ product
        return 0.5 * (product - target).square().sum()

    gradients = torch.func.grad(loss)(layers)
    moved = [layer - 0.01 * g for layer, g in zip(layers, gradients, strict=True)]
    product = moved[0]
    for layer in moved[1:]:
        product = layer @ product
    path = layered_path(lambda w: w - target, layers, learning_rate=0.01, n_steps=1)
    torch.testing.assert_close(path[1], product)


@settings(max_examples=15)
@given(seeds, st.integers(1, 3))
def test_with_the_whole_matrix_in_sight_the_best_fit_is_the_truncated_spectrum(seed, rank):
    problem = make_matrix_sensing(size=6, eigenvalues=[4, 3, 2, 1], n_measurements=None, seeds=[seed])
    values, vectors = torch.linalg.eigh(problem.target)
    truncated = vectors[:, :, -rank:] * values[:, None, -rank:] @ vectors[:, :, -rank:].mT
    torch.testing.assert_close(best_rank_fit(problem, rank), truncated)


def test_a_best_fit_is_stationary_and_no_descent_from_elsewhere_is_better():
    problem = make_matrix_sensing(size=8, eigenvalues=[3, 2, 1], n_measurements=150, seeds=[0, 1])
    fit = best_rank_fit(problem, 2)
    assert (problem.gradient(fit) @ fit).abs().max() < 1e-8
    start = small_factors([5, 6], size=8, rank=2, scale=1.0)
    other = factorised_path(problem, start, learning_rate=0.05, n_steps=400)[-1]
    assert (problem.loss(fit) <= problem.loss(other) + 1e-9).all()


def test_the_direct_path_learns_all_modes_alike_and_the_product_does_not():
    problem = make_matrix_sensing(size=5, eigenvalues=[2, 1], n_measurements=None, seeds=[0])
    direct = direct_path(problem, learning_rate=0.1, n_steps=20)
    torch.testing.assert_close(direct[10], (1 - 0.9**10) * problem.target)
    fit = best_rank_fit(problem, 1)
    product = factorised_path(problem, small_factors([0], size=5, rank=5, scale=1e-4), learning_rate=0.05, n_steps=400)
    assert nearest_approach(product, fit)[0] < 0.02 < nearest_approach(direct, fit)[0]


@settings(max_examples=3)
@given(seeds)
def test_the_least_trace_fits_and_no_other_fit_we_know_has_less(seed):
    problem = make_matrix_sensing(size=6, eigenvalues=[2, 1], n_measurements=14, seeds=[seed])
    least = minimum_trace(problem, n_measurements=14, n_steps=1500)
    assert problem.loss(least).max() < 1e-12
    assert torch.linalg.eigvalsh(least).min() > -0.02
    assert least[0].trace() <= problem.target[0].trace() + 0.02


@given(st.floats(0.5, 4), st.floats(1e-4, 0.1))
def test_the_sigmoid_solves_its_differential_equation(strength, start):
    strength, start = (torch.tensor([x], dtype=torch.float64) for x in (strength, start))
    time = torch.linspace(0, 3, 7, dtype=torch.float64)[:, None]
    u, speed = torch.func.jvp(lambda t: sigmoidal_mode(t, strength, start), (time,), (torch.ones_like(time),))
    torch.testing.assert_close(speed, 2 * u * (strength - u))
    torch.testing.assert_close(u[0], start)


def test_an_aligned_linear_network_follows_the_sigmoid():
    strengths = torch.tensor([2.0, 1.0], dtype=torch.float64)
    layers = [0.1 * torch.eye(2, dtype=torch.float64)[None]] * 2
    path = layered_path(lambda w: w - torch.diag(strengths), layers, learning_rate=1e-3, n_steps=3000)
    time = 1e-3 * torch.arange(3001, dtype=torch.float64)[:, None]
    expected = sigmoidal_mode(time, strengths, torch.tensor([0.01, 0.01], dtype=torch.float64))
    assert (path[:, 0].diagonal(dim1=-2, dim2=-1) - expected).abs().max() < 5e-3


def test_starts_are_of_the_size_asked_for_and_differ_between_seeds():
    start = small_factors([0, 1], size=4, rank=2, scale=1e-3)
    torch.testing.assert_close(torch.linalg.matrix_norm(start, 2), torch.full((2,), 1e-3, dtype=torch.float64))
    assert not torch.allclose(start[0], start[1])


def test_nearest_approach_finds_the_step():
    path = torch.tensor([3.0, 1.2, 0.5]).view(3, 1, 1, 1)
    distance, step = nearest_approach(path, torch.ones(1, 1, 1))
    assert distance.item() == pytest.approx(0.2)
    assert step.item() == 1
