"""What is installed here and what a chapter would find: for bug reports, and where numbers differ."""

import os
import platform
import re
import shutil
import sys
from importlib import metadata
from pathlib import Path

from .book import InputError, root
from .provenance import PACKAGE
from .recording import commit

PACKAGES = (
    "torch",
    "numpy",
    "scipy",
    "pandas",
    "scikit-learn",
    "matplotlib",
    "papermill",
    "nbclient",
    "jupyter-book",
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def doctor() -> list[tuple[str, str]]:
    """Pairs of a topic and what was found, in the order in which to show them."""
    import torch

    import ib_utils

    try:
        checkout = str(root())
    except InputError:
        checkout = "none (only the installed package)"
    threads = os.environ.get("OMP_NUM_THREADS")
    cuda = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return [
        ("python", f"{platform.python_version()} ({sys.executable})"),
        ("ib_utils", f"{ib_utils.__version__} ({PACKAGE})"),
        ("checkout", checkout),
        ("git commit", commit_here()),
        ("packages", ", ".join(f"{name} {_version(name) or 'missing'}" for name in PACKAGES)),
        ("constraints.txt", _constraints()),
        ("CPU", f"{os.cpu_count()} cores, OMP_NUM_THREADS {threads or 'not set'} (chapters run with 1)"),
        ("CUDA", ", ".join(cuda) or "none"),
        ("MPS", "available" if torch.backends.mps.is_available() else "none"),
        ("IB_DATA_DIR", _data()),
        ("Chromium", next((found for name in BROWSERS if (found := shutil.which(name))), "none")),
    ]


def commit_here() -> str:
    try:
        return commit() or "none"
    except InputError:
        return "none"


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _constraints() -> str:
    """How the installed versions differ from those that the stored outputs came from."""
    path = PACKAGE.parent / "constraints.txt"
    if not path.is_file():
        return "no such file"
    pins = re.findall(r"^([\w.-]+)==([^\s;#]+)", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    installed = [(name, pin, _version(name)) for name, pin in pins]
    # A local suffix such as +cpu is the same release, built for another device.
    differing = [
        f"{name} {version} (recorded {pin})"
        for name, pin, version in installed
        if version and version.partition("+")[0] != pin.partition("+")[0]
    ]
    return "as installed" if not differing else ", ".join(differing)


def _data() -> str:
    folder = os.environ.get("IB_DATA_DIR")
    if not folder:
        return "not set"
    if not Path(folder).is_dir():
        return f"{folder} is no folder"
    return f"{folder}: {', '.join(sorted(path.name for path in Path(folder).iterdir())) or 'empty'}"
