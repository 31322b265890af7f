"""What the pages and the repository's own files say is true."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from ib_utils import atlas
from ib_utils.cli import app
from ib_utils.site.build import stage

ROOT = Path(__file__).parents[2]
PROSE = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "book").glob("*.md"))]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
CODE = [
    pytest.param(block, id=f"{path.name}-{i}")
    for path in PROSE
    for i, block in enumerate(PYTHON.findall(path.read_text(encoding="utf8")))
]


@pytest.mark.parametrize("code", CODE)
def test_code_quoted_in_prose_runs(code):
    exec(compile(code, "prose", "exec"), {})


@pytest.mark.parametrize("path", PROSE, ids=lambda path: path.name)
def test_quoted_commands_exist(path):
    text = path.read_text(encoding="utf8")
    verbs = set(re.findall(r"(?:`|\$ )ib ([a-z]+)", text))
    assert verbs <= set(get_command(app).commands)
    targets = set(re.findall(r"(?:`|\$ )make ([a-z]+)", text))
    assert targets <= set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.M))
    for chapter in re.findall(r"(?:notebooks/|ib run )([a-z0-9-]+)", text):
        assert chapter == "presets" or ROOT / "notebooks" / f"{chapter}.ipynb" in NOTEBOOKS


def test_every_kind_of_claim_is_explained():
    text = (ROOT / "book" / "reading.md").read_text(encoding="utf8")
    assert tuple(re.findall(r"^\| `([a-z]+)` \|", text, re.M)) == atlas.KINDS


def test_one_address_for_all():
    url = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]
    assert url in (ROOT / "README.md").read_text()
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["repository-code"] == url


def test_table_of_contents_lists_every_chapter():
    parts = yaml.safe_load((ROOT / "_toc.yml").read_text())["parts"]
    files = [Path(entry["file"]) for part in parts for entry in part["chapters"]]
    listed = [file.name for file in files if file.parent.name == "notebooks"]
    assert listed == [name for name in atlas.chapters() if name in listed]
    assert set(listed) == {notebook.stem for notebook in NOTEBOOKS}


def test_constraints_are_plain_versions():
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert lines
    for line in lines:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9a-z.]*", line), line


def test_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) < 120


def test_executed_chapters_replace_the_stored_ones(tmp_path):
    executed = tmp_path / "executed"
    executed.mkdir()
    for notebook in NOTEBOOKS:
        (executed / notebook.name).write_text("fresh")
    staged = stage(ROOT, tmp_path / "stage", executed=executed)
    assert {path.read_text() for path in (staged / "notebooks").glob("*.ipynb")} == {"fresh"}
    assert (staged / "book" / "claims.md").exists()
    assert (staged / "_toc.yml").exists()


def test_staging_names_a_chapter_that_was_not_executed(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"{NOTEBOOKS[0].stem} has not been executed"):
        stage(ROOT, tmp_path / "stage", executed=tmp_path)


@pytest.mark.parametrize("target", ["help", "book", "site", "test", "bench", "lint", "lock"])
def test_makefile_target_can_be_planned(target):
    done = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
