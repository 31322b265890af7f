"""From gradients to steps: clipping, sharpness-aware gradients, and any optimiser with a rate for each member."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

MakeOptimizer = Callable[..., torch.optim.Optimizer]
Backward = Callable[[], Tensor]
Gradients = Callable[[Backward, list[nn.Parameter]], Tensor]

# Fused: one pass over memory instead of ten. Weight decay is the engine's, decoupled, so Adam with it is AdamW.
OPTIMIZERS: Mapping[str, MakeOptimizer] = {
    "adam": partial(torch.optim.Adam, fused=True),
    "adamw": partial(torch.optim.Adam, fused=True),
    "sgd": partial(torch.optim.SGD, fused=True),
    "momentum": partial(torch.optim.SGD, momentum=0.9, fused=True),
}


def plain(backward: Backward, parameters: list[nn.Parameter]) -> Tensor:
    """The gradient of the loss where the parameters are."""
    return backward()


def sharpness_aware(radius: float) -> Gradients:
    """Gradients taken where the loss is worst nearby: at ``radius`` times the normalised gradient from here.

    A hook for ``train(gradients=...)``, and the example of one: it calls ``backward()`` as often as it likes, moves the
    stacked parameters in between, and leaves the gradients to step along.

    Args:
        radius: distance in parameter space, of each member.

    Source:
        Foret, Kleiner, Mobahi and Neyshabur (2021), Sharpness-aware minimization, arXiv 2010.01412, Eq. 2 and
        Algorithm 1.
    """

    def gradients(backward: Backward, parameters: list[nn.Parameter]) -> Tensor:
        losses = backward()
        with torch.no_grad():
            length = radius / (gradient_norms(parameters) + 1e-12)
            offsets = [(p, p.grad * along(length, p)) for p in parameters if p.grad is not None]
            for p, offset in offsets:
                p.add_(offset)
                p.grad = None
        backward()
        with torch.no_grad():
            for p, offset in offsets:
                p.sub_(offset)
        return losses

    return gradients


def gradient_norms(parameters: Sequence[nn.Parameter]) -> Float[Tensor, " member"]:
    """Euclidean norm of each member's whole gradient."""
    squares = [p.grad.flatten(1).square().sum(1) for p in parameters if p.grad is not None]
    return torch.stack(squares).sum(0).sqrt()


def clip_gradients(parameters: Sequence[nn.Parameter], max_norm: float) -> None:
    """Shorten each member's gradient to ``max_norm``, as ``torch.nn.utils.clip_grad_norm_`` does for one network."""
    factor = (max_norm / (gradient_norms(parameters) + 1e-6)).clamp(max=1.0)
    for p in parameters:
        if p.grad is not None:
            p.grad = p.grad * along(factor, p)


def along(values: Float[Tensor, " member"], parameter: Tensor) -> Tensor:
    """One value a member, shaped to multiply a stacked parameter."""
    return values.view(-1, *[1] * (parameter.ndim - 1))


class Stepper:
    """One optimiser step of all members, each with its own learning rate and weight decay.

    Where the members share one rate, that is the optimiser's own step. Otherwise the optimiser walks on tensors of
    zeros with learning rate 1, which makes its step the update itself, and the members' rates scale it: so any
    optimiser of torch whose step is proportional to its rate serves members with different rates.
    """

    def __init__(
        self,
        parameters: list[nn.Parameter],
        rates: Float[Tensor, " member"],
        decays: Float[Tensor, " member"],
        make_optimizer: MakeOptimizer,
    ):
        self.parameters, self.rates, self.decays, self.make = parameters, rates, decays, make_optimizer
        self.one_rate = rates[0].item() if (rates == rates[0]).all() else None
        self.any_decay = bool(decays.any())
        self.walkers, self.optimizer = self._start()
        if any(group.get("weight_decay") for group in self.optimizer.param_groups):
            raise ValueError("the optimizer decays weights itself: give weight_decay to train() instead")

    def _start(self) -> tuple[list[nn.Parameter], torch.optim.Optimizer]:
        if self.one_rate is not None:
            return self.parameters, self.make(self.parameters, lr=self.one_rate)
        walkers = [nn.Parameter(torch.zeros_like(p)) for p in self.parameters]
        return walkers, self.make(walkers, lr=1.0)

    @torch.no_grad()
    def step(self, factor: float) -> None:
        """Move all members along their gradients, with ``factor`` times their learning rates."""
        rates = self.rates if factor == 1.0 else factor * self.rates
        if self.any_decay:
            shrink = 1 - rates * self.decays
            for p in self.parameters:
                p.mul_(along(shrink, p))
        if self.one_rate is not None:
            for group in self.optimizer.param_groups:
                group["lr"] = factor * self.one_rate
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
            return
        for p, walker in zip(self.parameters, self.walkers, strict=True):
            walker.zero_()
            walker.grad, p.grad = p.grad, None
        self.optimizer.step()
        for p, walker in zip(self.parameters, self.walkers, strict=True):
            p.addcmul_(along(rates, p), walker)

    def keep(self, rows: list[int], parameters: list[nn.Parameter]) -> None:
        """Go on with these members only, whose parameters now stand in ``parameters``; momenta go with them."""
        shapes = [walker.shape for walker in self.walkers]
        states = [self.optimizer.state[walker] for walker in self.walkers]
        self.parameters, self.rates, self.decays = parameters, self.rates[rows], self.decays[rows]
        self.walkers, self.optimizer = self._start()
        for walker, state, shape in zip(self.walkers, states, shapes, strict=True):
            self.optimizer.state[walker] = {
                name: value[rows] if isinstance(value, Tensor) and value.shape == shape else value
                for name, value in state.items()
            }
