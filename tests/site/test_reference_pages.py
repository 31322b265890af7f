"""The pages that a reader searches, in a headless browser: all claims, all papers, errata."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlparse

import pytest
import yaml

from ib_utils import atlas, claims, runner
from ib_utils.claims import words

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
STORED = [claim for notebook in NOTEBOOKS for claim in claims.from_notebook(notebook)]
RECORDED = {
    (claim["chapter"], claim["id"]): claim
    for path in (ROOT / "book" / "recorded").glob("*.json")
    for claim in json.loads(path.read_text(encoding="utf-8"))["claims"]
}
# A claim that the default run leaves to a preset is shown with what a current recorded run of that preset found.
OUTDATED = {
    path.stem
    for path in (ROOT / "book" / "recorded").glob("*.json")
    if json.loads(path.read_text(encoding="utf-8"))["cells"]
    != runner.cell_hash(runner.read(ROOT / "notebooks" / f"{path.stem}.ipynb"))
}
SHOWN = [
    claim if claim["verdict"] or claim["chapter"] in OUTDATED else RECORDED.get((claim["chapter"], claim["id"]), claim)
    for claim in STORED
]
PAGES = ["claims", "papers", "errata"]
ROWS = "table.ib-rows tbody tr:visible"
FIND = "form.ib-filter input"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_page_is_legible(open_page, address, contrasts, page, theme):
    opened = open_page(f"{address}/book/{page}.html", theme=theme)
    # A few rows of every status stand for the hundreds of papers.
    opened.evaluate("""() => { const seen = {}; document.querySelectorAll(".ib-catalogue tbody tr").forEach(row => {
        seen[row.dataset.status] = (seen[row.dataset.status] || 0) + 1;
        if (seen[row.dataset.status] > 3) row.remove(); }); }""")
    opened.evaluate("document.querySelectorAll('details').forEach(folded => folded.open = true)")
    measured = contrasts(opened.locator(".ib-counts, .ib-filter, .ib-key, .ib-forest, table.ib-rows, .ib-change"))
    assert measured
    for contrast, text in measured:
        assert contrast >= 4.5, text


@pytest.mark.parametrize("page", PAGES)
def test_local_links_resolve(site, page):
    source = site / "book" / f"{page}.html"
    html = source.read_text(encoding="utf8")
    links = set(re.findall(r'<a[^>]* href="([^"#:?]*)(?:\?[^"#]*)?(?:#([^"]*))?"', html))
    assert len(links) > 10
    for path, fragment in links:
        target = (source.parent / unquote(path)).resolve() if path else source
        assert target.is_file(), path
        if fragment:
            assert f'id="{fragment}"' in target.read_text(encoding="utf8"), f"{path}#{fragment}"


@pytest.mark.parametrize("page", ["claims", "papers"])
def test_page_weighs_little_beside_the_frame_of_every_page(open_page, site, address, page):
    def files(name: str) -> set[Path]:
        opened = open_page(f"{address}/book/{name}.html")
        opened.wait_for_load_state("networkidle")
        paths = {urlparse(url).path for url in opened.requested if not url.startswith("data:")}
        return {site / unquote(path).lstrip("/") for path in paths}

    own = files(page) - files("introduction")
    own |= {site / "_static" / "ib.js", site / "_static" / "ib.css"}
    assert site / "book" / f"{page}.html" in own
    assert sum(path.stat().st_size for path in own) < 1_500_000


def test_site_is_built_in_a_minute(site):
    assert float((site.parents[1] / "done").read_text()) < 180  # three times a minute: other tests run beside it


# ---- the filter ----


def test_filter_is_absent_without_script(open_page, address):
    for page in ("claims", "papers"):
        opened = open_page(f"{address}/book/{page}.html", javascript=False)
        assert not opened.locator("form.ib-filter").is_visible()


def test_filter_leaves_one_verdict_in_table_and_plot(open_page, address):
    opened = open_page(f"{address}/book/claims.html")
    for verdict in ("holds", "fails", "undecided", "not judged"):
        opened.select_option("select[name=verdict]", verdict)
        expected = sum((claim["verdict"] or "not judged") == verdict for claim in SHOWN)
        assert opened.locator(ROWS).count() == expected
        assert opened.locator(".ib-forest li:visible").count() == expected
    opened.click("form.ib-filter button")
    assert opened.locator(ROWS).count() == len(STORED)


def runs_of(claim):
    """The stored run of a claim and, where there is one, the recorded one: a row speaks for both."""
    recorded = RECORDED.get((claim["chapter"], claim["id"]))
    return [claim, recorded] if recorded else [claim]


@pytest.mark.parametrize("name", ["chapter", "scale"])
def test_filter_by_chapter_and_scale(open_page, address, name):
    opened = open_page(f"{address}/book/claims.html")
    values = Counter(value for claim in STORED for value in {run[name] for run in runs_of(claim)} if value)
    for value, expected in values.items():
        opened.select_option(f"select[name={name}]", value)
        assert opened.locator(ROWS).count() == expected


def test_filter_finds_a_statement_and_an_id(open_page, address):
    opened = open_page(f"{address}/book/claims.html")
    opened.fill(FIND, STORED[0]["statement"].upper())
    assert opened.locator(ROWS).count() == 1
    opened.fill(FIND, STORED[-1]["id"])
    assert any(STORED[-1]["statement"] in row for row in opened.locator(ROWS).all_inner_texts())


def test_filter_works_with_the_keyboard_alone(open_page, address):
    opened = open_page(f"{address}/book/papers.html")
    everything = opened.locator(ROWS).count()
    opened.focus(FIND)
    opened.keyboard.type("Convolution")
    found = opened.locator(ROWS)
    assert 0 < found.count() < everything
    for text in found.all_text_contents():
        assert "convolution" in text.lower()
    opened.keyboard.press("Tab")
    assert opened.evaluate("document.activeElement.name") == "status"
    opened.keyboard.type("planned")
    assert set(found.evaluate_all("rows => rows.map(row => row.dataset.status)")) == {"planned"}
    opened.keyboard.press("Tab")
    opened.keyboard.press("Tab")
    opened.keyboard.press("Enter")  # "Show all"
    assert opened.locator(ROWS).count() == everything


def test_filter_answers_at_once(open_page, address):
    opened = open_page(f"{address}/book/papers.html")
    spent = opened.evaluate("""() => {
        const field = document.querySelector("form.ib-filter input");
        return [..."equivariance"].map(letter => {
            const start = performance.now();
            field.value += letter;
            field.dispatchEvent(new Event("input", {bubbles: true}));
            document.body.getBoundingClientRect();  // waits for the layout
            return performance.now() - start;
        }).sort((a, b) => a - b)[6];
    }""")
    assert spent < 200  # milliseconds a letter; a tenth of that on an idle machine


def test_address_carries_a_choice_and_works_from_a_file(open_page, site):
    address = (site / "book" / "papers.html").as_uri()
    opened = open_page(f"{address}?status=tested")
    tested = {claim["paper"] for claim in STORED}
    assert opened.locator(ROWS).count() == len(tested)
    assert {urlparse(url).scheme for url in opened.requested} <= {"file", "data"}


# ---- what the pages show ----


def test_forest_plot_has_a_line_for_every_claim(open_page, address):
    opened = open_page(f"{address}/book/claims.html", javascript=False)
    lines = opened.locator(".ib-forest svg[role=img]")
    assert lines.count() == len(STORED)
    addresses = opened.locator(".ib-forest li > a").evaluate_all("links => links.map(link => link.hash)")
    titles = dict(zip(addresses, lines.locator("title").all_text_contents(), strict=True))
    assert len(titles) == len(STORED)
    for claim in SHOWN:
        title = titles[f"#claim-{claim['id']}"]
        assert title.startswith(claim["verdict"] or "not judged")
        assert words.estimate(claim) in title


@pytest.mark.parametrize("javascript", [True, False], ids=["with-script", "without-script"])
def test_catalogue_shows_every_paper(open_page, address, javascript):
    opened = open_page(f"{address}/book/papers.html", javascript=javascript)
    rows = opened.locator(ROWS)
    shown = dict(zip(rows.evaluate_all("rows => rows.map(row => row.id)"), rows.all_inner_texts(), strict=True))
    assert len(shown) == len(atlas.papers())
    tested = {claim["paper"] for claim in STORED}
    for id, paper in atlas.papers().items():
        text = shown[f"paper-{id}"]
        assert " ".join(paper.title.split()) in text
        status = atlas.status(paper, tested)
        assert status in text or status == "tested"
        assert (paper.why or "") in text


def test_tested_paper_shows_its_verdict_and_leads_to_the_card(open_page, address):
    claim = next(claim for claim in STORED if claim["primary"])
    opened = open_page(f"{address}/book/papers.html")
    badge = opened.locator(f"#paper-{claim['paper']} td[data-label=Status] a").first
    assert badge.inner_text() == claim["verdict"]
    badge.click()
    opened.wait_for_url(re.compile(f"#claim-{claim['id']}$"))
    assert opened.locator(".ib-claim:target").is_visible()


def test_count_of_a_papers_claims_leads_to_them(open_page, address):
    claim = next(claim for claim in STORED if claim["primary"])
    opened = open_page(f"{address}/book/papers.html")
    opened.locator(f"#paper-{claim['paper']} td[data-label=Status] small a").click()
    opened.wait_for_url(re.compile(r"claims\.html\?find="))
    assert opened.locator(ROWS).count() == sum(other["paper"] == claim["paper"] for other in STORED)


def test_claim_of_a_paper_unfolds_without_script(open_page, address):
    opened = open_page(f"{address}/book/papers.html", javascript=False)
    details = opened.locator(".ib-catalogue details").first
    closed = details.inner_text()
    details.locator("summary").click()
    assert len(details.inner_text()) > len(closed) + 20


def test_errata_show_every_change(open_page, address):
    opened = open_page(f"{address}/book/errata.html", javascript=False)
    rows = opened.locator(".ib-change tbody tr")
    assert sorted(rows.locator("th > a").all_inner_texts()) == sorted(e.claim.id for e in atlas.errata())
    page = " ".join(opened.locator("article").inner_text().split())
    for erratum in atlas.errata():
        assert " ".join(erratum.change.reason.split()) in page


def test_every_card_has_a_prefilled_issue(open_page, address):
    repository = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]
    for notebook in NOTEBOOKS:
        opened = open_page(f"{address}/notebooks/{notebook.stem}.html")
        for claim in claims.from_notebook(notebook):
            link = opened.locator(f"#claim-{claim['id']} .ib-report a")
            assert link.count() == 1
            url = urlparse(link.get_attribute("href"))
            assert f"{url.scheme}://{url.netloc}{url.path}" == f"{repository}/issues/new"
            issue = {name: text for name, (text,) in parse_qs(url.query).items()}
            verdict = claim["verdict"] or "not judged"
            assert claim["id"] in issue["title"]
            assert verdict in issue["title"]
            for fact in (claim["id"], claim["statement"], verdict, claim["registration"]):
                assert fact in issue["body"]
