"""Kernels of infinite width against closed forms, quadrature, a published library, and networks of finite width."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ib_utils import measures, models

DOUBLE = torch.float64
# Reference values: neural-tangents 0.6.5 (jax 0.4.26, float64), stax.serial(Dense, activation, …, Dense)
X1 = torch.tensor([[1.0, 0.0, 2.0], [0.5, -1.0, 0.3]], dtype=DOUBLE)
X2 = torch.tensor([[0.2, 1.0, -0.4], [1.0, 0.0, 2.0], [-1.0, 0.0, -2.0]], dtype=DOUBLE)
LIBRARY = [
    (
        {"activation": "relu", "depth": 3, "weight_variance": 2.0, "bias_variance": 0.0},
        [[0.917394563343, 3.333333333333, 1.645770300668], [0.424157507992, 1.230459245089, 0.926733195369]],
        [[1.425487517124, 13.333333333333, 2.285695454276], [0.55875992646, 2.76068662916, 1.336756299796]],
    ),
    (
        {"activation": "relu", "depth": 2, "weight_variance": 1.3**2, "bias_variance": 0.2**2},
        [[0.518299131753, 2.113531416667, 0.718465171694], [0.253029522982, 0.779199574072, 0.49837921424]],
        [[0.615123225446, 6.22679425, 0.661312702426], [0.234072398115, 1.439506026693, 0.520657246769]],
    ),
    (
        {"activation": "erf", "depth": 2, "weight_variance": 1.0, "bias_variance": 0.0},
        [[-0.063666609687, 0.353914854789, -0.353914854789], [-0.19336651676, 0.113717083476, -0.113717083476]],
        [[-0.191869508351, 1.291987190348, -1.291987190348], [-0.602485362783, 0.346240503375, -0.346240503375]],
    ),
    (
        {"activation": "erf", "depth": 3, "weight_variance": 1.5**2, "bias_variance": 0.3**2},
        [[0.0924912398, 1.2591567921, -0.625571740045], [-0.255102172382, 0.542633768604, -0.031132589272]],
        [[-0.103394112457, 7.938453428646, -4.1390229326], [-1.614370756546, 1.776899103868, -0.608101648583]],
    ),
]
# The same for stax.Conv with windows and strides equal, padding VALID, then Flatten and Dense
LIBRARY_TREES = [
    (
        {"activation": "relu", "windows": [1, 2], "weight_variance": 2.0, "bias_variance": 0.0},
        [[0.414579083168, 0.477145211332], [0.65905575537, 0.51737356625]],
        [[0.697454096807, 1.023877651571], [1.418418477044, 0.949319798706]],
    ),
    (
        {"activation": "erf", "windows": [1, 2, 2], "weight_variance": 1.2**2, "bias_variance": 0.1**2},
        [[0.022224363482, 0.104492917426], [0.086379226573, -0.022591331449]],
        [[0.015345921089, 0.387822442025], [0.325166490943, -0.1286793562]],
    ),
]


def close(actual, expected, tolerance=1e-10):
    torch.testing.assert_close(actual, torch.tensor(expected, dtype=DOUBLE), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("setting", "nngp", "ntk"), LIBRARY)
def test_dense_kernels_equal_those_of_neural_tangents(setting, nngp, ntk):
    kernels = models.dense_kernels(X1, X2, **setting)
    close(kernels.nngp, nngp)
    close(kernels.ntk, ntk)


@pytest.mark.parametrize(("setting", "nngp", "ntk"), LIBRARY_TREES)
def test_local_kernels_equal_those_of_neural_tangents(setting, nngp, ntk):
    first = (torch.arange(16, dtype=DOUBLE) / 7 - 1).reshape(2, 4, 2)
    second = torch.arange(16, dtype=DOUBLE).cos().reshape(2, 4, 2)
    kernels = models.local_kernels(first, second, **setting)
    close(kernels.nngp, nngp)
    close(kernels.ntk, ntk)


@settings(deadline=None)
@given(angle=st.floats(0.0, math.pi), size=st.floats(0.1, 3.0))
def test_relu_duals_are_the_arc_cosine_kernels_of_cho_and_saul(angle, size):
    q1, q2 = torch.tensor(1.0, dtype=DOUBLE), torch.tensor(size**2, dtype=DOUBLE)
    value, slope = models.dual("relu", q1, q2, size * torch.tensor(math.cos(angle), dtype=DOUBLE))
    j1 = math.sin(angle) + (math.pi - angle) * math.cos(angle)
    assert value == pytest.approx(size * j1 / (2 * math.pi), abs=1e-7)  # the angle near 0 is known to 1e-8 only
    assert slope == pytest.approx((math.pi - angle) / (2 * math.pi), abs=1e-7)


@settings(max_examples=20, deadline=None)
@given(q1=st.floats(0.1, 3), q2=st.floats(0.1, 3), correlation=st.floats(-0.95, 0.95))
@pytest.mark.parametrize("activation", ["erf", "linear"])
def test_smooth_duals_are_gaussian_integrals(activation, q1, q2, correlation):
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = torch.from_numpy(weights / weights.sum())
    a, b = torch.from_numpy(nodes)[:, None], torch.from_numpy(nodes)[None, :]
    u = (math.sqrt(q1) * a).requires_grad_()
    v = (math.sqrt(q2) * (correlation * a + math.sqrt(1 - correlation**2) * b)).detach().requires_grad_()
    phi = torch.erf if activation == "erf" else lambda x: x
    du, dv = torch.autograd.grad(phi(u).sum() + phi(v).sum(), (u, v))
    weight = weights[:, None] * weights[None, :]
    q12 = torch.tensor(correlation * math.sqrt(q1 * q2), dtype=DOUBLE)
    value, slope = models.dual(activation, torch.tensor(q1).double(), torch.tensor(q2).double(), q12)
    torch.testing.assert_close(value, (weight * phi(u) * phi(v)).sum().detach(), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(slope, (weight * du * dv).sum(), rtol=1e-6, atol=1e-6)


@settings(deadline=None)
@given(depth=st.integers(0, 5), seed=st.integers(0, 99))
def test_at_criticality_relu_kernels_of_unit_inputs_are_one_and_depth_plus_one(depth, seed):
    x = torch.randn(1, 6, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)
    x = x / x.pow(2).mean().sqrt()
    kernels = models.dense_kernels(x, x, depth=depth, weight_variance=2.0 if depth else 1.0)
    assert kernels.nngp.item() == pytest.approx(2.0 if depth else 1.0)  # the input layer too has variance 2
    assert kernels.ntk.item() == pytest.approx((depth + 1) * kernels.nngp.item())


@pytest.mark.parametrize("activation", ["relu", "erf", "linear"])
def test_one_window_over_all_positions_is_a_dense_layer(activation):
    x = torch.randn(5, 4, 2, generator=torch.Generator().manual_seed(0), dtype=DOUBLE)
    tree = models.local_kernels(x, x, windows=[4], activation=activation)
    dense = models.dense_kernels(x.flatten(1), x.flatten(1), depth=1, activation=activation)
    torch.testing.assert_close(tree, dense)


@pytest.mark.parametrize("windows", [[1], [1, 2], [1, 2, 2], [2, 2]])
def test_kernels_are_symmetric_and_positive(windows):
    x = torch.randn(8, 4, 2, generator=torch.Generator().manual_seed(0), dtype=DOUBLE)
    for kernel in models.local_kernels(x, x, windows=windows):
        torch.testing.assert_close(kernel, kernel.T)
        assert torch.linalg.eigvalsh(kernel).min() > -1e-12


@pytest.mark.parametrize("activation", ["relu", "erf"])
def test_wide_networks_have_these_kernels(activation):
    x = torch.randn(4, 5, generator=torch.Generator().manual_seed(0))
    limit = models.dense_kernels(x, x, depth=2, activation=activation)
    grams, tangents = [], []
    for seed in range(16):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = models.WideNetwork(5, 256, 2, activation=activation)
        h = network.hidden(x).detach()
        grams.append(network.weight_variance * h @ h.T / 256)
        tangents.append(measures.empirical_ntk(network, x))
    for sample, kernel in ((grams, limit.nngp), (tangents, limit.ntk)):
        mean = torch.stack(sample).mean(0)
        assert (mean - kernel).norm() < 0.08 * kernel.norm()


def test_a_finite_locally_connected_network_has_the_local_kernel():
    class Tree(torch.nn.Module):
        """Windows of one, then two positions, weights of its own at each position."""

        def __init__(self, n):
            super().__init__()
            self.first = torch.nn.Parameter(torch.randn(4, n, 2))
            self.second = torch.nn.Parameter(torch.randn(2, n, 2 * n))
            self.last = torch.nn.Parameter(torch.randn(2 * n))

        def forward(self, x):
            # each layer: weight variance 2 over its fan-in
            h = math.sqrt(2 / 2) * torch.einsum("bpc,poc->bpo", x, self.first).relu()
            h = h.flatten(1).view(len(x), 2, -1)  # two neighbours' channels side by side
            h = math.sqrt(2 / h.shape[2]) * torch.einsum("bpi,poi->bpo", h, self.second).relu()
            return math.sqrt(2 / len(self.last)) * (h.flatten(1) @ self.last)[:, None]

    x = torch.randn(4, 4, 2, generator=torch.Generator().manual_seed(0))
    kernels = []
    for seed in range(10):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            tree = Tree(150)
        kernels.append(measures.empirical_ntk(tree, x))
    limit = models.local_kernels(x, x, windows=[1, 2]).ntk
    mean = torch.stack(kernels).mean(0)
    assert (mean - limit).norm() < 0.08 * limit.norm()


def test_residual_flow_solves_its_equation():
    from scipy.integrate import solve_ivp

    def right(_, state):
        q, c = state
        return [q / 2, float(models.dual("relu", *torch.tensor([q, q, c], dtype=DOUBLE))[0])]

    solved = solve_ivp(right, (0, 1), [1.0, 0.2], rtol=1e-10, atol=1e-10).y[:, -1]
    assert models.residual_flow(0.2, n_steps=20_000) == pytest.approx(tuple(solved), rel=1e-4)
    assert models.residual_flow(0.2, branch=lambda t: t) == pytest.approx(tuple(solved), rel=1e-3)  # time is all


def test_refusals_name_the_value():
    x = torch.zeros(2, 4, 2)
    with pytest.raises(ValueError, match="sine"):
        models.local_kernels(x, x, windows=[1], activation="sine")
    with pytest.raises(ValueError, match=r"\[3\]"):
        models.local_kernels(x, x, windows=[3])
    with pytest.raises(ValueError, match="must agree"):
        models.local_kernels(x, x[:, :2], windows=[1])
    with pytest.raises(ValueError, match="-1"):
        models.dense_kernels(x[:, 0], x[:, 0], depth=-1)
    with pytest.raises(ValueError, match="sine"):
        models.dual("sine", *torch.ones(3))
