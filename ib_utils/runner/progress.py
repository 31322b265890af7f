"""What a terminal shows while chapters run: live lines; without a terminal, one line as each run ends."""

import datetime
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from .execution import Execution
from .sweeping import Outcome
from .sweeping import Progress as SweepTells

MARKS = {"executed": "✓", "stored": "✓", "unchanged": "=", "failed": "✗", "refused": "✗"}


class Progress:
    """Shows the progress of `execute`; a context manager."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console()
        self._bars = Bars(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self._tasks: dict[str, int] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bars.stop()

    def started(self, chapter: str) -> None:
        with self._lock:
            self._tasks[chapter] = self._bars.add_task(chapter, total=None)

    def finished(self, execution: Execution) -> None:
        with self._lock:
            self._bars.remove_task(self._tasks.pop(execution.chapter))  # type: ignore[arg-type]
        memory = f", {execution.peak_mib:.0f} MiB" if execution.peak_mib else ""
        what = f"{MARKS[execution.status]} {execution.chapter}: {execution.status}"
        line = f"{what} ({execution.seconds:.1f} s{memory})"
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)


class SweepProgress(SweepTells):
    """Shows the progress of `sweep`, a line a worker and the total; a context manager.

    Without a terminal it prints a line as each run ends, on a terminal only those of runs that failed.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console()
        self._workers = Bars(SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
        self._total = Bars(BarColumn(), TextColumn("{task.description}", markup=False))
        self._live = Live(Group(self._workers, self._total), console=self.console, transient=True)
        self._lines: dict[str, TaskID] = {}  # of the workers
        self._at: dict[Path, str] = {}  # the workers of the runs under way
        self._runs: Mapping[Path, str] = {}
        self._present = self._done = self._failed = 0
        self._start = time.monotonic()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._live.stop()

    def began(self, runs: Mapping[Path, str], present: int) -> None:
        self._runs, self._present, self._start = runs, present, time.monotonic()
        self._bar = self._total.add_task("", total=len(runs), completed=present)
        if present:
            self._print(f"= {present} of {len(runs)} runs are there already")

    def started(self, worker: str, folder: Path) -> None:
        with self._lock:
            what = f"worker {worker}: {self._runs[folder]}"
            if worker in self._lines:
                self._workers.reset(self._lines[worker], description=what)
            else:
                self._lines[worker] = self._workers.add_task(what, total=None)
            self._at[folder] = worker

    def finished(self, outcome: Outcome) -> None:
        with self._lock:
            self._done += 1
            self._failed += not outcome.ok
            if (worker := self._at.pop(outcome.folder, None)) is not None:
                self._workers.update(self._lines[worker], description=f"worker {worker}: idle")
            total = f"{self._present + self._done} of {len(self._runs)}, {self._left()} left"
            self._total.update(
                self._bar,
                completed=self._present + self._done,
                description=f"{total}, {self._failed} failed" if self._failed else total,
            )
        if not (outcome.ok and self.console.is_terminal):
            self._print(f"{'✓' if outcome.ok else '✗'} {outcome}: {outcome.status} ({outcome.seconds:.1f} s); {total}")

    def waiting(self, reason: str) -> None:
        self._print(f"… {reason}")

    def _left(self) -> datetime.timedelta:
        """Time left if the remaining runs come at the rate of the past ones."""
        rate = (time.monotonic() - self._start) / self._done
        return datetime.timedelta(seconds=round(rate * (len(self._runs) - self._present - self._done)))

    def _print(self, line: str) -> None:
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)
