"""Logistic regression by full-batch gradient descent from zero, with shifts of the logits and group weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor


class LogisticPath(NamedTuple):
    """Where gradient descent went.

    Args:
        weights: of each member at the recorded steps, in the order in which they were asked for.
        loss: mean logistic loss of each member on its training examples there (shifts left out).
    """

    weights: Float[Tensor, "step member feature"]
    loss: Float[Tensor, "step member"]


def logistic_path(
    x: Float[Tensor, "member example feature"],
    y: Int[Tensor, "member example"],
    *,
    learning_rate: float,
    n_steps: int,
    record_at: Sequence[int],
    shift: Float[Tensor, "member example"] | None = None,
    groups: Int[Tensor, "member example"] | None = None,
    group_rate: float | None = None,
    weight_decay: float = 0.0,
    reshuffled_from: int | None = None,
    seed: int = 0,
) -> LogisticPath:
    """Fit p(y = 1) = sigmoid(x . w + shift) by gradient descent on the mean logistic loss, many members at once.

    Args:
        x, y: examples of each member; labels 0 and 1.
        learning_rate: of gradient descent.
        n_steps: how many.
        record_at: steps at which weights are kept, at most ``n_steps``; 0 is the start, all zeros.
        shift: added to the logits in training, never in testing; none if not given.
        groups: group of each example, from 0. Without ``group_rate`` all groups weigh alike, whatever their size.
        group_rate: step of the group weights of distributionally robust training: a group's weight grows by
            exp(group_rate * its loss) at each step.
        weight_decay: strength of the penalty ``weight_decay / 2 * |w|^2``.
        reshuffled_from: first of the features that are dealt out anew among the examples at every step, so that no
            example can be told by them.
        seed: of that dealing.

    Raises:
        KeyError: a step to be recorded that is not among the ``n_steps``.

    Source:
        Group weights: Sagawa et al. (2020), arXiv:1911.08731, Algorithm 1, in full batches. Explained in chapter
        *Shortcuts: harm and repair*.

    Example:
        >>> x, y = torch.tensor([[[1.0], [-1.0]]]), torch.tensor([[1, 0]])
        >>> path = logistic_path(x, y, learning_rate=1.0, n_steps=1, record_at=[0, 1])
        >>> path.weights[:, 0, 0].tolist()  # the gradient at zero is -1/2
        [0.0, 0.5]
    """
    n_members, n, n_features = x.shape
    w, target = x.new_zeros(n_members, n_features), y.to(x.dtype)
    shift = torch.zeros_like(target) if shift is None else shift
    weight = torch.full_like(target, 1 / n)
    if groups is not None:
        one_hot = torch.nn.functional.one_hot(groups).to(x.dtype)  # (member, example, group)
        share = one_hot / one_hot.sum(1, keepdim=True).clamp(min=1)  # each group's examples sum to 1
        q = torch.full_like(share[:, 0], 1 / share.shape[2])  # (member, group)
    generator = torch.Generator().manual_seed(seed)
    weights, losses = {}, {}
    for step in range(n_steps + 1):
        if reshuffled_from is not None and step:
            order = torch.randperm(n, generator=generator)
            x = torch.cat([x[:, :, :reshuffled_from], x[:, order, reshuffled_from:]], 2)
        logits = torch.einsum("mnf,mf->mn", x, w)
        if step in record_at:
            weights[step], losses[step] = w, _loss(logits, target).mean(1)
        if step == n_steps:
            break
        if groups is not None:
            if group_rate is not None:
                group_loss = torch.einsum("mng,mn->mg", share, _loss(logits + shift, target))
                q = (q.log() + group_rate * group_loss).softmax(1)
            weight = torch.einsum("mng,mg->mn", share, q)
        residual = weight * (torch.sigmoid(logits + shift) - target)
        w = w - learning_rate * (torch.einsum("mnf,mn->mf", x, residual) + weight_decay * w)
    return LogisticPath(*(torch.stack([kept[step] for step in record_at]) for kept in (weights, losses)))


def held_out_logits(
    x: Float[Tensor, "member example feature"],
    y: Int[Tensor, "member example"],
    *,
    learning_rate: float,
    n_steps: int,
    seed: int,
    flipping: bool = True,
) -> Float[Tensor, "member example"]:
    """Logits of each example by a model that was trained on the other half of the examples.

    Two models, each on a random half. With ``flipping`` a label turns, at each step, into what the model of the other
    half says, the more likely the surer that model is: examples that go against the crowd are given up.

    Args:
        x, y: examples of each member; labels 0 and 1.
        learning_rate, n_steps: of gradient descent on the mean over all examples.
        seed: of the halves and the turns.
        flipping: whether labels turn.

    Source:
        Bayat et al. (2025), arXiv:2412.07684, with cross-risk minimisation as in the authors' code. Explained in
        chapter *Shortcuts: harm and repair*.

    Example:
        >>> x, y = torch.ones(1, 8, 1), torch.ones(1, 8, dtype=torch.long)
        >>> bool((held_out_logits(x, y, learning_rate=1.0, n_steps=5, seed=0) > 0).all())
        True
    """
    generator = torch.Generator().manual_seed(seed)
    first = (torch.rand(y.shape, generator=generator) < 0.5).to(x.device)
    own = torch.stack([first, ~first]).to(x.dtype)  # (model, member, example)
    w = x.new_zeros(2, x.shape[0], x.shape[2])
    labels = y.to(x.dtype)
    for _ in range(n_steps):
        logits = torch.einsum("mnf,kmf->kmn", x, w)
        residual = own * (torch.sigmoid(logits) - labels) / x.shape[1]
        w = w - learning_rate * torch.einsum("mnf,kmn->kmf", x, residual)
        if flipping:
            other = torch.where(first, logits[1], logits[0])
            sure = 2 * (torch.sigmoid(other) - 0.5).abs()
            turns = torch.rand(y.shape, generator=generator).to(x.device) < sure
            labels = torch.where(turns, (other > 0).to(x.dtype), labels)
    logits = torch.einsum("mnf,kmf->kmn", x, w)
    return torch.where(first, logits[1], logits[0])


def calibrated_shift(
    logits: Float[Tensor, "member example"], y: Int[Tensor, "member example"], *, temperature: float = 0.1
) -> Float[Tensor, "member example"]:
    """Log odds of the label given what the held-out model says: what memorisation-aware training adds to its logits.

    Args:
        logits: of label 1 over label 0, by models that have not seen the examples.
        y: labels 0 and 1.
        temperature: divides the logits; small ones make decisions out of probabilities.

    Source:
        Bayat et al. (2025), ``get_shift`` of the authors' code. Explained in chapter *Shortcuts: harm and repair*.

    Example:
        >>> says = torch.tensor([[9.0, 9.0, 9.0, 9.0, -9.0, -9.0, -9.0, -9.0]])
        >>> y = torch.tensor([[1, 1, 1, 0, 0, 0, 0, 1]])
        >>> calibrated_shift(says, y)[0, [0, -1]].exp()  # 3 of 4 said so are so
        tensor([3.0000, 0.3333])
    """
    said = torch.stack([torch.sigmoid(-logits / temperature), torch.sigmoid(logits / temperature)], 2)
    is_so = torch.nn.functional.one_hot(y, 2).to(said.dtype)
    joint = torch.einsum("mns,mny->msy", said, is_so)
    given = joint / joint.sum(2, keepdim=True).clamp(min=1e-12)  # p(y | said)
    probability = torch.einsum("mns,msy->mny", said, given) + 1e-6
    return (probability[..., 1] / probability[..., 0]).log()


def _loss(
    logits: Float[Tensor, "member example"], y: Float[Tensor, "member example"]
) -> Float[Tensor, "member example"]:
    return torch.nn.functional.softplus(logits) - y * logits
