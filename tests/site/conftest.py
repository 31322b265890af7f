"""The site, built once for all tests and workers; a server for it; a headless browser to look at it."""

from __future__ import annotations

import os
import shutil
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
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[2]
Open = Callable[..., "Page"]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The folder with index.html, built from the stored outputs; a warning fails every test that needs it."""
    base = tmp_path_factory.getbasetemp()
    output = (base if worker_id == "master" else base.parent) / "site"
    with FileLock(f"{output}.lock"):
        html = output / "_build" / "html"
        if not (output / "done").exists():
            build(ROOT, output=output, quiet=True)
            (output / "done").touch()
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
