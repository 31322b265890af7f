"""Papers, chapters and registered claims as data: the single source that notebooks, site and tests read.

Every reader checks what it reads and refuses it with one line that names the file, the line and the entry.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, get_args

import yaml
from pydantic import TypeAdapter, ValidationError

from ib_utils.atlas.models import (
    KINDS,
    RATE_TOLERANCE,
    Change,
    Chapter,
    Claim,
    Kind,
    Paper,
    Published,
    Registry,
    Scale,
    Status,
    Theory,
    Verdict,
)

__all__ = [
    "KINDS",
    "RATE_TOLERANCE",
    "STATUSES",
    "AtlasError",
    "Change",
    "Chapter",
    "Claim",
    "Erratum",
    "Kind",
    "Paper",
    "Published",
    "Registry",
    "Scale",
    "Status",
    "Theory",
    "Verdict",
    "chapters",
    "errata",
    "papers",
    "read_chapters",
    "read_papers",
    "read_registry",
    "registries",
    "registry",
    "status",
]

HERE = Path(__file__).parent
STATUSES: tuple[Status, ...] = get_args(Status)
# Ten times as fast as the loader in Python; there wherever PyYAML was built with libyaml (its wheels are).
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class AtlasError(ValueError):
    """An entry of the atlas that cannot be right."""


class Erratum(NamedTuple):
    """A claim whose registration was changed: what it said before, what had come out, and why it was changed."""

    chapter: str
    claim: Claim
    change: Change


@cache
def papers() -> dict[str, Paper]:
    """All papers by their ``id`` (key or, without one, id in the catalogue), in the file's order.

    Raises:
        AtlasError: as :func:`read_papers`.

    Example:
        >>> papers()["greydanus2024scaling"].citation
        'Greydanus & Kobak (2024)'
    """
    return read_papers(HERE / "papers.yml")


@cache
def chapters() -> dict[str, Chapter]:
    """All chapters, planned ones too, name to entry, in the book's order.

    Raises:
        AtlasError: as :func:`read_chapters`.

    Example:
        >>> chapters()["locality-weight-sharing"].title
        'Locality and weight sharing'
    """
    return read_chapters(HERE / "chapters.yml")


def status(paper: Paper, tested: Container[str]) -> Status:
    """What has become of a paper: derived, never typed.

    Args:
        paper: entry of the atlas.
        tested: keys of the papers with a claim in a stored notebook.

    Returns:
        "tested"; or, from the paper's chapter and reach, "outside the subject" (no chapter, or nothing to run),
        "beyond one GPU" or "planned".

    Example:
        >>> paper = papers()["greydanus2024scaling"]
        >>> status(paper, tested={"greydanus2024scaling"}), status(paper, tested=())
        ('tested', 'planned')
    """
    if paper.key in tested:
        return "tested"
    if paper.chapter is None or paper.reach == "none":
        return "outside the subject"
    return "beyond one GPU" if paper.reach == "large" else "planned"


def errata() -> list[Erratum]:
    """Every change of a registered claim, from the claims' ``history``, the latest first.

    Raises:
        AtlasError: as :func:`registries`.
    """
    found = [
        Erratum(name, claim, change)
        for name, entry in registries().items()
        for claim in entry.claims
        for change in claim.history
    ]
    return sorted(found, key=lambda erratum: erratum.change.date, reverse=True)


@cache
def registry(chapter: str) -> Registry:
    """The registered claims of a chapter.

    Args:
        chapter: name of the chapter, as in ``chapters.yml``.

    Raises:
        AtlasError: no such chapter, or an entry that cannot be right.
    """
    path = HERE / "claims" / f"{chapter}.yml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in path.parent.glob("*.yml")))
        raise AtlasError(f"no claims are registered for chapter {chapter!r}; registered are: {known}")
    return read_registry(path)


def registries() -> dict[str, Registry]:
    """The registries of all chapters that have one, chapter to registry.

    Raises:
        AtlasError: an entry that cannot be right, or a paper with primary claims in two chapters.
    """
    found = {path.stem: read_registry(path) for path in sorted((HERE / "claims").glob("*.yml"))}
    primaries: dict[str, str] = {}
    for name, entry in found.items():
        for claim in entry.claims:
            if claim.primary and primaries.setdefault(claim.paper, name) != name:
                first = primaries[claim.paper]
                raise AtlasError(f"{name}.yml, {claim.id}: the primary claim of {claim.paper} is in {first}.yml")
    return found


def read_papers(path: Path) -> dict[str, Paper]:
    """Read and check a file of papers; :func:`papers` keeps the atlas's own.

    Raises:
        AtlasError: a malformed entry, an unknown chapter, or a key, catalogue id or title that occurs twice.
    """
    entries: list[Paper] = _read(path, list[Paper])
    for i, paper in enumerate(entries):
        if paper.chapter is not None and paper.chapter not in chapters():
            _refuse(path, (i, "chapter"), f"{paper.chapter!r} is not a chapter in chapters.yml")
    _unique(entries, path, "title", lambda paper: paper.title.lower())
    _unique(entries, path, "catalogue", lambda paper: paper.catalogue or paper.id)
    return _unique(entries, path, "key", lambda paper: paper.id)


def read_chapters(path: Path) -> dict[str, Chapter]:
    """Read and check a file of chapters; :func:`chapters` keeps the atlas's own.

    Raises:
        AtlasError: a malformed entry, or a name that occurs twice.
    """
    return _unique(_read(path, list[Chapter]), path, "name", lambda chapter: chapter.name)


def read_registry(path: Path) -> Registry:
    """Read and check one file of claims.

    Args:
        path: file named ``<chapter>.yml``.

    Raises:
        AtlasError: unknown chapter, kind, field, paper, preset or control; a duplicate id; two primary claims
            of one paper; a field that the kind needs is missing.
    """
    entry: Registry = _read(path, Registry)
    if entry.chapter != path.stem or entry.chapter not in chapters():
        _refuse(
            path,
            ("chapter",),
            f"got {entry.chapter!r}; the file is {path.stem}.yml, chapters are {list(chapters())}",
        )
    if "default" not in entry.presets:
        _refuse(path, ("presets",), f"needs 'default'; got {list(entry.presets)}")
    ids = [claim.id for claim in entry.claims]
    primaries: set[str] = set()
    for i, id in enumerate(ids):
        if id in ids[:i]:
            _refuse(path, ("claims", i, "id"), "this id occurs twice")
    for i, claim in enumerate(entry.claims):
        if claim.paper not in papers():
            _refuse(path, ("claims", i, "paper"), f"{claim.paper!r} is not a key in papers.yml")
        paper = papers()[claim.paper]
        if not (paper.venue and paper.link):
            _refuse(path, ("claims", i, "paper"), f"{claim.paper} lacks venue, or arxiv, doi and url, in papers.yml")
        for field, other in (("control", claim.control), ("of", claim.of)):
            if other is not None and other not in ids:
                _refuse(path, ("claims", i, field), f"{field} {other!r} is not a claim of this chapter")
        for preset in claim.scale:
            if preset not in entry.presets:
                _refuse(path, ("claims", i, "scale"), f"preset {preset!r} is none of {', '.join(entry.presets)}")
        if claim.primary and claim.paper in primaries:
            _refuse(path, ("claims", i, "primary"), f"{claim.paper} has a primary claim already")
        primaries |= {claim.paper} if claim.primary else set()
    return entry


def _read(path: Path, what: Any) -> Any:
    try:
        return TypeAdapter(what).validate_python(yaml.load(path.read_text(encoding="utf-8"), LOADER))
    except yaml.YAMLError as error:
        raise AtlasError(f"{path.name}: not YAML: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    loc, context, got = first["loc"], first.get("ctx", {}), first["input"]
    field = loc[-1] if loc else "file"
    problem = {
        "extra_forbidden": f"unknown field {field!r}",
        "missing": f"missing field {field!r}",
        "literal_error": f"{field} is {got!r}; allowed are {context.get('expected')}",
        "value_error": str(context.get("error")),
    }.get(first["type"], f"{field} is {got!r}: {first['msg']}")
    raise _complaint(path, loc, problem)


def _unique(entries: Sequence[Any], path: Path, field: str, name: Callable[[Any], str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for i, entry in enumerate(entries):
        if found.setdefault(name(entry), entry) is not entry:
            _refuse(path, (i, field), f"this {field} occurs twice")
    return found


def _refuse(path: Path, loc: tuple[str | int, ...], problem: str) -> None:
    raise _complaint(path, loc, problem)


def _complaint(path: Path, loc: tuple[str | int, ...], problem: str) -> AtlasError:
    """One line naming the file, the line that ``loc`` leads to as far as it exists, and the entry."""
    node, name = yaml.compose(path.read_text(encoding="utf-8"), LOADER), ""
    line = node.start_mark.line if node else 0
    for step in loc:
        if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
            line = node.start_mark.line
        elif isinstance(node, yaml.MappingNode):
            hits = [(key, value) for key, value in node.value if key.value == step]
            if not hits:
                break
            line, node = hits[0][0].start_mark.line, hits[0][1]
        if isinstance(node, yaml.MappingNode):
            names = [v.value for k, v in node.value if k.value in ("id", "key", "name", "catalogue")]
            name = f", {names[0]}" if names else name
    return AtlasError(f"{path.name}, line {line + 1}{name}: {problem}")
