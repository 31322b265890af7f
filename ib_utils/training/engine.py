"""The one training loop of the book: many members side by side, each as if it were alone."""

import ctypes
import math
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.func import vmap
from torch.nn import functional as F

from ib_utils.data import Dataset
from ib_utils.seeds import stream
from ib_utils.training.batches import Augment, Batches
from ib_utils.training.gradients import OPTIMIZERS, Gradients, MakeOptimizer, Stepper, clip_gradients, plain
from ib_utils.training.members import Ensemble, Loss, build_member, choose_strategy
from ib_utils.training.result import Run, stack_parameters
from ib_utils.training.schedules import SCHEDULES, Schedule, log_spaced_steps

LOSSES: dict[str, Loss] = {"cross_entropy": F.cross_entropy, "squared_error": F.mse_loss}
EVALUATION_BATCH = 50  # small enough for many members' activations to stay in the cache
LOSSES_KEPT = 128  # steps between two looks at whether a loss became infinite: looking waits for the device
Scores = dict[str, Float[Tensor, " member"]]
StopWhen = Callable[[Mapping[str, Tensor]], Bool[Tensor, " member"]]


def resolve_device(device: str = "auto") -> torch.device:
    """The torch device for ``"auto"`` (CUDA, then Apple's MPS, then CPU) or for an explicit name."""
    if device != "auto":
        return torch.device(device)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def train(
    build: Callable[[], nn.Module],
    data: Dataset | Sequence[Dataset],
    *,
    seeds: Sequence[int],
    n_steps: int,
    batch_size: int | None = 100,
    learning_rate: float | Sequence[float] = 1e-3,
    weight_decay: float | Sequence[float] = 0.0,
    label_noise: float | Sequence[float] = 0.0,
    initial_scale: float | Sequence[float] = 1.0,
    optimizer: str | MakeOptimizer = "adam",
    loss: str | Loss = "cross_entropy",
    schedule: str | Schedule = "constant",
    clip_norm: float | None = None,
    augment: Augment | None = None,
    gradients: Gradients = plain,
    stop_when: StopWhen | None = None,
    record_at: int | Sequence[int] = 10,
    snapshot_at: Sequence[int] = (),
    labels: Mapping[str, Sequence[Any]] | None = None,
    device: str = "auto",
    dtype: torch.dtype = torch.float32,
    strategy: str = "auto",
    progress: str | None = None,
) -> Run:
    """Train one network a seed, all at once, and return their curves and parameters.

    Args:
        build: makes one untrained network; called once a member inside that member's own initialisation seed. What it
            draws besides parameters and buffers (a tensor or a number as plain attribute) trains in a loop.
        data: one data set for all members, or one a member (training sets may differ in size).
        seeds: one a member; initialisation, batch order, label noise, augmentation and dropout draw from separate
            streams of it.
        n_steps: optimiser steps.
        batch_size: examples a step and member; batches run through consecutive random permutations of the
            member's training set (a batch larger than the set sees every example equally often). None: the whole
            training set at every step. With ``optimizer="sgd"`` and a small learning rate that is gradient flow, whose
            time is steps times learning rate.
        learning_rate, weight_decay: a number, or one a member. Weight decay is decoupled (as in AdamW).
        label_noise: share of each member's training labels that are replaced by another class (for real targets: the
            standard deviation of the noise added to them), see ``Dataset.with_label_noise``; a number, or one a member.
        initial_scale: factor on all initial parameters; a number, or one a member.
        optimizer: "adam", "adamw" (the same: decay is decoupled), "sgd", "momentum" (0.9), or a callable
            ``(parameters, lr) -> torch.optim.Optimizer`` whose step is proportional to its learning rate and does not
            look at the parameters.
        loss: "cross_entropy", "squared_error", or a callable ``(outputs, targets) -> scalar`` for one member, a mean
            over examples: recorded losses are means of its values on single ones.
        schedule: factor on the learning rates over training: "constant", "linear" or "cosine" (both down to 0), or a
            callable of the share of steps done, 0 to below 1.
        clip_norm: longest gradient of a member; longer ones are shortened to it.
        augment: ``(inputs, generator) -> inputs`` of the same shape, on one member's batch; must draw from the
            generator (on the CPU) alone.
        gradients: ``(backward, parameters) -> losses``, called at each step to leave gradients in the stacked
            parameters; the plain gradient if not given. :func:`sharpness_aware` is one.
        stop_when: ``scores -> which members are done``, asked at recorded steps with the scores of those still
            training (``step``, ``train_loss``, …, one value a member). Their parameters no longer move.
        record_at: steps to record beside the last one, or how many, log-spaced from 0 to ``n_steps``.
        snapshot_at: steps at which all parameters are kept, see ``Run.snapshots``.
        labels: further columns of the history, one value a member.
        device: "auto", "cpu", "cuda", "mps".
        dtype: of parameters and inputs.
        strategy: "vmap" (all members in one vectorised pass), "loop" (one after another), or "auto": vmap unless
            the network holds a layer that cannot be vectorised or that loses by it; ``Run.strategy`` then names it.
        progress: text of the progress bar, shown after 3 s; the class name if not given.

    Returns:
        A ``Run``. A member whose loss becomes infinite or NaN is reported with the step, stops, and is recorded as
        missing; the others go on. Ctrl-C returns what there is so far.

    Raises:
        ValueError: for an empty or mismatched list, an unknown name, or inputs and targets that do not fit the network
            and the loss; one line each, before any training.

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
        if value is not None and value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    where = resolve_device(device)
    rates, decays, noises, scales = (
        _per_member(name, value, len(seeds))
        for name, value in {
            "learning_rate": learning_rate,
            "weight_decay": weight_decay,
            "label_noise": label_noise,
            "initial_scale": initial_scale,
        }.items()
    )
    about = {"seed": seeds, "n_train": [d.n_train for d in datasets], "learning_rate": rates}
    for name, column in (labels or {}).items():
        if len(column) != len(seeds):
            raise ValueError(f"label {name!r} has {len(column)} values for {len(seeds)} members")
        if name in about or name in ("member", "step") or name.startswith(("train_", "test_")):
            raise ValueError(f"label {name!r} is a column that the history has anyway")
    for what, steps in {
        "record_at": () if isinstance(record_at, int) else record_at,
        "snapshot_at": snapshot_at,
    }.items():
        if outside := [step for step in steps if not 0 <= step <= n_steps]:
            raise ValueError(f"{what} has step {outside[0]}; steps go from 0 to n_steps, {n_steps}")
    setup = _Setup(
        loss=_known("loss", loss, LOSSES),
        make_optimizer=_known("optimizer", optimizer, OPTIMIZERS),
        schedule=_known("schedule", schedule, SCHEDULES),
        gradients=gradients,
        clip_norm=clip_norm,
        stop_when=stop_when,
        n_steps=n_steps,
        record_at={*(log_spaced_steps(n_steps, record_at) if isinstance(record_at, int) else record_at), n_steps},
        snapshot_at=set(snapshot_at),
    )
    datasets = [
        d.with_label_noise(noise, seed=stream(seed, "label noise")) if noise else d
        for d, noise, seed in zip(datasets, noises, seeds, strict=True)
    ]
    modules = [build_member(build, seed, scale, where, dtype) for seed, scale in zip(seeds, scales, strict=True)]
    strategy = choose_strategy(strategy, modules, where)
    _check_fit(modules[0], datasets[0], setup.loss, where, dtype)
    if where.type == "cpu":
        _keep_freed_memory()

    from tqdm import tqdm  # not tqdm.auto: its widget would be stored and load foreign hosts

    groups = _groups([d.n_train for d in datasets], strategy, batch_size)
    records: list[dict[str, Any]] = []
    snapshots: dict[int, dict[str, Tensor]] = {}
    text = progress or type(modules[0]).__name__
    with tqdm(total=n_steps * len(groups), desc=text, delay=3, unit="step", leave=False) as bar:
        try:
            for group in groups:
                batches = Batches(
                    [datasets[i] for i in group], [seeds[i] for i in group], batch_size, where, dtype, augment
                )
                own_rates, own_decays = (
                    torch.tensor([values[i] for i in group], device=where, dtype=dtype) for values in (rates, decays)
                )
                with torch.random.fork_rng():  # dropout draws from the global generator; hand it back untouched
                    torch.manual_seed(stream(seeds[group[0]], "dropout"))
                    for event in _fit([modules[i] for i in group], batches, own_rates, own_decays, setup, bar):
                        if isinstance(event, _Snapshot):
                            _keep(snapshots, event, group, len(seeds))
                        else:
                            records.append(event | {"member": group[event["member"]]})
        except KeyboardInterrupt:
            if not records:
                raise
            warnings.warn("interrupted: returning what was recorded so far", stacklevel=2)
    import pandas as pd

    table = pd.DataFrame(about | dict(labels or {})).rename_axis("member").reset_index()
    history = table.merge(pd.DataFrame(records), on="member")
    diverged = history[history["train_loss"].isna()]
    if len(diverged):
        rows = ", ".join(f"seed {row.seed} at step {row.step}" for row in diverged.itertuples())
        warnings.warn(f"{len(diverged)} of {len(seeds)} members diverged: {rows}", stacklevel=2)
    return Run(history, modules, snapshots, time.perf_counter() - started, str(where), strategy)


@dataclass(frozen=True)
class _Setup:
    """What all members share."""

    loss: Loss
    make_optimizer: MakeOptimizer
    schedule: Schedule
    gradients: Gradients
    clip_norm: float | None
    stop_when: StopWhen | None
    n_steps: int
    record_at: set[int]
    snapshot_at: set[int]


@dataclass(frozen=True)
class _Snapshot:
    step: int
    parameters: dict[str, Tensor]


def _fit(
    modules: list[nn.Module],
    batches: Batches,
    rates: Float[Tensor, " member"],
    decays: Float[Tensor, " member"],
    setup: _Setup,
    bar: Any,
) -> Iterator[dict[str, Any] | _Snapshot]:
    """Train one group in place, yielding its records and snapshots as they come."""
    ensemble = Ensemble(modules, setup.loss)
    stepper = Stepper(ensemble.parameters, rates, decays, setup.make_optimizer)
    members = list(range(len(modules)))  # those still training, in the order of the ensemble's rows
    kept: list[Float[Tensor, " member"]] = []  # losses of the steps since they were last looked at
    for step in range(setup.n_steps + 1):
        if step in setup.snapshot_at:
            yield _Snapshot(step, stack_parameters(modules))
        recording = step in setup.record_at
        if recording or len(kept) == LOSSES_KEPT or step == setup.n_steps:
            stopped = set()
            for row, when in _first_not_finite(kept):
                stopped.add(row)
                yield {"member": members[row], "step": step - len(kept) + when, "train_loss": math.nan}
            kept = []
            if recording:
                ensemble.train(False)
                scores = _evaluate(ensemble, batches)
                ensemble.train()
                finite = scores["train_loss"].isfinite() & scores["test_loss"].isfinite()
                done = (
                    setup.stop_when(scores | {"step": torch.full(finite.shape, step)}) if setup.stop_when else ~finite
                )
                for row, member in enumerate(members):
                    if row in stopped:
                        continue
                    values = {name: values[row].item() for name, values in scores.items()}
                    yield {"member": member, "step": step, **(values if finite[row] else {"train_loss": math.nan})}
                    if done[row] or not finite[row]:
                        stopped.add(row)
            if stopped:
                rows = [row for row in range(len(members)) if row not in stopped]
                members = [members[row] for row in rows]
                if not members:  # nothing moves any more
                    yield from (
                        _Snapshot(later, stack_parameters(modules))
                        for later in sorted(setup.snapshot_at)
                        if later > step
                    )
                    bar.update(setup.n_steps - step)
                    return
                batches.keep(rows)
                ensemble = Ensemble([modules[member] for member in members], setup.loss)
                stepper.keep(rows, ensemble.parameters)
        if step == setup.n_steps:
            return
        x, y = batches.next()
        kept.append(setup.gradients(partial(ensemble.backward, x, y), ensemble.parameters))
        if setup.clip_norm is not None:
            clip_gradients(ensemble.parameters, setup.clip_norm)
        stepper.step(setup.schedule(step / setup.n_steps))
        bar.update()


def _first_not_finite(losses: list[Float[Tensor, " member"]]) -> Iterator[tuple[int, int]]:
    """Rows whose loss became infinite or NaN, and at which of the steps first."""
    if losses:
        bad = ~torch.stack(losses).isfinite()  # (step, member)
        for row in bad.any(0).nonzero().flatten().tolist():
            yield row, int(bad[:, row].int().argmax())


@torch.no_grad()
def _evaluate(ensemble: Ensemble, batches: Batches) -> Scores:
    """Mean loss, and accuracy for class labels, of each member on its scored training examples and its test set."""
    columns: Scores = {}
    for part, pool in (("train", batches.train), ("test", batches.test)):
        totals: Scores = {}
        for index in batches.scored[part].split(EVALUATION_BATCH, 1):
            inside = index >= 0
            x, y = pool[index.clamp(min=0)]
            outputs = ensemble.forward(x)
            scores = {"loss": vmap(vmap(ensemble.loss))(outputs[:, :, None], y[:, :, None])}
            if not y.is_floating_point():
                scores["accuracy"] = (outputs.argmax(-1) == y).to(outputs.dtype)
                scores["accuracy"] = scores["accuracy"].where(outputs.isfinite().all(-1), math.nan)
            for name, score in scores.items():
                totals[name] = totals.get(name, 0) + (score * inside).sum(1)
        sizes = (batches.scored[part] >= 0).sum(1)
        columns |= {f"{part}_{name}": (total / sizes).cpu() for name, total in totals.items()}
    return columns


def _groups(sizes: list[int], strategy: str, batch_size: int | None) -> list[list[int]]:
    """Members that run together: all; each alone; or, whole training sets at a time, those of one size."""
    if strategy != "vmap":
        return [[i] for i in range(len(sizes))]
    if batch_size is not None:
        return [list(range(len(sizes)))]
    return [[i for i, own in enumerate(sizes) if own == size] for size in sorted(set(sizes))]


def _keep(snapshots: dict[int, dict[str, Tensor]], new: _Snapshot, group: list[int], n_members: int) -> None:
    """Enter a group's snapshot among those of all members."""
    for name, value in new.parameters.items():
        whole = snapshots.setdefault(new.step, {}).setdefault(
            name, value.new_full((n_members, *value.shape[1:]), math.nan)
        )
        whole[group] = value


def _check_fit(module: nn.Module, data: Dataset, loss: Loss, device: torch.device, dtype: torch.dtype) -> None:
    """One line for inputs that the network refuses and outputs that the loss cannot compare with the targets."""
    x, y = data.x_train[:2].to(device, dtype), data.y_train[:2].to(device)
    y = y.to(dtype) if y.is_floating_point() else y
    module.eval()
    try:
        with torch.no_grad():
            outputs = module(x)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        raise ValueError(f"the network refuses inputs of shape {data.input_shape}: {_first_line(error)}") from None
    finally:
        module.train()
    shapes = f"outputs of shape {tuple(outputs.shape[1:])}, targets of shape {tuple(y.shape[1:])}"
    if loss is F.cross_entropy and (outputs.ndim != 2 or outputs.shape[1] < data.n_classes or not data.n_classes):
        raise ValueError(f"cross_entropy needs one score a class: {shapes}, {data.n_classes} classes")
    if loss is F.mse_loss and (outputs.shape != y.shape or not y.is_floating_point()):
        raise ValueError(f"squared_error needs real targets of the outputs' shape: {shapes}, {y.dtype}")
    try:
        value = loss(outputs, y)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        raise ValueError(f"the loss refuses {shapes}: {_first_line(error)}") from None
    if value.ndim:
        raise ValueError(f"the loss has to be a scalar, got shape {tuple(value.shape)}")


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]


def _known(what: str, value: Any, table: Mapping[str, Any]) -> Any:
    if callable(value):
        return value
    if value not in table:
        raise ValueError(f"unknown {what} {value!r}; one of {sorted(table)} or a callable")
    return table[value]


def _per_member(name: str, value: float | Sequence[float], n_members: int) -> list[float]:
    values = torch.as_tensor(value, dtype=torch.float64)
    if values.ndim and len(values) != n_members:
        raise ValueError(f"{name} has {len(values)} values for {n_members} members")
    return values.expand(n_members).tolist()


@cache
def _keep_freed_memory() -> None:
    """Let this process keep the memory that it frees (glibc only).

    The activations of a step are large enough for glibc to hand them back to the system at once, which then clears
    the pages again for the next step: a fifth of the time of sixteen MLPs.
    """
    trim_threshold, mmap_threshold, size = -1, -3, 32 * 2**20
    try:
        libc = ctypes.CDLL("libc.so.6")
    except OSError:
        return
    libc.mallopt(trim_threshold, 2**30)
    libc.mallopt(mmap_threshold, size)
