"""Figures: intervals drawn are the intervals computed, labels never collide, everything can be read."""

import io
import subprocess
import sys
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex, to_rgb
from matplotlib.text import Text

from ib_utils import stats
from ib_utils.plotting import (
    COLOURS,
    MARKERS,
    contrast_on_white,
    curve_with_band,
    dot_intervals,
    headline,
    ink,
    label_lines,
    spread,
    use_style,
)

SIZES = np.array([50, 100, 200, 400])


@pytest.fixture(autouse=True)
def _style():
    with plt.rc_context():
        use_style()
        yield
    plt.close("all")


def errors(seed=0, n_replicates=8):
    rng = np.random.default_rng(seed)
    return 3 * SIZES**-0.5 * np.exp(0.2 * rng.standard_normal((n_replicates, len(SIZES))))


def band(ax):
    """Lower and upper edge of the band drawn last."""
    outline = ax.collections[-1].get_paths()[0].vertices
    edges = [outline[outline[:, 0] == x, 1] for x in SIZES]
    return np.array([e.min() for e in edges]), np.array([e.max() for e in edges])


@pytest.mark.parametrize("on_logs", [False, True])
def test_the_band_is_the_t_interval_of_every_point(on_logs):
    from scipy import stats as oracle

    values = errors()
    _, ax = plt.subplots()
    curve = curve_with_band(ax, SIZES, values, label="CNN", colour="bias", on_logs=on_logs)
    sample = np.log(values) if on_logs else values
    low, high = oracle.t.interval(0.95, 7, sample.mean(0), oracle.sem(sample))
    back = np.exp if on_logs else np.asarray
    np.testing.assert_allclose(curve.get_ydata(), back(sample.mean(0)))
    np.testing.assert_allclose(band(ax), back([low, high]))


def test_a_meaning_brings_its_colour_and_its_marker():
    _, ax = plt.subplots()
    for meaning in COLOURS:
        curve = curve_with_band(ax, SIZES, errors(), label=meaning, colour=meaning)
        assert (curve.get_color(), curve.get_marker()) == (COLOURS[meaning], MARKERS[meaning])
    assert len(set(MARKERS.values())) == len(COLOURS) == len(set(COLOURS.values()))
    dashed = curve_with_band(ax, SIZES, errors(), label="other", colour="tab:red", linestyle="--", marker="x")
    assert (dashed.get_color(), dashed.get_marker(), dashed.get_linestyle()) == ("tab:red", "x", "--")


@pytest.mark.filterwarnings("error")
def test_a_band_that_reaches_below_zero_can_stand_on_a_log_axis():
    figure, ax = plt.subplots()
    values = np.array([[0.001, 0.001, 0.001, 0.001], [1.0, 1.0, 1.0, 1.0]])
    curve_with_band(ax, SIZES, values, label="wide", colour="none")
    ax.set_yscale("log")
    label_lines(ax)
    figure.savefig(io.BytesIO())


@pytest.mark.parametrize(
    ("values", "on_logs", "message"),
    [
        (np.ones((1, 4)), False, r"shape \(1, 4\); needed are 2 or more replicates by 4 points"),
        (np.ones((8, 3)), False, r"shape \(8, 3\)"),
        (np.ones(4), False, r"shape \(4,\)"),
        (np.array([[1, 1, 1, 1], [1, 1, np.nan, 1]]), False, "replicate 1 has a value that is not finite"),
        (np.array([[1, 1, 1, 1], [1, 0, 1, 1]]), True, "on_logs needs values above 0, the smallest is 0.0"),
    ],
)
def test_values_without_an_interval_are_refused(values, on_logs, message):
    _, ax = plt.subplots()
    with pytest.raises(ValueError, match=message):
        curve_with_band(ax, SIZES, values, label="", colour="bias", on_logs=on_logs)


heights = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=8).map(np.array)


@given(heights=heights, gap=st.floats(0.1, 100))
def test_spreading_keeps_order_and_mean_and_leaves_a_gap(heights, gap):
    moved = spread(heights, gap)
    order = np.argsort(heights, kind="stable")
    assert (np.diff(moved[order]) >= gap - 1e-9).all()
    assert np.isclose(moved.mean(), heights.mean(), atol=1e-6)


@given(heights=heights, gap=st.floats(0.1, 100), seed=st.integers(0, 1000))
def test_no_other_arrangement_with_that_gap_moves_less(heights, gap, seed):
    order = np.argsort(heights, kind="stable")
    rng = np.random.default_rng(seed)
    rival = np.empty(len(heights))
    rival[order] = np.cumsum(gap + rng.exponential(gap, len(heights)))
    rival += (heights - rival).mean()
    moved = spread(heights, gap)
    for weight in (1, 1e-3):  # a near arrangement is the harder rival
        mixed = moved + weight * (rival - moved)
        assert ((moved - heights) ** 2).sum() <= ((mixed - heights) ** 2).sum() + 1e-6


@given(heights=heights)
def test_labels_that_have_room_stay_where_they_are(heights):
    apart = np.unique(np.round(heights / 10)) * 10
    np.testing.assert_allclose(spread(apart, 9.9), apart)


@settings(max_examples=8)
@given(ends=st.lists(st.floats(0.01, 10), min_size=2, max_size=5), scale=st.sampled_from(["linear", "log"]))
def test_labels_at_line_ends_do_not_collide_and_stay_on_the_card(ends, scale):
    figure, ax = plt.subplots()
    for i, end in enumerate(ends):
        ax.plot([0, 1], [1, end], label=f"model {i}")
    ax.plot([0, 1], [1, 1])  # without a label
    ax.set_yscale(scale)
    label_lines(ax)
    figure.draw_without_rendering()
    boxes = sorted((Text.get_window_extent(t) for t in ax.texts), key=lambda box: box.y0)
    assert len(boxes) == len(ends)
    for below, above in pairwise(boxes):
        assert below.y1 <= above.y0 + 0.5
    assert all(box.x1 <= figure.bbox.x1 for box in boxes)
    assert all(box.x0 > ax.transData.transform((1, 1))[0] for box in boxes)
    plt.close(figure)


def test_axes_without_labels_stay_as_they_are():
    _, ax = plt.subplots()
    ax.plot([0, 1])
    label_lines(ax)
    assert len(ax.texts) == 0


def test_dots_show_estimate_interval_and_published_figure_top_down():
    arms = {"MLP": [66.0, 67.0, 68.0, 65.0], "CNN": [93.0, 94.0, 93.5, 94.5]}
    estimates = {name: stats.mean(values) for name, values in arms.items()}
    _, ax = plt.subplots()
    dot_intervals(ax, estimates, colours={"MLP": "none", "CNN": "bias"}, published={"CNN": 94})
    drawn = {(line.get_marker(), tuple(np.round(line.get_xdata(), 6))) for line in ax.lines}
    for row, (name, meaning) in enumerate({"MLP": "none", "CNN": "bias"}.items()):
        e = estimates[name]
        assert ("None", tuple(np.round([e.low, e.value, e.high], 6))) in drawn
        assert (MARKERS[meaning], (round(e.value, 6),)) in drawn
        assert ax.get_yticklabels()[row].get_text() == name
    assert ("|", (94,)) in drawn
    assert ax.yaxis_inverted()


@pytest.mark.parametrize(("low", "high", "edge"), [(None, 3.0, 0), (1.0, None, 1)])
def test_an_open_end_is_an_arrow_to_the_edge_of_the_axes(low, high, edge):
    estimate = stats.Estimate(value=2.0, low=low, high=high, n=8, method="median")
    figure, ax = plt.subplots()
    dot_intervals(ax, {"arm": estimate}, colours={"arm": "bias"})
    ax.set_xlim(-10, 10)
    figure.draw_without_rendering()
    (arrow,) = ax.texts
    drawn, axes = arrow.arrow_patch.get_window_extent(), ax.get_window_extent()
    assert (drawn.x0, drawn.x1)[edge] == pytest.approx((axes.x0, axes.x1)[edge], abs=6)


@given(rgb=st.tuples(*[st.floats(0, 1)] * 3))
def test_labels_have_the_contrast_that_text_needs(rgb):
    assert contrast_on_white(ink(rgb)) >= 4.5
    if contrast_on_white(rgb) >= 4.5:
        assert to_hex(ink(rgb)) == to_hex(rgb)


def test_contrast_is_that_of_wcag():
    assert contrast_on_white((0, 0, 0)) == pytest.approx(21)
    assert contrast_on_white((1, 1, 1)) == pytest.approx(1)
    for colour in COLOURS.values():
        assert contrast_on_white(to_rgb(colour)) >= 3  # what WCAG asks of graphics


def test_a_figure_is_a_white_card_of_700_pixels_or_a_little_more_and_below_80_kb():
    figure, ax = plt.subplots()
    for seed, meaning in enumerate(("none", "part", "bias")):
        curve_with_band(ax, SIZES, errors(seed) / 2**seed, label=meaning, colour=meaning, on_logs=True)
    ax.set_xscale("log")
    ax.set_yscale("log")
    headline(figure, "Structure saves examples", "mean and 95 % interval over 8 draws")
    label_lines(ax)
    png = io.BytesIO()
    figure.savefig(png, bbox_inches="tight")
    assert png.tell() < 80_000
    pixels = plt.imread(io.BytesIO(png.getvalue()))
    assert 700 <= pixels.shape[1] <= 850
    assert (pixels[..., 3] == 1).all()
    for corner in (pixels[0, 0], pixels[-1, -1], pixels[0, -1]):
        assert (corner == 1).all()


def test_headline_and_subtitle_stand_above_the_axes_and_apart():
    figure, ax = plt.subplots()
    headline(figure, "The answer", "what the bands are")
    figure.draw_without_rendering()
    (subtitle,) = (artist for artist in figure.artists if artist.get_text())
    box, title = subtitle.get_window_extent(), figure._suptitle.get_window_extent()
    first_line = title.y1 - (title.y1 - title.y0) / 2
    assert ax.get_window_extent().y1 < box.y0
    assert box.y1 <= first_line
    assert box.x0 == pytest.approx(title.x0)


def test_importing_the_package_imports_no_heavy_neighbour():
    heavy = {"matplotlib", "sklearn", "scipy.stats", "pooch", "mnist1d", "pandas", "IPython"}
    code = "import sys, ib_utils.data, ib_utils.plotting, ib_utils.notebook;"
    code += f"print(*{heavy} & set(sys.modules))"
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert seen.stdout.split() == []
