"""What the claims page shows, as HTML: read from stored notebooks, the recorded runs and the registry."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ib_utils import atlas, claims
from ib_utils.runner import cell_hash, read

from . import forest
from .render import VERDICTS, render, render_filter

Record = dict[str, Any]  # the JSON object of one checked claim


@dataclass(frozen=True)
class Chapter:
    """The claims of one chapter, as its notebook stored them."""

    name: str
    title: str
    url: str  # of the chapter's page, relative to the claims page
    claims: list[Record]  # in the order of the registry
    recorded: dict[str, Record] = field(default_factory=dict)  # by claim id
    run: dict[str, Any] = field(default_factory=dict)  # of the recorded run: device, date, commit, …
    outdated: frozenset[str] = frozenset()  # ids whose registration or code changed since the recorded run
    problems: list[str] = field(default_factory=list)

    def shown(self, claim: Record) -> Record:
        """The record whose verdict counts: the recorded run's where only that one judges the claim."""
        full = self.recorded.get(claim["id"])
        if claim["verdict"] is None and full and full["verdict"] and claim["id"] not in self.outdated:
            return full
        return claim

    def uri(self, claim: Record) -> str:
        """Address of the claim's card."""
        return f"{self.url}#claim-{claim['id']}"


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
    same_code = run.get("cells") == cell_hash(read(notebook))  # the registration does not see how an arm is judged
    now = registrations(name, preset=run["preset"]) if run and same_code else {}
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


def disagreements(stored: list[Record], registered: dict[str, str]) -> list[str]:
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
    """The tables of counts at the top: default runs and, where there are any, current recorded runs.

    Below them, what chance alone could have done among the default runs.
    """
    default = [claim for chapter in chapters for claim in chapter.claims]
    recorded = [claim for chapter in chapters for id, claim in chapter.recorded.items() if id not in chapter.outdated]
    tables = {"Default runs": _grouped(default), "Recorded runs": _grouped(recorded)}
    primary = [claim["verdict"] for claim in default if claim["primary"] and claim["kind"] != "identity"]
    return render(
        "counts.html",
        tables={run: groups for run, groups in tables.items() if groups},
        n_hold=primary.count("holds"),
        n_survive=len(claims.survivors(default)) if _have_p_values(default) else None,
        n_judged=sum(claim["verdict"] is not None and claim["kind"] != "identity" for claim in default),
        n_false=claims.expected_false_holds(default),
    )


def _have_p_values(records: list[Record]) -> bool:
    """Whether the notebooks were executed since p-values are stored; without them no claim could survive."""
    return any(claim.get("p_value") is not None for claim in records)


def _grouped(records: list[Record]) -> dict[str, list[str | None]]:
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


def render_claims_filter(chapters: list[Chapter]) -> str:
    """The filter above the forest plot and the tables."""
    scales = {scale for chapter in chapters for claim in chapter.claims for scale in _scales(chapter, claim)}
    return render_filter(
        "claims",
        "statement, paper, kind",
        chapter={chapter.name: chapter.title for chapter in chapters},
        verdict={verdict or "not judged": verdict or "not judged" for verdict in VERDICTS},
        scale={scale: scale for scale in sorted(scales)},
    )


def render_forest(chapters: list[Chapter]) -> str:
    """The forest plot: a line a claim, grouped by chapter."""
    return render("forest.html", chapters=chapters, forest=forest)


def render_chapter(chapter: Chapter, survivors: Collection[tuple[str, str]] = ()) -> str:
    """The table of one chapter's claims.

    Args:
        chapter: What the notebook stored.
        survivors: (chapter, id) of the primary claims that survive the correction over the whole book.
    """
    scales = {claim["id"]: ",".join(_scales(chapter, claim)) for claim in chapter.claims}
    return render("claims.html", chapter=chapter, papers=atlas.papers(), scales=scales, survivors=survivors)


def _scales(chapter: Chapter, claim: Record) -> list[str]:
    """The scales at which a claim has been run."""
    records = (claim, chapter.recorded.get(claim["id"]))
    return list(dict.fromkeys(record["scale"] for record in records if record and record["scale"]))


def _title(notebook: Path) -> str:
    """The first heading of a notebook."""
    for cell in json.loads(notebook.read_text(encoding="utf8"))["cells"]:
        if cell["cell_type"] == "markdown":
            for line in "".join(cell["source"]).splitlines():
                if line.startswith("# "):
                    return line[2:].strip()
    return notebook.stem
