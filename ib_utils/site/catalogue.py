"""The catalogue of papers and the errata, as HTML: the atlas beside what the notebooks stored."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from ib_utils import atlas

from .pages import Chapter, Record
from .render import VERDICTS, render, render_filter


@dataclass(frozen=True)
class Entry:
    """A paper with what the book found out about it."""

    paper: atlas.Paper
    status: str
    chapter: str  # title, or empty for a paper that belongs to none
    chapter_url: str | None  # None: not written yet
    verdict: Record | None = None  # its primary claim, else its first
    card: str = ""  # address of that claim's card
    counts: str = ""  # verdicts of all its claims, in words
    claims: str = ""  # address of all its claims on the claims page


def render_papers(chapters: list[Chapter], *, claims_url: str) -> str:
    """Counts, filter and table of all papers.

    Args:
        chapters: What the notebooks stored.
        claims_url: Address of the claims page, relative to the page with the table.
    """
    entries = _entries(chapters, claims_url)
    counts = Counter(entry.status for entry in entries)
    used = {entry.paper.chapter for entry in entries}
    picker = render_filter(
        "papers",
        "title, author, claim",
        status={status: status for status in atlas.STATUSES if counts[status]},
        chapter={name: chapter.title for name, chapter in atlas.chapters().items() if name in used},
    )
    return render("papers.html", entries=entries, counts=counts, statuses=atlas.STATUSES, filter=picker)


def _entries(chapters: list[Chapter], claims_url: str) -> list[Entry]:
    urls = {chapter.name: chapter.url for chapter in chapters}
    found: dict[str, list[tuple[Chapter, Record]]] = {}
    for chapter in chapters:
        for claim in chapter.claims:
            found.setdefault(claim["paper"], []).append((chapter, claim))
    entries = []
    for paper in atlas.papers().values():
        title = atlas.chapters()[paper.chapter].title if paper.chapter else ""
        url = urls.get(paper.chapter) if paper.chapter else None
        shown: dict[str, Any] = {}
        if of_paper := found.get(paper.id):
            chapter, claim = next((pair for pair in of_paper if pair[1]["primary"]), of_paper[0])
            find = f'"{paper.citation}"'  # as one phrase: its words alone may stand in other rows
            shown = {
                "verdict": chapter.shown(claim),
                "card": chapter.uri(claim),
                "counts": _count([c.shown(r)["verdict"] for c, r in of_paper]),
                "claims": f"{claims_url}?{urlencode({'find': find})}",
            }
        entries.append(Entry(paper, atlas.status(paper, found), title, url, **shown))
    return entries


def _count(verdicts: list[str | None]) -> str:
    """In words: "9 claims: 5 hold, 4 not judged"; nothing where there is only one."""
    plural = {"holds": "hold", "fails": "fail", "undecided": "undecided", None: "not judged"}
    parts = [f"{verdicts.count(verdict)} {plural[verdict]}" for verdict in VERDICTS if verdict in verdicts]
    return f"{len(verdicts)} claims: {', '.join(parts)}" if len(verdicts) > 1 else ""


def render_errata(chapters: list[Chapter]) -> str:
    """Changed registrations and verdicts, newest first; changes made together stand together."""
    stored = {(chapter.name, claim["id"]): (chapter, claim) for chapter in chapters for claim in chapter.claims}
    titles = {name: chapter.title for name, chapter in atlas.chapters().items()}

    def together(erratum: atlas.Erratum) -> tuple[Any, ...]:
        return (erratum.change.date, erratum.chapter, erratum.change.reason)

    changes = sorted(atlas.errata(), key=together, reverse=True)
    groups = [(*key, list(errata)) for key, errata in groupby(changes, together)]
    return render("errata.html", groups=groups, stored=stored, titles=titles)
