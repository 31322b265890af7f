"""What every data set promises: balanced, disjoint, seeded draws and generators that leave no trace."""

import random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ib_utils.data import Dataset, load_digits, make_mnist1d

seeds = st.integers(0, 2**31)


def example(class_sizes=(5, 7, 9), n_test=6, shape=(2, 3)) -> Dataset:
    """Inputs that are all different, so that an example can be told by its first number."""
    y = torch.cat([torch.full((n,), label) for label, n in enumerate(class_sizes)])
    x = torch.arange(len(y) + n_test, dtype=torch.float32).reshape(-1, *[1] * len(shape)).expand(-1, *shape)
    x = x + 0.001 * torch.arange(int(np.prod(shape))).reshape(shape)
    y_test = torch.arange(n_test) % len(class_sizes)
    return Dataset(
        x[: len(y)],
        y,
        x[len(y) :],
        y_test,
        n_classes=len(class_sizes),
        name="toy",
        source="here",
        licence="none",
    )


def identities(x):
    return x.flatten(1)[:, 0].round().long().tolist()


sizes = st.lists(st.integers(1, 40), min_size=2, max_size=5).map(tuple)


@given(class_sizes=sizes, part=st.floats(0, 1), seed=seeds)
def test_a_subset_is_drawn_without_replacement_and_as_even_as_the_classes_allow(class_sizes, part, seed):
    data = example(class_sizes)
    n_train = round(data.n_classes + part * (data.n_train - data.n_classes))
    drawn = data.subset(n_train, seed=seed)
    counts = drawn.y_train.bincount(minlength=data.n_classes)
    assert drawn.n_train == n_train == len(set(identities(drawn.x_train)))
    assert drawn.x_test is data.x_test
    assert drawn.y_test is data.y_test
    assert torch.equal(drawn.y_train, data.y_train[identities(drawn.x_train)])
    for label, size in enumerate(class_sizes):  # one short of another only when the class is used up
        assert counts[label] == size or counts[label] >= counts.max() - 1


def test_the_classes_that_get_the_remainder_are_drawn_at_random():
    data = example((9, 9, 9, 9))
    favoured = torch.stack([data.subset(5, seed=seed).y_train.bincount() - 1 for seed in range(400)]).sum(0)
    assert favoured.sum() == 400
    assert favoured.min() > 65  # each 100 on average, with standard deviation 9


@given(small=st.integers(3, 21), large=st.integers(3, 21), seed=seeds)
def test_with_one_seed_smaller_subsets_lie_inside_larger_ones(small, large, seed):
    small, large = sorted((small, large))
    data = example()
    inner, outer = (identities(data.subset(n, seed=seed).x_train) for n in (small, large))
    assert set(inner) <= set(outer)


@given(class_sizes=sizes, part=st.floats(0, 1), seed=seeds)
def test_a_new_split_is_a_partition_with_every_class_in_proportion(class_sizes, part, seed):
    data = example(class_sizes)
    pool = data.n_train + data.n_test
    n_train = round(data.n_classes + part * (pool - 1 - data.n_classes))
    anew = data.resplit(n_train, seed=seed)
    assert anew.n_train == n_train
    assert sorted(identities(anew.x_train) + identities(anew.x_test)) == list(range(pool))
    labels = torch.cat([data.y_train, data.y_test])
    assert torch.equal(anew.y_train, labels[identities(anew.x_train)])
    assert torch.equal(anew.y_test, labels[identities(anew.x_test)])
    share = labels.bincount(minlength=data.n_classes) * n_train / pool
    assert (anew.y_train.bincount(minlength=data.n_classes) - share).abs().max() < 1


@given(fraction=st.floats(0.05, 0.8), seed=seeds)
def test_validation_splits_the_training_set_and_never_holds_a_test_example(fraction, seed):
    data = example((10, 10, 10))
    held_out = data.validation(fraction, seed=seed)
    assert held_out.n_test == round(fraction * data.n_train)
    assert sorted(identities(held_out.x_train) + identities(held_out.x_test)) == identities(data.x_train)


@given(seed=seeds, shape=st.sampled_from([(1, 7), (2, 3, 4), (6,)]))
def test_one_permutation_of_positions_serves_all_examples_and_keeps_channels_together(seed, shape):
    data = example(shape=shape)
    moved = data.permuted(seed=seed)
    start = min(2, len(shape))  # batch, channel, then positions
    columns, moved_columns = (d.x_train.flatten(start).flatten(0, -2).T for d in (data, moved))
    order = [int((columns == column).all(1).nonzero()) for column in moved_columns]  # a column is a position
    assert sorted(order) == list(range(len(columns)))
    for before, after in ((data.x_train, moved.x_train), (data.x_test, moved.x_test)):
        assert torch.equal(before.flatten(start)[..., order], after.flatten(start))
    assert moved.y_train is data.y_train


@pytest.mark.parametrize(
    "draw",
    [
        lambda d, seed: d.subset(9, seed=seed),
        lambda d, seed: d.resplit(9, seed=seed),
        lambda d, seed: d.permuted(seed=seed),
        lambda d, seed: d.validation(0.5, seed=seed),
    ],
)
def test_a_draw_depends_on_its_seed_alone(draw):
    data, state = example(), torch.get_rng_state()
    first, again, others = draw(data, 3), draw(data, 3), [draw(data, seed) for seed in range(4, 9)]
    assert torch.equal(first.x_train, again.x_train)
    assert any(not torch.equal(first.x_train, other.x_train) for other in others)
    assert torch.equal(state, torch.get_rng_state())


x, y = torch.zeros(4, 1, 2), torch.tensor([0, 1, 2, 0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x_train": x[:3]}, "x_train has 3 examples, but y_train has 4 labels"),
        ({"y_test": y[:2]}, "x_test has 4 examples, but y_test has 2 labels"),
        ({"x_train": x.long()}, "x_train is torch.int64"),
        ({"x_test": x[:, 0, 0]}, r"x_test has shape \(4,\)"),
        ({"y_train": y.float()}, "y_train is torch.float32"),
        ({"y_test": y[:, None]}, r"of shape \(4, 1\)"),
        ({"y_train": y + 1}, "labels from 1 to 3; with n_classes=3 they must lie in 0 to 2"),
        ({"y_test": y - 1}, "labels from -1 to 1"),
        ({"x_test": x[:0], "y_test": y[:0]}, "y_test is empty"),
        ({"x_test": torch.zeros(4, 1, 3)}, r"shape \(1, 2\), test inputs \(1, 3\)"),
        ({"n_classes": 5}, "n_train=4 is below the number of classes, 5"),
    ],
)
def test_parts_that_do_not_fit_are_refused_in_one_line(change, message):
    parts = {"x_train": x, "y_train": y, "x_test": x, "y_test": y, "n_classes": 3}
    with pytest.raises(ValueError, match=message) as error:
        Dataset(**parts | change, name="", source="", licence="")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda d: d.subset(22, seed=0), "n_train=22 must lie between 3 .* and 21"),
        (lambda d: d.subset(2, seed=0), "n_train=2 must lie between 3"),
        (lambda d: d.resplit(27, seed=0), "n_train=27 must lie between 3 .* and 26"),
        (lambda d: d.validation(1.0, seed=0), "fraction=1.0"),
        (lambda d: d.validation(0.99, seed=0), "n_train=0"),
        (lambda d: d.validation(0.001, seed=0), "n_train=21"),
    ],
)
def test_a_draw_of_impossible_size_is_refused(draw, message):
    with pytest.raises(ValueError, match=message):
        draw(example())


def test_a_data_set_says_what_it_is():
    assert repr(load_digits()) == (
        "UCI digits: 1,437 training and 360 test examples of shape (1, 8, 8), 10 classes\n"
        "  source:  Alpaydin & Kaynak (1998), doi:10.24432/C50P49, test part, as in scikit-learn\n"
        "  licence: CC BY 4.0\n"
        "  note:    training and test images share their 13 writers"
    )
    note = repr(example().resplit(9, seed=4).permuted(seed=5)).splitlines()[-1]
    assert note == "  note:    split anew with seed 4; positions permuted with seed 5"


def test_digits_are_scikit_learns_images_in_the_unit_interval():
    from sklearn.datasets import load_digits as original

    digits, bunch = load_digits(), original()
    x, y = torch.cat([digits.x_train, digits.x_test]), torch.cat([digits.y_train, digits.y_test])
    assert x.dtype == torch.float32
    assert (x.min(), x.max()) == (0, 1)
    ours = sorted((*(16 * image.flatten()).int().tolist(), label) for image, label in zip(x, y.tolist(), strict=True))
    theirs = sorted(
        (*row.astype(int).tolist(), int(label)) for row, label in zip(bunch.data, bunch.target, strict=True)
    )
    assert ours == theirs


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_draws_are_the_same_on_a_gpu():
    data = example()
    for draw in (lambda d: d.subset(9, seed=1), lambda d: d.resplit(9, seed=1), lambda d: d.permuted(seed=1)):
        there = draw(data.to("cuda"))
        assert there.x_train.device.type == "cuda"
        assert torch.equal(there.x_train.cpu(), draw(data).x_train)


@pytest.fixture(scope="module")
def mnist1d() -> Dataset:
    return make_mnist1d()


def test_mnist1d_with_seed_42_is_the_packages_data_set(mnist1d):
    from mnist1d.data import make_dataset

    theirs = make_dataset()
    for ours, key in ((mnist1d.x_train, "x"), (mnist1d.x_test, "x_test")):
        assert torch.equal(ours[:, 0], torch.from_numpy(theirs[key]).float())
    assert mnist1d.y_train.tolist() == theirs["y"].tolist()
    assert mnist1d.y_test.tolist() == theirs["y_test"].tolist()


def test_mnist1d_matches_frozen_values(mnist1d):
    frozen = [
        [-0.33201, 0.68308, 0.25411, 0.09806, -1.09349],
        [1.96548, 0.87434, 0.15974, -3.09943, 0.52527],
        [-0.01930, -1.55162, -0.34661, 0.93755, -0.07064],
    ]
    assert torch.allclose(mnist1d.x_train[:3, 0, ::8], torch.tensor(frozen), atol=1e-5)
    assert mnist1d.y_train[:12].tolist() == [2, 6, 4, 5, 6, 6, 6, 0, 3, 1, 6, 9]
    assert mnist1d.y_test[:5].tolist() == [2, 6, 3, 9, 4]


def test_mnist1d_is_standardised_over_all_signals(mnist1d):
    both = torch.cat([mnist1d.x_train, mnist1d.x_test]).double()
    assert abs(both.mean()) < 1e-6
    assert abs(both.std(correction=0) - 1) < 1e-6


def test_shuffled_mnist1d_is_the_plain_one_with_its_positions_permuted(mnist1d):
    shuffled = make_mnist1d(shuffled=True)
    assert torch.equal(shuffled.y_train, mnist1d.y_train)
    assert torch.equal(shuffled.y_test, mnist1d.y_test)
    plain, moved = mnist1d.x_train[:, 0].T, shuffled.x_train[:, 0].T  # a row a position
    order = torch.cdist(moved, plain, p=1).argmin(1)
    assert sorted(order.tolist()) == list(range(40))
    assert order.tolist() != list(range(40))
    assert torch.allclose(mnist1d.x_train[..., order], shuffled.x_train, atol=1e-6)
    assert torch.allclose(mnist1d.x_test[..., order], shuffled.x_test, atol=1e-6)


def test_two_seeds_give_two_mnist1d(mnist1d):
    assert not torch.equal(make_mnist1d(seed=1, n_samples=100).x_train, make_mnist1d(seed=2, n_samples=100).x_train)


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1), n_tens=st.integers(2, 9), shuffled=st.booleans())
def test_mnist1d_leaves_the_global_generators_alone(seed, n_tens, shuffled):
    np.random.seed(5)  # noqa: NPY002
    random.seed(5)
    expected = np.random.rand(), random.random()  # noqa: NPY002
    np.random.seed(5)  # noqa: NPY002
    random.seed(5)
    data = make_mnist1d(seed=seed, n_samples=10 * n_tens, shuffled=shuffled)
    assert (data.n_train, data.n_test) == (8 * n_tens, 2 * n_tens)
    assert (np.random.rand(), random.random()) == expected  # noqa: NPY002


@pytest.mark.parametrize("n_samples", [10, 55, -20])
def test_mnist1d_needs_whole_classes(n_samples):
    with pytest.raises(ValueError, match=f"n_samples={n_samples}"):
        make_mnist1d(n_samples=n_samples)


def test_moved_images_keep_their_content_and_land_everywhere_within_the_margin():
    digits = load_digits()
    moved, padded = digits.moved(2, margin=3, seed=0), digits.moved(0, margin=3, seed=0)
    for part in ("x_train", "x_test"):  # both parts move
        assert (getattr(moved, part) != getattr(padded, part)).flatten(1).any(1).float().mean() > 0.9
    assert moved.input_shape == (1, 14, 14)
    torch.testing.assert_close(moved.x_train.sum((1, 2, 3)), digits.x_train.sum((1, 2, 3)))
    places = set()
    for image, wide in zip(digits.x_train[:300], moved.x_train[:300], strict=True):
        found = [
            (i, j)
            for i in range(1, 6)
            for j in range(1, 6)
            if torch.equal(wide[:, i : i + 8, j : j + 8], image) and wide.sum() == image.sum()
        ]
        assert found
        places.add(found[0])
    assert len(places) == 25
    still = digits.moved(0, margin=1, seed=0)
    torch.testing.assert_close(still.x_test[:, :, 1:-1, 1:-1], digits.x_test)
    with pytest.raises(ValueError, match="max_shift=2 must lie between 0 and the margin, 1"):
        digits.moved(2, margin=1, seed=0)


def test_real_targets_are_kept_apart_from_labels():
    x, y = torch.randn(20, 3), torch.randn(20, 1)
    about = {"name": "line", "source": "here", "licence": "none"}
    line = Dataset(x[:15], y[:15], x[15:], y[15:], n_classes=0, **about)
    assert line.subset(5, seed=0).n_train == 5
    assert line.validation(0.2, seed=0).n_test == 3
    assert "real targets" in repr(line)
    with pytest.raises(ValueError, match="targets must be floating point"):
        Dataset(x, torch.ones(20, dtype=torch.long), x, y, n_classes=0, **about)


@given(st.floats(0, 1), st.integers(0, 10))
def test_label_noise_makes_that_share_of_the_training_labels_wrong_and_no_other(level, seed):
    digits = load_digits().subset(200, seed=0)
    noisy = digits.with_label_noise(level, seed=seed)
    wrong = (noisy.y_train != digits.y_train).sum().item()
    assert wrong == round(level * 200)
    assert noisy.x_train is digits.x_train
    assert noisy.y_test is digits.y_test
    assert torch.equal(noisy.y_train, digits.with_label_noise(level, seed=seed).y_train)


def test_label_noise_reaches_every_other_class_alike():
    y = torch.zeros(9000, dtype=torch.long)
    data = Dataset(torch.zeros(9000, 1), y, torch.zeros(1, 1), y[:1], 4, "zeros", "here", "none")
    counts = data.with_label_noise(1.0, seed=0).y_train.bincount(minlength=4)
    assert counts[0] == 0
    assert (counts[1:] - 3000).abs().max() < 200  # four standard deviations


def test_noise_on_real_targets_has_the_stated_standard_deviation():
    y = torch.zeros(20000, 1)
    data = Dataset(torch.zeros(20000, 1), y, torch.zeros(1, 1), y[:1], 0, "zeros", "here", "none")
    noisy = data.with_label_noise(0.3, seed=0)
    assert noisy.y_train.std().item() == pytest.approx(0.3, rel=0.03)
    with pytest.raises(ValueError, match="label noise must lie in 0 to 1"):
        data.with_label_noise(-0.1, seed=0)
