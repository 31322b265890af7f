"""The tangent kernel of a network as it is, and what it predicts for training by gradient descent."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


def empirical_ntk(
    module: nn.Module, x1: Float[Tensor, "n1 ..."], x2: Float[Tensor, "n2 ..."] | None = None
) -> Float[Tensor, "n1 n2"]:
    """Inner products of the gradients of the outputs at two sets of inputs with respect to all parameters.

    Args:
        module: a network without state of its own, in any parametrisation.
        x1, x2: inputs; ``x2`` is ``x1`` if not given.

    Returns:
        The kernel, averaged over the network's outputs (the trace over outputs divided by their number).

    Source:
        Jacot, Gabriel and Hongler (2018), Eq. of the neural tangent kernel. Explained in chapter *Learning at infinite
        width*.

    Example:
        >>> linear = nn.Linear(3, 1, bias=False)
        >>> x = torch.eye(3)
        >>> empirical_ntk(linear, x).tolist() == x.tolist()  # a linear model's kernel is its inputs' inner product
        True
    """
    parameters = {name: p.detach() for name, p in module.named_parameters() if p.requires_grad}

    def outputs(values: dict[str, Tensor], x: Tensor) -> Tensor:
        return torch.func.functional_call(module, values, (x[None],)).flatten()

    jacobian = torch.func.vmap(torch.func.jacrev(outputs), in_dims=(None, 0))
    first = jacobian(parameters, x1)
    second = first if x2 is None else jacobian(parameters, x2)
    n_outputs = next(iter(first.values())).shape[1]
    kernel = sum(torch.einsum("aop,bop->ab", j.flatten(2), second[name].flatten(2)) for name, j in first.items())
    assert isinstance(kernel, Tensor)
    return kernel / n_outputs


def gradient_descent_prediction(
    *,
    kernel: Float[Tensor, "train train"],
    kernel_test: Float[Tensor, "test train"],
    start: Float[Tensor, " train"],
    start_test: Float[Tensor, " test"],
    target: Float[Tensor, " train"],
    learning_rate: float,
    n_steps: int,
) -> Float[Tensor, " test"]:
    """Outputs after gradient descent on the mean squared error, if the tangent kernel stayed as it is.

    The training residual shrinks by I - (2 learning_rate / n_train) kernel at each step, and every step moves the other
    outputs by the kernel times the residual.

    Args:
        kernel: tangent kernel between training inputs.
        kernel_test: between the inputs asked about and the training inputs.
        start, start_test: the network's outputs before training.
        target: what it is trained to output.
        learning_rate: of gradient descent on ``mean((f - target)^2)``, full batch.
        n_steps: how many.

    Returns:
        The predicted outputs, shape (test,).

    Source:
        Lee et al. (2019), linearised dynamics, here for discrete steps. Explained in chapter *Learning at infinite
        width*.

    Example:
        >>> k = torch.eye(2)
        >>> gradient_descent_prediction(kernel=k, kernel_test=k, start=torch.zeros(2), start_test=torch.zeros(2),
        ...     target=torch.ones(2), learning_rate=0.5, n_steps=1)  # half of the way
        tensor([0.5000, 0.5000])
    """
    values, vectors = torch.linalg.eigh(kernel)
    rate = 2 * learning_rate / len(kernel)
    residual = vectors.T @ (start - target)
    shrink = 1 - rate * values
    # sum of shrink^s over the steps s: a geometric series, whose limit at a zero eigenvalue is n_steps
    flat = values.abs() * rate < 1e-12
    total = torch.where(flat, float(n_steps), (1 - shrink**n_steps) / torch.where(flat, 1.0, rate * values))
    return start_test - rate * kernel_test @ (vectors @ (total * residual))
