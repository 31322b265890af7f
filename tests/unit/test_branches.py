"""Networks of branches against their kernel at infinite width, and activations that are periodic."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ib_utils.data import circle_points
from ib_utils.measures import empirical_ntk
from ib_utils.models import ActivationMLP, BranchNetwork, branch_kernel, dense_kernels, snake


def mean_kernel(n_networks, **variant):
    x, kernels = circle_points(6), []
    with torch.random.fork_rng():
        for s in range(n_networks):
            torch.manual_seed(s)
            kernels.append(empirical_ntk(BranchNetwork(3, 1000, **variant).double(), x))
    kernels = torch.stack(kernels)
    return kernels.mean(0), kernels.std(0) / n_networks**0.5


@pytest.mark.parametrize("branches", [["relu"], ["relu", "relu"], ["relu", "linear"], ["linear", "linear"]])
def test_the_mean_kernel_of_wide_products_is_the_closed_form(branches):
    mean, error = mean_kernel(40, branches=branches)
    assert ((mean - branch_kernel(circle_points(6), branches)).abs() < 5 * error + 1e-6).all()


def test_a_sum_of_two_branches_has_twice_the_kernel_of_one():
    mean, error = mean_kernel(40, branches=["relu", "relu"], combine="add")
    assert ((mean - 2 * branch_kernel(circle_points(6), ["relu"])).abs() < 5 * error + 1e-6).all()


@pytest.mark.parametrize("width", [2, 6, 8])
@pytest.mark.parametrize("combine", ["multiply", "add"])
def test_every_network_starts_at_zero(width, combine):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = BranchNetwork(3, width, branches=["relu", "linear", "relu"], combine=combine)
    assert net(circle_points(6).float()).abs().max() < 1e-6


def test_one_branch_is_the_dense_network():
    x = circle_points(8)
    dense = dense_kernels(x * 3**0.5, x * 3**0.5, depth=1).ntk / 2  # unit inputs; the read-out's variance is 1 here
    assert torch.allclose(branch_kernel(x, ["relu"]), dense, atol=1e-12)


@given(n=st.integers(1, 6))
def test_the_kink_of_n_relus_has_strength_n_at_a_trace_of_n_plus_one(n):
    h = 1e-4
    x = torch.tensor([[1.0, 0.0], [math.cos(h), math.sin(h)]], dtype=torch.float64)
    k = branch_kernel(x, ["relu"] * n)
    assert float(k[0, 0]) == pytest.approx(1 + n)
    assert float((k[0, 0] - k[0, 1]) / h) == pytest.approx(n / math.pi, rel=1e-2)


@pytest.mark.parametrize(
    "wrong", [{"width": 3}, {"branches": []}, {"branches": ["tanh"]}, {"combine": "divide"}], ids=str
)
def test_networks_that_cannot_be_are_refused(wrong):
    arguments = {"width": 4, "branches": ["relu"]} | wrong
    with pytest.raises(ValueError, match="needed are an even width"):
        BranchNetwork(3, **arguments)
    if wrong.get("branches"):
        with pytest.raises(ValueError, match="unknown branch 'tanh'"):
            branch_kernel(torch.eye(3), wrong["branches"])


@given(x=st.floats(-20, 20), a=st.floats(0.1, 20))
def test_a_snake_is_a_line_with_waves_of_period_pi_over_a(x, a):
    x = torch.tensor(x, dtype=torch.float64)
    period = math.pi / a
    assert float(snake(x + period, a) - snake(x, a)) == pytest.approx(period, abs=1e-9)
    assert float(snake(x, a)) == pytest.approx(float(x + (1 - torch.cos(2 * a * x)) / (2 * a)), abs=1e-9)


def test_a_snake_never_falls():
    x = torch.linspace(-9, 9, 5001, dtype=torch.float64)
    for a in (0.3, 1.0, 10.0):
        assert (snake(x, a).diff() >= -1e-12).all()


def test_a_small_a_leaves_the_identity_and_a_learned_one_is_a_parameter():
    x = torch.linspace(-1, 1, 5)
    assert torch.allclose(snake(x, 1e-4), x, atol=2e-4)
    learned = ActivationMLP(1, [4, 5], "snake", a=2.0, learned=True)
    assert [p.shape[0] for p in learned.learned] == [4, 5]
    fixed = ActivationMLP(1, [4, 5], "snake", a=2.0)
    fixed.load_state_dict({k: v for k, v in learned.state_dict().items() if "learned" not in k})
    assert torch.allclose(learned(x[:, None]), fixed(x[:, None]))


@pytest.mark.parametrize("name", ["relu", "tanh", "sine"])
def test_other_activations_are_torchs(name):
    net = ActivationMLP(1, [6], name)
    x = torch.randn(5, 1, generator=torch.Generator().manual_seed(0))
    by_hand = net.head({"relu": torch.relu, "tanh": torch.tanh, "sine": torch.sin}[name](net.layers[0](x)))
    assert torch.equal(net(x), by_hand)


def test_unknown_activations_and_a_of_zero_are_refused():
    with pytest.raises(ValueError, match="unknown activation 'swish'"):
        ActivationMLP(1, [4], "swish")
    with pytest.raises(ValueError, match="a must be positive"):
        ActivationMLP(1, [4], "snake", a=0.0)
