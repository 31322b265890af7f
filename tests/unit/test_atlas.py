"""Papers, chapters, BibTeX and claims hang together, and what cannot be right is refused with its place."""

from __future__ import annotations

import copy
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ib_utils import atlas

ROOT = Path(__file__).parents[2]
CHAPTER = "locality-weight-sharing"


def entry(id: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": id,
        "paper": "greydanus2024scaling",
        "statement": "A beats B.",
        "kind": "direction",
        "quantity": "a minus b",
        "redraws": ["init", "data"],
        "scale": {"default": "reduced"},
        **fields,
    }


GOOD: dict[str, Any] = {
    "chapter": CHAPTER,
    "parameters": ["seed"],
    "presets": {"default": "0123456789ab", "full": "ba9876543210"},
    "claims": [
        entry("main", control="reversed"),
        entry("reversed"),
        entry("unmoved", kind="null", of="main"),
    ],
}


@pytest.fixture
def read(tmp_path: Path) -> Callable[[dict[str, Any]], atlas.Registry]:
    def write_and_read(content: dict[str, Any]) -> atlas.Registry:
        path = tmp_path / f"{CHAPTER}.yml"
        path.write_text(yaml.safe_dump(content, sort_keys=False))
        return atlas.read_registry(path)

    return write_and_read


# The atlas as it stands


BIB = (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
BIB_KEYS = re.findall(r"^@\w+\{([^,]+),", BIB, flags=re.MULTILINE)


def claimed() -> set[str]:
    return {claim.paper for registry in atlas.registries().values() for claim in registry.claims}


def test_papers_with_a_claim_can_be_cited_and_bibtex_knows_no_other_keys() -> None:
    assert len(BIB_KEYS) == len(set(BIB_KEYS))
    assert claimed() <= set(BIB_KEYS) <= set(atlas.papers())
    for key in claimed():
        paper = atlas.papers()[key]
        assert paper.key == key
        assert paper.authors
        assert paper.year
        assert paper.venue
        assert paper.link.startswith("https://")


def test_bibtex_and_atlas_agree_on_title_year_and_authors() -> None:
    for key in BIB_KEYS:
        paper = atlas.papers()[key]
        body = re.search(rf"\{{{key},(.*?)^\}}", BIB, flags=re.DOTALL | re.MULTILINE)
        assert body is not None
        fields = dict(re.findall(r"^\s*(\w+)\s*=\s*\{(.*)\},?$", body[1], flags=re.MULTILINE))
        assert fields["title"].replace("{", "").replace("}", "") == paper.title
        assert int(fields["year"]) == paper.year
        assert all(author.split()[-1] in fields["author"] for author in paper.authors)


def test_papers_are_named_once_and_lie_in_chapters() -> None:
    papers = atlas.papers().values()
    assert len(papers) >= 463
    for field in ("key", "catalogue", "title"):
        values = [getattr(paper, field) for paper in papers if getattr(paper, field)]
        assert len(values) == len(set(values)), field
    assert {paper.chapter for paper in papers} == {*atlas.chapters(), None}
    assert all(paper.arxiv is None or re.fullmatch(r"\d{4}\.\d{4,5}", paper.arxiv) for paper in papers)
    assert all(paper.doi is None or paper.doi.startswith("10.") for paper in papers)
    assert all(paper.year is None or 1950 <= paper.year <= 2030 for paper in papers)


def test_papers_stand_in_the_order_of_the_book_and_parts_are_not_torn() -> None:
    order = {name: place for place, name in enumerate(atlas.chapters())} | {None: len(atlas.chapters())}
    places = [order[paper.chapter] for paper in atlas.papers().values()]
    assert places == sorted(places)
    parts = [chapter.part for chapter in atlas.chapters().values()]
    assert [part for i, part in enumerate(parts) if part not in parts[:i]] == [
        part for i, part in enumerate(parts) if i == 0 or parts[i - 1] != part
    ]
    assert all(chapter.question.endswith("?") for chapter in atlas.chapters().values())


def test_the_status_of_a_paper_is_derived() -> None:
    papers = atlas.papers()
    paper = papers["greydanus2024scaling"]

    def status(*tested: str, **fields: Any) -> str:
        return atlas.status(paper.model_copy(update=fields), tested)

    assert status(paper.id) == "tested"
    assert [status(reach=reach) for reach in ("cpu", "gpu", "paper")] == ["planned"] * 3
    assert status(reach="large") == "beyond one GPU"
    assert status(reach="none") == status(chapter=None) == "outside the subject"
    assert status(paper.id, reach="large") == "tested"  # what was done counts, not what was thought possible
    uncited = paper.model_copy(update={"key": None, "catalogue": "some-paper"})
    assert (uncited.id, atlas.status(uncited, {"some-paper"})) == ("some-paper", "planned")
    assert {atlas.status(paper, claimed()) for paper in papers.values()} == set(atlas.STATUSES)


def test_errata_are_the_histories_latest_first() -> None:
    errata = atlas.errata()
    dates = [erratum.change.date for erratum in errata]
    assert dates == sorted(dates, reverse=True)
    histories = [change for r in atlas.registries().values() for claim in r.claims for change in claim.history]
    assert len(errata) == len(histories) > 0
    assert all(erratum.change in erratum.claim.history for erratum in errata)
    assert {erratum.chapter for erratum in errata} <= set(atlas.registries())


def test_the_atlas_is_read_at_once() -> None:
    code = "import time, ib_utils.atlas as a; t = time.perf_counter(); a.papers(); print(time.perf_counter() - t)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 1  # 0.03 s; without libyaml 0.25 s


def test_every_registry_can_be_read_and_cites_its_papers() -> None:
    registries = atlas.registries()
    assert CHAPTER in registries
    for registry in registries.values():
        assert {claim.paper for claim in registry.claims} <= set(atlas.papers())


def test_citations_shorten_the_list_of_authors() -> None:
    paper = atlas.papers()["greydanus2024scaling"]
    assert paper.citation == "Greydanus & Kobak (2024)"
    assert paper.link == "https://arxiv.org/abs/2011.14439"
    three = paper.model_copy(update={"authors": ("A B", "C D", "E F"), "doi": "10.1/x"})
    assert (three.citation, three.link) == ("B et al. (2024)", "https://doi.org/10.1/x")
    two = paper.model_copy(update={"authors": ("Laurens van der Maaten", "Francesco Di Giovanni")})
    assert two.citation == "van der Maaten & Di Giovanni (2024)"
    unknown = paper.model_copy(update={"authors": (), "arxiv": None, "url": None})
    assert (unknown.citation, unknown.link) == ("", "")


# What is refused


def test_a_good_registry_is_read(read: Callable[[dict[str, Any]], atlas.Registry]) -> None:
    registry = read(GOOD)
    assert [claim.id for claim in registry.controls(registry["main"])] == ["reversed", "unmoved"]
    with pytest.raises(KeyError):
        registry["nobody"]


PUBLISHED = {"value": 0.5, "where": "Table 1"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "vibes"}, "kind is 'vibes'; allowed are 'direction', 'contrast', 'null'"),
        ({"edges": [0, 1]}, "unknown field 'edges'"),
        ({"paper": "nobody2020nothing"}, "'nobody2020nothing' is not a key in papers.yml"),
        ({"control": "missing"}, "control 'missing' is not a claim of this chapter"),
        ({"of": "missing"}, "of 'missing' is not a claim of this chapter"),
        ({"control": "reversed"}, "cannot be its own control"),
        ({"id": "main"}, "this id occurs twice"),
        ({"id": "Not an id"}, "id is 'Not an id'"),
        ({"scale": {}}, "scale is {}"),
        ({"scale": {"gpu": "full"}}, "preset 'gpu' is none of default, full"),
        ({"scale": {"default": "tiny"}}, "default is 'tiny'; allowed are 'reduced', 'full' or 'analogue'"),
        ({"kind": "null"}, "kind null needs `of`"),
        ({"kind": "contrast"}, "kind contrast needs `of`"),
        ({"kind": "size", "scale": {"full": "full"}}, "kind size needs a published value"),
        ({"kind": "retain", "shown_as": "factor"}, "kind retain needs a published value"),
        ({"kind": "retain", "shown_as": "factor", "published": {"where": "Table 1"}}, "retain needs a published value"),
        ({"low": 0.0}, "unknown field 'low'"),
        ({"verdict": "holds"}, "unknown field 'verdict'"),
        ({"redraws": ["init"]}, "replicates share their data"),
        ({"redraws": []}, "replicates share their data"),
        ({"redraws": ["init"], "fixed": "these images"}, "name what is `fixed` as in the statement"),
        ({"kind": "size", "published": PUBLISHED}, "judged at full scale only; preset 'default' is not"),
        ({"kind": "retain", "published": PUBLISHED}, "kind retain needs a scale-free quantity"),
        ({"published": {"value": 0.5}}, "missing field 'where'"),
        ({"published": {**PUBLISHED, "value": float("nan")}}, "value is nan"),
        ({"redraws": ["init", "weather"]}, "is 'weather'; allowed are 'init'"),
    ],
)
def test_a_claim_that_cannot_be_right_is_refused_in_one_line(
    read: Callable[[dict[str, Any]], atlas.Registry], fields: dict[str, Any], message: str
) -> None:
    content = copy.deepcopy(GOOD)
    content["claims"][1].update(fields)
    with pytest.raises(atlas.AtlasError) as error:
        read(content)
    text = str(error.value)
    assert message in text
    assert re.match(rf"{CHAPTER}\.yml, line \d+, {fields.get('id', 'reversed')}: ", text)
    assert "\n" not in text


def test_the_line_named_is_the_line_of_the_field(read: Callable[[dict[str, Any]], atlas.Registry]) -> None:
    content = copy.deepcopy(GOOD)
    content["claims"][2]["kind"] = "vibes"
    with pytest.raises(atlas.AtlasError) as error:
        read(content)
    lines = yaml.safe_dump(content, sort_keys=False).splitlines()
    assert f"line {lines.index('  kind: vibes') + 1}," in str(error.value)


@pytest.mark.parametrize("field", ["id", "paper", "statement", "kind", "quantity", "redraws", "scale"])
def test_a_missing_field_is_named_at_the_line_of_its_claim(
    read: Callable[[dict[str, Any]], atlas.Registry], field: str
) -> None:
    content = copy.deepcopy(GOOD)
    del content["claims"][1][field]
    with pytest.raises(atlas.AtlasError) as error:
        read(content)
    lines = yaml.safe_dump(content, sort_keys=False).splitlines()
    claims = [i for i, line in enumerate(lines, start=1) if line.startswith("- ") and i > lines.index("claims:")]
    name = "" if field == "id" else ", reversed"
    assert str(error.value) == f"{CHAPTER}.yml, line {claims[1]}{name}: missing field {field!r}"


def test_replicates_may_share_what_the_statement_names(read: Callable[[dict[str, Any]], atlas.Registry]) -> None:
    content = copy.deepcopy(GOOD)
    content["claims"][1] |= {"redraws": ["init"], "fixed": "these digits", "statement": "On these digits A beats B."}
    assert read(content)["reversed"].fixed == "these digits"
    content["claims"][1] |= {"redraws": [], "kind": "identity", "fixed": None}
    assert read(content)["reversed"].kind == "identity"


def test_a_claim_needs_a_paper_that_can_be_found(
    read: Callable[[dict[str, Any]], atlas.Registry], monkeypatch: pytest.MonkeyPatch
) -> None:
    papers = dict(atlas.papers())
    papers["greydanus2024scaling"] = papers["greydanus2024scaling"].model_copy(update={"venue": ""})
    monkeypatch.setattr(atlas, "papers", lambda: papers)
    with pytest.raises(atlas.AtlasError, match=r"line \d+, main: greydanus2024scaling lacks venue, or arxiv"):
        read(GOOD)


def test_two_primary_claims_of_one_paper_are_refused(
    read: Callable[[dict[str, Any]], atlas.Registry],
) -> None:
    content = copy.deepcopy(GOOD)
    for claim in content["claims"][:2]:
        claim["primary"] = True
    with pytest.raises(atlas.AtlasError, match="reversed: greydanus2024scaling has a primary claim already"):
        read(content)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"chapter": "no-such-chapter"}, "got 'no-such-chapter'; the file is"),
        ({"presets": {"full": "ba9876543210"}}, "needs 'default'"),
        ({"presets": {"default": 123456789012}}, "default is 123456789012"),
        ({"claims": []}, "claims is"),
        ({"verdicts": []}, "unknown field 'verdicts'"),
    ],
)
def test_a_registry_that_cannot_be_right_is_refused(
    read: Callable[[dict[str, Any]], atlas.Registry], fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(atlas.AtlasError, match=re.escape(message)):
        read({**copy.deepcopy(GOOD), **fields})


def test_files_that_are_no_registry_are_refused(tmp_path: Path) -> None:
    path = tmp_path / f"{CHAPTER}.yml"
    for text in ("", "claims: [", "just words"):
        path.write_text(text)
        with pytest.raises(atlas.AtlasError, match=path.name):
            atlas.read_registry(path)
    with pytest.raises(atlas.AtlasError, match=f"chapter 'nowhere'; registered are: .*{CHAPTER}"):
        atlas.registry("nowhere")


PAPER: dict[str, Any] = {
    "key": "doe2020word",
    "title": "On Words",
    "authors": ["Jane Doe"],
    "year": 2020,
    "chapter": CHAPTER,
    "claim": "A beats B.",
    "reach": "cpu",
    "catalogue": "on-words",
}


def write(path: Path, entries: list[dict[str, Any]]) -> Path:
    path.write_text(yaml.safe_dump(entries, sort_keys=False))
    return path


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"chapter": "nowhere"}, "'nowhere' is not a chapter in chapters.yml"),
        ({"title": None}, "title is None"),
        ({"reach": "far"}, "reach is 'far'; allowed are 'cpu', 'gpu', 'paper', 'large' or 'none'"),
        ({"status": "tested"}, "unknown field 'status'"),
        ({"key": "Doe 2020"}, "key is 'Doe 2020'"),
        ({"authors": []}, "a key needs the citation: authors and year"),
        ({"year": None}, "a key needs the citation: authors and year"),
        ({"key": None, "catalogue": None}, "key or catalogue is needed"),
        ({"reach": "large"}, "reach large needs `why`, one line"),
        ({"chapter": None}, "chapter None and reach cpu needs `why`"),
        ({"why": "too far"}, "has no use for `why`"),
        ({"key": "first2020word"}, "this key occurs twice"),
        ({"catalogue": "first-words"}, "this catalogue occurs twice"),
        ({"title": "first words"}, "this title occurs twice"),
    ],
)
def test_a_paper_that_cannot_be_right_is_refused_with_its_line(
    tmp_path: Path, fields: dict[str, Any], message: str
) -> None:
    first = PAPER | {"key": "first2020word", "catalogue": "first-words", "title": "First Words"}
    assert set(atlas.read_papers(write(tmp_path / "papers.yml", [first, PAPER]))) == {"first2020word", "doe2020word"}
    path = write(tmp_path / "papers.yml", [first, PAPER | fields])
    with pytest.raises(atlas.AtlasError) as error:
        atlas.read_papers(path)
    text, lines = str(error.value), path.read_text().splitlines()
    assert message in text
    found = re.match(r"papers\.yml, line (\d+)", text)
    assert found is not None
    here = int(found[1])
    second = max(i for i, line in enumerate(lines, start=1) if line.startswith("- "))
    assert here >= second
    (field,) = list(fields)[-1:]
    assert here == second or lines[here - 1].strip().startswith(f"{field}:")
    assert "\n" not in text


def test_a_chapter_that_cannot_be_right_is_refused_with_its_line(tmp_path: Path) -> None:
    entry = {"name": "words", "title": "Words", "question": "Why?", "part": "One"}
    assert atlas.read_chapters(write(tmp_path / "chapters.yml", [entry]))["words"].summary is None
    path = write(tmp_path / "chapters.yml", [entry, dict(entry)])
    with pytest.raises(atlas.AtlasError, match=r"chapters\.yml, line 5, words: this name occurs twice"):
        atlas.read_chapters(path)
    del entry["question"]
    with pytest.raises(atlas.AtlasError, match=r"chapters\.yml, line 1, words: missing field 'question'"):
        atlas.read_chapters(write(path, [entry]))
