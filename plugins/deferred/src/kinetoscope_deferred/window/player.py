"""What a window does, without one: events and seconds in, scenes and cameras out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import attrs
import numpy as np

from kinetoscope_deferred.quality import PASSES
from kinetoscope_deferred.window.clips import Clip
from kinetoscope_spec import Camera, Ground, Light, Scene
from kinetoscope_spec.errors import ConfigError
from kinetoscope_spec.viewpoint import MODES, Subject, Viewpoint

__all__ = ["ANNOTATIONS", "BAR_PX", "HELP", "Pane", "Player"]

BAR_PX: Final = 28
"""Height of the timeline at the bottom of the window, where a pixel is a point."""
ANNOTATIONS: Final = {
    "b": "bones",
    "t": "trajectory",
    "c": "contacts",
    "v": "velocities",
    "r": "axes",
    "i": "text",
    "o": "ghosts",
}
SPEEDS: Final = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
TURN_RAD_PX: Final = 0.006
CLICK_PX: Final = 3.0
"""A press that moves no farther than so many points is a click."""
ZOOM: Final = 0.88
FLY_M_S: Final = 2.5
_FLY: Final = {
    "w": (0, 0, 1),
    "s": (0, 0, -1),
    "a": (-1, 0, 0),
    "d": (1, 0, 0),
    "e": (0, 1, 0),
    "q": (0, -1, 0),
}

HELP: Final = """\
space       play, pause            home, end   first, last frame
left, right a frame back, on       up, down    faster, slower
l           loop or stop           x           split screen or one
m           next camera mode       f           next actor
w a s d q e fly, in that mode      p           screenshot
b, t        bones, trajectories    c, v        contacts, velocities
r, i        joints' axes, names    o           ghosts
g, n        ground, skins          1 ... 9     passes
h           this help              escape      quit
left button turn, click to pick    right       shift
wheel       nearer, farther        bar         scrub"""


@attrs.frozen(eq=False)
class Pane:
    """A part of the window: `area` is left, bottom, width and height in pixels."""

    scene: Scene
    camera: Camera
    area: tuple[int, int, int, int]


@attrs.define(eq=False)
class Player:
    """The state of a window and what changes it. It draws nothing and knows no window.

    Attributes:
        clips: what is shown; their ids are 1 and up, in this order.
        size: of the window, pixels.
        passes: names of passes that can be switched, in the order of the keys 1 to 9.
        time: s on the timeline.
        speed: seconds of the timeline in one.
        on: names of passes that are on; who draws brings the session to it.
        annotations: kinds that are drawn.
        skinned: whether meshes are drawn; without them bones are seen whole.
        picked: what was last clicked on, in words.
        focus: which clip the camera shows, from 0.
        scale: pixels in a point, 2 on a display twice as fine: what is written, and hands, are measured in points.
    """

    clips: Sequence[Clip]
    size: tuple[int, int]
    mode: str = "follow"
    split: bool = False
    passes: tuple[str, ...] = PASSES
    on: set[str] = attrs.field(factory=lambda: set(PASSES))
    time: float = 0.0
    speed: float = 1.0
    playing: bool = True
    looping: bool = True
    annotations: set[str] = attrs.field(factory=set)
    grounded: bool = True
    skinned: bool = True
    helping: bool = False
    picked: str = ""
    focus: int = 0
    scale: float = 1.0
    wants_screenshot: bool = False
    closed: bool = False
    held: set[str] = attrs.field(factory=set)
    views: list[Viewpoint] = attrs.field(init=False)
    _button: str | None = attrs.field(default=None, init=False)
    _moved: float = attrs.field(default=0.0, init=False)
    _scrubbing: bool = attrs.field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        if not self.clips:
            raise ConfigError("a window needs something to show")
        # One camera for each half of a split screen, and the one of the whole.
        self.views = [
            Viewpoint.begin(self.mode, self._subject(i), yaw=self._front(i)) for i in range(len(self.clips))
        ]

    @property
    def bar(self) -> int:
        """Height of the timeline, pixels."""
        return round(BAR_PX * self.scale)

    @property
    def end(self) -> float:
        """The length of the timeline, s."""
        return max(clip.end for clip in self.clips)

    def advance(self, seconds: float) -> None:
        """Let so much time of the world go by."""
        past = [self._subject(i) for i in range(len(self.clips))]
        jumped = False
        if self.playing and not self._scrubbing and self.end > 0:
            self.time += seconds * self.speed
            if self.time > self.end:
                jumped = self.looping
                self.time = self.time % self.end if self.looping else self.end
                self.playing = self.looping
        move = FLY_M_S * np.sum([_FLY[key] for key in self.held & _FLY.keys()] or [(0, 0, 0)], axis=0)
        for i, view in enumerate(self.views):
            now, begun = self._subject(i), view.carried(past[i], self._subject(i)) if jumped else view
            flying = move if view.mode == "fly" and i in self._seen() else (0.0, 0.0, 0.0)
            self.views[i] = begun.advanced(seconds, now, now if jumped else past[i], move=flying)

    def seek(self, time: float) -> None:
        """Go to a time; the camera goes along with what it shows."""
        past = [self._subject(i) for i in range(len(self.clips))]
        self.time = float(np.clip(time, 0.0, self.end))
        self.views = [view.carried(past[i], self._subject(i)) for i, view in enumerate(self.views)]

    def panes(self) -> list[Pane]:
        """Return what is drawn where: one picture, or one for each clip, side by side."""
        actors = tuple(clip.actor(self.time, i + 1) for i, clip in enumerate(self.clips))
        if not self.split or len(self.clips) == 1:
            area = (0, 0, *self.size)
            return [Pane(self._scene(actors, range(len(self.clips))), self._camera(self.focus, area), area)]
        # All of one width: a session of another size makes all its textures anew.
        wide = max(self.size[0] // len(self.clips), 1)
        areas = [(i * wide, 0, wide, self.size[1]) for i in range(len(self.clips))]
        return [
            Pane(self._scene((actor,), [i]), self._camera(i, area), area)
            for i, (actor, area) in enumerate(zip(actors, areas, strict=True))
        ]

    def key(self, name: str, pressed: bool = True) -> None:
        """Take a key, by its name in lower case: `space`, `left`, `b`, `1`, `escape`, ..."""
        if not pressed:
            self.held.discard(name)
            return
        self.held.add(name)
        if name in _FLY and self.views[self.focus].mode == "fly":
            return
        if name in ANNOTATIONS:
            self.annotations ^= {ANNOTATIONS[name]}
        elif name.isdigit() and 1 <= int(name) <= len(self.passes):
            self.on ^= {self.passes[int(name) - 1]}
        elif name in ("left", "right"):
            self.playing = False
            rate = self.clips[self.focus].motion.framerate
            self.seek((round(self.time * rate) + (1 if name == "right" else -1)) / rate)
        elif name in ("up", "down"):
            at = int(np.abs(np.array(SPEEDS) - self.speed).argmin()) + (1 if name == "up" else -1)
            self.speed = SPEEDS[int(np.clip(at, 0, len(SPEEDS) - 1))]
        elif name in _DONE:
            _DONE[name](self)

    def press(self, button: str, x: float, y: float) -> None:
        """Take a mouse button going down at a pixel from the top left; `left` or `right`."""
        self._scrubbing = button == "left" and y >= self.size[1] - self.bar
        self._button, self._moved = button, 0.0
        if self._scrubbing:
            self._scrub(x)

    def drag(self, x: float, y: float, dx: float, dy: float) -> None:
        """Take the mouse moving to a pixel, by so many."""
        if self._scrubbing:
            self._scrub(x)
        elif self._button is not None:
            self._moved += abs(dx) + abs(dy)
            i = self.pane_at(x)
            turn = TURN_RAD_PX / self.scale
            if self._button == "left":
                self.views[i] = self.views[i].turned(-turn * dx, turn * dy)
            else:
                self.views[i] = self.views[i].panned(-dx / self.size[1], dy / self.size[1])

    def release(self, button: str, x: float, y: float) -> bool:
        """Take a mouse button going up; tell whether it was a click, to be answered by `pick`."""
        clicked = self._button == "left" and not self._scrubbing and self._moved <= CLICK_PX * self.scale
        self._button, self._scrubbing = None, False
        return clicked

    def scroll(self, steps: float, x: float) -> None:
        """Take the wheel; up is nearer."""
        i = self.pane_at(x)
        self.views[i] = self.views[i].zoomed(ZOOM**steps)

    def resize(self, width: int, height: int) -> None:
        """Take another size of the window."""
        self.size = (max(width, 1), max(height, 1))

    def pick(self, found: tuple[int, Any] | None) -> None:
        """Take what a click met: an id and a point, or nothing. The camera goes over to it."""
        if found is None:
            self.picked = ""
            return
        number, point = found
        clip = self.clips[number - 1]
        self.picked = f"{clip.name}: {clip.joint_at(np.asarray(point), self.time)}"
        self._focus_on(number - 1)

    def pane_at(self, x: float) -> int:
        """Return which camera a pixel belongs to."""
        if not self.split or len(self.clips) == 1:
            return self.focus
        return int(np.clip(x * len(self.clips) / self.size[0], 0, len(self.clips) - 1))

    def _seen(self) -> Sequence[int]:
        return range(len(self.clips)) if self.split else (self.focus,)

    def _focus_on(self, i: int) -> None:
        if i != self.focus and not self.split:
            # The camera of the whole picture glides over: it is the one that was seen through.
            view, aspect = self.views[self.focus], self.size[0] / self.size[1]
            self.views[i] = view.switched(view.mode, self._subject(i), aspect)
        self.focus = i

    def _next_mode(self) -> None:
        aspect = self.size[0] / self.size[1]
        mode = MODES[(MODES.index(self.views[self.focus].mode) + 1) % len(MODES)]
        for i in self._seen():
            self.views[i] = self.views[i].switched(mode, self._subject(i), aspect)

    def _scrub(self, x: float) -> None:
        self.seek(self.end * float(np.clip(x / max(self.size[0] - 1, 1), 0.0, 1.0)))

    def _subject(self, i: int) -> Subject:
        return self.clips[i].subject(self.time)

    def _front(self, i: int) -> float:
        """Return the yaw of a camera that sees a clip's first pose from the front, a little aside."""
        return 0.5 if self.mode == "third-person" else self._subject(i).facing + np.pi - 0.5

    def _camera(self, i: int, area: tuple[int, int, int, int]) -> Camera:
        far = max(200.0, 4 * self.views[i].distance)
        return self.views[i].camera(self._subject(i), area[2] / area[3], near=far / 4000, far=far)

    def _scene(self, actors: Any, which: Sequence[int]) -> Scene:
        drawn: dict[str, list[Any]] = {
            kind: [points for i in which if len(points := self.clips[i].drawn(kind, self.time))]
            for kind in sorted(self.annotations - {"ghosts"})
        }
        if "ghosts" in self.annotations and self.skinned:
            drawn["ghosts"] = [ghost for i in which for ghost in self.clips[i].ghosts(self.time)]
        return Scene(
            actors=actors if self.skinned else (),
            lights=(
                Light("sun", (1.0, 0.95, 0.88), intensity=3.6, direction=(-0.61, -0.74, -0.28)),
                *(_rim(self._subject(i).centre) for i in which),
            ),
            ground=_FLOOR if self.grounded else None,
            sky=(0.20, 0.25, 0.33),
            earth=(0.08, 0.075, 0.07),
            background=(0.215, 0.226, 0.248, 1.0),
            exposure=1.05,
            annotations={kind: points for kind, points in drawn.items() if points},
        )


_FLOOR: Final = Ground(color=(0.105, 0.11, 0.12), line_color=(0.19, 0.20, 0.215))


def _rim(centre: Any) -> Light:
    """Return the cool light that stands behind what is shown, across from the sun."""
    return Light(
        "point", (0.45, 0.68, 1.0), intensity=26.0, position=centre + np.array([-3.5, 1.6, -1.6]), radius=10.0
    )


def _toggle(name: str) -> Any:
    return lambda player: setattr(player, name, not getattr(player, name))


_DONE: Final[dict[str, Any]] = {
    "space": _toggle("playing"),
    "l": _toggle("looping"),
    "x": _toggle("split"),
    "g": _toggle("grounded"),
    "n": _toggle("skinned"),
    "h": _toggle("helping"),
    "m": Player._next_mode,
    "f": lambda player: player._focus_on((player.focus + 1) % len(player.clips)),
    "home": lambda player: player.seek(0.0),
    "end": lambda player: player.seek(player.end),
    "p": lambda player: setattr(player, "wants_screenshot", True),
    "escape": lambda player: setattr(player, "closed", True),
}
