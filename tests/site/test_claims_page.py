"""The claims page is a view of the stored notebooks: it shows them and notices what is wrong."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest

from ib_utils import atlas, claims, runner
from ib_utils.site import pages

ROOT = Path(__file__).parents[2]
CHAPTER = "locality-weight-sharing"
NOTEBOOK = ROOT / "notebooks" / f"{CHAPTER}.ipynb"


def render(folder: Path) -> str:
    """Builds a book of one chapter and the claims page; returns Sphinx's warnings."""
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace

    warnings = io.StringIO()
    settings = {
        "extensions": ["myst_nb", "ib_utils.site"],
        "root_doc": "book/claims",
        "nb_execution_mode": "off",
        "suppress_warnings": ["myst", "toc", "mystnb"],
        "html_theme": "basic",
    }
    folders = (folder, None, folder / "html", folder / "doctrees")
    with docutils_namespace():
        Sphinx(*folders, "html", confoverrides=settings, status=None, warning=warnings).build()
    return warnings.getvalue()


@pytest.fixture
def book(tmp_path: Path) -> Path:
    (tmp_path / "book").mkdir()
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "book" / "claims.md").write_text("# All claims\n\n```{ib-claims}\n```\n")
    shutil.copy(NOTEBOOK, tmp_path / "notebooks")
    return tmp_path


def change(book: Path, edit) -> None:
    """Applies `edit(claim) -> claim or None` to every stored claim of the book's chapter."""
    path = book / "notebooks" / NOTEBOOK.name
    notebook = json.loads(path.read_text(encoding="utf8"))
    for cell in notebook["cells"]:
        for output in list(cell.get("outputs", [])):
            if claims.MIME in output.get("data", {}):
                changed = edit(output["data"][claims.MIME])
                if changed is None:
                    cell["outputs"].remove(output)
                else:
                    output["data"][claims.MIME] = changed
    path.write_text(json.dumps(notebook), encoding="utf8")


def test_faithful_notebook_gives_no_warning(book):
    assert "ib_utils" not in render(book)
    html = (book / "html" / "book" / "claims.html").read_text(encoding="utf8")
    for claim in atlas.registry(CHAPTER).claims:
        assert f'id="row-{CHAPTER}-{claim.id}"' in html
        assert f'href="../notebooks/{CHAPTER}.html#claim-{claim.id}"' in html


@pytest.mark.parametrize(
    ("edit", "complaint"),
    [
        (lambda claim: None, "missing from the outputs"),
        (lambda claim: {**claim, "id": "never-registered"}, "'never-registered' is not in the registry"),
        (lambda claim: {**claim, "registration": "0" * 12}, "ran under registration 000000000000"),
    ],
    ids=["missing", "unknown", "other-registration"],
)
def test_unfaithful_notebook_gives_a_warning_that_names_notebook_and_claim(book, edit, complaint):
    victim = atlas.registry(CHAPTER).claims[1].id
    change(book, lambda claim: edit(claim) if claim["id"] == victim else claim)
    lines = [line for line in render(book).splitlines() if complaint in line]
    assert len(lines) == 1
    assert f"notebooks/{CHAPTER}.ipynb" in lines[0]
    assert victim in lines[0] or "never-registered" in lines[0]


def test_part_without_chapters_is_named_in_a_warning(book):
    page = book / "book" / "claims.md"
    page.write_text(page.read_text() + "\n```{ib-chapters} Nowhere\n```\n")
    (line,) = (line for line in render(book).splitlines() if "Nowhere" in line)
    part = atlas.chapters()[CHAPTER].part
    assert f"no chapter is in a part 'Nowhere'; there is: {part}" in line


def test_claim_stored_twice_is_noticed():
    registered = {"a": "1"}
    claim = {"id": "a", "registration": "1", "preset": "default"}
    assert pages.disagreements([claim], registered) == []
    assert pages.disagreements([claim, claim], registered) == ["claim 'a' is stored 2 times"]


def test_recorded_run_stands_beside_the_default_run_and_says_when_it_is_outdated(tmp_path):
    stored = claims.from_notebook(NOTEBOOK)
    now = pages.registrations(CHAPTER, preset="full")
    recorded = [{**claim, "preset": "full", "registration": now[claim["id"]]} for claim in stored]
    recorded[0]["registration"] = "0" * 12
    cells = runner.cell_hash(runner.read(NOTEBOOK))
    run = {"preset": "full", "cells": cells, "device": "cpu", "seconds": 125.0, "date": "2026-01-02T03:04:05",
           "commit": None}  # fmt: skip
    record = tmp_path / "record.json"
    record.write_text(json.dumps({**run, "claims": recorded}))

    chapter = pages.read_chapter(NOTEBOOK, record=record, url="chapter.html")
    assert chapter.outdated == {recorded[0]["id"]}
    html = pages.render_chapter(chapter)
    assert html.count('data-label="Recorded run"') == len(stored)
    assert html.count("outdated") == 1
    shown = [chapter.shown(claim)["preset"] for claim in chapter.claims]
    assert set(shown) == {"default"}  # a recorded run that does not judge either replaces nothing
    assert "cpu, 2 min, 2026-01-02" in html

    record.write_text(json.dumps({**run, "cells": "0" * 12, "claims": recorded}))
    old = pages.read_chapter(NOTEBOOK, record=record, url="chapter.html")
    assert len(old.outdated) == len(recorded)  # other code may have judged an arm by another rule


def test_claim_that_the_default_run_leaves_is_shown_with_a_current_recorded_verdict_only():
    fields = {"kind": "size", "primary": True, "preset": "default", "confidence": 0.95, "reason": None, "scale": None}
    left, judged = (
        {"chapter": "name", "id": id, "verdict": v, **fields} for id, v in [("left", None), ("judged", "holds")]
    )
    recorded = {
        claim["id"]: {**claim, "preset": "full", "verdict": "fails", "scale": "full"} for claim in (left, judged)
    }
    chapter = pages.Chapter("name", "Title", "url", [left, judged], recorded)
    assert [chapter.shown(claim)["verdict"] for claim in chapter.claims] == ["fails", "holds"]
    assert "Recorded runs" in pages.render_counts([chapter])
    assert '<option value="full">' in pages.render_claims_filter([chapter])
    old = pages.Chapter("name", "Title", "url", [left, judged], recorded, outdated=frozenset(recorded))
    assert [old.shown(claim)["verdict"] for claim in old.claims] == [None, "holds"]
    assert "Recorded runs" not in pages.render_counts([old])


def test_counts_add_up_and_keep_identities_apart():
    def claim(kind, primary, verdict):
        fields = {"chapter": "name", "id": kind, "preset": "default", "confidence": 0.95, "reason": None}
        return {"kind": kind, "primary": primary, "verdict": verdict, **fields}

    chapter = pages.Chapter(
        "name",
        "Title",
        "url",
        [
            claim("direction", True, "holds"),
            claim("direction", True, "fails"),
            claim("size", False, None),
            claim("identity", True, "holds"),
        ],
    )
    html = pages.render_counts([chapter])
    assert html.count("<table") == 1
    cells = [row.split("<td")[1:] for row in html.split("<tr>")[2:]]
    counts = [[int(cell.partition(">")[2].partition("<")[0]) for cell in row] for row in cells]
    assert counts == [[1, 0, 1], [1, 0, 0], [0, 0, 0], [0, 1, 0], [2, 1, 1]]


def test_counts_say_what_chance_and_the_correction_for_many_tests_leave():
    fields = {"kind": "direction", "preset": "default", "confidence": 0.95, "reason": None, "primary": True}
    verdicts = {"clear": ("holds", 1e-6), "lucky": ("holds", 0.049), "none": ("undecided", 0.5)}
    stored = [
        {"chapter": "name", "id": id, "verdict": verdict, "p_value": p, **fields}
        for id, (verdict, p) in verdicts.items()
    ]
    html = pages.render_counts([pages.Chapter("name", "Title", "url", stored)])
    assert "Of the 2 primary claims that hold, 1 still do" in html
    assert "at most 0.1 of the 3 judged ones hold" in html


def test_survivor_of_the_correction_is_marked():
    stored = claims.from_notebook(NOTEBOOK)
    first = next(claim["id"] for claim in stored if claim["primary"])
    html = pages.render_chapter(pages.Chapter(CHAPTER, "Title", "url", stored), {(CHAPTER, first)})
    assert html.count("survives") == 1
    assert "survives" in html.partition(f'id="row-{CHAPTER}-{first}"')[2].partition("</tr>")[0]


def test_statements_are_text_not_markup():
    stored = claims.from_notebook(NOTEBOOK)[:1]
    stored[0]["statement"] = "error < 5 % & <b>bold</b>"
    html = pages.render_chapter(pages.Chapter(CHAPTER, "Title", "url", stored))
    assert "error &lt; 5 % &amp; &lt;b&gt;bold&lt;/b&gt;" in html
