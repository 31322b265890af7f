"""What every chapter has, as far as a machine can see it: lines that say what is missing."""

import ast
import re
from collections.abc import Iterator

from nbformat import NotebookNode

from ib_utils import runner

MAXIMUM_LINES = 30
SECTIONS = ("What this chapter found", "Try it", "Further")  # the last ones, in this order
MYST = {
    "role": r"\{[a-z][\w:+-]*\}`",
    "directive": r"^\s*(?:```+|~~~+|:::+)\s*\{",
    "target": r"^\s*\([\w-]+\)=\s*$",
}


def problems(notebook: NotebookNode, repository: str) -> list[str]:
    """Everything that a chapter lacks, a line each; `repository` is the address in `_config.yml`."""
    return [
        *_title(notebook),
        *_bootstrap(notebook, repository),
        *_parameters(notebook),
        *_papers(notebook),
        *_sections(notebook),
        *_found(notebook),
        *_exercises(notebook),
        *_every_cell(notebook),
        *runner.refusals(notebook),
    ]


def _title(notebook: NotebookNode) -> Iterator[str]:
    first = notebook.cells[0]
    if first.cell_type != "markdown" or not first.source.startswith("# "):
        yield "the first cell is not the title"
    if "?" not in first.source:
        yield "the title cell asks no question"
    if not re.search(r"running time", first.source, re.IGNORECASE):
        yield "the title cell does not say the running time"


def _bootstrap(notebook: NotebookNode, repository: str) -> Iterator[str]:
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if not code or "google.colab" not in code[0].source:
        yield "the first code cell is not the bootstrap (it asks for google.colab)"
        return
    if repository not in _strings(code[0].source):
        yield f"the bootstrap does not hold the repository of _config.yml, {repository}"
    if not _tags(code[0]) & {"hide-cell", "hide-input"}:
        yield "the bootstrap is not folded (tag hide-cell)"
    for cell in code:
        for statement in ast.parse(_python(cell.source)).body:
            on_colab = isinstance(statement, ast.If) and "google.colab" in ast.unparse(statement.test)
            if re.search(r"\bpip\b", ast.unparse(statement)) and not (on_colab and cell is code[0]):
                yield "something is installed elsewhere than on Colab"


def _parameters(notebook: NotebookNode) -> Iterator[str]:
    if sum("parameters" in _tags(cell) for cell in notebook.cells) != 1:
        yield "there is not exactly one cell tagged parameters"
        return
    try:
        known = runner.parameters(notebook)
    except runner.InputError as error:
        yield str(error)
        return
    if not known:
        yield "there are no parameters"
    for name, parameter in known.items():
        if not parameter.comment:
            yield f"parameter {name} has no comment"


def _papers(notebook: NotebookNode) -> Iterator[str]:
    if not any(cell.cell_type == "code" and "papers(" in cell.source for cell in notebook.cells):
        yield "no cell shows the papers of the chapter"


def _sections(notebook: NotebookNode) -> Iterator[str]:
    titles = [title for level, title, _ in headings(notebook) if level == 2]
    missing = [section for section in SECTIONS if section not in titles]
    yield from (f"there is no section '## {section}'" for section in missing)
    if not missing and tuple(titles[-len(SECTIONS) :]) != SECTIONS:
        yield f"the last sections are not {', '.join(SECTIONS)}"


def _found(notebook: NotebookNode) -> Iterator[str]:
    checked = [cell for cell in notebook.cells if "nbval-check-output" in _tags(cell)]
    section = _section(notebook, "What this chapter found")
    if len(checked) != 1 or not any(checked[0] is cell for cell in section):
        yield "not exactly one cell, in 'What this chapter found', is tagged nbval-check-output"
        return
    outputs = checked[0].get("outputs", [])
    if not outputs or any(out.output_type != "stream" or out.name != "stdout" for out in outputs):
        yield "the cell tagged nbval-check-output prints something else than plain text, or nothing"


def _exercises(notebook: NotebookNode) -> Iterator[str]:
    exercises: list[str] = []
    solved: set[str] = set()
    heading = ""
    for cell in _section(notebook, "Try it"):
        if cell.cell_type == "markdown":
            for match in _headings(cell.source):
                heading = match[2].strip()
                if match[1] == "###" and heading.startswith("Exercise"):
                    exercises.append(heading)
        elif "hide-cell" in _tags(cell):
            solved.add(heading)
    if len(exercises) < 3:
        yield f"there are {len(exercises)} exercises ('### Exercise …' under 'Try it'), not three or more"
    for exercise in exercises:
        if exercise not in solved:
            yield f"'{exercise}' has no solution in a cell tagged hide-cell"


def _every_cell(notebook: NotebookNode) -> Iterator[str]:
    further = _section(notebook, "Further")
    for i, cell in enumerate(notebook.cells, start=1):
        if "TODO" in cell.source:
            yield f"cell {i} still says TODO"
        if (lines := len(cell.source.splitlines())) > MAXIMUM_LINES:
            yield f"cell {i} has {lines} lines; at most {MAXIMUM_LINES}"
        if cell.cell_type == "markdown" and not any(cell is other for other in further):
            for what, pattern in MYST.items():
                if found := re.search(pattern, cell.source, re.MULTILINE):
                    yield f"cell {i} has a MyST {what} outside Further, text on Colab: {found[0]!r}"
        if cell.cell_type == "code":
            figure = any("image/png" in output.get("data", {}) for output in cell.outputs)
            alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
            if figure and not alt.strip():
                yield f"cell {i} shows a figure without alt text (metadata mystnb.image.alt)"
            if "tqdm.auto" in cell.source:
                yield f"cell {i} uses tqdm.auto, which stores a widget"


def headings(notebook: NotebookNode) -> list[tuple[int, str, int]]:
    """Level, title and cell of every heading."""
    return [
        (len(match[1]), match[2].strip(), i)
        for i, cell in enumerate(notebook.cells)
        if cell.cell_type == "markdown"
        for match in _headings(cell.source)
    ]


def _headings(source: str) -> Iterator[re.Match[str]]:
    without_code = re.sub(r"^```.*?^```", "", source, flags=re.MULTILINE | re.DOTALL)
    return re.finditer(r"^(#+)\s+(.+)$", without_code, re.MULTILINE)


def _section(notebook: NotebookNode, title: str) -> list[NotebookNode]:
    """The cells from a heading of the second level to the next one."""
    starts = [(name, i) for level, name, i in headings(notebook) if level == 2]
    for (name, start), (_, end) in zip(starts, [*starts[1:], ("", len(notebook.cells))], strict=True):
        if name == title:
            return notebook.cells[start:end]
    return []


def _tags(cell: NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", []))


def _python(source: str) -> str:
    """A cell's source with its magics as calls, so that Python can parse it."""
    return re.sub(r"^(\s*)[%!]\s*(\w+).*$", r"\1\2()", source, flags=re.MULTILINE)


def _strings(source: str) -> set[str]:
    return {node.value for node in ast.walk(ast.parse(_python(source))) if isinstance(node, ast.Constant)}
