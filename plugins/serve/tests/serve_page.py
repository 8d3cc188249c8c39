"""A service that runs, and requests to it."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs

from kinetoscope_serve.app import Service
from kinetoscope_serve.guard import LOOPBACK
from kinetoscope_serve.jobs import ENDED, Jobs
from kinetoscope_serve.limits import Limits
from kinetoscope_serve.server import Server, listen

TOKEN = "a-token-for-the-tests"
BOUNDARY = "boundary-of-the-tests"
SMALL = Limits(
    queue=2,
    kept=3,
    job_s=300,
    job_bytes=2_000_000,
    free_bytes=0,
    upload_bytes=200_000,
    files=6,
    upload_s=300,
    stall_s=120,
    grace_s=0.5,
)
SHOT = """\
# {work}
[performer]
mocap = ["{clip}"]
path = [[0, 0], [0.4, 2.0]]
speed = 1.2
"""
CLIP = b"# kinetoscope sample\naction = 'walk'\nseconds = 2.0\n"


def shot(work: str = "make", clip: str = "walk.sample.toml") -> dict[str, bytes]:
    """The files of a shot that can be shot."""
    return {"shot.toml": SHOT.format(work=work, clip=clip).encode(), "walk.sample.toml": CLIP}


def body(files: dict[str, bytes], fields: dict[str, str] | None = None) -> bytes:
    """A form, written out."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + text.encode()
        for name, text in (fields or {}).items()
    ]
    parts += [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
        + data
        for name, data in files.items()
    ]
    return b"\r\n".join([*parts, f"--{BOUNDARY}--\r\n".encode()])


@attrs.define
class Page:
    """A server in a thread."""

    server: Server
    folder: Path

    @classmethod
    def of(
        cls,
        host: Any,
        make_host: Any,
        folder: Path,
        work: Any = None,
        limits: Limits = SMALL,
        samples: Path | None = None,
    ) -> Page:
        jobs = Jobs(folder, limits, work) if work else Jobs(folder, limits)
        service = Service(host, make_host, jobs, limits, TOKEN, LOOPBACK, samples)
        return cls(Server(service, listen("127.0.0.1", 0)), folder)

    def ask(
        self, method: str, path: str, data: bytes | None = None, **headers: str | None
    ) -> tuple[int, Any, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=120)
        given = {"Authorization": f"Bearer {TOKEN}"}
        given |= {name.replace("_", "-"): text for name, text in headers.items() if text is not None}
        try:
            connection.request(
                method, path, data, {n: t for n, t in given.items() if headers.get(n, t) is not None}
            )
            answer = connection.getresponse()
            held = answer.read()
        finally:
            connection.close()
        told = dict(answer.headers)
        return (
            answer.status,
            json.loads(held) if told.get("content-type") == "application/json" else held,
            told,
        )

    def submit(
        self, files: dict[str, bytes], fields: dict[str, str] | None = None, **headers: str
    ) -> tuple[int, Any]:
        form = {"Content_Type": f"multipart/form-data; boundary={BOUNDARY}"}
        status, told, _ = self.ask("POST", "/api/jobs", body(files, fields), **(form | headers))
        return status, told

    def begin(self, work: str) -> str:
        status, told = self.submit(shot(work))
        assert status == 201, told
        return str(told["id"])

    def told(self, job: str) -> dict[str, Any]:
        held: dict[str, Any] = self.ask("GET", f"/api/jobs/{job}")[1]
        return held

    def until(
        self, job: str, wanted: Callable[[dict[str, Any]], bool], seconds: float = 240
    ) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while not wanted(told := self.told(job)):
            assert time.monotonic() < deadline, told
            time.sleep(0.05)
        return told

    def ended(self, job: str) -> dict[str, Any]:
        return self.until(job, lambda told: told["state"] in ENDED)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.server.port), timeout=120)

    def files(self) -> list[str]:
        """All files of all jobs, but for logs."""
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())
