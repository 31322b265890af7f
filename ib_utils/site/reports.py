"""A way to say that a claim is wrong: a link under each card that opens a prefilled issue."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from docutils import nodes

from ib_utils import claims
from ib_utils.claims import words

if TYPE_CHECKING:
    from sphinx.application import Sphinx

CARD = re.compile(r'\s*<div class="ib-claim [^>]*? id="claim-([a-z0-9-]+)"')


def add_report_links(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Puts the link at the end of every claim card of a page; the stored output stays as it is."""
    repository = (getattr(app.config, "html_theme_options", None) or {}).get("repository_url")
    path = Path(app.env.doc2path(docname))
    if not repository or path.suffix != ".ipynb":
        return
    records = {claim["id"]: claim for claim in claims.from_notebook(path)}
    for node in list(doctree.findall(nodes.raw)):
        html = node.astext()
        card = CARD.match(html)
        if card and card[1] in records:
            link = f'<p class="ib-report"><a href="{escape(report_url(repository, records[card[1]]))}">'
            link += "Report a problem with this claim</a></p></div>"
            node.replace_self(nodes.raw(text=html.rstrip().removesuffix("</div>") + link, format="html"))


def report_url(repository: str, claim: dict[str, Any]) -> str:
    """Address of a new issue about a claim.

    Args:
        repository: Address of the repository on GitHub.
        claim: The stored record.

    Returns:
        The address with title and body filled in; the reader only adds what is wrong.
    """
    name = f"{claim['chapter']}/{claim['id']}"
    verdict = ", ".join(filter(None, (claim["verdict"] or "not judged", claim["robust"])))
    body = [
        f"Claim: {name}",
        f"Statement: {claim['statement']}",
        f"Verdict: {verdict}",
        f"Estimate: {words.estimate(claim)}",
        f"Registration: {claim['registration']} ({claim['preset']} preset)",
        "",
        "What seems wrong, and how it can be seen:",
        "",
    ]
    query = urlencode({"title": f"Claim {name} ({verdict})", "body": "\n".join(body)})
    return f"{repository.rstrip('/')}/issues/new?{query}"
