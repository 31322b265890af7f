"""How much of what one classifier knows about the labels a second one knows as well (Kalimeris et al. 2019)."""

import torch
from jaxtyping import Int
from torch import Tensor


def mutual_information(a: Int[Tensor, " example"], b: Int[Tensor, " example"]) -> float:
    """Mutual information of two columns of labels, in bits, from their joint frequencies.

    Any integers may stand for the classes.

    Example:
        >>> mutual_information(torch.tensor([0, 1, 0, 1]), torch.tensor([1, 0, 1, 0]))
        1.0
    """
    a, b = (labels.unique(return_inverse=True)[1] for labels in (a, b))
    joint = torch.zeros(int(a.max()) + 1, int(b.max()) + 1, dtype=torch.float64)
    joint.index_put_((a, b), torch.ones(len(a), dtype=torch.float64), accumulate=True)
    joint /= len(a)
    independent = joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True)
    present = joint > 0
    return float((joint[present] * (joint[present] / independent[present]).log2()).sum())


def explained_information(
    guesses: Int[Tensor, " example"], simple: Int[Tensor, " example"], y: Int[Tensor, " example"]
) -> float:
    """Information of the guesses on the labels that a simpler classifier explains, I(F; Y) - I(F; Y | L), in bits.

    Equal to I(F; Y) where the simple classifier knows all that the other knows, and never above I(L; Y); 0 where the
    two know different things; negative where they know more together than apart.

    Args:
        guesses: classes guessed by the classifier in question, F.
        simple: classes guessed by the simpler one, L.
        y: true classes.

    Source:
        Kalimeris et al. (2019), SGD on Neural Networks Learns Functions of Increasing Complexity, arXiv:1905.11604,
        "performance correlation".

    Explained in chapter *Simplicity bias*.

    Example:
        >>> y = torch.tensor([0, 1, 0, 1])
        >>> explained_information(y, y, y), explained_information(y, 0 * y, y)
        (1.0, 0.0)
    """
    conditional = 0.0
    for label in simple.unique():
        own = simple == label
        conditional += float(own.double().mean()) * mutual_information(guesses[own], y[own])
    return mutual_information(guesses, y) - conditional
