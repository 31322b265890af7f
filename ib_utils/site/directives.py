"""The directives ``{ib-chapters}``, ``{ib-claims}``, ``{ib-papers}``, ``{ib-errata}``: stored outputs and the atlas."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from ib_utils import atlas, claims

from . import catalogue, gallery, pages

if TYPE_CHECKING:
    from docutils.nodes import Node

logger = logging.getLogger(__name__)


class _FromNotebooks(SphinxDirective):
    """What the directives share: the chapters of the table of contents, as their notebooks stored them."""

    def _chapters(self) -> list[pages.Chapter]:
        """In the order of the table of contents; addresses are relative to the directive's page."""
        site_map = getattr(self.env.config, "external_site_map", None)
        order = list(site_map) if site_map is not None else sorted(self.env.found_docs)
        names = [name for name in order if name.startswith("notebooks/") and name in self.env.found_docs]
        return [self._chapter(name) for name in names]

    def _chapter(self, docname: str) -> pages.Chapter:
        path = Path(self.env.doc2path(docname))
        record = Path(self.env.srcdir) / "book" / "recorded" / f"{path.stem}.json"
        self.env.note_dependency(str(path))
        if record.exists():
            self.env.note_dependency(str(record))
        return pages.read_chapter(path, record=record, url=self._uri(docname))

    def _uri(self, docname: str) -> str:
        return self.env.app.builder.get_relative_uri(self.env.docname, docname)

    def _raw(self, html: str) -> nodes.raw:
        return nodes.raw(text=html, format="html")


class ChaptersDirective(_FromNotebooks):
    """A card for each chapter: figure, question, verdicts. Of all parts, or of the part that the argument names."""

    optional_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[Node]:
        parts: dict[str, list[pages.Chapter]] = {}
        for chapter in self._chapters():
            parts.setdefault(atlas.chapters()[chapter.name].part, []).append(chapter)
        if self.arguments:
            part = self.arguments[0]
            if part not in parts:
                raise self.error(f"no chapter is in a part {part!r}; there is: {', '.join(parts)}")
            return [self._grid(parts[part])]
        return [node for part, own in parts.items() for node in (nodes.rubric(text=part), self._grid(own))]

    def _grid(self, chapters: list[pages.Chapter]) -> nodes.container:
        grid = nodes.container(classes=["ib-gallery"])
        for chapter in chapters:
            grid += nodes.container("", self._picture(chapter), self._raw(gallery.caption(chapter)))
        return grid

    def _picture(self, chapter: pages.Chapter) -> nodes.image:
        """The figure as a file among those that the build makes, for Sphinx to find and copy."""
        notebook = Path(self.env.doc2path(f"notebooks/{chapter.name}"))
        png, alt = gallery.figure(notebook, atlas.chapters()[chapter.name].picture)
        file = Path(self.env.doctreedir) / "ib_gallery" / f"{chapter.name}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(png)
        folder = Path(self.env.doc2path(self.env.docname)).parent
        return nodes.image(uri=Path(os.path.relpath(file, folder)).as_posix(), alt=alt)


class ClaimsDirective(_FromNotebooks):
    """Counts, forest plot and one table a chapter of all claims; takes no arguments.

    A notebook that lacks a registered claim, holds an unknown one, or ran under another registration gives a
    warning that names the notebook and the claim, and so fails a build with ``-W``.
    """

    def run(self) -> list[Node]:
        chapters = self._chapters()
        for chapter in chapters:
            for problem in chapter.problems:
                logger.warning(problem, location=f"notebooks/{chapter.name}", type="ib", subtype="claims")
        chapters = [chapter for chapter in chapters if chapter.claims]
        if not chapters:
            return [nodes.paragraph(text="No chapter has stored a claim yet.")]
        survivors = claims.survivors(claim for chapter in chapters for claim in chapter.claims)
        return [
            self._raw(pages.render_counts(chapters)),
            self._raw(pages.render_claims_filter(chapters)),
            self._raw(pages.render_forest(chapters)),
            *(self._section(chapter, survivors) for chapter in chapters),
        ]

    def _section(self, chapter: pages.Chapter, survivors: set[tuple[str, str]]) -> nodes.section:
        section = nodes.section(ids=[f"claims-{chapter.name}"], names=[f"claims-{chapter.name}"])
        section += nodes.title(text=chapter.title)
        section += self._raw(pages.render_chapter(chapter, survivors))
        return section


class PapersDirective(_FromNotebooks):
    """The table of all papers of the atlas, each with its status; takes no arguments."""

    def run(self) -> list[Node]:
        return [self._raw(catalogue.render_papers(self._chapters(), claims_url=self._uri("book/claims")))]


class ErrataDirective(_FromNotebooks):
    """The claims whose registration or verdict changed, newest change first; takes no arguments."""

    def run(self) -> list[Node]:
        return [self._raw(catalogue.render_errata(self._chapters()))]
