"""The Bures-Wasserstein loss against scipy's matrix roots, its gradient against autograd, its critical points."""

from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from ib_utils.measures import (
    bures_wasserstein_gradient,
    bures_wasserstein_loss,
    spectral_subset,
    square_gradient,
)

seeds = st.integers(0, 2**31)
smoothings = st.sampled_from([0.0, 0.1, 1.0])


def normal(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def root_of(seed: int, size: int) -> torch.Tensor:
    x = normal(seed, size, size)
    values, vectors = torch.linalg.eigh(x @ x.T + 0.1 * torch.eye(size, dtype=torch.float64))
    return vectors * values.sqrt() @ vectors.T


@settings(max_examples=20)
@given(seeds, smoothings)
def test_the_loss_is_the_distance_of_gaussians(seed, smoothing):
    root, weight = root_of(seed, 4), normal(seed + 1, 4, 4)
    made = (weight @ weight.T).numpy() + smoothing * np.eye(4)
    cross = sqrtm(root.numpy() @ made @ root.numpy()).real
    expected = np.trace(made) + np.trace((root @ root).numpy()) - 2 * np.trace(cross)
    assert bures_wasserstein_loss(weight, root, smoothing=smoothing).item() == pytest.approx(expected, abs=1e-6)


@settings(max_examples=20)
@given(seeds, smoothings, st.integers(2, 4))
def test_the_gradient_is_autograds(seed, smoothing, k):
    root, weight = root_of(seed, 4), normal(seed + 1, 4, k)
    expected = torch.func.grad(lambda w: bures_wasserstein_loss(w, root, smoothing=smoothing))(weight)
    gradient = bures_wasserstein_gradient(weight, root, smoothing=smoothing)
    torch.testing.assert_close(gradient, expected, atol=1e-6, rtol=1e-5)


@settings(max_examples=20)
@given(seeds)
def test_the_square_gradient_is_autograds(seed):
    root, weight = root_of(seed, 4), normal(seed + 1, 4, 2)
    loss = torch.func.grad(lambda w: 0.5 * (w @ w.T - root @ root).square().sum())
    torch.testing.assert_close(square_gradient(weight, root), loss(weight))


@settings(max_examples=20)
@given(seeds)
def test_spectral_subsets_are_critical_and_cost_the_other_eigenvalues(seed):
    root = root_of(seed, 5)
    values = torch.linalg.eigvalsh(root).square().flip(0)
    for chosen in combinations(range(5), 2):
        weight = spectral_subset(root, chosen)
        others = sum(float(values[i]) for i in range(5) if i not in chosen)
        assert bures_wasserstein_gradient(weight, root).abs().max() < 1e-9
        assert bures_wasserstein_loss(weight, root).item() == pytest.approx(others, abs=1e-9)


def test_a_rotation_of_the_noise_changes_nothing_and_equal_covariances_are_at_distance_zero():
    root, weight = root_of(0, 4), normal(1, 4, 4)
    turn = torch.linalg.qr(normal(2, 4, 4)).Q
    torch.testing.assert_close(bures_wasserstein_loss(weight @ turn, root), bures_wasserstein_loss(weight, root))
    assert bures_wasserstein_loss(root, root).abs() < 1e-9


def test_the_pull_does_not_fade_with_the_weights():
    root, weight = root_of(0, 4), normal(1, 4, 2)
    pull = [2 * s * weight - bures_wasserstein_gradient(s * weight, root) for s in (1.0, 1e-6)]
    torch.testing.assert_close(pull[0], pull[1])


def test_negative_smoothing_is_refused():
    with pytest.raises(ValueError, match="smoothing"):
        bures_wasserstein_loss(torch.eye(2), torch.eye(2), smoothing=-1.0)
