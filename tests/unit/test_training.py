"""Member i of an ensemble is the network that training alone with its seed gives."""

from dataclasses import replace
from functools import partial

import numpy as np
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
from ib_utils.training import (
    _Batches,
    log_spaced_steps,
    resolve_device,
    train,
    tune_learning_rate,
)

FAMILIES = {
    "logistic": lambda: LogisticRegression((1, 12), 3),
    "mlp": lambda: MLP((1, 12), [9, 9], 3, residual=True),
    "locally connected": lambda: LocallyConnectedNetwork((1, 12), [4, 4], [3, 3], 3, stride=2, padding=1),
    "convolution": lambda: ConvolutionalNetwork((1, 12), [4, 4], [3, 3], 3, padding=1, pooling=True),
    "gru": lambda: GRUClassifier((1, 12), 4, 3),
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
OPTIMIZERS = {
    "adam": "adam",
    "momentum": partial(torch.optim.SGD, momentum=0.9),
    "sgd": "sgd",
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("strategy", ["vmap", "loop"])
def test_member_equals_training_alone(family, strategy):
    """Different data sizes, learning rates and decays side by side; float64."""
    members = {"learning_rate": [0.01, 0.003, 0.02], "weight_decay": [0.0, 0.1, 0.01]}
    together = train(FAMILIES[family], DATA, seeds=[5, 6, 7], strategy=strategy, **members, **SETTINGS)
    for i, seed in enumerate([5, 6, 7]):
        alone = train(FAMILIES[family], DATA[i], seeds=[seed], **{k: v[i] for k, v in members.items()}, **SETTINGS)
        for name, value in alone.parameters.items():
            torch.testing.assert_close(together.parameters[name][i], value[0], rtol=0, atol=1e-10)
        rows = together.history.query("member == @i").filter(regex="train_|test_").to_numpy()
        np.testing.assert_allclose(rows, alone.history.filter(regex="train_|test_").to_numpy(), atol=1e-10)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_train_equals_a_plain_pytorch_loop(optimizer):
    """The engine's scaled-update trick against torch.optim with an ordinary learning rate."""
    seed, rate, data = 11, 0.02, DATA[0]
    run = train(
        FAMILIES["mlp"],
        data,
        seeds=[seed, 12],
        learning_rate=rate,
        optimizer=OPTIMIZERS[optimizer],
        **SETTINGS,
    )
    torch.manual_seed(stream(seed, "init"))
    model = FAMILIES["mlp"]().double()
    make = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}.get(optimizer, OPTIMIZERS[optimizer])
    stepper = make(model.parameters(), lr=rate)
    x, y = data.x_train.double(), data.y_train
    generator, queue = torch.Generator().manual_seed(stream(seed, "order")), torch.empty(0, dtype=torch.long)
    for _ in range(SETTINGS["n_steps"]):
        while len(queue) < SETTINGS["batch_size"]:
            queue = torch.cat([queue, torch.randperm(len(x), generator=generator)])
        index, queue = queue[: SETTINGS["batch_size"]], queue[SETTINGS["batch_size"] :]
        stepper.zero_grad()
        F.cross_entropy(model(x[index]), y[index]).backward()
        stepper.step()
    for name, value in model.named_parameters():
        torch.testing.assert_close(run.parameters[name][0], value.detach(), rtol=0, atol=1e-10)
    accuracy = (model(data.x_test.double()).argmax(1) == data.y_test).double().mean().item()
    assert run.final["test_accuracy"][0] == pytest.approx(accuracy)


def test_decoupled_weight_decay_equals_adamw():
    run = train(
        FAMILIES["mlp"],
        DATA[0],
        seeds=[3, 4],
        learning_rate=0.01,
        weight_decay=0.3,
        optimizer="adam",
        **SETTINGS,
    )
    torch.manual_seed(stream(3, "init"))
    model = FAMILIES["mlp"]().double()
    stepper = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.3)
    batches = _Batches([DATA[0]], [3], SETTINGS["batch_size"], torch.device("cpu"), torch.float64)
    for index in batches.order(SETTINGS["n_steps"]):
        x, y = batches.train[index]
        stepper.zero_grad()
        F.cross_entropy(model(x[0]), y[0]).backward()
        stepper.step()
    for name, value in model.named_parameters():
        torch.testing.assert_close(run.parameters[name][0], value.detach(), rtol=0, atol=1e-10)


def test_batches_run_through_permutations_of_each_members_own_training_set():
    batches = _Batches(DATA, [0, 1, 2], 10, torch.device("cpu"), torch.float32)
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
    batches = _Batches([DATA[0]] * 2, [0, 1], 10, torch.device("cpu"), torch.float32)
    order = batches.order(4)
    assert not torch.equal(order[:, 0], order[:, 1])


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
    with pytest.warns(UserWarning, match=r"1 of 2 members diverged: seed 2 by step"):
        run = train(FAMILIES["mlp"], DATA[0], seeds=[1, 2], learning_rate=[0.01, 1e200], optimizer="sgd", **SETTINGS)
    assert np.isfinite(run.final["test_accuracy"][0])
    assert np.isnan(run.final["test_accuracy"][1])
    alone = train(FAMILIES["mlp"], DATA[0], seeds=[1], learning_rate=0.01, optimizer="sgd", **SETTINGS)
    assert run.final["test_loss"][0] == pytest.approx(alone.final["test_loss"][0], abs=1e-12)


def test_dropout_and_batch_norm_run_one_after_another_and_reproducibly():
    def build():
        return nn.Sequential(nn.Flatten(), nn.Linear(12, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 3))

    runs = [train(build, DATA[0], seeds=seeds, **SETTINGS) for seeds in ([1, 2], [2])]
    assert runs[0].strategy == "loop"
    assert runs[0].final["test_loss"][1] == pytest.approx(runs[1].final["test_loss"][0], abs=1e-12)


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
        ({"labels": {"arm": ["a"]}}, "label 'arm' has 1 values for 2 members"),
    ],
)
def test_bad_input_gets_one_clear_line(change, message):
    arguments = {"data": DATA[:2], "seeds": [0, 1], **SETTINGS, **change}
    with pytest.raises(ValueError, match=message) as caught:
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


def test_auto_device_is_one_that_exists():
    assert resolve_device("auto").type in {"cpu", "cuda", "mps"}
    assert resolve_device("cpu").type == "cpu"
