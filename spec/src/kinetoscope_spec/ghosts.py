"""Ghosts: where a character was and will be, drawn so that one sees through it (onion skin).

Ghosts are debug drawing: `Scene.annotations["ghosts"]` holds them, for renderers that know them. Each is
lit like what it is a ghost of, and laid over the picture where nothing hides it, farther ones first; of
itself a ghost shows the nearest surface alone. What coincides with a surface that is there, such as a foot that
has not moved, is hidden by it (`HIDDEN_WITHIN`). A ghost casts no shadow, and depth, ids, normals and motion
are those of the frame without it.
"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

from kinetoscope_spec._arrays import Array, in_range, shaped
from kinetoscope_spec._value import Value
from kinetoscope_spec.character import Character
from kinetoscope_spec.errors import ValidationError
from kinetoscope_spec.scene import Camera, Scene

__all__ = ["HIDDEN_WITHIN", "Ghost", "Ghosts", "ghosts_in"]

HIDDEN_WITHIN = 1e-4
"""A ghost is hidden where it is not nearer than what is there by this share of the distance along the camera's
axis: else rounding would choose which of two surfaces at one place is seen. Where a renderer tells depths apart
less finely than this, it hides what it can't tell apart."""

AHEAD_COLOR = (0.10, 0.30, 0.80)
"""Linear RGB of what is still to come."""


@attrs.frozen(eq=False, repr=False)
class Ghost(Value):
    """A character in another pose than it has now.

    Attributes:
        character: who; renderers keep its meshes as long as the same object comes back.
        pose: global matrices `[J, 4, 4]` of the skeleton's nodes.
        opacity: how much of what is behind it hides, 0 to 1.
        color: linear RGB of all of it, or None for its own materials.
    """

    character: Character
    pose: Array
    opacity: float = 0.4
    color: tuple[float, float, float] | None = None

    def __attrs_post_init__(self) -> None:
        size = {"J": len(self.character.skeleton)}
        object.__setattr__(self, "pose", shaped("Ghost", "pose", self.pose, ["J", 4, 4], sizes=size))
        if not 0 <= self.opacity <= 1:
            raise ValidationError(f"Ghost.opacity is {self.opacity}, expected 0 to 1")
        if self.color is not None:
            held = in_range("Ghost.color", shaped("Ghost", "color", self.color, [3], np.float64), 0, 1)
            object.__setattr__(self, "color", tuple(float(part) for part in held))


@attrs.frozen
class Ghosts:
    """Which ghosts go with a character.

    Attributes:
        count: how many moments before this one are shown.
        ahead: how many after it.
        spacing_s: seconds from one to the next.
        opacity: of the ones next to now; the others fade evenly, the last to a `count`th of it.
        color, color_ahead: linear RGB of those before and after, or None for their own materials.
    """

    count: int = attrs.field(default=5, validator=attrs.validators.ge(0))
    ahead: int = attrs.field(default=0, kw_only=True, validator=attrs.validators.ge(0))
    spacing_s: float = attrs.field(default=0.2, kw_only=True, validator=attrs.validators.gt(0))
    opacity: float = attrs.field(default=0.5, kw_only=True)
    color: tuple[float, float, float] | None = attrs.field(default=None, kw_only=True)
    color_ahead: tuple[float, float, float] | None = attrs.field(default=AHEAD_COLOR, kw_only=True)

    def steps(self, framerate: float) -> tuple[int, ...]:
        """Return how many frames before (below 0) and after now each stands, the farthest first."""
        before = [-round(k * self.spacing_s * framerate) for k in range(self.count, 0, -1)]
        after = [round(k * self.spacing_s * framerate) for k in range(self.ahead, 0, -1)]
        return (*before, *after)

    def of(self, character: Character, poses: Any, framerate: float, frame: int) -> tuple[Ghost, ...]:
        """Return the ghosts of one frame; those before the first frame or after the last are left out.

        Args:
            character: who; in the shape it has now.
            poses: global matrices `[T, J, 4, 4]` of every frame.
            framerate: frames per second.
            frame: which frame is now.
        """
        shares = [
            *((self.count + 1 - k) / self.count for k in range(self.count, 0, -1)),
            *((self.ahead + 1 - k) / self.ahead for k in range(self.ahead, 0, -1)),
        ]
        return tuple(
            Ghost(
                character,
                poses[frame + step],
                self.opacity * share,
                self.color if step < 0 else self.color_ahead,
            )
            for step, share in zip(self.steps(framerate), shares, strict=True)
            if step and 0 <= frame + step < len(poses)
        )


def ghosts_in(scene: Scene, camera: Camera) -> tuple[Ghost, ...]:
    """Return the ghosts of a scene in the order in which they are laid over the picture, the farthest first.

    Raises:
        ValidationError: `annotations["ghosts"]` holds something else.
    """
    given = scene.annotations.get("ghosts", ())
    if not isinstance(given, list | tuple) or not all(isinstance(ghost, Ghost) for ghost in given):
        raise ValidationError("Scene.annotations['ghosts'] holds something other than a sequence of Ghost")
    away = [np.linalg.norm(ghost.pose[:, :3, 3].mean(axis=0) - camera.position) for ghost in given]
    return tuple(given[i] for i in np.argsort(away, kind="stable")[::-1])
