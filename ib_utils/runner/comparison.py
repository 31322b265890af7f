"""How the claims of a chapter move along one parameter of a sweep."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .book import InputError, suggest

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# A shape beside each colour, so that colour never stands alone.
STYLES = {
    "holds": ("#0072B2", "o"),
    "fails": ("#D55E00", "X"),
    "undecided": ("#767676", "s"),
    "not judged": ("#b0b0b0", "d"),
}
UNITS = {"percent": " (%)", "points": " (points)", "factor": " (factor)"}
EDGE = "#262626"


def compare(table: "pd.DataFrame", chapter: str, parameter: str, *, claims: Sequence[str] = ()) -> "Figure":
    """Draws estimate, interval and verdict of claims along one swept parameter: a panel a claim.

    Runs that differ in other parameters stand side by side. Short lines mark the edges that the interval has to
    clear. Of runs under several states of the code only those of the latest are drawn.

    Args:
        table: from `collect`.
        chapter: the chapter of the claims.
        parameter: its name in the notebook.
        claims: ids; without any the chapter's primary claims.

    Raises:
        InputError: a chapter, parameter or claim that the table does not have.
    """
    import matplotlib.pyplot as plt
    from matplotlib.lines import Line2D

    from ib_utils.plotting import headline, use_style

    rows, claims = _select(table, chapter, parameter, claims)
    places = {value: place for place, value in enumerate(sorted(rows[f"parameters.{parameter}"].unique()))}
    with plt.rc_context():
        use_style()
        size = (7, 1.2 + 2.2 * len(claims))
        figure, axes = plt.subplots(len(claims), 1, sharex=True, squeeze=False, figsize=size)
        plt.close(figure)  # it belongs to the caller: a notebook would show it a second time
        for ax, claim in zip(axes[:, 0], claims, strict=True):
            _panel(ax, rows[rows["claim"] == claim], rows[f"parameters.{parameter}"].map(places))
        bottom = axes[-1, 0]
        shown = list(places)[:: -(-len(places) // 12)]  # at most a dozen labels
        bottom.set_xticks([places[value] for value in shown], [str(value) for value in shown])
        bottom.set_xlim(-0.6, len(places) - 0.4)
        bottom.set_xlabel(parameter)
        runs = rows["run"].nunique()
        headline(figure, f"{chapter} along {parameter}", f"estimate and interval, {runs} runs; lines: edges")
        drawn = [verdict for verdict in STYLES if (rows["verdict"] == verdict).any()]
        figure.legend(
            [Line2D([], [], color=STYLES[v][0], marker=STYLES[v][1], linestyle="") for v in drawn],
            drawn,
            loc="outside lower right",
            ncols=len(drawn),
        )
    return figure


def _select(
    table: "pd.DataFrame", chapter: str, parameter: str, claims: Sequence[str]
) -> tuple["pd.DataFrame", list[str]]:
    """The rows to draw, and the claims in the order in which to draw them."""
    known = sorted(table["chapter"].unique()) if len(table) else []
    if chapter not in known:
        raise InputError(f"no run of {chapter!r}; {suggest(chapter, known)}")
    rows = table[table["chapter"] == chapter]
    names = [name.partition(".")[2] for name in rows if name.startswith("parameters.") and rows[name].notna().any()]
    if parameter not in names:
        raise InputError(f"no parameter {parameter!r}; {suggest(parameter, names)}")
    latest = rows.loc[rows["date"].idxmax()]
    rows = rows[(rows["cells"] == latest["cells"]) & (rows["modules"] == latest["modules"])]
    there = list(dict.fromkeys(rows["claim"]))
    for claim in claims:
        if claim not in there:
            raise InputError(f"{chapter} has no claim {claim!r}; {suggest(claim, there)}")
    chosen = list(claims) or list(dict.fromkeys(rows.loc[rows["primary"].astype(bool), "claim"])) or there
    return rows[rows["claim"].isin(chosen)].assign(verdict=lambda some: some["verdict"].fillna("not judged")), chosen


def _panel(ax: "Axes", rows: "pd.DataFrame", places: "pd.Series") -> None:
    """One claim: runs with the same value of the parameter side by side."""
    at = places[rows.index]
    rank = rows.groupby(at).cumcount()
    width = 0.7 / (rank.max() + 1)
    for (_, row), x in zip(rows.iterrows(), at + (rank - (rank.max()) / 2) * width, strict=True):
        colour, marker = STYLES[row["verdict"]]
        low, value, high, *edges = (
            _displayed(row[name], row["shown_as"]) for name in ("low", "estimate", "high", "edge_low", "edge_high")
        )
        ax.plot([x, x], [low, high], color=colour, linewidth=3, alpha=0.6)
        ax.plot(x, value, color=colour, marker=marker, markersize=7, markeredgecolor="white")
        for edge in edges:
            ax.plot([x - width / 2, x + width / 2], [edge, edge], color=EDGE, linewidth=1.2)
    first = rows.iloc[0]
    what = "the part nearest its edge" if first["kind"] in ("order", "optimum") else first["quantity"]
    ax.set_title(f"{first['claim']}: {what}{UNITS.get(first['shown_as'], '')}", wrap=True)


def _displayed(value: float, shown_as: str) -> Any:
    """In the reader's unit; what is null (not estimated, an open end) is not drawn."""
    if shown_as == "factor":
        return np.exp(value)
    return 100 * value if shown_as in ("percent", "points") else value
