"""Networks of one hidden layer whose units multiply, or add, several branches: polynomial (Pi) networks."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ib_utils.models.kernels import dual

COMBINATIONS = ("multiply", "add")
BRANCHES = ("relu", "linear")


class BranchNetwork(nn.Module):
    """Each hidden unit is the product (or sum) of a few branches, each a ReLU or a linear function of the input.

    Weights are standard normal, layers divide by the root of their fan-in, and ReLUs carry a factor sqrt(2), so that
    every branch has the input's squared length as its second moment. Units come in pairs with opposite output weights:
    the network starts at zero and all its layers learn. The further branches of a sum have alternating signs;
    otherwise the positive means of two ReLUs would add a constant to the tangent kernel.

    Args:
        n_inputs: dimension of the input; inputs should have length 1.
        width: hidden units, even.
        branches: "relu" or "linear", one a branch.
        combine: "multiply" or "add".

    Raises:
        ValueError: an odd width, no branch, or an unknown name.

    Source:
        the polynomial networks of Choraria et al. (2022), as a product of two branches. Explained in chapter *Spectral
        bias*.

    Example:
        >>> BranchNetwork(3, 8, branches=["relu", "relu"])(torch.randn(5, 3)).abs().max().item() < 1e-6
        True
    """

    def __init__(self, n_inputs: int, width: int, *, branches: Sequence[str] = ("relu",), combine: str = "multiply"):
        super().__init__()
        if width % 2 or not branches or combine not in COMBINATIONS or set(branches) - set(BRANCHES):
            raise ValueError(
                f"needed are an even width, branches among {BRANCHES} and one of {COMBINATIONS}; "
                f"got {width}, {list(branches)}, {combine!r}"
            )
        half = width // 2
        self.weights = nn.ParameterList(torch.randn(half, n_inputs).repeat(2, 1) for _ in branches)
        head = torch.randn(half)
        self.head = nn.Parameter(torch.cat([head, -head]))
        self.branches, self.combine = tuple(branches), combine

    def forward(self, x: Float[Tensor, "batch n_inputs"]) -> Float[Tensor, "batch 1"]:
        unit = torch.ones(())
        alternating = (1 - 2 * (torch.arange(len(self.head) // 2, device=x.device) % 2)).repeat(2)  # alike in a pair
        for i, (name, weight) in enumerate(zip(self.branches, self.weights, strict=True)):
            z = x @ weight.T  # (batch, width)
            branch = math.sqrt(2) * z.relu() if name == "relu" else z
            if i == 0:
                unit = branch
            elif self.combine == "multiply":
                unit = unit * branch
            else:
                unit = unit + alternating * branch
        return (unit @ self.head)[:, None] / math.sqrt(len(self.head))


def branch_kernel(x: Float[Tensor, "point n_inputs"], branches: Sequence[str]) -> Float[Tensor, "point point"]:
    """Tangent kernel of an infinitely wide product of branches, for inputs of length 1.

    With s_j the second moment of branch j and d_j that of its slope, it is prod_j s_j (read-out) plus, for each branch,
    x . x' d_j times the product of the other branches' s.

    Raises:
        ValueError: an unknown branch.

    Explained in chapter *Spectral bias*.

    Example:
        >>> branch_kernel(torch.eye(2), ["linear", "linear"])
        tensor([[3., 0.],
                [0., 3.]])
    """
    inner, square = x @ x.T, (x * x).sum(1)
    moments = []
    for name in branches:
        if name not in BRANCHES:
            raise ValueError(f"unknown branch {name!r}; one of {BRANCHES}")
        factor = 2 if name == "relu" else 1
        value, slope = dual(name, square[:, None], square, inner)
        moments.append((factor * value, factor * slope * inner))
    kernel = torch.stack([value for value, _ in moments]).prod(0)
    for j, (_, first_layer) in enumerate(moments):
        others = [value for i, (value, _) in enumerate(moments) if i != j]
        kernel = kernel + (first_layer * torch.stack(others).prod(0) if others else first_layer)
    return kernel
