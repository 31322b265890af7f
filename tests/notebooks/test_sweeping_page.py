"""The page on sweeps: what it shows came from its code, and the commands it quotes are commands."""

import re
import shlex

import pytest
import yaml
from typer.main import get_command

from ib_utils import runner
from ib_utils.cli import app

ROOT = runner.root()
PAGE = runner.read(runner.executable_path("sweeping"))
CODE = [cell for cell in PAGE.cells if cell.cell_type == "code"]
PROSE = [(ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "book/running.md")]
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMANDS = [
    command
    for text in [*PROSE, *(cell.source for cell in PAGE.cells if cell.cell_type == "markdown")]
    for block in CONSOLE.findall(text)
    for command in re.findall(r"^\$ ib (.+)$", block.replace("\\\n", ""), re.MULTILINE)
]


def test_the_page_was_executed_as_it_is():
    assert PAGE.metadata["ib"]["cells"] == runner.cell_hash(PAGE), "run: ib execute sweeping --store"
    assert runner.refusals(PAGE) == []


def test_the_first_sweep_ran_and_the_second_had_nothing_to_do():
    texts = [output.get("data", {}).get("text/plain", "") for cell in CODE for output in cell.outputs]
    first, second = (text for text in texts if "finished" in text or "present" in text)
    assert set(re.findall(r": '(\w+)'", first)) == {"finished"}
    assert second == f"Counter({{'present': {first.count('finished')}}})"


def test_the_figure_is_stored_with_alt_text():
    (cell,) = (cell for cell in CODE if any("image/png" in output.get("data", {}) for output in cell.outputs))
    assert "runner.compare" in cell.source
    assert len(cell.metadata["mystnb"]["image"]["alt"]) > 20


def test_the_page_fetches_the_book_from_its_address():
    url = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]
    assert f'REPOSITORY = "{url}"' in CODE[0].source


@pytest.mark.parametrize("command", COMMANDS)
def test_quoted_commands_are_understood(command):
    verb, *arguments = shlex.split(command)
    context = get_command(app).commands[verb].make_context(verb, arguments)  # parses, runs nothing
    given = context.params
    if "grid" in given:
        runner.parse_grid(given["chapter"], given["grid"])
    if "parameter" in given and "chapter" in given:
        values = given["parameter"] or []
        if isinstance(values, str):  # of compare: a name
            assert values in runner.resolve(given["chapter"])
        else:
            runner.parse_assignments(given["chapter"], values)


@pytest.mark.slow
def test_the_page_still_runs():
    (done,) = runner.execute(["sweeping"], force=True)
    assert done.ok, done.problem
