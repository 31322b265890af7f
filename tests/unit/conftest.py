"""A small book of its own for the tests of the runner."""

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

PARAMETERS = """\
n_seeds = 4  # replicates
learning_rate = 0.1  # step size
train_sizes = [10, 20]  # examples
text = "plain"  # any text
device = "auto"  # where to compute"""


def write_chapter(root: Path, name: str, *sources: str) -> Path:
    """A chapter with the parameters above and code cells with these sources."""
    cells = [
        new_markdown_cell(f"# The chapter {name}"),
        new_code_cell(
            PARAMETERS,
            metadata={
                "tags": ["parameters"],
                "ib": {
                    "parameters": {
                        "n_seeds": {"minimum": 2, "maximum": 64},
                        "device": {"choices": ["auto", "cpu"]},
                    }
                },
            },
        ),
        *map(new_code_cell, sources),
    ]
    path = root / "notebooks" / f"{name}.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    return path


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty checkout, and the current folder in it."""
    (tmp_path / "_config.yml").write_text("repository:\n  url: https://example.org/atlas\n")
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def chapter(book: Path) -> Callable[..., Path]:
    """Writes a chapter into the book: `chapter(name, *sources)`."""
    return lambda name, *sources: write_chapter(book, name, *sources)
