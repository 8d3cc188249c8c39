"""What the service refuses, asked over a socket."""

from __future__ import annotations

import io
import re
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs
import pytest
from PIL import Image
from serve_page import BOUNDARY, CLIP, SHOT, SMALL, TOKEN, Page, body, shot
from serve_work import work

from kinetoscope import Host

FORM = {"Content_Type": f"multipart/form-data; boundary={BOUNDARY}"}


def test_without_the_token_nothing_is_told(page: Page) -> None:
    for method, path in (
        ("GET", "/api/state"),
        ("POST", "/api/jobs"),
        ("GET", "/api/jobs/x/film"),
        ("DELETE", "/api/jobs/x"),
    ):
        for held in (None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer ä"):
            data = b"" if method == "POST" else None
            headers = {} if held is None else {"Authorization": held}
            connection = page.connect()
            lines = [
                f"{method} {path} HTTP/1.1",
                "Host: localhost",
                *(f"{n}: {t}" for n, t in headers.items()),
            ]
            lines += ["Content-Length: 0"] if data is not None else []
            connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
            answer = b"".join(iter(lambda c=connection: c.recv(4096), b""))
            connection.close()
            assert answer.startswith(b"HTTP/1.1 401"), (method, path, held, answer)
            assert TOKEN.encode() not in answer


@pytest.mark.parametrize(
    "name", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.", "[::2]:1", ""]
)
def test_another_name_for_this_machine_is_refused(page: Page, name: str) -> None:
    for path in ("/", "/api/state"):
        status, told, _ = page.ask("GET", path, Host=name)
        assert status == 403
        assert "does not go by that name" in told["error"]
    assert page.ask("GET", "/", Host=f"LOCALHOST:{page.server.port}")[0] == 200


def test_the_page_is_told_without_a_token_and_keeps_to_itself(page: Page) -> None:
    _, content, headers = page.ask("GET", "/", Authorization="")
    assert b"<h1>" in content
    assert not re.search(rb'(src|href)="(?!/)', content)
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert not any(name.startswith("access-control") for name in headers)


def test_it_listens_to_this_machine_alone(page: Page) -> None:
    assert page.server.listener.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize(
    ("method", "path", "status", "says"),
    [
        ("GET", "/nothing", 404, "nothing of that name"),
        ("GET", "/../../etc/passwd", 404, "nothing of that name"),
        ("GET", "/%2e%2e/%2e%2e/etc/passwd", 404, "nothing of that name"),
        ("POST", "/", 405, "can't be asked"),
        ("GET", "/api/jobs/x", 404, "no such job"),
        ("GET", "/api/jobs/..%2f..%2fetc/film", 404, "nothing of that name"),
        ("POST", "/api/jobs/x/cancel", 404, "no such job"),
        ("DELETE", "/api/jobs/x", 404, "no such job"),
        ("GET", "/api/jobs/x/events", 404, "no such job"),
        ("PUT", "/api/jobs/x", 405, "can't be asked"),
    ],
)
def test_wrong_addresses_are_answered(page: Page, method: str, path: str, status: int, says: str) -> None:
    found, told, _ = page.ask(method, path)
    assert (found, says in told["error"]) == (status, True), told


MACHINE_CODE = b"MZ" + bytes(range(256)) * 40


ACTION = b'[[performer.action]]\nat = 0.2\nclip = "../x.bvh"\n'


def png() -> bytes:
    held = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 30, 90)).save(held, "PNG")
    return held.getvalue()


@pytest.mark.parametrize(
    ("files", "status", "says"),
    [
        ({}, 422, "no file is called shot.toml"),
        ({"other.toml": b"name = 'shot'\n"}, 422, "no file is called shot.toml"),
        (shot() | {"../shot.toml": b""}, 422, "is no name for an upload"),
        (shot() | {"/etc/cron.d/x": b""}, 422, "is no name for an upload"),
        (shot() | {"a/../../x": b""}, 422, "is no name for an upload"),
        (shot() | {"samples/x.bvh": b""}, 422, "service's own"),
        (shot() | {"SHOT.toml": b""}, 422, "uploaded twice"),
        (shot() | {"a": b"1", "a/b.txt": b"1"}, 422, "a file and a folder"),
        (shot() | {"run.bvh": MACHINE_CODE}, 422, "run.bvh is named .bvh but is"),
        (shot() | {"look.mp4": png()}, 422, "look.mp4 is named .mp4 but is"),
        (shot() | {"run.exe": MACHINE_CODE}, 422, "which no shot is made of"),
        (shot() | {f"{i}.txt": b"words" for i in range(6)}, 413, "more than 6 files"),
        (shot() | {"large.txt": b"many words\n" * 30_000}, 413, "at most 200,000"),
        (shot(clip="../../*.bvh"), 422, "leads out of"),
        (shot(clip="/etc/hostname"), 422, "leads out of"),
        (shot(clip="gone.bvh"), 422, "matches no file"),
        (shot(clip="samples/*"), 422, "matches no file"),
        ({"shot.toml": b"[performer\n", "walk.sample.toml": CLIP}, 422, "shot.toml:1: is not TOML"),
        ({"shot.toml": SHOT.encode() + b"sped = 3\n", "walk.sample.toml": CLIP}, 422, "did you mean 'speed'"),
        (shot() | {"shot.toml": shot()["shot.toml"] + b'[output]\nfile = "../../x.mp4"\n'}, 422, "leads out of"),
        (shot() | {"shot.toml": shot()["shot.toml"] + b'[plate]\nvideo = "/dev/zero"\n'}, 422, "leads out of"),
        (shot() | {"shot.toml": shot()["shot.toml"] + b'[voice]\nscript = "../../secret.txt"\n'}, 422, "leads out of"),
        (shot() | {"shot.toml": shot()["shot.toml"] + b'character = "../x.glb"\n'}, 422, "leads out of"),
        (shot() | {"shot.toml": shot()["shot.toml"] + ACTION}, 422, "leads out of"),
        (shot() | {"shot.toml": shot()["shot.toml"] + b'[camera]\nkind = "file"\nfile = "/c.json"\n'}, 422, "leads out of"),
    ],
)  # fmt: skip
def test_wrong_uploads_are_refused_and_nothing_of_them_stays(
    page: Page, files: dict[str, bytes], status: int, says: str
) -> None:
    try:
        found, told = page.submit(files)
    except (BrokenPipeError, ConnectionResetError):
        assert status == 413  # refused while the upload was still on its way
    else:
        assert (found, says in told["error"]) == (status, True), told
        assert str(page.folder) not in told["error"]
    assert page.files() == []
    assert page.ask("GET", "/api/state")[1]["jobs"] == []


@pytest.mark.parametrize(
    ("data", "kind", "status", "says"),
    [
        (b"{}", "application/json", 415, "expected a form"),
        (b"x", "multipart/form-data", 415, "boundary"),
        (b"no form at all", FORM["Content_Type"], 400, "can't be read"),
        (body(shot())[:-40], FORM["Content_Type"], 400, "ends before"),
        (body({}, {f"f{i}": "" for i in range(20)}), FORM["Content_Type"], 413, "more than 16 fields"),
        (body({}, {"name": "x" * 70_000}), FORM["Content_Type"], 413, "longer than 65,536"),
        (body({"x" * 5000: b""}), FORM["Content_Type"], (400, 422, 431), ""),
        (body({}, {"name": "x"}).replace(b'"x', b'"\xff'), FORM["Content_Type"], 422, ""),
    ],
)
def test_what_is_no_form_is_refused(page: Page, data: bytes, kind: str, status: Any, says: str) -> None:
    found, told, _ = page.ask("POST", "/api/jobs", data, Content_Type=kind)
    assert found in (status if isinstance(status, tuple) else (status,)), told
    assert says in told["error"]
    assert page.files() == []


def head(length: int) -> bytes:
    lines = ["POST /api/jobs HTTP/1.1", "Host: localhost", f"Authorization: Bearer {TOKEN}"]
    lines += [f"Content-Type: {FORM['Content_Type']}", f"Content-Length: {length}", "", ""]
    return "\r\n".join(lines).encode()


def answer_of(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(4096), b""))


def test_a_body_that_does_not_come_is_not_waited_for(hasty: Page) -> None:
    data = body(shot())
    with hasty.connect() as connection:
        connection.sendall(head(len(data)) + data[:60])
        assert b"nothing of the upload came for 0.5 s" in answer_of(connection)
    assert hasty.files() == []


def test_a_body_that_comes_in_drops_is_not_waited_for(host: Host, tmp_path: Path) -> None:
    data = body(shot())
    page = Page.of(host, Host, tmp_path, work, attrs.evolve(SMALL, upload_s=1.5))
    with page.server, page.connect() as connection:
        connection.sendall(head(len(data)))
        connection.settimeout(0.2)
        answer = b""
        for i in range(len(data)):
            try:
                connection.sendall(data[i : i + 1])
                answer = connection.recv(4096)
            except TimeoutError:
                continue
            break
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert page.files() == []


def test_a_client_that_leaves_in_the_middle_leaves_nothing(page: Page) -> None:
    data, deadline = body(shot()), time.monotonic() + 120
    with page.connect() as connection:
        connection.sendall(head(len(data)) + data[:-40])
        while not page.files():  # it has come in
            assert time.monotonic() < deadline
            time.sleep(0.01)
    while any(page.folder.iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_body_longer_than_it_says_is_refused(page: Page) -> None:
    """Chunks tell no length beforehand."""
    lines = head(0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    chunk = b"x" * 50_000
    part = body({"a.txt": b""})[: -len(BOUNDARY) - 8]
    with page.connect() as connection:
        try:
            connection.sendall(lines + f"{len(part):x}\r\n".encode() + part + b"\r\n")
            for _ in range(6):
                connection.sendall(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
        except OSError:
            pass
        with suppress(ConnectionResetError):
            assert b" 413 " in answer_of(connection)
    assert page.files() == []


def test_uploads_at_a_time_are_bounded(hasty: Page) -> None:
    data = body(shot())
    held = [hasty.connect() for _ in range(3)]
    try:
        for connection in held:
            connection.sendall(head(len(data)) + data[:60])
        answers = [answer_of(connection) for connection in held]
        assert sorted(b" 503 " in answer for answer in answers) == [False, False, True]
    finally:
        for connection in held:
            connection.close()
