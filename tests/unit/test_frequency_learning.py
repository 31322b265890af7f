"""Errors and times by frequency, spectra of kernels, and what neighbouring inputs share."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ib_utils.data import circle_points, wave_targets
from ib_utils.measures import (
    activation_patterns,
    empirical_ntk,
    frequency_eigenvalues,
    frequency_errors,
    gradient_confusion,
    gradient_cosines,
    grid_neighbours,
    learning_times,
    pattern_distance,
    snapshot_outputs,
)
from ib_utils.models import MLP, LogisticRegression, two_layer_kernel

SEED = st.integers(0, 2**20)


@given(seed=SEED, left=st.lists(st.floats(0, 2), min_size=3, max_size=3))
def test_errors_are_read_wave_by_wave(seed, left):
    y = torch.stack([wave_targets([k], n_points=24, seeds=[seed])[0] for k in (1, 5, 9)])
    target = y.sum(0)
    outputs = target - torch.tensor(left, dtype=torch.float64) @ y
    errors = frequency_errors(outputs, target, [1, 5, 9])
    assert torch.allclose(errors, torch.tensor(left, dtype=torch.float64), atol=1e-9)


@given(rate=st.floats(0.01, 0.5), threshold=st.floats(0.1, 0.9))
def test_times_of_a_geometric_decay_are_exact_wherever_it_is_recorded(rate, threshold):
    steps = [0, 1, 3, 10, 30, 100, 300, 1000]
    errors = torch.tensor([(1 - rate) ** s for s in steps], dtype=torch.float64)
    expected = math.log(threshold) / math.log(1 - rate)
    if 1e-6 < expected < 1000 and errors[-1] > 0:
        assert float(learning_times(errors, steps, threshold=threshold)) == pytest.approx(expected, rel=1e-6)


def test_what_is_never_learned_takes_for_ever_and_only_the_first_time_counts():
    errors = torch.tensor([[1.0, 1.0, 0.4], [0.8, 0.4, 0.4], [0.6, 0.9, 0.4]])
    times = learning_times(errors, [0, 5, 10])
    assert times[0] == math.inf
    assert 0 < times[1] < 5
    assert times[2] == 0


@given(n=st.integers(3, 20))
def test_frequencies_of_a_circular_kernel_have_its_eigenvalues(n):
    kernel = two_layer_kernel(circle_points(n))
    values = frequency_eigenvalues(kernel)
    twice = torch.cat([values, values[1 : (n + 1) // 2]])  # a sine and a cosine each, but for 0 and half of n
    assert torch.allclose(twice.sort().values, torch.linalg.eigvalsh(kernel), atol=1e-9)


@given(seed=SEED, n=st.integers(3, 12))
def test_frequencies_of_any_kernel_share_its_trace(seed, n):
    a = torch.randn(n, n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    kernel = a @ a.T
    values = frequency_eigenvalues(kernel)
    total = values.sum() + values[1 : (n + 1) // 2].sum()
    assert float(total) == pytest.approx(float(kernel.trace()))


def test_neighbours_on_a_grid_are_the_edges_of_its_squares():
    pairs = grid_neighbours(3, 4)
    assert len(pairs) == 3 * 3 + 2 * 4
    assert {tuple(p) for p in pairs.tolist()} >= {(0, 1), (0, 4), (7, 11)}
    assert (pairs[:, 0] < pairs[:, 1]).all()


def network(seed, widths=(7, 5)):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return MLP((2,), list(widths), 1).double()


@given(seed=SEED)
@settings(max_examples=15)
def test_inputs_of_one_pattern_lie_in_one_affine_region(seed):
    net, x = network(seed), torch.randn(40, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    patterns = activation_patterns(net, x)
    assert patterns.shape == (40, 12)
    for i, j in torch.combinations(torch.arange(40)):
        if torch.equal(patterns[i], patterns[j]):
            middle = (x[i] + x[j]) / 2
            with torch.no_grad():
                a, b, c = net(torch.stack([x[i], middle, x[j]]))[:, 0]
            assert float(b) == pytest.approx(float(a + c) / 2, abs=1e-9)


def test_patterns_need_hidden_layers():
    with pytest.raises(ValueError, match="has no list of hidden layers"):
        activation_patterns(LogisticRegression((2,), 1), torch.zeros(1, 2))


@given(seed=SEED)
def test_pattern_distance_is_a_metric(seed):
    patterns = torch.rand(3, 20, generator=torch.Generator().manual_seed(seed)) > 0.5
    d = pattern_distance(patterns, torch.tensor([[0, 1], [1, 2], [0, 2], [0, 0]]))
    assert d[3] == 0
    assert d[2] <= d[0] + d[1] + 1e-6


@given(seed=SEED)
@settings(max_examples=15)
def test_cosines_are_those_of_the_gradients_of_the_losses(seed):
    net, g = network(seed), torch.Generator().manual_seed(seed)
    x, y = (torch.randn(4, k, generator=g, dtype=torch.float64) for k in (2, 1))
    pairs = torch.combinations(torch.arange(4))
    gradients = []
    for own, target in zip(x, y, strict=True):
        loss = (net(own[None]) - target).square().sum()
        gradients.append(torch.cat([p.flatten() for p in torch.autograd.grad(loss, list(net.parameters()))]))
    v = torch.stack(gradients)
    expected = torch.cosine_similarity(v[pairs[:, 0]], v[pairs[:, 1]])
    residual = (net(x) - y)[:, 0].detach()
    found = gradient_cosines(empirical_ntk(net, x), residual, pairs)
    assert torch.allclose(found, expected, atol=1e-9)
    assert float(gradient_confusion(found)) == pytest.approx(float(-expected.clamp(max=0).mean()))


def test_snapshots_speak_with_their_own_parameters_on_their_own_inputs():
    nets = [network(0), network(1)]
    state = {
        name: torch.stack([dict(n.named_parameters())[name].detach() for n in nets]) for name in nets[0].state_dict()
    }
    inputs = [torch.randn(3, 2, generator=torch.Generator().manual_seed(k), dtype=torch.float64) for k in (0, 1)]
    swapped = {name: value.flip(0) for name, value in state.items()}
    with torch.no_grad():
        expected = torch.stack([nets[1](inputs[0])[:, 0], nets[0](inputs[1])[:, 0]])
    assert torch.allclose(snapshot_outputs(nets, swapped, inputs), expected)
