"""Executing chapters at their defaults, and storing what came out: what the site shows and nbval compares."""

import base64
import copy
import datetime
import io
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol

import nbformat
from nbformat import NotebookNode

from .book import InputError, chapters, executable_path, read, root, write_atomically
from .kernels import Meter, device_name, kernel_manager, supervise
from .provenance import cell_hash, modules_hash, versions

MAXIMUM_BYTES = 500_000
WIDGET = "application/vnd.jupyter.widget-view+json"


@dataclass(frozen=True)
class Execution:
    """What became of one chapter."""

    chapter: str
    status: Literal["executed", "unchanged", "stored", "failed", "refused"]
    seconds: float = 0.0  # of this call
    peak_mib: float = 0.0
    problem: str = ""  # a traceback, or why storing was refused, one reason a line

    @property
    def ok(self) -> bool:
        return self.status not in ("failed", "refused")


class Progress(Protocol):
    """What `execute` tells while it runs; `started` comes from the chapter's thread."""

    def started(self, chapter: str) -> None: ...

    def finished(self, execution: Execution) -> None: ...


class _Silent:
    def started(self, chapter: str) -> None: ...

    def finished(self, execution: Execution) -> None: ...


def execute(
    names: Sequence[str] = (),
    *,
    store: bool = False,
    jobs: int = 2,
    output: Path | None = None,
    timeout: float | None = 1200,
    force: bool = False,
    progress: Progress | None = None,
) -> list[Execution]:
    """Runs chapters at their default parameters, each in a kernel of its own, in the notebook's folder.

    A chapter that fails does not stop the others. One whose executed copy in `output` came from the same
    cells, the same `ib_utils` modules and the same versions is not run again.

    Args:
        names: chapters, and pages of `book/` that execute; none means all chapters.
        store: also replace the notebook in `notebooks/`, if nothing in it forbids that (see `refusals`).
        jobs: how many kernels at a time.
        output: folder of the executed copies, by default the checkout's `_build/executed/notebooks`.
        timeout: seconds that one cell may take; None for no limit.
        force: run unchanged chapters too.
        progress: is told when a chapter starts and ends.

    Returns:
        One `Execution` a chapter, in the order of `names`.

    Raises:
        InputError: an unknown chapter.
        KeyboardInterrupt: on Ctrl-C or SIGTERM; no kernel is left behind and no notebook half written.
    """
    if jobs < 1:
        raise InputError(f"jobs has to be at least 1, not {jobs}")
    names = list(dict.fromkeys(names)) or chapters()
    paths = {name: executable_path(name) for name in names}
    output = output or root() / "_build" / "executed" / "notebooks"
    progress = progress or _Silent()
    # The longest first, by what they took last time: the total is then shortest.
    longest_first = sorted(paths, key=lambda name: -read(paths[name]).metadata.get("ib", {}).get("seconds", 0))
    tasks = {
        name: partial(
            _execute,
            paths[name],
            output / f"{name}.ipynb",
            store=store,
            timeout=timeout,
            force=force,
            progress=progress,
        )
        for name in longest_first
    }
    results = supervise(tasks, jobs=jobs, finished=lambda name, execution: progress.finished(execution))
    return [results[name] for name in names]


def _execute(
    path: Path,
    target: Path,
    meter: Meter,
    *,
    store: bool,
    timeout: float | None,
    force: bool,
    progress: Progress,
) -> Execution:
    chapter, start = path.stem, time.perf_counter()
    progress.started(chapter)
    before = path.read_bytes()
    notebook = read(path)
    ib: dict[str, Any] = {
        "cells": cell_hash(notebook),
        "modules": modules_hash(notebook, chapter),
        "versions": versions(),
    }
    status: Literal["executed", "unchanged", "stored"] = "unchanged"
    executed = None if force else _current_copy(target, ib)
    if executed is None:
        status, executed = "executed", copy.deepcopy(notebook)
        problem = _run_cells(executed, path.parent, meter, timeout)
        if problem:
            return Execution(chapter, "failed", time.perf_counter() - start, meter.peak_mib, problem)
        # Rounded: stored notebooks should not differ for nothing.
        ib["seconds"] = round(time.perf_counter() - start, 1)
        ib["peak_mib"] = round(meter.peak_mib, -1)
        ib["device"] = meter.device or device_name("auto")
        ib["date"] = datetime.date.today().isoformat()
    else:
        ib = dict(executed.metadata["ib"])
    notebook = _assemble(notebook, executed, ib)
    write_atomically(target, nbformat.writes(notebook) + "\n")
    if store:
        reasons = refusals(notebook)
        if path.read_bytes() != before:  # in its text or metadata, such as an alt text, too
            reasons.append("the chapter was edited while it ran")
        if reasons:
            problem = "\n".join(reasons)
            return Execution(chapter, "refused", time.perf_counter() - start, meter.peak_mib, problem)
        write_atomically(path, nbformat.writes(notebook) + "\n")
        status = "stored"
    return Execution(chapter, status, time.perf_counter() - start, meter.peak_mib)


def _current_copy(path: Path, ib: dict[str, Any]) -> NotebookNode | None:
    """The executed copy, if there is one and it came from the same code."""
    try:
        executed = read(path)
    except (OSError, InputError):
        return None
    stored = executed.metadata.get("ib", {})
    current = all(stored.get(key) == value for key, value in ib.items()) and cell_hash(executed) == ib["cells"]
    return executed if current else None


def _run_cells(notebook: NotebookNode, folder: Path, meter: Meter, timeout: float | None) -> str:
    """Runs all cells in place; returns the traceback, or nothing."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellControlSignal

    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        kernel_manager_class=kernel_manager(meter),
        resources={"metadata": {"path": str(folder)}},
        timeout=timeout,
        record_timing=False,
        coalesce_streams=True,
    )
    try:
        client.execute()
    except (CellControlSignal, TimeoutError, RuntimeError) as error:  # the last: a kernel that died
        return plain(str(error)) or type(error).__name__
    return ""


def plain(text: str) -> str:
    """Text without the terminal's colour codes."""
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text).strip()


def _assemble(source: NotebookNode, executed: NotebookNode, ib: dict[str, Any]) -> NotebookNode:
    """The author's notebook with the outputs of the executed one, without what changes from run to run."""
    notebook = copy.deepcopy(source)
    for cell in notebook.cells:
        for volatile in ("papermill", "execution", "ExecuteTime"):
            cell.metadata.pop(volatile, None)
    code = ([cell for cell in some.cells if cell.cell_type == "code"] for some in (notebook, executed))
    for cell, ran in zip(*code, strict=True):  # the text between may have been edited since
        cell.outputs, cell.execution_count = ran.outputs, ran.execution_count
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                output.data["image/png"] = _fewer_colours(output.data["image/png"])
    notebook.metadata.pop("papermill", None)
    notebook.metadata.pop("widgets", None)
    notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata["language_info"] = executed.metadata["language_info"] | {"version": ib["versions"]["python"]}
    notebook.metadata["ib"] = ib
    return notebook


def _fewer_colours(png: str) -> str:
    """A figure in 256 colours: a third of the bytes, and to the eye the same."""
    from PIL import Image

    small = io.BytesIO()
    with Image.open(io.BytesIO(base64.b64decode(png))) as image:
        if image.mode == "P":
            return png
        dpi = image.info.get("dpi")
        image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(small, "PNG", optimize=True, dpi=dpi)
    return base64.b64encode(small.getvalue()).decode()


def refusals(notebook: NotebookNode) -> list[str]:
    """Why a notebook must not be stored, a line each: errors, stderr, cells not run, paths, widgets, size."""
    reasons = []
    for i, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type != "code":
            continue
        if cell.execution_count is None:
            reasons.append(f"cell {i} was not executed")
        for output in cell.outputs:
            if output.output_type == "error":
                reasons.append(f"cell {i} raised {output.ename}: {plain(output.evalue)}".splitlines()[0])
            if output.output_type == "stream" and output.name == "stderr":
                line, _, _ = output.text.strip().partition("\n")
                reasons.append(f"cell {i} wrote to stderr: {line!r}")
            if WIDGET in output.get("data", {}):
                reasons.append(f"cell {i} shows a widget, which a page cannot (use `from tqdm import tqdm`)")
            if path := next((found for text in _texts(output) if (found := machine_path(text))), None):
                reasons.append(f"cell {i} shows a path of this machine: {path!r}")
    size = len(nbformat.writes(notebook).encode())
    if size > MAXIMUM_BYTES:
        reasons.append(f"the notebook has {size / 1000:.0f} kB; at most {MAXIMUM_BYTES / 1000:.0f} kB are stored")
    return reasons


def _texts(thing: Any) -> Iterator[str]:
    """All strings in an output, images aside."""
    if isinstance(thing, str):
        yield thing
    elif isinstance(thing, dict):
        for key, value in thing.items():
            if not key.startswith("image/") or key == "image/svg+xml":
                yield from _texts(value)
    elif isinstance(thing, list):
        for value in thing:
            yield from _texts(value)


def machine_path(text: str) -> str | None:
    """The first path in a text that only exists on the machine it was written on."""
    ours = [re.escape(path) + r"(?![\w-])" for path in {str(Path.home()), str(root()), sys.prefix} - {"/"}]
    anybodys = [
        r"/(?:home|Users|tmp)/\w",
        r"[A-Z]:\\Users\\",
        r"/private/var/",
        r"[\w/.-]*/(?:site|dist)-packages",
    ]
    found = re.search(rf"(?<![\w./+=-])(?:{'|'.join([*ours, *anybodys])})[^\s\"'<>]*", text)
    return found[0] if found else None
