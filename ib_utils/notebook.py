"""What only a notebook needs: the box of papers, the source of what is tested, the line about the device."""

from __future__ import annotations

import ast
import html
import inspect
import re
import textwrap
from typing import Any

import torch

from ib_utils import atlas


class Shown:
    """Something to see: Jupyter picks the richest of its forms, a terminal prints the plain one."""

    def __init__(self, **forms: str) -> None:
        self._forms = forms

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {f"text/{form}": text for form, text in self._forms.items()}

    def __repr__(self) -> str:
        return self._forms["plain"]


def papers(chapter: str) -> Shown:
    """The papers of a chapter, as a table: citation, title and venue, and what each one claims.

    Args:
        chapter: the chapter's name, such as "locality-weight-sharing".

    Raises:
        ValueError: if there is no such chapter.
    """
    if chapter not in atlas.chapters():
        raise ValueError(f"chapter={chapter!r} must be one of {', '.join(atlas.chapters())}")
    entries = [paper for paper in atlas.papers().values() if paper.chapter == chapter]
    # No colours of its own: text and rules take the page's, light or dark, on the site and on Colab.
    cell = "text-align:left;vertical-align:top;padding:0.5em 1em 0.5em 0;border-bottom:1px solid #80808066"
    rows, lines = [], []
    for paper in entries:
        cited = html.escape(paper.citation or "Citation not looked up yet")
        title, venue, claim, link = map(html.escape, (paper.title, paper.venue, paper.claim, paper.link))
        title = f'<a href="{link}" style="color:inherit">{title}</a>' if link else title
        rows.append(
            f'<tr><th scope="row" style="{cell};font-weight:normal;width:42%"><strong>{cited}</strong><br>'
            f"{title}<br><em>{venue}</em></th>"
            f'<td style="{cell}">{claim}</td></tr>'
        )
        known = [text for text in (paper.citation.rstrip("."), paper.title, paper.venue) if text]
        lines.append(". ".join(known) + f".\n    {paper.claim}")
    heading = "".join(f'<th scope="col" style="{cell}">{text}</th>' for text in ("Paper", "What it claims"))
    table = (
        '<div class="ib-papers" style="overflow-x:auto;color:inherit">'
        '<table style="border-collapse:collapse;width:100%;color:inherit;background:transparent">'
        f"<thead><tr>{heading}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )
    return Shown(html=table, plain="\n".join(lines))


def show_source(*objects: Any, docstring: bool = True) -> Shown:
    """The source code of classes or functions as it is in the package, never a second copy.

    Args:
        objects: classes, functions or methods.
        docstring: keep the first line of each docstring, so that the code fits on a screen; False drops it too.

    Returns:
        Markdown with a Python block an object and, below it, where the object lives.

    Raises:
        TypeError: if an object has no Python source.
    """
    markdown, plain = [], []
    for shown in objects:
        try:
            where, source = f"{shown.__module__}.{shown.__qualname__}", inspect.getsource(shown)
        except (AttributeError, TypeError, OSError) as error:
            raise TypeError(f"{shown!r} is no class or function with Python source") from error
        code = _shorten_docstrings(textwrap.dedent(source).rstrip(), keep_first_line=docstring)
        fence = "```"
        while fence in code:
            fence += "`"
        markdown.append(f"{fence}python\n{code}\n{fence}\n\n`{where}`")
        plain.append(f"{code}\n\n# {where}")
    return Shown(markdown="\n\n".join(markdown), plain="\n\n\n".join(plain))


def device_line(device: str | torch.device) -> str:
    """One line on what a chapter runs on: device, CPU threads, version of torch.

    Args:
        device: as `ib_utils.training.resolve_device` gives it, such as "cpu" or "cuda:0".

    Example:
        >>> device_line("cpu").startswith("cpu, ")
        True
    """
    device = torch.device(device)
    name = f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else str(device)
    n_threads = torch.get_num_threads()
    return f"{name}, {n_threads} thread{'s' * (n_threads > 1)}, torch {torch.__version__}"


def _shorten_docstrings(source: str, *, keep_first_line: bool) -> str:
    """Cut the docstrings of all classes and functions down; other lines stay, comments included."""
    lines = source.split("\n")
    documented = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, documented)]
    nodes = [node for node in nodes if ast.get_docstring(node)]
    for node in sorted(nodes, key=lambda node: node.lineno, reverse=True):  # from below, so line numbers hold
        first, end = node.body[0].lineno - 1, node.body[0].end_lineno or 0
        opening = re.match(r"(\s*[rR]?(\"{3}|'{3}|[\"']))(.*)", lines[first])
        if opening is None:  # it begins on the line of its def: leave it
            continue
        if not keep_first_line:
            if len(node.body) == 1:
                lines[first:end] = [" " * node.body[0].col_offset + "..."]
            else:  # with the empty line below it, if there is one
                del lines[first : end + (not lines[end].strip())]
        elif end - first > 1:
            start, quotes, text = opening.groups()
            lines[first:end] = [start + (text.strip() or lines[first + 1].strip()) + quotes]
    return "\n".join(lines)
