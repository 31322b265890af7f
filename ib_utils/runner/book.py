"""The chapters of a checkout: where they are, and whether their stored outputs are current."""

import os
import re
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from .provenance import PACKAGE, cell_hash, modules_hash

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class InputError(ValueError):
    """Something the caller asked for does not exist or does not fit: one line, before any kernel starts."""


def root() -> Path:
    """The checkout's root: the nearest folder upwards that holds the book, else that of the package.

    Raises:
        InputError: outside a checkout, with a package that was not installed from one.
    """
    here = Path.cwd()
    for folder in (here, *here.parents, PACKAGE.parent):
        if (folder / "_config.yml").is_file() and (folder / "notebooks").is_dir():
            return folder
    raise InputError(f"{here} is not inside a checkout of the book (a folder with _config.yml and notebooks/)")


def chapters() -> list[str]:
    """Names of all chapters of the checkout, sorted."""
    return sorted(path.stem for path in (root() / "notebooks").glob("*.ipynb") if NAME.fullmatch(path.stem))


def notebook_path(chapter: str) -> Path:
    """The chapter's notebook in `notebooks/`.

    Raises:
        InputError: the checkout has no such chapter; a name cannot lead out of `notebooks/`.
    """
    known = chapters()
    if chapter not in known:
        raise InputError(f"no chapter {chapter!r}; {suggest(chapter, known)}")
    return root() / "notebooks" / f"{chapter}.ipynb"


def pages() -> list[str]:
    """Names of the pages of `book/` that are executed and stored like chapters, but make no claims."""
    return sorted(path.stem for path in (root() / "book").glob("*.ipynb") if NAME.fullmatch(path.stem))


def executable_path(name: str) -> Path:
    """The notebook of a page or chapter.

    Raises:
        InputError: there is neither.
    """
    return root() / "book" / f"{name}.ipynb" if name in pages() else notebook_path(name)


def suggest(name: str, known: Iterable[str]) -> str:
    """The end of an error line about an unknown name: the nearest known one, or all of them."""
    known = list(known)
    near = get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there is: {', '.join(known) or 'none'}"


def read(path: Path) -> NotebookNode:
    """The notebook in a file.

    Raises:
        InputError: the file is not a notebook.
    """
    try:
        return nbformat.read(path, as_version=4)
    except (nbformat.reader.NotJSONError, UnicodeDecodeError, AttributeError, KeyError) as error:
        raise InputError(f"{path.name} is not a notebook: {error or type(error).__name__}".splitlines()[0]) from error


def write_atomically(path: Path, text: str) -> None:
    """Writes a file under another name and renames it: under `path` there is the old text or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")  # of nobody else, on no other machine
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def stale(chapter: str) -> str | None:
    """Why the stored outputs of a chapter or page are not those of its present code; None if they are."""
    notebook = read(executable_path(chapter))
    stored = notebook.metadata.get("ib")
    if stored is None:
        return "unexecuted"
    if stored["cells"] != cell_hash(notebook):
        return "cells changed"
    if stored["modules"] != modules_hash(notebook, chapter):
        return "ib_utils changed"
    return None


@dataclass(frozen=True)
class Overview:
    """One line of `ib list`."""

    chapter: str
    title: str
    stale: str | None  # as `stale` says
    date: str | None  # day of the stored run, ISO
    seconds: float | None  # of the stored run
    verdicts: Counter[str]


def overview(chapter: str) -> Overview:
    """Title, state and verdicts of a chapter or page, read from its stored notebook."""
    from ib_utils import claims

    path = executable_path(chapter)
    notebook = read(path)
    headings = (re.match(r"#\s+(.+)", cell.source) for cell in notebook.cells if cell.cell_type == "markdown")
    stored = notebook.metadata.get("ib", {})
    return Overview(
        chapter=chapter,
        title=next((heading[1].strip() for heading in headings if heading), ""),
        stale=stale(chapter),
        date=stored.get("date"),
        seconds=stored.get("seconds"),
        verdicts=Counter((claim["scale"] and claim["verdict"]) or "unjudged" for claim in claims.from_notebook(path)),
    )
