"""The window itself: GLFW's events to a player, the session's pictures to the screen."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import glfw
import moderngl
import numpy as np

from kinetoscope_deferred._llvm import load_triton_first
from kinetoscope_deferred.context import described
from kinetoscope_deferred.graph import with_guests
from kinetoscope_deferred.quality import quality
from kinetoscope_deferred.render_pass import RenderPass
from kinetoscope_deferred.session import DeferredSession
from kinetoscope_deferred.window.player import Player
from kinetoscope_deferred.window.stage import Stage
from kinetoscope_spec.errors import ProviderUnavailable

__all__ = ["Shell"]

TITLE: Final = "Kinetoscope"
_LONGEST_S: Final = 0.25
"""A pause longer than that (a window that was moved, a laptop that slept) counts as so much."""
_NAP_S: Final = 0.1
"""So often a window that nobody sees looks after itself."""
_NAMES: Final = {
    glfw.KEY_SPACE: "space",
    glfw.KEY_LEFT: "left",
    glfw.KEY_RIGHT: "right",
    glfw.KEY_UP: "up",
    glfw.KEY_DOWN: "down",
    glfw.KEY_HOME: "home",
    glfw.KEY_END: "end",
    glfw.KEY_ESCAPE: "escape",
}
_BUTTONS: Final = {
    glfw.MOUSE_BUTTON_LEFT: "left",
    glfw.MOUSE_BUTTON_RIGHT: "right",
    glfw.MOUSE_BUTTON_MIDDLE: "right",
}


class _Current:
    """A window's context, as moderngl takes one: GLFW loads its functions, whatever the platform."""

    def __init__(self, window: Any) -> None:
        self._window = window

    def load_opengl_function(self, name: str) -> int:
        return int(glfw.get_proc_address(name) or 0)

    load = load_opengl_function

    def __enter__(self) -> _Current:
        glfw.make_context_current(self._window)
        return self

    def __exit__(self, *exc: object) -> None:
        """It stays current: nothing else of this thread draws."""

    def release(self) -> None:
        """The window takes it along."""


class Shell:
    """A window that shows a player until it is closed. It belongs to the main thread."""

    def __init__(
        self,
        player: Player,
        *,
        preset: str = "medium",
        passes: Mapping[str, bool] | None = None,
        added: Sequence[RenderPass] = (),
        visible: bool = True,
    ) -> None:
        """Open the window; `passes` switches single ones of the preset, those `added` are on.

        Raises:
            ProviderUnavailable: there is no display, or no OpenGL 3.3 on it; says what does without.
        """
        self.player = player
        load_triton_first()
        self._window = _open(player.size, visible=visible)
        try:
            context = moderngl.create_context(require=330, **_settings(self._window))
            self.why = f"{described(context)}: the window's"
            player.resize(*glfw.get_framebuffer_size(self._window))
            player.scale = _scale(glfw.get_window_content_scale(self._window))
            begun = with_guests(quality(preset, passes), added)
            session = DeferredSession(context, player.size, begun, added=added, why=self.why)
            self.stage = Stage(session, player)
        except BaseException:  # Ctrl-C while passes are compiled, too
            glfw.destroy_window(self._window)
            self._window = None
            raise
        player.on = set(session.quality.passes)
        self._pointer = (0.0, 0.0)
        self._listen()

    def run(self, frames: int | None = None) -> None:
        """Draw until the window is closed, or so many frames."""
        before, drawn = time.perf_counter(), 0
        while not (glfw.window_should_close(self._window) or self.player.closed) and drawn != frames:
            glfw.poll_events()
            now = time.perf_counter()
            self.player.advance(min(now - before, _LONGEST_S))
            before = now
            if self.hidden:
                # Nothing waits for the screen then: without this a window in the dock takes a whole core.
                glfw.wait_events_timeout(_NAP_S)
            else:
                self.draw()
            drawn += 1

    @property
    def hidden(self) -> bool:
        """Whether nobody can see it: it is made small, or has no pixel."""
        small = glfw.get_window_attrib(self._window, glfw.ICONIFIED)
        return bool(small) or 0 in glfw.get_framebuffer_size(self._window)

    def draw(self) -> None:
        """Draw one picture and show it."""
        screen = self.stage.session.device.context.detect_framebuffer(0)
        screen.viewport = (0, 0, *self.player.size)
        self.stage.draw(screen)
        glfw.swap_buffers(self._window)

    def close(self) -> None:
        """Close the window; twice is harmless."""
        if self._window is not None:
            self.stage.session.close()
            glfw.destroy_window(self._window)
            self._window = None

    def __enter__(self) -> Shell:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _listen(self) -> None:
        window = self._window
        glfw.set_key_callback(window, self._key)
        glfw.set_mouse_button_callback(window, self._button)
        glfw.set_cursor_pos_callback(window, self._move)
        glfw.set_scroll_callback(window, lambda _, dx, dy: self.player.scroll(dy, self._pointer[0]))
        glfw.set_framebuffer_size_callback(window, lambda _, width, height: self._resize(width, height))
        glfw.set_window_content_scale_callback(window, lambda _, x, y: self._rescale(x, y))

    def _resize(self, width: int, height: int) -> None:
        if width and height:  # a window that is made small keeps its textures for when it comes back
            self.player.resize(width, height)

    def _rescale(self, x: float, y: float) -> None:
        self.player.scale = _scale((x, y))

    def _key(self, _: Any, key: int, scancode: int, action: int, mods: int) -> None:
        # By what is written on the key, wherever a keyboard has it.
        name = _NAMES.get(key) or (glfw.get_key_name(key, scancode) or "").lower()
        if name and action == glfw.RELEASE:
            self.player.key(name, pressed=False)
        elif name and (action == glfw.PRESS or name in ("left", "right")):
            self.player.key(name)

    def _button(self, _: Any, button: int, action: int, mods: int) -> None:
        name = _BUTTONS.get(button)
        if name and action == glfw.PRESS:
            self.player.press(name, *self._pointer)
        elif name and self.player.release(name, *self._pointer):
            self.stage.pick(*self._pointer)

    def _move(self, _: Any, x: float, y: float) -> None:
        # Windows and their framebuffers may be measured in different pixels.
        shown, held = glfw.get_window_size(self._window), self.player.size
        x, y = x * held[0] / max(shown[0], 1), y * held[1] / max(shown[1], 1)
        dx, dy = x - self._pointer[0], y - self._pointer[1]
        self._pointer = (x, y)
        self.player.drag(x, y, dx, dy)


def _scale(held: tuple[float, float]) -> float:
    """Return pixels in a point: what a display says, within reason."""
    return float(np.clip(held[0], 1.0, 4.0))


def _settings(window: Any) -> dict[str, Any]:
    return {"context": _Current(window)}


def _open(size: tuple[int, int], *, visible: bool) -> Any:
    """Return a window whose context is current.

    Raises:
        ProviderUnavailable: GLFW says why not.
    """
    said: list[str] = []
    glfw.set_error_callback(
        lambda _, text: said.append(text.decode() if isinstance(text, bytes) else str(text))
    )
    if not glfw.init():
        raise _no_window("; ".join(said) or "GLFW does not start")
    glfw.default_window_hints()
    glfw.window_hint(glfw.CONTEXT_VERSION_MAJOR, 3)
    glfw.window_hint(glfw.CONTEXT_VERSION_MINOR, 3)
    glfw.window_hint(glfw.OPENGL_PROFILE, glfw.OPENGL_CORE_PROFILE)
    glfw.window_hint(glfw.OPENGL_FORWARD_COMPAT, glfw.TRUE)
    glfw.window_hint(glfw.VISIBLE, glfw.TRUE if visible else glfw.FALSE)
    window = glfw.create_window(*size, TITLE, None, None)
    if not window:
        raise _no_window("; ".join(said) or "GLFW opens none")
    glfw.make_context_current(window)
    glfw.swap_interval(1)
    return window


def _no_window(reason: str) -> ProviderUnavailable:
    where = " (neither DISPLAY nor WAYLAND_DISPLAY is set)" if _headless() else ""
    return ProviderUnavailable(
        f"no window can be opened{where}: {reason}; without a display, `kinetoscope view FILE` shows it in a "
        "browser, and `kinetoscope render FILE OUT` draws a film"
    )


def _headless() -> bool:
    import os

    return sys.platform.startswith("linux") and not ({"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ))
