"""What an entry of the atlas may hold: papers, chapters and registered claims.

Unknown fields are refused, so that nobody can type a claim's edges: `ib_utils.claims` derives them.
"""

from __future__ import annotations

import datetime
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

Kind = Literal[
    "direction",
    "contrast",
    "null",
    "size",
    "retain",
    "rate",
    "bound",
    "order",
    "curve",
    "optimum",
    "onset",
    "proportion",
    "association",
    "identity",
]
KINDS: tuple[str, ...] = get_args(Kind)
Scale = Literal["reduced", "full", "analogue"]
Redraw = Literal["init", "order", "data", "split", "task", "permutation", "object"]
ShownAs = Literal["number", "percent", "points", "factor"]
Verdict = Literal["holds", "fails", "undecided"]
Status = Literal["tested", "planned", "beyond one GPU", "outside the subject"]

RATE_TOLERANCE = 0.2  # a fitted rate has to come this close to theory's, relative to it

Text = Annotated[str, Field(min_length=1)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]  # chapters and claims: words-with-hyphens
Key = Annotated[str, Field(pattern=r"^[a-z]+[0-9]{4}[a-z0-9]+$")]  # papers: author, year, word
Fingerprint = Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Paper(_Entry):
    """A paper, its claim in our words and where the book treats it; with a key, its citation too."""

    key: Key | None = None  # from the day that the citation has been looked up
    title: Text
    authors: tuple[Text, ...] = ()  # "First Last"
    year: int | None = None
    venue: str = ""
    arxiv: Text | None = None
    doi: Text | None = None
    url: Text | None = None
    chapter: Name | None = None  # None: outside the subject
    claim: Text
    figures: Text | None = None
    reach: Literal["cpu", "gpu", "paper", "large", "none"]
    why: Text | None = None  # it is out of reach or outside the subject
    catalogue: Name | None = None

    @model_validator(mode="after")
    def _can_be_cited_and_placed(self) -> Self:
        if not (self.key or self.catalogue):
            raise ValueError("key or catalogue is needed")
        if self.key and not (self.authors and self.year):
            raise ValueError("a key needs the citation: authors and year")
        reachable = self.chapter is not None and self.reach not in ("large", "none")
        if reachable == (self.why is not None):
            needs = "has no use for `why`" if reachable else "needs `why`, one line"
            raise ValueError(f"a paper with chapter {self.chapter} and reach {self.reach} {needs}")
        return self

    @property
    def id(self) -> str:
        """What names the paper: its key or, until it has one, its id in the catalogue."""
        return self.key or str(self.catalogue)

    @property
    def citation(self) -> str:
        """Authors' last names and year, as in "Greydanus & Kobak (2024)"; empty until looked up."""
        last = [_last_name(author) for author in self.authors]
        names = " & ".join(last) if len(last) < 3 else f"{last[0]} et al."
        return f"{names} ({self.year})" if names else ""

    @property
    def link(self) -> str:
        """Where to read it: DOI before arXiv before any other address; empty until looked up."""
        if self.doi:
            return f"https://doi.org/{self.doi}"
        return f"https://arxiv.org/abs/{self.arxiv}" if self.arxiv else self.url or ""


def _last_name(author: str) -> str:
    """From the first particle on: "van der Maaten"; otherwise the last word."""
    words = author.split()
    particles = [i for i, word in enumerate(words) if i and word.lower() in ("van", "von", "der", "de", "di", "del")]
    return " ".join(words[particles[0] :]) if particles else words[-1]


class Chapter(_Entry):
    """A chapter of the book, perhaps only planned; its notebook is ``notebooks/<name>.ipynb``."""

    name: Name
    title: Text
    question: Text
    part: Text
    summary: Text | None = None  # written with the notebook
    picture: Annotated[int, Field(ge=1)] = 1  # which of the notebook's figures stands for it


class Published(_Entry):
    """What the paper reports, in the unit of the claim's quantity (natural logarithms for factors)."""

    value: FiniteFloat | None = None  # None: the paper has figures (parts), but not this quantity
    parts: dict[str, FiniteFloat] = {}
    n: Annotated[int, Field(ge=1)] | None = None  # runs behind it; None: unknown, taken as one
    rounding: Annotated[FiniteFloat, Field(ge=0)] = 0.0  # half a unit of the last printed digit
    where: Text


class Theory(_Entry):
    """What a derivation predicts, or the mark that the statement itself sets, in the unit of the quantity."""

    value: FiniteFloat
    rival: FiniteFloat | None = None  # what the explanation that has to be excluded predicts
    where: Text


class Change(_Entry):
    """An earlier registration of a claim: what it said, what came out, why it was changed."""

    date: datetime.date
    reason: Text
    statement: Text | None = None
    kind: Text | None = None
    verdict: Verdict | None = None


class Claim(_Entry):
    """A statement registered before its result is known."""

    id: Name
    paper: Key
    primary: bool = False
    statement: Text
    kind: Kind
    quantity: Text
    redraws: tuple[Redraw, ...]
    fixed: Text | None = None  # words of the statement that name the data or task which all replicates share
    published: Published | None = None
    theory: Theory | None = None
    scale: Annotated[dict[str, Scale], Field(min_length=1)]
    control: Name | None = None
    of: Name | None = None
    shown_as: ShownAs = "number"
    history: tuple[Change, ...] = ()

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Self:
        if self.kind in ("size", "retain") and (self.published is None or self.published.value is None):
            raise ValueError(f"kind {self.kind} needs a published value")
        if self.kind == "size" and (shrunk := [p for p, scale in self.scale.items() if scale != "full"]):
            raise ValueError(f"kind size is judged at full scale only; preset {shrunk[0]!r} is not")
        if self.kind == "retain" and self.shown_as != "factor":
            raise ValueError("kind retain needs a scale-free quantity: a log ratio, shown_as factor")
        if problem := self._theory_problem():
            raise ValueError(f"kind {self.kind} {problem}")
        if self.kind in ("null", "contrast") and self.of is None:
            raise ValueError(f"kind {self.kind} needs `of`, the claim that it is a control of")
        shared = self.kind != "identity" and not {"data", "task"} & set(self.redraws)
        if shared and (self.fixed is None or self.fixed.lower() not in self.statement.lower()):
            raise ValueError(
                "replicates share their data: redraw data or task, or name what is `fixed` as in the statement"
            )
        if self.id in (self.control, self.of):
            raise ValueError("a claim cannot be its own control")
        return self

    def _theory_problem(self) -> str | None:
        value, rival = (self.theory.value, self.theory.rival) if self.theory else (None, None)
        if self.kind == "rate":
            if not value or rival is None:
                return "needs theory with a value other than 0 and a rival"
            if abs(rival - value) <= RATE_TOLERANCE * abs(value):
                return f"cannot tell {value:g} from its rival {rival:g}: they differ by no more than its tolerance"
        elif self.kind == "proportion":
            if value is None or not 0 <= value < 1:
                return "needs theory with a value from 0 to below 1: the share that has to be exceeded"
        elif self.kind == "association":
            if value is not None and not 0 <= value < 1:
                return "needs a theory value from 0 to below 1, or none: the correlation that has to be exceeded"
        elif self.theory is not None:
            return "has no use for theory"
        return None


class Registry(_Entry):
    """The claims of one chapter, and the parameter values (as fingerprints) under which they are judged."""

    chapter: Name
    parameters: Annotated[tuple[Text, ...], Field(min_length=1)]
    presets: dict[str, Fingerprint]
    claims: Annotated[tuple[Claim, ...], Field(min_length=1)]

    def __getitem__(self, id: str) -> Claim:
        for claim in self.claims:
            if claim.id == id:
                return claim
        raise KeyError(id)

    def controls(self, claim: Claim) -> list[Claim]:
        """The claims that are controls of ``claim``, in the registry's order."""
        return [other for other in self.claims if other.id == claim.control or other.of == claim.id]
