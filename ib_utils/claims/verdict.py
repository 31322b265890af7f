"""From a claim's kind and an estimate to edges, verdict and margin: only here are these decided."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ib_utils.atlas import RATE_TOLERANCE, Claim, Published, Verdict
from ib_utils.stats import CURVE_TOLERANCE, FEW, Estimate, p_value, t_quantile

Edges = tuple[float | None, float | None]  # where the interval has to lie; None: open on that side

ABOVE_ZERO: Edges = (0.0, None)
# Kinds about several quantities at once, each of which has to lie above 0, and what estimates them
JOINT = {
    "order": "stats.order",
    "null": "stats.equivalence",
    "curve": "stats.curve",
    "optimum": "stats.optimum",
    "identity": "stats.identity",
}
FEW_OBJECTS = 10  # a rank correlation over fewer objects gets no verdict
ROUNDING = 1e-6  # of the values themselves: what single precision makes of replicates that are one and the same
FRAGILE = 2.0  # margins below this many half-widths read fragile


class ClaimError(ValueError):
    """A check that cannot be made as asked."""


class ZeroWidthError(ClaimError):
    """Replicates that do not differ: a bug in the experiment, or one so short that all of them hit a limit."""


@dataclass(frozen=True)
class Judgement:
    """Verdict on one claim in one run.

    Args:
        edges: where the interval has to lie.
        verdict: None where this run does not judge the claim.
        margin: distance from estimate to nearest edge in half-widths, negative outside; None where undefined.
        robust: whether a verdict that was reached keeps ``FRAGILE`` half-widths from its edge.
        reason: why there is no verdict, or none better than undecided.
        p_value: below 0.05 exactly where the claim holds (:func:`ib_utils.stats.p_value`); None where undefined.
    """

    edges: Edges
    verdict: Verdict | None
    margin: float | None = None
    robust: bool | None = None
    reason: str | None = None
    p_value: float | None = None


def judge(claim: Claim, estimate: Estimate, *, converged: bool = True) -> Judgement:
    """Compare an estimate with the edges that the claim's kind fixes.

    Args:
        claim: the registered claim.
        estimate: from :mod:`ib_utils.stats`; natural logarithms where the claim is shown as a factor.
        converged: whether every arm was trained to the end; without that nothing is decided.

    Returns:
        The judgement: *holds* where the interval lies strictly inside the edges, *fails* where it lies wholly
        outside, *undecided* otherwise; with parts, *holds* if all do and *fails* if any does.

    Raises:
        ZeroWidthError: the interval has no width beyond rounding.
        ClaimError: the estimate's parts do not fit the kind.
    """
    if (claim.kind in JOINT) != bool(estimate.parts):
        wanted = f"the parts that {JOINT[claim.kind]} makes" if claim.kind in JOINT else "a single quantity"
        raise ClaimError(f"{claim.id}: kind {claim.kind} needs {wanted}; got {len(estimate.parts)} parts")
    limits = edges(claim, estimate)
    if claim.kind != "identity" and (
        _only_rounding(estimate, limits) or any(e.low == e.high is not None for e in estimate.parts)
    ):
        raise ZeroWidthError(f"{claim.id}: an interval of zero width at {estimate.value}: the replicates do not differ")

    parts = [(part, ABOVE_ZERO) for part in estimate.parts] or [(estimate, limits)]
    verdict = _worst([_compare(part, limit) for part, limit in parts])
    margins = [_margin(part, limit) for part, limit in parts]
    known = [m for m in margins if m is not None]
    margin = min(known) if len(known) == len(margins) else None
    if reason := "an arm had not converged" if not converged else _too_weak(claim, estimate):
        return Judgement(limits, "undecided", margin, None, reason)
    robust = None if margin is None or verdict == "undecided" else abs(margin) >= FRAGILE
    return Judgement(limits, verdict, margin, robust, p_value=p_value(estimate, above=limits[0], below=limits[1]))


def _only_rounding(estimate: Estimate, limits: Edges) -> bool:
    """Whether there is an interval, but no wider than the rounding of the values that it is about."""
    if estimate.low is None or estimate.high is None:
        return False
    values = [abs(v) for v in (estimate.low, estimate.high, *limits) if v is not None and math.isfinite(v)]
    return estimate.high - estimate.low <= ROUNDING * max(values, default=0.0)


def edges(claim: Claim, estimate: Estimate) -> Edges:
    """Where the interval has to lie for the claim to hold, on the scale of ``estimate.value``."""
    match claim.kind:
        case "size":
            return _size_edges(claim, estimate)
        case "retain":
            half = _published_value(claim) / 2
            return (half, None) if half > 0 else (None, half)
        case "rate":
            value = _theory_value(claim)
            give = RATE_TOLERANCE * abs(value)
            return (value - give, value + give)
        case "proportion" | "association":
            return (_theory_value(claim), None)
        case "curve":
            return (-CURVE_TOLERANCE, CURVE_TOLERANCE)
        case "null":  # the parts are bound - effect and bound + effect: their mean is the bound
            bound = sum(part.value for part in estimate.parts) / 2
            return (-bound, bound)
        case "identity":  # the first part is rounding - error
            return (None, estimate.parts[0].value + estimate.value)
        case _:
            return ABOVE_ZERO


def _size_edges(claim: Claim, estimate: Estimate) -> Edges:
    """The published value, give or take the 95 % spread of as many runs as stand behind it, and its rounding.

    Our replicates redraw everything, the test set too, so their spread stands for that of the published runs.
    """
    if estimate.spread is None:
        raise ClaimError(f"{claim.id}: kind size needs the spread over replicates: use stats.mean")
    published, value = _published(claim), _published_value(claim)
    give = t_quantile(estimate.n - 1) * estimate.spread / math.sqrt(published.n or 1) + published.rounding
    return (value - give, value + give)


def _too_weak(claim: Claim, estimate: Estimate) -> str | None:
    """Why no verdict better than undecided may rest on this estimate."""
    if claim.kind == "identity":
        return None
    if not claim.redraws:
        return "nothing was drawn anew between replicates"
    if estimate.n < FEW:
        return f"only {estimate.n} replicates; a verdict needs {FEW}"
    if claim.kind == "association" and estimate.n < FEW_OBJECTS:
        return f"only {estimate.n} objects; a correlation needs {FEW_OBJECTS}"
    if claim.kind == "size":
        assert estimate.low is not None
        assert estimate.high is not None
        if (estimate.high - estimate.low) / 2 > abs(_published_value(claim)) / 4:
            return "our interval is wider than half of the published value"
    return None


def _compare(e: Estimate, limits: Edges) -> Verdict:
    low, high = _ends(e.low, e.high)
    lower, upper = _ends(*limits)
    if (limits[0] is None or low > lower) and (limits[1] is None or high < upper):
        return "holds"
    return "fails" if high < lower or low > upper else "undecided"


def _worst(verdicts: list[Verdict]) -> Verdict:
    return next((v for v in ("fails", "undecided") if v in verdicts), "holds")  # type: ignore[return-value]


def _margin(e: Estimate, limits: Edges) -> float | None:
    """Distance to the nearest edge, in the half of the interval that faces it: above 1 means inside."""
    low, high = _ends(e.low, e.high)
    below, above = e.value - low, high - e.value
    gaps = []
    if limits[0] is not None:
        gap = e.value - limits[0]
        gaps.append((gap, below if gap > 0 else above))
    if limits[1] is not None:
        gap = limits[1] - e.value
        gaps.append((gap, above if gap > 0 else below))
    if all(math.isfinite(gap) and math.isfinite(half) and half > 0 for gap, half in gaps):
        return min(gap / half for gap, half in gaps)
    return None  # a censored or one-sided interval, or an identity, has no half-width to count in


def _ends(low: float | None, high: float | None) -> tuple[float, float]:
    return (-math.inf if low is None else low, math.inf if high is None else high)


def _published(claim: Claim) -> Published:
    assert claim.published is not None  # the registry refuses kinds that need it without it
    return claim.published


def _theory_value(claim: Claim) -> float:
    return claim.theory.value if claim.theory else 0.0


def _published_value(claim: Claim) -> float:
    value = _published(claim).value
    assert value is not None
    return value
