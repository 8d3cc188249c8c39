"""Renderers with the pass `taa` and one thing wrong."""

from __future__ import annotations

from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

import attrs
import numpy as np

from kinetoscope_spec._arrays import Array
from kinetoscope_spec.contracts.mutants import Mutant, Wrapper, mutant
from kinetoscope_spec.contracts.mutants.renderer import _Renders, _with
from kinetoscope_spec.scene import Camera, Frame, Scene

__all__ = ["MUTANTS"]

MUTANTS: list[Mutant] = []


class _Remembers(_Renders):
    """Knows what each session drew before."""

    def __init__(self, real: Any) -> None:
        super().__init__(real)
        self.drawn: WeakKeyDictionary[Any, tuple[Scene, Frame]] = WeakKeyDictionary()

    def rendered(self, session: Any, scene: Scene, camera: Camera) -> Frame:
        before = self.drawn.get(session)
        frame = self.following(session, scene, camera, before)
        self.drawn[session] = scene, frame
        return frame

    def following(
        self, session: Any, scene: Scene, camera: Camera, before: tuple[Scene, Frame] | None
    ) -> Frame:
        frame: Frame = session.render(scene, camera)
        if before is None or (scene.actors[:1] and scene.actors[0].previous_pose is None):
            return frame
        return self.mixed(frame, before[1])

    def mixed(self, frame: Frame, before: Frame) -> Frame:
        return frame


@mutant(MUTANTS, "the_first_picture_is_as_without")
class Leaps(_Renders):
    """looks beside the centres of pixels from the first frame on"""

    def rendered(self, session: Any, scene: Scene, camera: Camera) -> Frame:
        session.render(scene, camera)
        frame: Frame = session.render(scene, camera)
        return frame


@mutant(MUTANTS, "the_same_film_gives_the_same_pictures")
class Counts(Wrapper):
    """goes on with the places within pixels where another session was"""

    opened = count()

    def open(self, *args: Any, **options: Any) -> Any:
        return _Lifted(self.real, next(self.opened) % 2).open(*args, **options)


class _Lifted(_Renders):
    def __init__(self, real: Any, level: int) -> None:
        super().__init__(real)
        self.level = level

    def changed(self, frame: Frame, scene: Scene, camera: Camera) -> Frame:
        return _with(frame, color=frame.color ^ np.uint8(self.level))


@mutant(MUTANTS, "a_cut_forgets")
class Clings(_Remembers):
    """mixes whatever comes with what was drawn before"""

    def following(
        self, session: Any, scene: Scene, camera: Camera, before: tuple[Scene, Frame] | None
    ) -> Frame:
        frame: Frame = session.render(scene, camera)
        return frame if before is None else _with(frame, color=_mean(frame.color, before[1].color, 0.3))


@mutant(MUTANTS, "still_pictures_become_smooth")
class Stares(_Renders):
    """always looks at the centres of pixels"""

    def staged(self, scene: Scene, camera: Camera) -> Scene:
        return attrs.evolve(scene, actors=[attrs.evolve(a, previous_pose=None) for a in scene.actors])


@mutant(MUTANTS, "what_moves_stays_sharp")
class Unmoved(_Remembers):
    """mixes each pixel with itself before, wherever its surface has gone, held to its neighbours"""

    def mixed(self, frame: Frame, before: Frame) -> Frame:
        low, high = (_around(frame.color, pick) for pick in (np.minimum, np.maximum))
        return _with(frame, color=_mean(frame.color, np.clip(before.color, low, high), 0.8))


@mutant(MUTANTS, "what_moves_leaves_no_ghost")
class Trails(_Remembers):
    """keeps a part of what was there where something has moved away"""

    def mixed(self, frame: Frame, before: Frame) -> Frame:
        gone = (frame.buffers["id"] == 0) & (before.buffers["id"] > 0)
        mean = _mean(frame.color, before.color, 0.4)
        return _with(frame, color=np.where(gone[..., None], mean, frame.color))


@mutant(MUTANTS, "light_that_goes_out_is_gone")
class Lags(_Remembers):
    """takes what was kept as it is, whatever is seen now"""

    def mixed(self, frame: Frame, before: Frame) -> Frame:
        same = (frame.buffers["id"] == before.buffers["id"]) & (frame.buffers["id"] > 0)
        mean = _mean(frame.color, before.color, 0.4)
        return _with(frame, color=np.where(same[..., None], mean, frame.color))


@mutant(MUTANTS, "buffers_stay_where_rays_meet")
class Shifts(_Remembers):
    """hands over depth as the shifted camera saw it"""

    def mixed(self, frame: Frame, before: Frame) -> Frame:
        return _with(frame, depth=np.roll(frame.buffers["depth"], 1, axis=1) * np.float32(1.001))


def _mean(now: Array, before: Array, share: float) -> Array:
    mixed: Array = ((1 - share) * now + share * before).round().astype(np.uint8)
    return mixed


def _around(color: Array, pick: Any) -> Array:
    """Return the least or the greatest of three by three pixels."""
    padded = np.pad(color, ((1, 1), (1, 1), (0, 0)), mode="edge")
    height, width = color.shape[:2]
    held: Array = color
    for y in range(3):
        for x in range(3):
            held = pick(held, padded[y : y + height, x : x + width])
    return held
