"""House style of the book's figures, and the few kinds of figure that recur.

Every figure stands on a white card: opaque white reads on a light and on a dark page alike, while a
transparent one would put dark ink on a dark page, and a figure in two versions would double what a chapter
stores.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from jaxtyping import Float

from ib_utils.stats import t_quantile

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

# One meaning a colour for the whole book; a shape goes with each, so that colour never stands alone. Blue,
# green, vermilion and purple are from M. Okabe and K. Ito (2008), Color Universal Design,
# jfly.uni-koeln.de/color, chosen to stay apart for colour-blind readers.
COLOURS = {
    "bias": "#0072B2",  # the model with the full bias
    "part": "#009E73",  # with part of it
    "none": "#D55E00",  # without it
    "control": "#CC79A7",  # where the structure, or the mechanism, is taken away
    "trivial": "#767676",  # the trivial baseline, chance
    "published": "#000000",  # the paper's figures, theory
}
MARKERS = {"bias": "o", "part": "s", "none": "^", "control": "D", "trivial": "v", "published": "|"}

_INK, _QUIET = "#262626", "#595959"


class Interval(Protocol):
    """A number and its interval, such as `ib_utils.stats.Estimate`; open ends are None."""

    @property
    def value(self) -> float: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...


def use_style() -> None:
    """Set matplotlib to the house style: 7 x 4 inches, shown 700 pixels wide, on a white card."""
    import matplotlib.pyplot as plt
    from cycler import cycler

    plt.rcParams.update(
        {
            "figure.figsize": (7, 4),
            "figure.dpi": 110,  # a little more than the 700 pixels it is shown at, and below 80 kB
            "figure.constrained_layout.use": True,
            "figure.constrained_layout.h_pad": 0.08,
            "figure.facecolor": "white",
            "savefig.facecolor": "white",
            "savefig.dpi": "figure",
            "savefig.pad_inches": 0.12,
            "axes.facecolor": "white",
            "axes.prop_cycle": cycler(color=[COLOURS[k] for k in ("bias", "none", "part", "control", "trivial")]),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.edgecolor": "#8c8c8c",
            "axes.labelcolor": _INK,
            "axes.titlelocation": "left",
            "axes.titlesize": 10.5,
            "axes.titlecolor": _INK,
            "axes.grid": True,
            "axes.grid.which": "major",
            "axes.axisbelow": True,
            "grid.color": "#e6e6e6",
            "grid.linewidth": 0.8,
            "figure.titlesize": 13,
            "figure.titleweight": "bold",
            "font.size": 10.5,
            "text.color": _INK,
            "xtick.color": "#8c8c8c",
            "ytick.color": "#8c8c8c",
            "xtick.labelcolor": _INK,
            "ytick.labelcolor": _INK,
            "xtick.minor.visible": False,
            "legend.frameon": False,
            "lines.linewidth": 2,
            "lines.markersize": 6,
            "lines.solid_capstyle": "round",
        }
    )


def headline(figure: Figure, title: str, subtitle: str = "") -> None:
    """Put the figure's answer above it, flush left, and below that, in grey, what the bands are and of what.

    Args:
        figure: the figure; its layout makes room.
        title: one sentence, the answer to the figure's question.
        subtitle: one line, such as "mean and 95 % interval over 8 draws of the training set".
    """
    from matplotlib.text import Annotation

    heading = figure.suptitle(title + "\n" * bool(subtitle), x=0.012, ha="left", linespacing=1.15)
    if subtitle:  # on the title's empty last line
        figure.add_artist(
            Annotation(subtitle, (0, 0), xycoords=heading, va="bottom", ha="left", color=_QUIET, fontsize=10)
        )


def curve_with_band(
    ax: Axes,
    x: Float[np.ndarray, " point"],
    values: Float[np.ndarray, "replicate point"],
    *,
    label: str,
    colour: str,
    on_logs: bool = False,
    **line: Any,
) -> Line2D:
    """Draw a mean curve with its pointwise 95 % t interval over replicates.

    Args:
        ax: where to draw.
        x: the points, such as training set sizes.
        values: a row a replicate.
        label: what the curve is; `label_lines` writes it at the curve's end.
        colour: a meaning in `COLOURS`, which brings its marker too, or any colour of matplotlib.
        on_logs: take mean and interval of the logarithms, and draw their exponentials: for ratios, and errors over
            orders of magnitude.
        line: passed to `ax.plot`, such as `linestyle="--"`.

    Returns:
        The curve.

    Raises:
        ValueError: if the shapes do not fit, there are fewer than 2 replicates, or a value has no mean.
    """
    x, values = np.asarray(x), np.asarray(values, dtype=float)
    if values.ndim != 2 or values.shape[1] != len(x) or len(values) < 2:
        raise ValueError(f"values have shape {values.shape}; needed are 2 or more replicates by {len(x)} points")
    if not np.isfinite(values).all():
        raise ValueError(f"replicate {int(np.argwhere(~np.isfinite(values))[0, 0])} has a value that is not finite")
    if on_logs and (values <= 0).any():
        raise ValueError(f"on_logs needs values above 0, the smallest is {values.min()}")

    sample = np.log(values) if on_logs else values
    mean = sample.mean(0)
    half_width = t_quantile(len(sample) - 1) * sample.std(0, ddof=1) / len(sample) ** 0.5
    low, mid, high = (np.exp(v) if on_logs else v for v in (mean - half_width, mean, mean + half_width))

    look = {"color": COLOURS.get(colour, colour), "marker": MARKERS.get(colour) if len(x) <= 15 else None}
    (curve,) = ax.plot(x, mid, label=label, **look | line)
    ax.fill_between(x, low, high, color=curve.get_color(), alpha=0.16, linewidth=0)
    return curve


def label_lines(ax: Axes) -> None:
    """Write each line's label at its right end, in its colour, moved up or down where labels would collide.

    Call it last: it relies on the axes' limits and scales.

    Args:
        ax: axes whose lines have labels.
    """
    lines = [line for line in ax.get_lines() if not str(line.get_label()).startswith("_")]
    if not lines:
        return
    figure = ax.figure.canvas.figure  # the whole one, where `ax` is in a subfigure
    figure.draw_without_rendering()  # settles the layout, and with it where the ends are
    points = 72 / figure.dpi
    ends = [tuple(np.asarray(line.get_xydata())[-1]) for line in lines]
    heights = np.array([ax.transData.transform(end)[1] * points for end in ends])
    size = 10.0
    shifts = spread(heights, 1.25 * size) - heights
    moved = abs(shifts) > 0.4 * size  # far enough to need a leader
    for line, end, shift, leads in zip(lines, ends, shifts, moved, strict=True):
        leader = {
            "arrowstyle": "-",
            "color": line.get_color(),
            "linewidth": 0.8,
            "relpos": (0, 0.5),
            "shrinkA": 1,
        }
        ax.annotate(
            str(line.get_label()),
            end,
            xytext=(22 if moved.any() else 10, shift),
            textcoords="offset points",
            va="center",
            fontsize=size,
            color=ink(line.get_color()),
            annotation_clip=False,
            arrowprops=leader if leads else None,
        )


def spread(heights: Float[np.ndarray, " label"], gap: float) -> Float[np.ndarray, " label"]:
    """Move heights as little as possible (least squares) so that, in order, they are `gap` or more apart.

    Args:
        heights: where the labels would like to be.
        gap: smallest distance between neighbours, in the same unit.

    Returns:
        The new heights, in the given order.

    Example:
        >>> spread(np.array([0.0, 10.0, 11.0]), 3.0).tolist()
        [0.0, 9.0, 12.0]
    """
    order = np.argsort(heights, kind="stable")
    steps = gap * np.arange(len(order))
    # Without the steps the order is all that is asked for: isotonic regression, by pooling adjacent
    # violators.
    pools: list[list[float]] = []
    for height in heights[order] - steps:
        pools.append([height])
        while len(pools) > 1 and np.mean(pools[-2]) > np.mean(pools[-1]):
            pools[-2:] = [pools[-2] + pools[-1]]
    moved = np.empty(len(order))
    moved[order] = np.concatenate([[np.mean(pool)] * len(pool) for pool in pools]) + steps
    return moved


def dot_intervals(
    ax: Axes,
    estimates: Mapping[str, Interval],
    *,
    colours: Mapping[str, str],
    published: Mapping[str, float] | None = None,
) -> None:
    """Compare arms: a row an arm, the first on top, a dot with its interval, a tick for the paper's figure.

    Args:
        ax: where to draw.
        estimates: name of the arm to estimate; an open end is an arrow to the edge of the axes.
        colours: name of the arm to a meaning in `COLOURS` or a colour of matplotlib.
        published: name of the arm to the paper's figure, for the arms that have one.
    """
    published = published or {}
    rows = {name: row for row, name in enumerate(estimates)}
    for name, value in published.items():
        ax.plot(value, rows[name], color=COLOURS["published"], marker="|", markersize=14, markeredgewidth=2)
    for name, estimate in estimates.items():
        row, colour = rows[name], COLOURS.get(colours[name], colours[name])
        shape = MARKERS.get(colours[name], "o")
        known = [end for end in (estimate.low, estimate.value, estimate.high) if end is not None]
        ax.plot(known, [row] * len(known), color=colour, linewidth=3.5, alpha=0.7, solid_capstyle="butt")
        ax.plot(estimate.value, row, color=colour, marker=shape, markersize=6.5, markeredgecolor="white")
        for end, edge in ((estimate.low, 0), (estimate.high, 1)):
            if end is None:  # the axes' edge, whatever limits they get later
                arrow = {"arrowstyle": "-|>", "color": colour, "linewidth": 2, "shrinkA": 4, "shrinkB": 0}
                place = ax.get_yaxis_transform()
                ax.annotate("", (edge, row), (estimate.value, row), place, textcoords="data", arrowprops=arrow)
    if published:
        first = next(name for name in rows if name in published)
        where = (published[first], rows[first])
        ax.annotate("published", where, (0, 10), textcoords="offset points", ha="center", fontsize=9)
    ax.set_yticks(list(rows.values()), list(rows))
    ax.set_ylim(len(rows) - 0.4, -0.8)  # the first row on top, with room for "published" above it
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def ink(colour: Any) -> tuple[float, float, float]:
    """The colour, darkened as far as text on white needs: a contrast of 4.5 to 1 (WCAG 2, level AA).

    Args:
        colour: any colour of matplotlib.

    Returns:
        Red, green and blue, between 0 and 1.
    """
    from matplotlib.colors import to_rgb

    rgb = np.array(to_rgb(colour))
    while contrast_on_white(rgb) < 4.5:
        rgb *= 0.97
    return float(rgb[0]), float(rgb[1]), float(rgb[2])


def contrast_on_white(rgb: Any) -> float:
    """Contrast ratio of a colour against white, from 1 to 21, as WCAG 2 defines it."""
    rgb = np.asarray(rgb, dtype=float)
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(1.05 / (linear @ [0.2126, 0.7152, 0.0722] + 0.05))
