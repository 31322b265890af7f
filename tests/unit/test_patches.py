"""The signal in one of many patches and the networks that look for it: what each rotation may and may not change."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ib_utils.data import make_signal_in_patch, patch_rotation, rotated, signal_direction
from ib_utils.models import TemplateNetwork, soft_threshold

shapes = st.fixed_dictionaries({"n_patches": st.integers(1, 6), "patch_size": st.integers(1, 5)})
few = settings(max_examples=25, deadline=None)
TURNS = ("whole", "alike", "apart")


def network(connections: str, shape: dict, seed: int = 0) -> TemplateNetwork:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return TemplateNetwork(shape["n_patches"], shape["patch_size"], connections).double().requires_grad_(False)


def inputs(shape: dict, n: int = 20) -> torch.Tensor:
    size = shape["n_patches"] * shape["patch_size"]
    return torch.randn(n, 1, size, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@given(shapes, st.integers(0, 99))
@few
def test_without_noise_exactly_one_patch_holds_the_signed_signal(shape, seed):
    drawn = make_signal_in_patch(**shape, noise=0.0, n_train=30, n_test=10, seed=seed)
    patches = drawn.x_train.view(30, shape["n_patches"], shape["patch_size"])
    signal = signal_direction(shape["patch_size"], seed=seed)
    assert ((patches != 0).any(-1).sum(1) == 1).all()
    torch.testing.assert_close(patches.sum(1), (2 * drawn.y_train - 1)[:, None] * signal)


def test_positions_and_labels_are_even_and_independent():
    drawn = make_signal_in_patch(n_patches=4, patch_size=2, noise=0.0, n_train=8000, seed=3)
    place = (drawn.x_train.view(-1, 4, 2) != 0).any(-1).int().argmax(1)
    counts = torch.bincount(place * 2 + drawn.y_train, minlength=8)
    expected = 8000 / 8
    assert float(((counts - expected) ** 2 / expected).sum()) < 24.3  # chi-squared, 7 degrees of freedom, p = 0.001


def test_noise_has_the_given_standard_deviation_and_every_patch_has_it():
    drawn = make_signal_in_patch(n_patches=3, patch_size=4, noise=0.3, n_train=20000, pinned=True, seed=0)
    patches = drawn.x_train.view(-1, 3, 4)
    rest = patches[:, 0] - (2 * drawn.y_train - 1)[:, None] * signal_direction(4, seed=0)
    for noise in (rest, patches[:, 1], patches[:, 2]):
        assert float(noise.std()) == pytest.approx(0.3, rel=0.02)
        assert float(noise.mean()) == pytest.approx(0.0, abs=0.01)


def test_a_pinned_signal_changes_the_place_and_neither_labels_nor_noise():
    same = {"n_patches": 5, "patch_size": 3, "n_train": 50, "seed": 7}
    free, pinned = (make_signal_in_patch(**same, noise=0.0, pinned=p) for p in (False, True))
    assert torch.equal(free.y_train, pinned.y_train)
    assert (pinned.x_train.view(-1, 5, 3)[:, 1:] == 0).all()
    assert not (free.x_train.view(-1, 5, 3)[:, 1:] == 0).all()


@pytest.mark.parametrize("bad", [{"n_patches": 0}, {"patch_size": 0}, {"n_train": 0}, {"noise": -1.0}])
def test_impossible_settings_are_refused(bad):
    with pytest.raises(ValueError, match=next(iter(bad)).split("_")[0]):
        make_signal_in_patch(**{"n_patches": 2, "patch_size": 2, "noise": 0.1, "n_train": 4, "seed": 0} | bad)


@given(shapes, st.sampled_from(TURNS), st.integers(0, 99))
@few
def test_rotations_are_orthogonal_and_keep_to_their_patches(shape, how, seed):
    turn = patch_rotation(how, **shape, seed=seed)
    torch.testing.assert_close(turn @ turn.T, torch.eye(len(turn), dtype=torch.float64), rtol=0, atol=1e-12)
    if how == "whole":
        return
    k, d = shape["n_patches"], shape["patch_size"]
    blocks = turn.view(k, d, k, d).transpose(1, 2)  # (k, k, d, d)
    assert (blocks[~torch.eye(k, dtype=torch.bool)] == 0).all()
    if how == "alike":
        assert (blocks[range(k), range(k)] == blocks[0, 0]).all()


def test_rotations_are_uniform():
    """A fixed vector lands uniformly on the sphere: its coordinates have mean 0 and variance 1/size."""
    first = torch.stack([patch_rotation("whole", n_patches=2, patch_size=2, seed=s)[:, 0] for s in range(2000)])
    torch.testing.assert_close(first.mean(0), torch.zeros(4, dtype=torch.float64), rtol=0, atol=0.05)
    torch.testing.assert_close(first.T @ first / 2000, torch.eye(4, dtype=torch.float64) / 4, rtol=0, atol=0.03)


def test_a_rotation_keeps_labels_and_distances():
    drawn = make_signal_in_patch(n_patches=3, patch_size=3, noise=0.3, n_train=20, seed=0)
    turned = rotated(drawn, patch_rotation("whole", n_patches=3, patch_size=3, seed=0))
    assert torch.equal(drawn.y_train, turned.y_train)
    assert not torch.allclose(drawn.x_train, turned.x_train)
    assert not torch.allclose(drawn.x_test, turned.x_test)
    before, after = (torch.cdist(d.x_train[:, 0], d.x_train[:, 0]) for d in (drawn, turned))
    torch.testing.assert_close(before, after, rtol=1e-3, atol=1e-3)


def test_a_matrix_that_does_not_fit_is_refused():
    drawn = make_signal_in_patch(n_patches=2, patch_size=2, noise=0.3, n_train=4, seed=0)
    with pytest.raises(ValueError, match="does not act"):
        rotated(drawn, torch.eye(5))
    with pytest.raises(ValueError, match="must be 'whole'"):
        patch_rotation("sideways", n_patches=2, patch_size=2, seed=0)


@given(st.floats(-3, 3), st.floats(0.01, 2))
@few
def test_the_threshold_is_the_difference_of_two_ramps(z, b):
    z = torch.tensor(z, dtype=torch.float64)
    torch.testing.assert_close(soft_threshold(z, b), (z - b).relu() - (-z - b).relu())
    torch.testing.assert_close(soft_threshold(-z, b), -soft_threshold(z, b))


@given(shapes)
@few
def test_each_network_contains_the_next(shape):
    k, d = shape["n_patches"], shape["patch_size"]
    shared, local, full = (network(name, shape) for name in ("shared", "local", "full"))
    local.weight.data = shared.weight.data.expand(k, d).clone()
    full.weight.data = torch.block_diag(*local.weight.data)
    x = inputs(shape)
    torch.testing.assert_close(local(x), shared(x))
    torch.testing.assert_close(full(x), local(x))


@given(shapes)
@few
def test_the_convolution_does_not_care_which_patch_comes_first_and_the_local_network_does(shape):
    x = inputs(shape)
    order = torch.arange(shape["n_patches"]).roll(1)
    moved = x.unflatten(-1, (shape["n_patches"], shape["patch_size"]))[:, :, order].flatten(2)
    shared, local = network("shared", shape), network("local", shape)
    torch.testing.assert_close(shared(moved), shared(x))
    if shape["n_patches"] > 1:
        assert not torch.allclose(local(moved), local(x))


@given(shapes, st.floats(0.1, 10))
@few
def test_only_the_direction_of_a_template_counts(shape, factor):
    for name in ("full", "local", "shared"):
        a, b = network(name, shape), network(name, shape)
        b.weight.data = b.weight.data * factor
        torch.testing.assert_close(a(inputs(shape)), b(inputs(shape)))


@pytest.mark.parametrize(("name", "how"), [("full", "whole"), ("local", "apart"), ("shared", "alike")])
def test_turning_templates_and_inputs_together_changes_nothing(name, how):
    shape = {"n_patches": 4, "patch_size": 3}
    turn, plain, turned = patch_rotation(how, **shape, seed=0), network(name, shape), network(name, shape)
    w = plain.weight.data
    flat = w.flatten() if name == "local" else w
    turned.weight.data = (flat @ turn[: flat.shape[-1], : flat.shape[-1]].T).view_as(w)
    x = inputs(shape)
    torch.testing.assert_close(turned(x @ turn.T), plain(x))


def test_the_known_signal_solves_the_task_and_its_opposite_fails_it():
    drawn = make_signal_in_patch(n_patches=8, patch_size=4, noise=0.297, n_train=2, n_test=20000, seed=0)
    oracle = TemplateNetwork(8, 4, "shared").requires_grad_(False)
    oracle.weight.data = signal_direction(4, seed=0)
    right = float((oracle(drawn.x_test).argmax(1) == drawn.y_test).double().mean())
    assert right == pytest.approx(0.96, abs=0.01)
    oracle.weight.data = -oracle.weight.data
    wrong = float((oracle(drawn.x_test).argmax(1) == drawn.y_test).double().mean())
    assert wrong == pytest.approx(1 - right, abs=0.005)


def test_the_sum_over_patches_is_as_good_as_its_formula():
    """The best linear classifier has accuracy Phi(1 / (noise sqrt(k)))."""
    k, d, noise = 8, 4, 0.3
    drawn = make_signal_in_patch(n_patches=k, patch_size=d, noise=noise, n_train=2, n_test=40000, seed=0)
    score = (drawn.x_test.view(-1, k, d) @ signal_direction(d, seed=0)).sum(1)
    right = float(((score > 0).long() == drawn.y_test).double().mean())
    assert right == pytest.approx((1 + math.erf(1 / (noise * math.sqrt(2 * k)))) / 2, abs=0.008)


def test_unknown_connections_are_refused():
    with pytest.raises(ValueError, match="must be one of full, local, shared"):
        TemplateNetwork(2, 2, "sparse")
