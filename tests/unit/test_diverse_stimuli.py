"""Diverse images of units whose invariance is known; gratings."""

import math

import pytest
import torch

from ib_utils.data import gratings, make_gratings
from ib_utils.measures import diverse_stimuli, phase_coverage

WAVES = torch.linalg.qr(torch.randn(49, 2, generator=torch.Generator().manual_seed(0))).Q.T.view(1, 2, 7, 7)


def parts(x):
    return torch.einsum("uirc,uprc->uip", x, WAVES)


SEARCH = {"n_units": 1, "size": 7, "n_steps": 150, "seed": 0}


def test_a_unit_blind_to_phase_is_excited_by_all_phases_and_a_linear_one_by_one():
    energy, kept = diverse_stimuli(lambda x: parts(x).norm(dim=-1), diversity=0.2, **SEARCH)
    linear, _ = diverse_stimuli(lambda x: parts(x)[..., 0], diversity=0.2, **SEARCH)
    assert phase_coverage(energy, WAVES) > 0.7
    assert phase_coverage(linear, WAVES) < 0.05
    assert kept.mean() > 0.85


def test_without_the_second_term_every_image_reaches_the_maximum():
    images, kept = diverse_stimuli(lambda x: parts(x)[..., 0], diversity=0.0, **SEARCH)
    torch.testing.assert_close(images, WAVES[:, :1].expand(-1, 6, -1, -1), atol=0.02, rtol=0)
    assert kept.min() > 0.999
    torch.testing.assert_close(images.flatten(2).norm(dim=2), torch.ones(1, 6))


@pytest.mark.parametrize(("n", "expected"), [(1, 0.0), (2, 1.0), (3, 1.0)])
def test_evenly_spread_phases_cover_the_circle(n, expected):
    angle = 2 * math.pi * torch.arange(n) / n
    images = torch.einsum("ip,prc->irc", torch.stack([angle.cos(), angle.sin()], 1), WAVES[0])[None]
    assert phase_coverage(images, WAVES).item() == pytest.approx(expected, abs=1e-5)


def test_half_a_turn_of_phase_inverts_a_grating():
    wave = {"orientation": torch.tensor([0.3]), "frequency": torch.tensor([0.1])}
    there, back = (gratings(9, **wave, phase=torch.tensor([p])) for p in (0.5, 0.5 + math.pi))
    torch.testing.assert_close(there, -back, atol=1e-5, rtol=0)


def test_both_labels_come_with_the_same_images():
    by_orientation, by_phase = (
        make_gratings(label=label, n_train=40, n_test=10, seed=0) for label in ("orientation", "phase")
    )
    assert torch.equal(by_orientation.x_train, by_phase.x_train)
    assert not torch.equal(by_orientation.y_train, by_phase.y_train)
    with pytest.raises(ValueError, match="orientation"):
        make_gratings(label="colour", n_train=4, n_test=4, seed=0)
