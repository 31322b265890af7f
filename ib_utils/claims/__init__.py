"""Checking registered claims in a notebook: verdict, card and the record that site and tests read back.

chapter = claims.chapter("locality-weight-sharing", globals())
chapter.check("cnn-beats-mlp", stats.difference(cnn, mlp))  # shows the card
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ib_utils import atlas
from ib_utils.atlas import Claim, Registry
from ib_utils.claims import card
from ib_utils.claims.verdict import ClaimError, Judgement, ZeroWidthError, edges, judge
from ib_utils.seeds import PILOT_SEED
from ib_utils.stats import Estimate, benjamini_hochberg

__all__ = [
    "MIME",
    "ChapterRun",
    "ClaimError",
    "Judgement",
    "Result",
    "Summary",
    "chapter",
    "edges",
    "expected_false_holds",
    "fingerprint",
    "from_notebook",
    "judge",
    "registration",
    "survivors",
]

MIME = "application/vnd.ib.claim+json"
NOT_ESTIMATED = Estimate(math.inf, None, None, n=0, method="left to another preset")


def chapter(name: str, namespace: Mapping[str, Any]) -> ChapterRun:
    """Open a chapter's registered claims for checking.

    Args:
        name: chapter, as in ``chapters.yml``.
        namespace: where the notebook's parameters live: ``globals()``.

    Returns:
        The chapter, which knows from the parameters which preset is running.

    Raises:
        AtlasError: no such chapter, or a registry that cannot be right.
        ClaimError: a registered parameter is missing from the namespace.
    """
    return ChapterRun(atlas.registry(name), namespace)


def fingerprint(parameters: Mapping[str, Any]) -> str:
    """Short hash of parameter values, as listed under ``presets`` in a registry.

    Args:
        parameters: name to plain value (numbers, strings, lists of them).

    Returns:
        12 hexadecimal digits.

    Raises:
        ClaimError: a value that is not plain.

    Example:
        >>> fingerprint({"seed": 0, "n_seeds": 8}) == fingerprint({"n_seeds": 8, "seed": 0})
        True
    """
    try:
        text = json.dumps(dict(parameters), sort_keys=True)
    except TypeError as error:
        raise ClaimError(f"parameters must be plain literals: {error}") from None
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def registration(claim: Claim, fingerprint: str) -> str:
    """Short hash of what was registered: every field of the claim but its history, and the parameter values.

    Args:
        claim: the registered claim.
        fingerprint: of the parameters that the run uses.

    Returns:
        12 hexadecimal digits.
    """
    # Without the fields left at their defaults, so that a new optional field leaves old registrations alone.
    fields = claim.model_dump(mode="json", exclude={"history"}, exclude_defaults=True)
    text = json.dumps({"claim": fields, "fingerprint": fingerprint}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def from_notebook(path: str | Path) -> list[dict[str, Any]]:
    """The records of all claims in a notebook's stored outputs, in the order of its cells.

    Args:
        path: an ``.ipynb`` file.

    Returns:
        One JSON object a card: the only place where results live.
    """
    notebook = json.loads(Path(path).read_text(encoding="utf-8"))
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
    return [output["data"][MIME] for output in outputs if MIME in output.get("data", {})]


def survivors(records: Iterable[Mapping[str, Any]], *, level: float = 0.05) -> set[tuple[str, str]]:
    """The primary claims whose "holds" survives Benjamini-Hochberg over all primary claims that were judged.

    Identities stand apart. A judged claim without p-value (too few replicates, too coarse, stored before p-values
    were) counts as tested and as not surviving.

    Args:
        records: JSON objects of claims, of one run each.
        level: share of the survivors that may be false, on average.

    Returns:
        (chapter, id) of each survivor.
    """
    judged = [r for r in _judged(records) if r["primary"]]
    p_values = [1.0 if r.get("p_value") is None else r["p_value"] for r in judged]
    stands = benjamini_hochberg(p_values, level=level)
    return {(r["chapter"], r["id"]) for r, stood in zip(judged, stands, strict=True) if stood}


def expected_false_holds(records: Iterable[Mapping[str, Any]]) -> float:
    """How many claims would be expected to "hold" by chance alone if not one of them were true.

    A false claim holds with at most half of what its interval may miss, (1 - confidence) / 2: 2.5 % at 95 %, since
    an interval errs in two directions and only one of them is the claim's. (With several edges or parts it is less, as
    all have to be cleared.) The sum over all judged claims bounds the expected number of false "holds" from above,
    whatever share of the claims is true and however they depend on each other. It takes intervals at their word:
    where they under-cover (the functions of :mod:`ib_utils.stats` say where), it is too low.

    Args:
        records: JSON objects of claims, of one run each; identities and claims without verdict do not count.
    """
    return sum((1 - r["confidence"]) / 2 for r in _judged(records) if r["reason"] is None)


def _judged(records: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [r for r in records if r["verdict"] is not None and r["kind"] != "identity" and r["preset"] != "custom"]


@dataclass(frozen=True)
class Result:
    """One checked claim; a notebook shows it as a card.

    Args:
        record: the JSON object that is stored with the card.
        html: the card.
        text: the same in one or two lines.
    """

    record: dict[str, Any]
    html: str
    text: str

    @property
    def verdict(self) -> str | None:
        """holds, fails, undecided, or None where this run does not judge the claim."""
        return self.record["verdict"]

    def __str__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/html": self.html, "text/plain": self.text, MIME: self.record}


@dataclass(frozen=True)
class Summary:
    """A chapter's verdicts as a table."""

    html: str
    text: str

    def __str__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/html": self.html, "text/plain": self.text}


class ChapterRun:
    """The registered claims of one chapter under one set of parameters.

    Args:
        registry: the chapter's claims.
        namespace: holds the values of the registry's parameters by name; the rest is ignored.

    Raises:
        ClaimError: a registered parameter is missing, or not a plain literal.
    """

    def __init__(self, registry: Registry, namespace: Mapping[str, Any]) -> None:
        missing = [name for name in registry.parameters if name not in namespace]
        if missing:
            raise ClaimError(f"{registry.chapter}: parameters not defined: {', '.join(missing)}")
        self.registry = registry
        self.parameters = {name: namespace[name] for name in registry.parameters}
        self.fingerprint = fingerprint(self.parameters)
        names = [name for name, known in registry.presets.items() if known == self.fingerprint]
        self.preset = names[0] if names else "custom"
        self.results: dict[str, list[Result]] = {claim.id: [] for claim in registry.claims}

    def check(self, id: str, estimate: Estimate | None = None, *, converged: bool = True) -> Result:
        """Judge a claim; the result shows itself as a card.

        Args:
            id: of a registered claim.
            estimate: from :mod:`ib_utils.stats`; natural logarithms where the claim is shown as a factor. None where
                this run leaves the experiment to another preset, which alone judges the claim.
            converged: whether every arm was trained to the end; if not, the claim is undecided whatever the estimate.

        Returns:
            The result. Checking again replaces the card, but :meth:`verdicts` will refuse.

        Raises:
            ClaimError: no such claim, no estimate where one is due, or one that cannot be judged (zero width,
                wrong parts).
        """
        claim, reason = self._claim(id), self._not_judged(self._claim(id))
        if estimate is None and reason is None:
            if self.preset != "custom":
                raise ClaimError(f"{id}: this run judges the claim, so it needs an estimate")
            reason = "left out of this run"
        estimate = estimate or NOT_ESTIMATED
        unjudged = Judgement((None, None), None, reason=reason)
        try:
            judgement = judge(claim, estimate, converged=converged) if reason is None else unjudged
        except ZeroWidthError as error:
            if self.preset != "custom":
                raise
            judgement = Judgement((None, None), None, reason=str(error))  # a run that counts nowhere goes on
        record = self._record(claim, estimate, judgement)
        paper = atlas.papers()[claim.paper]
        text, html = card.text(record), card.html(record, claim, paper, self.registry)
        self.results[id].append(Result(record, html, text))
        return self.results[id][-1]

    def summary(self) -> Summary:
        """All claims of the chapter with their verdicts, each control directly below its main claim."""
        records = {id: found[-1].record for id, found in self.results.items() if found}
        return Summary(*card.summary(self.registry, records, self.preset))

    def verdicts(self) -> str:
        """One line a claim, "<id>: <verdict>", in the registry's order: what nbval compares.

        Raises:
            ClaimError: a registered claim was not checked, or was checked more than once.
        """
        for id, found in self.results.items():
            if len(found) != 1:
                times = "was not checked" if not found else f"was checked {len(found)} times: restart and run all"
                raise ClaimError(f"{self.registry.chapter}: {id} {times}")
        return "\n".join(f"{id}: {found[0].verdict or 'not judged'}" for id, found in self.results.items())

    def _claim(self, id: str) -> Claim:
        try:
            return self.registry[id]
        except KeyError:
            known = ", ".join(self.results)
            raise ClaimError(f"{self.registry.chapter} has no claim {id!r}; registered are: {known}") from None

    def _not_judged(self, claim: Claim) -> str | None:
        seed = self.parameters.get("seed")
        if isinstance(seed, int) and seed >= PILOT_SEED:
            return f"pilot run: base seeds from {PILOT_SEED} on yield no verdict"
        if self.preset not in claim.scale and (self.preset != "custom" or claim.kind == "size"):
            return f"judged only by the {' and '.join(claim.scale)} preset"
        return None

    def _record(self, claim: Claim, estimate: Estimate, judgement: Judgement) -> dict[str, Any]:
        robust = {True: "robust", False: "fragile", None: None}[judgement.robust]
        return {
            "chapter": self.registry.chapter,
            **claim.model_dump(
                mode="json", include={"id", "paper", "primary", "statement", "kind", "quantity", "redraws", "fixed"}
            ),
            "published": claim.published and claim.published.model_dump(mode="json"),
            "theory": claim.theory and claim.theory.model_dump(mode="json"),
            "scale": claim.scale.get(self.preset),
            "preset": self.preset,
            "control": claim.control,
            "of": claim.of,
            "shown_as": claim.shown_as,
            "edges": list(judgement.edges),
            "estimate": _finite(estimate.value),
            "interval": [estimate.low, estimate.high],
            "n": estimate.n,
            "spread": estimate.spread,
            "method": estimate.method,
            "confidence": estimate.confidence,
            "parts": [
                {"label": part.label, "estimate": _finite(part.value), "interval": [part.low, part.high]}
                for part in estimate.parts
            ],
            "margin": judgement.margin,
            "p_value": judgement.p_value,
            "verdict": judgement.verdict,
            "robust": robust,
            "reason": judgement.reason,
            "registration": registration(claim, self.fingerprint),
        }


def _finite(value: float) -> float | None:
    """JSON knows no infinity: a censored estimate is null, its interval tells the side."""
    return value if math.isfinite(value) else None
