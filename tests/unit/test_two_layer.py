"""Two-layer networks in closed form against autograd, torch's optimisers and the linear theory; adjusted gradients."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ib_utils.data import circle_points, wave_targets
from ib_utils.models import (
    adjustment_matrix,
    dense_kernels,
    inductive_adjustment,
    paired_weights,
    random_rotation,
    two_layer_kernel,
    two_layer_ntk,
    two_layer_path,
)

SEED = st.integers(0, 2**20)


def outputs(x, w):
    width = w.shape[0]
    signs = torch.cat([torch.ones(width // 2), -torch.ones(width // 2)]).double() / width**0.5
    return (x @ w.T).relu() @ signs


def kernel_of(seed, n=12):
    g = torch.Generator().manual_seed(seed)
    a = torch.randn(n, n + 3, generator=g, dtype=torch.float64)
    return a @ a.T


@given(seed=SEED)
@settings(max_examples=5)
def test_the_kernel_as_it_is_holds_the_inner_products_of_gradients(seed):
    x, w = circle_points(7), paired_weights([seed], width=10)
    jacobian = torch.func.jacrev(lambda v: outputs(x, v))(w[0]).flatten(1)
    assert torch.allclose(jacobian @ jacobian.T, two_layer_ntk(x, w)[0])


def test_the_kernel_at_infinite_width_is_the_hidden_layers_share_of_the_whole_one():
    x = circle_points(9)
    whole = dense_kernels(x, x, depth=1, weight_variance=1.0)  # inputs are divided by their number, 3
    assert torch.allclose(two_layer_kernel(x), 3 * (whole.ntk - whole.nngp), atol=1e-12)


@given(seed=SEED)
@settings(max_examples=5)
def test_the_network_starts_at_zero_and_its_path_is_that_of_autograd(seed):
    x, w = circle_points(8), paired_weights([seed, seed + 1], width=12)
    y = wave_targets([1, 2], n_points=8, seeds=[seed, seed + 1])
    path = two_layer_path(x, y, w, learning_rate=0.7, n_steps=5, record_at=[0, 5])
    assert path.outputs[0].abs().max() < 1e-12
    v = w[1].clone().requires_grad_()
    stepper = torch.optim.SGD([v], lr=0.7)
    for _ in range(5):
        stepper.zero_grad()
        (outputs(x, v) - y[1]).square().mean().backward()
        stepper.step()
    assert torch.allclose(path.weights[1], v.detach(), atol=1e-12)


def test_adam_is_torchs_adam_for_each_member():
    x, w, y = circle_points(8), paired_weights([3, 4], width=12), wave_targets([1, 2], n_points=8, seeds=[3, 4])
    both = two_layer_path(x, y, w, learning_rate=0.01, n_steps=6, record_at=[6], optimizer="adam")
    alone = two_layer_path(x, y[1:], w[1:], learning_rate=0.01, n_steps=6, record_at=[6], optimizer="adam")
    assert torch.allclose(both.outputs[:, 1:], alone.outputs)
    with pytest.raises(ValueError, match="unknown optimizer"):
        two_layer_path(x, y, w, learning_rate=0.01, n_steps=1, record_at=[1], optimizer="lion")


def test_steps_are_recorded_in_the_order_asked_for_and_those_beyond_the_last_are_refused():
    x, w, y = circle_points(8), paired_weights([3], width=12), wave_targets([1, 2], n_points=8, seeds=[3])
    there, back = (two_layer_path(x, y, w, learning_rate=0.1, n_steps=4, record_at=r).outputs for r in ([0, 4], [4, 0]))
    assert torch.equal(there, back.flip(0))
    assert not torch.allclose(*there)
    with pytest.raises(KeyError, match="5"):
        two_layer_path(x, y, w, learning_rate=0.1, n_steps=4, record_at=[5])


def test_small_targets_shrink_as_the_linear_theory_says():
    x, w = circle_points(16), paired_weights([0], width=4000)
    y = 1e-3 * wave_targets([1, 2], n_points=16, seeds=[0])
    rate, n_steps = 1.0, 40
    residual = two_layer_path(x, y, w, learning_rate=rate, n_steps=n_steps, record_at=[n_steps]).outputs[0] - y
    step = torch.eye(16, dtype=torch.float64) - 2 * rate / 16 * two_layer_ntk(x, w)[0]
    expected = -torch.linalg.matrix_power(step, n_steps) @ y[0]
    assert (residual[0] - expected).norm() < 0.02 * expected.norm()


def test_units_come_in_pairs():
    with pytest.raises(ValueError, match="width must be even"):
        paired_weights([0], width=3)


@given(seed=SEED, count=st.integers(1, 12), reference=st.integers(0, 11))
def test_adjusted_modes_all_have_the_eigenvalue_of_the_reference(seed, count, reference):
    k = kernel_of(seed)
    s = adjustment_matrix(k, n_adjusted=count, reference=reference)
    values = torch.linalg.eigvalsh(k).flip(-1)
    expected = values.clone()
    expected[:count] = values[reference]
    found = torch.linalg.eigvals(s @ k).real.sort(descending=True).values
    assert torch.allclose(found, expected.sort(descending=True).values, rtol=1e-6, atol=1e-8)
    assert torch.allclose(s, s.mT)


@given(seed=SEED)
def test_random_directions_keep_the_spectrum_of_the_adjustment(seed):
    k = kernel_of(seed)
    q = random_rotation(k, seed=seed)
    own, other = (adjustment_matrix(k, n_adjusted=5, eigenvectors=v) for v in (None, q))
    spectra = [torch.linalg.eigvalsh(s) for s in (own, other)]
    assert torch.allclose(*spectra, rtol=1e-6)
    assert not torch.allclose(own, other)


def test_random_directions_have_no_preferred_sign():
    q = random_rotation(torch.eye(3, dtype=torch.float64).expand(2000, 3, 3), seed=0)
    assert q.mean(0).abs().max() < 0.06
    assert torch.allclose(q.square().mean(0), torch.full((3, 3), 1 / 3, dtype=torch.float64), atol=0.04)


@given(seed=SEED)
def test_groups_of_one_are_the_adjustment_itself_and_larger_groups_act_on_each_position_alike(seed):
    k = kernel_of(seed)
    assert torch.allclose(inductive_adjustment(k, group=1, n_adjusted=4), adjustment_matrix(k, n_adjusted=4))
    s = inductive_adjustment(k, group=3, n_adjusted=2)
    small = adjustment_matrix(k[::3, ::3], n_adjusted=2)
    for position in range(3):
        assert torch.allclose(s[position::3, position::3], small)
    assert not s[0::3, 1::3].any()


def test_modes_that_are_never_learned_cannot_be_adjusted():
    line = torch.ones(4, 4, dtype=torch.float64)  # of rank one
    assert torch.allclose(adjustment_matrix(line, n_adjusted=1), torch.eye(4, dtype=torch.float64))
    with pytest.raises(ValueError, match="fewer than n_adjusted=2 eigenvalues"):
        adjustment_matrix(line, n_adjusted=2)


def test_sizes_that_do_not_fit_are_refused():
    k = kernel_of(0)
    with pytest.raises(ValueError, match="do not divide 12 points"):
        inductive_adjustment(k, group=5, n_adjusted=1)
    for wrong in ({"n_adjusted": 0}, {"n_adjusted": 13}, {"n_adjusted": 1, "reference": 12}):
        with pytest.raises(ValueError, match="do not fit a kernel of 12 points"):
            adjustment_matrix(k, **wrong)
