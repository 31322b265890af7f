"""Importing what trains and measures costs little beside torch. (Claims add pydantic, which reads the registries.)"""

import math
import resource
import subprocess
import sys

import pytest

PACKAGE = "ib_utils.data, ib_utils.models, ib_utils.training, ib_utils.measures, ib_utils.stats"


def cpu_seconds(modules: str) -> float:
    """User and system time of a fresh interpreter that imports these: a busy neighbour counts little."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", f"import {modules}"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_importing_takes_at_most_fifteen_percent_longer_than_torch_alone():
    cpu_seconds(PACKAGE)  # writes the byte code
    torch = package = math.inf
    for _ in range(8):  # a busy machine slows now the one, now the other: the fastest of each counts
        torch, package = min(torch, cpu_seconds("torch")), min(package, cpu_seconds(PACKAGE))
        if package < 1.15 * torch:
            return
    pytest.fail(f"{package:.2f} s against {torch:.2f} s for torch alone")


def test_what_is_heavy_is_imported_where_it_is_used():
    heavy = "{'pandas', 'scipy.stats', 'sklearn', 'matplotlib.pyplot', 'safetensors', 'papermill', 'dask'}"
    code = f"import sys, {PACKAGE}; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert found.strip() == "[]"
