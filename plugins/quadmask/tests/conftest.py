"""The tests share their segmenter and reasoner, `quadmask_discs`, and the editor's page."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture
def page() -> Iterator[Any]:
    """An editor's server that runs."""
    from quadmask_page import Page

    held = Page()
    with held.server:
        yield held


@pytest.fixture
def tab(page: Any) -> Iterator[Any]:
    """The page in a browser, shown and ready."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": 1200, "height": 800})
        wrong: list[str] = []
        shown.on("pageerror", lambda error: wrong.append(str(error)))
        # The browser logs a refused request as an error, too; that is told on the page.
        shown.on("console", lambda said: wrong.append(said.text) if _is_wrong(said) else None)
        shown.goto(page.server.url)
        shown.wait_for_selector("canvas[data-frame='0']")
        yield shown
        assert wrong == []
        browser.close()


def _is_wrong(said: Any) -> bool:
    return said.type == "error" and "status of 400" not in said.text
