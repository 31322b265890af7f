"""The site as a reader sees it, in a headless browser."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlparse

import pytest
import yaml
from sphinx_external_toc.parsing import parse_toc_yaml

from ib_utils import claims

ROOT = Path(__file__).parents[2]
PAGES = [f"{name}.html" for name in parse_toc_yaml(ROOT / "_toc.yml")]
NOTEBOOKS = {page: ROOT / page.replace(".html", ".ipynb") for page in PAGES if page.startswith("notebooks/")}
CHAPTERS = list(NOTEBOOKS)

# Contrast (WCAG 2) of every text in an element with what is behind it, opacities included.
CONTRASTS = """card => {
  const parse = text => text.match(/[\\d.]+/g).map(Number).concat(1).slice(0, 4);
  const over = (top, below) => [0, 1, 2].map(i => top[3] * top[i] + (1 - top[3]) * below[i]).concat(1);
  const behind = node => {
    if (!node) return [255, 255, 255, 1];
    const own = parse(getComputedStyle(node).backgroundColor);
    return own[3] === 1 ? own : over(own, behind(node.parentElement));
  };
  const linear = v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const luminance = c => [0.2126, 0.7152, 0.0722].reduce((sum, w, i) => sum + w * linear(c[i] / 255), 0);
  return [...card.querySelectorAll("*")]
    .filter(n => !n.closest("svg") && [...n.childNodes].some(c => c.nodeType === 3 && c.data.trim()))
    .map(n => {
      const colour = parse(getComputedStyle(n).color);
      for (let a = n; a !== card; a = a.parentElement) colour[3] *= Number(getComputedStyle(a).opacity);
      const back = behind(n);
      const [dark, light] = [luminance(over(colour, back)), luminance(back)].sort((x, y) => x - y);
      return [(light + 0.05) / (dark + 0.05), n.textContent.trim()];
    });
}"""


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
    assert opened.evaluate("document.documentElement.scrollWidth") <= 360


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
def test_cards_are_legible(open_page, address, page, theme):
    opened = open_page(f"{address}/{page}", theme=theme)
    assert opened.evaluate("document.documentElement.dataset.theme") == theme
    for card in opened.locator(".ib-claim").all():
        for contrast, text in card.evaluate(CONTRASTS):
            assert contrast >= 4.5, text


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_claims_page_is_legible(open_page, address, theme):
    opened = open_page(f"{address}/book/claims.html", theme=theme)
    for table in opened.locator(".ib-counts, table.ib-claims").all():
        for contrast, text in table.evaluate(CONTRASTS):
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


def test_filter_leaves_one_verdict(open_page, address):
    opened = open_page(f"{address}/book/claims.html")
    stored = [claim for notebook in NOTEBOOKS.values() for claim in claims.from_notebook(notebook)]
    for verdict in ("holds", "fails", "undecided"):
        opened.select_option("form.ib-filter select", verdict)
        shown = opened.locator("table.ib-claims tbody tr:visible")
        assert shown.count() == sum(claim["verdict"] == verdict for claim in stored)
    opened.select_option("form.ib-filter select", "")
    opened.fill("form.ib-filter input", stored[0]["statement"].upper())
    assert opened.locator("table.ib-claims tbody tr:visible").count() == 1


def test_filter_is_absent_without_script(open_page, address):
    opened = open_page(f"{address}/book/claims.html", javascript=False)
    assert not opened.locator("form.ib-filter").is_visible()


def test_search_finds_the_chapter(open_page, address):
    opened = open_page(f"{address}/search.html?q=locality")
    opened.wait_for_selector("#search-results li a[href*='notebooks/locality-weight-sharing.html']")
