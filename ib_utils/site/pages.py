"""What the claims page shows, as HTML: read from stored notebooks, the recorded runs and the registry."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ib_utils import atlas, claims
from ib_utils.claims import words

if TYPE_CHECKING:
    from jinja2 import Environment

NO_BREAK = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class Chapter:
    """The claims of one chapter, as its notebook stored them."""

    name: str
    title: str
    url: str  # of the chapter's page, relative to the claims page
    claims: list[dict[str, Any]]  # in the order of the registry
    recorded: dict[str, dict[str, Any]] = field(default_factory=dict)  # by claim id
    run: dict[str, Any] = field(default_factory=dict)  # of the recorded run: device, date, commit, …
    outdated: frozenset[str] = frozenset()  # ids whose registration changed since the recorded run
    problems: list[str] = field(default_factory=list)


def read_chapter(notebook: Path, *, record: Path, url: str) -> Chapter:
    """Reads a chapter's claims and compares them with the registry.

    Args:
        notebook: The stored notebook; its name is the chapter's.
        record: The recorded run of the full preset; may be absent.
        url: Address of the chapter's page, relative to the page that shows the claims.

    Returns:
        The chapter, with one line in ``problems`` for every disagreement.
    """
    name = notebook.stem
    stored = claims.from_notebook(notebook)
    registered = registrations(name)
    run = json.loads(record.read_text(encoding="utf8")) if record.exists() else {}
    recorded = {claim["id"]: claim for claim in run.pop("claims", [])}
    now = registrations(name, preset=run["preset"]) if run else {}
    order = {id: place for place, id in enumerate(registered)}
    return Chapter(
        name=name,
        title=_title(notebook),
        url=url,
        claims=sorted(stored, key=lambda claim: order.get(claim["id"], len(order))),
        recorded=recorded,
        run=run,
        outdated=frozenset(i for i, claim in recorded.items() if now.get(i) != claim["registration"]),
        problems=[f"notebooks/{name}.ipynb: {problem}" for problem in disagreements(stored, registered)],
    )


def registrations(chapter: str, *, preset: str = "default") -> dict[str, str]:
    """Claim id to the hash that a run of the preset stores; empty for a chapter without registered claims."""
    if chapter not in atlas.registries():
        return {}
    registry = atlas.registry(chapter)
    fingerprint = registry.presets.get(preset, "")
    return {claim.id: claims.registration(claim, fingerprint) for claim in registry.claims}


def disagreements(stored: list[dict[str, Any]], registered: dict[str, str]) -> list[str]:
    """Compares stored claims with the registrations of the default preset; one line a difference."""
    ids = [claim["id"] for claim in stored]
    lines = [f"registered claim {i!r} is missing from the outputs" for i in registered if i not in ids]
    lines += [f"claim {i!r} is stored {ids.count(i)} times" for i in dict.fromkeys(ids) if ids.count(i) > 1]
    for claim in stored:
        if claim["id"] not in registered:
            lines.append(f"claim {claim['id']!r} is not in the registry")
        elif claim["registration"] != registered[claim["id"]]:
            lines.append(
                f"claim {claim['id']!r} ran under registration {claim['registration']} "
                f"(preset {claim['preset']}), the registry says {registered[claim['id']]} (preset default)"
            )
    return lines


def render_counts(chapters: list[Chapter]) -> str:
    """The tables of counts at the top: default runs and, where there are any, current recorded runs."""
    default = [claim for chapter in chapters for claim in chapter.claims]
    recorded = [claim for chapter in chapters for id, claim in chapter.recorded.items() if id not in chapter.outdated]
    tables = {"Default runs": _grouped(default), "Recorded runs": _grouped(recorded)}
    return _template("counts.html").render(tables={run: groups for run, groups in tables.items() if groups})


def _grouped(records: list[dict[str, Any]]) -> dict[str, list[str | None]]:
    """Verdicts by group; identities apart, empty groups left out."""
    groups: dict[str, list[str | None]] = {
        "primary claims": [],
        "supporting and controls": [],
        "identities": [],
    }
    for claim in records:
        claim_group = "primary claims" if claim["primary"] else "supporting and controls"
        groups["identities" if claim["kind"] == "identity" else claim_group].append(claim["verdict"])
    return {group: verdicts for group, verdicts in groups.items() if verdicts}


def render_filter() -> str:
    """The filter; hidden until its script has started, so that nobody sees controls that do nothing."""
    return _template("filter.html").render()


def render_chapter(chapter: Chapter) -> str:
    """The table of one chapter's claims."""
    return _template("claims.html").render(chapter=chapter)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("ib_utils.site"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["verdicts"] = ("holds", "fails", "undecided", None)
    environment.filters |= {f.__name__[1:]: f for f in (_estimate, _published, _paper, _note, _run)}
    return environment


def _estimate(claim: dict[str, Any]) -> str:
    """Estimate and interval; a line may break between them, not inside the interval."""
    head, bracket, interval = words.estimate(claim).partition("[")
    return head + bracket + interval.replace(" ", NO_BREAK)


def _published(claim: dict[str, Any]) -> str:
    """The paper's figure without its place, or a dash."""
    return words.published(claim).split(";")[0].replace(" %", f"{NO_BREAK}%") if claim["published"] else "–"


def _note(claim: dict[str, Any]) -> str:
    """Scale, number of replicates, and why there is no verdict."""
    scale = f"{claim['scale']} scale" if claim["scale"] else ""
    n = f"n{NO_BREAK}={NO_BREAK}{claim['n']}" if claim["n"] else ""
    return "; ".join(filter(None, (", ".join(filter(None, (scale, n))), claim["reason"])))


def _paper(claim: dict[str, Any]) -> atlas.Paper:
    return atlas.papers()[claim["paper"]]


def _run(run: dict[str, Any]) -> str:
    """Where and when a recorded run ran, in one line."""
    minutes = run["seconds"] / 60
    spent = f"{minutes:.0f} min" if minutes >= 1 else f"{run['seconds']:.0f} s"
    return f"{run['device']}, {spent}, {run['date'][:10]}, commit {(run['commit'] or 'unknown')[:7]}"


def _template(name: str) -> Any:
    return _environment().get_template(name)


def _title(notebook: Path) -> str:
    """The first heading of a notebook."""
    for cell in json.loads(notebook.read_text(encoding="utf8"))["cells"]:
        if cell["cell_type"] == "markdown":
            for line in "".join(cell["source"]).splitlines():
                if line.startswith("# "):
                    return line[2:].strip()
    return notebook.stem
