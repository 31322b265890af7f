"""Importing what trains and measures costs little beside torch. (Claims add pydantic, which reads the registries.)"""

import resource
import subprocess
import sys

PACKAGE = "ib_utils.data, ib_utils.models, ib_utils.training, ib_utils.measures, ib_utils.stats"


def cpu_seconds(modules: str) -> float:
    """User and system time of a fresh interpreter that imports these: a busy neighbour counts little."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", f"import {modules}"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_importing_takes_at_most_fifteen_percent_longer_than_torch_alone():
    cpu_seconds(PACKAGE)  # writes the byte code
    torch, package = (min(cpu_seconds(modules) for _ in range(4)) for modules in ("torch", PACKAGE))
    assert package < 1.15 * torch


def test_what_is_heavy_is_imported_where_it_is_used():
    heavy = "{'pandas', 'scipy.stats', 'sklearn', 'matplotlib.pyplot', 'safetensors', 'papermill', 'dask'}"
    code = f"import sys, {PACKAGE}; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert found.strip() == "[]"
