"""The forest plot: a line a claim, all in one unit, so that hundreds can be read at a glance.

Every claim is drawn in half-widths of its own 95 % interval, counted from the edge that decides its verdict and
positive on the side where the claim holds. The estimate then stands at the claim's margin.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

from ib_utils.claims import words

Record = dict[str, Any]
RANGE = (-10.0, 50.0)  # half-widths; what lies beyond is drawn as an arrow
TICKS = (-10, -2, 0, 2, 10, 50)
HEIGHT = 20


@dataclass(frozen=True)
class Position:
    """A claim in half-widths from its deciding edge; None where there is nothing on that side."""

    estimate: float
    low: float
    high: float
    paper: float | None
    far: float | None  # the other edge


def position(record: Record) -> Position | None:
    """Where a claim stands, or None for one that has no margin (not judged, an identity, an open interval)."""
    if record["verdict"] is None or record["margin"] is None:
        return None
    found = list(_from_each_edge(record))
    return min(found, key=lambda p: p.estimate) if found else None


def _from_each_edge(record: Record) -> Iterator[Position]:
    paper = record["published"] and record["published"]["value"]
    if record["kind"] in ("order", "optimum", "curve", "null"):  # decided by the parts: each has to lie above 0
        bound = record["edges"][1] if record["kind"] == "null" else None
        for part, sign in zip(record["parts"], (-1, 1) if bound else [0] * len(record["parts"]), strict=True):
            figure = None if bound is None or paper is None else bound + sign * paper
            far = None if bound is None else 2 * bound
            yield _scaled(part["estimate"], part["interval"], figure, edge=0.0, inwards=1, far=far)
        return
    low, high = record["edges"]
    for edge, far, inwards in ((low, high, 1), (high, low, -1)):
        if edge is not None:
            yield _scaled(record["estimate"], record["interval"], paper, edge=edge, inwards=inwards, far=far)


def _scaled(
    value: float, interval: list[float | None], paper: float | None, *, edge: float, inwards: int, far: float | None
) -> Position:
    ends = [open_end if end is None else end for end, open_end in zip(interval, (-math.inf, math.inf), strict=True)]
    gap = inwards * (value - edge)
    towards = ends[0] if (gap > 0) == (inwards > 0) else ends[1]  # the end that faces the edge
    half = abs(value - towards)

    def scale(x: float) -> float:
        return inwards * (x - edge) / half

    low, high = sorted(map(scale, ends))
    return Position(gap / half, low, high, None if paper is None else scale(paper), None if far is None else scale(far))


def percent(half_widths: float) -> float:
    """Place on the axis: logarithmic away from the edge, from 0 to 100 over ``RANGE``."""
    left, right = map(_compressed, RANGE)
    return round(100 * (_compressed(min(max(half_widths, RANGE[0]), RANGE[1])) - left) / (right - left), 1)


def _compressed(x: float) -> float:
    return math.copysign(math.log1p(abs(x)), x)


def line(record: Record) -> str:
    """One claim's SVG: where it has to lie shaded, interval, estimate, the paper's figure as a tick."""
    place = position(record)
    shapes = "" if place is None else _shapes(place, filled=record["robust"] == "robust")
    empty = "" if shapes else ' class="ib-empty"'
    return f'<svg{empty} role="img" height="{HEIGHT}"><title>{escape(_title(record))}</title>{shapes}</svg>'


def _shapes(place: Position, *, filled: bool) -> str:
    middle, zero = HEIGHT // 2, percent(0)
    end = 100.0 if place.far is None else percent(place.far)
    shapes = f'<rect x="{zero}%" width="{end - zero:.1f}%" height="{HEIGHT}"/>'
    if place.paper is not None:
        x = percent(place.paper)
        shapes += f'<line class="p" x1="{x}%" x2="{x}%" y1="3" y2="{HEIGHT - 3}"/>'
    shapes += f'<line x1="{percent(place.low)}%" x2="{percent(place.high)}%" y1="{middle}" y2="{middle}"/>'
    if RANGE[0] <= place.estimate <= RANGE[1]:
        mark = ' class="f"' if filled else ""
        return shapes + f'<circle{mark} cx="{percent(place.estimate)}%" cy="{middle}" r="4"/>'
    side, anchor, arrow = (0, "start", "◂") if place.estimate < 0 else (100, "end", "▸")
    return shapes + f'<text x="{side}%" y="{middle + 5}" text-anchor="{anchor}">{arrow}</text>'


def _title(record: Record) -> str:
    """The same in words."""
    facts = [record["verdict"] or "not judged", record["robust"], words.estimate(record)]
    if record["margin"] is not None:
        facts.append(f"margin {words.number(record['margin'], 'number', 1)}")
    if record["published"] and record["published"]["value"] is not None:
        facts.append(f"paper {words.published(record).split(' (')[0].split(';')[0]}")
    return "; ".join(filter(None, facts))


def grid() -> str:
    """The lines of the axis as a CSS background."""
    lines = []
    for tick in TICKS:
        x, colour = percent(tick), "var(--ib-edge)" if tick == 0 else "var(--ib-grid)"
        x = min(max(x, 0.1), 99.9)
        lines.append(
            f"linear-gradient(90deg,transparent calc({x}% - .5px),{colour} calc({x}% - .5px),"
            f"{colour} calc({x}% + .5px),transparent calc({x}% + .5px))"
        )
    return ",".join(lines)
