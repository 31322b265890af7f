"""A chapter runs under papermill, with other parameters, from any folder; its results then count nowhere."""

import os
import subprocess
import sys

import papermill
import pytest

from ib_utils import claims, runner

CHEAP: dict[str, dict[str, object]] = {  # chapters for which another choice is cheaper
    "locality-weight-sharing": {"n_seeds": 2, "seed": 7, "n_seeds_signals": 2, "n_steps_images": 20},
}
DEFAULT = {"n_seeds": 2, "seed": 7}


@pytest.mark.parametrize("chapter", runner.chapters())
def test_papermill_runs_a_chapter_with_other_parameters_from_another_folder(chapter, tmp_path):
    path, parameters = runner.notebook_path(chapter), CHEAP.get(chapter, DEFAULT)
    command = [sys.executable, "-m", "papermill", str(path), "out.ipynb", "--no-progress-bar"]
    for name, value in parameters.items():
        command += ["-p", name, str(value)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
    environment.pop("MPLBACKEND", None)  # the kernel's own, which shows figures
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]

    results = claims.from_notebook(tmp_path / "out.ipynb")
    assert results
    assert {(result["preset"], result["scale"]) for result in results} == {("custom", None)}
    cards = [
        output["data"]["text/html"]
        for cell in runner.read(tmp_path / "out.ipynb").cells
        for output in cell.get("outputs", [])
        if claims.MIME in output.get("data", {})
    ]
    assert all("custom" in card for card in cards)


@pytest.mark.parametrize("chapter", runner.chapters())
def test_papermill_sees_the_parameters_that_we_see(chapter):
    path = runner.notebook_path(chapter)
    assert list(papermill.inspect_notebook(path)) == list(runner.parameters(runner.read(path)))
