"""The page in headless Chromium: a shot is sent, watched, and its film played."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from serve_page import SMALL, TOKEN, Page

from kinetoscope import Host

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SIZE = (192, 108)
SHOT = """\
[performer]
mocap = ["samples/mocap/walk-straight.sample.toml"]
path = [[0, 0], [0.4, 2.0]]
speed = 1.2
seconds = 1.2
training = { steps = 40 }
[output]
size = [192, 108]
quality = "draft"
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as browsers:
        held = browsers.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield held
        held.close()


@pytest.fixture
def tab(browser: Any) -> Iterator[Any]:
    """A page that complains of every error of the script."""
    shown = browser.new_page(viewport={"width": 900, "height": 1000})
    wrong: list[str] = []
    shown.on("pageerror", lambda error: wrong.append(str(error)))
    # A refused request is logged as an error, too; it is told on the page.
    shown.on("console", lambda said: wrong.append(said.text) if _is_wrong(said) else None)
    yield shown
    assert wrong == []
    shown.close()


def _is_wrong(said: Any) -> bool:
    return said.type == "error" and "status of 4" not in said.text


def opened(tab: Any, page: Page) -> None:
    tab.goto(f"http://localhost:{page.server.port}/#token={TOKEN}")
    tab.wait_for_selector("#ask:not([hidden])")


@pytest.mark.slow
@pytest.mark.gl
def test_a_shot_is_sent_watched_and_its_film_plays(
    tab: Any, host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kinetoscope_samples.shot import write_sample

    monkeypatch.setenv("KINETOSCOPE_HOME", str(tmp_path / "home"))
    write_sample(tmp_path / "samples")
    (tmp_path / "mine.toml").write_text(SHOT)
    (tmp_path / "jobs").mkdir()
    limits = attrs.evolve(SMALL, job_s=500, job_bytes=1 << 30)
    page = Page.of(host, Host, tmp_path / "jobs", limits=limits, samples=tmp_path / "samples")
    with page.server:
        opened(tab, page)
        assert tab.url.endswith("/")  # the token is out of the address bar
        tab.get_by_label("Name", exact=True).fill("a <b>walk</b>")
        tab.get_by_label("Shot file").set_input_files(tmp_path / "mine.toml")
        tab.get_by_role("button", name="Shoot", exact=True).click()
        tab.wait_for_selector(".job[data-state='running']")
        tab.evaluate(
            "() => { window.seen = []; const bar = document.querySelector('progress');"
            "new MutationObserver(() => seen.push([bar.value, document.querySelector('.state').textContent]))"
            ".observe(document.querySelector('.job'), {subtree: true, childList: true, characterData: true}); }"
        )
        tab.wait_for_selector(".job[data-state='done'], .job[data-state='failed']", timeout=480_000)
        assert tab.locator(".error").inner_text() == ""
        assert tab.locator("h3").inner_text() == "a <b>walk</b>"
        seen = tab.evaluate("seen")
        shares = [share for share, _ in seen]
        assert shares == sorted(shares)
        assert len(set(shares)) > 5
        assert any("train: step" in text for _, text in seen)
        assert any("encode: rendering" in text for _, text in seen)
        tab.screenshot(path=tmp_path / "done.png")
        assert tab.get_by_role("link", name="Film").get_attribute("download") == "shot.mp4"
        if not tab.evaluate(
            "document.createElement('video').canPlayType('video/mp4; codecs=\"avc1.64001f\"')"
        ):
            pytest.skip("this Chromium has no H.264: the film can't be played in it")
        video = tab.evaluate(
            "async () => { const video = document.querySelector('video'); video.muted = true; await video.play();"
            "while (!(video.currentTime > 0.5) && !video.error) await new Promise((go) => setTimeout(go, 20));"
            "return [video.videoWidth, video.videoHeight, video.duration, video.error && video.error.message]; }"
        )
        assert video[:2] == list(SIZE)
        assert 0.9 < video[2] < 1.5
        assert video[3] is None
        with tab.expect_popup() as popup:
            tab.get_by_role("link", name="Report", exact=True).click()
        popup.value.wait_for_load_state()
        text = popup.value.inner_text("body")
        assert "foot skate" in text.lower()
        assert str(tmp_path / "jobs") not in text


def test_what_is_refused_is_told_and_a_job_is_cancelled(tab: Any, page: Page, tmp_path: Path) -> None:
    opened(tab, page)
    wrong, folder = tmp_path / "wrong.toml", tmp_path / "mine"
    (folder / "clips").mkdir(parents=True)
    (folder / ".hidden").touch()
    wrong.write_text('[performer]\nmocap = ["../x.bvh"]\npath = [[0, 0], [0, 1]]\n')
    shot = '# go on\n[performer]\nmocap = ["clips"]\npath = [[0, 0], [0, 1]]\n'
    (folder / "shot.toml").write_text(shot)
    (folder / "clips" / "walk.sample.toml").write_text("# kinetoscope sample\naction = 'walk'\n")
    tab.get_by_role("button", name="Shoot", exact=True).click()
    assert tab.locator("#told").inner_text() == "Choose a shot file or a folder first."
    tab.get_by_label("Shot file").set_input_files(wrong)
    tab.get_by_role("button", name="Shoot", exact=True).click()
    tab.locator("#told", has_text="leads out of").wait_for()
    assert tab.locator(".job").count() == 0
    tab.get_by_label("Shot file").set_input_files([])
    tab.get_by_label("Or a folder").set_input_files(folder)
    tab.get_by_role("button", name="Shoot", exact=True).click()
    tab.wait_for_selector(".job[data-state='running']")
    tab.reload()  # the token and the list are still there
    tab.wait_for_selector(".job[data-state='running']")
    tab.get_by_role("button", name="Cancel").click()
    tab.wait_for_selector(".job[data-state='cancelled']")
    assert "Cancelled" in tab.locator(".state").inner_text()
    assert tab.locator("#news").inner_text() == "shot: cancelled"
    tab.get_by_role("button", name="Remove").click()
    tab.wait_for_selector("#none:not([hidden])")
    assert page.files() == []


def test_without_a_token_the_page_asks_for_one(tab: Any, page: Page) -> None:
    tab.goto(f"http://localhost:{page.server.port}/")
    tab.get_by_label("The token of this service").fill("wrong")
    tab.keyboard.press("Enter")
    assert tab.locator("#ask").is_hidden()
    tab.get_by_label("The token of this service").fill(TOKEN)
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#ask:not([hidden])")
    assert tab.locator("#door").is_hidden()
