"""The kernels that chapters run in: their environment, their memory, and that none outlives us."""

import ast
import inspect
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

Result = TypeVar("Result")

ENVIRONMENT = {
    # One thread a process: on small tensors two OpenMP threads on a busy machine are far slower than one.
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "TQDM_DISABLE": "1",  # bars go to stderr, which is never stored
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # otherwise every kernel warns about frozen modules
}


class Meter:
    """Follows one kernel and its children: their peak memory, their device, their end if we have to go."""

    def __init__(self) -> None:
        self.peak_mib = 0.0
        self.device = ""  # until the chapter has run; a kernel that is killed after its last cell tells none
        self._pid: int | None = None
        self._leash: subprocess.Popen[bytes] | None = None
        self._killed = False

    def watch(self, pid: int) -> None:
        """Starts following the kernel; one that started after `kill` ends at once."""
        self._pid = pid
        if self._killed:
            self.kill()
        if os.name == "posix":
            self._leash = leash(pid)
        threading.Thread(target=self._follow, daemon=True).start()

    def kill(self) -> None:
        """Ends the kernel and its children without asking."""
        import psutil

        self._killed = True
        for process in self._tree():
            with suppress(psutil.Error):
                process.kill()

    def release(self) -> None:
        """Ends what the kernel has left behind, once it has gone itself."""
        if self._leash is not None:
            self._leash.communicate()  # closes its input

    def _tree(self) -> list[Any]:
        import psutil

        if self._pid is None:
            return []
        with suppress(psutil.Error):
            kernel = psutil.Process(self._pid)
            if kernel.status() != psutil.STATUS_ZOMBIE:
                return [kernel, *kernel.children(recursive=True)]
        return []

    def sample(self) -> bool:
        """Takes the memory of now into the peak; says whether the kernel is still there."""
        import psutil

        tree = self._tree()
        resident = 0
        for process in tree:
            with suppress(psutil.Error):
                resident += process.memory_info().rss
        self.peak_mib = max(self.peak_mib, resident / 2**20)
        return bool(tree)

    def _follow(self) -> None:
        while self.sample():
            time.sleep(0.2)


def leash(group: int) -> subprocess.Popen[bytes]:
    """A process that waits until its standard input closes, then ends a process group.

    We hold the other end: whether we close it or die, even by kill -9, nothing that a kernel has started stays.
    (A kernel leads a group of its own. It would notice by itself only between two cells' lines, and its children
    not at all.)
    """
    command = ["/bin/sh", "-c", f"read _; kill -s KILL -- -{group} 2>/dev/null"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True)


def device_name(device: object) -> str:
    """What a chapter's variable `device` means in this process, in words; without torch it is the CPU."""
    import sys

    torch = sys.modules.get("torch")
    if torch is None:
        return "cpu"
    from ib_utils.training import resolve_device

    resolved = resolve_device(str(device))
    return f"cuda ({torch.cuda.get_device_name(resolved)})" if resolved.type == "cuda" else resolved.type


def kernel_manager(meter: Meter) -> type:
    """A kernel manager class for nbclient and papermill alike: our environment, followed by `meter`."""
    from jupyter_client.manager import AsyncKernelManager

    class ChapterKernelManager(AsyncKernelManager):
        async def start_kernel(self, **settings: Any) -> None:  # type: ignore[override]
            # The kernel's own log goes to our terminal: errors only.
            settings["extra_arguments"] = [*settings.get("extra_arguments", ()), "--log-level=ERROR"]
            await super().start_kernel(env={**os.environ, **ENVIRONMENT}, **settings)
            meter.watch(self.provisioner.pid)  # type: ignore[union-attr]

        async def shutdown_kernel(self, **settings: Any) -> None:  # type: ignore[override]
            meter.sample()  # what the last cell left
            with suppress(Exception):  # a kernel that hangs or died tells nothing
                meter.device = await self._device()
                # One that answers need not be interrupted, and waiting in steps of 0.1 s is much for a short run.
                await self.request_shutdown()
                await self.finish_shutdown(pollinterval=0.01)
            await super().shutdown_kernel(**settings)
            meter.release()

        async def _device(self) -> str:
            """Asks the kernel: it knows what "auto" came to, and torch, which takes us seconds to import."""
            client = self.client()
            client.start_channels()
            try:
                # As source: an import would load all of the runner into the kernel, half a second for nothing.
                reply = await client.execute(
                    inspect.getsource(device_name),
                    silent=True,
                    user_expressions={"name": "device_name(globals().get('device', 'auto'))"},
                    reply=True,
                    timeout=2,
                )
                return ast.literal_eval(reply["content"]["user_expressions"]["name"]["data"]["text/plain"])
            finally:
                client.stop_channels()

    return ChapterKernelManager


def supervise(
    tasks: Mapping[str, Callable[[Meter], Result]],
    *,
    jobs: int,
    finished: Callable[[str, Result], None] = lambda name, result: None,
) -> dict[str, Result]:
    """Runs tasks that start a kernel each, `jobs` at a time; Ctrl-C and SIGTERM end the kernels, then us.

    Each task runs in a thread and is given the meter for its kernel. `finished` is called in the caller's
    thread as the tasks end.

    Raises:
        KeyboardInterrupt: on Ctrl-C or SIGTERM, with every kernel gone.
    """
    meters = {name: Meter() for name in tasks}
    results: dict[str, Result] = {}
    pool = ThreadPoolExecutor(max_workers=jobs)
    with sigterm_interrupts():
        try:
            futures = {pool.submit(task, meters[name]): name for name, task in tasks.items()}
            for future in as_completed(futures):
                name = futures[future]
                results[name] = future.result()
                finished(name, results[name])
        except BaseException:
            for meter in meters.values():
                meter.kill()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            for meter in meters.values():
                meter.release()  # of a kernel that died, whose manager has nothing left to shut down
    return results


@contextmanager
def sigterm_interrupts() -> Iterator[None]:
    """SIGTERM raises KeyboardInterrupt meanwhile; in threads other than the main one signals are not ours."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
