"""Running chapters: at their defaults into the book (`execute`), with other parameters and a record (`run`), over a
grid (`sweep`), and what became of the claims (`collect`, `compare`, `robust`).

What `ib` does on the command line is here as functions. Sits above `notebook`, below `site` and `cli`.
"""

from .book import InputError, Overview, chapters, executable_path, notebook_path, overview, pages, read, root, stale
from .collection import collect, save_table
from .comparison import compare
from .diagnosis import doctor
from .execution import Execution, execute, refusals
from .inputs import Parameter, parameters, parse_assignments, parse_grid, preset_values
from .provenance import cell_hash, modules_hash
from .recording import ChapterError, KernelDied, Run, resolve, run
from .robustness import robust
from .scaffold import new
from .sweeping import Outcome, sweep

__all__ = [
    "ChapterError",
    "Execution",
    "InputError",
    "KernelDied",
    "Outcome",
    "Overview",
    "Parameter",
    "Run",
    "cell_hash",
    "chapters",
    "collect",
    "compare",
    "doctor",
    "executable_path",
    "execute",
    "modules_hash",
    "new",
    "notebook_path",
    "overview",
    "pages",
    "parameters",
    "parse_assignments",
    "parse_grid",
    "preset_values",
    "read",
    "refusals",
    "resolve",
    "robust",
    "root",
    "run",
    "save_table",
    "stale",
    "sweep",
]
