"""An editor's server with what it saved, and where pixels are on its page."""

from __future__ import annotations

import http.client
import json
from typing import Any

import numpy as np

from kinetoscope_quadmask.editing import MaskEditor
from kinetoscope_quadmask.hooks import Grid
from kinetoscope_quadmask.server import EditorServer
from kinetoscope_quadmask.streams import blank
from kinetoscope_spec import Quadmask, Video

WIDE, HIGH, COUNT = 160, 90, 3
GRID = Grid(8, 14)


def plate() -> Video:
    frames = np.zeros((COUNT, HIGH, WIDE, 3), np.uint8)
    frames[:] = np.linspace(40, 200, WIDE).astype(np.uint8)[:, None]
    return Video.from_frames(frames, 12)


class Page:
    """A server, what it saved, and requests to it."""

    def __init__(self) -> None:
        self.saved: list[np.ndarray] = []
        self.editor = MaskEditor(blank(plate()), GRID)
        self.server = EditorServer(plate(), self.editor, self.keep)

    def keep(self, quadmask: Quadmask) -> None:
        self.saved.append(np.stack(list(quadmask.frames())))

    def ask(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, Any, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=10)
        told = {
            "X-Token": self.server.token,
            **{name.replace("_", "-"): text for name, text in headers.items()},
        }
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            connection.request(method, path, data, {name: text for name, text in told.items() if text})
            answer = connection.getresponse()
            held = answer.read()
        finally:
            connection.close()
        kind = answer.headers["Content-Type"]
        return answer.status, json.loads(held) if kind == "application/json" else held, dict(answer.headers)


def spot(tab: Any, x: float, y: float) -> tuple[float, float]:
    """Where a pixel of the mask is on the screen."""
    box = tab.locator("#canvas").bounding_box()
    return box["x"] + x / WIDE * box["width"], box["y"] + y / HIGH * box["height"]


def settled(tab: Any) -> None:
    tab.evaluate("held.busy")


def colour(tab: Any, x: int, y: int) -> list[int]:
    """What is drawn at a pixel of the mask."""
    told: list[int] = tab.evaluate("([x, y]) => [...pen.getImageData(x, y, 1, 1).data]", [x, y])
    return told
