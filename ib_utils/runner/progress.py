"""What a terminal shows while chapters run: a live line each; without a terminal, one line as each ends."""

import threading
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import Progress as Bars
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

from .execution import Execution

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
