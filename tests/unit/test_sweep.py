"""Sweeps: which runs a grid has, and that after any kill, at any moment, the same command ends with the same table."""

import io
import itertools
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace

import distributed
import psutil
import pytest
from conftest import CLAIM, write_chapter
from pandas.testing import assert_frame_equal
from rich.console import Console

from ib_utils import runner
from ib_utils.runner import InputError, cluster, sweeping
from ib_utils.runner.progress import SweepProgress

# What is a grid


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        ("n_seeds=2:5", "n_seeds", [2, 3, 4]),
        ("n_seeds=2:12:5", "n_seeds", [2, 7]),
        ("n_seeds=4,2", "n_seeds", [4, 2]),
        ("n_seeds=[4,2]", "n_seeds", [4, 2]),
        ("n_seeds=3", "n_seeds", [3]),
        ("learning_rate=1e-3,1", "learning_rate", [0.001, 1.0]),
        ("train_sizes=[5],[5, 6]", "train_sizes", [[5], [5, 6]]),
        ("train_sizes=[5, 6]", "train_sizes", [[5, 6]]),
        ("text=no,0:5,1", "text", ["no", "0:5", "1"]),
        ("text=\"a, 'b'\"", "text", ["a, 'b'"]),
    ],
)
def test_what_to_sweep_is_a_range_or_values_by_commas(chapter, text, name, values):
    chapter("tiny")
    assert json.dumps(runner.parse_grid("tiny", [text])) == json.dumps({name: values})


@pytest.mark.parametrize(
    "assignments",
    [
        ["n_seeds"],
        ["n_seed=2:5"],
        ["n_seeds=5:2"],
        ["n_seeds=0:5"],  # 0 and 1 are below the minimum
        ["n_seeds=2,many"],
        ["n_seeds=2,["],
        ["n_seeds=2:3", "n_seeds=3:4"],
        ["n_seeds=!!python/name:os.system"],
        ["train_sizes=5,6"],
        ["learning_rate=0:1000000000000000000000"],
        ["learning_rate=0:1000", "train_sizes=" + ",".join(["[1]"] * 101)],
        [],
    ],
)
def test_a_grid_that_does_not_fit_is_refused_in_one_line(chapter, assignments):
    chapter("tiny")
    with pytest.raises(InputError) as caught:
        runner.parse_grid("tiny", assignments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({"chapter": "../tiny"}, "no chapter '../tiny'"),
        ({"grid": {}}, "nothing to sweep"),
        ({"grid": {"n_seeds": ["3"]}}, "n_seeds takes a whole number"),
        ({"parameters": {"n_seeds": 3}}, "n_seeds is both swept and fixed"),
        ({"preset": "full"}, "no preset 'full'"),
        ({"jobs": 0}, "jobs has to be at least 1"),
        ({"jobs": 2, "scheduler": "tcp://127.0.0.1:1"}, "is for this machine"),
        ({"scheduler": "tcp://127.0.0.1:1"}, "no scheduler answers at 'tcp://127.0.0.1:1'"),
        ({"scheduler": "nonsense://"}, "no scheduler answers at 'nonsense://'"),
    ],
)
def test_bad_input_is_refused_in_one_line_before_a_kernel_starts(book, chapter, monkeypatch, arguments, line):
    chapter("tiny", "open('ran', 'w')")
    monkeypatch.setattr(sweeping, "PATIENCE", 0.5)
    with pytest.raises(InputError, match=re.escape(line)) as caught:
        runner.sweep(**{"chapter": "tiny", "grid": {"n_seeds": [2]}} | arguments)
    assert "\n" not in str(caught.value)
    assert not (book / "notebooks" / "ran").exists()


def test_presets_and_fixed_values_hold_for_every_point_and_equal_points_are_one_run(book, chapter):
    chapter("tiny")
    preset = book / "notebooks" / "presets" / "full" / "tiny.yml"
    preset.parent.mkdir(parents=True)
    preset.write_text("n_seeds: 16\ntext: preset\n")
    points = sweeping._points("tiny", {"learning_rate": [1, 2], "n_seeds": [3, 4]}, preset="full", fixed={"text": "a"})
    assert [point for point, _ in points] == [
        {"learning_rate": rate, "n_seeds": n} for rate, n in itertools.product([1.0, 2.0], [3, 4])
    ]
    assert {values["text"] for _, values in points} == {"a"}
    assert runner.resolve("tiny", preset="full", parameters={"text": "a"} | points[0][0]) == points[0][1]


# On this machine

FATES = """\
import os, signal, time
with open("ran", "a") as file:
    file.write(text.split()[0] + "\\n")
if text.startswith("raises"):
    1 / 0
if text.startswith("hangs"):
    time.sleep(600)
if text.startswith("dies") and not (text == "dies once" and open("ran").read().count("dies") > 1):
    os.kill(os.getpid(), signal.SIGKILL)
print(text)"""
NASTY = "quotes \" ' \\ \n __import__('os').abort() # {}"


def test_a_run_that_raises_hangs_or_loses_its_kernel_does_not_stop_the_others(book, chapter):
    chapter("tiny", FATES)
    texts = ["raises", "hangs", NASTY, "dies once", "fine"]
    told = io.StringIO()
    with SweepProgress(Console(file=told)) as progress:
        outcomes = runner.sweep("tiny", {"text": texts}, jobs=2, timeout=5, progress=progress)
    by_text = {outcome.point["text"]: outcome for outcome in outcomes}

    assert list(by_text) == texts
    assert [outcome.status for outcome in outcomes] == ["failed", "failed", "finished", "finished", "finished"]
    assert "ZeroDivisionError" in by_text["raises"].problem
    assert "timed out" in by_text["hangs"].problem.lower()
    assert "ZeroDivisionError" in (by_text["raises"].folder / "tiny.ipynb").read_text()
    for outcome in outcomes:
        counts = {"record.json"} if outcome.ok else set()
        assert {path.name for path in outcome.folder.iterdir()} - {".lock"} == {"tiny.ipynb"} | counts
    printed = runner.read(by_text[NASTY].folder / "tiny.ipynb").cells[-1].outputs[0].text
    assert printed == NASTY + "\n"  # a text stays a text
    ran = (book / "notebooks" / "ran").read_text().split()
    assert sorted(ran) == ["dies", "dies", "fine", "hangs", "quotes", "raises"]
    lines = told.getvalue().splitlines()
    assert [line for line in lines if line.startswith("✗ text=raises: failed")]
    assert re.search(r"5 of 5, 0:00:00 left", lines[-1])

    # Once the chapter is mended the same call repeats what failed, and only that.
    again = runner.sweep("tiny", {"text": ["fine", NASTY]}, progress=progress)
    assert [outcome.status for outcome in again] == ["present", "present"]


@pytest.mark.parametrize("busy", [1, cluster.ATTEMPTS])
def test_workers_that_start_too_slowly_get_another_chance(book, chapter, monkeypatch, busy):
    chapter("tiny", CLAIM)
    LocalCluster, tried = distributed.LocalCluster, []

    def start(**settings):
        tried.append(settings)
        if len(tried) <= busy:
            raise AssertionError  # what Dask does when its event loop is not there after ten seconds
        return LocalCluster(**settings)

    monkeypatch.setattr(distributed, "LocalCluster", start)
    if busy == cluster.ATTEMPTS:
        with pytest.raises(InputError, match="no worker of a sweep started in time"):
            runner.sweep("tiny", {"n_seeds": [2]}, jobs=1)
    else:
        (outcome,) = runner.sweep("tiny", {"n_seeds": [2]}, jobs=1)
        assert outcome.ok


def test_a_kernel_that_always_dies_is_given_up_and_named(book, chapter):
    chapter("tiny", FATES)
    (outcome,) = runner.sweep("tiny", {"text": ["dies"]}, jobs=1)
    assert (outcome.status, outcome.folder.joinpath("record.json").exists()) == ("failed", False)
    assert "died" in outcome.problem
    assert (book / "notebooks" / "ran").read_text().split() == ["dies"] * (1 + sweeping.RETRIES)


UNREADABLE = [b"", b'{"chapter": ', b"\xff\xfe\x00", b"[]", b"{}", b"null"]


def test_a_record_that_cannot_be_read_is_named_and_its_run_repeated(book, chapter):
    chapter("tiny", CLAIM)
    grid = {"n_seeds": range(2, 5)}
    first = runner.sweep("tiny", grid, jobs=2)
    before = [outcome.folder.joinpath("record.json").read_bytes() for outcome in first]
    for broken in UNREADABLE:
        (first[1].folder / "record.json").write_bytes(broken)
        with pytest.warns(UserWarning, match=re.escape(str(Path("runs", "tiny", first[1].folder.name)))):
            assert list(runner.collect()["parameters.n_seeds"]) == [2, 4]
        assert runner.recording.finished(first[1].folder) is None
    again = runner.sweep("tiny", grid, jobs=2)
    assert [outcome.status for outcome in again] == ["present", "finished", "present"]
    assert [again[i].folder.joinpath("record.json").read_bytes() == before[i] for i in (0, 2)] == [True, True]
    assert list(runner.collect()["parameters.n_seeds"]) == [2, 3, 4]


def test_forcing_repeats_what_is_there(book, chapter, monkeypatch):
    chapter("tiny", FATES)
    monkeypatch.setattr(sweeping, "PATIENCE", 0.5)
    runner.run("tiny", parameters={"text": "a"})
    assert runner.sweep("tiny", {"text": ["a"]})[0].status == "present"
    assert runner.sweep("tiny", {"text": ["a"]}, force=True)[0].status == "finished"
    assert (book / "notebooks" / "ran").read_text() == "a\na\n"
    with pytest.raises(InputError):  # but not before it is clear that somebody can
        runner.sweep("tiny", {"text": ["a"]}, force=True, scheduler="tcp://127.0.0.1:1")
    assert runner.sweep("tiny", {"text": ["a"]})[0].status == "present"


def test_there_are_no_more_kernels_at_once_than_cores_and_memory_allow(chapter, monkeypatch):
    import dask.system
    import distributed.system

    path = chapter("tiny")
    notebook = runner.read(path)
    monkeypatch.setattr(dask.system, "CPU_COUNT", 8)
    for free_gib, peak_mib, jobs in [(64, 1000, 8), (8, 1000, 4), (8, None, 2), (1, 1000, 1)]:
        memory = SimpleNamespace(available=free_gib * 2**30)
        monkeypatch.setattr(psutil, "virtual_memory", lambda memory=memory: memory)
        monkeypatch.setattr(distributed.system, "MEMORY_LIMIT", 2**40)
        notebook.metadata["ib"] = {"peak_mib": peak_mib}  # as a stored run leaves it
        path.write_text(json.dumps(notebook))
        assert cluster.local_jobs("tiny") == jobs
    monkeypatch.setattr(distributed.system, "MEMORY_LIMIT", 1)  # of a container
    assert cluster.local_jobs("tiny") == 1


def test_a_terminal_shows_a_line_a_worker_and_the_total_with_the_time_left():
    told, runs = io.StringIO(), {Path(f"run-{i}"): f"seed={i}" for i in range(4)}
    clock = itertools.count(0.0, 5.0)  # seconds at each look
    with pytest.MonkeyPatch.context() as patch, SweepProgress(Console(file=told, force_terminal=True)) as progress:
        patch.setattr("ib_utils.runner.progress.time.monotonic", lambda: next(clock))
        progress.began(runs, 1)
        progress.started("0", Path("run-1"))
        progress.started("gpu-node", Path("run-2"))
        progress.finished(runner.Outcome({"seed": 1}, Path("run-1"), "failed", 5.0, "traceback"))
        progress.started("0", Path("run-3"))
        progress._live.refresh()
    for line in ("worker 0: seed=3", "worker gpu-node: seed=2", "2 of 4, 0:00:10 left, 1 failed", "✗ seed=1: failed"):
        assert line in told.getvalue()


# Kills

SLOW = "import time; time.sleep(0.4)"
GRID = ["-g", "n_seeds=2:8"]
VOLATILE = ["date", "seconds", "peak_mib"]


def ib(book, *arguments, **options):
    command = [sys.executable, "-m", "ib_utils.cli", *map(str, arguments)]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True} | options
    return subprocess.Popen(command, cwd=book, start_new_session=True, **options)


def finish(process):
    output, _ = process.communicate(timeout=600)
    return process.returncode, output


def table(folder):
    return runner.collect(folder).drop(columns=VOLATILE)


def until(condition, seconds=120.0):  # far more than it takes: the machine may be busy
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
    return found


def kernels(process):
    """The kernels under a process."""
    found = []
    for child in psutil.Process(process.pid).children(recursive=True):
        with suppress(psutil.Error):
            if "ipykernel_launcher" in " ".join(child.cmdline()):
                found.append(child)
    return found


def alive(processes):
    return [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A book whose sweep went through, and its table."""
    book = tmp_path_factory.mktemp("undisturbed")
    (book / "_config.yml").write_text("repository: {url: https://example.org}")
    (book / "notebooks").mkdir()
    write_chapter(book, "tiny", SLOW, CLAIM)
    status, output = finish(ib(book, "sweep", "tiny", *GRID, "--jobs", 2))
    assert (status, "6 runs: 6 finished" in output) == (0, True), output
    return book, table(book / "runs")


@pytest.mark.parametrize("victim", ["kernel", "worker", "sweep"])
@pytest.mark.parametrize("times", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_after_kills_at_random_moments_the_table_is_that_of_an_undisturbed_sweep(undisturbed, tmp_path, victim, times):
    book, expected = undisturbed
    dice = random.Random()
    sweep = ["sweep", "tiny", *GRID, "--jobs", 2, "--out", tmp_path]
    process = ib(book, *sweep, stdout=subprocess.DEVNULL)
    killed = 0
    while killed < times:
        if process.poll() is not None:  # all is done: once more from the start
            for record in tmp_path.glob("*/*/record.json"):
                record.unlink()
            process = ib(book, *sweep, stdout=subprocess.DEVNULL)
        time.sleep(dice.uniform(0.0, 4.0 if victim == "sweep" else 1.0))
        try:
            family = psutil.Process(process.pid).children(recursive=True)
            target = psutil.Process(process.pid) if victim == "sweep" else dice.choice(kernels(process))
            target = target.parent() if victim == "worker" else target
            target.kill()
        except (psutil.Error, IndexError, AttributeError):
            continue  # nothing to kill just now
        killed += 1
        if victim == "sweep":
            process.wait()
            until(lambda family=family: not alive(family))  # nothing goes on behind our back
            process = ib(book, *sweep, stdout=subprocess.DEVNULL)
    process.communicate(timeout=600)
    status, output = finish(ib(book, *sweep))
    assert status == 0, output
    assert_frame_equal(table(tmp_path), expected)
    for folder in tmp_path.glob("tiny/*"):
        assert {path.name for path in folder.iterdir()} == {".lock", "tiny.ipynb", "record.json"}


CHILD = """\
import os, subprocess, time
child = subprocess.Popen(["sleep", "600"])
with open("pids", "w") as file:
    file.write(f"{os.getpid()} {child.pid}")
os.rename("pids", "pids.txt")
time.sleep(600)"""


@pytest.mark.parametrize("verb", [["run", "tiny"], ["sweep", "tiny", "-g", "n_seeds=2", "--jobs", "1"]])
def test_nothing_that_a_kernel_started_outlives_a_kill(book, chapter, verb):
    chapter("tiny", CHILD)
    process = ib(book, *verb)
    until(lambda: (book / "notebooks" / "pids.txt").exists())
    family = [psutil.Process(int(pid)) for pid in (book / "notebooks" / "pids.txt").read_text().split()]
    assert len(alive(family)) == 2
    process.kill()
    until(lambda: not alive(family), 30)
    process.communicate()


@pytest.mark.parametrize("how", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_an_interrupted_sweep_ends_with_130_and_leaves_no_process(book, chapter, how):
    chapter("tiny", CHILD)
    process = ib(book, "sweep", "tiny", *GRID, "--jobs", 2)
    until(lambda: (book / "notebooks" / "pids.txt").exists())
    family = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(how)
    status, output = finish(process)
    assert status == 130, output
    assert "Traceback" not in output
    until(lambda: not alive(family), 30)


def test_two_sweeps_into_the_same_folder_at_once_share_the_work(undisturbed, tmp_path):
    _, expected = undisturbed
    ran = tmp_path / "ran"
    source = f"with open({str(ran)!r}, 'a') as file:\n    file.write('x')"
    (tmp_path / "book" / "notebooks").mkdir(parents=True)
    (tmp_path / "book" / "_config.yml").touch()
    write_chapter(tmp_path / "book", "tiny", SLOW, CLAIM, source)
    both = [ib(tmp_path / "book", "sweep", "tiny", *GRID, "--jobs", 1) for _ in range(2)]
    for process in both:
        status, output = finish(process)
        assert status == 0, output
    assert ran.read_text() == "x" * 6
    hashes = ["cells", "run"]
    assert table(tmp_path / "book" / "runs").drop(columns=hashes).equals(expected.drop(columns=hashes))


# On a cluster


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def dask(*arguments, cwd, **environment):
    """A process of Dask's command line."""
    command = [sys.executable, "-m", "dask", *map(str, arguments), "--no-dashboard"]
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        for member in [*family, process]:
            with suppress(psutil.Error):
                member.kill()
        process.wait()


def scheduler(port, cwd):
    return dask("scheduler", "--host", "127.0.0.1", "--port", port, cwd=cwd)


def worker(port, cwd, *arguments, **environment):
    return dask("worker", f"tcp://127.0.0.1:{port}", "--nthreads", 1, *arguments, cwd=cwd, **environment)


class Workers(sweeping.Progress):
    """Remembers which worker was given each run."""

    def __init__(self):
        self.names = []

    def started(self, worker, folder):
        self.names.append(worker)


def test_a_sweep_waits_for_a_scheduler_that_goes_away_and_comes_back(undisturbed, tmp_path):
    book, expected = undisturbed
    port = free_port()
    command = ["sweep", "tiny", *GRID, "--out", tmp_path, "--scheduler", f"tcp://127.0.0.1:{port}"]
    with worker(port, book):
        with scheduler(port, book) as first:
            sweep = ib(book, *command)
            until(lambda: list(tmp_path.glob("tiny/*/record.json")))
            first.kill()
            first.wait()
        time.sleep(1)
        assert sweep.poll() is None
        with scheduler(port, book), worker(port, book):  # the old worker may have given up
            status, output = finish(sweep)
    assert status == 0, output
    assert "has gone; waiting for it to come back" in output
    assert_frame_equal(table(tmp_path), expected)


def test_runs_go_to_the_workers_that_have_the_code_and_the_resources(book, chapter, tmp_path_factory):
    """One after the other on one scheduler: it has no worker, one without a GPU, one with other code, an old one."""
    chapter("tiny", "import time; time.sleep(1)")
    old = tmp_path_factory.mktemp("old")
    (old / "ib_utils").mkdir()
    (old / "ib_utils" / "__init__.py").write_text("__version__ = '0.0.1'")
    other = tmp_path_factory.mktemp("other")
    (other / "notebooks").mkdir()
    (other / "_config.yml").touch()
    write_chapter(other, "tiny", "print('other cells')")
    port, asked = free_port(), Workers()
    address = f"tcp://127.0.0.1:{port}"

    def workers(n):
        from distributed import Client

        with Client(address, timeout=120, set_as_default=False) as client:
            until(lambda: len(client.nthreads()) == n)

    with scheduler(port, book), worker(port, book, "--name", "plain"):
        with worker(port, book, "--name", "gpu", "--resources", "GPU=1"):
            workers(2)
            grid = {"n_seeds": [2, 3]}
            outcomes = runner.sweep("tiny", grid, scheduler=address, resources={"GPU": 1}, progress=asked)
            assert all(outcome.ok for outcome in outcomes)
            assert asked.names == ["gpu", "gpu"]
        workers(1)

        with worker(port, other, "--name", "other"):
            workers(2)
            with pytest.raises(InputError, match="has other cells of the chapter") as caught:
                runner.sweep("tiny", {"n_seeds": [4]}, scheduler=address)
            assert "\n" not in str(caught.value)
            # One that comes when the others have been asked is refused by its first run.
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(sweeping, "check_workers", lambda *arguments: None)
                with pytest.raises(InputError, match="worker other has other cells"):
                    runner.sweep("tiny", {"n_seeds": range(4, 20)}, scheduler=address)
        workers(1)

        with worker(port, book, "--name", "old", PYTHONPATH=str(old)):
            workers(2)
            with pytest.raises(InputError, match=r"has ib_utils 0\.0\.1, here it is"):
                runner.sweep("tiny", {"n_seeds": [4]}, scheduler=address)


def test_a_worker_that_does_not_see_the_folder_of_the_results_is_refused(tmp_path):
    ours = {"ib_utils": "1", "cells": "a", "modules": "b"}
    client = SimpleNamespace(run=lambda *arguments, on_error: {"tcp://far": (ours, False)})
    with pytest.raises(InputError, match="worker tcp://far does not see"):
        cluster.check_workers(client, "tiny", ours, tmp_path)
    assert list(tmp_path.iterdir()) == []


# No pickle is read


def test_the_package_reads_no_pickle_file():
    reads = re.compile(
        r"\b(?:import|from) (?:pickle|dill|joblib|cloudpickle|shelve)\b|torch\.load|read_pickle|allow_pickle=True"
    )
    for path in cluster.ib_utils.__path__[0], Path("notebooks").resolve():
        for source in Path(path).rglob("*.py"):
            assert not reads.search(source.read_text(encoding="utf-8")), source


# Robustness


def test_robustness_sets_the_verdicts_under_other_base_seeds_beside_the_chapters_own(book, chapter):
    path = chapter(
        "tiny",
        CLAIM.replace('"verdict": ', '"verdict": "undecided" if seed == 501 else '),
        CLAIM.replace("a-claim", "b"),
    )
    notebook = runner.read(path)
    notebook.cells[1].source += "\nseed = 6  # the first replicate's"
    runner.book.write_atomically(path, json.dumps(notebook))
    verdicts = runner.robust("tiny", seeds=[500, 501], parameters={"n_seeds": 5}, jobs=2)
    assert verdicts.to_dict("index") == {
        "a-claim": {6: "holds", 500: "holds", 501: "undecided", "moves": "moves"},
        "b": {6: "holds", 500: "holds", 501: "holds", "moves": "stays"},
    }
    with pytest.raises(InputError, match="from 900 on are for pilots"):
        runner.robust("tiny", seeds=[900])


@pytest.mark.parametrize(
    ("verdicts", "word"),
    [
        ({"holds"}, "stays"),
        ({"holds", "not judged"}, "stays"),  # what only a preset judges
        ({"holds", "undecided"}, "moves"),
        ({"holds", "undecided", "fails"}, "turns"),
    ],
)
def test_opposite_verdicts_are_told_from_undecided_ones(verdicts, word):
    assert runner.robustness._moves(verdicts) == word
