"""One run of a chapter with chosen parameters, through papermill, with a record of where it came from."""

import datetime
import json
import os
import subprocess
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .book import InputError, notebook_path, read, root, write_atomically
from .execution import plain
from .inputs import conform, parameters, preset_values
from .kernels import Meter, device_name, kernel_manager, supervise
from .provenance import cell_hash, digest, modules_hash, versions


class ChapterError(RuntimeError):
    """A chapter failed while it ran; the message is the traceback."""


class KernelDied(ChapterError):
    """The kernel ended in the middle of a cell: killed from outside, or for its memory."""


@dataclass(frozen=True)
class Run:
    """A finished run: its folder, the content of its `record.json`, and whether this call made it."""

    folder: Path
    record: dict[str, Any]
    new: bool = True


def run(
    chapter: str,
    *,
    preset: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    output_dir: str | Path = "runs",
    record: bool = False,
    force: bool = False,
    timeout: float | None = None,
) -> Run:
    """Runs a chapter once and leaves the executed notebook and `record.json` in a folder of their own.

    The folder is `<output_dir>/<chapter>/<hash of cells, ib_utils modules and parameters>`. `record.json` is
    written last: a folder without it does not count, one with it is not run again. If another process is at the
    same run, this one waits for it.

    Args:
        chapter: its name.
        preset: a file `notebooks/presets/<preset>/<chapter>.yml`; the notebook's defaults without one.
        parameters: values by name; they win over the preset's.
        output_dir: where runs are kept.
        record: also write `book/recorded/<chapter>.json`, which the site shows beside the stored run; for a
            preset as it is.
        force: run again what has been run.
        timeout: seconds that one cell may take; None for no limit.

    Raises:
        InputError: before a kernel starts: unknown chapter, preset or parameter, a value that does not fit.
        ChapterError: a cell raised; the notebook with the traceback stays in the folder.
    """
    path = notebook_path(chapter)
    values = resolve(chapter, preset=preset, parameters=parameters)
    if record:
        _check_recordable(chapter, preset, parameters, values)
    from filelock import FileLock

    code = code_of(chapter)
    folder = run_folder(chapter, code, values, output_dir)
    if force:
        forget(folder)
    done = finished(folder)
    new = done is None
    if done is None:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock"):
            done = finished(folder)  # by whoever held the lock
            new = done is None
            done = done or _run(path, folder, values, code, timeout)
    if record:
        write_atomically(root() / "book" / "recorded" / f"{chapter}.json", _json(done))
    return Run(folder, done, new)


def code_of(chapter: str) -> dict[str, str]:
    """Hashes of the code that a run of the chapter would use: its cells, and the `ib_utils` modules they reach."""
    notebook = read(notebook_path(chapter))
    return {"cells": cell_hash(notebook), "modules": modules_hash(notebook, chapter)}


def run_folder(chapter: str, code: dict[str, str], values: Mapping[str, Any], output_dir: str | Path) -> Path:
    """Where the run of this code with all these parameter values is kept."""
    return Path(output_dir) / chapter / digest([code, values])


def resolve(chapter: str, *, preset: str | None = None, parameters: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """All parameters of a chapter as a run would have them: defaults, then the preset, then `parameters`."""
    known = _known(chapter)
    defaults = {name: parameter.default for name, parameter in known.items()}
    from_preset = preset_values(chapter, preset) if preset else {}
    return defaults | from_preset | conform(known, parameters or {})


def _known(chapter: str) -> dict[str, Any]:
    return parameters(read(notebook_path(chapter)))


def finished(folder: Path) -> dict[str, Any] | None:
    """The record of the run in a folder; None if there is none, or none that can be read."""
    try:
        record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and "claims" in record else None


def forget(folder: Path) -> None:
    """Makes the run in a folder not count."""
    (folder / "record.json").unlink(missing_ok=True)


def _run(
    path: Path, folder: Path, values: dict[str, Any], code: dict[str, str], timeout: float | None
) -> dict[str, Any]:
    from ib_utils import claims

    for left in folder.glob(".*.ipynb"):  # by a run that was killed
        left.unlink(missing_ok=True)
    # Not under its final name: not every shared file system knows locks, and two processes may write at once.
    executed = folder / f".{uuid.uuid4().hex}.ipynb"
    start, date = time.perf_counter(), datetime.datetime.now(datetime.UTC)

    def task(meter: Meter) -> Meter:
        _papermill(path, executed, values, meter, timeout)
        return meter

    try:
        meter = supervise({path.stem: task}, jobs=1)[path.stem]
        seconds = time.perf_counter() - start
        stored = claims.from_notebook(executed)
    finally:
        if executed.exists():
            os.replace(executed, folder / path.name)
    record = {
        "chapter": path.stem,
        "parameters": values,
        "preset": stored[0]["preset"] if stored else None,
        **code,
        "versions": versions(),
        "commit": commit(),
        "device": meter.device or device_name(values.get("device", "auto")),
        "date": date.isoformat(timespec="seconds"),
        "seconds": round(seconds, 1),
        "peak_mib": round(meter.peak_mib),
        "claims": stored,
    }
    write_atomically(folder / "record.json", _json(record))
    return record


def _papermill(path: Path, executed: Path, values: dict[str, Any], meter: Meter, timeout: float | None) -> None:
    import papermill
    from papermill.exceptions import PapermillExecutionError

    defaults = _known(path.stem)
    try:
        papermill.execute_notebook(
            path,
            executed,
            parameters={name: value for name, value in values.items() if value != defaults[name].default},
            kernel_name="python3",
            language="python",
            kernel_manager_class=kernel_manager(meter),
            resources={"metadata": {"path": str(path.parent)}},
            execution_timeout=timeout,
            progress_bar=False,
        )
    except (PapermillExecutionError, TimeoutError) as error:
        raise ChapterError(plain(str(error))) from error
    except RuntimeError as error:
        raise KernelDied(plain(str(error))) from error


def _check_recordable(
    chapter: str, preset: str | None, parameters: Mapping[str, Any] | None, values: dict[str, Any]
) -> None:
    from ib_utils import claims

    if preset in (None, "default") or parameters:
        raise InputError("only a preset without other parameters is recorded")
    try:
        registered = claims.chapter(chapter, values).preset
    except ValueError as error:
        raise InputError(f"{chapter} cannot be recorded: {error}") from error
    if registered != preset:
        raise InputError(
            f"{chapter} cannot be recorded: its claims hold another fingerprint of {preset!r} than the file"
        )


def _json(record: dict[str, Any]) -> str:
    return json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def commit() -> str | None:
    """The checkout's git commit, `-dirty` behind it if files differ from it; None without git."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        # Without the lock that describe would like to take: somebody may be committing meanwhile.
        environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
        done = subprocess.run(
            command, cwd=root(), env=environment, capture_output=True, text=True, check=True, timeout=20
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
