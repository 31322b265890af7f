"""The directive ``{ib-claims}``: one section a chapter, each with the claims that its notebook stored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from . import pages

if TYPE_CHECKING:
    from docutils.nodes import Node

logger = logging.getLogger(__name__)


class ClaimsDirective(SphinxDirective):
    """Lists every claim of every chapter in the table of contents; takes no arguments.

    A notebook that lacks a registered claim, holds an unknown one, or ran under another registration gives a
    warning that names the notebook and the claim, and so fails a build with ``-W``.
    """

    def run(self) -> list[Node]:
        chapters = []
        for docname in self._notebooks():
            path = Path(self.env.doc2path(docname))
            record = Path(self.env.srcdir) / "book" / "recorded" / f"{path.stem}.json"
            self.env.note_dependency(str(path))
            if record.exists():
                self.env.note_dependency(str(record))
            url = self.env.app.builder.get_relative_uri(self.env.docname, docname)
            chapter = pages.read_chapter(path, record=record, url=url)
            for problem in chapter.problems:
                logger.warning(problem, location=docname, type="ib", subtype="claims")
            if chapter.claims:
                chapters.append(chapter)
        if not chapters:
            return [nodes.paragraph(text="No chapter has stored a claim yet.")]
        return [
            nodes.raw(text=pages.render_counts(chapters), format="html"),
            nodes.raw(text=pages.render_filter(), format="html"),
            *(self._section(chapter) for chapter in chapters),
        ]

    def _notebooks(self) -> list[str]:
        """Docnames of the chapters in the order of the table of contents."""
        site_map = getattr(self.env.config, "external_site_map", None)
        order = list(site_map) if site_map is not None else sorted(self.env.found_docs)
        return [name for name in order if name.startswith("notebooks/") and name in self.env.found_docs]

    def _section(self, chapter: pages.Chapter) -> nodes.section:
        section = nodes.section(ids=[f"claims-{chapter.name}"], names=[f"claims-{chapter.name}"])
        section += nodes.title(text=chapter.title)
        section += nodes.raw(text=pages.render_chapter(chapter), format="html")
        return section
