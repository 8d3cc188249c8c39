"""Anti-aliasing over time, as far as renderers share it: what follows what, and where in a pixel each frame looks.

A renderer whose pass `taa` is on keeps what it drew. Each frame that follows the one before looks at another
place within its pixels, and is mixed into what was kept, carried to where it has gone. Its pictures therefore
depend on those before: its sessions' `history` is `SETTLED`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np

from kinetoscope_spec._arrays import Array
from kinetoscope_spec.scene import Camera, Scene

__all__ = ["LEAST_SHARE", "PERIOD", "SETTLED", "Take", "offset"]

PERIOD = 8
"""Frames after which the places within a pixel come round again."""

LEAST_SHARE = 0.1
"""What a new frame counts at least; the first ones count as many as they are, so that each is their mean."""

SETTLED = 32
"""Frames after which what was kept from before them shows in no pixel by more than two levels of 255.

A multiple of `PERIOD`: a film that begins so many frames early looks where the whole does.
"""

_SAME_M = 1e-5
_TURN = np.cos(np.radians(15.0))
_ZOOM = 1.2
_STEP = 0.25
"""More in one frame than this cosine, this factor, or this part of the way to the target is a cut."""


def offset(number: int) -> tuple[float, float]:
    """Return where frame `number` after a cut looks, pixels right and down of each pixel's centre.

    The first looks at the centre; the others follow Halton's points of bases 2 and 3 (1960), moved round so
    that the first of them is the centre.
    """
    number %= PERIOD
    x, y = (
        (_halton(number + 1, base) - _halton(1, base) + 0.5) % 1.0 - 0.5 if number else 0.0 for base in (2, 3)
    )
    return x, y


def _halton(index: int, base: int) -> float:
    total, part = 0.0, 1.0
    while index:
        part /= base
        index, digit = divmod(index, base)
        total += digit * part
    return total


@attrs.frozen(eq=False)
class Take:
    """What a session remembers of the last frame that it drew, and how many came since the last cut.

    Attributes:
        camera: the one it was drawn with.
        poses: pose `[J, 4, 4]` by actor.
        number: 0 for the first after a cut.
    """

    camera: Camera
    poses: Mapping[int, Array]
    number: int = 0

    @classmethod
    def after(cls, before: Take | None, scene: Scene, camera: Camera) -> Take:
        """Return the take of `scene`, which goes on with `before` if it follows it.

        A frame follows the one that was drawn before if actors say so by their `previous_pose`, and none
        says otherwise: it is the pose in which it was drawn, for one actor at least. One who was not there
        before says nothing. A camera that turns, steps or zooms too far in a frame is a cut.
        """
        follows = before is not None and _same_film(before.poses, scene) and _near(before.camera, camera)
        number = before.number + 1 if before is not None and follows else 0
        return cls(camera, {actor.id: actor.pose for actor in scene.actors}, number)


def _same_film(poses: Mapping[int, Any], scene: Scene) -> bool:
    known = [(actor.previous_pose, poses[actor.id]) for actor in scene.actors if actor.id in poses]
    return bool(known) and all(
        said is not None and np.allclose(said, drawn, rtol=0.0, atol=_SAME_M) for said, drawn in known
    )


def _near(before: Camera, camera: Camera) -> bool:
    then, now = before.view_matrix()[:3, :3], camera.view_matrix()[:3, :3]
    step = np.linalg.norm(camera.position - before.position)
    zoom = np.tan(0.5 * camera.field_of_view) / np.tan(0.5 * before.field_of_view)
    turned = (then * now).sum(axis=1).min() < _TURN
    stepped = step > _STEP * np.linalg.norm(camera.target - camera.position)
    return bool(not turned and not stepped and 1 / _ZOOM <= zoom <= _ZOOM)
