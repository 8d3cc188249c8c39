"""A page in the browser, fed from Python: clips on a timeline, and whatever moves right now."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from types import TracebackType
from typing import Any, Final, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import Asset, Camera, Character, Feature, Motion, Scene, ValidationError
from kinetoscope_spec.body import capsule_character
from kinetoscope_spec.motion import rest_motion
from kinetoscope_viser import _wire
from kinetoscope_viser._clock import Clock
from kinetoscope_viser._dressing import FIELD_OF_VIEW, dress, framed
from kinetoscope_viser._figure import Figure
from kinetoscope_viser._follow import Follower
from kinetoscope_viser._ghosts import Haunt
from kinetoscope_viser._live import Latest, Stage
from kinetoscope_viser._overlays import Annotations, Overlays
from kinetoscope_viser._page import run_script
from kinetoscope_viser._track import Track

__all__ = ["CAMERAS", "Shown", "Viewer", "Watching"]

Array = NDArray[Any]

_GHOSTS_S: Final = 0.1
"""Ghosts of what plays are drawn ten times a second."""
_log = logging.getLogger(__name__)

CAMERAS: Final = ("orbit", "follow", "fixed")
"""Stays where it is put; goes along with what moves; stands still and turns to it."""


@attrs.define
class Shown:
    """What of everything is seen."""

    body: bool = True
    skeleton: bool = False
    trajectory: bool = False
    contacts: bool = False
    velocities: bool = False
    ghosts: bool = False


class Viewer:
    """Shows characters on a page. It is fed from any thread, and no thread waits for a browser.

    A thread of its own sends what is to be seen `framerate` times a second; what changes in between
    is seen only as it is then. Poses are sent, not vertices: bones are rigid on the page, and a vertex
    follows four of them at most (`Track.deviation` says what that makes).

    Args:
        address: where it listens: this machine alone, unless told otherwise.
        port: 0 for any that is free.
        names: by which the page may be reached beyond this machine; needed there. Whoever reaches it
            sees and steers everything: there is no token.
        framerate: pictures sent a second.
        panel: whether the page has controls.
        features: by name, functions that return a feature whose rows the panel may plot.

    Raises:
        CannotListen: the address can't be had.
        ValidationError: it lies beyond this machine, and `names` are not given.
    """

    def __init__(
        self,
        *,
        address: str = "127.0.0.1",
        port: int = 0,
        names: Collection[str] = (),
        framerate: float = 30.0,
        panel: bool = True,
        features: Mapping[str, Callable[[], Feature]] | None = None,
    ) -> None:
        if not _wire.is_loopback(address) and not names:
            raise ValidationError(
                f"address {address} can be reached by others, who would see and steer all: say by which names"
            )
        if not (np.isfinite(framerate) and 0 < framerate <= 240):
            raise ValidationError(f"framerate is {framerate}, expected above 0, at most 240")
        self.server = _wire.open_server(address, port, (*names, *_wire.LOOPBACK))
        shown = "localhost" if _wire.is_loopback(address) else next(iter(names))
        self.url = f"http://{f'[{shown}]' if ':' in shown else shown}:{self.server.get_port()}/"
        self.clock, self.shown, self.camera = Clock(), Shown(), "orbit"
        self.tracks: list[Track] = []
        self.features = dict(features or {})
        self.changed: list[Callable[[], None]] = []
        self.lock = threading.RLock()
        self._period = 1.0 / framerate
        self._figures: list[tuple[Track, Figure, Overlays]] = []
        self._latest = Latest()
        self._stage = Stage(self.server)
        self._annotations = Annotations(self.server)
        self._follower, self._jumps = Follower(), 0
        self._ended = threading.Event()
        self._stale = True
        self._frames: dict[str, int] = {}
        self._pushed: set[str] = set()
        self._from: Array | None = None
        self._haunts: dict[str, tuple[Haunt, int | None, float]] = {}
        run_script(self.server)
        self._ground = dress(self.server)
        self._root = self.server.scene.add_frame("/stage", show_axes=False)
        self._panel = None
        if panel:
            from kinetoscope_viser._panel import Panel

            self._panel = Panel(self)
        self._thread = threading.Thread(target=self._run, name="kinetoscope-view", daemon=True)
        self._thread.start()

    # -- what is shown ----------------------------------------------------------------------------

    def add(self, track: Track) -> str:
        """Put a track on the timeline and return its id; the page is framed anew."""
        with self.lock:
            number = len(self._figures)
            name = f"track{number}"
            with _wire.grouped(self.server):
                figure = Figure(
                    self.server, name, track.character, track.baked, number=number, place=track.place
                )
                figure.pose(track.pose(0), track.factors(0))
            self.tracks.append(track)
            self._figures.append((track, figure, Overlays(self.server, figure, track)))
            if number == 1:
                self._figures[0][1].label(self.tracks[0].name)
            if number:
                figure.label(track.name)
            self.frame_all()
            self.retime()
        return name

    def show(self, what: Motion | Character | Asset, motion: Motion | None = None, *, name: str = "") -> str:
        """Show a motion, a character or an asset, and return the id by which `push` poses it.

        A motion plays on the timeline, with a body around its skeleton; an asset plays its first
        motion, or stands as it rests; a character rests, or plays `motion`.

        Raises:
            ValidationError: `motion` is one of other joints.
        """
        if isinstance(what, Motion):
            return self.add(Track(name or what.name or "motion", _body(what), what, made_up=True))
        if isinstance(what, Asset):
            played = motion or (what.motions[0] if what.motions else rest_motion(what.skeleton))
            if what.meshes:
                return self.add(Track(name or what.name, what.character(), played))
            return self.add(Track(name or what.name, _body(played), played, made_up=True))
        played = motion or rest_motion(what.skeleton)
        if len(played.skeleton) != len(what.skeleton):
            raise ValidationError(
                f"motion moves {len(played.skeleton)} joints, the character has {len(what.skeleton)}"
            )
        return self.add(Track(name or what.name, what, played))

    def turn_to(self, track: Track, motion: Motion) -> None:
        """Let a track play another motion of its skeleton."""
        with self.lock, _wire.grouped(self.server):
            track.turn_to(motion)
            for held, _, overlays in self._figures:
                if held is track:
                    overlays.forget()
            self.retime()

    def retime(self) -> None:
        """Let the timeline end where the last track does: one has changed."""
        with self.lock:
            self.clock.duration = max((track.end for track in self.tracks), default=0.0)
            self.clock.time = min(self.clock.time, self.clock.duration)
            self.refresh()

    def push(self, name: str, pose: Array, weights: Mapping[str, float] | None = None) -> None:
        """Pose what `show` gave this id: global matrices `[J, 4, 4]` m. From any thread; never waits.

        `weights` of morph channels give its shape, by name; those not named rest.

        From then on it has left the timeline. Of poses that come faster than pictures go, the newest
        is seen.

        Raises:
            ValidationError: there is nothing of that id, or it has other joints or channels.
        """
        figure = self._named(name)
        held = np.array(pose, np.float64)
        joints = len(figure.character.skeleton)
        if held.shape != (joints, 4, 4) or not np.isfinite(held).all():
            raise ValidationError(
                f"a pose of {name!r} is {list(held.shape)}, expected finite [{joints}, 4, 4]"
            )
        known = {channel for mesh in figure.character.meshes for channel in mesh.morph_names}
        for channel, weight in (weights or {}).items():
            if channel not in known or not np.isfinite(weight):
                raise ValidationError(
                    f"the weight of {channel!r} is {weight}, expected a number for one of {sorted(known)}"
                )
        self._latest.put(name, (held, figure.baked.factors(weights)))

    def draw(self, scene: Scene) -> None:
        """Show a scene's actors and annotations as they are now. From any thread; never waits.

        Characters are known by being the same object: make them once, evolve poses. Lights, ground and
        sky stay the page's.
        """
        self._latest.put(Scene, scene)

    def attach(self, world: Any, scene: Callable[..., Scene]) -> Watching:
        """Return a system that shows a world each time that its loop renders a frame: put it in the schedule.

        Args:
            world: of `kinetoscope_stage`, or anything that `scene` takes.
            scene: `kinetoscope_stage.character.scene`, or a function like it: `scene(world, alpha=...)`.
        """
        return Watching(self, world, scene)

    @property
    def dropped(self) -> int:
        """How many poses and scenes were replaced by newer ones before they were sent."""
        return self._latest.dropped

    @property
    def actors(self) -> dict[int, Array]:
        """The poses `[J, 4, 4]` of the scene's actors that were sent last, by their ids."""
        with self.lock:
            return {number: figure.matrices for number, figure in self._stage.figures.items()}

    def _named(self, name: str) -> Figure:
        for _, figure, _ in self._figures:
            if figure.name == name:
                return figure
        raise ValidationError(f"there is no {name!r} on the page, expected what show() returned")

    # -- how it is seen ---------------------------------------------------------------------------

    def refresh(self) -> None:
        """Send everything anew at the next picture: what is shown, or where, has changed."""
        with self.lock:
            self._stale = True
            for tell in self.changed:
                tell()

    def look(self, camera: str) -> None:
        """Choose how cameras go: one of `CAMERAS`.

        Raises:
            ValidationError: there is no such way.
        """
        if camera not in CAMERAS:
            raise ValidationError(f"camera is {camera!r}, expected one of {CAMERAS}")
        with self.lock:
            self.camera, self._from, self._follower = camera, None, Follower()
            self.refresh()

    def frame_all(self) -> None:
        """Put the camera of every page where it sees all there is."""
        with self.lock:
            bounds = [track.bounds + track.place for track in self.tracks if track.visible]
            position, target = framed(bounds)
            self._follower, self._from = Follower(), None
            self._move_world(np.zeros(3))
            first = self.server.initial_camera
            first.position, first.look_at, first.fov = tuple(position), tuple(target), FIELD_OF_VIEW
            for client in self.server.get_clients().values():
                client.camera.position, client.camera.look_at = position, target

    # -- the thread -------------------------------------------------------------------------------

    def _run(self) -> None:
        before = due = time.perf_counter()
        told = ""
        while not self._ended.is_set():
            now = time.perf_counter()
            passed, before = min(now - before, 1.0), now
            try:
                with self.lock, _wire.grouped(self.server):
                    self._send(passed)
            except Exception as error:  # noqa: BLE001 - a picture that fails is told, and the next one is tried
                if self._ended.is_set():
                    return
                if repr(error) != told:  # thirty times a second would be too often
                    told = repr(error)
                    _log.exception("a picture could not be sent")
            due = max(due + self._period, time.perf_counter())
            self._ended.wait(due - time.perf_counter())

    def _send(self, passed: float) -> None:
        held = self._latest.take()
        scene = held.pop(Scene, None)
        if scene is not None:
            eye = self._eye()
            self._stage.draw(scene, Camera(eye, eye + np.array([0.0, 0.0, 1.0])), time.monotonic())
            self._annotations.draw(scene.annotations, scene.ground, eye)
        self._stage.sweep(time.monotonic())
        for name, (pose, factors) in held.items():
            self._pushed.add(str(name))
            self._named(str(name)).pose(pose, factors)
        self.clock.advance(passed)
        if self._stale:
            self._dress_figures()
        for track, figure, overlays in self._figures:
            frame = track.frame(self.clock.time)
            if figure.name not in self._pushed and (self._stale or self._frames.get(figure.name) != frame):
                self._frames[figure.name] = frame
                figure.pose(track.pose(frame), track.factors(frame))
                figure.label_at(track.subject(frame) * (1, 0, 1))
                overlays.at(frame)
            self._haunt(track, figure, frame)
        self._stale = False
        self._look(passed)
        if self._panel is not None:
            self._panel.tell()

    def _haunt(self, track: Track, figure: Figure, frame: int) -> None:
        """Show a track's ghosts; while it plays they come after, so that a page is not told seven poses a picture."""
        wanted = self.shown.ghosts and self.shown.body and track.visible and figure.name not in self._pushed
        if not wanted:
            held = self._haunts.pop(figure.name, None)
            if held is not None:
                held[0].clear()
            return
        now = time.perf_counter()
        if figure.name not in self._haunts:
            haunt = Haunt(self.server, f"/stage/{figure.name}", lambda _: track.baked)
            self._haunts[figure.name] = (haunt, None, 0.0)
        haunt, before, at = self._haunts[figure.name]
        if frame != before and (before is None or not self.clock.playing or now - at >= _GHOSTS_S):
            haunt.draw(track.ghosts(frame))
            self._haunts[figure.name] = (haunt, frame, now)

    def _dress_figures(self) -> None:
        for track, figure, overlays in self._figures:
            figure.place = track.place
            figure.show(visible=track.visible, body=self.shown.body, skeleton=self.shown.skeleton)
            overlays.show(
                trajectory=self.shown.trajectory,
                contacts=self.shown.contacts,
                velocities=self.shown.velocities,
            )
        self._stage.show(body=self.shown.body, skeleton=self.shown.skeleton)

    def _subject(self) -> Array | None:
        """Return the middle of all that moves, `[3]` m."""
        points = [
            figure.middle()
            if figure.name in self._pushed
            else track.subject(track.frame(self.clock.time)) + track.place
            for track, figure, _ in self._figures
            if track.visible
        ]
        middle = self._stage.middle()
        points += [] if middle is None else [middle]
        return np.mean(points, axis=0) if points else None

    def _look(self, passed: float) -> None:
        """Let the camera follow: the world is moved back by where the subject has gone.

        So whoever looks turns and zooms as ever, and no page has to be told where its camera is.
        """
        goal = self._subject()
        if goal is None or self.camera == "orbit":
            return
        jumped, self._jumps = self._jumps != self.clock.jumps, self.clock.jumps
        point = self._follower.step(goal * (1, 0, 1), passed, jumped=jumped)
        if self.camera == "follow":
            if self._from is None:
                self._from = point + np.asarray(self._root.position)
            self._move_world(self._from - point)
            return
        target = point + np.asarray(self._root.position) + goal * (0, 1, 0)
        for client in self.server.get_clients().values():
            client.camera.look_at = target

    def _move_world(self, offset: Array) -> None:
        self._root.position = tuple(offset)
        # The floor has no end: it goes along by less than one of its squares.
        self._ground.position = tuple(np.mod(offset, 1.0) * (1, 0, 1))

    def _eye(self) -> Array:
        """Return where a page's camera stands, `[3]` m, in the space of the stage."""
        for client in self.server.get_clients().values():
            return np.asarray(client.camera.position) - np.asarray(self._root.position)
        return np.asarray(self.server.initial_camera.position)

    # -- its end ----------------------------------------------------------------------------------

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it is closed, or for so long; tell whether it is."""
        return self._ended.wait(seconds)

    def close(self) -> None:
        """Take the page down. What is pushed later goes nowhere."""
        if self._ended.is_set():
            return
        self._ended.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=10)
        _wire.close(self.server)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@attrs.define
class Watching:
    """A system of a stage, of the phase `frame`: it reads the world once it has been moved, and changes nothing."""

    viewer: Viewer
    world: Any
    scene: Callable[..., Scene]
    name: str = "viewer"
    phase: str = "frame"
    reads: tuple[type, ...] = ()
    writes: tuple[type, ...] = ()

    def step(self, world: Any, dt: float) -> None:
        """Hand the world's scene to the page, as it is between its last two steps."""
        self.viewer.draw(self.scene(self.world, alpha=world.alpha))


def _body(motion: Motion) -> Character:
    return capsule_character(motion.skeleton, motion=motion)
