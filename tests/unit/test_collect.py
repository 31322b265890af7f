"""The table of many runs has every claim of every run once; the figure shows the table."""

import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import CLAIM

from ib_utils import runner
from ib_utils.runner import InputError
from ib_utils.runner.comparison import STYLES

pytest.importorskip("pyarrow")


def claim(n_seeds, **changes):
    """The record that the cell `CLAIM` shows."""
    scope = {"n_seeds": n_seeds}
    exec(CLAIM.rpartition("\ndisplay(")[0], scope)
    return scope["record"] | changes


def write(folder, *claims, chapter="tiny", **parameters):
    """A finished run, in a folder named after its parameters."""
    run = Path(folder) / chapter / "-".join(map(str, parameters.values())).replace(" ", "")
    run.mkdir(parents=True)
    record = {
        "chapter": chapter,
        "parameters": parameters,
        "preset": "custom",
        "cells": "c" * 12,
        "modules": "m" * 12,
        "versions": {"python": "3.11", "torch": "2.6"},
        "commit": None,
        "device": "cpu",
        "date": "2026-01-01T00:00:00+00:00",
        "seconds": 1.5,
        "peak_mib": 200,
        "claims": list(claims),
    }
    (run / "record.json").write_text(json.dumps(record))
    return run


def test_there_is_a_row_a_claim_and_run_ordered_by_parameters(tmp_path):
    for n_seeds, rate in itertools.product([10, 9], [0.5, 0.1]):
        write(tmp_path, claim(n_seeds), claim(n_seeds, id="b"), n_seeds=n_seeds, learning_rate=rate, sizes=[1, 2])
    write(tmp_path, claim(3), chapter="other", text="a")
    (tmp_path / "tiny" / "unfinished").mkdir()
    table = runner.collect(tmp_path)
    tiny = table[table["chapter"] == "tiny"]
    assert list(zip(tiny["parameters.n_seeds"], tiny["parameters.learning_rate"], tiny["claim"], strict=True)) == [
        (n_seeds, rate, id) for n_seeds, rate, id in itertools.product([9, 10], [0.1, 0.5], ["a-claim", "b"])
    ]
    assert set(tiny["parameters.sizes"]) == {"[1, 2]"}
    first = tiny.iloc[0]
    assert (first["low"], first["high"], first["estimate"]) == pytest.approx((0.45, 0.75, 0.6))
    assert (first["edge_low"], np.isnan(first["edge_high"]), np.isnan(first["published"])) == (0.0, True, True)
    assert (first["version.torch"], first["seconds"], first["run"]) == ("2.6", 1.5, "9-0.1-[1,2]")


def test_the_table_survives_parquet_whatever_the_chapters_call_by_one_name(tmp_path):
    write(tmp_path, claim(3), value=1, flag=True)
    write(tmp_path, claim(3), chapter="other", value="one")
    write(tmp_path, claim(3, estimate=None, interval=[None, None]), chapter="third", value=[1.5])
    table = runner.collect(tmp_path)
    assert list(table["parameters.value"]) == ["one", "[1.5]", "1"]
    runner.save_table(table, tmp_path / "new" / "claims.parquet")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["claims.parquet"]
    again = pd.read_parquet(tmp_path / "new" / "claims.parquet")
    assert again.astype(object).where(again.notna(), None).equals(table.astype(object).where(table.notna(), None))


def test_a_folder_without_runs_has_an_empty_table_and_one_that_is_not_there_an_error(tmp_path):
    assert len(runner.collect(tmp_path)) == 0
    with pytest.raises(InputError, match="there is no folder"):
        runner.collect(tmp_path / "none")


def test_a_record_that_lacks_something_is_left_out_and_told_what_it_lacks(tmp_path):
    old, whole = (write(tmp_path, claim(n_seeds), n_seeds=n_seeds) for n_seeds in (3, 4))
    record = json.loads((old / "record.json").read_text())
    del record["peak_mib"]
    (old / "record.json").write_text(json.dumps(record))
    with pytest.warns(UserWarning, match=rf"{old.name}/record\.json .* does not count: it lacks 'peak_mib'"):
        table = runner.collect(tmp_path)
    assert set(table["run"]) == {whole.name}


@pytest.fixture
def table(tmp_path):
    for n_seeds, text in itertools.product(range(1, 7), "ab"):
        write(tmp_path, claim(n_seeds), claim(n_seeds, id="b", primary=False), n_seeds=n_seeds, text=text)
    return runner.collect(tmp_path)


def drawn(ax):
    """Place, value and colour of every estimate in a panel."""
    markers = {marker for _, marker in STYLES.values()}
    return [(*line.get_xydata()[0], line.get_color()) for line in ax.lines if line.get_marker() in markers]


def test_the_figure_shows_every_run_of_a_claim_at_its_parameters_place_in_its_verdicts_colour(table):
    figure = runner.compare(table, "tiny", "n_seeds")
    (ax,) = figure.axes  # one primary claim
    rows = table[table["claim"] == "a-claim"]
    expected = {
        (n_seeds - 1, round(100 * estimate, 6), STYLES[verdict][0])
        for n_seeds, estimate, verdict in zip(
            rows["parameters.n_seeds"], rows["estimate"], rows["verdict"], strict=True
        )
    }
    assert {(round(x), round(y, 6), colour) for x, y, colour in drawn(ax)} == expected
    assert len(drawn(ax)) == 12
    assert len({x for x, _, _ in drawn(ax)}) == 12  # side by side
    lines = [line.get_xydata() for line in ax.lines if len(line.get_xydata()) == 2]
    intervals = sorted((low, high) for (x, low), (other, high) in lines if x == other)
    assert intervals == pytest.approx(np.sort(100 * rows[["low", "high"]].to_numpy(), axis=0))
    edges = [y for (x, y), (other, _) in lines if x != other and not np.isnan(y)]
    assert edges == [0.0] * 12  # the other end is open
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1", "2", "3", "4", "5", "6"]
    assert {text.get_text() for text in figure.legends[0].get_texts()} == {"holds", "undecided", "fails"}
    assert ax.get_xlabel() == "n_seeds"
    assert len(runner.compare(table, "tiny", "text", claims=["b", "a-claim"]).axes) == 2


def test_a_panel_says_what_its_estimate_is_of(tmp_path):
    parts = [{"label": "b − a", "estimate": 0.6, "interval": [0.45, 0.75]}]
    kinds = {"order": "the part nearest its edge", "null": "a difference", "curve": "a difference"}
    write(tmp_path, *(claim(9, id=kind, kind=kind, parts=parts) for kind in kinds), n_seeds=9)
    figure = runner.compare(runner.collect(tmp_path), "tiny", "n_seeds")
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert titles == [f"{kind}: {what} (points)" for kind, what in kinds.items()]


def test_only_runs_of_the_latest_code_are_drawn(table):
    old = table.assign(modules="o" * 12, date="2025-01-01T00:00:00+00:00")
    (ax,) = runner.compare(pd.concat([old, table], ignore_index=True), "tiny", "n_seeds").axes
    assert len(drawn(ax)) == 12


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("tinny", "n_seeds"), "no run of 'tinny'; did you mean 'tiny'"),
        (("tiny", "n_seed"), "no parameter 'n_seed'; did you mean 'n_seeds'"),
        (("tiny", "text", "c-claim"), "tiny has no claim 'c-claim'; did you mean 'a-claim'"),
    ],
)
def test_what_the_table_does_not_have_is_named(table, arguments, line):
    chapter, parameter, *claims = arguments
    with pytest.raises(InputError, match=line):
        runner.compare(table, chapter, parameter, claims=claims)
