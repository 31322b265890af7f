"""The command line: what it prints and how it exits. What the verbs do is tested in test_runner.py."""

import json
import re
import subprocess
import sys

import pytest
from conftest import CLAIM

import ib_utils
from ib_utils import atlas, claims, cli, stats


@pytest.fixture
def ib(monkeypatch, capfd):
    """Runs `ib` with arguments: exit status, what it printed, what it said on stderr."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["ib", *arguments])
        with pytest.raises(SystemExit) as exit:
            cli.main()
        printed = capfd.readouterr()
        return exit.value.code or 0, printed.out, printed.err

    return run


def test_help_answers_without_loading_what_only_the_verbs_need():
    heavy = {
        "torch",
        "numpy",
        "pandas",
        "nbformat",
        "nbclient",
        "papermill",
        "matplotlib",
        "distributed",
        "pydantic",
        "yaml",
    }
    code = f"import sys, ib_utils.cli; print(sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_version_is_the_packages(ib):
    assert ib("--version") == (0, f"ib {ib_utils.__version__}\n", "")


def test_without_a_verb_there_is_help(ib):
    _, printed, said = ib()
    verbs = "list claims papers new execute run sweep collect compare robust doctor"
    for verb in verbs.split():
        assert verb in printed + said


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["execute", "tinny"], "ib: no chapter 'tinny'; did you mean 'tiny'?"),
        (["execute", "../tiny"], "ib: no chapter '../tiny'"),
        (["execute", "tiny", "--jobs", "0"], "ib: jobs has to be at least 1, not 0"),
        (["run", "tinny"], "ib: no chapter 'tinny'; did you mean 'tiny'?"),
        (["run", "tiny", "-p", "n_seed=3"], "ib: no parameter 'n_seed'; did you mean 'n_seeds'?"),
        (["run", "tiny", "-p", "n_seeds=many"], "ib: n_seeds takes a whole number such as 4, not 'many'"),
        (["run", "tiny", "-p", "n_seeds=1"], "ib: n_seeds has to lie in [2, 64], not 1"),
        (["run", "tiny", "-p", "n_seeds"], "ib: a parameter is given as name=value, not 'n_seeds'"),
        (["run", "tiny", "--preset", "full"], "ib: tiny has no preset 'full'; there is: default"),
        (["run", "tiny", "--record"], "ib: only a preset without other parameters is recorded"),
        (["sweep", "tinny", "-g", "n_seeds=2:4"], "ib: no chapter 'tinny'; did you mean 'tiny'?"),
        (["sweep", "tiny", "-g", "n_seed=2:4"], "ib: no parameter 'n_seed'; did you mean 'n_seeds'?"),
        (["sweep", "tiny", "-g", "n_seeds=0:4"], "ib: n_seeds has to lie in [2, 64], not 0"),
        (["sweep", "tiny", "-g", "text=a", "-p", "text=b"], "ib: text is both swept and fixed"),
        (["sweep", "tiny", "-g", "text=a", "--resource", "GPU"], "ib: a resource is given as name=number, not 'GPU'"),
        (["sweep", "tiny", "-g", "text=a", "--scheduler", "x://"], "ib: no scheduler answers at 'x://'"),
        (["collect", "nowhere"], "ib: there is no folder 'nowhere'"),
        (["collect", "notebooks"], "ib: no finished run in 'notebooks'"),
        (["compare", "tiny", "text", "--runs", "notebooks"], "ib: no run of 'tiny'"),
        (["robust", "tiny"], "ib: tiny has no parameter 'seed'"),
        (["robust", "tiny", "--seed", "901"], "ib: base seeds from 900 on are for pilots"),
        (["papers", "--chapter", "grokin"], "ib: no chapter 'grokin'; did you mean 'grokking'?"),
        (["papers", "--status", "done"], "ib: no status 'done'; there is: tested, planned, beyond one GPU, outside"),
        (["new", "Tiny"], "ib: a chapter is named in lower case with hyphens"),
    ],
)
def test_bad_input_is_one_line_and_status_2(ib, chapter, arguments, line):
    chapter("tiny")
    status, printed, said = ib(*arguments)
    assert (status, printed) == (2, "")
    assert said.startswith(line)
    assert said.count("\n") == 1


def test_executing_prints_a_line_a_chapter_and_tracebacks_at_the_end(ib, chapter):
    chapter("good", "1")
    chapter("bad", "1 / 0")
    status, printed, said = ib("execute")
    assert status == 1
    assert sorted(line.split(" (")[0] for line in printed.splitlines()) == [
        "✓ good: executed",
        "✗ bad: failed",
    ]
    assert "ZeroDivisionError" in said
    status, printed, said = ib("execute", "good")
    assert (status, said) == (0, "")
    assert printed.startswith("= good: unchanged")


def test_a_run_prints_its_verdicts_and_its_folder(ib, book, chapter):
    claim = {"id": "a-claim", "preset": "custom", "verdict": "holds"}
    chapter("tiny", f"from IPython.display import display\ndisplay({{{claims.MIME!r}: {claim}}}, raw=True)")
    status, printed, said = ib("run", "tiny", "-p", "n_seeds=2", "-p", "train_sizes=[5]", "--out", "kept")
    (record,) = book.glob("kept/tiny/*/record.json")
    assert (status, printed) == (0, f"a-claim: holds\n{record.parent.relative_to(book)}\n")
    assert json.loads(record.read_text())["parameters"]["train_sizes"] == [5]

    chapter("tiny", "1 / 0")
    status, printed, said = ib("run", "tiny")
    assert (status, printed) == (1, "")
    assert said.rstrip().endswith("ZeroDivisionError: division by zero")


def test_a_sweep_ends_in_a_table_and_a_figure_and_tracebacks_of_what_failed(ib, book, chapter):
    import pandas as pd

    chapter("tiny", CLAIM, "if text == 'bad':\n    1 / 0")
    sweep = ["sweep", "tiny", "-g", "text=good,bad", "-g", "n_seeds=4,5", "-p", "learning_rate=1", "--jobs", "2"]
    status, printed, said = ib(*sweep)
    assert status == 1
    assert printed.splitlines()[-1] == "4 runs: 2 failed, 2 finished"
    assert said.count("ZeroDivisionError: division by zero") == 2
    assert "text=bad n_seeds=4 failed, " in said
    status, printed, said = ib("collect")
    assert (status, printed, said) == (0, "runs/claims.parquet: 2 runs, 2 rows\n", "")
    table = pd.read_parquet("runs/claims.parquet")
    assert set(table["parameters.learning_rate"]) == {1.0}
    status, printed, said = ib("compare", "tiny", "n_seeds")
    assert (status, printed, said) == (0, "runs/tiny-n_seeds.png\n", "")
    assert (book / "runs" / "tiny-n_seeds.png").read_bytes().startswith(b"\x89PNG")

    record = next(book.glob("runs/tiny/*/record.json"))
    record.write_text("{")
    status, printed, said = ib("collect", "--table", "kept.parquet")
    assert (status, printed) == (1, "kept.parquet: 1 runs, 1 rows\n")
    assert said.startswith(f"ib: {record.relative_to(book)} cannot be read and does not count: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize(("verdicts", "status"), [(["holds", "undecided"], 0), (["holds", "fails"], 1)])
def test_robustness_prints_which_verdicts_move_and_fails_if_one_turns(ib, monkeypatch, verdicts, status):
    import pandas as pd

    from ib_utils import runner
    from ib_utils.runner.robustness import _moves

    found = pd.DataFrame({6: ["holds", verdicts[0]], 500: ["holds", verdicts[1]]}, index=["a", "b"])
    found["moves"] = [_moves(set(row)) for row in found.to_numpy()]
    monkeypatch.setattr(runner, "robust", lambda chapter, **options: found)
    done, printed, _ = ib("robust", "tiny")
    assert done == status
    assert re.search(rf"^b +{verdicts[0]} +{verdicts[1]} +(moves|turns) *$", printed, re.MULTILINE)
    assert "2 claims: 1 stay" in printed


def test_the_list_says_what_is_stored_and_what_is_not(ib, chapter):
    claim = {"scale": None, "verdict": "holds"}  # of a run that counts nowhere
    chapter("fresh", f"from IPython.display import display\ndisplay({{{claims.MIME!r}: {claim}}}, raw=True)")
    ib("execute", "--store")
    chapter("new-one")
    status, printed, _ = ib("list")
    lines = {line.split()[0]: line for line in printed.splitlines()}
    assert status == 0
    assert "current" in lines["fresh"]
    assert "1 unjudged" in lines["fresh"]
    assert "The chapter new-one" in lines["new-one"]
    assert "unexecuted" in lines["new-one"]


@pytest.fixture
def stored(ib, chapter):
    """A chapter whose notebook stores one claim; the record."""
    run = claims.chapter(
        "locality-weight-sharing", dict.fromkeys(atlas.registry("locality-weight-sharing").parameters, 0)
    )
    checked = run.check("cnn-beats-mlp", stats.mean([0.20, 0.24, 0.22, 0.23, 0.19, 0.22]))
    record = checked.record | {"primary": True}
    chapter("tiny", f"from IPython.display import display\ndisplay({{{claims.MIME!r}: {record!r}}}, raw=True)")
    ib("execute", "--store")
    return record


def test_claims_are_listed_for_people_and_for_machines(ib, stored):
    status, printed, _ = ib("claims")
    (line,) = (line for line in printed.splitlines() if "cnn-beats-mlp" in line)
    assert status == 0
    assert re.search(r"direction +holds, robust +21\.7 points \[19\.7, 23\.6\]", line)
    assert "Primary claims: 0 judged" in printed  # a custom run counts nowhere
    status, printed, _ = ib("claims", "--json")
    assert (status, json.loads(printed)) == (0, [json.loads(json.dumps(stored))])


def test_an_atlas_that_cannot_be_right_is_one_line_and_status_2(ib, book, monkeypatch):
    entries = book / "papers.yml"
    entries.write_text("- titel: On Words\n")
    monkeypatch.setattr(atlas, "papers", lambda: atlas.read_papers(entries))
    status, printed, said = ib("papers")
    assert (status, printed, said.count("\n")) == (2, "", 1)
    assert said.startswith("ib: papers.yml, line 1: ")


def test_papers_are_listed_by_chapter_and_status(ib, stored):
    status, printed, _ = ib("papers", "--chapter", "locality-weight-sharing", "--status", "tested")
    assert status == 0
    assert "Greydanus & Kobak (2024)" in printed
    assert "LeCun" not in printed
    _, printed, _ = ib("papers", "--status", "outside the subject")
    assert "On the Orthogonal Projections" in printed
    assert "planned" not in printed


def test_a_new_chapter_is_announced_with_what_to_do_next(ib, book):
    status, printed, _ = ib("new", "my-chapter")
    assert status == 0
    assert printed.splitlines()[:2] == [
        "wrote notebooks/my-chapter.ipynb",
        "wrote ib_utils/atlas/claims/my-chapter.yml",
    ]


def test_the_doctor_prints_a_table(ib, book):
    status, printed, _ = ib("doctor")
    assert status == 0
    assert str(book) in printed.replace("\n", "").replace(" ", "")
    assert "torch" in printed
