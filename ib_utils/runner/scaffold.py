"""A new chapter: a notebook and a registry of claims with every part in place, `TODO` where an author writes.

The anatomy test (`pytest tests/notebooks -k <chapter>`) then says what is still missing.
"""

from pathlib import Path

import nbformat
import yaml
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from .book import NAME, InputError, root, write_atomically

BOOTSTRAP = """\
# On Colab: install ib_utils, and leave the torch and numpy that are there alone. Elsewhere: nothing.
import sys

REPOSITORY = "{repository}"
if "google.colab" in sys.modules:
    import subprocess
    from importlib.metadata import version
    from pathlib import Path

    installed = [f"{{name}}=={{version(name)}}\\n" for name in ("torch", "numpy")]
    Path("installed.txt").write_text("".join(installed))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--constraint", "installed.txt"]
    subprocess.run([*pip, f"ib-utils @ git+{{REPOSITORY}}"], check=True)

import matplotlib.pyplot as plt
from IPython.display import display

from ib_utils import claims, data, models, notebook, plotting, stats, training"""

PARAMETERS = """\
n_seeds = 8  # replicates of everything random
seed = 0  # the first replicate's seed
device = "auto"  # where to compute: auto, cpu, cuda or mps"""

START = """\
chapter = claims.chapter("{chapter}", globals())
device = training.resolve_device(device)
notebook.device_line(device)"""

TITLE = """\
# {title}

**TODO: the question of this chapter, in one sentence?**

By the end you will have seen TODO.

Reading time: TODO min. Running time: TODO s on a CPU, TODO s on a GPU."""

SECTION = """\
## TODO: one section a claim

TODO: the idea in a paragraph, its formula $f(x) = \\ldots$, and what the formula means in words."""

EXPERIMENT = """\
# TODO: the experiment; one value a replicate
effect = [0.0] * n_seeds"""

FIGURE = """\
# TODO: a figure with its answer in the title; describe it in this cell's metadata, mystnb.image.alt
fig, ax = plt.subplots()
plt.show()"""


CLAIM = """\
claim = chapter.check("todo", stats.mean(effect))
claim"""

VERDICTS = "print(chapter.verdicts())"

EXERCISE = """\
### Exercise {number}

TODO: what to try, and the guess to make before trying."""

REGISTRY = """\
# The claims of this chapter, registered before their results are known.
chapter: {chapter}
parameters: [n_seeds, seed]   # names of the notebook's parameters that change results
presets: {{default: {fingerprint}}}
claims:
  - id: todo
    paper: todo   # a key in papers.yml
    primary: true
    statement: TODO
    kind: direction
    quantity: TODO
    redraws: [init, order, data]
    published: {{value: null, parts: {{}}, n: null, where: TODO}}
    scale: {{default: reduced}}
"""


def new(chapter: str) -> list[Path]:
    """Writes `notebooks/<chapter>.ipynb` and `ib_utils/atlas/claims/<chapter>.yml` for an author to fill.

    Returns:
        The two files.

    Raises:
        InputError: not a name for a chapter, or one of the files is there.
    """
    if not NAME.fullmatch(chapter):
        raise InputError(f"a chapter is named in lower case with hyphens, such as weight-sharing, not {chapter!r}")
    notebook = root() / "notebooks" / f"{chapter}.ipynb"
    registry = root() / "ib_utils" / "atlas" / "claims" / f"{chapter}.yml"
    for path in (notebook, registry):
        if path.exists():
            raise InputError(f"there is a {path.relative_to(root())} already")
    write_atomically(notebook, nbformat.writes(_notebook(chapter)) + "\n")
    from ib_utils import claims

    fingerprint = claims.fingerprint({"n_seeds": 8, "seed": 0})
    write_atomically(registry, REGISTRY.format(chapter=chapter, fingerprint=fingerprint))
    return [notebook, registry]


def _notebook(chapter: str) -> NotebookNode:
    config = yaml.safe_load((root() / "_config.yml").read_text(encoding="utf-8"))
    cells = [
        _text(TITLE.format(title=chapter.replace("-", " ").capitalize())),
        _code(BOOTSTRAP.format(repository=config["repository"]["url"]), "hide-cell"),
        _code(PARAMETERS, "parameters"),
        _code(START.format(chapter=chapter)),
        _code(f'notebook.papers("{chapter}")'),
        _text(SECTION),
        _code(EXPERIMENT),
        _code(FIGURE),
        _code(CLAIM),
        _text("## Controls\n\nTODO: where the structure is absent, the bias must stop helping."),
        _text("## What this chapter found"),
        _code("chapter.summary()"),
        _code(VERDICTS, "nbval-check-output"),
        _text("## Try it"),
    ]
    for number in (1, 2, 3):
        cells += [_text(EXERCISE.format(number=number)), _code("# TODO: a solution", "hide-cell")]
    cells.append(_text("## Further\n\nTODO: what was left out and why, neighbouring chapters, references."))
    return new_notebook(cells=cells)


def _text(source: str) -> NotebookNode:
    return new_markdown_cell(source)


def _code(source: str, *tags: str) -> NotebookNode:
    return new_code_cell(source, metadata={"tags": list(tags)} if tags else {})
