"""The site, built once for all tests and workers; a server for it; a headless browser to look at it."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from ib_utils.site.build import build

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

ROOT = Path(__file__).parents[2]
Open = Callable[..., "Page"]

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


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The folder with index.html, built from the stored outputs; a warning fails every test that needs it."""
    base = tmp_path_factory.getbasetemp()
    output = (base if worker_id == "master" else base.parent) / "site"
    with FileLock(f"{output}.lock"):
        html = output / "_build" / "html"
        if not (output / "done").exists():
            start = time.monotonic()
            build(ROOT, output=output, quiet=True)
            (output / "done").write_text(str(time.monotonic() - start))
    return html


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Where a server of this machine serves the site."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, or Playwright's own; without either a skip, on CI a failure."""
    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome")
    system = next((path for name in names if (path := shutil.which(name))), None)
    with sync_playwright() as playwright:
        executable = system or playwright.chromium.executable_path
        if not Path(executable).exists():
            message = f"no Chromium: neither {', '.join(names)} nor Playwright's own is installed"
            if os.environ.get("CI") == "true":
                pytest.fail(message)
            pytest.skip(message)
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Opens an address and returns the page once it has loaded.

    `page.requested` lists the addresses that it asked for, `page.refused` those that were not there.
    """
    contexts = []

    def opened(url: str, *, theme: str = "light", width: int = 1200, javascript: bool = True) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=javascript)
        contexts.append(context)
        context.add_init_script(f"for (const key of ['mode', 'theme']) localStorage.setItem(key, '{theme}')")
        page = context.new_page()
        page.requested, page.refused = [], []
        page.on("request", lambda request: page.requested.append(request.url))
        page.on("response", lambda answer: answer.status < 400 or page.refused.append(answer.url))
        page.goto(url, wait_until="load")
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def contrasts() -> Callable[..., list[tuple[float, str]]]:
    """Contrast ratio of every text inside a locator's elements, with the text."""

    def measured(locator: Locator) -> list[tuple[float, str]]:
        return [(ratio, text) for element in locator.all() for ratio, text in element.evaluate(CONTRASTS)]

    return measured
