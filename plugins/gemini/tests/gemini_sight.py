"""The loopback server's other half: a model that sees, and the place where films are uploaded to.

It looks at what it is sent as the real one would: pictures are decoded, the film is opened, the grid is
read out of the question, the schema is checked, and what the documentation forbids is refused. It answers
with what is next in `answers`, or with cells about the red that it finds in the picture called TARGET.
"""

from __future__ import annotations

import base64
import io
import json
import re
import tempfile
from collections import deque
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import numpy as np
from gemini_loopback import KEY, Answer, Loopback, Refused, answer, of
from PIL import Image

from kinetoscope_av.provider import AvMedia

MOST_BYTES = 20_000_000
FILES = re.compile(r"/(?:v1|v1beta)/(files/[a-z0-9]+)(?:\?.*)?")


class Sight(Loopback):
    """A server that sees.

    Attributes:
        answers: texts of the answers to come.
        looked: what was seen in each request: (sizes of pictures, frames of the film).
        files: uploaded films by name; `deleted` those that are gone.
        processing: how often an upload is said not to be ready; "FAILED" where it never will be.
    """

    def __init__(self) -> None:
        super().__init__()
        self.answers: deque[str] = deque()
        self.looked: list[tuple[list[tuple[int, int]], int]] = []
        self.files: dict[str, bytes] = {}
        self.deleted: list[str] = []
        self.processing: int | str = 0

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server, base = self, super()._handler()

        class Handler(base):
            def do_POST(self) -> None:
                if self.path.startswith("/upload/"):
                    server.take_upload(self)
                else:
                    Looking(server, self).give()

            def do_GET(self) -> None:
                server.tell_file(self)

            def do_DELETE(self) -> None:
                name = FILES.fullmatch(self.path)
                assert name is not None, self.path
                server.files.pop(name[1])
                server.deleted.append(name[1])
                reply(self, {})

        return Handler

    def take_upload(self, http: BaseHTTPRequestHandler) -> None:
        """Take the two steps of a resumable upload (ai.google.dev, "Files API")."""
        held = http.rfile.read(int(http.headers["Content-Length"] or 0))
        commands = http.headers["X-Goog-Upload-Command"]
        if commands == "start":
            assert http.headers["x-goog-api-key"] == KEY
            assert http.headers["X-Goog-Upload-Protocol"] == "resumable"
            assert http.headers["X-Goog-Upload-Header-Content-Type"] == "video/mp4"
            name = f"files/film{len(self.files) + len(self.deleted)}"
            reply(http, {}, {"X-Goog-Upload-URL": f"{self.url}/upload/part?name={name}"})
            return
        assert commands == "upload, finalize", commands
        name = http.path.partition("name=")[2]
        self.files[name] = held
        reply(http, {"file": self.described(name)}, {"X-Goog-Upload-Status": "final"})

    def tell_file(self, http: BaseHTTPRequestHandler) -> None:
        name = FILES.fullmatch(http.path)
        assert name is not None, http.path
        if isinstance(self.processing, int) and self.processing:
            self.processing -= 1
        reply(http, self.described(name[1]))

    def described(self, name: str) -> dict[str, Any]:
        state = (
            self.processing
            if isinstance(self.processing, str)
            else "PROCESSING"
            if self.processing
            else "ACTIVE"
        )
        return {"name": name, "uri": f"{self.url}/v1beta/{name}", "mimeType": "video/mp4", "state": state}


class Looking(Answer):
    """The answer to one question about a video."""

    server: Sight

    def give(self) -> None:
        try:
            self._check_status_fault()
            if self.headers.get("x-goog-api-key") != KEY:
                raise Refused(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers.")
            text = self._seen()
        except Refused as error:
            self._send(error.code, json.dumps(error.body).encode())
            return
        name, _, argument = self.fault.partition(":")
        if name in ("no-candidates", "blocked", "finish", "text"):
            self._send(200, json.dumps(self._document(name, argument, None, b"")).encode())
        elif name == "truncated-json":
            self._send(200, json.dumps(answer([{"text": text}], "STOP")).encode()[:-9])
        elif name == "slow":
            import time

            time.sleep(float(argument))
            self._send(200, json.dumps(answer([{"text": text}], "STOP")).encode())
        else:
            thought = {"text": "Let me {look}.", "thought": True}
            self._send(200, json.dumps(answer([thought, {"text": text}], "STOP")).encode())

    def _seen(self) -> str:
        config = of(self.body, "generationConfig", {})
        if (
            of(config, "responseMimeType") != "application/json"
            or of(config, "responseSchema")["type"] != "OBJECT"
        ):
            raise Refused(400, "INVALID_ARGUMENT", "There is no schema.")
        assert "grid" not in json.dumps(of(self.body, "systemInstruction"))
        parts = [part for content in self.body["contents"] for part in content["parts"]]
        pictures = [
            self._picture(part)
            for part in parts
            if of(of(part, "inlineData", {}), "mimeType") == "image/jpeg"
        ]
        frames = self._film(parts)
        self.server.looked.append(([picture.size for picture in pictures], frames))
        if len(json.dumps(self.body)) > MOST_BYTES:
            raise Refused(400, "INVALID_ARGUMENT", "Request payload size exceeds the limit: 20971520 bytes.")
        if self.fault == "no-video" and frames:
            raise Refused(400, "INVALID_ARGUMENT", "Video input is not supported.")
        if self.server.answers:
            return self.server.answers.popleft()
        asked = parts[-1]["text"]
        rows, cols = map(int, re.search(r"grid of (\d+) rows and (\d+) columns", asked).groups())
        return json.dumps(below(np.asarray(pictures[-1]), np.asarray(pictures[0]), rows, cols))

    def _picture(self, part: Any) -> Image.Image:
        return Image.open(io.BytesIO(unpacked(of(of(part, "inlineData"), "data")))).convert("RGB")

    def _film(self, parts: list[Any]) -> int:
        inline = [of(part, "inlineData", {}) for part in parts[:1]]
        data = [of(held, "data") for held in inline if of(held, "mimeType") == "video/mp4"]
        uris = [of(of(part, "fileData"), "fileUri") for part in parts if of(part, "fileData")]
        films = [unpacked(held) for held in data]
        films += [self.server.files[uri.partition("/v1beta/")[2]] for uri in uris]
        if not films:
            return 0
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "film.mp4"
            path.write_bytes(films[0])
            return sum(1 for _ in AvMedia().open(path).frames())


def below(marked: np.ndarray, plain: np.ndarray, rows: int, cols: int) -> dict[str, Any]:
    """Say that a shadow lies under what is redder than it was, and one cell further than the grid goes."""
    red = (marked[..., 0].astype(int) - marked[..., 1] > 90) & (marked[..., 0] > 120)
    y, x = (int(np.median(axis)) if red.any() else 0 for axis in np.nonzero(red))
    row, col = y * rows // marked.shape[0] + 1, x * cols // marked.shape[1]
    return {
        "scene_description": "A plain floor.",
        "affected_objects": [
            {
                "noun": "Shadow",
                "category": "visual_artifact",
                "why": "It is cast by the disc.",
                "grid_localizations": [
                    {
                        "frame": 0,
                        "grid_regions": [{"row": min(row, rows - 1), "col": col}, {"row": rows, "col": 0}],
                    },
                    {"frame": 10_000, "grid_regions": [{"row": 0, "col": 0}]},
                ],
            }
        ],
        "confidence": 0.7,
    }


def reply(http: BaseHTTPRequestHandler, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
    data = json.dumps(body).encode()
    http.send_response(200)
    for name, value in {
        "Content-Type": "application/json",
        "Content-Length": str(len(data)),
        **(headers or {}),
    }.items():
        http.send_header(name, value)
    http.end_headers()
    http.wfile.write(data)


def unpacked(text: str) -> bytes:
    """Return bytes of either base64 alphabet: the client sends the one for URLs."""
    return base64.urlsafe_b64decode(text.replace("+", "-").replace("/", "_"))
