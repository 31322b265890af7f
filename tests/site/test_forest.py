"""The forest plot's unit: what is drawn right of the edge holds, left of it fails, across it is undecided."""

from __future__ import annotations

import math
import random
import re
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ib_utils import atlas, claims
from ib_utils.site import forest, pages

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "locality-weight-sharing.ipynb"
VALUES = st.floats(-100, 100)
WIDTHS = st.floats(0.01, 100)


def record(value, interval, edges, *, paper=None):
    """A judged claim with these edges, and its verdict from the definition."""
    (low, high), (lower, upper) = interval, edges
    lower, upper = -math.inf if lower is None else lower, math.inf if upper is None else upper
    inside, outside = lower < low and high < upper, high < lower or upper < low
    return {
        "kind": "direction",
        "estimate": value,
        "interval": list(interval),
        "edges": list(edges),
        "published": None if paper is None else {"value": paper},
        "verdict": "holds" if inside else "fails" if outside else "undecided",
        "margin": 1.0,
    }


@given(VALUES, WIDTHS, WIDTHS, VALUES, WIDTHS, st.sampled_from(["below", "above", "both"]))
def test_side_of_the_edge_is_the_verdict(value, below, above, edge, width, sides):
    edges = {"below": (edge, None), "above": (None, edge), "both": (edge, edge + width)}[sides]
    interval = (value - below, value + above)
    assume(all(abs(x - e) > 1e-6 for x in (value, *interval) for e in edges if e is not None))
    claim = record(value, interval, edges)
    place = forest.position(claim)
    assert place.low <= place.estimate <= place.high
    if place.far is None or claim["verdict"] == "fails":
        sides = {"holds": place.low > 0, "fails": place.high < 0, "undecided": place.low < 0 < place.high}
        assert sides[claim["verdict"]]
    else:
        assert (place.low > 0 and place.high < place.far) == (claim["verdict"] == "holds")


@pytest.mark.parametrize("sign", [-1, 1])
def test_an_interval_that_is_open_on_the_far_side_runs_to_the_end_of_the_axis(sign):
    claim = record(3 * sign, sorted((2 * sign, math.inf * sign)), (0.0, None) if sign > 0 else (None, 0.0))
    claim["interval"] = [None if math.isinf(end) else end for end in claim["interval"]]  # as it is stored
    place = forest.position(claim)
    assert (place.low, place.estimate, place.high) == (2, 3, math.inf)
    assert 'x2="100' in forest._shapes(place, filled=True)


@given(VALUES, WIDTHS, st.floats(-100, 100), WIDTHS)
def test_unit_is_the_half_width_and_does_not_matter(value, half, paper, scale):
    assume(abs(value) > 1e-3)
    first = forest.position(record(value, (value - half, value + half), (0.0, None), paper=paper))
    assert first.high - first.low == pytest.approx(2)
    value, half, paper = scale * value, scale * half, scale * paper
    again = forest.position(record(value, (value - half, value + half), (0.0, None), paper=paper))
    assert (again.estimate, again.paper) == (pytest.approx(first.estimate), pytest.approx(first.paper))


@pytest.mark.parametrize("notebook", sorted(NOTEBOOK.parent.glob("*.ipynb")), ids=lambda path: path.stem)
def test_dot_stands_at_the_stored_margin(notebook):
    stored = claims.from_notebook(notebook)
    judged = [claim for claim in stored if claim["margin"] is not None]
    assert judged
    for claim in judged:
        assert forest.position(claim).estimate == pytest.approx(claim["margin"])
    for claim in stored:
        assert (forest.position(claim) is None) == (claim["margin"] is None)


@given(st.floats(-1, 1), st.floats(1.5, 3), st.floats(0.01, 1))
def test_a_null_stands_between_two_edges_with_the_papers_figure_in_the_same_unit(effect, bound, half):
    parts = [{"estimate": bound + sign * effect} for sign in (-1, 1)]
    for part in parts:
        part["interval"] = [part["estimate"] - half, part["estimate"] + half]
    claim = record(effect, (effect - half, effect + half), (-bound, bound), paper=effect)
    place = forest.position({**claim, "kind": "null", "parts": parts})
    assert place.estimate == pytest.approx((bound - abs(effect)) / half)
    assert place.paper == pytest.approx(place.estimate)  # the paper found the same
    assert place.far == pytest.approx(2 * bound / half)


def test_axis_rises_and_ends_at_its_range():
    places = [forest.percent(x / 10) for x in range(-100, 501)]
    assert places == sorted(places)
    assert (places[0], places[-1]) == (0, 100)
    assert forest.percent(1e9) == 100


def test_margin_beyond_the_axis_is_an_arrow():
    for value, arrow in ((1e6, "▸"), (-1e6, "◂")):
        claim = next(c for c in claims.from_notebook(NOTEBOOK) if c["kind"] == "direction" and c["margin"])
        html = forest.line({**claim, "estimate": value, "interval": [value - 1, value + 1]})
        assert arrow in html
        assert "<circle" not in html


def test_robust_is_filled_and_fragile_is_hollow():
    for claim in claims.from_notebook(NOTEBOOK):
        if claim["margin"] is not None:
            assert ('class="f"' in forest.line(claim)) == (claim["robust"] == "robust")


def test_four_hundred_claims_stay_light():
    draw = random.Random(0)
    judged = [claim for claim in claims.from_notebook(NOTEBOOK) if claim["margin"] is not None]
    names = list(atlas.chapters())
    book = [
        pages.Chapter(
            name,
            name,
            f"../notebooks/{name}.html",
            [{**draw.choice(judged), "id": f"a-claim-with-a-long-name-{i}"} for i in range(8)],
        )
        for name in (names * 50)[:50]
    ]
    plot = pages.render_forest(book)
    assert len(re.findall(r'<svg role="img"', plot)) == 400
    assert plot.count("<title>") == 400
    assert len(plot.encode()) + sum(len(pages.render_chapter(chapter).encode()) for chapter in book) < 1_000_000
