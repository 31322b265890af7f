"""A chapter's parameters, read from its tagged cell, and the values that somebody wants to give them.

papermill only warns about an unknown name and knows no types; here both are errors before a kernel starts.
"""

import ast
import io
import math
import re
import tokenize
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from nbformat import NotebookNode

from .book import NAME, InputError, notebook_path, read, root, suggest

SCALARS = (bool, int, float, str)
MAXIMUM_RUNS = 100_000
RANGE = re.compile(r"(-?\d+):(-?\d+)(?::([1-9]\d*))?")


@dataclass(frozen=True)
class Parameter:
    """One parameter: the default fixes its type, the cell's metadata `ib.parameters` may narrow it down."""

    name: str
    default: Any
    comment: str = ""
    choices: tuple[Any, ...] | None = None
    minimum: float | None = None
    maximum: float | None = None

    def conform(self, value: Any) -> Any:
        """The value as the notebook will get it: a whole number becomes a float where the default is one.

        Raises:
            InputError: another type than the default's, outside the choices or the range.

        >>> Parameter("learning_rate", 0.1).conform(1)
        1.0
        """
        value = self._typed(value, self.default)
        for element in value if isinstance(value, list) else [value]:
            if self.choices is not None and element not in self.choices:
                raise InputError(f"{self.name} has to be one of {list(self.choices)}, not {element!r}")
            low = -math.inf if self.minimum is None else self.minimum
            high = math.inf if self.maximum is None else self.maximum
            if isinstance(element, int | float) and not low <= element <= high:
                raise InputError(f"{self.name} has to lie in [{low}, {high}], not {element!r}")
        return value

    def _typed(self, value: Any, like: Any) -> Any:
        if isinstance(like, list) and isinstance(value, list):
            # Where the default mixes whole numbers and floats, it is a list of floats.
            sample = next((item for item in like if isinstance(item, float)), like[0] if like else None)
            return value if sample is None else [self._typed(item, sample) for item in value]
        if isinstance(like, float) and not isinstance(value, bool | list | dict):
            try:  # through text: YAML reads 1e-3 as a string
                number = float(value)
            except (TypeError, ValueError):
                number = math.nan
            if math.isfinite(number):
                return number
        elif type(value) is type(like):
            return value
        raise InputError(f"{self.name} takes {_describe(self.default)} such as {self.default!r}, not {value!r}")


def _describe(default: Any) -> str:
    words = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", list: "a list"}
    return words[type(default)]


def parameters(notebook: NotebookNode) -> dict[str, Parameter]:
    """The parameters of a notebook by name, in their order; a notebook without the tagged cell has none.

    Raises:
        InputError: the cell is no Python, or holds anything but numbers, texts, true or false, and lists of those.
    """
    cell = next((cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])), None)
    if cell is None:
        return {}
    declared = cell.metadata.get("ib", {}).get("parameters", {})
    try:
        statements = ast.parse(cell.source).body
    except SyntaxError as error:
        raise InputError(f"the cell of parameters is not Python: line {error.lineno}: {error.msg}") from error
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(cell.source).readline)
        if token.type == tokenize.COMMENT
    }
    found = {}
    for statement in statements:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                pass
            case _:
                raise InputError(f"parameters are plain `name = value` lines, not `{ast.unparse(statement)}`")
        try:
            default = ast.literal_eval(value)
        except ValueError:
            default = None
        if not _is_plain(default):
            raise InputError(f"the default of {name} has to be a literal, not `{ast.unparse(value)}`")
        lines = range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)
        limits = dict(declared.get(name, {}))
        if "choices" in limits:
            limits["choices"] = tuple(limits["choices"])
        comment = " ".join(comments[line] for line in lines if line in comments)
        found[name] = Parameter(name, default, comment, **limits)
    if unknown := declared.keys() - found.keys():
        raise InputError(f"ib.parameters names {', '.join(sorted(unknown))}, which the cell does not set")
    return found


def _is_plain(value: Any) -> bool:
    return all(map(_is_plain, value)) if isinstance(value, list) else isinstance(value, SCALARS)


def conform(known: Mapping[str, Parameter], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, each as its parameter wants it.

    Raises:
        InputError: an unknown name, or a value that does not fit.
    """
    for name in values:
        if name not in known:
            raise InputError(f"no parameter {name!r}; {suggest(str(name), known)}")
    return {name: known[name].conform(value) for name, value in values.items()}


def parse_assignments(chapter: str, assignments: Iterable[str]) -> dict[str, Any]:
    """Values from `name=value` texts, each value a YAML scalar or list; a wanted text is taken as it is.

    Raises:
        InputError: no `=`, no YAML, an unknown name or a value that does not fit.
    """
    known = parameters(read(notebook_path(chapter)))
    values = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise InputError(f"a parameter is given as name=value, not {assignment!r}")
        value = _yaml(text, f"the value of {name}")
        wants_text = name in known and isinstance(known[name].default, str)
        if wants_text and not isinstance(value, str | list | dict):
            value = text  # `no` is a text here, not false
        values[name] = value
    return conform(known, values)


def parse_grid(chapter: str, assignments: Iterable[str]) -> dict[str, list[Any]]:
    """The values to sweep from `name=values` texts: a range such as `0:5` (0 to 4) or `0:50:10`, or YAML, by commas.

    A list is one value of a parameter that takes lists: `train_sizes=[50],[50, 100]` has two.

    Raises:
        InputError: no `=`, no YAML, no values, a name that is unknown or given twice, a value that does not fit.
    """
    known = parameters(read(notebook_path(chapter)))
    grid: dict[str, list[Any]] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise InputError(f"values to sweep are given as name=values, not {assignment!r}")
        if name in grid:
            raise InputError(f"{name} is swept twice")
        default = known[name].default if name in known else None
        if (numbers := RANGE.fullmatch(text)) and not isinstance(default, str):
            wanted = range(int(numbers[1]), int(numbers[2]), int(numbers[3] or 1))
            grid[name] = list(wanted[: MAXIMUM_RUNS + 1])  # refused below, without filling the memory
        else:
            # A wanted text is taken as it is: `no` is a text here, not false.
            loader = yaml.BaseLoader if isinstance(default, str) else yaml.SafeLoader
            grid[name] = _yaml(f"[{text}]", f"what to sweep for {name}", loader)
            if len(grid[name]) == 1 and isinstance(grid[name][0], list) and not isinstance(default, list):
                (grid[name],) = grid[name]
    return conform_grid(known, grid)


def conform_grid(known: Mapping[str, Parameter], grid: Mapping[str, Iterable[Any]]) -> dict[str, list[Any]]:
    """The values to sweep, each as its parameter wants it.

    Raises:
        InputError: nothing to sweep, an unknown name, or a value that does not fit.
    """
    if not grid:
        raise InputError("nothing to sweep: give values such as seed=0:5")
    conformed = {name: [conform(known, {name: value})[name] for value in values] for name, values in grid.items()}
    for name, values in conformed.items():
        if not values:
            raise InputError(f"no values to sweep for {name}")
    if math.prod(map(len, conformed.values())) > MAXIMUM_RUNS:
        raise InputError(f"the grid has more than {MAXIMUM_RUNS:,} runs")
    return conformed


def preset_values(chapter: str, preset: str) -> dict[str, Any]:
    """The values of `notebooks/presets/<preset>/<chapter>.yml`; the preset "default" is the notebook's own.

    Raises:
        InputError: no such preset for this chapter, or a value in it that does not fit.
    """
    known = parameters(read(notebook_path(chapter)))
    if preset == "default":
        return {}
    folder = root() / "notebooks" / "presets"
    presets = ["default", *sorted(path.parent.name for path in folder.glob(f"*/{chapter}.yml"))]
    if not NAME.fullmatch(preset) or preset not in presets:
        raise InputError(f"{chapter} has no preset {preset!r}; {suggest(preset, presets)}")
    path = folder / preset / f"{chapter}.yml"
    values = _yaml(path.read_text(encoding="utf-8"), f"preset {preset}")
    if not isinstance(values, dict):
        raise InputError(f"preset {preset} of {chapter} has to be a mapping of names to values")
    try:
        return conform(known, values)
    except InputError as error:
        raise InputError(f"preset {preset} of {chapter}: {error}") from error


def _yaml(text: str, what: str, loader: type[yaml.BaseLoader] | type[yaml.SafeLoader] = yaml.SafeLoader) -> Any:
    try:
        return yaml.load(text, Loader=loader)  # one of the two that build plain values only
    except yaml.YAMLError as error:
        raise InputError(f"{what} is not YAML: {' '.join(str(error).split())}") from error
