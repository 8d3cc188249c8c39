"""The editor's page, served on this machine alone to whoever has the token."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self

import attrs
import numpy as np

from kinetoscope_quadmask import values
from kinetoscope_quadmask._edits import edit
from kinetoscope_quadmask._grid import Array
from kinetoscope_quadmask._pages import handler
from kinetoscope_quadmask._png import png, shrunk
from kinetoscope_quadmask.editing import Edited, MaskEditor
from kinetoscope_quadmask.overlay import COLOURS
from kinetoscope_quadmask.streams import check_fit
from kinetoscope_spec import Quadmask, ValidationError, Video

__all__ = ["EditorServer"]

SHOWN_PX: Final = 1600
"""The longer side of the pictures that are sent; edits are in pixels of the mask."""

KEPT_PICTURES: Final = 24
OVERLAY_ALPHA: Final = 140


class EditorServer:
    """An HTTP server on 127.0.0.1 with one page, on which a quadmask is edited.

    Every address needs the token, and a request's `Host` has to be this server's, so that no page of
    another site reaches it by a name of its own. Use it as a context; `wait` returns when the page is closed
    from within or `stop` is called.

    Args:
        video: what the mask lies over.
        editor: the mask.
        save: called with the quadmask when the user saves.
        port: 0 takes a free one.
    """

    def __init__(
        self, video: Video, editor: MaskEditor, save: Callable[[Quadmask], None], *, port: int = 0
    ) -> None:
        check_fit(editor.quadmask(), video, "quadmask")
        self.editor = editor
        self.token = secrets.token_urlsafe(24)
        self.lock = threading.RLock()
        self.ended = False
        self._video, self._save = video, save
        self._saved_at: object = None
        self._pictures: dict[int, bytes] = {}
        self._closed = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", port), handler(self))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05})
        self._mark_saved()

    @property
    def port(self) -> int:
        """The port."""
        return int(self._http.server_port)

    @property
    def url(self) -> str:
        """The page's address, with the token."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        with self.lock:  # what is being saved is saved to its end; afterwards nothing is begun
            self.ended = True
            self._http.server_close()
        self._thread.join()

    @property
    def changed(self) -> bool:
        """Whether the mask differs from what was saved last."""
        return self.editor.version != self._saved_at

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the page is closed from within; return whether it was."""
        return self._closed.wait(timeout_s)

    def stop(self) -> None:
        """End `wait`."""
        self._closed.set()

    # -- what the page asks for; each holds the lock

    def state(self) -> dict[str, Any]:
        """Return what the page has to know."""
        editor = self.editor
        undo, redo = editor.steps
        return {
            "width": editor.width,
            "height": editor.height,
            "count": editor.count,
            "rate": float(editor.rate),
            "rows": editor.grid.rows,
            "cols": editor.grid.cols,
            "undo": undo,
            "redo": redo,
            "changed": self.changed,
        }

    def picture(self, index: int) -> bytes:
        """Return a frame of the video as PNG.

        Raises:
            ValidationError: there is no such frame.
        """
        self.editor.frame(index)
        if index not in self._pictures:
            frame = next(self._video.frames(index, index + 1), None)
            if frame is None:
                raise ValidationError(f"the video gives no frame {index}")
            while len(self._pictures) >= KEPT_PICTURES:
                self._pictures.pop(next(iter(self._pictures)))
            self._pictures[index] = png(np.ascontiguousarray(shrunk(frame, SHOWN_PX)[..., :3]))
        return self._pictures[index]

    def overlay(self, index: int) -> bytes:
        """Return a frame of the mask as PNG, in colours that are seen through.

        Raises:
            ValidationError: there is no such frame.
        """
        frame = shrunk(self.editor.frame(index), SHOWN_PX)
        table = np.zeros((256, 4), np.uint8)
        for value, colour in COLOURS.items():
            table[value] = (*colour, OVERLAY_ALPHA)
        shown: Array = table[frame]
        return png(shown)

    def apply(self, asked: Any) -> dict[str, Any]:
        """Do an edit (see `_edits`), and return the state.

        Raises:
            ValidationError: it can't be done; nothing was changed.
        """
        edit(self.editor, asked)
        return self.state()

    def undo(self) -> dict[str, Any]:
        """Take the last edit back."""
        return self._gone(self.editor.undo())

    def redo(self) -> dict[str, Any]:
        """Do again what was taken back."""
        return self._gone(self.editor.redo())

    def save(self) -> dict[str, Any]:
        """Save the mask as it is now."""
        self._save(self.editor.quadmask())
        self._mark_saved()
        return self.state()

    def counts(self, index: int) -> dict[str, int]:
        """Return how many pixels of a frame have each value."""
        found = np.bincount(self.editor.frame(index).ravel(), minlength=256)
        named = ("removed", values.REMOVE), ("overlap", values.OVERLAP), ("affected", values.AFFECTED)
        return {name: int(found[value]) for name, value in named}

    def _gone(self, edited: Edited | None) -> dict[str, Any]:
        told = attrs.asdict(edited) if edited else {"what": None}
        return {**told, **self.state()}

    def _mark_saved(self) -> None:
        self._saved_at = self.editor.version
