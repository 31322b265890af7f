"""Which training examples a network has not learned early: the slower of two clusters of outputs in each class."""

from dataclasses import replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from ib_utils.data import Dataset


def slow_examples(
    outputs: Float[Tensor, "example score"], y: Int[Tensor, " example"], *, seed: int
) -> Bool[Tensor, " example"]:
    """Split each class in two by its outputs (k-means on class probabilities) and mark the half with the higher loss.

    Args:
        outputs: scores of a network early in training, on its training examples.
        y: labels.
        seed: of the clustering.

    Returns:
        True where the example lies in the cluster of its class with the higher mean loss; a class whose outputs do not
        differ has no such cluster.

    Source:
        Nguyen, Haddad, Gan and Mirzasoleiman (2024), arXiv:2404.17768, step one of "USEFUL".

    Explained in chapter *Simplicity bias: remedies*.

    Example:
        >>> scores = torch.tensor([[0.0, 9.0], [0.0, 8.5], [0.0, 0.1], [3.0, 0.0], [3.1, 0.0], [9.0, 0.0]])
        >>> slow_examples(scores, torch.tensor([1, 1, 1, 0, 0, 0]), seed=0).tolist()
        [False, False, True, True, True, False]
    """
    from sklearn.cluster import KMeans

    loss = cross_entropy(outputs, y, reduction="none")
    slow = torch.zeros(len(y), dtype=torch.bool)
    for label in y.unique():
        rows = (y == label).nonzero().flatten()
        points = outputs[rows].softmax(1).double().numpy()
        if len(rows) < 2 or not (points != points[0]).any():
            continue
        second = torch.from_numpy(KMeans(2, n_init=4, random_state=seed % 2**32).fit_predict(points)).bool()
        worse = loss[rows][second].mean() > loss[rows][~second].mean()
        slow[rows] = second if worse else ~second
    return slow


def upsampled(dataset: Dataset, which: Bool[Tensor, " example"]) -> Dataset:
    """The data with the marked training examples in it twice.

    Example:
        >>> from ib_utils.data import load_digits
        >>> digits = load_digits()
        >>> upsampled(digits, digits.y_train == 3).n_train - digits.n_train == int((digits.y_train == 3).sum())
        True
    """
    x, y = dataset.x_train, dataset.y_train
    return replace(dataset, x_train=torch.cat([x, x[which]]), y_train=torch.cat([y, y[which]]))
