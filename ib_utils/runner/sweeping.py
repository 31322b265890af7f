"""A chapter run over a grid of parameters: each run a task of Dask, each result a folder that counts or does not."""

import itertools
import json
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .book import InputError, notebook_path, read
from .cluster import check_workers, connect, identity, local_jobs, mismatch, own_identity
from .inputs import conform, conform_grid, parameters, preset_values
from .kernels import sigterm_interrupts
from .recording import ChapterError, KernelDied, finished, forget, run, run_folder

if TYPE_CHECKING:
    from distributed import Client

PATIENCE = 10.0  # seconds that a scheduler may take to answer at first
ABSENCE = 600.0  # seconds that one may be gone later on
RETRIES = 2  # of a run whose kernel died


@dataclass(frozen=True)
class Outcome:
    """What became of one run of a sweep."""

    point: dict[str, Any]  # the values of the swept parameters
    folder: Path
    status: Literal["finished", "present", "failed"]  # present: it was there before
    seconds: float = 0.0
    problem: str = ""  # a traceback

    @property
    def ok(self) -> bool:
        return self.status != "failed"

    def __str__(self) -> str:
        return label(self.point)


def label(point: Mapping[str, Any]) -> str:
    """The values of one run, as they are given on the command line."""
    return " ".join(f"{name}={_text(value)}" for name, value in point.items())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


class Progress:
    """What `sweep` tells while it runs, to nobody: a subclass listens. `started` comes from a thread of its own."""

    def began(self, runs: Mapping[Path, str], present: int) -> None:
        """All runs, by their folders, and how many were there already."""

    def started(self, worker: str, folder: Path) -> None: ...

    def finished(self, outcome: Outcome) -> None: ...

    def waiting(self, reason: str) -> None: ...


def sweep(
    chapter: str,
    grid: Mapping[str, Iterable[Any]],
    *,
    preset: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    output_dir: str | Path = "runs",
    scheduler: str | None = None,
    jobs: int | None = None,
    resources: Mapping[str, float] | None = None,
    force: bool = False,
    timeout: float | None = None,
    progress: Progress | None = None,
) -> list[Outcome]:
    """Runs a chapter at every point of a grid, each run as `run` does it, in a kernel of its own.

    A finished run is not repeated, so that the same call goes on where an earlier one was stopped. A run that fails
    does not stop the others; one whose kernel or worker died is tried again. A script calls this under
    `if __name__ == "__main__":`, since workers import it.

    Args:
        chapter: its name.
        grid: values by name of a parameter; every combination is run.
        preset: the values that the grid departs from; the notebook's defaults without one.
        parameters: further values, the same in every run; they win over the preset's.
        output_dir: where runs are kept; with a scheduler, a folder that all workers share.
        scheduler: address of a Dask scheduler, such as `tcp://host:8786`; workers on this machine without one.
        jobs: how many kernels at once on this machine; by default as its cores and its free memory allow.
        resources: what a run takes of its worker, such as `{"GPU": 1}`, where workers were started with resources.
        force: run again what has been run.
        timeout: seconds that one cell may take; None for no limit.
        progress: is told what happens.

    Returns:
        One `Outcome` a run, in the order of the grid.

    Raises:
        InputError: before a kernel starts: what `run` refuses, an empty grid, no scheduler at the address, a worker
            with other code; later: a scheduler that stays away for ten minutes, a new worker with other code.
        KeyboardInterrupt: on Ctrl-C or SIGTERM; no kernel is left behind on this machine.
    """
    if scheduler is not None and jobs is not None:
        raise InputError("the number of jobs is for this machine; a scheduler has the workers it has")
    if jobs is not None and jobs < 1:
        raise InputError(f"jobs has to be at least 1, not {jobs}")
    progress = progress or Progress()
    ours, output = identity(chapter), Path(output_dir).resolve()
    code = {name: ours[name] for name in ("cells", "modules")}
    points: dict[Path, dict[str, Any]] = {}
    values: dict[Path, dict[str, Any]] = {}
    for point, all_values in _points(chapter, grid, preset=preset, fixed=parameters or {}):
        folder = run_folder(chapter, code, all_values, output)
        points[folder], values[folder] = point, all_values
    outcomes = {f: Outcome(points[f], f, "present") for f in points if not force and finished(f)}
    progress.began({folder: label(point) for folder, point in points.items()}, len(outcomes))
    first = True
    with sigterm_interrupts():
        while missing := [folder for folder in points if folder not in outcomes]:
            if not first:
                progress.waiting(f"the scheduler at {scheduler} has gone; waiting for it to come back")
            n_jobs = min(jobs or local_jobs(chapter), len(missing))
            with connect(scheduler, jobs=n_jobs, patience=PATIENCE if first else ABSENCE) as client:
                if first:  # later on workers come one by one, and a task asks for itself
                    check_workers(client, chapter, ours, output)
                    for folder in points if force else ():
                        forget(folder)
                job = _Job(chapter, str(output), ours, timeout)
                for folder, answer in _answers(client, job, {f: values[f] for f in missing}, resources, progress):
                    outcome = Outcome(points[folder], folder, **answer)
                    outcomes[folder] = outcome
                    progress.finished(outcome)
            first = False
    return [outcomes[folder] for folder in points]


def _points(
    chapter: str, grid: Mapping[str, Iterable[Any]], *, preset: str | None, fixed: Mapping[str, Any]
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each point of the grid: its values of the swept parameters, and those of all parameters."""
    known = parameters(read(notebook_path(chapter)))
    grid = conform_grid(known, grid)
    if both := grid.keys() & fixed.keys():
        raise InputError(f"{', '.join(sorted(both))} is both swept and fixed")
    base = {name: parameter.default for name, parameter in known.items()}
    base |= preset_values(chapter, preset) if preset else {}
    base |= conform(known, fixed)
    points = [dict(zip(grid, combination, strict=True)) for combination in itertools.product(*grid.values())]
    return [(point, base | point) for point in points]


@dataclass(frozen=True)
class _Job:
    """What is the same for all runs of a sweep."""

    chapter: str
    output: str
    ours: Mapping[str, str]  # the identity that a worker has to have
    timeout: float | None


def _answers(
    client: "Client",
    job: _Job,
    values: Mapping[Path, Mapping[str, Any]],
    resources: Mapping[str, float] | None,
    progress: Progress,
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """What became of the runs, as they end: until the last one, or until the connection is lost."""
    from distributed import as_completed

    topic = f"ib-{uuid.uuid4().hex}"
    folders = {f"{job.chapter}-{folder.name}-{topic}": folder for folder in values}

    def started(event: tuple[float, Mapping[str, str]]) -> None:
        progress.started(event[1]["name"], folders[event[1]["key"]])

    try:
        client.subscribe_topic(topic, started)
        if not client.nthreads():
            progress.waiting("the scheduler has no worker yet; waiting for one")
        futures = [
            client.submit(_task, job, values[folder], topic, key=key, retries=RETRIES, resources=resources)
            for key, folder in folders.items()
        ]
        for future in as_completed(futures, loop=client.loop):
            if future.status == "error":  # after the retries: the kernel, or its worker, died again and again
                error = future.exception()
                yield folders[future.key], {"status": "failed", "problem": f"{type(error).__name__}: {error}"}
                continue
            answer = future.result()
            if "refused" in answer:
                raise InputError(answer["refused"])
            yield folders[future.key], answer
    except (OSError, CancelledError):  # how Dask says it: of runs under way, and of messages
        return


def _task(job: _Job, values: Mapping[str, Any], topic: str) -> dict[str, Any]:
    """One run, on a worker. A failing chapter is an answer; a kernel that died is an error, which Dask retries."""
    from distributed import get_worker

    worker, start = get_worker(), time.perf_counter()
    name = str(worker.name)
    if refusal := mismatch(name, own_identity(job.chapter), job.ours):  # it may have come after the others were asked
        return {"refused": refusal}
    worker.log_event(topic, {"name": name, "key": worker.get_current_task()})
    status, problem = "finished", ""
    try:
        run(job.chapter, parameters=values, output_dir=job.output, timeout=job.timeout)
    except KernelDied:
        raise
    except ChapterError as error:
        status, problem = "failed", str(error)
    return {"status": status, "seconds": time.perf_counter() - start, "problem": problem}
