"""Send a shot to `kinetoscope serve`, follow it, fetch the film: with the standard library alone."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

__all__ = ["Client"]


class Client:
    """A service, by the address that it printed."""

    def __init__(self, url: str) -> None:
        page, _, self._token = url.partition("#token=")
        self._address = urlsplit(page).netloc

    def ask(self, method: str, path: str, data: bytes | None = None, kind: str = "") -> HTTPResponse:
        """Return the open answer to a request.

        Raises:
            RuntimeError: it was refused; says why.
        """
        connection = HTTPConnection(self._address, timeout=60)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": kind}
        connection.request(method, f"/{path}", data, headers)
        answer = connection.getresponse()
        if answer.status >= 400:
            raise RuntimeError(json.load(answer)["error"])
        return answer

    def submit(self, files: Mapping[str, bytes]) -> dict[str, Any]:
        """Send files, one of them called `shot.toml`; return the job."""
        boundary = secrets.token_hex(16)
        head = '--{}\r\nContent-Disposition: form-data; name="file"; filename="{}"\r\n\r\n'
        parts = [head.format(boundary, name).encode() + data + b"\r\n" for name, data in files.items()]
        form = b"".join([*parts, f"--{boundary}--\r\n".encode()])
        with self.ask("POST", "api/jobs", form, f"multipart/form-data; boundary={boundary}") as answer:
            job: dict[str, Any] = json.load(answer)
        return job

    def follow(self, job: str) -> Iterator[dict[str, Any]]:
        """Yield what is told of a job, until it has ended."""
        with self.ask("GET", f"api/jobs/{job}/events") as answer:
            for line in answer:
                if line.startswith(b"data: "):
                    yield json.loads(line[6:])

    def cancel(self, job: str) -> None:
        """Cancel a job."""
        self.ask("POST", f"api/jobs/{job}/cancel", b"").close()

    def fetch(self, job: str, what: str = "film") -> bytes:
        """Return a file of a job that is done."""
        with self.ask("GET", f"api/jobs/{job}/{what}") as answer:
            content: bytes = answer.read()
        return content
