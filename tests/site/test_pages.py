"""The site as a reader sees it, in a headless browser."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlparse

import pytest
import yaml
from sphinx_external_toc.parsing import parse_toc_yaml

from ib_utils import claims
from ib_utils.site import gallery

ROOT = Path(__file__).parents[2]
PAGES = [f"{name}.html" for name in parse_toc_yaml(ROOT / "_toc.yml")]
NOTEBOOKS = {page: ROOT / page.replace(".html", ".ipynb") for page in PAGES if page.startswith("notebooks/")}
CHAPTERS = list(NOTEBOOKS)


def test_the_book_has_chapters():
    assert CHAPTERS


@pytest.mark.parametrize("page", PAGES)
def test_page_asks_only_its_own_server(open_page, address, page):
    opened = open_page(f"{address}/{page}")
    opened.wait_for_load_state("networkidle")
    hosts = {urlparse(url).netloc for url in opened.requested if not url.startswith("data:")}
    assert hosts == {urlparse(address).netloc}
    assert opened.refused == []


@pytest.mark.parametrize("page", PAGES)
def test_page_fits_a_phone(open_page, address, page):
    opened = open_page(f"{address}/{page}", width=360)
    opened.wait_for_load_state("networkidle")
    opened.add_style_tag(content="* { letter-spacing: 0.06em }")  # a phone whose fonts are wider than ours
    assert opened.evaluate("document.documentElement.scrollWidth") <= 360


def test_pages_name_no_folder_of_the_machine_that_built_them(site):
    pages = [*site.rglob("*.html"), *site.rglob("*.js")]
    assert len(pages) > len(PAGES)
    assert [page.name for page in pages if str(ROOT) in page.read_text(encoding="utf-8")] == []


def test_introduction_shows_every_chapter_with_a_figure_and_its_verdicts(open_page, address):
    page = open_page(f"{address}/book/introduction.html")
    page.wait_for_load_state("networkidle")
    cards = page.locator(".ib-gallery > div").all()
    assert [card.locator("a").get_attribute("href") for card in cards] == [f"../{chapter}" for chapter in CHAPTERS]
    for card, chapter in zip(cards, CHAPTERS, strict=True):
        image = card.locator("img")
        assert image.get_attribute("alt")
        assert image.evaluate("image => image.naturalWidth") > 300
        counts = card.locator(".ib-verdicts").inner_text()
        assert sum(map(int, re.findall(r"\d+", counts))) == len(claims.from_notebook(NOTEBOOKS[chapter]))
    with page.expect_navigation(url=f"**/{CHAPTERS[0]}"):
        cards[0].locator("img").click(force=True)  # the whole card is the link


def test_a_picture_that_a_notebook_does_not_have_is_refused():
    notebook = NOTEBOOKS[CHAPTERS[0]]
    with pytest.raises(ValueError, match=r"has \d+ figures: there is no picture 99"):
        gallery.figure(notebook, 99)


@pytest.mark.parametrize("page", CHAPTERS)
def test_chapter_works_from_a_file(open_page, site, page):
    opened = open_page((site / page).as_uri())
    opened.wait_for_selector("mjx-container")
    assert {urlparse(url).scheme for url in opened.requested} <= {"file", "data"}


@pytest.mark.parametrize("page", CHAPTERS)
def test_chapter_shows_its_figures_with_alt_text(open_page, address, page):
    opened = open_page(f"{address}/{page}")
    opened.evaluate("document.querySelectorAll('details').forEach(folded => folded.open = true)")
    figures = opened.locator("div.cell_output img").all()
    assert figures
    for figure in figures:
        figure.scroll_into_view_if_needed()
        assert figure.is_visible()
        assert figure.evaluate("image => image.naturalWidth") > 0
        assert len(figure.get_attribute("alt") or "") > 20


@pytest.mark.parametrize("page", CHAPTERS)
def test_formulas_are_set(open_page, address, page):
    opened = open_page(f"{address}/{page}")
    opened.wait_for_selector("mjx-container")
    opened.wait_for_function("window.MathJax.startup.promise.then(() => true)")
    assert opened.locator("mjx-merror").count() == 0
    prose = opened.evaluate("""() => {
        const article = document.querySelector("article").cloneNode(true);
        article.querySelectorAll("pre, code, script, mjx-container").forEach(node => node.remove());
        return article.textContent;
    }""")
    assert "$" not in prose
    assert r"\(" not in prose


@pytest.mark.parametrize("page", CHAPTERS)
def test_every_stored_claim_has_a_visible_card(open_page, address, page):
    opened = open_page(f"{address}/{page}")
    for claim in claims.from_notebook(NOTEBOOKS[page]):
        card = opened.locator(f"#claim-{claim['id']}")
        assert card.count() == 1
        assert card.is_visible()
        assert claim["statement"] in card.inner_text()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("page", CHAPTERS)
def test_cards_are_legible(open_page, address, contrasts, page, theme):
    opened = open_page(f"{address}/{page}", theme=theme)
    assert opened.evaluate("document.documentElement.dataset.theme") == theme
    measured = contrasts(opened.locator(".ib-claim"))
    assert measured
    for contrast, text in measured:
        assert contrast >= 4.5, text


@pytest.mark.parametrize("page", CHAPTERS)
def test_chapter_opens_on_colab(open_page, address, page):
    repository = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]
    path = f"{repository.removeprefix('https://github.com')}/blob/main/{page.replace('.html', '.ipynb')}"
    opened = open_page(f"{address}/{page}")
    assert opened.locator(f'a[href="https://colab.research.google.com/github{path}"]').count() == 1


@pytest.mark.parametrize("javascript", [True, False], ids=["with-script", "without-script"])
def test_claims_page_shows_every_verdict(open_page, address, javascript):
    opened = open_page(f"{address}/book/claims.html", javascript=javascript)
    for notebook in NOTEBOOKS.values():
        for claim in claims.from_notebook(notebook):
            row = opened.locator(f"#row-{notebook.stem}-{claim['id']}")
            assert row.is_visible()
            assert claim["statement"] in row.inner_text()
            cell = row.locator("td[data-label='Default run']")
            assert (claim["verdict"] or "not judged") in cell.inner_text()


def test_statement_leads_to_its_card(open_page, address):
    opened = open_page(f"{address}/book/claims.html")
    opened.locator("table.ib-claims tbody th > a").first.click()
    opened.wait_for_url(re.compile(r"/notebooks/.*#claim-"))
    assert opened.locator(".ib-claim:target").is_visible()


def test_search_finds_the_chapter(open_page, address):
    opened = open_page(f"{address}/search.html?q=locality")
    opened.wait_for_selector("#search-results li a[href*='notebooks/locality-weight-sharing.html']")
