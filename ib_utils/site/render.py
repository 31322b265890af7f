"""Templates and the words they share: how records of claims read in a table of the site."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from ib_utils.claims import words

if TYPE_CHECKING:
    from jinja2 import Environment

NO_BREAK = "\N{NO-BREAK SPACE}"
VERDICTS = ("holds", "fails", "undecided", None)


def render(template: str, **values: Any) -> str:
    """Fills a template of ``ib_utils/site/templates``; what is not markup is escaped."""
    return _environment().get_template(template).render(values)


def render_filter(noun: str, placeholder: str, **choices: dict[str, str]) -> str:
    """The filter above a table; hidden until its script has started, so that nobody sees controls that do nothing.

    Args:
        noun: What the rows are, in the plural.
        placeholder: What the text field finds.
        choices: For every ``data-`` attribute of the rows its values and how they read.
    """
    return render("filter.html", noun=noun, placeholder=placeholder, choices=choices)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("ib_utils.site"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["verdicts"] = VERDICTS
    environment.filters |= {f.__name__[1:]: f for f in (_estimate, _published, _margin, _note, _run)}
    return environment


def _estimate(claim: dict[str, Any]) -> str:
    """Estimate and interval; a line may break between them, not inside the interval."""
    head, bracket, interval = words.estimate(claim).partition("[")
    return head + bracket + interval.replace(" ", NO_BREAK)


def _published(claim: dict[str, Any]) -> str:
    """The paper's figure without its place, or a dash."""
    return words.published(claim).split(";")[0].replace(" %", f"{NO_BREAK}%") if claim["published"] else "–"


def _margin(claim: dict[str, Any]) -> str:
    """How far the estimate is from the nearest edge, in half-widths of its interval."""
    return "" if claim["margin"] is None else f"margin{NO_BREAK}{words.number(claim['margin'], 'number', 1)}"


def _note(claim: dict[str, Any]) -> str:
    """Scale, number of replicates, margin, and why there is no verdict."""
    scale = f"{claim['scale']} scale" if claim["scale"] else ""
    n = f"n{NO_BREAK}={NO_BREAK}{claim['n']}" if claim["n"] else ""
    return "; ".join(filter(None, (", ".join(filter(None, (scale, n, _margin(claim)))), claim["reason"])))


def _run(run: dict[str, Any]) -> str:
    """Where and when a recorded run ran, in one line."""
    minutes = run["seconds"] / 60
    spent = f"{minutes:.0f} min" if minutes >= 1 else f"{run['seconds']:.0f} s"
    return f"{run['device']}, {spent}, {run['date'][:10]}, commit {(run['commit'] or 'unknown')[:7]}"
