"""Intrinsic dimension on manifolds whose dimension is known; sharpness on functions whose slope is known."""

import numpy as np
import pytest
import torch

from ib_utils.data import embed
from ib_utils.measures import label_sharpness, maximum_likelihood_dimension, two_neighbours_dimension

ESTIMATORS = [maximum_likelihood_dimension, two_neighbours_dimension]


@pytest.mark.parametrize("estimate", ESTIMATORS)
@pytest.mark.parametrize("dimension", [1, 2, 4])
@pytest.mark.parametrize("n_features", [8, 40])
def test_a_torus_has_its_dimension_whatever_is_around_it(estimate, dimension, n_features):
    z = torch.rand(1200, dimension, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert estimate(embed(z, n_features, seed=1).numpy()) == pytest.approx(dimension, rel=0.15)


@pytest.mark.parametrize("estimate", ESTIMATORS)
def test_scaling_and_turning_change_nothing(estimate):
    rng = np.random.default_rng(0)
    x = rng.random((300, 3))
    turned = 7 * x @ np.linalg.qr(rng.standard_normal((3, 3)))[0]
    assert estimate(turned) == pytest.approx(estimate(x))


def test_the_nearest_ratio_alone_is_two_neighbours():
    x = np.random.default_rng(0).random((400, 2))
    mle = maximum_likelihood_dimension(x, n_neighbours=2)
    assert two_neighbours_dimension(x) == pytest.approx(mle * 399 / 400)


@pytest.mark.parametrize("estimate", ESTIMATORS)
def test_copies_are_refused(estimate):
    with pytest.raises(ValueError, match="twin"):
        estimate(np.concatenate([np.random.default_rng(0).random((30, 2)), np.zeros((2, 2))]))


def test_too_few_points_are_refused():
    with pytest.raises(ValueError, match="n_neighbours"):
        maximum_likelihood_dimension(np.eye(5), n_neighbours=5)


def test_a_linear_function_is_as_sharp_as_its_slope():
    x = np.random.default_rng(0).random((50, 1))
    assert label_sharpness(x, 3 * x[:, 0]) == pytest.approx(3)


def test_two_classes_are_as_sharp_as_their_distance_is_small():
    assert label_sharpness(np.array([[0.0], [1.0], [1.25]]), np.array([0.0, 0, 1])) == pytest.approx(4)
