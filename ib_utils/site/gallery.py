"""The chapters at a glance: a figure of each, its question, and how its claims came out."""

from __future__ import annotations

import base64
from pathlib import Path

from ib_utils import atlas
from ib_utils.runner import read

from .pages import Chapter
from .render import render


def figure(notebook: Path, number: int) -> tuple[bytes, str]:
    """One of a notebook's stored figures.

    Args:
        notebook: The stored notebook.
        number: Which of its figures, counted from 1.

    Returns:
        The PNG and its alternative text.

    Raises:
        ValueError: If the notebook has not so many figures.
    """
    figures = [
        (base64.b64decode(output["data"]["image/png"]), cell.metadata.get("mystnb", {}).get("image", {}).get("alt", ""))
        for cell in read(notebook).cells
        for output in cell.get("outputs", ())
        if "image/png" in output.get("data", {})
    ]
    if not 1 <= number <= len(figures):
        raise ValueError(f"{notebook.name} has {len(figures)} figures: there is no picture {number}")
    return figures[number - 1]


def caption(chapter: Chapter) -> str:
    """Title, question and verdicts of a chapter, as HTML."""
    verdicts = [chapter.shown(claim)["verdict"] for claim in chapter.claims]
    return render(
        "gallery.html",
        chapter=chapter,
        question=atlas.chapters()[chapter.name].question,
        counts={verdict: verdicts.count(verdict) for verdict in dict.fromkeys(verdicts)},
    )
