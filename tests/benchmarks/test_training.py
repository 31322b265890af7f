"""What training side by side gains: one step of sixteen networks, done in the ways that PyTorch offers.

CPU time of one thread, so that a neighbour on the machine does not count. `make bench` turns the results into the
tables of the page *Training many networks*.
"""

import copy
import time
from collections.abc import Callable
from multiprocessing import get_context

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, vmap
from torch.nn import functional as F

from ib_utils.data import Dataset
from ib_utils.models import MLP, ConvolutionalNetwork, GRUClassifier, LocallyConnectedNetwork
from ib_utils.training import engine, train
from ib_utils.training.members import Ensemble

N_MEMBERS, N_CLASSES = 16, 10


class SmallTransformer(nn.Module):
    """One block of four heads on sixteen tokens."""

    def __init__(self):
        super().__init__()
        self.embed, self.head = nn.Linear(4, 32), nn.Linear(32, N_CLASSES)
        self.project, self.out = nn.Linear(32, 96), nn.Linear(32, 32)
        self.first, self.second = nn.LayerNorm(32), nn.LayerNorm(32)
        self.up, self.down = nn.Linear(32, 128), nn.Linear(128, 32)

    def forward(self, x: Tensor) -> Tensor:
        h = self.embed(x.flatten(1).unflatten(1, (16, 4)))
        queries, keys, values = self.project(self.first(h)).unflatten(-1, (3, 4, 8)).permute(2, 0, 3, 1, 4)
        h = h + self.out(F.scaled_dot_product_attention(queries, keys, values).transpose(1, 2).flatten(2))
        return self.head((h + self.down(F.gelu(self.up(self.second(h))))).mean(1))


def torch_cnn() -> nn.Module:
    """Two convolutions of torch's own, eight and sixteen channels."""
    return nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(16, N_CLASSES),
    )  # fmt: skip


FAMILIES: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "MLP 64-64-64": (lambda: MLP((1, 8, 8), [64, 64], N_CLASSES), (1, 8, 8)),
    "MLP 40-100-100": (lambda: MLP((1, 40), [100, 100], N_CLASSES), (1, 40)),
    "MLP 784-128-128": (lambda: MLP((1, 28, 28), [128, 128], N_CLASSES), (1, 28, 28)),
    "locally connected, 8 x 8": (lambda: LocallyConnectedNetwork((1, 8, 8), [8], [5], N_CLASSES), (1, 8, 8)),
    "convolution (ours), 8 x 8": (
        lambda: ConvolutionalNetwork((1, 8, 8), [16], [5], N_CLASSES, pooling=True),
        (1, 8, 8),
    ),
    "convolution (torch's), 28 x 28": (torch_cnn, (1, 28, 28)),
    "attention, 16 tokens": (SmallTransformer, (1, 8, 8)),
    "GRU, 40 steps": (lambda: GRUClassifier((1, 40), 6, N_CLASSES), (1, 40)),
}


def one_after_another(modules, x, y, *, fused):
    optimizers = [torch.optim.Adam(m.parameters(), lr=1e-3, fused=fused) for m in modules]

    def step():
        for module, optimizer, own, target in zip(modules, optimizers, x, y, strict=True):
            optimizer.zero_grad()
            F.cross_entropy(module(own), target).backward()
            optimizer.step()

    return step


def vmap_and_backward(modules, x, y):
    ensemble = Ensemble(modules, F.cross_entropy)
    optimizer = torch.optim.Adam(ensemble.parameters, lr=1e-3, fused=True)

    def step():
        ensemble.backward(x, y)
        optimizer.step()
        optimizer.zero_grad()

    return step


def vmap_of_grad(modules, x, y):
    base = copy.deepcopy(modules[0])
    parameters = {
        name: nn.Parameter(torch.stack([dict(m.named_parameters())[name].detach() for m in modules]))
        for name, _ in base.named_parameters()
    }
    optimizer = torch.optim.Adam(parameters.values(), lr=1e-3, fused=True)
    gradients = vmap(grad_and_value(lambda p, own, target: F.cross_entropy(functional_call(base, p, (own,)), target)))

    def step():
        found, _ = gradients({name: p.detach() for name, p in parameters.items()}, x, y)
        for name, p in parameters.items():
            p.grad = found[name]
        optimizer.step()

    return step


def batched_products(modules, x, y):
    """An MLP of all members written by hand with baddbmm."""
    layers = [[m for m in module.modules() if isinstance(m, nn.Linear)] for module in modules]
    weights, biases = (
        [nn.Parameter(torch.stack([getattr(m, name).detach() for m in same])) for same in zip(*layers, strict=True)]
        for name in ("weight", "bias")
    )
    optimizer = torch.optim.Adam([*weights, *biases], lr=1e-3, fused=True)

    def step():
        h = x.flatten(2)
        for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            h = torch.baddbmm(bias[:, None], h, weight.mT)
            h = h.relu() if i < len(weights) - 1 else h
        (F.cross_entropy(h.flatten(0, 1), y.flatten()) * N_MEMBERS).backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def grouped_convolution(modules, x, y):
    """The network of torch's convolutions with the members as groups of channels."""
    first, second, head = zip(*[(m[0], m[3], m[7]) for m in modules], strict=True)
    parameters = [
        nn.Parameter(torch.cat([getattr(layer, name).detach() for layer in same]))
        for same in (first, second)
        for name in ("weight", "bias")
    ]
    parameters += [nn.Parameter(torch.stack([getattr(m, name).detach() for m in head])) for name in ("weight", "bias")]
    optimizer = torch.optim.Adam(parameters, lr=1e-3, fused=True)
    images = x.transpose(0, 1).flatten(1, 2)  # (batch, member, height, width)

    def step():
        w1, b1, w2, b2, w3, b3 = parameters
        h = F.max_pool2d(F.conv2d(images, w1, b1, groups=N_MEMBERS).relu(), 2)
        h = F.conv2d(h, w2, b2, groups=N_MEMBERS).relu().mean((2, 3))
        h = torch.baddbmm(b3[:, None], h.unflatten(1, (N_MEMBERS, -1)).transpose(0, 1), w3.mT)
        (F.cross_entropy(h.flatten(0, 1), y.flatten()) * N_MEMBERS).backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def by_hand(modules, x, y):
    """What somebody would write who wants one family as fast as it goes."""
    return (grouped_convolution if isinstance(modules[0], nn.Sequential) else batched_products)(modules, x, y)


def products_alone(modules, x, y):
    """Nothing but the three matrix products of each layer: forward, inputs' gradient, weights' gradient."""
    layers = [m for m in modules[0].modules() if isinstance(m, nn.Linear)]
    inputs = [torch.randn(N_MEMBERS, x.shape[1], m.in_features) for m in layers]
    weights = [torch.randn(N_MEMBERS, m.out_features, m.in_features) for m in layers]
    outputs = [torch.randn(N_MEMBERS, x.shape[1], m.out_features) for m in layers]

    def step():
        for i, (h, weight, g) in enumerate(zip(inputs, weights, outputs, strict=True)):
            torch.bmm(h, weight.mT)
            torch.bmm(g.mT, h)
            if i:  # nobody asks for the gradient of the inputs
                torch.bmm(g, weight)

    return step


METHODS = {
    "one after another": lambda *a: one_after_another(*a, fused=None),
    "fused Adam": lambda *a: one_after_another(*a, fused=True),
    "vmap, backward": vmap_and_backward,
    "vmap of grad": vmap_of_grad,
    "by hand": by_hand,
    "matrix products alone": products_alone,
}
ONLY = {"by hand": ("MLP", "convolution (torch's)"), "matrix products alone": "MLP"}
STEPS = 200  # of train()


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)
    engine._keep_freed_memory()  # for all methods alike


def examples(shape: tuple[int, ...], batch_size: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(N_MEMBERS, batch_size, *shape, generator=generator)
    return x, torch.randint(0, N_CLASSES, (N_MEMBERS, batch_size), generator=generator)


@pytest.mark.parametrize("batch_size", [100])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("family", FAMILIES)
def test_one_step(benchmark, family, method, batch_size):
    build, shape = FAMILIES[family]
    if not family.startswith(ONLY.get(method, "")):
        pytest.skip(f"for {ONLY[method]} only")
    step = METHODS[method]([build() for _ in range(N_MEMBERS)], *examples(shape, batch_size))
    benchmark.group, benchmark.name = family, method
    benchmark.pedantic(step, rounds=12, iterations=2, warmup_rounds=2)


def the_engine(family: str) -> Callable[[int], object]:
    """`train` as chapters call it: its own choice of strategy, batches drawn, losses watched."""
    build, shape = FAMILIES[family]
    x, y = (part.flatten(0, 1) for part in examples(shape, 100))
    data = Dataset(x, y, x[:1], y[:1], N_CLASSES, "noise", "drawn here", "none")
    return lambda n_steps: train(
        build, data, seeds=range(N_MEMBERS), n_steps=n_steps, record_at=[n_steps], device="cpu"
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_the_engine(benchmark, family):
    run = the_engine(family)
    once = []  # building, scoring and one step
    for _ in range(3):
        started = time.process_time()
        strategy = run(1).strategy
        once.append(time.process_time() - started)
    benchmark.group, benchmark.name = family, "train()"
    benchmark.extra_info.update(steps=STEPS, once=min(once), strategy=strategy)
    benchmark.pedantic(run, (STEPS,), rounds=3)


def test_two_threads(benchmark):
    """Wall time of sixteen networks one after another, with one thread, over `train` with two."""
    family = "MLP 40-100-100"
    run, alone = the_engine(family), seconds_of(family, N_MEMBERS, fused=None, steps=100) / 100
    torch.set_num_threads(2)
    taken = []
    for n_steps in (1, STEPS):
        run(n_steps)
        started = time.perf_counter()
        run(n_steps)
        taken.append(time.perf_counter() - started)
    benchmark.group, benchmark.name = family, "two threads"
    benchmark.extra_info["two threads"] = alone / ((taken[1] - taken[0]) / (STEPS - 1))
    benchmark.pedantic(lambda: None)


def seconds_of(family: str, n_members: int, *, fused: bool | None = True, steps: int = 10) -> float:
    """Wall time of some steps of networks trained one after another, in this process."""
    torch.set_num_threads(1)
    build, shape = FAMILIES[family]
    x, y = (part[:n_members] for part in examples(shape, 100))
    step = one_after_another([build() for _ in range(n_members)], x, y, fused=fused)
    step()
    started = time.perf_counter()
    for _ in range(steps):
        step()
    return time.perf_counter() - started


@pytest.mark.parametrize("family", [name for name in FAMILIES if name.startswith("convolution (torch's)")])
def test_two_processes(benchmark, family):
    """Half of the networks in each of two processes, one thread each: what the runner does with chapters."""
    with get_context("spawn").Pool(2) as pool:
        together = pool.apply(seconds_of, (family, N_MEMBERS))
        halves = pool.starmap(seconds_of, [(family, N_MEMBERS // 2)] * 2, chunksize=1)
    benchmark.group, benchmark.name = family, "two processes"
    benchmark.extra_info["gain"] = together / max(halves)
    benchmark.pedantic(lambda: None)
