"""What a classifier relies on: how well it still ranks the classes when some inputs are dealt out anew."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def area_under_curve(
    scores: Float[Tensor, "*members example"], labels: Int[Tensor, " example"]
) -> Float[Tensor, " *members"]:
    """Chance that a random example of class 1 scores above a random one of class 0 (ties count half).

    The area under the receiver operating characteristic: 1 for a perfect ranking, 1/2 for one that knows nothing.

    Args:
        scores: larger for class 1; any leading axes. A member with NaN among its scores has the area NaN.
        labels: 0 or 1.

    Raises:
        ValueError: if one of the two classes has no example.

    Example:
        >>> area_under_curve(torch.tensor([0.1, 0.4, 0.4, 0.9]), torch.tensor([0, 0, 1, 1]))
        tensor(0.8750)
    """
    positive = labels == 1
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if not n_positive or not n_negative:
        raise ValueError(f"both classes are needed; got {n_positive} examples of class 1 and {n_negative} of class 0")
    ordered = scores.sort(-1).values.contiguous()
    below = torch.searchsorted(ordered, scores.contiguous())  # scores smaller than one's own
    up_to = torch.searchsorted(ordered, scores.contiguous(), right=True)
    rank = (below + up_to + 1).double() / 2  # mean rank among equals
    won = rank[..., positive].sum(-1) - n_positive * (n_positive + 1) / 2
    area = (won / (n_positive * n_negative)).where(~scores.isnan().any(-1), torch.nan)
    return area.to(torch.result_type(scores, 1.0))


def dealt_out_anew(
    x: Float[Tensor, "example ..."], block: slice | list[int], *, seed: int
) -> Float[Tensor, "example ..."]:
    """The inputs with one block of the last axis dealt out anew among the examples.

    Each block keeps its own distribution and loses all relation to the label and to the other block.

    Args:
        x: inputs.
        block: positions along the last axis.
        seed: of the permutation.

    Example:
        >>> x = torch.arange(6.0).view(3, 2)
        >>> new = dealt_out_anew(x, [1], seed=0)
        >>> bool((new[:, 0] == x[:, 0]).all()), new[:, 1].sort().values.tolist()
        (True, [1.0, 3.0, 5.0])
    """
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed)).to(x.device)
    new = x.clone()
    new[..., block] = x[order][..., block]
    return new
