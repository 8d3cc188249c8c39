"""Who may ask: by the name of this server that a request uses, and by the token."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse

from kinetoscope_serve.limits import Refused

__all__ = ["LOOPBACK", "Guard", "key_of", "told"]

LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Connection": "close",  # one request a connection: what a refused one left over is not read
}

App = Callable[..., Awaitable[None]]


def key_of(token: str, job: str) -> str:
    """Return what opens the files of one job, for links: a browser sends no header with them."""
    return hmac.new(token.encode(), job.encode(), hashlib.sha256).hexdigest()[:40]


def told(error: Refused) -> JSONResponse:
    """Return the answer to a request that is refused."""
    later = {"Retry-After": "30"} if error.status == 503 else {}
    return JSONResponse({"error": str(error), **error.told}, error.status, later)


class Guard:
    """Answers what may not be asked, and puts the headers on every answer that keep a page to itself.

    A page of another site that made its own name mean this machine (DNS rebinding) sends that name as
    `Host`. Everything below `/api` needs the token, but for files of a job, which its key opens, too.

    Args:
        app: what is asked.
        names: by which this server goes; ports do not matter.
        token: that requests bear.
    """

    def __init__(self, app: App, names: Iterable[str], token: str) -> None:
        self.app, self.names, self.token = app, frozenset(name.lower() for name in names), token

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def answer(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            self._check(Request(scope))
        except Refused as error:
            await told(error)(scope, receive, answer)
            return
        await self.app(scope, receive, answer)

    def _check(self, request: Request) -> None:
        if _name(request.headers) not in self.names:
            raise Refused(403, "this server does not go by that name")
        path = request.url.path
        if not path.startswith("/api"):
            return  # the page holds no secret
        kind, _, held = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "bearer" and _same(held.strip(), self.token):
            return
        parts = path.split("/")
        key = request.query_params.get("key", "")
        reads = request.method in ("GET", "HEAD") and parts[:3] == ["", "api", "jobs"] and len(parts) == 5
        if reads and _same(key, key_of(self.token, parts[3])):
            return
        raise Refused(401, "the token is missing or wrong: it stands in the address that the command printed")


def _name(headers: Headers) -> str:
    """Return the name in `Host`, without port and brackets."""
    host = headers.get("Host", "").lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and ":" in host else host


def _same(held: str, wanted: str) -> bool:
    return hmac.compare_digest(held.encode(), wanted.encode())
