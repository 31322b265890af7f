"""Member i of an ensemble is the network that training alone with its seed gives."""

import re
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from ib_utils.data import Dataset
from ib_utils.models import (
    MLP,
    ConvolutionalNetwork,
    GRUClassifier,
    LocallyConnectedNetwork,
    LogisticRegression,
)
from ib_utils.seeds import PILOT_SEED, replicate_seeds, stream
from ib_utils.training import Run, log_spaced_steps, resolve_device, sharpness_aware, train, tune_learning_rate
from ib_utils.training.batches import Batches


class Attention(nn.Module):
    """Self-attention over the positions of a signal, with a learned code for each."""

    def __init__(self):
        super().__init__()
        self.embed, self.code = nn.Linear(1, 6), nn.Parameter(torch.randn(12, 6))
        # no bias: the keys' has no effect, and Adam would blow up the rounding error that is its gradient
        self.project, self.norm, self.head = nn.Linear(6, 18, bias=False), nn.LayerNorm(6), nn.Linear(6, 3)

    def forward(self, x):
        h = self.embed(x.transpose(1, 2)) + self.code
        queries, keys, values = self.project(h).unflatten(-1, (3, 2, 3)).permute(2, 0, 3, 1, 4)
        h = h + F.scaled_dot_product_attention(queries, keys, values).transpose(1, 2).flatten(2)
        return self.head(self.norm(h).mean(1))


class ReflectionEquivariant(nn.Module):
    """Each filter acts as it is and mirrored; the two answers are pooled."""

    def __init__(self):
        super().__init__()
        self.filters, self.head = nn.Parameter(torch.randn(4, 5) / 2), nn.Linear(4, 3)

    def forward(self, x):
        windows = x[:, 0].unfold(1, 5, 1)
        both = torch.stack([windows @ self.filters.T, windows @ self.filters.flip(1).T])
        return self.head(both.relu().mean((0, 2)))


class Tied(nn.Module):
    """Decodes with the transpose of what it encodes with, on top of random features that are not trained."""

    def __init__(self):
        super().__init__()
        self.register_buffer("random", torch.randn(12, 8))
        self.encode, self.again, self.head = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 3)
        self.again.weight = self.encode.weight

    def forward(self, x):
        return self.head(self.again(self.encode(x.flatten(1) @ self.random).relu()))


FAMILIES = {
    "logistic": lambda: LogisticRegression((1, 12), 3),
    "mlp": lambda: MLP((1, 12), [9, 9], 3, residual=True),
    "locally connected": lambda: LocallyConnectedNetwork((1, 12), [4, 4], [3, 3], 3, stride=2, padding=1),
    "convolution": lambda: ConvolutionalNetwork((1, 12), [4, 4], [3, 3], 3, padding=1, pooling=True),
    "gru": lambda: GRUClassifier((1, 12), 4, 3),
    "attention": Attention,
    "group-equivariant": ReflectionEquivariant,
    "tied weights and random features": Tied,
    "torch convolution": lambda: nn.Sequential(nn.Conv1d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(40, 3)),
}


def task(n_train: int, seed: int = 0, n_test: int = 25) -> Dataset:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n_train + n_test, 1, 12, generator=generator)
    y = (x[:, 0, :3].sum(1) > 0).long() + (x[:, 0, 5] > 0.8).long()
    return Dataset(
        x[:n_train],
        y[:n_train],
        x[n_train:],
        y[n_train:],
        n_classes=3,
        name="task",
        source="here",
        licence="none",
    )


DATA = [task(40, seed=0), task(57, seed=1), task(33, seed=2)]
SETTINGS = {"n_steps": 30, "batch_size": 8, "dtype": torch.float64, "record_at": [0, 7, 30], "device": "cpu"}
# ours, and torch's for one network with an ordinary learning rate and decoupled decay
OPTIMIZERS = {
    "adam": ("adam", torch.optim.AdamW),
    "adamw": ("adamw", torch.optim.AdamW),
    "sgd": ("sgd", torch.optim.SGD),
    "momentum": ("momentum", partial(torch.optim.SGD, momentum=0.9)),
    "nesterov": (partial(torch.optim.SGD, momentum=0.8, nesterov=True),) * 2,
}
MEMBERS = {
    "learning_rate": [0.01, 0.003, 0.02],
    "weight_decay": [0.0, 0.1, 0.01],
    "label_noise": [0.0, 0.2, 0.4],
    "initial_scale": [1.0, 0.5, 2.0],
}


def same(together, alone, i):
    """Member i of one run is the only member of the other."""
    for name, value in alone.parameters.items():
        torch.testing.assert_close(together.parameters[name][i], value[0], rtol=0, atol=1e-10)
    rows = together.history.query("member == @i").filter(regex="train_|test_").to_numpy()
    np.testing.assert_allclose(rows, alone.history.filter(regex="train_|test_").to_numpy(), atol=1e-10)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("strategy", ["auto", "loop"])
def test_member_equals_training_alone(family, strategy):
    """Different data sizes, rates, decays, noise levels and scales side by side; float64."""
    if strategy == "auto" and family == "torch convolution":
        strategy = "vmap"  # slower, but the same
    together = train(FAMILIES[family], DATA, seeds=[5, 6, 7], strategy=strategy, **MEMBERS, **SETTINGS)
    assert together.strategy.startswith("loop") == (strategy == "loop" or family == "torch gru")
    for i, seed in enumerate([5, 6, 7]):
        alone = train(FAMILIES[family], DATA[i], seeds=[seed], **{k: v[i] for k, v in MEMBERS.items()}, **SETTINGS)
        same(together, alone, i)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(
    "loss", ["cross_entropy", lambda outputs, y: (outputs.exp().sum(1).log() - outputs[:, 0]).mean()]
)
@pytest.mark.parametrize("rates", [0.01, [0.01, 0.003, 0.02]])
def test_member_equals_training_alone_under_every_option(optimizer, loss, rates):
    options = {
        "optimizer": OPTIMIZERS[optimizer][0],
        "loss": loss,
        "schedule": "cosine",
        "clip_norm": 0.3,
        "gradients": sharpness_aware(0.05),
        "augment": lambda x, generator: x + 0.1 * torch.randn(x.shape, generator=generator, dtype=x.dtype),
        "snapshot_at": [0, 11, 30],
    }
    together = train(
        FAMILIES["mlp"], DATA, seeds=[5, 6, 7], learning_rate=rates, weight_decay=0.1, **options, **SETTINGS
    )
    for i, seed in enumerate([5, 6, 7]):
        rate = rates if isinstance(rates, float) else rates[i]
        alone = train(
            FAMILIES["mlp"], DATA[i], seeds=[seed], learning_rate=rate, weight_decay=0.1, **options, **SETTINGS
        )
        same(together, alone, i)
        for step in (0, 11, 30):
            for name, value in alone.snapshots[step].items():
                torch.testing.assert_close(together.snapshots[step][name][i], value[0], rtol=0, atol=1e-10)


def test_real_targets_with_noise_equal_training_alone():
    data = [replace(d, y_train=d.x_train[:, :, 0], y_test=d.x_test[:, :, 0], n_classes=0) for d in DATA]
    options = {"loss": "squared_error", "optimizer": "sgd", "batch_size": None, "n_steps": 20, "device": "cpu"}
    build = partial(LogisticRegression, (1, 12), 1)
    together = train(build, data, seeds=[1, 2, 3], label_noise=[0.5, 0.0, 1.0], dtype=torch.float64, **options)
    for i, (seed, noise) in enumerate(zip([1, 2, 3], [0.5, 0.0, 1.0], strict=True)):
        same(together, train(build, data[i], seeds=[seed], label_noise=noise, dtype=torch.float64, **options), i)


def plain_loop(build, data, seed, make, *, n_steps, batch_size, schedule=lambda done: 1.0, clip_norm=None):
    """The same member in ordinary PyTorch."""
    torch.manual_seed(stream(seed, "init"))
    model = build().double()
    stepper = make(model.parameters())
    rate = stepper.param_groups[0]["lr"]
    x, y = data.x_train.double(), data.y_train
    generator, queue = torch.Generator().manual_seed(stream(seed, "order")), torch.empty(0, dtype=torch.long)
    for step in range(n_steps):
        while len(queue) < batch_size:
            queue = torch.cat([queue, torch.randperm(len(x), generator=generator)])
        index, queue = queue[:batch_size], queue[batch_size:]
        stepper.zero_grad()
        F.cross_entropy(model(x[index]), y[index]).backward()
        if clip_norm:
            nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
        stepper.param_groups[0]["lr"] = rate * schedule(step / n_steps)
        stepper.step()
    return model


PLAIN = {"n_steps": SETTINGS["n_steps"], "batch_size": SETTINGS["batch_size"]}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("other_rate", [0.02, 0.005])
@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_train_equals_a_plain_pytorch_loop(optimizer, other_rate, decay):
    """Alone with its rate, and beside a member with another; with the plain gradient, clipped, under a schedule."""
    ours, theirs = OPTIMIZERS[optimizer]
    if decay and theirs is not torch.optim.AdamW:
        pytest.skip("torch's SGD has no decoupled decay")
    make = partial(theirs, lr=0.02, **({"weight_decay": decay} if theirs is torch.optim.AdamW else {}))
    seed, data = 11, DATA[0]
    for schedule, factor in {"constant": lambda done: 1.0, "linear": lambda done: 1 - done}.items():
        for clip_norm in (None, 0.2):
            run = train(
                FAMILIES["mlp"], data, seeds=[seed, 12], learning_rate=[0.02, other_rate], weight_decay=decay,
                optimizer=ours, schedule=schedule, clip_norm=clip_norm, **SETTINGS,
            )  # fmt: skip
            model = plain_loop(FAMILIES["mlp"], data, seed, make, schedule=factor, clip_norm=clip_norm, **PLAIN)
            for name, value in model.named_parameters():
                torch.testing.assert_close(run.parameters[name][0], value.detach(), rtol=0, atol=1e-10)
            accuracy = (model(data.x_test.double()).argmax(1) == data.y_test).double().mean().item()
            assert run.final["test_accuracy"][0] == pytest.approx(accuracy)


def test_batches_run_through_permutations_of_each_members_own_training_set():
    batches = Batches(DATA, [0, 1, 2], 10, torch.device("cpu"), torch.float32)
    order = torch.cat([batches.order(7), batches.order(50)])  # drawn in chunks
    for i, data in enumerate(DATA):
        epochs = order[:, i].flatten()[: 9 * data.n_train].view(9, data.n_train)
        assert (epochs.sort(1).values == torch.arange(data.n_train)).all()
        assert not (epochs[0] == epochs[1]).all()
    x, y = batches.train[order[0]]
    torch.testing.assert_close(x[1], DATA[1].x_train[order[0][1]])
    assert (y[2] == DATA[2].y_train[order[0][2]]).all()


def test_members_may_share_inputs_and_differ_in_labels():
    """As with label noise or shuffled labels: each member learns its own."""
    data = DATA[0]
    other = replace(data, y_train=(data.y_train + 1) % 3, y_test=(data.y_test + 1) % 3)
    together = train(FAMILIES["mlp"], [data, other], seeds=[1, 2], **SETTINGS)
    for i, (seed, own) in enumerate(((1, data), (2, other))):
        alone = train(FAMILIES["mlp"], own, seeds=[seed], **SETTINGS)
        assert together.final["test_loss"][i] == pytest.approx(alone.final["test_loss"][0], abs=1e-10)


def test_members_see_their_data_in_orders_of_their_own():
    batches = Batches([DATA[0]] * 2, [0, 1], 10, torch.device("cpu"), torch.float32)
    order = batches.order(4)
    assert not torch.equal(order[:, 0], order[:, 1])


@pytest.mark.parametrize("n_train", [300, 3000])
def test_training_scores_are_those_of_all_examples_or_of_a_fair_sample(n_train):
    """Also where the second half is harder than the first and the test set is small."""
    data, half = task(n_train, seed=0), n_train // 2
    labels = torch.cat([data.y_train[:half], data.y_train[half:].roll(1)])
    data = replace(data, y_train=labels, x_test=data.x_test[:9], y_test=data.y_test[:9])
    run = train(FAMILIES["mlp"], data, seeds=range(4), learning_rate=0.01, **SETTINGS | {"n_steps": 100})
    outputs = run.outputs(data.x_train)
    losses = [F.cross_entropy(own, labels).item() for own in outputs]
    first = [F.cross_entropy(own[:1000], labels[:1000]).item() for own in outputs]
    np.testing.assert_allclose(run.final["train_loss"], losses, rtol=1e-10 if n_train <= 1000 else 0.08)
    assert n_train <= 1000 or np.mean(first) < 0.87 * np.mean(losses)  # the first ones would mislead


def test_the_last_step_is_always_recorded():
    run = train(FAMILIES["mlp"], DATA[0], seeds=[1], **SETTINGS | {"record_at": [3]})
    assert run.history["step"].tolist() == [3, SETTINGS["n_steps"]]


def test_the_same_seed_gives_the_same_run_and_leaves_the_global_generator_alone():
    torch.manual_seed(123)
    before = torch.get_rng_state()
    first, second = (train(FAMILIES["mlp"], DATA[0], seeds=[1, 2], **SETTINGS) for _ in range(2))
    assert torch.equal(before, torch.get_rng_state())
    assert first.history.equals(second.history)
    assert first.history["test_loss"].nunique() > 3  # and different seeds, different runs


def test_streams_of_one_seed_are_separate():
    assert len({stream(seed, purpose) for seed in range(50) for purpose in ("init", "order", "data")}) == 150
    assert replicate_seeds(3, 4) == [3000, 3001, 3002, 3003]
    assert not set(replicate_seeds(0, 1000)) & set(replicate_seeds(1, 1000))
    assert replicate_seeds(PILOT_SEED, 1) == [900_000]


def test_a_member_that_diverges_is_reported_and_spares_the_others():
    with pytest.warns(UserWarning, match=r"1 of 2 members diverged: seed 2 at step 1$"):
        run = train(FAMILIES["mlp"], DATA[0], seeds=[1, 2], learning_rate=[0.01, 1e200], optimizer="sgd", **SETTINGS)
    assert np.isfinite(run.final["test_accuracy"][0])
    assert np.isnan(run.final["test_accuracy"][1])
    alone = train(FAMILIES["mlp"], DATA[0], seeds=[1], learning_rate=0.01, optimizer="sgd", **SETTINGS)
    assert run.final["test_loss"][0] == pytest.approx(alone.final["test_loss"][0], abs=1e-12)


@pytest.mark.parametrize("clean", [(0,), (0, 2), (2,)])
@pytest.mark.parametrize("rates", [0.01, [0.01, 0.01, 0.003]])
def test_a_member_whose_loss_is_not_finite_stops_at_that_step_and_the_others_go_on(clean, rates):
    calls = []

    def poison(backward, parameters):
        calls.append(None)
        if len(calls) == 18:  # step 17
            for row in {0, 1, 2} - set(clean):
                parameters[0].data[row, 0, 0] = torch.nan
        return backward()

    with pytest.warns(UserWarning, match=rf"{3 - len(clean)} of 3 members diverged: seed \d at step 17"):
        run = train(FAMILIES["mlp"], DATA, seeds=[0, 1, 2], learning_rate=rates, gradients=poison, **SETTINGS)
    healthy = train(FAMILIES["mlp"], DATA, seeds=[0, 1, 2], learning_rate=rates, **SETTINGS)
    for row in range(3):
        if row in clean:
            assert run.final["test_loss"][row] == pytest.approx(healthy.final["test_loss"][row], abs=1e-12)
        else:
            assert run.final["step"][row] == 17
            assert run.final.loc[row, ["train_loss", "test_loss", "test_accuracy"]].isna().all()


@pytest.mark.parametrize("optimizer", ["adam", "momentum"])
@pytest.mark.parametrize("rates", [0.02, [0.02, 0.02, 0.01, 0.005]])
def test_a_member_that_has_stopped_does_not_move_and_the_others_do_not_notice(optimizer, rates):
    data, seeds = [*DATA, DATA[0]], [1, 2, 3, 4]
    settings = SETTINGS | {"n_steps": 60, "record_at": range(0, 61, 5)}
    free = train(
        FAMILIES["mlp"],
        data,
        seeds=seeds,
        learning_rate=rates,
        optimizer=optimizer,
        snapshot_at=range(0, 61, 5),
        **settings,
    )
    level = free.history.query("step == 30")["train_loss"].median()

    def fitted(scores):
        assert (scores["step"] % 5 == 0).all()
        return scores["train_loss"] < level

    run = train(
        FAMILIES["mlp"],
        data,
        seeds=seeds,
        learning_rate=rates,
        optimizer=optimizer,
        stop_when=fitted,
        snapshot_at=[60],
        **settings,
    )
    stops = run.final["step"].tolist()
    assert len(set(stops)) > 2  # they stop at different times
    for i, stop in enumerate(stops):
        below = free.history.query("member == @i and train_loss < @level")["step"]
        assert stop == (below.iloc[0] if len(below) else 60)
        for name, value in run.parameters.items():
            torch.testing.assert_close(value[i], free.snapshots[stop][name][i], rtol=0, atol=1e-12)
            torch.testing.assert_close(run.snapshots[60][name][i], value[i], rtol=0, atol=0)
    assert "stopped before" in repr(run)


def test_training_ends_when_all_have_stopped():
    run = train(FAMILIES["mlp"], DATA, seeds=[1, 2, 3], stop_when=lambda scores: scores["step"] >= 7, **SETTINGS)
    assert run.final["step"].tolist() == [7, 7, 7]


def test_dropout_and_batch_norm_run_one_after_another_and_say_so():
    def build():
        return nn.Sequential(nn.Flatten(), nn.Linear(12, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 3))

    runs = [train(build, DATA[0], seeds=seeds, **SETTINGS) for seeds in ([1, 2], [2])]
    assert runs[0].strategy == "loop (BatchNorm1d)"
    assert "strategy loop (BatchNorm1d)" in repr(runs[0])
    same(runs[0], runs[1], 1)
    with pytest.raises(ValueError, match="strategy 'vmap' cannot run BatchNorm1d"):
        train(build, DATA[0], seeds=[1, 2], strategy="vmap", **SETTINGS)


class Masked(nn.Module):
    """Sees inputs through a mask of its own, drawn at the start and kept as a plain attribute."""

    def __init__(self):
        super().__init__()
        self.mask, self.head = (torch.rand(12) < 0.5).double(), nn.Linear(12, 3)

    def forward(self, x):
        return self.head(x.flatten(1) * self.mask)


def test_what_members_draw_besides_parameters_and_buffers_stays_their_own():
    runs = [train(Masked, DATA[0], seeds=seeds, **SETTINGS) for seeds in ([1, 2], [2])]
    assert runs[0].strategy == "loop (Masked.mask)"
    same(runs[0], runs[1], 1)


def test_attention_runs_side_by_side_without_falling_back_to_a_slow_rule(recwarn):
    assert train(Attention, DATA, seeds=[1, 2, 3], **SETTINGS).strategy == "vmap"
    assert not [w for w in recwarn if "performance drop" in str(w.message)]


def test_dropout_that_drops_nothing_is_no_reason_for_a_loop():
    build = lambda: nn.Sequential(nn.Flatten(), nn.Dropout(0.0), nn.Linear(12, 3))  # noqa: E731
    assert train(build, DATA[0], seeds=[1, 2], **SETTINGS).strategy == "vmap"


def test_frozen_parameters_stay_and_the_others_train():
    def build():
        model = MLP((1, 12), [9], 3)
        model.hidden[0].requires_grad_(False)
        return model

    together = train(build, DATA, seeds=[1, 2, 3], snapshot_at=[0], **SETTINGS)
    frozen, trained = "hidden.0.weight", "head.weight"
    assert torch.equal(together.snapshots[0][frozen], together.parameters[frozen])
    assert (together.snapshots[0][trained] != together.parameters[trained]).all()
    same(together, train(build, DATA[1], seeds=[2], **SETTINGS), 1)


def test_sharpness_aware_steps_use_the_gradient_at_the_worst_point_nearby():
    torch.manual_seed(stream(4, "init"))
    model = FAMILIES["mlp"]().double()
    x, y = DATA[0].x_train.double(), DATA[0].y_train
    for _ in range(5):
        parameters = list(model.parameters())
        gradient = torch.autograd.grad(F.cross_entropy(model(x), y), parameters)
        length = torch.cat([g.flatten() for g in gradient]).norm()
        worst = [p.detach() + 0.1 * g / length for p, g in zip(parameters, gradient, strict=True)]
        names = [name for name, _ in model.named_parameters()]
        worst = {name: p.requires_grad_() for name, p in zip(names, worst, strict=True)}
        loss = F.cross_entropy(torch.func.functional_call(model, worst, (x,)), y)
        with torch.no_grad():
            for p, g in zip(parameters, torch.autograd.grad(loss, list(worst.values())), strict=True):
                p -= 0.3 * g
    run = train(
        FAMILIES["mlp"], DATA[0], seeds=[4, 5], n_steps=5, batch_size=None, learning_rate=0.3, optimizer="sgd",
        gradients=sharpness_aware(0.1), dtype=torch.float64, device="cpu",
    )  # fmt: skip
    for name, value in model.named_parameters():
        torch.testing.assert_close(run.parameters[name][0], value.detach(), rtol=0, atol=1e-10)


def test_whole_training_sets_at_small_steps_follow_gradient_flow():
    """Least squares: the weights relax exponentially along the eigenvectors of the input covariance."""
    generator = torch.Generator().manual_seed(0)
    data = []
    for n in (30, 50):  # unequal sizes
        x = torch.randn(n, 4, generator=generator, dtype=torch.float64)
        y = x @ torch.tensor([[1.0], [-2.0], [0.5], [0.0]], dtype=torch.float64)
        data.append(Dataset(x, y, x, y, n_classes=0, name="line", source="here", licence="none"))
    time, rate = 0.6, 1e-3
    run = train(
        lambda: nn.Linear(4, 1, bias=False), data, seeds=[0, 1], n_steps=round(time / rate), batch_size=None,
        learning_rate=rate, optimizer="sgd", loss="squared_error", snapshot_at=[0], dtype=torch.float64, device="cpu",
    )  # fmt: skip
    for i, d in enumerate(data):
        covariance = d.x_train.T @ d.x_train / d.n_train
        target = torch.linalg.lstsq(d.x_train, d.y_train).solution.T
        start = run.snapshots[0]["weight"][i]
        predicted = target + (start - target) @ torch.linalg.matrix_exp(-2 * time * covariance)
        torch.testing.assert_close(run.parameters["weight"][i], predicted, rtol=0, atol=5e-3)


def test_initial_scale_multiplies_what_the_seed_gives():
    one, two = (
        train(FAMILIES["mlp"], DATA[0], seeds=[1], initial_scale=scale, snapshot_at=[0], **SETTINGS).snapshots[0]
        for scale in (1.0, 2.5)
    )
    assert all(torch.equal(2.5 * one[name], two[name]) for name in one)


def test_a_run_is_saved_and_loaded_without_pickle(tmp_path):
    def build():
        return nn.Sequential(nn.Flatten(), nn.Linear(12, 8), nn.BatchNorm1d(8), nn.Linear(8, 3))

    run = train(build, DATA, seeds=[1, 2, 3], labels={"arm": ["a", "b", "c"]}, snapshot_at=[0, 7], **SETTINGS)
    run.save(tmp_path / "run.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["run.safetensors"]  # nothing half-written stays
    again = Run.load(tmp_path / "run.safetensors", build)
    assert repr(again) == repr(run)
    pd.testing.assert_frame_equal(again.history, run.history, rtol=1e-12, check_dtype=False)
    x = DATA[0].x_test.double()
    assert torch.equal(again.outputs(x), run.outputs(x))
    assert torch.equal(again.outputs(x, step=7), run.outputs(x, step=7))
    with pytest.raises(ValueError, match="another architecture"):
        Run.load(tmp_path / "run.safetensors", FAMILIES["mlp"])
    (tmp_path / "broken").write_bytes((tmp_path / "run.safetensors").read_bytes()[:200])
    with pytest.raises(ValueError, match="is not a saved run"):
        Run.load(tmp_path / "broken", build)


def test_outputs_are_those_of_the_members():
    run = train(FAMILIES["mlp"], DATA, seeds=[1, 2, 3], snapshot_at=[0, 30], **SETTINGS)
    x = DATA[0].x_test
    for i in range(3):
        torch.testing.assert_close(run.outputs(x)[i], run.member(i)(x.double()).detach())
    assert torch.equal(run.outputs(x, step=30), run.outputs(x))
    assert not torch.equal(run.outputs(x, step=0), run.outputs(x))
    assert run.final_scores["test_loss"].shape == (3,)
    with pytest.raises(ValueError, match="no snapshot at step 8"):
        run.outputs(x, step=8)


@pytest.mark.parametrize("strategy", ["vmap", "loop"])
def test_ctrl_c_returns_what_there_is(strategy):
    calls = []

    def interrupted(backward, parameters):
        calls.append(None)
        if len(calls) == 20:
            raise KeyboardInterrupt
        return backward()

    with pytest.warns(UserWarning, match="interrupted"):
        run = train(FAMILIES["mlp"], DATA, seeds=[1, 2, 3], gradients=interrupted, strategy=strategy, **SETTINGS)
    assert run.history["step"].max() == 7
    whole = train(FAMILIES["mlp"], DATA, seeds=[1, 2, 3], strategy=strategy, **SETTINGS)
    shared = run.history.merge(whole.history, on=["member", "step"])
    assert (shared["test_loss_x"] == shared["test_loss_y"]).all()


def test_squared_error_reaches_the_least_squares_solution():
    x = torch.randn(60, 4, generator=torch.Generator().manual_seed(0))
    y = x @ torch.tensor([[1.0], [-2.0], [0.5], [0.0]]) + 0.3
    data = Dataset(x, y, x, y, n_classes=0, name="line", source="here", licence="none")
    run = train(
        lambda: LogisticRegression((4,), 1), data, seeds=[0, 1], n_steps=800, batch_size=60, learning_rate=0.2,
        optimizer="sgd", loss="squared_error", device="cpu",
    )  # fmt: skip
    torch.testing.assert_close(
        run.parameters["head.weight"][1], torch.tensor([[1.0, -2.0, 0.5, 0.0]]), atol=1e-4, rtol=0
    )


def test_result_offers_members_as_modules_and_a_story():
    run = train(FAMILIES["mlp"], DATA[:2], seeds=[1, 2], labels={"arm": ["a", "b"]}, **SETTINGS)
    x = DATA[1].x_test.double()
    accuracy = (run.member(1)(x).argmax(1) == DATA[1].y_test).double().mean().item()
    assert run.final["test_accuracy"][1] == pytest.approx(accuracy)
    assert list(run.final["arm"]) == ["a", "b"]
    assert list(run.final["n_train"]) == [40, 57]
    assert sorted(run.history["step"].unique()) == [0, 7, 30]
    assert len(repr(run).splitlines()) == 3


def test_tuning_says_when_the_best_rate_lies_on_the_edge():
    data = [task(100, seed=0).validation(0.25, seed=0)]
    with pytest.warns(UserWarning, match="lies on the edge of the grid"):
        tune_learning_rate(
            FAMILIES["mlp"], data, learning_rates=[1e-7, 1e-6], seeds=[0], max_widenings=0, n_steps=20, device="cpu"
        )


def test_tuning_ranks_rates_that_have_not_converged_last():
    data = [task(100, seed=0).validation(0.25, seed=0)]
    settings = {"learning_rates": [1e-4, 1e-2], "seeds": [0], "max_widenings": 0, "n_steps": 80, "device": "cpu"}
    with pytest.warns(UserWarning, match="edge"):
        errors = tune_learning_rate(FAMILIES["mlp"], data, converged_below=0.5, **settings)
    assert errors.index.tolist() == [1e-2, 1e-4]
    with pytest.warns(UserWarning, match="edge"):  # nothing has converged: validation error alone decides
        assert tune_learning_rate(FAMILIES["mlp"], data, converged_below=0.0, **settings).is_monotonic_increasing


def test_tuning_ranks_a_rate_at_which_one_trial_diverges_last():
    data = [task(100, seed=s).validation(0.25, seed=s) for s in (0, 1)]
    data[1] = replace(data[1], x_train=data[1].x_train * 1e30)
    settings = {"optimizer": "sgd", "n_steps": 40, "device": "cpu", "max_widenings": 0, "converged_below": 10.0}
    with pytest.warns(UserWarning, match="diverged|edge"):
        errors = tune_learning_rate(FAMILIES["mlp"], data, learning_rates=[1e-34, 1.0], seeds=[0, 1], **settings)
    assert errors.index[-1] == 1.0


def test_tuning_finds_a_good_rate_and_widens_a_grid_that_is_too_low():
    data = [task(200, seed=s).validation(0.25, seed=s) for s in (0, 1)]
    errors = tune_learning_rate(
        FAMILIES["mlp"], data, learning_rates=[1e-5, 1e-4], seeds=replicate_seeds(PILOT_SEED, 2),
        n_steps=60, batch_size=20, device="cpu", max_widenings=5,
    )  # fmt: skip
    best = errors.index[0]
    assert 1e-4 < best < max(errors.index)  # beyond the first grid, and no longer on an edge
    assert errors[best] < errors[1e-5] - 0.1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seeds": []}, "seeds is empty"),
        ({"data": DATA[:1]}, "1 data sets for 2 seeds"),
        ({"loss": "hinge"}, "unknown loss 'hinge'"),
        ({"optimizer": "lion"}, "unknown optimizer 'lion'"),
        ({"strategy": "magic"}, "unknown strategy 'magic'"),
        ({"learning_rate": [0.1, 0.2, 0.3]}, "learning_rate has 3 values for 2 members"),
        ({"n_steps": 0}, "n_steps must be at least 1, got 0"),
        ({"schedule": "exponential"}, "unknown schedule 'exponential'; one of ['constant', 'cosine', 'linear']"),
        ({"label_noise": 1.5}, "label noise must lie in 0 to 1"),
        ({"initial_scale": [1.0]}, "initial_scale has 1 values for 2 members"),
        ({"optimizer": partial(torch.optim.AdamW, weight_decay=0.1)}, "give weight_decay to train"),
        ({"loss": "squared_error"}, "squared_error needs real targets of the outputs' shape: outputs of shape (3,)"),
        ({"loss": lambda outputs, y: F.cross_entropy(outputs, y, reduction="none")}, "the loss has to be a scalar"),
        (
            {"loss": lambda outputs, y: (outputs - y).mean()},
            "the loss refuses outputs of shape (3,), targets of shape ()",
        ),
        (
            {"data": [replace(DATA[0], x_train=DATA[0].x_train[..., :5], x_test=DATA[0].x_test[..., :5])] * 2},
            "the network refuses inputs of shape (1, 5)",
        ),
        ({"data": [replace(DATA[0], n_classes=4)] * 2}, "cross_entropy needs one score a class: outputs of shape (3,)"),
        ({"labels": {"arm": ["a"]}}, "label 'arm' has 1 values for 2 members"),
        ({"labels": {"step": [1, 2]}}, "label 'step' is a column that the history has anyway"),
        ({"record_at": [5000]}, "record_at has step 5000; steps go from 0 to n_steps, 30"),
        ({"snapshot_at": [-1]}, "snapshot_at has step -1"),
    ],
)
def test_bad_input_gets_one_clear_line(change, message):
    arguments = {"data": DATA[:2], "seeds": [0, 1], **SETTINGS, **change}
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        train(FAMILIES["mlp"], arguments.pop("data"), **arguments)
    assert "\n" not in str(caught.value)


def test_recorded_steps_are_log_spaced_with_both_ends():
    assert log_spaced_steps(1000, 4) == [0, 10, 100, 1000]
    for n_steps in (1, 2, 50, 6000):
        steps = log_spaced_steps(n_steps, 10)
        assert steps[0] == 0
        assert steps[-1] == n_steps
        assert steps == sorted(set(steps))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_gives_the_same_members_as_the_cpu():
    arguments = {**SETTINGS, "device": "cpu"}
    cpu = train(FAMILIES["convolution"], DATA, seeds=[1, 2, 3], **arguments)
    cuda = train(FAMILIES["convolution"], DATA, seeds=[1, 2, 3], **{**arguments, "device": "cuda"})
    assert cuda.device.startswith("cuda")
    for name, value in cpu.parameters.items():
        torch.testing.assert_close(cuda.parameters[name].cpu(), value, rtol=0, atol=1e-9)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("rates", [0.01, [0.01, 0.003, 0.02]])
def test_on_cuda_the_host_never_waits_for_the_device_between_records(rates):
    calls = []

    def watched(backward, parameters):
        calls.append(None)
        if len(calls) == 5:  # the first steps compile and draw
            torch.cuda.set_sync_debug_mode("error")
        if len(calls) == 100:
            torch.cuda.set_sync_debug_mode("default")
        return backward()

    settings = SETTINGS | {"n_steps": 110, "record_at": [110], "device": "cuda"}
    try:
        train(FAMILIES["mlp"], DATA, seeds=[1, 2, 3], learning_rate=rates, gradients=watched, **settings)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_auto_device_is_one_that_exists():
    assert resolve_device("auto").type in {"cpu", "cuda", "mps"}
    assert resolve_device("cpu").type == "cpu"
