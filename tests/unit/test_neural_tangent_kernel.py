"""The empirical tangent kernel against gradients by hand, and its prediction against gradient descent itself."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from ib_utils import measures


def small(seed: int, n_outputs: int = 1) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, n_outputs)).double()


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 99), n_outputs=st.integers(1, 3))
def test_kernel_is_the_inner_product_of_gradients(seed, n_outputs):
    module = small(seed, n_outputs)
    x = torch.randn(4, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    rows = []
    for example in x:
        for output in module(example):
            rows.append(
                torch.cat([g.flatten() for g in torch.autograd.grad(output, module.parameters(), retain_graph=True)])
            )
    gradients = torch.stack(rows).view(4, n_outputs, -1)
    by_hand = torch.einsum("aop,bop->ab", gradients, gradients) / n_outputs
    torch.testing.assert_close(measures.empirical_ntk(module, x), by_hand)
    torch.testing.assert_close(measures.empirical_ntk(module, x[:2], x), by_hand[:2])


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 99), n_steps=st.integers(1, 40))
def test_prediction_is_exact_for_a_linear_model(seed, n_steps):
    generator = torch.Generator().manual_seed(seed)
    x, x_test = torch.randn(9, 4, generator=generator).double().split([5, 4])
    y, w = torch.randn(5, generator=generator).double(), torch.randn(4, generator=generator).double()
    predicted = measures.gradient_descent_prediction(
        kernel=x @ x.T,
        kernel_test=x_test @ x.T,
        start=x @ w,
        start_test=x_test @ w,
        target=y,
        learning_rate=0.1,
        n_steps=n_steps,
    )
    for _ in range(n_steps):
        w = w - 0.1 * 2 / 5 * x.T @ (x @ w - y)
    torch.testing.assert_close(predicted, x_test @ w)


def test_after_many_steps_the_prediction_is_kernel_regression():
    generator = torch.Generator().manual_seed(0)
    root = torch.randn(3, 3, generator=generator).double()
    kernel, across, y = root @ root.T + torch.eye(3), torch.randn(2, 3).double(), torch.ones(3).double()
    zero = torch.zeros(3).double()
    predicted = measures.gradient_descent_prediction(
        kernel=kernel,
        kernel_test=across,
        start=zero,
        start_test=zero[:2],
        target=y,
        learning_rate=0.1,
        n_steps=5000,
    )
    torch.testing.assert_close(predicted, across @ torch.linalg.solve(kernel, y))


def test_frozen_parameters_do_not_count():
    module = small(0)
    for parameter in module[0].parameters():
        parameter.requires_grad_(False)
    x = torch.randn(4, 3, generator=torch.Generator().manual_seed(0)).double()
    h = module[:2](x).detach()
    torch.testing.assert_close(measures.empirical_ntk(module, x), h @ h.T + 1)  # the last layer's weights and bias
