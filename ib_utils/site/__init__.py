"""A Sphinx extension: pages of chapters, claims, papers and errata, the look of claim cards, the dark theme.

Shows what the notebooks stored and computes nothing. The site itself is built by `ib_utils.site.build`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docutils.nodes import Element
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.config import Config
    from sphinx.environment import BuildEnvironment

STATIC = Path(__file__).parent / "static"


def setup(app: Sphinx) -> dict[str, Any]:
    """Registers the extension with Sphinx."""
    from .directives import ChaptersDirective, ClaimsDirective, ErrataDirective, PapersDirective
    from .reports import add_report_links

    app.setup_extension("sphinx.ext.autodoc")
    app.add_directive("ib-chapters", ChaptersDirective)
    app.add_directive("ib-claims", ClaimsDirective)
    app.add_directive("ib-papers", PapersDirective)
    app.add_directive("ib-errata", ErrataDirective)
    app.connect("doctree-resolved", add_report_links)
    app.connect("config-inited", _add_static_path)
    app.connect("autodoc-process-docstring", _keep_colons, priority=400)  # before napoleon
    app.connect("missing-reference", _find_by_last_name)
    app.add_css_file("ib.css")
    app.add_js_file("ib.js", loading_method="defer")
    return {"version": "0.1", "parallel_read_safe": True, "parallel_write_safe": True}


def _add_static_path(app: Sphinx, config: Config) -> None:
    config.html_static_path.append(str(STATIC))


def _keep_colons(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Napoleon takes words before a colon for a type. Ours stand in annotations, so it gets an empty one."""
    firsts = [i + 1 for i, line in enumerate(lines) if line.strip() in ("Returns:", "Yields:")]
    if what in ("attribute", "data", "property"):
        firsts.append(0)
    for i in firsts:
        if i < len(lines) and ":" in lines[i]:
            text = lines[i].lstrip()
            lines[i] = lines[i].removesuffix(text) + ": " + text


def _find_by_last_name(app: Sphinx, env: BuildEnvironment, node: pending_xref, contnode: Element) -> Element | None:
    """Links a name that a docstring gives without its module, if just one documented object has it."""
    from sphinx.util.nodes import make_refnode

    if node.get("refdomain") != "py":
        return None
    objects = env.domains["py"].objects  # type: ignore[attr-defined]
    last = node["reftarget"].rpartition(".")[2]
    found = {entry.node_id: entry for name, entry in objects.items() if name.rpartition(".")[2] == last}
    if len(found) != 1:
        return None
    (entry,) = found.values()
    return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, contnode)
