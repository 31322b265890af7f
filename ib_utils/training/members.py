"""Members side by side: one stacked tensor a parameter, and one forward and backward pass for all of them."""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call, vmap

from ib_utils.seeds import stream

Loss = Callable[[Tensor, Tensor], Tensor]


def build_member(
    build: Callable[[], nn.Module], seed: int, scale: float, device: torch.device, dtype: torch.dtype
) -> nn.Module:
    """One untrained network from the initialisation stream of its seed, all parameters times ``scale``."""
    with torch.random.fork_rng(devices=[]):  # modules initialise from the global generator; hand it back untouched
        torch.manual_seed(stream(seed, "init"))
        module = build().to(device, dtype)
    if scale != 1.0:
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.mul_(scale)
    return module


class Ensemble:
    """Modules of one architecture, run together.

    ``parameters`` are stacked, members first, and the modules' own parameters are views of them: training the one
    trains the other. Several modules run under ``vmap``; a lone one runs as it is, so it may keep a state of its own
    (BatchNorm), draw random numbers (dropout) or branch on data.
    """

    def __init__(self, modules: Sequence[nn.Module], loss: Loss):
        self.modules, self.loss = list(modules), loss
        own = [dict(module.named_parameters()) for module in modules]
        self.lone = [p for p in own[0].values() if p.requires_grad] if len(own) == 1 else None
        if self.lone is not None:
            self.parameters = [nn.Parameter(p.data[None]) for p in self.lone]
            return
        stacked = {
            name: nn.Parameter(torch.stack([p[name].detach() for p in own]), requires_grad=parameter.requires_grad)
            for name, parameter in own[0].items()
        }
        for i, parameters in enumerate(own):
            for name, parameter in parameters.items():
                parameter.data = stacked[name].data[i]
        buffers = [dict(module.named_buffers()) for module in modules]  # random features that are not trained
        self.state = {**stacked, **{name: torch.stack([b[name] for b in buffers]) for name in buffers[0]}}
        self.parameters = [p for p in stacked.values() if p.requires_grad]
        self.base = copy.deepcopy(modules[0])

    def forward(self, x: Float[Tensor, "member batch ..."]) -> Float[Tensor, "member batch ..."]:
        """Outputs of every member on its own inputs."""
        if self.lone is not None:
            return self.modules[0](x[0])[None]
        with _vectorised_attention(x.device):
            return vmap(lambda state, own: functional_call(self.base, state, (own,)))(self.state, x)

    def backward(self, x: Float[Tensor, "member batch ..."], y: Tensor) -> Float[Tensor, " member"]:
        """Losses of all members; leaves their gradients in ``parameters``."""
        if self.lone is None:
            with _vectorised_attention(x.device):
                losses = vmap(lambda state, own, target: self.loss(functional_call(self.base, state, (own,)), target))(
                    self.state, x, y
                )
            losses.sum().backward()
            return losses.detach()
        loss = self.loss(self.modules[0](x[0]), y[0])
        loss.backward()
        for stacked, parameter in zip(self.parameters, self.lone, strict=True):
            if parameter.grad is not None:
                stacked.grad, parameter.grad = parameter.grad[None], None
        return loss.detach()[None]

    def train(self, mode: bool = True) -> None:
        """Switch all members to training or evaluation."""
        for module in (*self.modules, *([] if self.lone is not None else [self.base])):
            module.train(mode)


@contextmanager
def _vectorised_attention(device: torch.device) -> Iterator[None]:
    """On a CPU the fused attention kernel has no batching rule; as plain matrix products it has."""
    on_cpu = device.type == "cpu"
    fused = torch.backends.cuda.flash_sdp_enabled()
    if on_cpu and fused:
        torch.backends.cuda.enable_flash_sdp(False)  # the switch serves the CPU's kernel too
    try:
        yield
    finally:
        if on_cpu and fused:
            torch.backends.cuda.enable_flash_sdp(True)


def choose_strategy(strategy: str, modules: Sequence[nn.Module], device: torch.device) -> str:
    """ "vmap", or "loop" with the reason in brackets.

    The rule: side by side, unless the network holds a layer that cannot be vectorised (it keeps a state, draws random
    numbers, has no batching rule, or differs from member to member in what is neither parameter nor buffer) or that
    loses by it (a convolution of torch's on a CPU). The measurements behind the rule are in the book, *Training many
    networks*.
    """
    if strategy not in ("auto", "vmap", "loop"):
        raise ValueError(f"unknown strategy {strategy!r}; one of 'auto', 'vmap', 'loop'")
    module = modules[0]
    impossible = next((type(m).__name__ for m in module.modules() if _cannot_be_vectorised(m)), _own_attribute(modules))
    if strategy == "vmap" and impossible:
        raise ValueError(f"strategy 'vmap' cannot run {impossible}: take 'auto' or 'loop'")
    if strategy != "auto":
        return strategy
    slower = (nn.Conv1d, nn.Conv2d, nn.Conv3d) if device.type == "cpu" else ()
    slow = next((type(m).__name__ for m in module.modules() if isinstance(m, slower)), None)
    return f"loop ({impossible or slow})" if impossible or slow else "vmap"


def _cannot_be_vectorised(module: nn.Module) -> bool:
    if isinstance(module, nn.modules.dropout._DropoutNd):
        return module.p > 0
    return isinstance(module, (nn.modules.batchnorm._BatchNorm, nn.RNNBase))


def _own_attribute(modules: Sequence[nn.Module]) -> str | None:
    """The first plain attribute in which members differ: side by side all would get the first member's."""
    for parts in zip(*(module.modules() for module in modules), strict=True):
        for name, value in vars(parts[0]).items():
            others = [vars(part).get(name) for part in parts[1:]]
            if isinstance(value, Tensor):
                differ = any(other is not value and not torch.equal(value, other) for other in others)
            else:
                differ = isinstance(value, (int, float, str, tuple)) and any(other != value for other in others)
            if differ:
                return f"{type(parts[0]).__name__}.{name}"
    return None
