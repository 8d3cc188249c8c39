"""A clip on the timeline: who moves, which frame it is, where the feet are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import Character, Motion, anatomy, kinematics
from kinetoscope_spec.ghosts import Ghost, Ghosts
from kinetoscope_viser._bake import IMAGES, Baked, bake
from kinetoscope_viser._deviation import Deviation, deviation, weights_at
from kinetoscope_viser._glb import SIDE_MOST

__all__ = ["GHOSTS", "Track"]

Array = NDArray[Any]

_MOVING: Final = ("hips", "head", "left_hand", "right_hand", "left_foot", "right_foot")
"""Roles of the joints whose velocities are drawn."""

_RESTING: Final = 5
"""A foot's resting height is that below which it is in so many of 100 frames."""


_STRETCH: Final = 1024
"""Frames whose transforms are worked out at once: of a long clip all would take as much as the clip itself."""

GHOSTS: Final = Ghosts(4, ahead=2, spacing_s=0.25)
"""The same that `kinetoscope play` shows."""


class _Poses:
    """A motion's global matrices, worked out for the frames that are asked for."""

    def __init__(self, track: Track) -> None:
        self._track = track

    def __len__(self) -> int:
        return self._track.motion.frame_count

    def __getitem__(self, frame: int) -> Array:
        return self._track.pose(frame)


class Track:
    """One motion of one character.

    Attributes:
        name: for people.
        character, motion: who moves, and how.
        baked: the character as the page has it.
        motions: what else of the file may be played on it, `motion` among them.
        made_up: whether the body was built around a bare skeleton.
        delay: s on the timeline at which the motion begins.
        place: `[3]` m, added to where the motion is.
        visible: whether it is seen.
    """

    def __init__(
        self,
        name: str,
        character: Character,
        motion: Motion,
        *,
        motions: Sequence[Motion] = (),
        made_up: bool = False,
    ) -> None:
        self.name, self.character, self.motion, self.made_up = name, character, motion, made_up
        self.motions = tuple(motions) or (motion,)
        self.baked: Baked = bake(character, motion.slice(0, 1).global_matrices()[0])
        self.deviation: Deviation = deviation(character, self.baked, motion)
        self.delay = 0.0
        self.place = np.zeros(3)
        self.visible = True

    def turn_to(self, motion: Motion) -> None:
        """Play another motion from now on."""
        self.motion = motion
        for name, held in vars(type(self)).items():
            if isinstance(held, cached_property):
                self.__dict__.pop(name, None)
        self.deviation = deviation(self.character, self.baked, motion)

    @cached_property
    def omitted(self) -> list[str]:
        """What of the file the page does not show, one sentence each."""
        meshes, materials = self.character.meshes, self.character.materials
        held = []
        images = (getattr(material, name) for material in materials for name in IMAGES)
        if any(image is not None and max(image.shape[:2]) > SIDE_MOST for image in images):
            held.append(f"Textures of more than {SIDE_MOST} texels a side are averaged down to that.")
        if any(mesh.skin is not None and mesh.skin.blending != "linear" for mesh in meshes):
            held.append("Skins are blended linearly; the file asks for dual quaternions.")
        return held

    @property
    def end(self) -> float:
        """Where it ends on the timeline, s."""
        return max(0.0, self.delay + self.motion.duration)

    def frame(self, time: float) -> int:
        """Return the frame that is shown at a time: the last one that has begun."""
        # A hair more, so that a frame's own time is not lost to rounding.
        frame = int(np.floor((time - self.delay) * self.motion.framerate + 1e-6))
        return min(max(frame, 0), self.motion.frame_count - 1)

    def pose(self, frame: int) -> Array:
        """Return the global matrices `[J, 4, 4]` of a frame."""
        pose: Array = self.motion.slice(frame, frame + 1).global_matrices()[0]
        return pose

    def factors(self, frame: int) -> Array:
        """Return by what the character's shapes are multiplied in a frame, `[S]`."""
        return self.baked.factors(weights_at(self.motion, frame))

    def ghosts(self, frame: int) -> tuple[Ghost, ...]:
        """Return where it was and will be around a frame."""
        return GHOSTS.of(self.character, _Poses(self), self.motion.framerate, frame)

    @cached_property
    def joints(self) -> Array:
        """Global positions of all joints in all frames, `[T, J, 3]` m."""
        frames = self.motion.frame_count
        places = np.empty((frames, len(self.motion.skeleton), 3), np.float32)
        for first in range(0, frames, _STRETCH):
            held = self.motion.slice(first, min(first + _STRETCH, frames))
            places[first : first + _STRETCH] = held.global_transforms()[0]
        return places

    @cached_property
    def roles(self) -> dict[str, int]:
        """The joints that have a role in a person's body."""
        return dict(anatomy.roles(self.motion.skeleton))

    def subject(self, frame: int) -> Array:
        """Return what a camera follows in a frame, `[3]` m: the hips, or the middle of all joints."""
        joints = self.joints[frame].astype(np.float64)
        point: Array = joints[self.roles["hips"]] if "hips" in self.roles else joints.mean(axis=0)
        return point

    @cached_property
    def bounds(self) -> Array:
        """The lowest and the highest corner `[2, 3]` m of what is seen in the first frame."""
        pose = self.pose(0)
        points = self.baked.shown(pose) if len(self.baked.vertices) else pose[:, :3, 3]
        return np.stack([points.min(axis=0), points.max(axis=0)])

    @cached_property
    def feet(self) -> list[int]:
        """The joints that touch the ground: toes, or feet without."""
        held = [self.roles.get(f"{side}_toes", self.roles.get(f"{side}_foot")) for side in ("left", "right")]
        return [joint for joint in held if joint is not None]

    @cached_property
    def contacts(self) -> Array:
        """Which of `feet` stand in which frame, bool `[T, K]`."""
        positions = self.joints[:, self.feet].astype(np.float64)
        if not self.feet:
            return np.zeros((len(positions), 0), np.bool_)
        rest = np.percentile(positions[..., 1], _RESTING, axis=0)
        held: Array = kinematics.contacts(positions, self.motion.framerate, ground_m=rest)
        return held

    @cached_property
    def moving(self) -> list[int]:
        """The joints whose velocities are drawn: a person's ends, or else all that have no child."""
        held = [self.roles[role] for role in _MOVING if role in self.roles]
        parents = set(np.asarray(self.motion.skeleton.parents).tolist())
        return held or [joint for joint in range(len(self.motion.skeleton)) if joint not in parents][:24]

    @cached_property
    def velocities(self) -> Array:
        """Of `moving` in all frames, `[T, K, 3]` m/s."""
        held: Array = kinematics.velocities(self.joints[:, self.moving], self.motion.framerate)
        return held

    @cached_property
    def way(self) -> Array:
        """The subject's way over the ground, `[T, 3]` m."""
        joints = self.joints
        points = joints[:, self.roles["hips"]] if "hips" in self.roles else joints.mean(axis=1)
        way: Array = points * np.array([1, 0, 1], np.float32)
        return way
