"""The stored summary of every chapter comes out again; nbval, as we call it, notices when one does not."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from ib_utils import runner


def nbval(path: Path, folder: Path) -> subprocess.CompletedProcess:
    options = ["-p", "no:cacheprovider", "--nbval-lax", "--nbval-current-env", "-q"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
    environment.pop("MPLBACKEND", None)  # the kernel's own, which shows figures
    command = [sys.executable, "-m", "pytest", *options, str(path)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("chapter", runner.chapters())
def test_the_stored_summary_comes_out_again(chapter):
    done = nbval(runner.notebook_path(chapter), runner.root())
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize(
    ("stored", "tags", "passes"),
    [
        ("a-claim: holds\n", ["nbval-check-output"], True),
        ("a-claim: fails\n", ["nbval-check-output"], False),
        ("a-claim: fails\n", [], True),  # only the tagged cell is compared
    ],
)
def test_nbval_fails_exactly_on_a_wrong_output_of_the_tagged_cell(tmp_path, stored, tags, passes):
    cell = new_code_cell("print('a-claim: holds')", execution_count=1, metadata={"tags": tags})
    cell.outputs = [new_output("stream", text=stored)]
    nbformat.write(new_notebook(cells=[cell]), tmp_path / "tiny.ipynb")
    done = nbval(tmp_path / "tiny.ipynb", tmp_path)
    assert (done.returncode == 0) == passes, done.stdout
    assert ("1 passed" if passes else "1 failed") in done.stdout
