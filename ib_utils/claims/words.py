"""A claim's record in words: numbers in the reader's unit, with the digits that their interval supports."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

Record = Mapping[str, Any]  # the JSON object of one checked claim


def number(value: float, shown_as: str, decimals: int | None = None, *, unit: bool = True) -> str:
    """A value in its reader's unit: "26.0 points", "92.3 %", "1.8×"; four digits if no decimals are given."""
    shown = _displayed(value, shown_as)
    text = f"{shown:.4g}" if decimals is None else f"{shown:.{decimals}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    suffix = {"percent": " %", "points": " points", "factor": "×"}.get(shown_as, "") if unit else ""
    return text.replace("-", "−") + suffix


def estimate(record: Record) -> str:
    """Estimate and interval, with as many digits as the interval supports: "1.8× [1.5, 2.2]"."""
    if record["n"] == 0:
        return "not estimated in this run"
    shown_as, value, (low, high) = record["shown_as"], record["estimate"], record["interval"]
    decimals = _decimals(value, low, high, shown_as)
    ends = [
        "−∞" if low is None else number(low, shown_as, decimals, unit=False),
        "∞" if high is None else number(high, shown_as, decimals, unit=False),
    ]
    if value is None:
        beyond = "above" if low is not None else "below" if high is not None else "beyond"
        return f"{beyond} the range tried [{ends[0]}, {ends[1]}]"
    if low == high:  # an identity's largest error
        return f"{value:.2g}"
    binding = next((part["label"] + " " for part in record["parts"] if part["estimate"] == value), "")
    return f"{binding}{number(value, shown_as, decimals)} [{ends[0]}, {ends[1]}]"


def edges(record: Record) -> str:
    """In words, where the interval has to lie."""
    (low, high), unit = record["edges"], record["shown_as"]
    if record["kind"] == "order":
        return f"every difference is above {number(0.0, unit)}"
    if record["kind"] == "optimum":
        return "the predicted place is better than every other but its neighbours, both ends included"
    if record["kind"] == "curve":
        return f"every point within ±{high:g} of the predicted curve's range, all at once"
    if record["kind"] == "identity":
        return f"errors stay below {high:.1e} and the counterexample's above 1e−3"
    if record["kind"] == "null":
        if unit == "factor":  # which has no ±
            return (
                f"between {edge(low, record, unit=False)} and {edge(high, record)}, a quarter of the main effect's log"
            )
        return f"within ±{edge(high, record)}, a quarter of the main effect"
    if low is not None and high is not None:
        return f"between {edge(low, record, unit=False)} and {edge(high, record)}"
    return f"above {edge(low, record)}" if low is not None else f"below {edge(high, record)}"


def edge(value: float, record: Record, *, unit: bool = True) -> str:
    """One edge, with the digits of the estimate beside it."""
    low, high = record["interval"]
    decimals = _decimals(record["estimate"], low, high, record["shown_as"]) if value else None
    return number(value, record["shown_as"], decimals, unit=unit)


def published(record: Record) -> str:
    """What the paper reports, with where."""
    entry, shown_as = record["published"], record["shown_as"]
    if entry is None:
        return "no figure"
    part_shown_as = "percent" if shown_as in ("percent", "points") else "number"
    parts = ", ".join(f"{name} {number(value, part_shown_as)}" for name, value in entry["parts"].items())
    text = parts
    if entry["value"] is not None:
        digit = 2 * entry["rounding"] * (100 if shown_as in ("percent", "points") else 1)
        decimals = max(0, math.ceil(-math.log10(digit))) if digit and shown_as != "factor" else None
        text = number(entry["value"], shown_as, decimals) + (f" ({parts})" if parts else "")
    return f"{text}; {entry['where']}"


def theory(record: Record) -> str:
    """What theory predicts, and the rival that has to be excluded."""
    entry = record.get("theory")
    if not entry:
        return ""
    rival = f", rival {number(entry['rival'], record['shown_as'])}" if entry["rival"] is not None else ""
    return f"{number(entry['value'], record['shown_as'])}{rival}; {entry['where']}"


def margin(record: Record) -> str:
    """Distance to the nearest edge and what it means: "margin 14.5 half-widths: robust"."""
    if record["margin"] is None:
        return ""
    robust = f": {record['robust']}" if record["robust"] else ""
    return f"margin {number(record['margin'], 'number', 1)} half-widths{robust}"


def _displayed(value: float, shown_as: str) -> float:
    if shown_as == "factor":
        return math.exp(value)
    return 100 * value if shown_as in ("percent", "points") else value


def _decimals(value: float | None, low: float | None, high: float | None, shown_as: str) -> int | None:
    """Decimals that give the interval's shorter side one digit, or two where the first would be 1 or 2.

    The shorter one, since a factor's interval is lopsided: 2.9 [1.4, 6.3], not 3 [1, 6].
    """
    known = sorted(_displayed(x, shown_as) for x in (low, value, high) if x is not None)
    half = min((b - a for a, b in itertools.pairwise(known) if b > a), default=0.0) / (1 if len(known) > 2 else 2)
    return min(9, max(0, -math.floor(math.log10(half / 3)))) if half > 0 else None
