"""Papers, chapters, BibTeX and claims hang together, and what cannot be right is refused with its place."""

from __future__ import annotations

import copy
import re
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
        "redraws": ["init"],
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


def test_every_paper_has_a_chapter_and_a_bibtex_entry_and_the_reverse() -> None:
    keys = re.findall(r"^@\w+\{([^,]+),", (ROOT / "book" / "references.bib").read_text(), flags=re.MULTILINE)
    assert len(keys) == len(set(keys))
    assert set(keys) == set(atlas.papers())
    assert {paper.chapter for paper in atlas.papers().values()} <= set(atlas.chapters())


def test_bibtex_and_atlas_agree_on_title_and_year() -> None:
    text = (ROOT / "book" / "references.bib").read_text()
    for key, paper in atlas.papers().items():
        body = re.search(rf"\{{{key},(.*?)^\}}", text, flags=re.DOTALL | re.MULTILINE)
        assert body is not None
        fields = dict(re.findall(r"^\s*(\w+)\s*=\s*\{(.*)\},?$", body[1], flags=re.MULTILINE))
        assert fields["title"].replace("{", "").replace("}", "") == paper.title
        assert int(fields["year"]) == paper.year
        assert all(author.split()[-1] in fields["author"] for author in paper.authors)


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
