"""Networks without negative weights preserve order; the distance to monotonicity is the least number of changes."""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ib_utils.data import make_monotone, make_planar
from ib_utils.measures import distance_to_monotonicity
from ib_utils.models import MonotoneMLP, SignedLinear
from ib_utils.training import train

seeds = st.integers(0, 2**31 - 1)


def network(seed, **settings):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return MonotoneMLP((3,), [8, 8], **settings).double()


def ordered_pairs(seed):
    generator = torch.Generator().manual_seed(seed)
    low = torch.randn(200, 3, dtype=torch.float64, generator=generator)
    return low, low + torch.rand(200, 3, dtype=torch.float64, generator=generator)


@given(seeds, st.sampled_from(["relu", "tanh"]))
def test_non_negative_weights_preserve_order(seed, activation):
    low, high = ordered_pairs(seed)
    f = network(seed, activation=activation)
    assert (f.value(high) >= f.value(low) - 1e-12).all()


@pytest.mark.parametrize("settings", [{"signs": "free"}, {"signs": "fixed"}, {"mirrored": True}])
def test_free_and_fixed_signs_and_a_mirrored_input_do_not(settings):
    low, high = ordered_pairs(0)
    falls = [(f.value(high) < f.value(low)).any() for f in (network(s, **settings) for s in range(10))]
    assert any(falls)


@given(seeds)
def test_relu_networks_with_non_negative_weights_are_convex_even_with_a_mirrored_input(seed):
    low, high = ordered_pairs(seed)
    f = network(seed, activation="relu", mirrored=True)
    assert (f.value((low + high) / 2) <= (f.value(low) + f.value(high)) / 2 + 1e-12).all()


def test_class_zero_has_the_score_zero():
    low, _ = ordered_pairs(0)
    f = network(0)
    torch.testing.assert_close(f(low), torch.stack([torch.zeros(200).double(), f.value(low)], 1))


def test_fixed_signs_are_kept_in_training_and_are_each_members_own():
    dataset = make_planar("xor", n_train=50, seed=0)
    run = train(
        lambda: MonotoneMLP((2,), [8], signs="fixed"),
        dataset,
        seeds=[0, 1],
        n_steps=30,
        learning_rate=0.1,
        device="cpu",
    )
    for i, seed in enumerate((0, 1)):
        before = train(
            lambda: MonotoneMLP((2,), [8], signs="fixed"), dataset, seeds=[seed], n_steps=1, learning_rate=0.0
        ).member(0)
        for old, new in zip(before.layers, run.member(i).layers, strict=True):
            assert torch.equal(old.weight.sign(), new.weight.sign())
            assert torch.equal(old.sign, new.sign)
    assert not torch.equal(run.member(0).layers[1].sign, run.member(1).layers[1].sign)


@settings(max_examples=40)
@given(seeds, st.integers(2, 7))
def test_the_distance_is_the_fewest_changes_that_make_labels_monotone(seed, n):
    generator = np.random.default_rng(seed)
    x, y = generator.integers(0, 3, (n, 2)).astype(float), generator.integers(0, 2, n)
    below = (x[:, None] <= x[None]).all(2)
    monotone = [z for z in map(np.array, product([0, 1], repeat=n)) if (z[:, None] <= z[None])[below].all()]
    fewest = min((z != y).sum() for z in monotone)
    assert distance_to_monotonicity(x, y) == pytest.approx(fewest / n)


@given(seeds)
def test_monotone_targets_are_monotone_and_the_other_regions_are_not(seed):
    cube, steps = make_monotone(4, n_train=80, seed=seed), make_planar("staircase", n_train=80, seed=seed)
    for dataset in (cube, steps):
        assert distance_to_monotonicity(dataset.x_train.numpy(), dataset.y_train.numpy()) == 0
    for shape in ("xor", "ring", "stripe"):
        dataset = make_planar(shape, n_train=80, seed=seed)
        assert distance_to_monotonicity(dataset.x_train.numpy(), dataset.y_train.numpy()) > 0.05


def test_bad_requests_are_refused():
    with pytest.raises(ValueError, match="signs must be one of"):
        SignedLinear(2, 2, signs="negative")
    with pytest.raises(ValueError, match="activation must be one of"):
        MonotoneMLP((2,), [2], activation="gelu")
    with pytest.raises(ValueError, match="shape must be one of"):
        make_planar("moon", n_train=5, seed=0)
    with pytest.raises(ValueError, match="labels must be 0 and 1"):
        distance_to_monotonicity(np.zeros((2, 1)), np.array([1, 2]))
