"""Which code outputs come from: hashes of a chapter's cells and of the modules it reaches, versions."""

import ast
import hashlib
import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml
from nbformat import NotebookNode

import ib_utils

PACKAGE = Path(ib_utils.__file__).parent


def digest(thing: Any) -> str:
    """First 12 hex digits of the SHA-256 of a thing's canonical JSON."""
    text = json.dumps(thing, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def cell_hash(notebook: NotebookNode) -> str:
    """Hash of what a notebook's author wrote: types, sources and tags of its cells, not outputs or ids."""
    return digest([[cell.cell_type, cell.source, sorted(cell.metadata.get("tags", []))] for cell in notebook.cells])


def modules_hash(notebook: NotebookNode, chapter: str, *, package: Path = PACKAGE) -> str:
    """Hash of the sources of the `ib_utils` modules a chapter reaches, and of its own claims.

    Imports are followed statically, those inside functions included. Of the atlas's data only the chapter's
    own `claims/<chapter>.yml` counts: a paper added to another chapter makes nothing stale.
    """
    reached: dict[str, Path] = {}
    pending = [name for cell in notebook.cells if cell.cell_type == "code" for name in _imports(cell.source)]
    while pending:
        for module, path in _modules(pending.pop(), package):
            if module not in reached:
                reached[module] = path
                pending.extend(_imports_of_file(module, path, path.stat().st_mtime_ns))
    sources: dict[str, Any] = {module: path.read_text(encoding="utf-8") for module, path in reached.items()}
    claims = package / "atlas" / "claims" / f"{chapter}.yml"
    if claims.is_file():
        sources["claims"] = yaml.load(claims.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    return digest(sources)


def _imports(source: str, module: str = "") -> Iterator[str]:
    """Dotted names that a piece of code imports; its relative imports start from the package `module`."""
    code = re.sub(r"^(\s*)[%!].*$", r"\1pass", source, flags=re.MULTILINE)  # notebook magics are no Python
    try:
        tree = ast.parse(code)
    except SyntaxError:  # running the chapter will say so, with the place
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = module.split(".")[: len(module.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*start, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _modules(name: str, package: Path) -> Iterator[tuple[str, Path]]:
    """The module files that importing a dotted name runs: each package on the way and the module itself."""
    first, *rest = name.split(".")
    if first != "ib_utils":
        return
    folder = package
    yield first, folder / "__init__.py"
    for i, part in enumerate(rest):
        module = ".".join([first, *rest[: i + 1]])
        if (folder / part / "__init__.py").is_file():
            folder = folder / part
            yield module, folder / "__init__.py"
        else:
            if (folder / f"{part}.py").is_file():
                yield module, folder / f"{part}.py"
            return


@cache
def _imports_of_file(module: str, path: Path, changed: int) -> tuple[str, ...]:
    start = module if path.name == "__init__.py" else module.rpartition(".")[0]
    return tuple(_imports(path.read_text(encoding="utf-8"), start))


def versions() -> dict[str, str]:
    """Versions that decide what a chapter computes."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return {"python": python} | {name: metadata.version(name) for name in ("torch", "numpy", "scipy")}
