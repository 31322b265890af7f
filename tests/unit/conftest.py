"""A small book of its own for the tests of the runner."""

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from ib_utils.claims import MIME

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


# Of the kind that `check` gives, in a cell: the interval moves with n_seeds, and clears its edge above 4 of them.
CLAIM = f"""\
from IPython.display import display
record = {{
    "id": "a-claim", "paper": "a2020", "primary": True, "statement": "It works.", "kind": "direction",
    "quantity": "a difference", "redraws": ["init"], "published": None, "scale": None, "preset": "custom",
    "control": None, "of": None, "shown_as": "points", "edges": [0.0, None], "estimate": n_seeds / 10 - 0.3,
    "interval": [n_seeds / 10 - 0.45, n_seeds / 10 - 0.15], "n": n_seeds, "spread": 0.1, "method": "t",
    "confidence": 0.95, "parts": [], "margin": 1.0, "p_value": 0.01,
    "verdict": "holds" if n_seeds > 4 else "undecided" if n_seeds > 1 else "fails", "robust": "fragile",
    "reason": None, "registration": "0" * 12,
}}
display({{{MIME!r}: record, "text/plain": "a card"}}, raw=True)"""


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
