"""Which code outputs come from: hashes of a chapter's cells and of the modules it reaches, versions."""

import ast
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
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
    """Hash of the code that a notebook's author wrote: sources and tags of its code cells, not text, outputs or ids."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return digest([[cell.source, sorted(cell.metadata.get("tags", []))] for cell in code])


def modules_hash(notebook: NotebookNode, chapter: str, *, package: Path = PACKAGE) -> str:
    """Hash of the sources of the `ib_utils` modules a chapter reaches, and of its own claims.

    Names are followed statically: what a chapter takes from a package (`models.MLP`) leads to the module that
    defines it, not to all that the package's `__init__` gathers, so that a new model makes nothing stale. A package
    that is used as a whole (`getattr(models, name)`) counts with all its modules. Of the atlas's data only the
    chapter's own `claims/<chapter>.yml` counts.
    """
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    reached: set[Path] = set()
    pending, seen = list(_names_used(code)), set()
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        path, rest = _file_of(name, package)
        if path is None:
            continue
        module = ".".join(["ib_utils", *path.relative_to(package).with_suffix("").parts]).removesuffix(".__init__")
        used, imported = _names_of_file(module, path, path.stat().st_mtime_ns)
        if path.name == "__init__.py" and rest and rest[0] in imported:  # only passed on: follow it home
            pending.append(".".join([imported[rest[0]], *rest[1:]]))
        else:
            reached.add(path)
            pending.extend(used)
            if path.name == "__init__.py":
                pending.extend(imported.values())
    sources: dict[str, Any] = {str(path.relative_to(package)): path.read_text(encoding="utf-8") for path in reached}
    claims = package / "atlas" / "claims" / f"{chapter}.yml"
    if claims.is_file():
        sources["claims"] = yaml.load(claims.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    return digest(sources)


def _trees(sources: Iterable[str]) -> Iterator[ast.Module]:
    for source in sources:
        # Notebook magics are no Python. Only where it needs it: a line may begin with the operator, too.
        without_magics = re.sub(r"^(\s*)[%!].*$", r"\1pass", source, flags=re.MULTILINE)
        for code in (source, without_magics):
            with suppress(SyntaxError):  # running the chapter will say so, with the place
                yield ast.parse(code)
                break


def _imported(trees: Iterable[ast.Module], package: str) -> dict[str, str]:
    """What each name that a piece of code imports stands for; relative imports start from `package`."""
    names = {}
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.split(".")[0]
                names[alias.asname or first] = alias.name if alias.asname else first
        elif isinstance(node, ast.ImportFrom):
            start = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = [*start, *([node.module] if node.module else [])]
            names |= {alias.asname or alias.name: ".".join([*base, alias.name]) for alias in node.names}
    return names


def _names_used(sources: Iterable[str], package: str = "") -> set[str]:
    """Dotted names, from the package on, that a piece of code uses: each import with the attributes taken from it."""
    trees = list(_trees(sources))
    imported = _imported(trees, package)
    used, inner = set(), set()
    for node in (node for tree in trees for node in ast.walk(tree)):  # outer attributes come before inner ones
        chain, start = [], node
        while isinstance(start, ast.Attribute):
            chain.append(start.attr)
            inner.add(start.value)
            start = start.value
        if node not in inner and isinstance(start, ast.Name) and start.id in imported:
            used.add(".".join([imported[start.id], *reversed(chain)]))
        elif isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            used.add(imported["*"].removesuffix(".*"))
    return used


def _file_of(name: str, package: Path) -> tuple[Path | None, list[str]]:
    """The file that a dotted name leads to, as far as folders and files go, and what is left of the name."""
    first, *rest = name.split(".")
    if first != "ib_utils":
        return None, rest
    folder = package
    while rest and (folder / rest[0] / "__init__.py").is_file():
        folder, rest = folder / rest[0], rest[1:]
    if rest and (folder / f"{rest[0]}.py").is_file():
        return folder / f"{rest[0]}.py", rest[1:]
    return folder / "__init__.py", rest


@cache
def _names_of_file(module: str, path: Path, changed: int) -> tuple[frozenset[str], dict[str, str]]:
    """What a module uses and what it imports by name."""
    source = [path.read_text(encoding="utf-8")]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    return frozenset(_names_used(source, package)), _imported(_trees(source), package)


def versions() -> dict[str, str]:
    """Versions that decide what a chapter computes."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return {"python": python} | {name: metadata.version(name) for name in ("torch", "numpy", "scipy")}
