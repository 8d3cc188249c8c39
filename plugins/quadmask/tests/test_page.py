"""The server of the editor's page, without a browser."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from quadmask_page import GRID, Page, plate

from kinetoscope_quadmask._edits import edit
from kinetoscope_quadmask._pages import _hosts
from kinetoscope_quadmask._png import png, shrunk
from kinetoscope_quadmask.editing import MaskEditor
from kinetoscope_quadmask.server import EditorServer
from kinetoscope_quadmask.streams import blank
from kinetoscope_spec import Quadmask, ValidationError

LARGE = {"op": "brush", "frame": 0, "stroke": [[1, 1]], "radius": 1e9, "layer": "removed", "put": True}


def test_without_the_token_nothing_is_told(page: Page) -> None:
    for method, path in (
        ("GET", "/"),
        ("GET", "/api/state"),
        ("GET", "/api/picture?frame=0"),
        ("POST", "/api/save"),
    ):
        for token in ("", "wrong", "ä"):
            status, told, _ = page.ask(method, path, {} if method == "POST" else None, X_Token=token)
            assert status == 403, (method, path, token)
            assert page.server.token not in json.dumps(told)
    # a link's token does not do for what changes something: a page elsewhere could hold the link
    assert page.ask("POST", f"/api/save?token={page.server.token}", {}, X_Token="")[0] == 403
    assert page.saved == []


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "", "127.0.0.1", "127.0.0.1:1"])
def test_another_name_for_this_machine_is_refused(page: Page, host: str) -> None:
    status, told, _ = page.ask("GET", "/api/state", Host=host or " ")
    assert status == 403
    assert "this machine alone" in told["error"]


def test_headers_let_nothing_out(page: Page) -> None:
    _, body, headers = page.ask("GET", "/")
    assert b"<canvas" in body
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in headers


def test_it_listens_to_this_machine_alone(page: Page) -> None:
    assert page.server._http.server_address[0] == "127.0.0.1"
    with socket.socket() as other:
        other.settimeout(2)
        assert other.connect_ex(("127.0.0.2", page.server.port)) != 0


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "says"),
    [
        ("GET", "/nothing", None, 404, "nothing of that name"),
        ("POST", "/api/nothing", {}, 404, "nothing of that name"),
        ("GET", "/../../etc/passwd", None, 404, "nothing of that name"),
        ("GET", "/api/picture", None, 400, "frame is missing"),
        ("GET", "/api/picture?frame=9999999999", None, 400, "frame is missing"),
        ("GET", "/api/picture?frame=7", None, 400, "frame 7 is not there"),
        ("GET", "/api/mask?frame=-1", None, 400, "frame is missing"),
        ("POST", "/api/edit", b"{", 400, "is no JSON"),
        ("POST", "/api/edit", b"[" * 100_000, 400, "is no JSON"),
        ("POST", "/api/edit", b" " * 2_000_000, 413, "bytes at most"),
        ("POST", "/api/edit", [], 400, "is a JSON object"),
        ("POST", "/api/edit", {"op": "format"}, 400, "frame is None"),
        ("POST", "/api/edit", {"op": "format", "frame": 0}, 400, "expected cell, brush, copy or clear"),
        ("POST", "/api/edit", {"op": "cell", "frame": 0, "row": 1.5, "col": 0}, 400, "expected a whole number"),
        ("POST", "/api/edit", {"op": "clear", "frame": 0, "layer": "grey"}, 400, "expected removed or affected"),
        ("POST", "/api/edit", {"op": "copy", "frame": 0, "layers": ["removed"]}, 400, "no frame before"),
        ("POST", "/api/edit", {"op": "copy", "frame": 1, "layers": []}, 400, "one or two of"),
        ("POST", "/api/edit", {"op": "brush", "frame": 0, "stroke": [[1]]}, 400, "expected [x, y]"),
        ("POST", "/api/edit", LARGE, 400, "radius"),
        ("POST", "/api/edit", {**LARGE, "radius": 10**400}, 400, "too large a number"),
    ],
)  # fmt: skip
def test_wrong_requests_are_answered(
    page: Page, method: str, path: str, body: Any, status: int, says: str
) -> None:
    try:
        found, told, _ = page.ask(method, path, body)
    except (BrokenPipeError, ConnectionResetError):
        assert status == 413  # refused while the body was still on its way
        return
    assert (found, says in told["error"]) == (status, True), told
    assert page.editor.steps == (0, 0)


@pytest.mark.parametrize(
    ("request_line", "header", "status"),
    [
        ("GET http://[ HTTP/1.1", "", b"400"),
        ("POST /api/edit HTTP/1.1", "Content-Length: \u00b2", b"413"),
        ("POST /api/edit HTTP/1.1", "Content-Length: " + "9" * 5000, b"413"),
    ],
)
def test_requests_that_are_none_are_answered(
    page: Page, capfd: pytest.CaptureFixture[str], request_line: str, header: str, status: bytes
) -> None:
    lines = [
        request_line,
        f"Host: 127.0.0.1:{page.server.port}",
        f"X-Token: {page.server.token}",
        *filter(None, [header]),
    ]
    with socket.create_connection(("127.0.0.1", page.server.port), timeout=10) as raw:
        raw.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        assert raw.recv(100).split()[1] == status
    assert capfd.readouterr().err == ""


def test_a_page_that_goes_away_is_no_fault(page: Page, capfd: pytest.CaptureFixture[str]) -> None:
    """It resets the connection while its answer, held up by the lock, is not yet written."""
    asked = f"GET /api/state HTTP/1.1\r\nHost: 127.0.0.1:{page.server.port}\r\nX-Token: {page.server.token}"
    before = threading.active_count()
    with page.server.lock:
        raw = socket.create_connection(("127.0.0.1", page.server.port), timeout=10)
        raw.sendall(f"{asked}\r\n\r\n".encode())
        while threading.active_count() == before:
            time.sleep(0.01)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raw.close()
    while threading.active_count() > before:
        time.sleep(0.01)
    assert capfd.readouterr().err == ""


def test_browsers_leave_the_port_of_http_out() -> None:
    assert "127.0.0.1" in _hosts(80)
    assert _hosts(81) == ["127.0.0.1:81", "localhost:81"]


def test_a_save_is_done_before_the_server_ends(page: Page) -> None:
    entered, goes_on = threading.Event(), threading.Event()

    def slow(quadmask: Quadmask) -> None:
        entered.set()
        assert goes_on.wait(10)
        page.keep(quadmask)

    page.server = EditorServer(plate(), page.editor, slow)
    with ThreadPoolExecutor(2) as pool:
        page.server.__enter__()
        answer = pool.submit(page.ask, "POST", "/api/save", {})
        assert entered.wait(10)
        ended = pool.submit(page.server.__exit__, None, None, None)
        with pytest.raises(TimeoutError):
            ended.result(0.5)
        goes_on.set()
        ended.result(10)
        assert len(page.saved) == 1
        assert answer.result(10)[0] == 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
NAMES = ("frame", "row", "col", "layer", "layers", "stroke", "radius", "put", "through")


@given(
    JSON
    | st.fixed_dictionaries(
        {"op": st.sampled_from(("cell", "brush", "copy", "clear"))},
        optional={name: JSON | st.integers(0, 3) | st.just("removed") for name in NAMES},
    )
)
def test_edits_that_are_none_are_refused_or_done(asked: Any) -> None:
    editor = MaskEditor(blank(plate()), GRID)
    try:
        edit(editor, asked)
    except ValidationError:
        assert editor.steps == (0, 0)


@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from((3, 4)), st.integers(0, 99))
def test_pngs_are_read_by_others(high: int, wide: int, channels: int, seed: int) -> None:
    import io

    picture = np.random.default_rng(seed).integers(0, 256, (high, wide, channels), np.uint8)
    read = np.array(Image.open(io.BytesIO(png(picture))))
    np.testing.assert_array_equal(read, picture)


@given(st.integers(1, 50), st.integers(1, 50), st.integers(1, 60))
def test_what_is_shown_is_small_enough(high: int, wide: int, most: int) -> None:
    found = shrunk(np.zeros((high, wide), np.uint8), most)
    assert min(found.shape) >= 1
    assert max(found.shape) <= most


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(ValidationError, match="the quadmask is 8 x 8 pixels, the video 160 x 90"):
        EditorServer(plate(), MaskEditor(Quadmask.from_frames(np.zeros((3, 8, 8)), 12)), lambda _: None)
