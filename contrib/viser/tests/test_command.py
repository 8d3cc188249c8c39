"""`kinetoscope view`, as it is typed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
import viser
from click.testing import CliRunner, Result
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from kinetoscope import Host
from kinetoscope_viser import Viewer
from kinetoscope_viser.command import command

WALK = "# kinetoscope sample\naction = 'walk'\nseconds = 1.0\n"
# Where the tests run in the background of a shell, Ctrl-C is ignored; not so for a user.
LISTENS = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from kinetoscope.cli import main; main(prog_name='kinetoscope')"
)


@pytest.fixture
def walk(tmp_path: Path) -> Path:
    path = tmp_path / "walk.sample.toml"
    path.write_text(WALK)
    return path


def typed(*words: object) -> Result:
    with Host() as host:
        return CliRunner().invoke(command, [*map(str, words), "--no-open"], obj=host)


def first_message(port: int, **headers: str) -> bytes | str:
    """Connect as the page does, and return the first message that comes."""
    protocol = [Subprotocol(f"viser-v{viser.__version__}")]
    origin = headers.pop("Origin", None)
    with connect(
        f"ws://127.0.0.1:{port}/",
        subprotocols=protocol,
        origin=origin,
        additional_headers=headers,
        compression=None,
        max_size=None,
    ) as page:
        return page.recv(timeout=20)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_it_shows_files_side_by_side_until_it_is_interrupted(walk: Path, tmp_path: Path) -> None:
    words = ["view", "--json", "--no-open", "--port", "0", str(walk), str(walk)]
    running = subprocess.Popen(
        [sys.executable, "-c", LISTENS, *words],
        env=os.environ | {"KINETOSCOPE_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        told = json.loads(running.stdout.readline())
        port = int(told["url"].split(":")[2].strip("/"))
        with urllib.request.urlopen(told["url"], timeout=30) as page:
            assert b"<html" in page.read(300)
        assert first_message(port, Origin=told["url"].strip("/"))
        # Another site's page, and one whose name was made to mean this machine, see nothing.
        elsewhere = {"Origin": "http://elsewhere.example"}, {"Host": f"elsewhere.example:{port}"}
        for headers in (*elsewhere, {"Origin": "null"}, {"Origin": "http://[::1"}, {"Host": "[::1"}):
            with pytest.raises(ConnectionClosed, match="not for other sites"):
                first_message(port, **headers)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    finally:
        running.kill()
    assert (out, err, running.returncode) == ("", "ended\n", 0)
    one, two = told["files"]
    assert (one["body"], one["joints"], one["deviation"]["vertices_cut"]) == ("made", two["joints"], 0)
    assert one["deviation"]["max_mm"] < 0.01
    assert one["offset_m"] == [0, 0, 0]
    assert two["offset_m"][0] > 0.6  # beside it, a gap between


def test_a_port_that_is_taken_is_named_and_nothing_stays(walk: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        done = typed(walk, "--port", port)
    assert done.exit_code == 1
    assert f"127.0.0.1:{port}: Address already in use" in str(done.exception)
    assert "--port" in str(done.exception)


def test_files_that_cannot_be_shown_are_named(walk: Path, tmp_path: Path) -> None:
    empty, broken = tmp_path / "empty.bvh", tmp_path / "broken.bvh"
    empty.touch()
    broken.write_text("HIERARCHY\nROOT hips\n{\nOFFSET 0 0\n}\n")
    for file, says in ((empty, "empty.bvh"), (broken, "broken.bvh:5"), (tmp_path / "gone.bvh", "gone.bvh")):
        done = typed(walk, file, "--port", 0)
        assert done.exit_code == 1
        assert says in str(done.exception), done.exception
    done = typed(walk, "--motion", 3)
    assert (done.exit_code, "has 1 motions, --motion counts from 0" in done.output) == (2, True)
    assert typed().exit_code == 2


def test_a_datasets_clips_are_shown_one_by_one(
    walk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Viewer, "wait", lambda self: True)
    with Host() as host:
        host.provider("dataset").convert([walk, *later(walk)], str(tmp_path / "takes.zarr"), read=host.open)
    done = typed(tmp_path / "takes.zarr", "--motion", 0, "--json", "--port", 0)
    assert done.exit_code == 0, done.output
    (told,) = json.loads(done.stdout)["files"]
    assert (told["frames"], told["body"]) == (61, "made")
    done = typed(tmp_path / "takes.zarr", "--motion", 2)
    assert (done.exit_code, "has 2 motions" in done.output) == (2, True)


def later(walk: Path) -> list[Path]:
    path = walk.with_name("later.sample.toml")
    path.write_text(WALK.replace("1.0", "2.0"))
    return [path]


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.7"])
def test_it_does_not_open_to_others_unasked(walk: Path, address: str) -> None:
    done = typed(walk, "--host", address)
    assert (done.exit_code, "no token" in done.output) == (2, True), done.output
