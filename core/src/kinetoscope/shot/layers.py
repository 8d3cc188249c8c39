"""The performer as layers over a plate: drawn alone, with a shadow on a ground that is not seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope.shot import film, settings
from kinetoscope.shot.ranges import drawn
from kinetoscope.shot.stages import Timed
from kinetoscope.shot.surroundings import Surroundings
from kinetoscope_spec import Actor, Camera, Character, Frame, Ground, Motion, Scene
from kinetoscope_spec.errors import Cancelled
from kinetoscope_spec.protocols import Progress, Renderer, Session

__all__ = ["Clocked", "Layers"]

Array = NDArray[Any]

SAMPLES = {"draft": 1, "medium": 3, "high": 8}
"""Pictures of one frame, spread over the time that the shutter is open."""

FINE = 16
"""Poses of one frame from which those are taken."""

GROUND = (0.3, 0.3, 0.3)
"""Linear RGB of the ground on which the shadow is measured; a ratio, in which it cancels out."""


@attrs.frozen(eq=False)
class Layers:
    """A layer for each frame of a plate; made anew for each reading, one in memory at a time.

    Attributes:
        layer: the compositor's type of layers.
        renderer: who draws.
        size: of the plate, (width, height) px.
        output, light: as the shot file says.
        shadow: whether there is one.
        character: who is seen.
        motion: from the plate's first frame on; its last pose is held.
        cameras: one for each frame.
        rate: of the plate, frames per second.
        progress: told of each frame.
        around: what lights the performer beside the sun, or instead of it, or None.
    """

    layer: Any
    renderer: Renderer
    size: tuple[int, int]
    output: settings.Output
    light: settings.Light
    shadow: bool
    character: Character
    motion: Motion
    cameras: Sequence[Camera]
    rate: float
    progress: Progress | None = None
    around: Surroundings | None = None
    _held: list[tuple[Motion, Array]] = attrs.field(factory=list, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.cameras)

    def __iter__(self) -> Iterator[Any]:
        return self[:]

    def __getitem__(self, part: slice) -> Iterator[Any]:
        """Return layers of a part of the film, drawn one by one; no other is."""
        start, stop, _ = part.indices(len(self.cameras))
        fine, poses = self._posed()
        lit = film.light_scene(self.light, self.around)
        stage = attrs.evolve(lit, ground=None, background=(0.0, 0.0, 0.0, 0.0))
        buffers = ("hdr", "id") if self.shadow else ()
        shown: dict[int, _Shown] = {}

        def picture(session: Session, frame: int) -> Any:
            if id(session) not in shown:  # what was kept of another session is not good for this one
                shown.clear()
                shown[id(session)] = _Shown(self, session, stage, fine, poses)
            return shown[id(session)].layer(frame)

        output = self.output
        opened = partial(self.renderer.open, self.size, output.quality, buffers=buffers, **output.drawing())
        return drawn(opened, picture, len(self.cameras), start, stop)

    def _posed(self) -> tuple[Motion, Array]:
        """Return the motion with its poses between frames, and these as matrices; made once."""
        if not self._held:
            rate = self.rate * FINE if self._samples() > 1 else self.rate
            fine = self.motion.resample(rate)
            self._held.append((fine, fine.global_matrices()))
        return self._held[0]

    def _samples(self) -> int:
        return SAMPLES[self.output.quality] if self.output.shutter > 0 else 1


class Clocked:
    """Layers that add up how long they take to draw."""

    def __init__(self, layers: Layers) -> None:
        self._layers = layers
        self._timed: list[Timed] = []

    def __len__(self) -> int:
        return len(self._layers)

    def __iter__(self) -> Iterator[Any]:
        return self[:]

    def __getitem__(self, part: slice) -> Iterator[Any]:
        self._timed.append(Timed(self._layers[part]))
        return self._timed[-1]

    @property
    def seconds(self) -> float:
        """How long it took to draw what was drawn."""
        return sum(timed.seconds for timed in self._timed)


@attrs.define(eq=False)
class _Shown:
    """An open renderer, and what of the last frame is still good for the next."""

    asked: Layers
    session: Session
    stage: Scene
    motion: Motion
    poses: Array
    _bare: tuple[Camera, Frame] | None = None

    def layer(self, frame: int) -> Any:
        asked = self.asked
        camera, samples = asked.cameras[frame], asked._samples()
        shadowed: dict[str, Frame] = {}
        if asked.shadow:
            ground = attrs.evolve(self.stage, ground=Ground(color=GROUND, spacing=0.0))
            lit = attrs.evolve(ground, actors=(self._actor(frame, 0.0),))
            shadowed = {
                "ground": self._render(frame, lit, camera),
                "bare": self._ground(frame, ground, camera),
            }
        if samples == 1:
            return asked.layer.of(self._drawn(frame, 0.0), **shadowed)
        # The shutter opens before the frame's time and closes after it, by as much.
        offsets = ((np.arange(samples) + 0.5) / samples - 0.5) * asked.output.shutter
        pictures = [asked.layer.of(self._drawn(frame, offset), **shadowed) for offset in offsets]
        return asked.layer.mean(pictures)

    def _ground(self, frame: int, scene: Scene, camera: Camera) -> Frame:
        """Return the ground without the performer; drawn once for a camera that stands still."""
        if self._bare is None or not _same(self._bare[0], camera):
            self._bare = camera, self._render(frame, scene, camera)
        return self._bare[1]

    def _drawn(self, frame: int, offset: float) -> Frame:
        scene = attrs.evolve(self.stage, actors=(self._actor(frame, offset),))
        return self._render(frame, scene, _between(self.asked.cameras, frame + offset))

    def _render(self, frame: int, scene: Scene, camera: Camera) -> Frame:
        """Draw a picture of a frame, unless the run is cancelled: each may take a second."""
        progress, count = self.asked.progress, len(self.asked.cameras)
        if progress and progress(frame, count, "rendering") is False:
            raise Cancelled(f"cancelled after {frame} of {count} frames")
        return self.session.render(scene, camera)

    def _actor(self, frame: int, offset: float) -> Actor:
        step = FINE if self.asked._samples() > 1 else 1
        i = int(np.clip(round((frame + offset) * step), 0, len(self.poses) - 1))
        character = film.morphed(self.asked.character, self.motion, i)
        return Actor(character, self.poses[i], previous_pose=self.poses[max(i - step, 0)])


def _same(a: Camera, b: Camera) -> bool:
    return a is b or all(
        np.array_equal(getattr(a, name), getattr(b, name))
        for name in ("position", "target", "up", "field_of_view")
    )


def _between(cameras: Sequence[Camera], frame: float) -> Camera:
    """Return the camera between two frames: while the shutter is open it goes on turning."""
    low = int(np.clip(np.floor(frame), 0, len(cameras) - 1))
    high = min(low + 1, len(cameras) - 1)
    share = min(max(frame - low, 0.0), 1.0)
    a, b = cameras[low], cameras[high]
    if share == 0.0 or _same(a, b):
        return a
    mixed = {
        name: (1 - share) * getattr(a, name) + share * getattr(b, name)
        for name in ("position", "target", "up")
    }
    return attrs.evolve(a, **mixed)
