"""The modules of ib_utils import in one direction (`.importlinter` has the order), and the check can fail."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("importlinter")

ROOT = Path(__file__).parents[2]


def lint_imports(folder: Path) -> subprocess.CompletedProcess:
    """import-linter on the package `ib_utils` in a folder, under this repository's contract."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"]
    return subprocess.run(
        [*command, "--config", str(ROOT / ".importlinter"), "--no-cache"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
    )


def test_a_module_imports_only_from_those_before_it():
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "source", "complaint"),
    [
        ("claims.py", "from ib_utils import stats", None),
        (
            "stats.py",
            "from ib_utils import claims",
            "ib_utils.stats is not allowed to import ib_utils.claims",
        ),
        ("data.py", "def f():\n    from ib_utils.cli import main", "is not allowed to import ib_utils.cli"),
        ("helpers.py", "", "ib_utils.helpers"),
    ],
)
def test_the_check_sees(tmp_path, module, source, complaint):
    package = tmp_path / "ib_utils"
    package.mkdir()
    for path in (ROOT / "ib_utils").iterdir():
        if path.suffix == ".py" or (path / "__init__.py").exists():
            (package / f"{path.stem}.py").touch()
    (package / module).write_text(source)
    done = lint_imports(tmp_path)
    assert (done.returncode == 0) == (complaint is None), done.stdout
    assert complaint is None or complaint in done.stdout
