"""The controls of the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import viser

from kinetoscope_viser._features import Features

if TYPE_CHECKING:
    from kinetoscope_viser._track import Track
    from kinetoscope_viser.viewer import Viewer

__all__ = ["Panel"]

_HOLD_S: Final = 0.4
"""A timeline that was dragged waits so long for the hand to go on."""

_TELL_S: Final = 0.09
"""The timeline is told where it is about ten times a second."""

_FARTHEST_M: Final = 1000.0


class Panel:
    """Timeline, camera, what is shown, and for each file its name, place, delay and figures."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer, self._gui = viewer, viewer.server.gui
        self._gui.set_panel_label("Kinetoscope")
        self._gui.main_panel.dock_right()
        self._told: tuple[float, bool] = (-1.0, True)
        self._playback()
        self._camera()
        self._shown()
        self._features = Features(viewer, viewer.features) if viewer.features else None
        if self._features is not None:
            features = self._features
            self._hear(features.feature.on_update, lambda held: features.choose(held.value))
            self._hear(features.columns.on_update, lambda held: features.draw(held.value))
        self._files = self._gui.add_folder("Files")
        self._listed: list[Track] = []
        viewer.changed.append(self._rebuild)

    # -- parts ------------------------------------------------------------------------------------

    def _playback(self) -> None:
        viewer, gui = self._viewer, self._gui
        with gui.add_folder("Timeline"):
            self._time = gui.add_slider("Time, s", min=0.0, max=1.0, step=0.001, initial_value=0.0)
            self._play = gui.add_button("Pause", icon=viser.Icon.PLAYER_PAUSE, hint="Space")
            steps = gui.add_button_group("Frame", ("|<", "<", ">", ">|"))
            speed = gui.add_slider("Speed", min=0.05, max=4.0, step=0.05, initial_value=1.0)
            loop = gui.add_checkbox("Loop", initial_value=viewer.clock.loop)
        self._hear(self._time.on_update, lambda held: viewer.clock.seek(held.value, hold_s=_HOLD_S))
        self._hear(self._play.on_click, lambda _: self._turn())
        self._hear(steps.on_click, lambda held: self._step(held.value))
        self._hear(speed.on_update, lambda held: setattr(viewer.clock, "speed", held.value))
        self._hear(loop.on_update, lambda held: setattr(viewer.clock, "loop", held.value))
        self._hear(gui.add_command("Play or pause", hotkey="space").on_trigger, lambda _: self._turn())
        back, on = (gui.add_command(f"Frame {way}", hotkey=key) for way, key in _ARROWS)
        self._hear(back.on_trigger, lambda _: self._step("<"))
        self._hear(on.on_trigger, lambda _: self._step(">"))

    def _camera(self) -> None:
        from kinetoscope_viser.viewer import CAMERAS

        viewer, gui = self._viewer, self._gui
        with gui.add_folder("Camera"):
            self._mode = gui.add_dropdown(
                "Mode", CAMERAS, initial_value=viewer.camera, hint="Stays, goes along, or turns after"
            )
            frame = gui.add_button("Frame all", icon=viser.Icon.FOCUS_CENTERED)
        self._hear(self._mode.on_update, lambda held: viewer.look(held.value))
        self._hear(frame.on_click, lambda _: viewer.frame_all())

    def _shown(self) -> None:
        viewer, gui = self._viewer, self._gui
        with gui.add_folder("Show"):
            self._boxes = {
                name: gui.add_checkbox(name.capitalize(), initial_value=getattr(viewer.shown, name))
                for name in ("body", "skeleton", "trajectory", "contacts", "velocities", "ghosts")
            }
        for name, box in self._boxes.items():
            self._hear(box.on_update, lambda held, name=name: self._set(name, held.value))

    def _rebuild(self) -> None:
        """Show how things are, and list the files that are new."""
        self._mode.value = self._viewer.camera
        for name, box in self._boxes.items():
            box.value = getattr(self._viewer.shown, name)
        slider = self._time
        # In whole steps, and no step short of the end.
        slider.max = max(float(np.ceil(self._viewer.clock.duration * 1e3 - 1e-6)) / 1e3, slider.min + 1e-3)
        for track in self._viewer.tracks[len(self._listed) :]:
            self._listed.append(track)
            with self._files:
                self._file(track)

    def _file(self, track: Track) -> None:
        gui = self._gui
        with gui.add_folder(track.name, expand_by_default=len(self._listed) == 1):
            text = gui.add_markdown(told(track))
            named = [f"{i}: {motion.name}" for i, motion in enumerate(track.motions)]
            if len(named) > 1:
                now = next(i for i, motion in enumerate(track.motions) if motion is track.motion)
                chosen = gui.add_dropdown("Motion", named, initial_value=named[now])
                self._hear(chosen.on_update, lambda held: self._turn_to(track, named.index(held.value), text))
            seen = gui.add_checkbox("Visible", initial_value=track.visible)
            x, _, z = track.place.tolist()
            place = gui.add_vector2("Offset x, z, m", initial_value=(x, z), step=0.05)
            delay = gui.add_number("Begins at, s", initial_value=track.delay, step=0.01)
        self._hear(seen.on_update, lambda held: self._change(track, visible=bool(held.value)))
        self._hear(
            place.on_update,
            lambda held: self._change(track, place=np.array([held.value[0], 0.0, held.value[1]])),
        )
        self._hear(delay.on_update, lambda held: self._change(track, delay=float(held.value)))

    # -- what the controls do ---------------------------------------------------------------------

    def _hear(self, on: Callable[[Callable[[Any], None]], Any], act: Callable[[Any], None]) -> None:
        """Let `act` be called with the control that somebody moved; what we set ourselves is not news."""

        def heard(event: Any) -> None:
            if event.client_id is None:
                return
            with self._viewer.lock:
                act(getattr(event, "target", event))

        on(heard)

    def _turn(self) -> None:
        self._viewer.clock.play(not self._viewer.clock.playing)

    def _step(self, way: str) -> None:
        clock = self._viewer.clock
        moving = [track.motion for track in self._viewer.tracks if track.motion.frame_count > 1]
        rate = max((motion.framerate for motion in moving), default=30.0)
        clock.play(False)
        # The fastest clip goes from frame to frame; what has been reached but for rounding is reached.
        now = np.floor(clock.time * rate + 1e-6)
        aims = {"|<": 0.0, "<": (now - 1) / rate, ">": (now + 1) / rate, ">|": clock.duration}
        clock.seek(float(aims[way]))

    def _set(self, name: str, value: bool) -> None:
        setattr(self._viewer.shown, name, value)
        self._viewer.refresh()

    def _change(self, track: Track, **held: Any) -> None:
        for name, value in held.items():
            setattr(track, name, value)
        self._viewer.retime()

    def _turn_to(self, track: Track, number: int, text: Any) -> None:
        self._viewer.turn_to(track, track.motions[number])
        text.content = told(track)

    def tell(self) -> None:
        """Show where the timeline is, unless it is being dragged."""
        clock = self._viewer.clock
        before, playing = self._told
        if clock.held_s > 0:
            return
        moved = abs(clock.time - before)
        if clock.playing != playing:
            self._play.label = "Pause" if clock.playing else "Play"
            self._play.icon = viser.Icon.PLAYER_PAUSE if clock.playing else viser.Icon.PLAYER_PLAY
        elif moved == 0 or (clock.playing and moved < _TELL_S * clock.speed):
            return
        self._told = (clock.time, clock.playing)
        if self._features is not None:
            self._features.tell()
        self._time.value = min(clock.time, self._time.max)


_ARROWS: Final = (("back", "arrowleft"), ("on", "arrowright"))


def told(track: Track) -> str:
    """Return what the page says of a file, as Markdown."""
    motion = track.motion
    lines = [
        f"{motion.frame_count} frames at {motion.framerate:g} Hz, {motion.duration:.2f} s",
        f"{len(motion.skeleton)} joints, {sum(len(mesh.vertices) for mesh in track.character.meshes)} vertices",
    ]
    if track.made_up:
        lines.append("The file holds a skeleton alone: the body is made for it.")
    lines += [track.deviation.told(), *track.omitted]
    return "\n\n".join(_plain(line) for line in lines)


def _plain(text: str) -> str:
    """Return text without what Markdown or HTML would make of it: names come from files."""
    return "".join(f"&#{ord(letter)};" if letter in "<>&*_`[]()#!|\\~" else letter for letter in text)
