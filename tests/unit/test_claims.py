"""Edges, verdicts and margins; what a card says and stores; what a chapter refuses."""

from __future__ import annotations

import datetime
import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ib_utils import atlas, claims, stats
from ib_utils.atlas import Claim, Registry
from ib_utils.claims import ClaimError, judge, words
from ib_utils.stats import Estimate

PARAMETERS: dict[str, Any] = {"seed": 0, "n_seeds": 8, "train_sizes": [50, 200]}
FULL = {**PARAMETERS, "n_seeds": 16}


def claim(id: str = "main", **fields: Any) -> Claim:
    return Claim(
        **{
            "id": id,
            "paper": "greydanus2024scaling",
            "statement": "A beats B, always & everywhere.",
            "kind": "direction",
            "quantity": "a minus b",
            "redraws": ["init", "order", "data"],
            "scale": {"default": "reduced", "full": "full"},
            **fields,
        }
    )


def estimate(low: float | None, high: float | None, value: float | None = None, **fields: Any) -> Estimate:
    if value is None:
        assert low is not None
        assert high is not None
        value = (low + high) / 2
    return Estimate(value, low, high, **{"n": 8, "method": "t over replicates", "spread": 1.0, **fields})


def replicates(mean: float, spread: float, n: int = 8) -> np.ndarray:
    x = np.random.default_rng(n).standard_normal(n)
    return mean + spread * (x - x.mean()) / x.std(ddof=1)


def size(value: float = 0.9, **published: Any) -> Claim:
    entry = {"value": value, "where": "Table 1", **published}
    return claim(kind="size", scale={"full": "full"}, published=entry)


def run(*entries: Claim, parameters: dict[str, Any] = PARAMETERS) -> claims.ChapterRun:
    presets = {"default": claims.fingerprint(PARAMETERS), "full": claims.fingerprint(FULL)}
    registry = Registry(
        chapter="locality-weight-sharing",
        parameters=tuple(PARAMETERS),
        presets=presets,
        claims=entries or (claim(),),
    )
    return claims.ChapterRun(registry, {**parameters, "unrelated": object()})


# Verdicts


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.1, 0.3, "holds"),
        (1e-12, 0.3, "holds"),
        (0.0, 0.3, "undecided"),  # touching is not inside
        (-0.1, 0.3, "undecided"),
        (-0.3, 0.0, "undecided"),  # touching is not outside
        (-0.3, -1e-12, "fails"),
    ],
)
def test_a_direction_holds_strictly_above_zero(low: float, high: float, verdict: str) -> None:
    assert judge(claim(), estimate(low, high)).verdict == verdict


ends = st.floats(-100, 100).map(lambda x: round(x, 3))


@given(ends, st.floats(1e-3, 50), st.floats(0, 50))
def test_shifting_an_interval_up_never_weakens_a_direction(low: float, width: float, shift: float) -> None:
    rank = {"fails": 0, "undecided": 1, "holds": 2}
    before = judge(claim(), estimate(low, low + width)).verdict
    after = judge(claim(), estimate(low + shift, low + shift + width)).verdict
    assert before is not None
    assert after is not None
    assert rank[after] >= rank[before]


@given(ends, st.floats(1e-3, 50), st.floats(0.05, 0.95))
def test_the_margin_says_the_same_as_the_verdict(low: float, width: float, where: float) -> None:
    judgement = judge(claim(), estimate(low, low + width, value=low + where * width))
    assert judgement.verdict in ("holds", "undecided", "fails")
    assert judgement.margin is not None
    if abs(abs(judgement.margin) - 1) > 1e-6:  # away from rounding at the edge itself
        expected = "holds" if judgement.margin > 1 else "fails" if judgement.margin < -1 else "undecided"
        assert judgement.verdict == expected


@given(st.floats(0.5, 1), st.floats(-1, 2), st.floats(1e-3, 0.1))
def test_a_size_holds_fails_or_is_undecided_by_where_its_interval_lies(
    published: float, value: float, half: float
) -> None:
    judgement = judge(size(published), estimate(value - half, value + half, value=value, spread=half))
    lower, upper = judgement.edges
    assert lower is not None
    assert upper is not None
    inside = lower < value - half and value + half < upper
    outside = value + half < lower or value - half > upper
    expected = "holds" if inside else "fails" if outside else "undecided"
    assert judgement.verdict == expected


def theory(value: float, rival: float | None = None) -> dict[str, Any]:
    return {"value": value, "rival": rival, "where": "Theorem 1"}


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("low", "high", "verdict"), [(1.7, 2.3, "holds"), (1.5, 2.0, "undecided"), (0.9, 1.1, "fails")]
)
def test_a_rate_holds_within_a_fifth_of_theory(sign: int, low: float, high: float, verdict: str) -> None:
    rate = claim(kind="rate", theory=theory(2.0 * sign, 1.0 * sign))
    low, high = sorted((sign * low, sign * high))
    judgement = judge(rate, estimate(low, high))
    assert judgement.verdict == verdict
    assert judgement.edges == pytest.approx(sorted((1.6 * sign, 2.4 * sign)))


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        ("rate", {}, "needs theory"),
        ("rate", {"theory": theory(2.0)}, "a rival"),
        ("rate", {"theory": theory(2.0, 2.4)}, "cannot tell 2 from its rival 2.4"),
        ("rate", {"theory": theory(0.0, 1.0)}, "other than 0"),
        ("proportion", {}, "needs theory"),
        ("proportion", {"theory": theory(1.0)}, "below 1"),
        ("association", {"theory": theory(-0.5)}, "or none"),
        ("direction", {"theory": theory(0.5)}, "has no use for theory"),
    ],
)
def test_theory_stands_where_its_kind_needs_it(kind: str, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        claim(kind=kind, **fields)


def test_a_bound_holds_where_its_slack_is_positive() -> None:
    assert judge(claim(kind="bound"), estimate(0.1, 0.2)).verdict == "holds"
    assert judge(claim(kind="bound"), estimate(-0.2, -0.1)).verdict == "fails"


def test_a_proportion_has_to_exceed_the_stated_share() -> None:
    most = claim(kind="proportion", theory=theory(0.5))
    assert judge(most, stats.proportion(18, 20)).verdict == "holds"
    assert judge(most, stats.proportion(11, 20)).verdict == "undecided"
    assert judge(most, stats.proportion(2, 20)).verdict == "fails"


def test_an_association_needs_ten_objects_and_its_stated_strength() -> None:
    strong = claim(kind="association", theory=theory(0.5))
    x = np.arange(12)
    swapped = [0, 2, 1, 3, 4, 6, 5, 7, 8, 9, 11, 10]
    assert judge(strong, stats.association(x, swapped)).verdict == "holds"
    assert judge(claim(kind="association"), stats.association(x, swapped[::-1])).verdict == "fails"
    few = judge(strong, stats.association(x[:9], x[:9]))
    assert few.verdict == "undecided"
    assert few.reason == "only 9 objects; a correlation needs 10"


def curves(deviation: float, spread: float = 0.01) -> tuple[np.ndarray, np.ndarray]:
    predicted = np.linspace(0, 2, 5)
    noise = np.random.default_rng(0).standard_normal((8, 5)) * spread
    bump = np.zeros(5)
    bump[3] = deviation
    return predicted + bump + noise - noise.mean(0), predicted


@pytest.mark.parametrize(
    ("deviation", "verdict"), [(0.0, "holds"), (0.12, "holds"), (0.2, "undecided"), (-0.4, "fails")]
)
def test_a_curve_holds_within_a_tenth_of_its_range_everywhere(deviation: float, verdict: str) -> None:
    judgement = judge(claim(kind="curve"), stats.curve(*curves(deviation)))
    assert judgement.verdict == verdict
    assert (judgement.p_value < 0.05) == (verdict == "holds")  # type: ignore[operator]


def test_a_noisy_curve_is_undecided_not_confirmed() -> None:
    assert judge(claim(kind="curve"), stats.curve(*curves(0.0, spread=0.5))).verdict == "undecided"


@pytest.mark.parametrize(("peak", "verdict"), [(4.0, "holds"), (2.0, "fails"), (1.0, "fails")])
def test_an_optimum_has_to_lie_where_it_was_predicted(peak: float, verdict: str) -> None:
    rng = np.random.default_rng(0)
    scores = {k: rng.normal(-abs(k - peak), 0.1, 8) for k in map(float, range(1, 8))}
    assert judge(claim(kind="optimum"), stats.optimum(scores, predicted=4.0)).verdict == verdict


def test_nothing_is_decided_before_all_arms_have_converged() -> None:
    judgement = judge(claim(), estimate(0.1, 0.3), converged=False)
    assert (judgement.verdict, judgement.robust, judgement.reason) == ("undecided", None, "an arm had not converged")


@pytest.mark.parametrize(
    ("entry", "found", "expected"),
    [
        (
            claim(kind="rate", theory=theory(2.0, 1.0)),
            estimate(1.8, 2.2),
            ["between 1.60 and 2.40", "2, rival 1; Theorem 1"],
        ),
        (claim(kind="curve"), stats.curve(*curves(0.12)), ["within ±0.1 of the predicted curve"]),
        (
            claim(kind="optimum"),
            stats.optimum({k: replicates(-abs(k - 3), 0.1 * k) for k in range(1, 6)}, predicted=3),
            ["the predicted place is better", "3 − 5"],
        ),
        (claim(kind="association"), stats.association(range(10), range(10)), ["above 0"]),
    ],
)
def test_the_card_of_every_kind_says_when_it_holds(entry: Claim, found: Estimate, expected: list[str]) -> None:
    result = run(entry).check("main", found)
    json.dumps(result.record, allow_nan=False)
    for text in expected:
        assert text in result.html


def test_the_edges_of_a_null_are_two_factors_where_it_is_shown_as_one() -> None:
    record = {"kind": "null", "shown_as": "factor", "edges": [-0.4, 0.4], "estimate": 0.1, "interval": [0.0, 0.2]}
    assert words.edges(record).startswith("between 0.67 and 1.49×")
    assert words.edges(record | {"shown_as": "number"}).startswith("within ±0.4")


def test_fragile_is_below_two_half_widths_from_the_edge_on_either_side() -> None:
    assert judge(claim(), estimate(0.9, 2.9)).robust is False
    assert judge(claim(), estimate(1.0, 3.0)).robust is True
    assert judge(claim(), estimate(-3.0, -1.0)).robust is True
    assert judge(claim(), estimate(-2.9, -0.9)).robust is False
    assert judge(claim(), estimate(-1.0, 2.0)).robust is None


def test_the_margin_counts_in_the_half_that_faces_the_edge() -> None:
    assert judge(claim(), estimate(1.0, 10.0, value=2.0)).margin == 2
    assert judge(claim(), estimate(-10.0, -1.0, value=-2.0)).margin == -2


def test_an_open_end_is_infinitely_far() -> None:
    assert judge(claim(), estimate(1.0, None, value=2.0)).verdict == "holds"
    assert judge(claim(), estimate(None, -1.0, value=-2.0)).verdict == "fails"
    assert judge(claim(), estimate(None, 3.0, value=2.0)).verdict == "undecided"
    beyond = judge(claim(), stats.median([1, 2] + [math.inf] * 6))
    assert (beyond.verdict, beyond.margin, beyond.robust) == ("holds", None, None)
    assert judge(claim(), stats.median([math.inf] * 8)).verdict == "undecided"


@pytest.mark.parametrize("kind", ["direction", "onset"])
def test_zero_width_is_an_error_and_never_a_verdict(kind: str) -> None:
    with pytest.raises(ClaimError, match="main: an interval of zero width at 1"):
        judge(claim(kind=kind), stats.mean([1.0] * 8))
    with pytest.raises(ClaimError, match="zero width"):
        judge(claim(kind="order"), stats.order({"a": [1.0] * 8, "b": [2.0] * 8}))


def test_a_width_of_rounding_is_none() -> None:
    same = 1e-8 * np.arange(8)  # one and the same replicate, eight times, in single precision
    with pytest.raises(ClaimError, match="zero width"):
        judge(claim(), stats.mean(1.0 + same))
    with pytest.raises(ClaimError, match="zero width"):
        judge(claim(kind="null", of="other"), stats.equivalence(same, 1.0 + same[::-1]))
    assert judge(claim(), stats.mean(1e-6 + same)).verdict == "holds"  # small, but not small for what is measured


def test_nan_and_one_replicate_never_reach_a_verdict() -> None:
    with pytest.raises(ValueError, match="replicate 2 is nan"):
        stats.mean([1, 2, math.nan])
    with pytest.raises(ValueError, match="estimate needs numbers"):
        estimate(0.1, 0.3, value=math.nan)
    with pytest.raises(ValueError, match="at least 2 replicates"):
        stats.mean([1.0])


def test_fewer_than_six_replicates_decide_nothing() -> None:
    for n, verdict in ((2, "undecided"), (5, "undecided"), (6, "holds")):
        judgement = judge(claim(), stats.mean(replicates(10, 0.1, n)))
        assert judgement.verdict == verdict
        assert (judgement.reason is None) == (verdict == "holds")


def test_nothing_redrawn_decides_nothing() -> None:
    judgement = judge(claim(redraws=[], fixed="A beats B"), estimate(1, 2))
    assert (judgement.verdict, judgement.robust) == ("undecided", None)
    assert "nothing was drawn anew" in str(judgement.reason)


def test_replicates_that_share_their_data_draw_say_so_on_the_card() -> None:
    shared = claim(redraws=["init"], statement="On these digits A beats B.", fixed="these digits")
    result = run(shared).check("main", estimate(1, 2))
    assert "each draws anew: initialisation; shared by all: these digits" in result.html
    assert "shared by all" not in run().check("main", estimate(1, 2)).html
    with pytest.raises(ValueError, match="replicates share their data"):
        claim(redraws=["init"])


@given(ends, st.floats(1e-3, 50))
def test_the_p_value_is_below_5_percent_exactly_where_the_claim_holds(low: float, width: float) -> None:
    judgement = judge(claim(), estimate(low, low + width))
    assert judgement.p_value is not None
    if abs(low) > 1e-6:
        assert (judgement.p_value < 0.05) == (judgement.verdict == "holds")


def test_joint_kinds_and_sizes_have_the_largest_p_of_what_has_to_be_cleared() -> None:
    ordered = stats.order({str(i): level + np.roll(replicates(0, 0.5), i) for i, level in enumerate((0, 3, 3.5))})
    assert judge(claim(kind="order"), ordered).p_value == stats.p_value(ordered.parts[1], above=0)
    x = stats.mean(replicates(0.9, 0.01))
    low, high = claims.edges(size(), x)
    found = judge(size(), x).p_value
    assert found is not None
    assert found == stats.p_value(x, above=low, below=high)
    assert found < 0.05


def test_what_cannot_be_judged_has_no_p_value() -> None:
    assert judge(claim(), stats.mean(replicates(10, 0.1, 5))).p_value is None
    assert judge(claim(kind="identity", redraws=[]), stats.identity([0], [1], scale=1, eps=1e-9)).p_value is None
    assert run(size()).check("main", stats.mean(replicates(0.9, 0.01))).record["p_value"] is None


# The book as a whole


def record(id: str, p_value: float | None, **fields: Any) -> dict[str, Any]:
    verdict = "holds" if p_value is not None and p_value < 0.05 else "undecided"
    base = {"chapter": "c", "id": id, "primary": True, "kind": "direction", "preset": "default", "confidence": 0.95}
    return {**base, "verdict": verdict, "reason": None, "p_value": p_value, **fields}


def test_survivors_are_primary_claims_that_stand_among_all_that_were_judged() -> None:
    strong, weak = record("strong", 0.001), record("weak", 0.04)
    others = [record(str(i), 0.6) for i in range(3)]
    assert claims.survivors([strong, weak]) == {("c", "strong"), ("c", "weak")}
    assert claims.survivors([strong, weak, *others]) == {("c", "strong")}
    for aside in ({"primary": False}, {"kind": "identity"}, {"verdict": None}, {"preset": "custom"}):
        assert claims.survivors([strong, weak, *[other | aside for other in others]]) == {
            ("c", "strong"),
            ("c", "weak"),
        }
        assert claims.survivors([strong | aside]) == set()


def test_records_without_p_value_count_as_tested_and_do_not_survive() -> None:
    old = [record(str(i), None, verdict="holds") for i in range(3)]
    for entry in old:
        del entry["p_value"]
    assert claims.survivors([record("strong", 0.001), record("weak", 0.04), *old]) == {("c", "strong")}


def test_expected_false_holds_are_half_of_what_the_judged_intervals_may_miss() -> None:
    many = [record(str(i), 0.6, primary=i % 2 == 0) for i in range(40)]
    assert claims.expected_false_holds(many) == pytest.approx(1.0)
    assert claims.expected_false_holds([record("median", 0.01, confidence=0.99)]) == pytest.approx(0.005)
    for aside in ({"kind": "identity"}, {"verdict": None}, {"preset": "custom"}, {"reason": "only 3 replicates"}):
        assert claims.expected_false_holds([record("aside", 0.6, **aside)]) == 0


def test_no_more_false_holds_come_out_than_expected() -> None:
    rng = np.random.default_rng(0)
    columns = {name: rng.standard_normal((1000, 8)) for name in "abc"}  # of which no claim is true
    held = [judge(claim(), stats.mean(x)).verdict == "holds" for x in columns["a"]]
    ordered = [{name: x[i] for name, x in columns.items()} for i in range(1000)]
    joint = [judge(claim(kind="order"), stats.order(x)).verdict == "holds" for x in ordered]
    expected = claims.expected_false_holds([record(str(i), 0.6) for i in range(1000)])
    assert sum(held) == pytest.approx(expected, abs=4 * math.sqrt(expected))
    assert sum(joint) < expected


# Kinds


def test_a_size_is_given_the_published_runs_own_uncertainty() -> None:
    x = replicates(0.9, 0.01)
    t = stats.t_quantile(7)
    for published, give in (({}, t * 0.01), ({"n": 4, "rounding": 0.005}, t * 0.01 / 2 + 0.005)):
        assert claims.edges(size(**published), stats.mean(x)) == pytest.approx((0.9 - give, 0.9 + give))
    assert judge(size(), stats.mean(x)).verdict == "holds"
    assert judge(size(), stats.mean(x - 0.1)).verdict == "fails"
    with pytest.raises(ClaimError, match="needs the spread"):
        judge(size(), stats.proportion(9, 10))


def test_a_size_measured_too_coarsely_is_undecided() -> None:
    half_width = stats.t_quantile(7) / math.sqrt(8)
    for share, verdict in ((0.24, "holds"), (0.26, "undecided")):
        judgement = judge(size(1.0), stats.mean(replicates(1.0, share / half_width)))
        assert judgement.verdict == verdict


def test_retain_asks_for_half_of_the_published_log_factor_in_its_direction() -> None:
    def edges(value: float) -> claims.Edges:
        entry = claim(kind="retain", shown_as="factor", published={"value": value, "where": "Table 1"})
        return claims.edges(entry, estimate(0.1, 0.2))

    assert edges(math.log(4)) == (pytest.approx(math.log(2)), None)
    assert edges(-math.log(4)) == (None, pytest.approx(-math.log(2)))


def test_an_order_holds_if_every_difference_does_and_fails_if_one_does() -> None:
    def verdict(*levels: float) -> str | None:
        columns = {str(i): level + np.roll(replicates(0, 0.1), i) for i, level in enumerate(levels)}
        return judge(claim(kind="order"), stats.order(columns)).verdict

    assert verdict(0, 1, 2, 3) == "holds"
    assert verdict(0, 1, 1, 2) == "undecided"
    assert verdict(0, 2, 1, 1) == "fails"


def test_a_null_needs_the_effect_below_a_quarter_of_the_main_effect() -> None:
    entry = claim("still", kind="null", of="main")
    main = replicates(1.0, 0.1)
    for effect, verdict in ((0.0, "holds"), (0.25, "undecided"), (-0.25, "undecided"), (0.5, "fails")):
        judgement = judge(entry, stats.equivalence(replicates(effect, 0.05)[::-1], main))
        assert judgement.verdict == verdict
        assert judgement.edges == (pytest.approx(-0.25), pytest.approx(0.25))
    noisy = judge(entry, stats.equivalence(replicates(0.0, 2.0)[::-1], main))
    assert noisy.verdict == "undecided"  # not significant is not "no effect"


def test_an_identity_is_checked_without_an_interval() -> None:
    entry = claim(kind="identity", redraws=[])
    assert judge(entry, stats.identity([1e-16], [0.5], scale=1, eps=2e-16)).verdict == "holds"
    assert judge(entry, stats.identity([1e-3], [0.5], scale=1, eps=2e-16)).verdict == "fails"
    record = run(entry).check("main", stats.identity([1e-16], [0.5], scale=1, eps=2e-16)).record
    assert record["edges"] == [None, pytest.approx(2e-14)]
    assert (record["margin"], record["robust"]) == (None, None)
    assert words.edges(record) == "errors stay below 2.0e-14 and the counterexample's above 1e−3"


def test_joint_kinds_need_parts_and_single_ones_refuse_them() -> None:
    ordered = stats.order({"a": replicates(0, 1), "b": replicates(9, 2)[::-1]})
    with pytest.raises(ClaimError, match="main: kind direction needs a single quantity; got 1 parts"):
        judge(claim(), ordered)
    with pytest.raises(ClaimError, match=r"kind order needs the parts that stats\.order makes; got 0 parts"):
        judge(claim(kind="order"), estimate(1, 2))


# Presets and registrations


def test_the_preset_is_recognised_by_its_parameters() -> None:
    assert run().preset == "default"
    assert run(parameters=FULL).preset == "full"
    assert run(parameters={**PARAMETERS, "train_sizes": [50, 201]}).preset == "custom"
    with pytest.raises(ClaimError, match="parameters not defined: seed, n_seeds"):
        run(parameters={"train_sizes": []})
    with pytest.raises(ClaimError, match="plain literals"):
        run(parameters={**PARAMETERS, "seed": object()})


def test_a_custom_run_says_that_it_counts_nowhere() -> None:
    result = run(parameters={**PARAMETERS, "seed": 1}).check("main", estimate(1, 2))
    assert (result.record["scale"], result.record["preset"], result.verdict) == (None, "custom", "holds")
    assert "counts nowhere" in result.html
    assert "counts nowhere" in result.text


def test_a_size_is_judged_by_the_full_preset_only() -> None:
    x = stats.mean(replicates(0.9, 0.01))
    assert run(size(), parameters=FULL).check("main", x).verdict == "holds"
    for parameters in (PARAMETERS, {**PARAMETERS, "seed": 1}):
        result = run(size(), parameters=parameters).check("main", x)
        assert result.verdict is None
        assert result.record["edges"] == [None, None]
        assert result.record["estimate"] == pytest.approx(0.9)
        assert "judged only by the full preset" in result.html


def test_pilot_seeds_yield_no_verdict() -> None:
    for seed, judged in ((899, True), (900, False)):
        result = run(parameters={**PARAMETERS, "seed": seed}).check("main", estimate(1, 2))
        assert (result.verdict is not None) == judged
    beyond = run(parameters={**PARAMETERS, "seed": 900}).check("main", stats.median([math.inf] * 8))
    assert "pilot run" in beyond.html


def test_the_registration_changes_with_every_field_but_history() -> None:
    entry, print_ = claim(published={"value": 0.2, "where": "Table 1"}), claims.fingerprint(PARAMETERS)
    base = claims.registration(entry, print_)
    changes: dict[str, Any] = {
        "id": "other",
        "paper": "lecun1989generalization",
        "primary": True,
        "statement": "B beats A.",
        "kind": "onset",
        "quantity": "b minus a",
        "redraws": ("data",),
        "fixed": "A beats B",
        "published": atlas.Published(value=0.3, where="Table 1"),
        "theory": atlas.Theory(value=2.0, where="Eq. 1"),
        "scale": {"default": "analogue"},
        "control": "other",
        "of": "other",
        "shown_as": "percent",
    }
    assert set(changes) == set(Claim.model_fields) - {"history"}
    hashes = {claims.registration(entry.model_copy(update={k: v}), print_) for k, v in changes.items()}
    assert len(hashes | {base}) == len(changes) + 1
    assert claims.registration(entry, claims.fingerprint(FULL)) != base
    history = (atlas.Change(date=datetime.date(2025, 1, 1), reason="clearer words", statement="A wins."),)
    assert claims.registration(entry.model_copy(update={"history": history}), print_) == base
    assert re.fullmatch("[0-9a-f]{12}", base)


# Records, cards, summaries

NESTED = (
    claim("side", primary=True, paper="lecun1989generalization"),
    claim("reversed"),
    claim("main", primary=True, control="reversed"),
    claim("still", kind="null", of="main"),
    claim("tower", kind="order"),
)


def checked(parameters: dict[str, Any] = PARAMETERS) -> claims.ChapterRun:
    chapter = run(*NESTED, parameters=parameters)
    chapter.check("side", estimate(-2, 1))
    chapter.check("reversed", stats.median([1, 2, 3, 4, 5, 6, 7, math.inf]))
    chapter.check("main", stats.mean(replicates(1, 0.2)))
    chapter.check("still", stats.equivalence(replicates(0, 0.02), replicates(1, 0.1)[::-1]))
    chapter.check("tower", stats.order({"a": replicates(0, 1), "b": replicates(9, 2)[::-1]}))
    return chapter


def test_records_are_strict_json_with_open_ends_null() -> None:
    for found in checked().results.values():
        record = found[0].record
        assert json.loads(json.dumps(record, allow_nan=False)) == record
        assert {
            *("chapter", "id", "paper", "primary", "statement", "kind", "quantity", "redraws", "published"),
            *("scale", "preset", "control", "of", "shown_as", "edges", "estimate", "interval", "n", "spread"),
            *("method", "parts", "margin", "p_value", "verdict", "robust", "registration", "fixed"),
        } <= set(record)
    record = checked().results["reversed"][0].record
    assert (record["edges"], record["interval"]) == ([0.0, None], [1.0, None])
    beyond = run().check("main", stats.median([math.inf] * 8))
    assert beyond.record["estimate"] is None
    assert "beyond the range tried" in beyond.text


def test_records_come_back_out_of_a_notebook(tmp_path: Path) -> None:
    results = [found[0] for found in checked().results.values()]
    outputs = [{"output_type": "execute_result", "data": result._repr_mimebundle_()} for result in results]
    other: list[dict[str, Any]] = [{"output_type": "stream", "text": "x"}, {"data": {"text/plain": "y"}}]
    cells = [{"cell_type": "markdown"}, {"outputs": other + outputs[:2]}, {"outputs": outputs[2:]}]
    path = tmp_path / "chapter.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    assert claims.from_notebook(path) == [result.record for result in results]


class _Tree(HTMLParser):
    """Fails on tags that do not close in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "br":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_cards_are_well_formed_labelled_and_escaped() -> None:
    for found in checked().results.values():
        html = found[0].html
        _Tree(html)
        state = found[0].verdict
        assert html.startswith(f'<div class="ib-claim ib-{state}" id="claim-{found[0].record["id"]}" role="group"')
        assert "always &amp; everywhere" in html
        assert 'class="ib-badge"' in html
        assert re.search(r'<svg class="ib-bar" role="img".*?<title>Estimate .*?; holds if .*?</title>', html)
        assert str(found[0].verdict).capitalize() in html  # a word, not only a colour
        assert found[0].record["registration"] in html
    assert _Tree(checked().summary().html)


def test_the_interval_of_a_null_is_said_to_hold_the_main_effects_noise() -> None:
    cards = {id: found[0].html for id, found in checked().results.items()}
    assert [id for id, card in cards.items() if "the main effect&#x27;s own noise included" in card] == ["still"]


def test_cards_name_controls_both_ways() -> None:
    results = checked().results
    assert 'href="#claim-reversed"' in results["main"][0].html
    assert 'href="#claim-still"' in results["main"][0].html
    assert 'href="#claim-main"' in results["still"][0].html


def test_a_changed_registration_says_so_on_its_card() -> None:
    history = [{"date": "2025-01-01", "reason": "the task was too easy", "verdict": "holds"}]
    card = run(claim(history=history)).check("main", estimate(1, 2)).html
    assert "<summary>2025-01-01, then: holds</summary>the task was too easy" in card


@pytest.mark.parametrize(
    ("shown_as", "low", "high", "text"),
    [
        ("factor", math.log(1.46), math.log(2.22), "1.8× [1.5, 2.2]"),
        ("points", 0.226, 0.26, "24.3 points [22.6, 26.0]"),
        ("percent", 0.915, 0.927, "92.1 % [91.5, 92.7]"),
        ("number", -12.0, 2.0, "−5 [−12, 2]"),
        ("number", 0.0123, 0.0125, "0.01240 [0.01230, 0.01250]"),
    ],
)
def test_numbers_are_shown_in_the_readers_unit(shown_as: str, low: float, high: float, text: str) -> None:
    result = run(claim(shown_as=shown_as)).check("main", estimate(low, high))
    assert text in result.text
    assert text in result.html
    assert result.record["interval"] == [low, high]  # formatting only


def test_published_figures_keep_the_papers_digits() -> None:
    figures = {"value": 0.26, "parts": {"CNN": 0.94, "MLP": 0.68}, "rounding": 0.005, "where": "Table 1"}
    text = run(claim(shown_as="points", published=figures)).check("main", estimate(0.1, 0.2)).text
    assert "26 points (CNN 94 %, MLP 68 %); Table 1" in text
    figures = {"value": 0.923, "rounding": 0.0005, "where": "notebook"}
    assert "92.3 %; notebook" in run(claim(shown_as="percent", published=figures)).check("main", estimate(0, 1)).text
    figures = {"value": math.log(2), "where": "Figure 3"}
    assert "2×; Figure 3" in run(claim(shown_as="factor", published=figures)).check("main", estimate(0, 1)).text


def test_the_summary_puts_controls_below_their_claim_and_counts_primaries() -> None:
    lines = str(checked().summary()).splitlines()
    assert [line.split("  ")[0] or line.split()[0] for line in lines[1:-1]] == [
        *("side", "main", "reversed", "still", "tower")
    ]
    assert lines[-1] == "Primary claims: 1 hold, 0 fail, 1 undecided (of 2 judged by this run)."
    assert "count nowhere" in str(checked({**PARAMETERS, "seed": 1}).summary())
    assert "not checked" in str(run().summary())
    later = run(claim(primary=True), size().model_copy(update={"id": "later", "primary": True}))
    later.check("main", estimate(1, 2))
    later.check("later")  # left to the full preset
    assert str(later.summary()).endswith("1 hold, 0 fail, 0 undecided (of 1 judged by this run).")


def test_verdicts_are_plain_lines_in_the_registrys_order() -> None:
    assert checked().verdicts().splitlines() == [
        *("side: undecided", "reversed: holds", "main: holds", "still: holds", "tower: holds")
    ]


def test_verdicts_refuse_a_claim_unchecked_or_checked_twice() -> None:
    chapter = run()
    with pytest.raises(ClaimError, match="main was not checked"):
        chapter.verdicts()
    chapter.check("main", estimate(1, 2))
    assert chapter.verdicts() == "main: holds"
    chapter.check("main", estimate(1, 3))
    with pytest.raises(ClaimError, match="main was checked 2 times"):
        chapter.verdicts()
    with pytest.raises(ClaimError, match="has no claim 'nobody'; registered are: main"):
        chapter.check("nobody", estimate(1, 2))


def test_a_notebook_opens_its_chapter_by_name() -> None:
    registry = atlas.registry("locality-weight-sharing")
    namespace = dict.fromkeys(registry.parameters, 0)
    assert claims.chapter("locality-weight-sharing", namespace).registry == registry
    with pytest.raises(atlas.AtlasError, match="nowhere"):
        claims.chapter("nowhere", {})


def test_a_claim_may_go_without_estimate_only_where_the_run_does_not_judge_it() -> None:
    with pytest.raises(ClaimError, match="this run judges the claim, so it needs an estimate"):
        run().check("main", None)
    custom = run(parameters={**PARAMETERS, "seed": 5})
    left_out = custom.check("main", None)
    assert left_out.verdict is None
    assert left_out.record["n"] == 0
    assert json.loads(json.dumps(left_out.record, allow_nan=False))["estimate"] is None
    assert "not estimated in this run" in left_out.text


def test_replicates_that_do_not_differ_stop_a_run_that_counts_and_only_mark_one_that_does_not() -> None:
    same = Estimate(1.0, 1.0, 1.0, n=8, method="t over replicates", spread=0.0)
    with pytest.raises(ClaimError, match="zero width"):
        run().check("main", same)
    custom = run(parameters={**PARAMETERS, "seed": 5}).check("main", same)
    assert custom.verdict is None
    assert "zero width" in custom.html


@pytest.mark.parametrize(
    ("ends", "text"),
    [
        ((1.35, 2.9, 8.6), "2.9× [1.4, 8.6]"),  # an interval that keeps off 1 must not read as if it touched it
        ((1.05, 1.1, 1.15), "1.10× [1.05, 1.15]"),
    ],
)
def test_the_digits_of_a_factor_follow_the_shorter_side_of_its_interval(
    ends: tuple[float, float, float], text: str
) -> None:
    low, value, high = (math.log(x) for x in ends)
    record = {"n": 8, "shown_as": "factor", "estimate": value, "interval": (low, high), "parts": []}
    assert words.estimate(record) == text
