"""Every chapter has the parts that a chapter has; a new one is told which are missing."""

import copy

import pytest
import yaml
from anatomy import problems
from nbformat.v4 import new_output

from ib_utils import runner

REPOSITORY = yaml.safe_load((runner.root() / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]


def test_there_are_chapters():
    assert runner.chapters()


@pytest.mark.parametrize("chapter", runner.chapters())
def test_a_chapter_lacks_nothing(chapter):
    assert problems(runner.read(runner.notebook_path(chapter)), REPOSITORY) == []


# The tests of the test: a chapter that is complete, and what is said when a part of it is not.


@pytest.fixture
def scaffold(tmp_path, monkeypatch):
    (tmp_path / "_config.yml").write_text(f"repository: {{url: '{REPOSITORY}'}}")
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path)
    path, _ = runner.new("my-chapter")
    return runner.read(path)


@pytest.fixture
def complete(scaffold):
    for count, cell in enumerate(scaffold.cells):
        cell.source = cell.source.replace("TODO", "words")
        if cell.cell_type == "code":
            cell.execution_count = count
        if "nbval-check-output" in cell.metadata.get("tags", []):
            cell.outputs = [new_output("stream", text="a-claim: holds\n")]
        if "plt.show" in cell.source:
            cell.outputs = [new_output("display_data", data={"image/png": "iVBOR"})]
            cell.metadata["mystnb"] = {"image": {"alt": "A curve that rises."}}
    return scaffold


def test_a_new_chapter_is_told_what_is_missing(scaffold):
    found = problems(scaffold, REPOSITORY)
    assert "cell 1 still says TODO" in found
    assert "cell 2 was not executed" in found
    assert "the cell tagged nbval-check-output prints something else than plain text, or nothing" in found


def test_a_new_chapter_once_filled_lacks_nothing(complete):
    assert problems(complete, REPOSITORY) == []


def find(notebook, text):
    (cell,) = (cell for cell in notebook.cells if text in cell.source)
    return cell


def replace(old, new):
    def spoil(notebook):
        cell = find(notebook, old)
        cell.source = cell.source.replace(old, new)

    return spoil


def change(text, **metadata):
    def spoil(notebook):
        find(notebook, text).metadata.update(metadata)

    return spoil


def remove(text):
    return lambda notebook: notebook.cells.remove(find(notebook, text))


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (replace("# My chapter", "My chapter"), "the first cell is not the title"),
        (replace("in one sentence?", "in one sentence."), "asks no question"),
        (replace("Running time", "Time"), "does not say the running time"),
        (replace("google.colab", "google"), "the first code cell is not the bootstrap"),
        (replace(REPOSITORY, "https://example.org/fork"), "does not hold the repository"),
        (
            replace('if "google.colab" in sys.modules:', "import google.colab\nif True:"),
            "elsewhere than on Colab",
        ),
        (replace("effect = ", "!pip install more\neffect = "), "elsewhere than on Colab"),
        (change("google.colab", tags=[]), "not folded"),
        (change("n_seeds = 8", tags=[]), "exactly one cell tagged parameters"),
        (replace("n_seeds = 8", "n_seeds = 2 * 4"), "has to be a literal"),
        (replace("  # the first replicate's seed", ""), "parameter seed has no comment"),
        (remove("papers("), "no cell shows the papers"),
        (replace("## Try it", "## Tests"), "there is no section '## Try it'"),
        (replace("## Further", "## Even more\n\n## Further"), "the last sections are not"),
        (change("chapter.verdicts()", tags=[]), "is tagged nbval-check-output"),
        (change("chapter.summary()", tags=["nbval-check-output"]), "is tagged nbval-check-output"),
        (replace("### Exercise 2", "### Question 2"), "there are 2 exercises"),
        (lambda notebook: notebook.cells.pop(-2), "'Exercise 3' has no solution"),
        (replace("effect = ", "#\n" * 40 + "effect = "), "lines; at most 30"),
        (replace("$f(x)", "{cite}`lecun1989`"), "MyST role"),
        (replace("## Controls", "```{note}\nwords\n```\n## Controls"), "MyST directive"),
        (replace("## Controls", "(controls)=\n## Controls"), "MyST target"),
        (change("plt.show()", mystnb={"image": {"alt": " "}}), "without alt text"),
        (replace("effect = ", "from tqdm.auto import tqdm\neffect = "), "tqdm.auto"),
        (lambda notebook: find(notebook, "effect = ").update(execution_count=None), "was not executed"),
    ],
)
def test_a_missing_part_is_named(complete, spoil, problem):
    spoiled = copy.deepcopy(complete)
    spoil(spoiled)
    found = problems(spoiled, REPOSITORY)
    assert any(problem in line for line in found), found


def test_roles_in_further_are_welcome(complete):
    find(complete, "## Further").source += "\n\n{cite}`lecun1989`"
    assert problems(complete, REPOSITORY) == []
