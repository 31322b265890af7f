"""Train many small networks side by side: *members* that differ in seed, data or settings.

Parameters of all members stand as rows of one matrix; one step is one vectorised forward and backward pass and one
optimiser step over that matrix. Member i comes out as if it had been trained alone with its seed.
"""

import copy
import math
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from ib_utils.data import Dataset
from ib_utils.seeds import stream

if TYPE_CHECKING:
    import pandas as pd

Loss = Callable[[Tensor, Tensor], Tensor]
LOSSES: dict[str, Loss] = {"cross_entropy": F.cross_entropy, "squared_error": F.mse_loss}
OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": partial(torch.optim.Adam, fused=True),  # one pass over memory instead of ten
    "sgd": partial(torch.optim.SGD, fused=True),
}
EVALUATION_BATCH = 50  # small enough for many members' activations to stay in the cache
STEPS_PER_ORDER = 128  # batch indices are drawn for this many steps at a time


def resolve_device(device: str = "auto") -> torch.device:
    """The torch device for ``"auto"`` (CUDA, then Apple's MPS, then CPU) or for an explicit name."""
    if device != "auto":
        return torch.device(device)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


@dataclass(frozen=True)
class Run:
    """What ``train`` returns.

    Attributes:
        history: one row a member and recorded step: member, seed, n_train, learning_rate, labels, step, and
            train_loss, test_loss (and train_accuracy, test_accuracy for class labels).
        parameters: name -> tensor ``(member, *shape)``.
        modules: the members as ordinary modules.
        seconds, device, strategy: how it was run.
    """

    history: "pd.DataFrame"
    parameters: dict[str, Tensor]
    modules: list[nn.Module] = field(repr=False)
    seconds: float
    device: str
    strategy: str

    @property
    def final(self) -> "pd.DataFrame":
        """The last recorded row of each member, in the order of the members."""
        return self.history.groupby("member", sort=True).tail(1).set_index("member").sort_index()

    def member(self, i: int) -> nn.Module:
        """Member ``i`` as an ordinary module with its trained parameters."""
        return self.modules[i]

    def __repr__(self) -> str:
        n_parameters = sum(p[0].numel() for p in self.parameters.values())
        name, last = type(self.modules[0]).__name__, self.final
        scores = ", ".join(f"{c} {last[c].mean():.3f}" for c in last if c.startswith("test_"))
        return (
            f"Run of {len(self.modules)} x {name} ({n_parameters:,} parameters each)\n"
            f"  {int(last['step'].iloc[0])} steps in {self.seconds:.1f} s on {self.device}, strategy {self.strategy}\n"
            f"  mean over members: {scores}"
        )


def train(
    build: Callable[[], nn.Module],
    data: Dataset | Sequence[Dataset],
    *,
    seeds: Sequence[int],
    n_steps: int,
    batch_size: int = 100,
    learning_rate: float | Sequence[float] = 1e-3,
    weight_decay: float | Sequence[float] = 0.0,
    optimizer: str | Callable[..., torch.optim.Optimizer] = "adam",
    loss: str | Loss = "cross_entropy",
    record_at: int | Sequence[int] = 10,
    labels: Mapping[str, Sequence[Any]] | None = None,
    device: str = "auto",
    dtype: torch.dtype = torch.float32,
    strategy: str = "auto",
    progress: str | None = None,
) -> Run:
    """Train one network a seed, all at once, and return their curves and parameters.

    Args:
        build: makes one untrained network; called once a member inside that member's own initialisation seed.
        data: one data set for all members, or one a member (training sets may differ in size).
        seeds: one a member; initialisation and batch order draw from separate streams of it.
        n_steps: optimiser steps.
        batch_size: examples a step and member; batches run through consecutive random permutations of the
            member's training set (a batch larger than the set sees every example equally often).
        learning_rate, weight_decay: a number, or one a member. Weight decay is decoupled (as in AdamW).
        optimizer: "adam", "sgd", or a callable ``(parameters, lr) -> torch.optim.Optimizer`` whose step is
            proportional to its learning rate and does not look at the parameters (momentum is fine).
        loss: "cross_entropy", "squared_error", or a callable ``(outputs, targets) -> scalar`` for one member.
        record_at: steps to record, or how many, log-spaced from 0 to ``n_steps``.
        labels: further columns of the history, one value a member.
        device: "auto", "cpu", "cuda", "mps".
        dtype: of parameters and inputs.
        strategy: "vmap" (all members in one vectorised pass), "loop" (one after another), or "auto": vmap unless
            the network holds a layer that cannot be vectorised or that loses by it.
        progress: text of the progress bar, shown after 3 s; the class name if not given.

    Returns:
        A ``Run``. A member whose loss becomes infinite or NaN is reported and recorded as missing.

    Raises:
        ValueError: for an empty or mismatched list, an unknown name, or too small a data set; one line each.

    Example:
        >>> from ib_utils.data import load_digits
        >>> from ib_utils.models import MLP
        >>> digits = load_digits()
        >>> run = train(lambda: MLP(digits.input_shape, [16], 10), digits, seeds=[0, 1], n_steps=20)
        >>> run.final["test_accuracy"].shape
        (2,)
    """
    started = time.perf_counter()
    seeds = list(seeds)
    datasets = [data] * len(seeds) if isinstance(data, Dataset) else list(data)
    if not seeds:
        raise ValueError("seeds is empty: give one seed a member")
    if len(datasets) != len(seeds):
        raise ValueError(f"got {len(datasets)} data sets for {len(seeds)} seeds; give one data set, or one a member")
    for name, value in {"n_steps": n_steps, "batch_size": batch_size}.items():
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    loss_function = _known("loss", loss, LOSSES)
    make_optimizer = _known("optimizer", optimizer, OPTIMIZERS)
    where = resolve_device(device)
    rates, decays = (
        _per_member(name, value, len(seeds)).to(where, dtype)
        for name, value in {"learning_rate": learning_rate, "weight_decay": weight_decay}.items()
    )
    modules = [_build(build, seed).to(where, dtype) for seed in seeds]
    strategy = _choose_strategy(strategy, modules[0], where)
    record_steps = log_spaced_steps(n_steps, record_at) if isinstance(record_at, int) else sorted(set(record_at))

    from tqdm import tqdm  # not tqdm.auto: its widget would be stored and load foreign hosts

    groups = [list(range(len(seeds)))] if strategy == "vmap" else [[i] for i in range(len(seeds))]
    records: list[dict[str, Any]] = []
    text = progress or type(modules[0]).__name__
    with tqdm(total=n_steps * len(groups), desc=text, delay=3, unit="step", leave=False) as bar:
        try:
            for group in groups:
                batches = _Batches([datasets[i] for i in group], [seeds[i] for i in group], batch_size, where, dtype)
                with torch.random.fork_rng():  # dropout draws from the global generator; hand it back untouched
                    torch.manual_seed(stream(seeds[group[0]], "dropout"))
                    for record in _fit(
                        [modules[i] for i in group],
                        batches,
                        n_steps=n_steps,
                        rates=rates[group],
                        decays=decays[group],
                        make_optimizer=make_optimizer,
                        loss_function=loss_function,
                        record_steps=record_steps,
                        bar=bar,
                    ):
                        records.append(record | {"member": group[record["member"]]})
        except KeyboardInterrupt:
            warnings.warn("interrupted: returning what was recorded so far", stacklevel=2)
    import pandas as pd

    about = {
        "seed": seeds,
        "n_train": [d.n_train for d in datasets],
        "learning_rate": rates.tolist(),
        **(labels or {}),
    }
    for name, column in about.items():
        if len(column) != len(seeds):
            raise ValueError(f"label {name!r} has {len(column)} values for {len(seeds)} members")
    table = pd.DataFrame(about).rename_axis("member").reset_index()
    history = table.merge(pd.DataFrame(records), on="member")
    diverged = history[~np.isfinite(history["train_loss"])].groupby("member").first()
    if len(diverged):
        rows = ", ".join(f"seed {row.seed} by step {row.step}" for row in diverged.itertuples())
        warnings.warn(f"{len(diverged)} of {len(seeds)} members diverged: {rows}", stacklevel=2)
    parameters = {
        name: torch.stack([dict(module.named_parameters())[name].detach() for module in modules])
        for name, _ in modules[0].named_parameters()
    }
    return Run(history, parameters, modules, time.perf_counter() - started, str(where), strategy)


def tune_learning_rate(
    build: Callable[[], nn.Module],
    data: Sequence[Dataset],
    *,
    learning_rates: Sequence[float],
    seeds: Sequence[int],
    max_widenings: int = 2,
    converged_below: float = math.inf,
    **settings: Any,
) -> "pd.Series":
    """Mean validation error of each learning rate, over one (data set, seed) pair a trial; best first.

    The same grid and number of trials for every architecture make a baseline fair. A best value on the edge of the
    grid widens it by one step of the grid's own ratio, at most ``max_widenings`` times.

    Args:
        build: as in ``train``.
        data: one data set a seed whose *test* part is held-out training data (``Dataset.validation``).
        learning_rates: the grid, at least two values with a constant ratio.
        seeds: of the trials; take pilot seeds (``ib_utils.seeds``), so that no verdict sees them.
        max_widenings: how often the grid may grow.
        converged_below: mean training loss below which a network counts as trained. Rates that have not got there
            come last: a low error on a small set may only be early stopping, which larger sets do not get.
        settings: passed on to ``train``.

    Returns:
        Series of validation error, indexed by learning rate, best first: ``.index[0]`` is the choice.
    """
    import pandas as pd

    grid = sorted(learning_rates)
    if len(grid) < 2:
        raise ValueError(f"learning_rates needs at least two values, got {grid}")
    errors: dict[float, float] = {}
    unfinished: dict[float, bool] = {}
    for _ in range(max_widenings + 1):
        new = [rate for rate in grid if rate not in errors]
        run = train(
            build,
            [d for d in data for _ in new],
            seeds=[s for s in seeds for _ in new],
            learning_rate=[rate for _ in seeds for rate in new],
            labels={"grid_rate": [rate for _ in seeds for rate in new]},  # exact values, not float32
            **settings,
        )
        # a diverged member is as bad as guessing nothing right
        error = 1 - run.final["test_accuracy"].fillna(0.0)
        errors |= error.groupby(run.final["grid_rate"]).mean().to_dict()
        loss = run.final["train_loss"].groupby(run.final["grid_rate"]).mean()
        unfinished |= (~(loss < converged_below)).to_dict()
        best = min(errors, key=lambda rate: (unfinished[rate], errors[rate]))
        if best == grid[0]:
            grid.insert(0, grid[0] ** 2 / grid[1])
        elif best == grid[-1]:
            grid.append(grid[-1] ** 2 / grid[-2])
        else:
            break
    else:
        warnings.warn(f"the best learning rate, {best:.2g}, lies on the edge of the grid; widen it", stacklevel=2)
    ranked = sorted(errors, key=lambda rate: (unfinished[rate], errors[rate]))
    return pd.Series({rate: errors[rate] for rate in ranked}, name="validation error").rename_axis("learning rate")


def log_spaced_steps(n_steps: int, n_records: int) -> list[int]:
    """About ``n_records`` steps from 0 to ``n_steps``, evenly spaced in the logarithm; both ends are in.

    Example:
        >>> log_spaced_steps(1000, 4)
        [0, 10, 100, 1000]
    """
    inner = np.geomspace(max(1.0, n_steps ** (1 / max(1, n_records - 1))), n_steps, max(1, n_records - 1))
    return sorted({0, n_steps, *(round(step) for step in inner)})


def _known(what: str, value: Any, table: Mapping[str, Any]) -> Any:
    if callable(value):
        return value
    if value not in table:
        raise ValueError(f"unknown {what} {value!r}; one of {sorted(table)} or a callable")
    return table[value]


def _per_member(name: str, value: float | Sequence[float], n_members: int) -> Tensor:
    values = torch.as_tensor(value, dtype=torch.float64)
    if values.ndim and len(values) != n_members:
        raise ValueError(f"{name} has {len(values)} values for {n_members} members")
    return values.expand(n_members).clone()


def _build(build: Callable[[], nn.Module], seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):  # modules initialise from the global generator; hand it back untouched
        torch.manual_seed(stream(seed, "init"))
        return build()


def _choose_strategy(strategy: str, module: nn.Module, device: torch.device) -> str:
    if strategy not in ("auto", "vmap", "loop"):
        raise ValueError(f"unknown strategy {strategy!r}; one of 'auto', 'vmap', 'loop'")
    if strategy != "auto":
        return strategy
    stateful = (
        nn.modules.batchnorm._BatchNorm,
        nn.Dropout,
        nn.RNNBase,
    )  # buffers, per-member masks, no batching rule
    slower = (nn.Conv1d, nn.Conv2d, nn.Conv3d) if device.type == "cpu" else ()  # grouped convolution loses on a CPU
    return "loop" if any(isinstance(m, stateful + slower) for m in module.modules()) else "vmap"


class _Batches:
    """Training and test examples of a group of members, on the device, and each member's own batch order."""

    def __init__(
        self,
        datasets: list[Dataset],
        seeds: list[int],
        batch_size: int,
        device: torch.device,
        dtype: torch.dtype,
    ):
        self.batch_size, self.device = batch_size, device
        self.generators = [torch.Generator().manual_seed(stream(seed, "order")) for seed in seeds]
        self.train = _Pool([(d.x_train, d.y_train) for d in datasets], device, dtype)
        self.test = _Pool([(d.x_test, d.y_test) for d in datasets], device, dtype)
        self.queues = [torch.empty(0, dtype=torch.long) for _ in seeds]

    def order(self, n_steps: int) -> Int[Tensor, "step member batch"]:
        """Indices of the next ``n_steps`` batches, drawn from consecutive permutations of each training set."""
        wanted = n_steps * self.batch_size
        rows = []
        for i, (size, generator) in enumerate(zip(self.train.sizes, self.generators, strict=True)):
            queue = [self.queues[i]]
            while sum(map(len, queue)) < wanted:
                queue.append(torch.randperm(size, generator=generator))
            row, self.queues[i] = torch.cat(queue).split([wanted, sum(map(len, queue)) - wanted])
            rows.append(row.view(n_steps, self.batch_size))
        return torch.stack(rows, 1).to(self.device)


class _Pool:
    """Examples of all members in one tensor; data sets that members share are kept once."""

    def __init__(self, parts: list[tuple[Tensor, Tensor]], device: torch.device, dtype: torch.dtype):
        unique = {(id(x), id(y)): (x, y) for x, y in parts}
        starts = dict(zip(unique, np.cumsum([0, *(len(x) for x, _ in unique.values())])[:-1].tolist(), strict=True))
        self.x = torch.cat([x for x, _ in unique.values()]).to(device, dtype)
        self.y = torch.cat([y for _, y in unique.values()]).to(device)
        if self.y.is_floating_point():
            self.y = self.y.to(dtype)
        self.sizes = [len(x) for x, _ in parts]
        self.offset = torch.tensor([[starts[id(x), id(y)]] for x, y in parts], device=device)

    def __getitem__(self, index: Int[Tensor, "member batch"]) -> tuple[Tensor, Tensor]:
        index = index + self.offset
        return self.x[index], self.y[index]


def _fit(
    modules: list[nn.Module],
    batches: _Batches,
    *,
    n_steps: int,
    rates: Float[Tensor, " member"],
    decays: Float[Tensor, " member"],
    make_optimizer: Callable[..., torch.optim.Optimizer],
    loss_function: Loss,
    record_steps: list[int],
    bar: Any,
) -> Iterator[dict[str, Any]]:
    """Train one group in place, yielding its records as they come."""
    forward, stacked = _stack(modules)
    losses = torch.func.vmap(loss_function)
    step_forward = _stepper(stacked, rates, decays, make_optimizer)
    order, wanted = iter(()), set(record_steps)
    for step in range(n_steps + 1):
        if step in wanted:
            for module in modules:
                module.eval()
            for member, scores in enumerate(_evaluate(forward, batches, losses)):
                yield {"member": member, "step": step, **scores}
            for module in modules:
                module.train()
        if step == n_steps:
            break
        if step % STEPS_PER_ORDER == 0:
            order = iter(batches.order(min(STEPS_PER_ORDER, n_steps - step)))
        x, y = batches.train[next(order)]
        losses(forward(x), y).sum().backward()
        step_forward()
        bar.update()


def _stack(modules: list[nn.Module]) -> tuple[Callable[[Tensor], Tensor], list[nn.Parameter]]:
    """Stack the members' parameters, one tensor a parameter with the members as its first axis.

    Returns ``forward`` (inputs and outputs with a leading member axis) and the stacked parameters. The modules' own
    parameters become views of them. A single module runs as it is, so it may keep state of its own.
    """
    if len(modules) == 1:
        return lambda x: modules[0](x[0])[None], list(modules[0].parameters())
    own = [dict(module.named_parameters()) for module in modules]
    stacked = {name: nn.Parameter(torch.stack([p[name].detach() for p in own])) for name in own[0]}
    for i, parameters in enumerate(own):
        for name, parameter in parameters.items():
            parameter.data = stacked[name].data[i]
    base = copy.deepcopy(modules[0])

    def forward(x: Tensor) -> Tensor:
        return torch.func.vmap(lambda p, z: torch.func.functional_call(base, p, (z,)))(stacked, x)

    return forward, list(stacked.values())


def _stepper(
    stacked: list[nn.Parameter],
    rates: Float[Tensor, " member"],
    decays: Float[Tensor, " member"],
    make_optimizer: Callable[..., torch.optim.Optimizer],
) -> Callable[[], None]:
    """What turns the gradients into one step of all members, each with its own learning rate and weight decay.

    Where the members share one rate and none decays, that is the optimiser's own step. Otherwise the optimiser walks
    on tensors of zeros with learning rate 1, which makes its step the update itself, and the members' rates scale it:
    so any optimiser of torch serves members with different rates.
    """
    if not decays.any() and (rates == rates[0]).all():
        optimizer = make_optimizer(stacked, lr=rates[0].item())

        def step() -> None:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

        return step

    updates = [nn.Parameter(torch.zeros_like(p)) for p in stacked]
    unit = make_optimizer(updates, lr=1.0)
    shape = (len(rates), *[1] * max(p.ndim for p in stacked))
    # a lone module's parameters have no member axis; one value serves them all the same
    columns = [
        tuple(v.view(shape[: p.ndim]) if len(rates) > 1 else v for v in (rates, 1 - rates * decays)) for p in stacked
    ]

    @torch.no_grad()
    def scaled_step() -> None:
        for parameter, update in zip(stacked, updates, strict=True):
            update.zero_()
            update.grad, parameter.grad = parameter.grad, None
        unit.step()
        for parameter, update, (rate, shrink) in zip(stacked, updates, columns, strict=True):
            parameter.mul_(shrink).addcmul_(rate, update)

    return scaled_step


@torch.no_grad()
def _evaluate(forward: Callable[[Tensor], Tensor], batches: _Batches, losses: Loss) -> Iterator[dict[str, float]]:
    """Mean loss, and accuracy for class labels, of each member on its training set (first examples) and test set."""
    columns: dict[str, list[float]] = {}
    for part, pool in (("train", batches.train), ("test", batches.test)):
        totals: dict[str, Tensor] = {}
        sizes = torch.tensor(pool.sizes, device=batches.device)
        longest = max(pool.sizes) if part == "test" else min(max(pool.sizes), max(batches.test.sizes))
        sizes = sizes.clamp(max=longest)
        for start in range(0, longest, EVALUATION_BATCH):
            index = torch.arange(start, min(start + EVALUATION_BATCH, longest), device=batches.device)
            inside = index < sizes[:, None]  # members with fewer examples than the largest are padded
            x, y = pool[torch.where(inside, index, 0)]
            outputs = forward(x)
            scores = {"loss": torch.func.vmap(losses)(outputs[:, :, None], y[:, :, None])}
            if not y.is_floating_point():
                scores["accuracy"] = (outputs.argmax(-1) == y).to(outputs.dtype)
                scores["accuracy"] = scores["accuracy"].where(outputs.isfinite().all(-1), math.nan)
            for name, score in scores.items():
                totals[name] = totals.get(name, 0) + (score * inside).sum(1)
        for name, total in totals.items():
            columns[f"{part}_{name}"] = (total / sizes).tolist()
    return (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
