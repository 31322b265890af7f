"""How unevenly an untrained classifier guesses, and how unevenly it should: from the similarity of its features."""

import math

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

N_NETWORKS = 4000  # quantiles of the standard normal over which the mixture of binomials is averaged


def relu_cosine(cosine: float, depth: int = 1) -> float:
    """Cosine between two inputs' features after ``depth`` wide ReLU layers without biases, from the inputs' cosine.

    One layer maps c to (sqrt(1 - c^2) + c (pi - arccos c)) / pi: orthogonal inputs become similar, as all features are
    positive.

    Args:
        cosine: between the two inputs, -1 to 1.
        depth: number of layers.

    Raises:
        ValueError: a cosine outside -1 to 1.

    Source:
        Cho and Saul (2009), Kernel methods for deep learning: the arc-cosine kernel of degree 1.

    Explained in chapter *Untrained classifiers*.

    Example:
        >>> relu_cosine(0.0) == 1 / math.pi, round(relu_cosine(0.0, depth=100), 3)
        (True, 0.996)
    """
    if not -1 <= cosine <= 1:
        raise ValueError(f"a cosine lies between -1 and 1, got {cosine}")
    for _ in range(depth):
        cosine = min(1.0, (math.sqrt(1 - cosine**2) + cosine * (math.pi - math.acos(cosine))) / math.pi)
    return cosine


def guess_agreement(n_zero: Int[Tensor, "*draw"], n_inputs: int) -> Float[Tensor, "*draw"]:
    """Share of all pairs of inputs to which a two-class network gives the same class.

    1/2 on average for a network that guesses each input afresh, 1 for one that gives every input the same class.
    Unlike the squared share of a class it is unbiased for any number of inputs.

    Args:
        n_zero: inputs that each network assigns to class 0.
        n_inputs: how many inputs it saw, at least 2.

    Example:
        >>> import torch
        >>> guess_agreement(torch.tensor([2, 4]), 4).tolist()  # 2 of the 6 pairs agree; all agree
        [0.3333333432674408, 1.0]
    """
    n_one = n_inputs - n_zero
    return (n_zero * (n_zero - 1) + n_one * (n_one - 1)) / (n_inputs * (n_inputs - 1))


def expected_guess_agreement(cosine: float) -> float:
    """Mean of :func:`guess_agreement` over networks with Gaussian read-outs on features of the given mutual cosine.

    Example:
        >>> expected_guess_agreement(0.0), expected_guess_agreement(1.0)
        (0.5, 1.0)
    """
    return 0.5 + math.asin(cosine) / math.pi


def guess_share_distribution(
    share: Float[np.ndarray, " point"], cosine: float, *, n_inputs: int | None = None
) -> Float[np.ndarray, " point"]:
    """How many untrained networks give at most such a share of the inputs to class 0, by theory.

    Given its weights, a wide network's score difference on many inputs is Gaussian with mean sqrt(c) z and variance
    1 - c, where c is the cosine between features and z a standard normal number of the network. So the share of class 0
    is Phi(sqrt(gamma) z) with gamma = c / (1 - c): bell-shaped below gamma = 1, uniform at 1, U-shaped above.

    Args:
        share: shares of class 0, between 0 and 1.
        cosine: between the last layer's features of two inputs, from 0 to below 1.
        n_inputs: number of inputs on which the share is counted; None for infinitely many.

    Returns:
        Cumulative probabilities.

    Raises:
        ValueError: a cosine outside [0, 1).

    Source:
        Francazi et al. (2024), Initial guessing bias; the closed form is derived here.

    Explained in chapter *Untrained classifiers*.

    Example:
        >>> guess_share_distribution(np.array([0.25, 0.5]), cosine=0.5).round(6).tolist()  # gamma = 1: uniform
        [0.25, 0.5]
    """
    from scipy.special import bdtr, ndtr, ndtri

    if not 0 <= cosine < 1:
        raise ValueError(f"the cosine must lie in [0, 1), got {cosine}")
    gamma, share = cosine / (1 - cosine), np.asarray(share, dtype=float)
    if n_inputs is None:
        return ndtr(ndtri(share) / math.sqrt(gamma)) if gamma else (share >= 0.5).astype(float)
    z = ndtri((np.arange(N_NETWORKS) + 0.5) / N_NETWORKS)  # the networks, equally likely
    counts = np.floor(share * n_inputs + 1e-9)
    return bdtr(counts[:, None], n_inputs, ndtr(math.sqrt(gamma) * z)).mean(1)  # binomial, given the network
