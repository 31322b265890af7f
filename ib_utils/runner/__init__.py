"""Running chapters: at their defaults into the book (`execute`), with other parameters and a record (`run`).

What `ib` does on the command line is here as functions. Sits above `notebook`, below `site` and `cli`.
"""

from .book import InputError, Overview, chapters, notebook_path, overview, read, root, stale
from .diagnosis import doctor
from .execution import Execution, execute, refusals
from .inputs import Parameter, parameters, parse_assignments, preset_values
from .provenance import cell_hash, modules_hash
from .recording import ChapterError, Run, resolve, run
from .scaffold import new

__all__ = [
    "ChapterError",
    "Execution",
    "InputError",
    "Overview",
    "Parameter",
    "Run",
    "cell_hash",
    "chapters",
    "doctor",
    "execute",
    "modules_hash",
    "new",
    "notebook_path",
    "overview",
    "parameters",
    "parse_assignments",
    "preset_values",
    "read",
    "refusals",
    "resolve",
    "root",
    "run",
    "stale",
]
