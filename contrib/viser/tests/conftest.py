"""A page in headless Chromium, and helpers that lie beside the tests."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kinetoscope_viser import Viewer

sys.path.insert(0, str(Path(__file__).parent))

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="module")
def viewer() -> Iterator[Viewer]:
    """One for the whole file: a browser without a graphics card needs seconds to show its page."""
    with Viewer(framerate=20) as held:
        held.clock.playing = False
        yield held


@pytest.fixture(scope="module")
def tab(viewer: Viewer) -> Iterator[Any]:
    """The viewer's page, which complains in the end of every error of its script."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as browsers:
        browser = browsers.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--enable-unsafe-swiftshader"]
        )
        shown = browser.new_page(viewport={"width": 560, "height": 400})
        wrong: list[str] = []
        shown.on("pageerror", lambda error: wrong.append(str(error)))
        shown.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        shown.goto(viewer.url)
        yield shown
        browser.close()
    assert wrong == []
