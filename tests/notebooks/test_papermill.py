"""A chapter runs under papermill, with other parameters, from any folder; its results then count nowhere."""

import os
import subprocess
import sys

import papermill
import pytest

from ib_utils import claims, runner

CHEAP: dict[str, dict[str, object]] = {  # chapters for which another choice is cheaper
    "locality-weight-sharing": {"n_seeds": 2, "seed": 7, "n_seeds_signals": 2, "n_steps_images": 20},
    "no-free-lunch": {
        "n_seeds": 2,
        "seed": 7,
        "n_labelled": 4,
        "n_tasks": 20,
        "n_networks": 3,
        "n_runs": 10,
        "n_steps_bits": 30,
        "n_steps_regions": 30,
        "n_steps_monotone": 30,
    },
    "grokking": {
        "n_seeds": 2,
        "n_seeds_choice": 2,
        "seed": 7,
        "n_steps": 60,
        "n_steps_margin": 60,
        "n_steps_tensor": 60,
        "n_steps_letters": 40,
        "n_seeds_delay": 2,
    },
    "spectral-bias": {
        "n_seeds": 2,
        "seed": 7,
        "width_circle": 64,
        "n_steps_circle": 60,
        "n_steps_line": 20,
        "n_steps_signal": 20,
        "width_branches": 32,
        "n_steps_branches": 30,
        "n_steps_adjusted": 20,
        "n_steps_pixels": 20,
    },
    "simplicity-bias": {
        "n_seeds": 2,
        "seed": 7,
        "n_signals": 200,
        "n_steps_clones": 30,
        "n_steps_moments": 20,
        "n_steps_digits": 20,
        "n_examples_slabs": 500,
        "n_steps_slabs": 20,
        "n_steps_discs": 60,
    },
    "simplicity-bias-remedies": {
        "n_seeds": 2,
        "n_seeds_dominoes": 2,
        "seed": 7,
        "n_seeds_digits": 2,
        "n_steps_digits": 20,
        "n_steps_early": 5,
        "n_steps_features": 40,
        "n_steps_even": 60,
        "n_steps_dominoes": 20,
        "n_trials": 2,
    },
    "shortcuts": {
        "n_seeds": 2,
        "seed": 7,
        "n_seeds_point": 2,
        "n_networks": 2,
        "n_seeds_cues": 4,
        "n_steps_places": 20,
        "n_steps": 60,
        "n_steps_cues": 20,
        "n_steps_alone": 40,
        "n_functions": 200,
        "n_train": 200,
        "n_kernel": 100,
    },
    "shortcuts-harm": {
        "n_seeds": 2,
        "seed": 7,
        "n_steps": 60,
        "n_steps_contamination": 250,
        "n_steps_student": 40,
        "n_epochs": 3,
    },
    "implicit-regularisation": {
        "n_seeds": 2,
        "seed": 7,
        "n_seeds_few": 2,
        "n_targets": 4,
        "n_steps_digits": 20,
        "n_examples": 300,
    },
    "random-networks": {"n_seeds": 2, "seed": 7, "n_seeds_training": 2, "n_steps": 20, "n_draws": 2},
    "untrained-classifiers": {"n_seeds": 2, "seed": 7, "n_networks": 16, "n_boolean": 1000},
    "measuring-bias": {"n_seeds": 2, "seed": 7, "n_seeds_sphere": 2, "n_steps": 200, "n_draws": 2000},
    "probing-state": {
        "n_seeds": 2,
        "seed": 7,
        "n_pretraining_steps": 20,
        "n_probes": 2,
        "n_probe_steps": 5,
        "n_ascent_steps": 10,
        "n_grating_steps": 20,
    },
    "infinite-width": {"n_seeds": 2, "seed": 7, "n_networks_depth": 200, "n_networks_limits": 10, "n_steps": 20},
    "infinite-width-kernels": {
        "n_seeds": 2,
        "n_seeds_trained": 2,
        "n_seeds_features": 2,
        "seed": 7,
        "n_networks": 4,
        "n_steps": 10,
    },
    "locality-sample-complexity": {
        "n_seeds": 2,
        "seed": 7,
        "n_steps": 40,
        "n_steps_full": 40,
        "n_steps_images": 200,
    },
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
