"""A clip seen from its root: the form in which locomotion learns and plays it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import attrs
import numpy as np

from kinetoscope_features import formulas
from kinetoscope_features.body import Array, Body, require_rigid
from kinetoscope_features.root import root_track
from kinetoscope_spec import Motion, kinematics, rotation

__all__ = ["Rig", "Track", "apart", "blended", "joined", "settled", "stacked", "track_of"]

CONTACT_HEIGHT_M = 0.03
CONTACT_SPEED_M_S = 0.4


@attrs.frozen(eq=False)
class Track:
    """T frames of a body: the root in the world, everything else seen from the root.

    Of a crowd (`stacked`) each array has an axis of characters after that of time.

    Attributes:
        ground: `[T, 2]` m, world x and z of the root.
        yaw: `[T]` rad, its facing.
        joints: `[T, B, 3]` m, positions of the body's joints in root space.
        rotations: `[T, B, 4]` xyzw, their rotations in root space.
        contacts: `[T, 2]`, 1 where the left and the right foot stand.
    """

    ground: Array
    yaw: Array
    joints: Array
    rotations: Array
    contacts: Array

    def __len__(self) -> int:
        return len(self.yaw)

    def slice(self, start: int, stop: int | None = None) -> Track:
        """Return frames `start` to `stop`, counted as a Python slice counts."""
        return Track(*(getattr(self, field.name)[start:stop] for field in attrs.fields(Track)))


def joined(tracks: Sequence[Track]) -> Track:
    """Return all frames of `tracks`, one after the other."""
    return Track(
        *(np.concatenate([getattr(track, field.name) for track in tracks]) for field in attrs.fields(Track))
    )


def stacked(tracks: Sequence[Track]) -> Track:
    """Return tracks of one length side by side: an axis of characters follows that of time."""
    return Track(
        *(np.stack([getattr(track, field.name) for track in tracks], 1) for field in attrs.fields(Track))
    )


def apart(crowd: Track) -> list[Track]:
    """Return the tracks that were `stacked`; each array is a part of the crowd's."""
    arrays = [np.ascontiguousarray(getattr(crowd, f.name).swapaxes(0, 1)) for f in attrs.fields(Track)]
    return [Track(*parts) for parts in zip(*arrays, strict=True)]


def track_of(body: Body, motion: Motion) -> Track:
    """Return `motion` seen from its root."""
    require_rigid(motion)
    positions, rotations = (np.asarray(array, np.float64) for array in motion.global_transforms())
    root = root_track(body, positions, motion.framerate)
    joints = list(body.joints)
    touching = body.contacts(
        body.foot_positions(positions),
        motion.framerate,
        height_m=CONTACT_HEIGHT_M,
        speed_m_s=CONTACT_SPEED_M_S,
    )
    return Track(
        ground=root.ground,
        yaw=root.yaw,
        joints=formulas.to_root(root.ground, root.yaw, positions[:, joints]),
        rotations=rotation.multiply(rotation.from_yaw(-root.yaw)[:, None], rotations[:, joints]),
        contacts=touching.astype(np.float64),
    )


@lru_cache(maxsize=64)
def _leading(parents: tuple[int, ...]) -> Array:
    """Return `[B, B]`, 1 where the joint of the column leads to that of the row, or is it; 0 elsewhere."""
    leads = np.eye(len(parents))
    for joint, parent in enumerate(parents[1:], start=1):
        leads[joint] += leads[parent]
    leads.setflags(write=False)
    return leads


@attrs.frozen(eq=False)
class Rig:
    """How root-space poses become local transforms of the seed's skeleton again.

    Attributes:
        body: its joints.
        offsets: `[B, 3]` m, local positions of the body's joints: bones keep these lengths.
            `[C, B, 3]` of a crowd's.
        template: the seed's last frame, from which everything outside the body is taken.
        carried_above: whether the topmost ancestor of the hips carries the travel, and not the hips.
        above_rotation: `[4]`, rotation of that ancestor in root space.
    """

    body: Body
    offsets: Array
    template: Motion
    carried_above: bool
    above_rotation: Array

    @classmethod
    def of(cls, body: Body, seed: Motion, track: Track) -> Rig:
        """Take the bones and the way of travelling from `seed`, whose `track` is given."""
        local = np.asarray(seed.positions, np.float64)
        joints = list(body.joints)
        mean, rest = local[:, joints].mean(axis=0), np.asarray(body.skeleton.rest_positions)[joints]
        offsets = np.where(np.abs(mean - rest).max(axis=-1, keepdims=True) < 1e-3, rest, mean)
        above = body.above()
        hips_still = bool((np.ptp(local[:, body.hips], axis=0) < 0.01).all())
        carried_above = bool(above) and hips_still
        last = seed.slice(seed.frame_count - 1)
        top = above[0] if above else body.hips
        above_rotation = rotation.multiply(
            rotation.from_yaw(-track.yaw[-1]), np.asarray(last.global_transforms()[1][0, top], np.float64)
        )
        return cls(body, offsets, last, carried_above, above_rotation)

    def posed(self, hips: Array, rotations: Array) -> Array:
        """Return joint positions `[..., B, 3]` of `hips [..., 3]`, `rotations [..., B, 4]`, all root space."""
        # A joint lies at the end of all bones that lead to it: one product, where joint by joint took
        # most of the time that playing takes.
        bones = rotation.rotate(rotations[..., self.body.parents[1:], :], self.offsets[..., 1:, :])
        base = hips[..., None, :]
        positions: Array = base + _leading(self.body.parents) @ np.concatenate([0.0 * base, bones], -2)
        return positions

    def motion(self, track: Track, framerate: float, name: str) -> Motion:
        """Return `track` as local transforms of the whole skeleton."""
        frames, body = len(track), self.body
        positions = np.repeat(np.asarray(self.template.positions, np.float64), frames, axis=0)
        rotations = np.repeat(np.asarray(self.template.rotations, np.float64), frames, axis=0)
        turned = rotation.multiply(rotation.from_yaw(track.yaw)[:, None], track.rotations)
        hips = formulas.from_root(track.ground, track.yaw, track.joints[:, :1])[:, 0]
        if self.carried_above:
            self._carry(track, hips, positions, rotations)
        origin, above = self._frame_above(positions, rotations)
        back = rotation.conjugate(above)
        positions[:, body.hips] = rotation.rotate(back, hips - origin)
        rotations[:, body.hips] = rotation.multiply(back, turned[:, 0])
        for i, joint in enumerate(body.joints[1:], start=1):
            positions[:, joint] = self.offsets[i]
            rotations[:, joint] = rotation.multiply(
                rotation.conjugate(turned[:, body.parents[i]]), turned[:, i]
            )
        smooth = rotation.unroll(rotation.normalize(rotations))
        return Motion(body.skeleton, positions, smooth, framerate, name=name)

    def _frame_above(self, positions: Array, rotations: Array) -> tuple[Array, Array]:
        """Return the global position `[T, 3]` and rotation `[T, 4]` of the hips' parent."""
        above = self.body.above()
        if not above:
            return np.zeros((len(positions), 3)), rotation.identity(rotations[:, 0])
        p, q = kinematics.global_transforms(
            tuple(range(-1, len(above) - 1)), positions[:, above], rotations[:, above]
        )
        return p[:, -1], q[:, -1]

    def _carry(self, track: Track, hips: Array, positions: Array, rotations: Array) -> None:
        """Move the topmost ancestor with the root: it is the one that travels."""
        chain = [*self.body.above(), self.body.hips]
        top = chain[0]
        rotations[:, top] = rotation.multiply(rotation.from_yaw(track.yaw), self.above_rotation)
        positions[:, top] = 0.0
        reach, _ = kinematics.global_transforms(
            tuple(range(-1, len(chain) - 1)), positions[:, chain], rotations[:, chain]
        )
        positions[:, top] = hips - reach[:, -1]


def blended(rig: Rig, old: Track, new: Track) -> Track:
    """Return `new`, whose first frames fade over from `old`'s prediction of the same frames."""
    overlap = min(len(old), len(new))
    weight = np.arange(1, overlap + 1) / (overlap + 1)
    old, head = old.slice(0, overlap), new.slice(0, overlap)

    def mix(a: Array, b: Array) -> Array:
        mixed: Array = a + (b - a) * weight.reshape((-1,) + (1,) * (a.ndim - 1))
        return mixed

    joints = old.rotations.shape[:-1]
    spread = np.broadcast_to(weight.reshape((-1,) + (1,) * (len(joints) - 1)), joints)
    rotations = rotation.nlerp(old.rotations, head.rotations, spread)
    faded = Track(
        ground=mix(old.ground, head.ground),
        yaw=mix(old.yaw, head.yaw),
        joints=rig.posed(mix(old.joints[..., 0, :], head.joints[..., 0, :]), rotations),
        rotations=rotations,
        contacts=mix(old.contacts, head.contacts),
    )
    return joined([faded, new.slice(overlap)])


def settled(rig: Rig, before: Track, new: Track, framerate: float, seconds: float) -> Track:
    """Return `new` as it follows `before` without a jump, which fades within about `seconds`.

    A model says what is usual for such a pose; how this body holds itself differs from that, and keeps
    differing. So the difference where the two meet is kept, and let go slowly: inertialisation, after
    Bollo 2018, "Inertialization: high-performance animation transitions in Gears of War" (GDC).
    """
    if seconds <= 0 or len(before) < 2 or len(new) < 2:
        return new
    hips, turns = _jump(before, new)
    fade = np.exp(-np.arange(1, len(new) + 1) / (seconds * framerate)).reshape((-1,) + (1,) * hips.ndim)
    rotations = rotation.multiply(rotation.from_rotation_vector(fade[..., None] * turns), new.rotations)
    return attrs.evolve(
        new, joints=rig.posed(new.joints[..., 0, :] + fade * hips, rotations), rotations=rotations
    )


def _jump(before: Track, new: Track) -> tuple[Array, Array]:
    """Return what `new` lacks to go on from `before`: hips `[3]` m and turns of joints `[B, 3]` rad.

    Both are carried on to the moment halfway between the last frame and the first, where a curve that
    is bent alike on both sides shows no jump.
    """

    def turn(a: Array, b: Array) -> Array:
        vector: Array = rotation.to_rotation_vector(rotation.multiply(b, rotation.conjugate(a)))
        return vector

    (h2, h1), (n1, n2) = before.rotations[-2:], new.rotations[:2]
    p2, p1, q1, q2 = *before.joints[-2:, ..., 0, :], *new.joints[:2, ..., 0, :]
    hips = p1 - q1 + 0.5 * ((p1 - p2) + (q2 - q1))
    return hips, turn(n1, h1) + 0.5 * (turn(h2, h1) + turn(n1, n2))
