"""Running chapters: which code outputs come from, what may be stored, what a run and a kill leave behind."""

import copy
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from ib_utils import claims, runner, training
from ib_utils.runner import InputError, Parameter, diagnosis, recording
from ib_utils.runner import book as book_module
from ib_utils.runner.book import write_atomically

# Where things are


def test_outside_a_checkout_the_runner_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(book_module, "PACKAGE", tmp_path / "site-packages" / "ib_utils")
    with pytest.raises(InputError, match="not inside a checkout"):
        runner.root()


def test_the_checkout_is_found_from_any_folder_in_it(book, monkeypatch):
    monkeypatch.chdir(book / "notebooks")
    assert runner.root() == book


@pytest.mark.parametrize("name", ["../secret", "notebooks/tiny", "/etc/passwd", "tiny.ipynb", "", "tinny"])
def test_only_names_of_chapters_are_accepted(book, chapter, name):
    chapter("tiny")
    (book / "secret.ipynb").write_text("{}")
    with pytest.raises(InputError, match="no chapter"):
        runner.notebook_path(name)


def test_an_unknown_chapter_is_answered_with_the_nearest_one(chapter):
    chapter("weight-sharing")
    with pytest.raises(InputError, match="did you mean 'weight-sharing'"):
        runner.notebook_path("weight-sharin")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(path, "old")
    monkeypatch.setattr(os, "fsync", lambda file: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_atomically(path, "new")
    assert [file.name for file in tmp_path.iterdir()] == ["file"]
    assert path.read_text() == "old"


# Which code outputs come from

notebooks = st.lists(
    st.tuples(
        st.sampled_from(["code", "markdown"]),
        st.text(max_size=10),
        st.lists(st.sampled_from("abc"), max_size=2, unique=True),
    ),
    max_size=4,
).map(lambda cells: new_notebook(cells=[_cell(*cell) for cell in cells]))


def _cell(kind, source, tags):
    new = new_code_cell if kind == "code" else new_markdown_cell
    return new(source, metadata={"tags": tags})


@given(notebooks, notebooks)
def test_the_cell_hash_tells_notebooks_apart_by_source_and_tags_of_their_code(a, b):
    def written(notebook):
        return [(c.source, sorted(c.metadata.tags)) for c in notebook.cells if c.cell_type == "code"]

    assert (runner.cell_hash(a) == runner.cell_hash(b)) == (written(a) == written(b))


@given(notebooks)
def test_the_cell_hash_ignores_text_outputs_counts_ids_and_other_metadata(notebook):
    executed = copy.deepcopy(notebook)
    for i, cell in enumerate(executed.cells):
        cell.id = f"cell-{i}"
        cell.metadata["mystnb"] = {"image": {"alt": "a curve"}}
        if cell.cell_type == "markdown":
            cell.source += "clearer words"
        else:
            cell.execution_count = 7
            cell.outputs = [new_output("stream", text="printed")]
    assert runner.cell_hash(executed) == runner.cell_hash(notebook)


@pytest.fixture
def package(tmp_path):
    """A package whose modules import each other in all the ways that there are."""
    sources = {
        "__init__.py": "",
        "stats.py": "import numpy\n",
        "models/__init__.py": "from .dense import MLP\nfrom .graph import Graph\n",
        "models/dense.py": "from ..shapes import volume\nMLP = volume()\n",
        "models/graph.py": "Graph = 1\n",
        "shapes.py": "def volume():\n    from ib_utils import lazy\n    return lazy.length\n",
        "lazy.py": "length = (\n    wrapped.size\n    % 2\n)\nfrom ib_utils import wrapped\n",
        "wrapped.py": "",
        "unrelated.py": "",
        "atlas/claims/tiny.yml": "claims: [1]",
        "atlas/claims/other.yml": "claims: [1]",
    }
    for name, source in sources.items():
        path = tmp_path / "ib_utils" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return tmp_path / "ib_utils"


@pytest.mark.parametrize(
    ("changed", "reached"),
    [
        ("stats.py", True),
        ("models/__init__.py", False),  # only passes names on
        ("models/dense.py", True),  # through the package's __init__
        ("models/graph.py", False),  # gathered there too, but not taken from it
        ("shapes.py", True),  # through a relative import
        ("lazy.py", True),  # through an import in a function
        ("wrapped.py", True),  # through a module with a line that begins as a notebook's magic does
        ("unrelated.py", False),
        ("atlas/claims/tiny.yml", True),
        ("atlas/claims/other.yml", False),
    ],
)
def test_the_modules_hash_changes_with_exactly_the_modules_that_a_chapter_reaches(package, changed, reached):
    notebook = new_notebook(
        cells=[
            new_markdown_cell("import ib_utils.unrelated"),
            new_code_cell("%matplotlib inline\nimport ib_utils.stats as s\nfrom ib_utils import models"),
            new_code_cell("if True:\n    !ls\n    print('not Python, but no reason to overlook the next cell'"),
            new_code_cell("s.mean(models.MLP.size)"),
        ]
    )
    before = runner.modules_hash(notebook, "tiny", package=package)
    with (package / changed).open("a") as file:
        file.write("\nchanged: 1\n")
    os.utime(package / changed, ns=(0, 0))
    assert (runner.modules_hash(notebook, "tiny", package=package) != before) == reached


@pytest.mark.parametrize("use", ["getattr(models, name)", "from ib_utils.models import *\nGraph"])
def test_a_package_used_as_a_whole_counts_with_all_its_modules(use, package):
    notebook = new_notebook(cells=[new_code_cell("from ib_utils import models"), new_code_cell(use)])
    before = runner.modules_hash(notebook, "tiny", package=package)
    (package / "models" / "graph.py").write_text("Graph = 22\n")
    assert runner.modules_hash(notebook, "tiny", package=package) != before


# Parameters


def _parameters(source, **limits):
    return runner.parameters(
        new_notebook(cells=[new_code_cell(source, metadata={"tags": ["parameters"], "ib": {"parameters": limits}})])
    )


def test_parameters_are_read_with_default_comment_and_limits(chapter):
    known = runner.parameters(runner.read(chapter("tiny")))
    assert [(p.name, p.default, p.comment) for p in known.values()] == [
        ("n_seeds", 4, "replicates"),
        ("learning_rate", 0.1, "step size"),
        ("train_sizes", [10, 20], "examples"),
        ("text", "plain", "any text"),
        ("device", "auto", "where to compute"),
    ]
    assert (known["n_seeds"].minimum, known["device"].choices) == (2, ("auto", "cpu"))


def test_a_hash_sign_in_a_text_starts_no_comment():
    assert _parameters("colour = '#fff'  # of the page")["colour"] == Parameter("colour", "#fff", "of the page")


@pytest.mark.parametrize(
    "source",
    ["a = 2 * 3", "a = n", "a, b = 1, 2", "import os", "a += 1", "a: int = 1", "a = None", "a = (1, 2)"],
)
def test_parameters_are_plain_literals(source):
    with pytest.raises(InputError, match=r"literal|plain"):
        _parameters(source)


def test_parameters_that_are_no_python_are_refused_with_their_line():
    with pytest.raises(InputError, match="the cell of parameters is not Python: line 2: "):
        _parameters("a = 1\nb = (")


def test_limits_are_only_declared_for_parameters():
    with pytest.raises(InputError, match="names width"):
        _parameters("depth = 1", width={"minimum": 1})


@pytest.mark.parametrize(
    ("default", "value", "conformed"),
    [
        (0.1, 1, 1.0),
        (0.1, "1e-3", 0.001),  # YAML 1.1 takes 1e-3 for a text
        ([0.5, 1], [1, 2], [1.0, 2.0]),
        ([1, 2], [3], [3]),
        ([[1]], [[2, 3]], [[2, 3]]),
        (True, False, False),
        ("a", "b", "b"),
        ([], ["anything"], ["anything"]),
    ],
)
def test_values_of_the_defaults_type_are_accepted(default, value, conformed):
    result = Parameter("p", default).conform(value)
    assert result == conformed
    assert json.dumps(result) == json.dumps(conformed)  # 1 and 1.0 are equal, but not the same


@pytest.mark.parametrize(
    ("default", "value"),
    [
        (1, 1.0),
        (1, True),
        (1, "1"),
        (0.1, True),
        (0.1, "fast"),
        (0.1, float("nan")),
        (0.1, float("inf")),
        (True, 1),
        ("a", 1),
        ("a", None),
        ([1], 1),
        ([1], [1.5]),
        ([1], ["1"]),
        (1, [1]),
        (1, {"a": 1}),
    ],
)
def test_values_of_another_type_are_refused_with_what_is_allowed(default, value):
    with pytest.raises(InputError, match=r"p takes .* such as .*, not ") as caught:
        Parameter("p", default).conform(value)
    assert "\n" not in str(caught.value)


@given(st.integers())
def test_a_range_holds_its_ends_and_nothing_outside(value):
    parameter = Parameter("p", 3, minimum=2, maximum=5)
    if 2 <= value <= 5:
        assert parameter.conform(value) == value
    else:
        with pytest.raises(InputError, match=r"p has to lie in \[2, 5\]"):
            parameter.conform(value)


def test_choices_and_ranges_hold_for_the_elements_of_a_list():
    assert Parameter("p", [1], minimum=1).conform([1, 2]) == [1, 2]
    with pytest.raises(InputError, match="not 0"):
        Parameter("p", [1], minimum=1).conform([1, 0])
    with pytest.raises(InputError, match="one of"):
        Parameter("p", ["a"], choices=("a", "b")).conform(["a", "c"])


def test_assignments_are_yaml_but_a_wanted_text_is_taken_as_it_is(chapter):
    chapter("tiny")
    given = ["n_seeds=8", "train_sizes=[5, 6]", "learning_rate=1e-3", "text=no"]
    values = {"n_seeds": 8, "train_sizes": [5, 6], "learning_rate": 0.001, "text": "no"}
    assert runner.parse_assignments("tiny", given) == values
    assert runner.parse_assignments("tiny", ["text='a=b'"]) == {"text": "a=b"}


@pytest.mark.parametrize(
    "assignment",
    [
        "n_seeds",
        "n_seed=3",
        "n_seeds=many",
        "n_seeds=1",
        "n_seeds=[",
        "text=[a]",
        "device=tpu",
        "n_seeds=!!python/name:os.system",
    ],
)
def test_assignments_that_do_not_fit_are_refused_in_one_line(chapter, assignment):
    chapter("tiny")
    with pytest.raises(InputError) as caught:
        runner.parse_assignments("tiny", [assignment])
    assert "\n" not in str(caught.value)


def test_a_preset_overrides_defaults_and_is_checked_like_any_value(book, chapter):
    chapter("tiny")
    preset = book / "notebooks" / "presets" / "full" / "tiny.yml"
    preset.parent.mkdir(parents=True)
    preset.write_text("n_seeds: 16\nlearning_rate: 1e-2\n")
    assert runner.preset_values("tiny", "full") == {"n_seeds": 16, "learning_rate": 0.01}
    with pytest.raises(InputError, match="did you mean 'full'"):
        runner.preset_values("tiny", "ful")
    with pytest.raises(InputError, match="no preset"):
        runner.preset_values("tiny", "../full")
    preset.write_text("n_seed: 16\n")
    with pytest.raises(InputError, match="preset full of tiny: no parameter 'n_seed'"):
        runner.preset_values("tiny", "full")


# Executing


def test_executing_goes_on_after_a_failure_and_does_not_repeat_what_has_not_changed(book, chapter):
    environment = "import os; print(os.environ['OMP_NUM_THREADS'], sorted(os.listdir()))"
    good = chapter("good", environment, "memory = b'x' * 2**28")
    bad = chapter("bad", "1 / 0", "print('not reached')")
    before = good.read_bytes(), bad.read_bytes()
    executions = {e.chapter: e for e in runner.execute()}

    assert executions["bad"].status == "failed"
    assert "ZeroDivisionError: division by zero" in executions["bad"].problem
    assert "\x1b" not in executions["bad"].problem  # no terminal's colour codes
    assert executions["good"].status == "executed"
    assert (good.read_bytes(), bad.read_bytes()) == before  # only --store touches notebooks/
    folder = book / "_build" / "executed" / "notebooks"
    assert [path.name for path in folder.iterdir()] == ["good.ipynb"]
    executed = nbformat.read(folder / "good.ipynb", as_version=4)
    nbformat.validate(executed)
    assert executed.cells[2].outputs[0].text == "1 ['bad.ipynb', 'good.ipynb']\n"
    ib = executed.metadata.ib
    assert ib.cells == runner.cell_hash(executed)
    assert ib.seconds > 0
    assert ib.peak_mib >= 256
    assert set(ib.versions) == {"python", "torch", "numpy", "scipy"}
    assert executed.metadata.language_info.version == ib.versions.python

    # A new alt text is no reason to run again, and is not lost.
    notebook = nbformat.read(good, as_version=4)
    notebook.cells[2].metadata["mystnb"] = {"image": {"alt": "a curve"}}
    nbformat.write(notebook, good)
    (again,) = runner.execute(["good"], store=True)
    assert (again.status, again.seconds < 0.5) == ("stored", True)
    stored = nbformat.read(good, as_version=4)
    assert stored.cells[2].metadata.mystnb.image.alt == "a curve"
    assert stored.cells[2].outputs == executed.cells[2].outputs
    assert runner.stale("good") is None
    assert runner.stale("bad") == "unexecuted"

    # A new source is.
    notebook.cells[3].source = "print('new')"
    nbformat.write(notebook, good)
    (changed,) = runner.execute(["good"])
    assert changed.status == "executed"


def test_the_stored_hashes_say_what_changed_since(chapter):
    path = chapter("tiny", "from ib_utils import stats")
    notebook = runner.read(path)
    current = {"cells": runner.cell_hash(notebook), "modules": runner.modules_hash(notebook, "tiny")}
    for stored, reason in [
        (current, None),
        (current | {"modules": "0"}, "ib_utils changed"),
        (current | {"cells": "0"}, "cells changed"),
    ]:
        notebook.metadata["ib"] = stored
        nbformat.write(notebook, path)
        assert runner.stale("tiny") == reason


def test_a_chapter_that_must_not_be_stored_leaves_the_stored_one_as_it_was(chapter):
    warning = chapter("warning", "import warnings; warnings.warn('careful')")
    edits = "from pathlib import Path; me = Path('edited.ipynb'); text = me.read_text()"
    edited = chapter("edited", edits, "_ = me.write_text(text.replace('# The chapter', '# The page'))")
    edits = "from pathlib import Path; me = Path('described.ipynb'); text = me.read_text()"
    described = chapter(
        "described", edits, '_ = me.write_text(text.replace(\'"metadata": {}\', \'"metadata": {"a": 1}\'))'
    )
    before = warning.read_bytes()
    executions = {e.chapter: e for e in runner.execute(store=True)}
    assert {execution.status for execution in executions.values()} == {"refused"}
    assert "cell 3 wrote to stderr" in executions["warning"].problem
    assert "edited while it ran" in executions["edited"].problem
    assert warning.read_bytes() == before
    assert "# The page edited" in edited.read_text()
    assert "edited while it ran" in executions["described"].problem
    assert runner.read(described).cells[0].metadata == {"a": 1}  # such as an alt text


def _executed(*outputs, source="1"):
    return new_notebook(cells=[new_code_cell(source, execution_count=1, outputs=list(outputs))])


def _display(**data):
    return new_output("display_data", data={mime.replace("_", "/"): content for mime, content in data.items()})


def test_a_clean_notebook_may_be_stored():
    html = f"<a href='https://example.org/tmp/x'>the site</a>, n/a, ~/data, /homework, {Path.home()}stead"
    image = "/tmp/" + "A" * 20  # base64 may hold any letters
    notebook = _executed(new_output("stream", text="1 of 2\n"), _display(text_html=html, image_png=image))
    assert runner.refusals(notebook) == []


@pytest.mark.parametrize(
    ("notebook", "reason"),
    [
        (
            _executed(new_output("error", ename="ValueError", evalue="no", traceback=[])),
            "cell 1 raised ValueError: no",
        ),
        (
            _executed(new_output("stream", name="stderr", text="Warning: x\n")),
            "cell 1 wrote to stderr: 'Warning: x'",
        ),
        (new_notebook(cells=[new_markdown_cell("a"), new_code_cell("1")]), "cell 2 was not executed"),
        (_executed(new_output("stream", text=f"in {Path.home()}/x\n")), "shows a path of this machine"),
        (_executed(new_output("stream", text=f"in {Path.cwd()}\n")), "shows a path of this machine"),
        (_executed(_display(text_html="<b>/tmp/ipykernel_1/2.py</b>")), "'/tmp/ipykernel_1/2.py'"),
        (_executed(_display(text_plain="/opt/lib/python3/site-packages/torch")), "site-packages"),
        (_executed(_display(application_json={"file": ["/home/somebody/x"]})), "'/home/somebody/x'"),
        (
            _executed(new_output("display_data", data={"application/vnd.jupyter.widget-view+json": {}})),
            "a widget",
        ),
        (_executed(_display(text_plain="x" * 500_001)), "at most 500 kB"),
    ],
)
def test_storing_refuses(notebook, reason):
    (found,) = runner.refusals(notebook)
    assert reason in found
    assert "\n" not in found


SLEEPS = """\
import os, time
with open("kernel", "w") as file:
    file.write(str(os.getpid()))
os.rename("kernel", "kernel.pid")
time.sleep(60)"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_interrupting_leaves_the_stored_notebook_and_no_kernel(book, chapter, how):
    path = chapter("sleeping", SLEEPS)
    before = path.read_bytes()
    command = [sys.executable, "-m", "ib_utils.cli", "execute", "--store"]
    with subprocess.Popen(command, cwd=book, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as ib:
        pid = _wait_for(book / "notebooks" / "kernel.pid")
        ib.send_signal(how)
        output, _ = ib.communicate(timeout=15)
    kernel = psutil.Process(pid) if psutil.pid_exists(pid) else None
    try:
        assert ib.returncode == (-9 if how == signal.SIGKILL else 130), output
        assert path.read_bytes() == before
        assert sorted(file.name for file in path.parent.iterdir()) == ["kernel.pid", "sleeping.ipynb"]
        assert not (book / "_build").exists()
        if how == signal.SIGKILL:  # nobody was left to wait for its end
            psutil.wait_procs([kernel] if kernel else [], timeout=10)
        assert kernel is None or not kernel.is_running() or kernel.status() == psutil.STATUS_ZOMBIE
    finally:
        if kernel is not None and kernel.is_running():
            kernel.kill()


def _wait_for(path):
    deadline = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.02)
    return int(path.read_text())


# One run with a record

NASTY = "quotes \" ' \\ \n __import__('os').abort() # {}"


def test_a_run_leaves_the_executed_notebook_and_its_record_and_is_not_repeated(book, chapter):
    chapter("tiny", "print([text, n_seeds, train_sizes, learning_rate])")
    values = {"text": NASTY, "train_sizes": [1, 2], "learning_rate": 1}
    done = runner.run("tiny", parameters=values)
    assert done.new
    assert sorted(path.name for path in done.folder.iterdir()) == [".lock", "record.json", "tiny.ipynb"]
    assert done.folder.parent == Path("runs/tiny")
    notebook = nbformat.read(done.folder / "tiny.ipynb", as_version=4)
    assert notebook.cells[-1].outputs[0].text == f"{[NASTY, 4, [1, 2], 1.0]}\n"  # a text stays a text
    record = json.loads((done.folder / "record.json").read_text())
    assert record == done.record
    assert record["parameters"] == {
        "n_seeds": 4,
        "learning_rate": 1.0,
        "train_sizes": [1, 2],
        "text": NASTY,
        "device": "auto",
    }
    assert record.keys() >= {
        "versions",
        "commit",
        "device",
        "date",
        "seconds",
        "peak_mib",
        "claims",
        "cells",
        "modules",
    }
    assert record["commit"] is None  # the book of this test is no git repository
    assert record["peak_mib"] > 10
    assert record["device"] == "cpu"

    again = runner.run("tiny", parameters=values)
    assert (again.new, again.record) == (False, record)

    # A record that was cut off does not count, and what a killed run left goes.
    (done.folder / "record.json").write_text('{"chapter": ')
    (done.folder / ".left.ipynb").touch()
    assert runner.run("tiny", parameters=values).new
    assert sorted(path.name for path in done.folder.iterdir()) == [".lock", "record.json", "tiny.ipynb"]
    assert runner.run("tiny", parameters=values, force=True).new


def test_every_parameter_and_every_change_of_the_code_has_its_own_folder(chapter, monkeypatch):
    folders = set()
    monkeypatch.setattr(recording, "_run", lambda path, folder, *rest: folders.add(folder) or {})
    for source in ("1", "2"):
        for n_seeds in (2, 3):
            chapter("tiny", source)
            runner.run("tiny", parameters={"n_seeds": n_seeds})
            runner.run("tiny", parameters={"n_seeds": n_seeds, "text": "plain"})  # the default, said aloud
    assert len(folders) == 4


def test_a_failed_run_leaves_its_traceback_and_nothing_that_counts(book, chapter):
    chapter("tiny", "1 / 0")
    with pytest.raises(runner.ChapterError, match="ZeroDivisionError"):
        runner.run("tiny")
    (folder,) = (book / "runs" / "tiny").iterdir()
    assert sorted(path.name for path in folder.iterdir()) == [".lock", "tiny.ipynb"]
    assert "ZeroDivisionError" in (folder / "tiny.ipynb").read_text()


DIES = """\
import os, subprocess
child = subprocess.Popen(["sleep", "60"])
with open("child.pid", "w") as file:
    file.write(str(child.pid))
os.kill(os.getpid(), 9)"""


@pytest.mark.skipif(os.name != "posix", reason="a kernel leads a process group")
def test_a_kernel_that_cannot_tell_its_device_any_more_leaves_the_same_record(book, chapter, monkeypatch):
    chapter("tiny", "print(1)")
    expected = runner.run("tiny").record["device"]
    monkeypatch.setattr("ib_utils.runner.kernels.device_name", len)  # has no source to send
    assert runner.run("tiny", force=True).record["device"] == expected == training.resolve_device().type


def test_what_a_kernel_has_started_does_not_outlive_it_when_it_dies(book, chapter):
    chapter("dying", DIES)
    with pytest.raises(runner.KernelDied):
        runner.run("dying")
    child = int((book / "notebooks" / "child.pid").read_text())
    if psutil.pid_exists(child):
        assert psutil.wait_procs([psutil.Process(child)], timeout=10)[1] == []


@pytest.mark.parametrize(
    "arguments",
    [
        {"chapter": "tinny"},
        {"parameters": {"n_seed": 3}},
        {"parameters": {"n_seeds": "3"}},
        {"preset": "fulll"},
        {"record": True},
        {"preset": "full", "parameters": {"n_seeds": 3}, "record": True},
        {"preset": "full", "record": True},  # no claims are registered for it
    ],
)
def test_bad_input_is_refused_before_a_kernel_starts(book, chapter, monkeypatch, arguments):
    chapter("tiny")
    (book / "notebooks" / "presets" / "full").mkdir(parents=True)
    (book / "notebooks" / "presets" / "full" / "tiny.yml").write_text("n_seeds: 8\n")
    monkeypatch.setattr(recording, "_run", lambda *arguments: pytest.fail("a kernel would start"))
    with pytest.raises(InputError) as caught:
        runner.run(**{"chapter": "tiny"} | arguments)
    assert "\n" not in str(caught.value)


def test_a_preset_as_it_is_can_be_recorded_for_the_site(book, chapter, monkeypatch):
    claim = {"id": "a-claim", "preset": "full", "verdict": "holds"}
    chapter("tiny", f"from IPython.display import display\ndisplay({{{claims.MIME!r}: {claim}}}, raw=True)")
    preset = book / "notebooks" / "presets" / "full" / "tiny.yml"
    preset.parent.mkdir(parents=True)
    preset.write_text("n_seeds: 8\n")
    monkeypatch.setattr(claims, "chapter", lambda name, values: SimpleNamespace(preset="full"))
    done = runner.run("tiny", preset="full", record=True)
    recorded = json.loads((book / "book" / "recorded" / "tiny.json").read_text())
    assert recorded == done.record
    assert (recorded["claims"], recorded["preset"], recorded["parameters"]["n_seeds"]) == ([claim], "full", 8)


def test_a_preset_whose_values_are_not_the_registered_ones_is_not_recorded(book, chapter, monkeypatch):
    chapter("tiny")
    preset = book / "notebooks" / "presets" / "full" / "tiny.yml"
    preset.parent.mkdir(parents=True)
    preset.write_text("n_seeds: 8\n")
    monkeypatch.setattr(claims, "chapter", lambda name, values: SimpleNamespace(preset="custom"))
    with pytest.raises(InputError, match="another fingerprint"):
        runner.run("tiny", preset="full", record=True)


def test_the_record_names_the_commit_and_says_when_files_differ_from_it(book, chapter):
    def git(*arguments):
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        return subprocess.run(["git", *who, *arguments], cwd=book, check=True, capture_output=True, text=True).stdout

    chapter("tiny")
    git("init")
    git("add", ".")
    git("commit", "-m", "first")
    head = git("rev-parse", "HEAD").strip()
    assert recording.commit() == head
    chapter("tiny", "1")
    assert recording.commit() == f"{head}-dirty"


# What is here, and a new chapter


def test_the_doctor_names_versions_devices_and_data(tmp_path, monkeypatch):
    (tmp_path / "constraints.txt").write_text("# exact\nnumpy==0.1\nscipy==1\nnot-installed==1\n")
    monkeypatch.setattr(diagnosis, "PACKAGE", tmp_path / "ib_utils")
    (tmp_path / "data" / "mnist").mkdir(parents=True)
    monkeypatch.setenv("IB_DATA_DIR", str(tmp_path / "data"))
    found = dict(runner.doctor())
    assert found.keys() >= {"python", "ib_utils", "packages", "CPU", "CUDA", "MPS", "Chromium", "git commit"}
    assert found["IB_DATA_DIR"].endswith("data: mnist")
    assert "(recorded 0.1)" in found["constraints.txt"]
    assert "not-installed" not in found["constraints.txt"]


def test_a_new_chapter_is_a_notebook_and_a_registry_and_never_overwrites(book):
    notebook, registry = runner.new("my-chapter")
    nbformat.validate(runner.read(notebook))
    assert notebook == book / "notebooks" / "my-chapter.ipynb"
    assert "https://example.org/atlas" in notebook.read_text()
    assert list(runner.parameters(runner.read(notebook))) == ["n_seeds", "seed", "device"]
    assert "chapter: my-chapter" in registry.read_text()
    with pytest.raises(InputError, match="already"):
        runner.new("my-chapter")
    with pytest.raises(InputError, match="lower case"):
        runner.new("../My chapter")


def test_a_stored_figure_has_fewer_colours_and_looks_the_same():
    import base64
    import io

    from PIL import Image

    from ib_utils.runner import execution

    plt = pytest.importorskip("matplotlib.pyplot")
    figure, ax = plt.subplots(figsize=(7, 4))
    ax.plot(range(10), "o-", label="a line")
    ax.fill_between(range(10), range(10), alpha=0.2)
    stream = io.BytesIO()
    figure.savefig(stream, dpi=110)
    plt.close(figure)
    small = execution._fewer_colours(base64.b64encode(stream.getvalue()).decode())
    assert execution._fewer_colours(small) == small
    shrunk = base64.b64decode(small)
    assert len(shrunk) < 0.6 * len(stream.getvalue())
    before, after = (
        np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), int) for data in (stream.getvalue(), shrunk)
    )
    assert abs(before - after).mean() < 0.5
