"""Logistic regression with shifts and group weights against closed forms and scikit-learn."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ib_utils.data import make_noisy_cue
from ib_utils.models import calibrated_shift, held_out_logits, logistic_path

seeds = st.integers(0, 2**31)


def problem(seed: int, n: int = 60, d: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(1, n, d, generator=generator, dtype=torch.float64)
    noise = torch.randn(1, n, generator=generator)
    return x, (x[..., 0] + noise > 0).long()


@settings(max_examples=2, deadline=None)
@given(seeds)
def test_with_a_penalty_it_ends_where_scikit_learn_does(seed):
    from sklearn.linear_model import LogisticRegression

    x, y = problem(seed)
    path = logistic_path(x, y, learning_rate=0.5, n_steps=1500, record_at=[1500], weight_decay=0.1)
    reference = LogisticRegression(C=1 / (0.1 * x.shape[1]), fit_intercept=False, tol=1e-10).fit(x[0], y[0])
    torch.testing.assert_close(path.weights[-1, 0], torch.tensor(reference.coef_[0]), atol=1e-5, rtol=1e-4)


@settings(max_examples=5, deadline=None)
@given(seeds)
def test_members_side_by_side_are_those_trained_alone(seed):
    pairs = [problem(seed), problem(seed + 1)]
    x, y = (torch.cat(parts) for parts in zip(*pairs, strict=True))
    setting = {"learning_rate": 0.1, "n_steps": 20, "record_at": [0, 20], "groups": y, "group_rate": 0.2}
    both = logistic_path(x, y, **setting)
    for i, (own_x, own_y) in enumerate(pairs):
        alone = logistic_path(own_x, own_y, **setting | {"groups": own_y})
        torch.testing.assert_close(both.weights[:, i], alone.weights[:, 0])


@settings(max_examples=5, deadline=None)
@given(seeds)
def test_equal_group_weights_are_ordinary_training_where_groups_are_equal(seed):
    x, y = problem(seed)
    groups = (torch.arange(60) % 4)[None]
    setting = {"learning_rate": 0.3, "n_steps": 30, "record_at": [30]}
    plain, grouped = logistic_path(x, y, **setting), logistic_path(x, y, groups=groups, **setting)
    torch.testing.assert_close(plain.weights, grouped.weights)


def test_robust_weights_raise_the_group_with_the_larger_loss():
    x = torch.tensor([[[1.0]] * 9 + [[-0.5]]])
    y = torch.ones(1, 10, dtype=torch.long)  # one example of ten contradicts the others
    groups = torch.tensor([[0] * 9 + [1]])
    setting = {"learning_rate": 0.1, "n_steps": 2000, "record_at": [2000]}
    plain = logistic_path(x, y, **setting).weights.item()
    balanced = logistic_path(x, y, groups=groups, **setting).weights.item()
    robust = logistic_path(x, y, groups=groups, group_rate=0.1, **setting).weights.item()
    assert plain > 2
    assert 0.7 < balanced < 0.9  # where 2 sigmoid(-w) = sigmoid(w / 2)
    assert abs(robust) < 0.1  # both groups lose alike at zero


def test_what_the_shift_explains_is_left_to_the_shift():
    x, y = problem(0)
    shift = 100.0 * (2 * y - 1).double()
    path = logistic_path(x, y, learning_rate=0.5, n_steps=50, record_at=[50], shift=shift)
    assert path.weights.abs().max() < 1e-6


def test_features_dealt_out_anew_are_not_learned():
    x, y = problem(1, n=400)
    setting = {"learning_rate": 0.3, "n_steps": 300, "record_at": [300]}
    kept = logistic_path(x, y, **setting).weights[0, 0]
    lost = logistic_path(x, y, reshuffled_from=0, **setting).weights[0, 0]
    assert kept[0] > 1 > 5 * lost.abs().max()


@settings(max_examples=10, deadline=None)
@given(seeds, st.floats(0.55, 0.95))
def test_the_calibrated_shift_is_the_log_odds_of_being_right(seed, share):
    generator = torch.Generator().manual_seed(seed)
    y = torch.randint(0, 2, (1, 40000), generator=generator)
    right = torch.rand(1, 40000, generator=generator) < share
    says = torch.where(right, y, 1 - y)
    shift = calibrated_shift(20.0 * (2 * says - 1).float(), y)
    expected = torch.tensor(share / (1 - share)).log()
    torch.testing.assert_close(shift[says == 1].mean(), expected, atol=0.25, rtol=0)
    torch.testing.assert_close(shift[says == 0].mean(), -expected, atol=0.25, rtol=0)


def test_held_out_predictions_do_not_know_labels_made_of_nothing():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1, 300, 600, generator=generator)
    y = torch.randint(0, 2, (1, 300), generator=generator)
    logits = held_out_logits(x, y, learning_rate=0.1, n_steps=200, seed=0, flipping=False)
    seen = torch.einsum(
        "mnf,mf->mn", x, logistic_path(x, y, learning_rate=0.1, n_steps=200, record_at=[200]).weights[0]
    )
    assert ((seen > 0) == (y == 1)).float().mean() == 1
    assert abs(((logits > 0) == (y == 1)).float().mean() - 0.5) < 0.1


def test_flipping_gives_up_the_examples_that_go_against_the_crowd():
    x = torch.ones(1, 1000, 1)  # all alike, and nine in ten have label 1
    y = (torch.arange(1000) % 10 > 0).long()[None]
    setting = {"learning_rate": 1.0, "n_steps": 1000, "seed": 0}
    kept, flipped = (held_out_logits(x, y, flipping=flipping, **setting) for flipping in (False, True))
    torch.testing.assert_close(kept.mean(), torch.tensor(9.0).log(), atol=0.1, rtol=0)
    assert flipped.min() > 2 * kept.max()


def test_everything_is_computed_where_the_inputs_are():
    x, y = torch.empty(2, 10, 3, device="meta"), torch.empty(2, 10, dtype=torch.long, device="meta")
    logits = held_out_logits(x, y, learning_rate=0.1, n_steps=2, seed=0)
    path = logistic_path(
        x,
        y,
        learning_rate=0.1,
        n_steps=2,
        record_at=[2],
        shift=calibrated_shift(logits, y),
        reshuffled_from=1,
    )
    assert path.weights.device.type == "meta"


def test_steps_are_recorded_in_the_order_asked_for_and_those_beyond_the_last_are_refused():
    x, y = problem(0)
    setting = {"learning_rate": 0.1, "n_steps": 5}
    there, back = (logistic_path(x, y, record_at=steps, **setting) for steps in ([0, 5], [5, 0]))
    assert torch.equal(there.weights, back.weights.flip(0))
    assert torch.equal(there.loss, back.loss.flip(0))
    with pytest.raises(KeyError, match="6"):
        logistic_path(x, y, record_at=[6], **setting)


@settings(max_examples=10, deadline=None)
@given(seeds, st.sampled_from([0.5, 0.8, 0.9]))
def test_the_cue_agrees_as_often_as_asked(seed, agreement):
    data = make_noisy_cue(noise=0.3, agreement=agreement, n_noise=2, n_train=500, n_test=500, seed=seed)
    for x, y, share in ((data.x_train, data.y_train, agreement), (data.x_test, data.y_test, 0.5)):
        assert ((x[:, 0] > 0) == (y == 1)).all()
        agrees = ((x[:, 1] > 0) == (y == 1)).float().mean()
        assert agrees == pytest.approx(share, abs=0.002)
        size = x[:, :2].abs()
        assert size.mean(0).tolist() == pytest.approx([1, 5], rel=0.05)
        assert (size.std(0) / torch.tensor([1.0, 5.0])).tolist() == pytest.approx([0.12, 0.12], rel=0.2)
        assert x[:, 2:].std().item() == pytest.approx(0.3, rel=0.15)


def test_impossible_agreement_is_refused():
    with pytest.raises(ValueError, match="agreement"):
        make_noisy_cue(noise=0.1, agreement=1.2, seed=0)
