"""What running costs beyond the notebook itself: read the ratios and the numbers beside the times.

The contract is: `ib run` adds at most 1.5 s; workers hardly wait between trivial runs; 10,000 records are collected in
under 5 s. Times depend on the machine and on who else is using it, so nothing here passes or fails on one.
"""

import json
import os
import subprocess
import sys
from itertools import count
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from ib_utils import runner

N_SWEPT = 200
N_RECORDS = 10_000


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A book with a chapter that does nothing."""
    (tmp_path / "_config.yml").touch()
    (tmp_path / "notebooks").mkdir()
    cell = new_code_cell("seed = 0  # any", metadata={"tags": ["parameters"]})
    nbformat.write(new_notebook(cells=[cell, new_code_cell("1 + 1")]), tmp_path / "notebooks" / "tiny.ipynb")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.benchmark(group="one run")
@pytest.mark.parametrize("command", ["jupyter execute", "ib run"])
def test_one_run(benchmark, book, command):
    seeds = count()
    programs = {
        "jupyter execute": lambda: ["-m", "nbclient.cli", "notebooks/tiny.ipynb"],
        "ib run": lambda: ["-m", "ib_utils.cli", "run", "tiny", "-p", f"seed={next(seeds)}"],
    }

    def call():
        subprocess.run([sys.executable, *programs[command]()], cwd=book, check=True, capture_output=True)

    benchmark.pedantic(call, rounds=5)


@pytest.mark.benchmark(group="200 trivial runs")
def test_two_workers_hardly_wait(benchmark, book):
    def sweep():
        return runner.sweep("tiny", {"seed": range(N_SWEPT)}, jobs=2)

    before = os.times()
    outcomes = benchmark.pedantic(sweep, rounds=1)
    after = os.times()
    assert all(outcome.ok for outcome in outcomes)
    wall = benchmark.stats.stats.total
    processor = sum(after[:4]) - sum(before[:4])  # ours, and that of all children that have ended
    benchmark.extra_info["share of the time in which a worker has a run"] = (
        sum(outcome.seconds for outcome in outcomes) / 2 / wall
    )
    benchmark.extra_info["share of two cores"] = processor / 2 / wall


@pytest.mark.benchmark(group="10,000 records")
def test_collecting(benchmark, tmp_path):
    recorded = Path(__file__).parents[2] / "book" / "recorded" / "locality-weight-sharing.json"
    record = json.loads(recorded.read_text(encoding="utf-8"))
    record["claims"] = record["claims"][:2]
    for i in range(N_RECORDS):
        folder = tmp_path / "tiny" / f"{i:012x}"
        folder.mkdir(parents=True)
        record["parameters"]["seed"] = i
        (folder / "record.json").write_text(json.dumps(record, indent=1))
    table = benchmark.pedantic(runner.collect, (tmp_path,), rounds=3)
    assert len(table) == 2 * N_RECORDS
