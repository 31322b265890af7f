"""Whether a chapter's verdicts survive other base seeds: for authors before they register, and for reviewers."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ib_utils.seeds import PILOT_SEED

from .book import InputError
from .recording import ChapterError, finished, resolve
from .sweeping import sweep

if TYPE_CHECKING:
    import pandas as pd

UNJUDGED = "not judged"
# Kept apart from the small base seeds that registrations take: a claim that is registered anew needs seeds that nobody
# has seen. Pilots begin at 900.
SEEDS = (500, 501, 502, 503)


def robust(chapter: str, *, seeds: Sequence[int] = SEEDS, preset: str | None = None, **sweeping: Any) -> "pd.DataFrame":
    """Runs a chapter under its own base seed and under others, and sets the verdicts side by side.

    Args:
        chapter: its name; it has a parameter `seed`.
        seeds: the other base seeds.
        preset: the values of all other parameters; the notebook's defaults without one.
        sweeping: what else `sweep` takes, such as `scheduler`, `output_dir` or `jobs`.

    Returns:
        A row a claim in the notebook's order, a column a base seed, the chapter's own first: the verdicts ("not
        judged" where there is none); and the column `moves`: "stays", "moves", or "turns" if there is both a "holds"
        and a "fails", which is a bug in the experiment or its interval.

    Raises:
        InputError: as `sweep` does, and for a chapter without a parameter `seed`.
        ChapterError: a run failed.
    """
    import pandas as pd

    if pilots := [seed for seed in seeds if seed >= PILOT_SEED]:
        raise InputError(f"base seeds from {PILOT_SEED} on are for pilots and yield no verdict, not {pilots}")
    own = resolve(chapter, preset=preset).get("seed")
    if own is None:
        raise InputError(f"{chapter} has no parameter 'seed'")
    outcomes = sweep(chapter, {"seed": dict.fromkeys([own, *seeds])}, preset=preset, **sweeping)
    for outcome in outcomes:
        if not outcome.ok:
            raise ChapterError(f"{chapter} failed with {outcome}:\n{outcome.problem}")
    verdicts = pd.DataFrame(
        {outcome.point["seed"]: _verdicts(outcome.folder) for outcome in outcomes}, dtype=object
    ).fillna(UNJUDGED)
    verdicts["moves"] = [_moves(set(row)) for row in verdicts.to_numpy()]
    return verdicts


def _verdicts(folder: Path) -> dict[str, str | None]:
    return {claim["id"]: claim["verdict"] for claim in (finished(folder) or {"claims": []})["claims"]}


def _moves(verdicts: set[str]) -> str:
    if {"holds", "fails"} <= verdicts:
        return "turns"
    return "moves" if len(verdicts - {UNJUDGED}) > 1 else "stays"
