"""Requests to the editor's server: who may ask, for what, and what is answered."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

from kinetoscope_spec.errors import KinetoscopeError

if TYPE_CHECKING:
    from kinetoscope_quadmask.server import EditorServer

__all__ = ["handler"]

MOST_BODY_BYTES: Final = 1 << 20
TIMEOUT_S: Final = 30.0

_FILES: Final = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/editor.js": ("editor.js", "text/javascript; charset=utf-8"),
    "/editor.css": ("editor.css", "text/css; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
_OPEN: Final = ("/editor.js", "/editor.css", "/icon.svg")
"""They hold no secret, and the page names them without the token."""

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class _Refused(Exception):
    """A request that is answered with a status other than 200."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status


def handler(server: EditorServer) -> type[BaseHTTPRequestHandler]:
    """Return the class that answers requests for `server`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = TIMEOUT_S
        closing = False

        def log_message(self, *_: object) -> None:  # its lines would show the token
            pass

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except ConnectionError:  # the page is gone: nobody is left to be told
                self.close_connection = True

        def do_GET(self) -> None:
            _answer(self, lambda: _get(server, self))

        def do_POST(self) -> None:
            try:
                _answer(self, lambda: _post(server, self))
            finally:
                if self.closing:  # once the answer is out: what waits for the end may end the process
                    server.stop()

    return Handler


def _answer(http: BaseHTTPRequestHandler, work: Callable[[], tuple[bytes, str]]) -> None:
    status = 200
    try:
        body, kind = work()
    except _Refused as error:
        status, body, kind = error.status, _json({"error": str(error)}), "application/json"
    except (KinetoscopeError, OSError) as error:
        status, body, kind = 400, _json({"error": str(error)}), "application/json"
    http.send_response(status)
    for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **_HEADERS}.items():
        http.send_header(name, value)
    if status != 200:
        http.send_header("Connection", "close")  # what is left of a refused body is not read
        http.close_connection = True
    http.end_headers()
    http.wfile.write(body)


def _get(server: EditorServer, http: BaseHTTPRequestHandler) -> tuple[bytes, str]:
    path, asked = _checked(server, http)
    if path in _FILES:
        name, kind = _FILES[path]
        return files("kinetoscope_quadmask").joinpath("page", name).read_bytes(), kind
    with server.lock:
        _check_goes_on(server)
        if path == "/api/state":
            return _json(server.state()), "application/json"
        if path == "/api/picture":
            return server.picture(_frame(asked)), "image/png"
        if path == "/api/mask":
            return server.overlay(_frame(asked)), "image/png"
        if path == "/api/counts":
            return _json(server.counts(_frame(asked))), "application/json"
    raise _Refused(404, "there is nothing of that name")


def _post(server: EditorServer, http: BaseHTTPRequestHandler) -> tuple[bytes, str]:
    path, _ = _checked(server, http)
    asked = _body(http)
    with server.lock:
        _check_goes_on(server)
        if path == "/api/edit":
            return _json(server.apply(asked)), "application/json"
        if path == "/api/undo":
            return _json(server.undo()), "application/json"
        if path == "/api/redo":
            return _json(server.redo()), "application/json"
        if path == "/api/save":
            return _json(server.save()), "application/json"
    if path == "/api/close":
        http.closing = True  # type: ignore[attr-defined]
        return _json({}), "application/json"
    raise _Refused(404, "there is nothing of that name")


def _check_goes_on(server: EditorServer) -> None:
    if server.ended:
        raise _Refused(503, "the editor has ended")


def _checked(server: EditorServer, http: BaseHTTPRequestHandler) -> tuple[str, dict[str, list[str]]]:
    """Return path and query of a request that has the token and names this server.

    A page of another site can't send the header without being asked first (CORS), nor read the token; and
    its own name, made to mean this machine, is another `Host`.
    """
    host = http.headers.get("Host", "")
    if host not in _hosts(server.port):
        raise _Refused(403, "this server is for this machine alone")
    try:
        parts = urlsplit(http.path)
    except ValueError:
        raise _Refused(400, "the address can't be read") from None
    asked = parse_qs(parts.query)
    if parts.path in _OPEN:
        return parts.path, asked
    held = http.headers.get("X-Token") or (asked.get("token", [""])[0] if http.command == "GET" else "")
    if not secrets.compare_digest(held.encode(), server.token.encode()):
        raise _Refused(403, "the token is missing or wrong: open the address that the command printed")
    return parts.path, asked


def _hosts(port: int) -> list[str]:
    """Return what `Host` may be; browsers leave the port out where it is that of HTTP."""
    return [
        name + part for name in ("127.0.0.1", "localhost") for part in (f":{port}", "")[: 1 + (port == 80)]
    ]


def _frame(asked: dict[str, list[str]]) -> int:
    text = asked.get("frame", [""])[0]
    if not _is_count(text):
        raise _Refused(400, "frame is missing, expected a whole number")
    return int(text)


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 9


def _body(http: BaseHTTPRequestHandler) -> Any:
    length = http.headers.get("Content-Length", "")
    if not _is_count(length) or int(length) > MOST_BODY_BYTES:
        raise _Refused(
            413, f"the request's length is {length!r:.20}, expected {MOST_BODY_BYTES} bytes at most"
        )
    try:
        return json.loads(http.rfile.read(int(length)) or b"{}")
    except (ValueError, RecursionError):
        raise _Refused(400, "the request is no JSON") from None


def _json(held: Any) -> bytes:
    return json.dumps(held).encode()
