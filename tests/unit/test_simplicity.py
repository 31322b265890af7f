"""Slabs, clones, moments, discs, dominoes, fast and slow features: the data; and what is measured on them."""

import math
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mutual_info_score, roc_auc_score
from torch.distributions import Categorical, MixtureSameFamily, Normal
from torch.nn import functional as F

from ib_utils import training
from ib_utils.data import (
    Dataset,
    disc_images,
    feature_directions,
    gaussian_clone,
    has_fast_feature,
    load_digits,
    make_discs,
    make_dominoes,
    make_fast_slow,
    make_moments,
    make_slabs,
    patch_rotation,
    read_concepts,
    slab_edges,
    well_formed,
)
from ib_utils.data.moments import N_INFORMATIVE, STRENGTH
from ib_utils.measures import (
    area_under_curve,
    dealt_out_anew,
    explained_information,
    mutual_information,
    slow_examples,
    upsampled,
)
from ib_utils.models import CubicFilters, PromptedDenoiser, SievedMLP, add_noise, alignments, generate, sieve_loss
from ib_utils.models.denoiser import signal_and_noise

few = settings(max_examples=15, deadline=None)
seeds = st.integers(0, 1000)


# slabs


@given(st.sampled_from([2, 3, 5, 7]), st.floats(0.01, 0.16))
@few
def test_slabs_fill_the_range_with_gaps_of_two_margins(k, margin):
    edges = slab_edges(k, margin).double()
    assert float(edges[0, 0]) == pytest.approx(-1)
    assert float(edges[-1, 1]) == pytest.approx(1, abs=1e-5)
    torch.testing.assert_close(
        edges[1:, 0] - edges[:-1, 1], torch.full((k - 1,), 2 * margin, dtype=edges.dtype), rtol=0, atol=1e-5
    )


@given(st.sampled_from([2, 3, 5, 7]), seeds)
@few
def test_neighbouring_slabs_belong_to_different_classes_and_every_slab_is_used(k, seed):
    drawn = make_slabs([k], n_train=2000, seed=seed)
    x, y = drawn.x_train[:, 0, 0], drawn.y_train
    edges = slab_edges(k, 0.1)
    inside = (x[:, None] >= edges[:, 0]) & (x[:, None] <= edges[:, 1])
    assert inside.any(1).all()
    slab = inside.int().argmax(1)
    labels = [y[slab == i].unique().tolist() for i in range(k)]
    assert all(len(label) == 1 for label in labels)
    assert all(a != b for a, b in pairwise(labels))


def test_slab_coordinates_have_mean_zero_in_each_class_so_that_no_threshold_helps():
    drawn = make_slabs([3, 5, 7], n_train=40000, seed=0)
    for label in (0, 1):
        assert drawn.x_train[drawn.y_train == label, 0].mean(0).abs().max() < 0.015


def test_shares_of_the_inner_slabs_are_those_of_the_authors():
    drawn = make_slabs([5, 7], n_train=40000, seed=0)
    x, y = drawn.x_train[:, 0].abs(), drawn.y_train
    assert float((x[y == 0, 0] < 0.2).double().mean()) == pytest.approx(3 / 4, abs=0.01)
    assert float((x[y == 1, 1] < 0.6).double().mean()) == pytest.approx(7 / 8, abs=0.01)
    assert float((x[y == 0, 1] < 0.3).double().mean()) == pytest.approx(1 / 2, abs=0.01)


@given(st.floats(0, 1), seeds)
@few
def test_ambiguous_examples_lie_in_the_gap_of_the_first_coordinate(ambiguous, seed):
    drawn = make_slabs([2, 5], ambiguous=ambiguous, n_train=500, n_test=500, seed=seed)
    x = torch.cat([drawn.x_train, drawn.x_test])[:, 0]
    assert int((x[:, 0].abs() < 0.1).sum()) == pytest.approx(round(ambiguous * 1000), abs=1)
    assert (x[:, 1].abs() <= 1).all()


def test_ambiguous_values_fill_the_gap():
    x = make_slabs([2], ambiguous=1.0, margin=0.15, n_train=5000, seed=0).x_train
    assert 0.149 < x.abs().max() < 0.15
    assert float(x.std()) == pytest.approx(0.15 / 3**0.5, rel=0.03)


@pytest.mark.parametrize("bad", [{"n_slabs": [4]}, {"n_slabs": []}, {"margin": 0.2}, {"ambiguous": 1.5}])
def test_impossible_slabs_are_refused(bad):
    with pytest.raises(ValueError, match="must"):
        make_slabs(**{"n_slabs": [2], "n_train": 10, "seed": 0} | bad)


# clones and moments


def a_mixture(n: int = 6000) -> Dataset:
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(n) % 2
    mix = torch.tensor([[1.0, 0.8, 0, 0], [0, 1, 0, 0], [0, 0, 3, 0], [0, 0, -2, 1]])
    x = torch.randn(n, 4, generator=generator).exp() @ mix * (1.0 + y[:, None]) + y[:, None]
    return Dataset(x, y, x[:100], y[:100], n_classes=2, name="m", source="s", licence="l")


@pytest.mark.parametrize("keep", ["means", "covariances"])
def test_clones_keep_what_they_promise(keep):
    original = a_mixture()
    clone = gaussian_clone(original, keep, seed=1)
    assert torch.equal(clone.y_train, original.y_train)
    assert torch.equal(clone.x_test, original.x_test)
    for label in (0, 1):
        x, z = (d.x_train[d.y_train == label] for d in (original, clone))
        scale = float(x.std())
        torch.testing.assert_close(z.mean(0), x.mean(0), rtol=0, atol=0.15 * scale)
        wanted = x.T.cov() if keep == "covariances" else x.var(0).mean() * torch.eye(4)
        torch.testing.assert_close(z.T.cov(), wanted, rtol=0.1, atol=0.12 * scale**2)
        kurtosis = (((z - z.mean(0)) / z.std(0)) ** 4).mean(0)
        torch.testing.assert_close(kurtosis, torch.full((4,), 3.0), rtol=0, atol=0.4)


def test_a_cloned_test_set_follows_the_training_statistics_and_bad_clones_are_refused():
    clone = gaussian_clone(a_mixture(), "covariances", test=True, seed=1)
    assert not torch.equal(clone.x_test, a_mixture().x_test)
    with pytest.raises(ValueError, match="must be"):
        gaussian_clone(a_mixture(), "medians", seed=0)
    with pytest.raises(ValueError, match="needs two"):
        gaussian_clone(a_mixture(3), "means", seed=0)
    with pytest.raises(ValueError, match="real targets"):
        gaussian_clone(make_discs(colour_separation=0.5, size_separation=1.0, n_train=9, seed=0), "means", seed=0)


def test_a_single_coordinate_can_be_cloned():
    original = a_mixture(4000)
    single = replace(original, x_train=original.x_train[:, :1], x_test=original.x_test[:, :1])
    clone = gaussian_clone(single, "covariances", seed=0)
    for label in (0, 1):
        x, z = (d.x_train[d.y_train == label] for d in (single, clone))
        assert float(z.std() / x.std()) == pytest.approx(1, abs=0.06)


def densities(order: int) -> tuple[torch.distributions.Distribution, torch.distributions.Distribution]:
    """Of an informative coordinate in class 0 and in class 1, before the rotation."""
    strength = STRENGTH[order]
    if order == 1:
        return Normal(-strength / 2, 1.0), Normal(strength / 2, 1.0)
    if order == 2:
        return Normal(0.0, strength**-0.5), Normal(0.0, strength**0.5)
    centres = torch.tensor([-1.0, 1.0]) * math.sqrt(1 - strength**2)
    return Normal(0.0, 1.0), MixtureSameFamily(Categorical(torch.ones(2)), Normal(centres, strength))


@pytest.mark.parametrize("order", [1, 2, 4])
def test_all_three_tasks_have_the_densities_they_say_and_the_same_best_accuracy(order):
    drawn = make_moments(order, n_coordinates=6, n_train=60000, seed=0)
    rotation = patch_rotation("whole", n_patches=6, patch_size=1, seed=0).float()
    x = (drawn.x_train[:, 0] @ rotation)[:, :N_INFORMATIVE]  # turned back
    zero, one = (density.log_prob(x).sum(1) for density in densities(order))
    assert float(((one > zero) == drawn.y_train).double().mean()) == pytest.approx(0.961, abs=0.003)
    for label, density in enumerate(densities(order)):
        share = float((x[drawn.y_train == label] < 0.5).double().mean())
        cdf = density.cdf(torch.tensor(0.5))
        assert share == pytest.approx(float(cdf), abs=0.006)


@pytest.mark.parametrize("order", [1, 2, 4])
def test_classes_agree_in_all_moments_below_the_order(order):
    drawn = make_moments(order, n_train=60000, seed=3)
    zero, one = (drawn.x_train[drawn.y_train == label, 0] for label in (0, 1))
    apart = float((zero.mean(0) - one.mean(0)).norm())
    assert apart == pytest.approx(1.759 * 2 if order == 1 else 0, abs=0.06)
    covariances = (zero.T.cov() - one.T.cov()).abs().max()
    assert (covariances > 0.3) == (order == 2)
    turned = [(x - x.mean(0)).pow(4).sum(1).mean() for x in (zero, one)]
    assert order != 4 or turned[0] - turned[1] > 1


def test_unknown_moments_are_refused():
    with pytest.raises(ValueError, match="order"):
        make_moments(3, n_train=10, seed=0)
    with pytest.raises(ValueError, match="at least"):
        make_moments(1, n_coordinates=3, n_train=10, seed=0)


# reliance and explained information


@given(st.integers(2, 60), seeds)
@few
def test_the_area_is_that_of_scikit_learn(n, seed):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randint(0, 8, (3, n), generator=generator).double()
    labels = torch.arange(n) % 2
    expected = [roc_auc_score(labels, own) for own in scores]
    torch.testing.assert_close(area_under_curve(scores, labels), torch.tensor(expected, dtype=torch.float64))


def test_whole_numbers_have_an_area_too_and_scores_that_are_no_numbers_have_none():
    labels = torch.tensor([0, 1, 0, 1])
    assert area_under_curve(torch.tensor([0, 0, 0, 1]), labels).item() == pytest.approx(0.75)
    areas = area_under_curve(torch.tensor([[0.0, 1, 0, 1], [0, 1, math.nan, 1]]), labels)
    assert areas[0] == 1
    assert areas[1].isnan()


def test_a_single_class_has_no_area():
    with pytest.raises(ValueError, match="both classes"):
        area_under_curve(torch.zeros(3), torch.zeros(3, dtype=torch.long))


@given(seeds)
@few
def test_dealing_out_keeps_each_block_and_breaks_their_relation(seed):
    x = torch.randn(200, 1, 1, generator=torch.Generator().manual_seed(seed)).expand(-1, 1, 4).clone()
    new = dealt_out_anew(x, [1, 2], seed=seed)
    assert torch.equal(new[..., [0, 3]], x[..., [0, 3]])
    assert torch.equal(new[..., 1], new[..., 2])  # a block moves as one
    assert torch.equal(new[..., 1].sort(0).values, x[..., 1].sort(0).values)
    assert abs(float(torch.corrcoef(new[:, 0, :2].T)[0, 1])) < 0.3


@given(seeds)
@few
def test_information_is_that_of_scikit_learn_in_bits(seed):
    a, b = torch.randint(0, 4, (2, 100), generator=torch.Generator().manual_seed(seed))
    expected = pytest.approx(mutual_info_score(a, b) / math.log(2), abs=1e-10)
    assert mutual_information(a, b) == expected
    assert mutual_information(a, 2 * b - 5) == expected  # whatever integers stand for the classes


def test_what_two_know_together_alone_counts_against_the_simpler_one():
    f, simple = torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 0, 1])
    assert explained_information(f, simple, f ^ simple) == pytest.approx(-1)


@given(seeds)
@few
def test_a_classifier_explains_itself_and_a_constant_explains_nothing(seed):
    f, y, other = torch.randint(0, 2, (3, 200), generator=torch.Generator().manual_seed(seed))
    assert explained_information(f, f, y) == pytest.approx(mutual_information(f, y), abs=1e-10)
    assert explained_information(f, torch.zeros_like(f), y) == pytest.approx(0, abs=1e-10)
    both = explained_information(f, other, y)  # I(F;Y) - I(F;Y|L) is symmetric in F and L
    assert both == pytest.approx(explained_information(other, f, y), abs=1e-10)
    assert both <= mutual_information(other, y) + 1e-10


# discs and the diffusion model


@given(st.floats(0.1, 1), st.floats(0.2, 2), st.sampled_from([-1.0, 1.0]), st.sampled_from([-1.0, 1.0]))
@few
def test_concepts_are_read_as_they_were_drawn(apart, size_apart, colour, size):
    image = disc_images(torch.tensor([colour * apart / 2]), torch.tensor([2.3 - size * size_apart / 2])).flatten(1)
    read = read_concepts(image, colour_separation=apart, size_separation=size_apart)
    torch.testing.assert_close(read, torch.tensor([[colour, size]]), rtol=0, atol=1e-3)
    assert well_formed(image).all()


def test_concepts_without_a_scale_cannot_be_read():
    image = disc_images(torch.zeros(1), torch.tensor([2.0])).flatten(1)
    for scale in (
        {"colour_separation": 0.0, "size_separation": 1.0},
        {"colour_separation": 0.5, "size_separation": 0.0},
    ):
        with pytest.raises(ValueError, match="separations must be positive"):
            read_concepts(image, **scale)


@given(st.floats(0.15, 1), st.sampled_from([-1.0, 1.0]))
def test_size_of_a_disc_does_not_depend_on_its_brightness(brightness, size):
    image = brightness * disc_images(torch.zeros(1), torch.tensor([2.3 - size / 2])).flatten(1)
    read = read_concepts(image, colour_separation=0.5, size_separation=1.0)
    torch.testing.assert_close(read[:, 1], torch.tensor([size]), rtol=0, atol=1e-3)


def test_the_unseen_combination_is_unseen_and_prompts_do_not_tell_the_separation():
    strong, weak = (make_discs(colour_separation=c, size_separation=1.0, n_train=90, seed=0) for c in (0.8, 0.1))
    prompts = strong.x_train[:, -3:-1]
    assert torch.equal(prompts, weak.x_train[:, -3:-1])
    assert not (prompts == 1).all(1).any()
    assert (strong.x_test[:, -3:-1] == 1).all()
    assert torch.equal(strong.x_train[:, :-3], strong.y_train)
    with pytest.raises(ValueError, match="must lie"):
        make_discs(colour_separation=2.0, size_separation=1.0, n_train=9, seed=0)


def test_discs_show_what_their_prompts_say_up_to_a_jitter_of_the_width_asked_for():
    separations = {"colour_separation": 0.4, "size_separation": 1.0}
    for jitter in (0.0, 0.1):
        drawn = make_discs(**separations, n_train=3000, jitter=jitter, seed=0)
        off = read_concepts(drawn.y_train, **separations) - drawn.x_train[:, -3:-1]
        assert float(off[:, 0].std()) == pytest.approx(0.25 * jitter / 0.2, rel=0.05, abs=1e-4)
        assert float(off[:, 1].std()) == pytest.approx(0.5 * jitter / 0.5, rel=0.1, abs=1e-4)


@given(st.floats(0, 1))
@few
def test_signal_and_noise_have_unit_power(level):
    signal, noise = signal_and_noise(torch.tensor(level, dtype=torch.float64))
    assert float(signal**2 + noise**2) == pytest.approx(1)


def test_noise_goes_into_the_image_alone_and_its_level_into_the_last_place():
    x = torch.cat([torch.full((5000, 4), 3.0), torch.full((5000, 2), 7.0), torch.zeros(5000, 1)], 1)
    noisy = add_noise(x, torch.Generator().manual_seed(0), n_pixels=4)
    assert (noisy[:, 4:6] == 7).all()
    signal, noise = signal_and_noise(noisy[:, -1:])
    standardised = (noisy[:, :4] - 3 * signal) / noise
    assert float(standardised.mean()) == pytest.approx(0, abs=0.03)
    assert float(standardised.std()) == pytest.approx(1, abs=0.03)


def test_a_denoiser_that_knows_the_image_draws_it_whatever_the_noise():
    network = PromptedDenoiser(4, 2, 8)
    image = torch.tensor([0.1, 0.2, 0.3, 0.4])
    with torch.no_grad():
        network.head.weight.zero_()
        network.head.bias.copy_(image)
    stacked = {name: torch.stack([p.detach()] * 3) for name, p in network.named_parameters()}
    drawn = generate(network, stacked, torch.zeros(5, 2), n_steps=4, seed=0)
    torch.testing.assert_close(drawn, image.expand(3, 5, 4), rtol=0, atol=1e-5)


class GaussianDenoiser(PromptedDenoiser):
    """The best guess of a clean image whose pixels are normal with standard deviation 3."""

    def forward(self, x):
        signal, noise = signal_and_noise(x[:, -1:])
        return 9 * signal / (9 * signal**2 + noise**2) * x[:, : self.n_pixels]


def test_the_best_denoiser_of_a_gaussian_stretches_noise_to_its_width():
    network = GaussianDenoiser(4, 2, 8)
    stacked = {name: p.detach()[None] for name, p in network.named_parameters()}
    drawn = generate(network, stacked, torch.zeros(5, 2), n_steps=300, seed=0)[0]
    noise = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(drawn, 3 * noise, rtol=0.02, atol=1e-3)


# fast and slow features, early clusters


def test_fast_features_are_where_they_are_said_to_be():
    drawn = make_fast_slow(noise=0.7, fast_share=0.75, patch_size=400, n_train=400, seed=0)
    features = feature_directions(400, seed=0)
    torch.testing.assert_close(features @ features.T, torch.eye(2), rtol=0, atol=1e-5)
    sign = 2.0 * drawn.y_train - 1
    assert int(has_fast_feature(drawn.x_train).sum()) == 300
    torch.testing.assert_close(drawn.x_train[:, 0] @ features[0], 0.2 * sign, rtol=0, atol=1e-5)
    fast = drawn.x_train[:, 1] @ features[1]
    torch.testing.assert_close(fast, sign * has_fast_feature(drawn.x_train), rtol=0, atol=1e-5)
    assert float(drawn.x_train[:, 2].norm(dim=1).mean()) == pytest.approx(0.7, abs=0.01)
    with pytest.raises(ValueError, match="fast_share"):
        make_fast_slow(noise=0.7, fast_share=2, n_train=4, seed=0)


@given(st.floats(-2, 2))
@few
def test_cubic_filters_are_homogeneous_of_degree_three(factor):
    network = CubicFilters(5, 3)
    x = torch.randn(4, 3, 5, generator=torch.Generator().manual_seed(0))
    before = network(x)
    with torch.no_grad():
        network.filters *= factor
    torch.testing.assert_close(network(x), factor**3 * before, rtol=1e-3, atol=1e-6)


def test_cubic_filters_score_class_one_by_the_sum_of_their_cubes():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = CubicFilters(50, 2000, scale=0.3)
    assert float(network.filters.detach().square().sum(1).mean().sqrt()) == pytest.approx(0.3, rel=0.02)
    x = torch.randn(4, 3, 50, generator=torch.Generator().manual_seed(1))
    f = torch.einsum("nps,js->npj", x, network.filters).pow(3).sum((1, 2))
    torch.testing.assert_close(network(x), torch.stack([-f, f], 1) / 2, rtol=1e-3, atol=1e-4)


def test_alignment_is_that_of_the_best_filter():
    filters = torch.tensor([[[1.0, 0.0], [0.5, -3.0]]])
    torch.testing.assert_close(alignments({"filters": filters}, torch.eye(2)[None]), torch.tensor([[1.0, 0.0]]))


@given(seeds)
@few
def test_clusters_that_are_apart_are_found_and_the_one_of_higher_loss_is_marked(seed):
    generator = torch.Generator().manual_seed(seed)
    y = torch.randint(0, 2, (60,), generator=generator)
    slow = torch.rand(60, generator=generator) < 0.3
    slow[:4] = torch.tensor([True, True, False, False])
    y[:4] = torch.tensor([0, 1, 0, 1])
    margin = torch.where(slow, 0.1, 4.0) + 0.01 * torch.rand(60, generator=generator)
    scores = torch.stack([-margin, margin], 1) * (2.0 * y - 1)[:, None]
    assert torch.equal(slow_examples(scores, y, seed=seed), slow)


def test_outputs_that_do_not_differ_have_no_slower_half():
    assert not slow_examples(torch.zeros(6, 2), torch.tensor([0, 1] * 3), seed=0).any()


def test_upsampling_leaves_the_test_set_alone():
    digits = load_digits()
    more = upsampled(digits, digits.y_train == 3)
    assert more.x_test is digits.x_test
    assert (more.y_train[digits.n_train :] == 3).all()


# dominoes and the sieve


@given(st.sampled_from([0.5, 0.8, 1.0]), st.sampled_from(["lower", "upper"]), seeds)
@few
def test_halves_agree_exactly_as_often_as_asked_for(agreement, decides, seed):
    digits = load_digits()
    drawn = make_dominoes(
        digits, agreement=agreement, test_agreement=0.75, decides=decides, n_train=100, n_test=40, seed=seed
    )
    for images, labels, x, y, n_agree in (
        (digits.x_train, digits.y_train, drawn.x_train, drawn.y_train, round(100 * agreement)),
        (digits.x_test, digits.y_test, drawn.x_test, drawn.y_test, 30),
    ):
        known = {image.numpy().tobytes(): int(label) for image, label in zip(images, labels, strict=True)}
        upper, lower = (
            torch.tensor([known[half.contiguous().numpy().tobytes()] for half in halves]) for halves in x.split(8, 2)
        )
        assert set(upper.tolist()) <= {0, 1}
        assert lower.min() > 1
        says = {"upper": upper, "lower": lower % 2}
        assert torch.equal(says[decides], y)
        assert int((says["upper"] == says["lower"]).sum()) == n_agree


def test_a_negative_tie_is_refused():
    with pytest.raises(ValueError, match="must lie"):
        make_dominoes(load_digits(), agreement=0.2, n_train=10, n_test=10, seed=0)


def sieve_gradients(forgetting: float, shuffled: bool = False) -> dict[str, torch.Tensor]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = SievedMLP((6,), [5, 4], 2, position=1)
    generator = torch.Generator().manual_seed(1)
    x, y = torch.randn(20, 6, generator=generator), torch.randint(0, 2, (20,), generator=generator)
    sieve_loss(network(x), y, forgetting=forgetting, shuffled=shuffled).backward()
    return {name: p.grad.clone() for name, p in network.named_parameters()}


def test_forgetting_moves_the_layers_up_to_the_head_and_nothing_else():
    without, with_it = sieve_gradients(0.0), sieve_gradients(2.0)
    for name in without:
        assert torch.equal(without[name], with_it[name]) != name.startswith("hidden.0"), name


def test_the_head_learns_labels_and_leaves_the_network_alone():
    right, shuffled = sieve_gradients(0.0), sieve_gradients(0.0, shuffled=True)
    for name in right:
        assert torch.equal(right[name], shuffled[name]) != name.startswith("auxiliary"), name


def test_without_forgetting_the_sieve_is_ordinary_training():
    digits = load_digits().subset(100, seed=0)
    dominoes = make_dominoes(digits, agreement=1.0, n_train=50, n_test=10, seed=0)
    build = partial(SievedMLP, (1, 16, 8), [8, 8], 2, position=1)
    settings_ = {"seeds": [0], "n_steps": 20, "optimizer": "sgd", "learning_rate": 0.1, "batch_size": 10}
    ordinary = training.train(build, dominoes, loss=lambda o, y: F.cross_entropy(o[:, :2], y), **settings_)
    sieved = training.train(build, dominoes, loss=partial(sieve_loss, forgetting=0.0), **settings_)
    a, b = (run.outputs(dominoes.x_test)[0][:, :2] for run in (ordinary, sieved))
    torch.testing.assert_close(a, b, rtol=0, atol=1e-5)


def test_a_sure_head_is_pulled_to_equal_chances():
    outputs = torch.zeros(4, 6)
    unsure = sieve_loss(outputs, torch.zeros(4, dtype=torch.long), forgetting=1.0)
    outputs[:, 4] = 5.0
    assert sieve_loss(outputs, torch.zeros(4, dtype=torch.long), forgetting=1.0) > unsure
    assert float(unsure) == pytest.approx(3 * math.log(2), abs=1e-5)


def test_a_position_outside_the_network_is_refused():
    with pytest.raises(ValueError, match="position"):
        SievedMLP((6,), [5], 2, position=2)


def test_no_draw_touches_the_global_generator():
    before = torch.random.get_rng_state()
    numpy_before = np.random.get_state()[1].copy()  # noqa: NPY002
    make_slabs([2, 3], n_train=10, seed=0)
    make_moments(4, n_train=10, seed=0)
    make_discs(colour_separation=0.5, size_separation=1.0, n_train=9, seed=0)
    make_fast_slow(noise=1.0, n_train=10, seed=0)
    gaussian_clone(a_mixture(100), "covariances", seed=0)
    make_dominoes(load_digits(), agreement=0.9, n_train=9, n_test=9, seed=0)
    slow_examples(torch.arange(12.0).view(6, 2) ** 2, torch.tensor([0, 1] * 3), seed=0)
    assert torch.equal(before, torch.random.get_rng_state())
    assert (numpy_before == np.random.get_state()[1]).all()  # noqa: NPY002
