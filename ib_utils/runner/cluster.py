"""Where the runs of a sweep go: workers on this machine's cores, or those of a Dask cluster that is there already.

Dask sends code and results between processes as pickles and trusts whoever reaches its scheduler: a cluster is for
people who may run programs on it anyway. No pickle is kept in a file.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

import ib_utils

from .book import InputError, notebook_path, read
from .recording import code_of

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

KERNEL_MIB = 3 * 1024  # what a chapter may take at its defaults
ATTEMPTS = 3  # at starting workers on a machine that is busy


@contextmanager
def connect(scheduler: str | None, *, jobs: int, patience: float) -> Iterator["Client"]:
    """A client of the scheduler at an address, or of a cluster of our own with `jobs` workers.

    Raises:
        InputError: nobody answers at the address within `patience` seconds, or none of our own workers starts.
    """
    from distributed import Client

    # What happens to workers we tell in one line, or it is mended; the log would be between the progress lines.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    if scheduler is None:
        with _local_cluster(jobs) as cluster, Client(cluster, set_as_default=False) as client:
            yield client
        return
    try:
        client = Client(scheduler, timeout=patience, set_as_default=False)
    except (OSError, ValueError) as error:  # the latter: not an address
        raise InputError(f"no scheduler answers at {scheduler!r}: {_line(error)}") from error
    try:
        yield client
    finally:
        client.close(timeout=2)


def _local_cluster(jobs: int) -> "LocalCluster":
    """Workers of one thread each: a worker has one kernel at a time."""
    from distributed import LocalCluster

    for _ in range(ATTEMPTS):
        with suppress(AssertionError, TimeoutError):  # its event loop or a worker took longer than Dask waits
            return LocalCluster(
                n_workers=jobs,
                threads_per_worker=1,
                memory_limit=None,  # it would only see the worker's own, not its kernel's
                dashboard_address="127.0.0.1:0",  # any port: two sweeps on one machine must not quarrel about one
                scheduler_kwargs={"dashboard": False},
                silence_logs=logging.CRITICAL,
            )
    raise InputError("this machine is too busy: no worker of a sweep started in time")


def local_jobs(chapter: str) -> int:
    """How many kernels this machine takes at once: one a core, and no more than fit into the free memory.

    For each, twice of what the chapter's stored run took is set aside; 3 GiB if none is stored.
    """
    import psutil
    from dask.system import CPU_COUNT
    from distributed.system import MEMORY_LIMIT

    peak_mib = read(notebook_path(chapter)).metadata.get("ib", {}).get("peak_mib")
    free = min(psutil.virtual_memory().available, MEMORY_LIMIT) / 2**20  # the latter knows a container's limit
    return max(1, min(CPU_COUNT, int(free / (2 * peak_mib if peak_mib else KERNEL_MIB))))


def identity(chapter: str) -> dict[str, str]:
    """What has to be the same on every machine for runs of a chapter to be the same."""
    return {"ib_utils": ib_utils.__version__, **code_of(chapter)}


def mismatch(worker: str, theirs: Mapping[str, str] | str, ours: Mapping[str, str]) -> str | None:
    """Why a worker must not run a chapter, in one line; `theirs` is its identity, or why it has none."""
    if isinstance(theirs, str):
        return f"worker {worker}: {theirs}"
    if theirs == ours:
        return None
    if theirs["ib_utils"] != ours["ib_utils"]:
        return f"worker {worker} has ib_utils {theirs['ib_utils']}, here it is {ours['ib_utils']}"
    what = "cells of the chapter" if theirs["cells"] != ours["cells"] else "ib_utils modules"
    return f"worker {worker} has other {what} than the sweep began with: it needs the same checkout"


def check_workers(client: "Client", chapter: str, ours: Mapping[str, str], output: Path) -> None:
    """Asks every worker that is there for its code, and whether it sees the folder of the results.

    Raises:
        InputError: one of them has other code, or another folder.
    """
    output.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=output, prefix=".shared-") as probe:
        try:
            answers = client.run(_ask(), chapter, probe.name, on_error="return")
        except OSError as error:
            raise InputError(f"a worker left while it was asked for its code: {_line(error)}") from error
    for worker, answer in sorted(answers.items()):
        if isinstance(answer, BaseException):
            raise InputError(f"worker {worker} cannot run chapters: {_line(answer)}")
        theirs, shared = answer
        if problem := mismatch(worker, theirs, ours):
            raise InputError(problem)
        if not shared:
            raise InputError(f"worker {worker} does not see {output}: results come back through a shared folder")


def _ask() -> Callable[[str, str], Any]:
    """A question to a worker, sent as it is: the worker's own ib_utils may be too old to know it."""

    def ask(chapter: str, probe: str) -> Any:
        import os

        import ib_utils

        try:
            from ib_utils.runner.cluster import own_identity
        except ImportError:
            return {"ib_utils": ib_utils.__version__, "cells": "", "modules": ""}, True
        return own_identity(chapter), os.path.exists(probe)

    return ask


def own_identity(chapter: str) -> dict[str, str] | str:
    """`identity`, or in one line why there is none."""
    try:
        return identity(chapter)
    except InputError as error:
        return str(error)


def _line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
