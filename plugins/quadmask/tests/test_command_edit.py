"""`kinetoscope edit-mask` as a process: it says where the page is, saves to disk, and ends when it is closed."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import numpy as np
import pytest
from click.testing import CliRunner
from quadmask_discs import COUNT, VIDEO, FakeHost, stacked

from kinetoscope_av.provider import AvMedia
from kinetoscope_quadmask.command_edit import command
from kinetoscope_quadmask.hooks import read_quadmask, write_quadmask
from kinetoscope_spec import Quadmask

MEDIA = AvMedia()


@pytest.fixture
def film(tmp_path: Path) -> Path:
    MEDIA.write(tmp_path / "plate.mkv", VIDEO)
    return tmp_path / "plate.mkv"


def post(url: str, path: str, body: Any) -> Any:
    address, _, token = url.partition("/?token=")
    request = urllib.request.Request(address + path, json.dumps(body).encode(), {"X-Token": token})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.loads(answer.read())


def test_a_session_from_the_command_line(film: Path) -> None:
    mask = film.with_name("mask.mp4")
    told = [sys.executable, "-m", "kinetoscope", "edit-mask", str(film), str(mask), "--no-browser", "--json"]
    with subprocess.Popen(told, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        url = json.loads(process.stdout.readline())["url"]
        assert post(url, "/api/edit", {"op": "clear", "frame": 0, "layer": "removed"})["undo"] == 0
        cell = {"op": "cell", "frame": 2, "row": 3, "col": 4, "layer": "removed"}
        assert post(url, "/api/edit", cell)["changed"] is True
        assert not mask.exists()
        assert post(url, "/api/save", {})["changed"] is False
        post(url, "/api/close", {})
        rest, errors = process.communicate(timeout=20)
    assert (process.returncode, rest, errors) == (0, "", "")
    found = stacked(read_quadmask(MEDIA, mask))
    assert len(found) == COUNT
    assert (found[2, 27:36, 36:45] == 0).all()
    assert (found == 0).sum() == 81


def test_a_mask_that_is_there_is_gone_on_with(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's server gets the mask as it is; `--out` leaves the file alone."""
    held = np.full((COUNT, VIDEO.height, VIDEO.width), 127, np.uint8)
    write_quadmask(MEDIA, film.with_name("mask.mp4"), Quadmask.from_frames(held, 12))
    seen: list[Any] = []

    def waited(server: Any, timeout_s: float | None = None) -> bool:
        seen.append(server.editor.frame(1))
        server.apply({"op": "clear", "frame": 1, "layer": "affected"})
        server.save()
        return True

    monkeypatch.setattr("kinetoscope_quadmask.server.EditorServer.wait", waited)
    out = film.with_name("new.mp4")
    options = [str(film), str(film.with_name("mask.mp4")), "--out", str(out), "--no-browser"]
    done = CliRunner().invoke(command, options, obj=FakeHost({"media": MEDIA}))
    assert done.exit_code == 0, done.output
    assert done.output.startswith("edit on http://127.0.0.1:")
    assert (seen[0] == 127).all()
    found = stacked(read_quadmask(MEDIA, out))
    assert (found[1] == 255).all()
    assert (found[0] == 127).all()
    assert (stacked(read_quadmask(MEDIA, film.with_name("mask.mp4"))) == 127).all()


def test_a_matte_is_not_written_over(film: Path) -> None:
    """Saved as a quadmask, it would be read as its own opposite by the same command."""
    matte = film.with_name("matte.mp4")
    options = [str(film), str(matte), "--kind", "bright", "--no-browser"]
    for out in ([], ["--out", str(matte)]):
        done = CliRunner().invoke(command, [*options, *out], obj=FakeHost({"media": MEDIA}))
        assert done.exit_code == 2
        assert "say where to save, --out" in done.output


@pytest.mark.parametrize("edited", [True, False])
def test_an_interrupted_session_tells_what_is_lost(
    film: Path, monkeypatch: pytest.MonkeyPatch, edited: bool
) -> None:
    def waited(server: Any, timeout_s: float | None = None) -> bool:
        if edited:
            server.apply({"op": "cell", "frame": 1, "row": 0, "col": 0, "layer": "affected"})
        raise KeyboardInterrupt

    monkeypatch.setattr("kinetoscope_quadmask.server.EditorServer.wait", waited)
    options = [str(film), str(film.with_name("mask.mp4")), "--no-browser"]
    done = CliRunner().invoke(command, options, obj=FakeHost({"media": MEDIA}))
    assert done.exit_code == 130, done.output
    assert ("edits that were not saved" in done.stderr) == edited


def test_the_browser_is_not_told_the_token_where_others_read_it(
    film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is sent to a page that the user alone may read, and that leads on; the page goes with the session."""
    pages: list[Path] = []

    def launched(url: str) -> int:
        assert "token" not in url
        pages.append(Path(url2pathname(urlsplit(url).path)))
        return 0

    def waited(server: Any, timeout_s: float | None = None) -> bool:
        assert server.url in pages[0].read_text("utf-8")
        if os.name == "posix":
            assert stat.S_IMODE(pages[0].stat().st_mode) == 0o600
        return True

    monkeypatch.setattr("click.launch", launched)
    monkeypatch.setattr("kinetoscope_quadmask.server.EditorServer.wait", waited)
    done = CliRunner().invoke(
        command, [str(film), str(film.with_name("mask.mp4"))], obj=FakeHost({"media": MEDIA})
    )
    assert done.exit_code == 0, done.output
    assert not pages[0].exists()


def test_the_video_is_not_written_over(film: Path) -> None:
    done = CliRunner().invoke(command, [str(film), str(film)], obj=FakeHost({"media": MEDIA}))
    assert done.exit_code == 2
    assert "is read from" in done.output


def test_a_name_that_can_hold_no_mask_is_refused(film: Path) -> None:
    done = CliRunner().invoke(
        command, [str(film), str(film.with_name("m.png")), "--no-browser"], obj=FakeHost({"media": MEDIA})
    )
    assert done.exit_code == 2
    assert "expected a name that ends in .mp4" in done.output
