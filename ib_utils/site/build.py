"""Builds the site: ``python -m ib_utils.site.build`` renders the outputs stored in ``notebooks/``,
``--executed`` those that ``ib execute`` has just left in ``_build/executed/notebooks``.

The sources are staged first, so that a fresh execution never has to be written over the stored one.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

STAGED_FILES = ("_config.yml", "_toc.yml")
STAGED_FOLDERS = ("book", "notebooks")


def stage(root: Path, target: Path, *, executed: Path | None = None) -> Path:
    """Copies what the site is made of to a fresh folder.

    Args:
        root: The repository.
        target: The folder to fill; whatever is in it is removed.
        executed: A folder of executed notebooks that replace the stored ones, or None for the stored ones.

    Returns:
        ``target``.

    Raises:
        FileNotFoundError: If a chapter has not been executed.
    """
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in STAGED_FILES:
        shutil.copy2(root / name, target)
    for name in STAGED_FOLDERS:
        shutil.copytree(root / name, target / name, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    if executed is not None:
        for chapter in sorted((target / "notebooks").glob("*.ipynb")):
            if not (executed / chapter.name).exists():
                raise FileNotFoundError(f"{chapter.stem} has not been executed: `ib execute {chapter.stem}`")
            shutil.copy2(executed / chapter.name, chapter)
    return target


def build(root: Path, *, output: Path | None = None, executed: bool = False, quiet: bool = False) -> Path:
    """Renders the book; every warning is an error.

    Args:
        root: The repository.
        output: The folder for ``stage``, ``.doctrees`` and ``html``; ``_build`` in the repository by default.
        executed: Render the notebooks of ``_build/executed/notebooks`` instead of the stored ones.
        quiet: Print warnings only.

    Returns:
        The folder with ``index.html``.

    Raises:
        subprocess.CalledProcessError: If Jupyter Book reports a warning or an error.
    """
    # Jupyter Book appends "_build" to the folder that it is given; by default that is the repository.
    output = root / "_build" if output is None else output / "_build"
    notebooks = root / "_build" / "executed" / "notebooks" if executed else None
    source = stage(root, output / "stage", executed=notebooks)
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", str(source)]
    # Always all pages: a second run over unchanged pages would not repeat the warnings of the first.
    command += ["--path-output", str(output.parent), "--all", "-n", "-W", "--keep-going"]
    command += ["-q"] if quiet else []
    html = output / "html"
    shutil.rmtree(html, ignore_errors=True)
    subprocess.run(command, cwd=root, check=True)
    return html


def main() -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m ib_utils.site.build", description="Builds _build/html.")
    parser.add_argument("--executed", action="store_true", help="render the chapters that `ib execute` left")
    arguments = parser.parse_args()
    try:
        html = build(Path.cwd(), executed=arguments.executed)
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"the site was not built: exit status {error.returncode}", file=sys.stderr)
        return error.returncode
    print(f"open {html / 'index.html'}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
