"""How a checked claim looks: a card and a table row, as HTML and as plain text.

The HTML carries its own small styles with transparent backgrounds and the text's own colour, so that it reads
the same on Colab, in Jupyter and on the site, light or dark. Colour only repeats what a word says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from html import escape

from ib_utils.atlas import Claim, Paper, Registry
from ib_utils.claims.words import Record, edge, edges, estimate, margin, published, theory

# Okabe and Ito's colour-blind-safe green, vermilion and orange, and a grey
STATES = {
    "holds": ("✓ Holds", "0,158,115"),
    "fails": ("✗ Fails", "213,94,0"),
    "undecided": ("? Undecided", "230,159,0"),
    "unjudged": ("– Not judged", "128,128,128"),
}
REDRAWN = {"init": "initialisation", "order": "batch order"}
MUTED = "opacity:.75;font-size:.85em"


def text(record: Record) -> str:
    """Two lines for terminals."""
    head = f"{_state(record).upper()} {record['id']}: {record['statement']}"
    facts = [estimate(record), f"n = {record['n']}" if record["n"] else "", margin(record)]
    facts += [record["reason"] or "", f"paper: {published(record)}", _run(record)]
    return head + "\n    " + "; ".join(fact for fact in facts if fact)


def html(record: Record, claim: Claim, paper: Paper, registry: Registry) -> str:
    """The card, self-contained."""
    state = record["verdict"] or "unjudged"
    word, colour = STATES[state]
    badge = word + (f" · {record['robust']}" if record["robust"] else "")
    dash = "dashed" if record["robust"] == "fragile" else "solid"
    facts = [record["kind"], f"{record['scale']} scale" if record["scale"] else ""]
    facts += ["primary claim" if record["primary"] else "", f"registered as {record['registration']}"]
    rows = "".join(
        f'<dt style="margin:0;font-weight:400;{MUTED}">{name}</dt>'
        f'<dd style="margin:0;min-width:0;overflow-wrap:anywhere">{value}</dd>'
        for name, value in _rows(record, claim, paper, registry)
        if value
    )
    return (
        f'<div class="ib-claim ib-{state}" id="claim-{record["id"]}" role="group" '
        f'aria-label="Claim {record["id"]}: {escape(_state(record))}" '
        f'style="max-width:44rem;margin:1em 0;padding:.7em 1em .8em;box-sizing:border-box;line-height:1.45;'
        f"border:1px solid rgba(128,128,128,.35);border-left:4px solid rgb({colour});border-radius:6px;"
        f'background:transparent;color:inherit">'
        f'<div style="display:flex;flex-wrap:wrap;gap:.3em .8em;align-items:center">'
        f'<span class="ib-badge" style="padding:.1em .7em;border:1.5px {dash} rgb({colour});'
        f'border-radius:1em;background:rgba({colour},.14);font-weight:600;font-size:.9em">{badge}</span>'
        f'<span style="{MUTED}">{" · ".join(fact for fact in facts if fact)}</span></div>'
        f'<p style="margin:.55em 0 .6em;font-size:1.05em">{escape(record["statement"])}</p>'
        f"{_bar(record)}"
        f'<dl style="display:grid;grid-template-columns:max-content 1fr;gap:.25em .9em;'
        f'align-items:baseline;margin:.7em 0 0;font-size:.92em">{rows}</dl></div>'
    )


def _rows(record: Record, claim: Claim, paper: Paper, registry: Registry) -> Iterator[tuple[str, str]]:
    redraws = ", ".join(REDRAWN.get(what, what) for what in record["redraws"]) or "nothing"
    level = "" if record["kind"] == "identity" else f"{100 * record['confidence']:.3g} % interval, "
    if record["kind"] == "null":
        level = f"{level}the main effect's own noise included, "
    shared = f"; shared by all: {record['fixed']}" if record["fixed"] else ""
    how = f"{level}{record['method']}; n = {record['n']}, each draws anew: {redraws}{shared}"
    how = how if record["n"] else record["method"]
    yield (
        "Estimate",
        f"<strong>{escape(estimate(record))}</strong> {escape(record['quantity'])}"
        f'<br><span style="{MUTED}">{escape(how)}</span>',
    )
    holds_if = "; ".join(fact for fact in (edges(record), margin(record)) if fact) if record["verdict"] else ""
    yield "Holds if", escape(holds_if)
    yield "Note", escape("; ".join(note for note in (record["reason"] or "", _run(record)) if note))
    link = f'<a href="{escape(paper.link)}" style="color:inherit">{escape(paper.citation)}</a>'
    yield "Paper", f"{link}: {escape(published(record))}"
    yield "Theory", escape(theory(record))
    yield "Control", ", ".join(_anchor(other.id) for other in registry.controls(claim))
    mains = [other.id for other in registry.claims if other.id == claim.of or other.control == claim.id]
    yield "Control of", ", ".join(map(_anchor, mains))
    yield (
        "Changed",
        "".join(
            f"<details><summary>{change.date}{f', then: {change.verdict}' if change.verdict else ''}</summary>"
            f"{escape(change.reason)}</details>"
            for change in claim.history
        ),
    )


def _anchor(id: str) -> str:
    return f'<a href="#claim-{id}" style="color:inherit">{id}</a>'


def _state(record: Record) -> str:
    word = STATES[record["verdict"] or "unjudged"][0][2:].lower()
    return f"{word}, {record['robust']}" if record["robust"] else word


def _run(record: Record) -> str:
    return "custom parameters: counts nowhere" if record["preset"] == "custom" else ""


def _bar(record: Record) -> str:
    """Edges shaded, interval as bar, estimate as dot, published value as tick; one line for every part."""
    if record["kind"] == "identity" or not record["n"]:
        return ""
    rows = record["parts"] if record["kind"] in ("order", "optimum") else [{**record, "label": ""}]
    paper = record["published"] and record["published"]["value"]
    limits = record["edges"]
    judged = limits != [None, None]
    marks = [x for row in rows for x in (row["estimate"], *row["interval"])] + [*limits, paper]
    known = [x for x in marks if x is not None] or [0.0]
    pad = 0.08 * (max(known) - min(known) or 1.0)
    left, right = min(known) - pad, max(known) + pad

    def at(x: float | None, default: float) -> float:
        return default if x is None else round(100 * (x - left) / (right - left), 2)

    bar, head = 22, 18 if len(rows) > 1 else 0
    shapes = []
    for i, row in enumerate(rows):
        top = i * (bar + head) + head
        if head:
            value = estimate({**record, **row, "parts": []})
            shapes.append(_label(0, top - 5, f"{row['label']}: {value}", "start"))
        if judged:
            start, end = at(limits[0], 0.0), at(limits[1], 100.0)
            shapes.append(
                f'<rect x="{start}%" y="{top}" width="{end - start:.2f}%" height="{bar}" '
                f'fill="currentColor" opacity=".1"/>'
            )
        shapes += [_line(at(x, 0), top, at(x, 0), top + bar, "1.5", ".55") for x in limits if x is not None]
        if paper is not None:
            shapes.append(_line(at(paper, 0), top, at(paper, 0), top + bar, "2", ".9", "3 2"))
        start, end = at(row["interval"][0], 0.0), at(row["interval"][1], 100.0)
        shapes.append(_line(start, top + bar / 2, end, top + bar / 2, "5", ".5"))
        if row["estimate"] is not None:
            dot = at(row["estimate"], 0)
            shapes.append(f'<circle cx="{dot}%" cy="{top + bar / 2}" r="5" fill="currentColor"/>')

    height = len(rows) * (bar + head) + 14
    below = [(at(x, 0), edge(x, record, unit=record["shown_as"] == "factor")) for x in limits if x is not None]
    shapes += [_label(x, height - 2, text) for x, text in below]
    if paper is not None:  # on a line of its own where an edge's number is in the way
        height += 12 if any(abs(x - at(paper, 0)) < 15 for x, _ in below) else 0
        shapes.append(_label(at(paper, 0), height - 2, "paper"))
    title = f"Estimate {estimate(record)}" + (f"; holds if {edges(record)}" if judged else "")
    return (
        f'<svg class="ib-bar" role="img" width="100%" height="{height}" '
        f'style="display:block;overflow:visible;max-width:none"><title>{escape(title)}</title>'
        f"{''.join(shapes)}</svg>"
    )


def _line(x1: float, y1: float, x2: float, y2: float, width: str, opacity: str, dashes: str = "none") -> str:
    return (
        f'<line x1="{x1}%" y1="{y1}" x2="{x2}%" y2="{y2}" stroke="currentColor" stroke-width="{width}" '
        f'stroke-dasharray="{dashes}" opacity="{opacity}"/>'
    )


def _label(x: float, y: float, text: str, anchor: str = "") -> str:
    anchor = anchor or ("start" if x < 8 else "end" if x > 92 else "middle")
    place = f'x="{x}%" y="{y}" text-anchor="{anchor}"'
    return f'<text {place} font-size="11" fill="currentColor" opacity=".8">{escape(text)}</text>'


def summary(registry: Registry, records: Mapping[str, Record], preset: str) -> tuple[str, str]:
    """The chapter's claims with their verdicts, HTML and plain; controls stand below their main claim."""
    lines, rows = [], []
    for claim, depth in _nested(registry):
        record = records.get(claim.id)
        cells = _cells(record)
        lines.append(("  " * depth + claim.id, *cells))
        colour = STATES[(record["verdict"] or "unjudged") if record else "unjudged"][1]
        rows.append(
            f'<tr><td style="{_cell(depth)}">{"↳ " if depth else ""}{_anchor(claim.id)}</td>'
            f'<td style="{_cell()};border-left:4px solid rgb({colour})">{escape(cells[0])}</td>'
            + "".join(f'<td style="{_cell()}">{escape(cell)}</td>' for cell in cells[1:])
            + "</tr>"
        )
    head = ("claim", "verdict", "estimate", "paper")
    widths = [max(map(len, column)) for column in zip(head, *lines, strict=True)]
    plain = "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in (head, *lines)
    )
    count = _count(records.values(), preset)
    header = "".join(f'<th scope="col" style="{_cell()};font-weight:600">{name}</th>' for name in head)
    table = (
        f'<div class="ib-summary" style="overflow-x:auto;color:inherit;background:transparent">'
        f'<table style="border-collapse:collapse;font-size:.92em;color:inherit;background:transparent">'
        f"<thead><tr>{header}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        f'<p style="margin:.6em 0;{MUTED}">{count}</p></div>'
    )
    return table, f"{plain}\n{count}"


def _nested(registry: Registry) -> list[tuple[Claim, int]]:
    """Claims in the registry's order, except that controls follow what they control."""
    controls = {control.id for claim in registry.claims for control in registry.controls(claim)}
    found: dict[str, tuple[Claim, int]] = {}

    def visit(claim: Claim, depth: int) -> None:
        if claim.id not in found:
            found[claim.id] = (claim, depth)
            for control in registry.controls(claim):
                visit(control, depth + 1)

    for claim in registry.claims:
        if claim.id not in controls:
            visit(claim, 0)
    for claim in registry.claims:  # what is left are controls of each other
        visit(claim, 0)
    return list(found.values())


def _cells(record: Record | None) -> tuple[str, str, str]:
    if record is None:
        return "not checked", "", ""
    entry = record["published"]
    value = entry and entry["value"]
    return (
        _state(record),
        estimate(record),
        "" if value is None else published(record).split(" (")[0].split(";")[0],
    )


def _cell(depth: int = 0) -> str:
    return (
        f"text-align:left;vertical-align:top;padding:.3em .7em .3em {0.7 + 1.2 * depth:.1f}em;"
        f"border-bottom:1px solid rgba(128,128,128,.35);background:transparent;color:inherit"
    )


def _count(records: Iterable[Record], preset: str) -> str:
    primary = [r["verdict"] for r in records if r["primary"] and r["kind"] != "identity"]
    counted = ", ".join(
        f"{primary.count(verdict)} {word}"
        for verdict, word in (("holds", "hold"), ("fails", "fail"), ("undecided", "undecided"))
    )
    note = "; custom parameters, so these count nowhere" if preset == "custom" else ""
    judged = sum(verdict is not None for verdict in primary)
    return f"Primary claims: {counted} (of {judged} judged by this run){note}."
