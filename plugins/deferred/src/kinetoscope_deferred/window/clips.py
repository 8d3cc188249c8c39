"""What a window shows: motions with who performs them, where, from when on."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import Actor, Asset, Character, Motion, kinematics
from kinetoscope_spec.body import capsule_character
from kinetoscope_spec.errors import ValidationError
from kinetoscope_spec.ghosts import Ghost, Ghosts
from kinetoscope_spec.marking import head, marked
from kinetoscope_spec.motion import rest_motion
from kinetoscope_spec.viewpoint import Subject, subjects

__all__ = ["Clip", "clip_of"]

Array = NDArray[Any]

NAME_PX = 14
"""Height of the capitals of a name."""

_STRETCH = 1024
"""Frames whose matrices are held at once."""
_GHOSTS = Ghosts(4, ahead=2, spacing_s=0.25)


@attrs.frozen(eq=False)
class Clip:
    """A motion, its character and its place.

    Attributes:
        name: shown.
        motion, character: what is played, by whom.
        aside: m along +X from where the motion has it.
        delay: s on the timeline at which it begins.
        places: `[T, J, 3]` m, of all joints, without `aside`.
        boxes: what a camera shows in each frame, without `aside`.
    """

    name: str
    motion: Motion
    character: Character
    aside: float
    delay: float
    places: Array
    boxes: list[Subject]

    @property
    def end(self) -> float:
        """When it is over, s on the timeline."""
        return self.delay + (self.motion.frame_count - 1) / self.motion.framerate

    def frame(self, time: float) -> int:
        """Return the frame that is shown at `time` s; before and after its time it stands still."""
        at = round((time - self.delay) * self.motion.framerate)
        return int(np.clip(at, 0, self.motion.frame_count - 1))

    def pose(self, frame: int) -> Array:
        """Return the global matrices `[J, 4, 4]` of a frame, where it is shown."""
        held = self.motion.slice(frame, frame + 1).global_matrices()[0]
        placed: Array = np.array(held, np.float64)
        placed[:, 0, 3] += self.aside
        return placed

    def actor(self, time: float, number: int) -> Actor:
        """Return it in its pose at `time` s, with `number` as its id."""
        now = self.frame(time)
        return Actor(self.character, self.pose(now), id=number, previous_pose=self.pose(max(now - 1, 0)))

    def subject(self, time: float) -> Subject:
        """Return what a camera shows at `time` s; between frames it goes straight on."""
        at = np.clip((time - self.delay) * self.motion.framerate, 0, self.motion.frame_count - 1)
        first, shift = int(at), np.array([self.aside, 0.0, 0.0])
        one, two = self.boxes[first], self.boxes[min(first + 1, self.motion.frame_count - 1)]
        part = float(at) - first
        return Subject(
            one.low + part * (two.low - one.low) + shift,
            one.high + part * (two.high - one.high) + shift,
            one.facing + part * (two.facing - one.facing),
        )

    def joint_at(self, point: Array, time: float) -> str:
        """Return the name of the joint that moves the skin nearest to `point [3]` m at `time` s."""
        pose = self.pose(self.frame(time))
        best, name = np.inf, self.motion.skeleton.names[0]
        for mesh in self.character.meshes:
            bones, weights = _bones(mesh)
            vertices = np.asarray(kinematics.morphed_vertices(mesh), np.float64)
            if not len(vertices):
                continue
            nodes = mesh.skin.bones if mesh.skin is not None else [0 if mesh.node is None else mesh.node]
            carry = (
                pose[nodes][bones[:, 0]] if mesh.skin is None else kinematics.vertex_matrices(mesh.skin, pose)
            )
            posed = np.einsum("vij,vj->vi", carry[:, :3, :3], vertices) + carry[:, :3, 3]
            away = np.linalg.norm(posed - point, axis=1)
            nearest = int(away.argmin())
            if away[nearest] < best:
                best = float(away[nearest])
                name = self.motion.skeleton.names[nodes[bones[nearest, weights[nearest].argmax()]]]
        return name

    def drawn(self, kind: str, time: float) -> Any:
        """Return an annotation of `kind`, as `kinetoscope_spec.annotations` has them, at `time` s."""
        now = self.frame(time)
        if kind == "axes":
            return self.pose(now)
        if kind == "text":
            points = [head(self.motion, self.places, now) + np.array([self.aside, 0.0, 0.0])]
            return {"strings": [self.name], "points": points, "pixels": NAME_PX}
        return self._beside(kind, marked(kind, self.motion, self.places, now))

    def ghosts(self, time: float) -> list[Ghost]:
        """Return where it was and will be around `time` s."""
        return list(_GHOSTS.of(self.character, _Poses(self), self.motion.framerate, self.frame(time)))

    def _beside(self, kind: str, drawn: Array) -> Array:
        """Return what is drawn where the clip is shown; of velocities the first is a place."""
        placed = np.array(drawn, np.float64)
        if kind == "velocities":
            placed[:, 0, 0] += self.aside
        else:
            placed[..., 0] += self.aside
        return placed


class _Poses:
    """A clip's poses, worked out for the frames that are asked for: all of them would be 128 bytes a joint."""

    def __init__(self, clip: Clip) -> None:
        self._clip = clip

    def __len__(self) -> int:
        return self._clip.motion.frame_count

    def __getitem__(self, frame: int) -> Array:
        return self._clip.pose(frame)


def _bones(mesh: Any) -> tuple[Array, Array]:
    """Return places among the mesh's bones and weights `[V, K]`."""
    if mesh.skin is None:
        count = len(mesh.vertices)
        return np.zeros((count, 1), np.int64), np.ones((count, 1))
    return mesh.skin.joints, mesh.skin.weights


def clip_of(asset: Asset, name: str, *, motion: int = 0, aside: float = 0.0, delay: float = 0.0) -> Clip:
    """Return a motion of `asset`, its rest pose if it has none, with its meshes or a body of capsules.

    Raises:
        ValidationError: it has no such motion.
    """
    if motion and motion >= len(asset.motions):
        raise ValidationError(
            f"{name} has {len(asset.motions)} motions, counted from 0: there is no {motion}"
        )
    shown = asset.motions[motion] if asset.motions else rest_motion(asset.skeleton)
    character = asset.character() if asset.meshes else capsule_character(asset.skeleton, motion=shown)
    return Clip(name, shown, character, aside, delay, _places(shown), subjects(shown))


def _places(motion: Motion) -> Array:
    """Return where all joints are in all frames, `[T, J, 3]` m; a stretch at a time, as matrices are larger."""
    places = np.empty((motion.frame_count, len(motion.skeleton), 3))
    for first in range(0, len(places), _STRETCH):
        held = motion.slice(first, min(first + _STRETCH, len(places)))
        places[first : first + _STRETCH] = held.global_matrices()[..., :3, 3]
    return places
