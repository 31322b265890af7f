"""Probe scores of predictors whose scores are known, and the walks that they are probed on."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ib_utils.data import lattice_walks, legal_moves, next_move_task, state_label_task
from ib_utils.measures import probe_scores
from ib_utils.models import CausalGRU

STATES = np.arange(600) % 5
EVERY_LABELLING = np.array([[k >> s & 1 for s in range(5)] for k in range(32)])


def test_the_oracle_over_all_labellings_scores_one_and_one():
    scores = probe_scores(EVERY_LABELLING[:, STATES], STATES)
    assert (scores.respects, scores.distinguishes, scores.discrimination) == pytest.approx((1, 1, 1))


def test_a_constant_respects_and_a_coin_distinguishes_and_neither_discriminates():
    constant = probe_scores(np.zeros((4, 600)), STATES)
    coin = probe_scores(np.random.default_rng(0).integers(2, size=(100, 600)), STATES)
    assert (constant.respects, constant.distinguishes, constant.discrimination) == (1, 0, 0)
    assert (coin.respects, coin.distinguishes, coin.discrimination) == pytest.approx((0, 1, 0), abs=0.01)


def test_merging_the_inner_states_costs_their_pairs_alone():
    merged = EVERY_LABELLING[:, [0, 1, 1, 1, 4]][:, STATES]
    scores = probe_scores(merged, STATES)
    assert scores.respects == 1
    assert scores.distinguishes == pytest.approx(7 / 10)  # 3 of 10 pairs of states lie inside


@given(st.integers(0, 10_000))
def test_scores_are_averages_over_pairs(seed):
    rng = np.random.default_rng(seed)
    predictions, states = rng.integers(2, size=(3, 12)), np.array([0, 0, 1, 1, 2, 2, 0, 1, 2, 0, 1, 2])
    pairs = [(i, j) for i in range(12) for j in range(i)]
    same = [(predictions[:, i] != predictions[:, j]).mean() for i, j in pairs if states[i] == states[j]]
    other = [(predictions[:, i] != predictions[:, j]).mean() for i, j in pairs if states[i] != states[j]]
    scores = probe_scores(predictions, states)
    assert scores.respects == pytest.approx(1 - 2 * np.mean(same))
    assert scores.distinguishes == pytest.approx(2 * np.mean(other))


@given(st.integers(2, 6), st.integers(0, 1000))
def test_walks_obey_the_walls_and_states_follow_the_moves(n_states, seed):
    moves, states = lattice_walks(n_sequences=8, length=15, n_states=n_states, seed=seed)
    assert torch.equal((moves - 1).cumsum(1), states)
    assert 0 <= states.min() <= states.max() < n_states
    before = torch.cat([torch.zeros_like(states[:, :1]), states[:, :-1]], 1)
    assert legal_moves(before, n_states).gather(-1, moves[..., None]).all()


def test_a_walk_of_one_move_has_no_time_for_a_label():
    with pytest.raises(ValueError, match="length 1"):
        state_label_task(n_train=2, n_test=1, length=1, n_states=3, seed=0, task_seed=0)


def test_a_small_task_labels_one_time_of_each_walk_but_the_last_by_its_state():
    settings = {"length": 12, "n_states": 4, "seed": 3}
    task = state_label_task(n_train=200, n_test=5, task_seed=1, **settings)
    _, states = lattice_walks(n_sequences=205, **settings)
    assert (task.y_train.sum((1, 2)) == 1).all()
    shown = task.y_train.sum(-1) > 0
    assert not shown[:, -1].any()
    for state in range(4):
        assert len(task.y_train[shown].argmax(-1)[states[:200][shown] == state].unique()) <= 1


def test_the_next_move_is_the_input_moved_by_one():
    task = next_move_task(n_train=6, n_test=2, length=9, n_states=3, seed=0)
    assert torch.equal(task.y_train[:, :-1], task.x_train[:, 1:])
    assert not task.y_train[:, -1].any()


def test_the_written_out_gru_is_torchs():
    ours, theirs, x = (
        CausalGRU(3, 6, 2).double(),
        torch.nn.GRU(3, 6, batch_first=True).double(),
        torch.randn(4, 7, 3).double(),
    )
    for name, layer in (("ih", ours.from_input), ("hh", ours.from_state)):
        getattr(theirs, f"weight_{name}_l0").data = layer.weight.data
        getattr(theirs, f"bias_{name}_l0").data = layer.bias.data
    torch.testing.assert_close(ours(x), ours.head(theirs(x)[0]))


def test_the_past_does_not_see_the_future():
    model, x = CausalGRU(3, 6, 2), torch.randn(2, 8, 3)
    changed = torch.cat([x[:, :5], torch.randn(2, 3, 3)], 1)
    torch.testing.assert_close(model(x)[:, :5], model(changed)[:, :5])
