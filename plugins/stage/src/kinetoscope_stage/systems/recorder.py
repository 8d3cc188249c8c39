"""From the stage back to clips, and to files."""

from __future__ import annotations

import attrs
import numpy as np

from kinetoscope_spec import Asset, Motion, ValidationError, rotation
from kinetoscope_stage._chunk import Chunk
from kinetoscope_stage._component import Array
from kinetoscope_stage.library import Library
from kinetoscope_stage.poses import Pose, Rig, Skin
from kinetoscope_stage.systems.poses import parents_of
from kinetoscope_stage.transforms import GlobalTransform
from kinetoscope_stage.view import View
from kinetoscope_stage.world import World

__all__ = ["RecorderSystem", "Take"]


@attrs.define(eq=False)
class _Track:
    """What one character did. A frame of it belongs to the block of all that were recorded with it."""

    skeleton: int
    skin: int
    positions: list[Array] = attrs.field(factory=list)
    rotations: list[Array] = attrs.field(factory=list)
    scales: list[float] = attrs.field(factory=list)
    start_time: float = 0.0


class Take:
    """What was recorded: a resource of the world. A frame of `J` joints takes `56 J` bytes.

    Attributes:
        most_frames: no more are kept of a character; what comes later is left out.
        step_s: seconds from frame to frame.
    """

    def __init__(self, most_frames: int = 1_000_000) -> None:
        self.most_frames = most_frames
        self.step_s = 0.0
        self._tracks: dict[int, _Track] = {}

    def add(self, chunk: Chunk, positions: Array, rotations: Array, time: float = 0.0) -> None:
        """Add a frame of each character of a chunk, `[n, J, 3]` and `[n, J, 4]`, roots in the world.

        `time` is that at which the step began, s.
        """
        skins, scales = chunk.get(Skin), chunk[GlobalTransform].scale.tolist()
        worn = [-1] * len(chunk) if skins is None else skins.asset.tolist()
        skeletons = chunk[Rig].skeleton.tolist()
        for i, entity in enumerate(chunk.entities.tolist()):
            track = self._tracks.get(entity)
            if track is None:
                track = self._tracks[entity] = _Track(skeletons[i], worn[i], start_time=time)
            if len(track.positions) < self.most_frames:
                track.positions.append(positions[i])
                track.rotations.append(rotations[i])
                track.scales.append(scales[i])

    def entities(self) -> list[int]:
        """Return whose frames are there."""
        return list(self._tracks)

    def motion(self, world: World, entity: int, name: str = "take") -> Motion:
        """Return what a character did, in the world, a frame a step.

        The scale of a character becomes that of its roots. Its `start_time` is when the first step
        that was recorded of it began, on the world's clock: takes of one world fit together.

        Raises:
            ValidationError: nothing of it was recorded.
        """
        track = self._track(entity)
        skeleton = world.resource(Library).skeletons[track.skeleton]
        q = rotation.unroll(rotation.normalize(np.stack(track.rotations)))
        scales = None
        if any(scale != 1 for scale in track.scales):
            scales = np.ones((len(q), len(skeleton), 3))
            scales[:, np.asarray(skeleton.parents) < 0] = np.array(track.scales)[:, None, None]
        positions, rate = np.stack(track.positions), 1 / self.step_s
        return Motion(skeleton, positions, q, rate, name=name, scales=scales, start_time=track.start_time)

    def asset(self, world: World, entity: int, name: str = "take") -> Asset:
        """Return the same as an asset that an importer can write, with the meshes the character wears.

        Raises:
            ValidationError: nothing of it was recorded.
        """
        motion, worn = self.motion(world, entity, name), self._track(entity).skin
        if worn < 0:
            return Asset(name, motion.skeleton, (motion,))
        return attrs.evolve(world.resource(Library).assets[worn], name=name, motions=(motion,))

    def _track(self, entity: int) -> _Track:
        if entity not in self._tracks:
            raise ValidationError(f"nothing of entity {entity} was recorded")
        return self._tracks[entity]


class RecorderSystem:
    """Writes every `Pose` into the world's `Take`; roots stand where the entity's transform puts them."""

    name = "recorder"
    reads = (Pose, Rig, GlobalTransform, Skin)
    writes = ()

    def step(self, world: View, dt: float) -> None:
        """Record a frame; a step of no time is none.

        Raises:
            ValidationError: as `PoseSystem`.
        """
        if dt <= 0:
            return
        take, library = world.resource(Take), world.resource(Library)
        take.step_s = dt
        for chunk in world.query(Pose, Rig, GlobalTransform):
            pose, at, skeletons = chunk[Pose], chunk[GlobalTransform], chunk[Rig].skeleton
            p, q = pose.positions.copy(), pose.rotations.copy()
            for number in np.unique(skeletons):
                rows = np.flatnonzero(skeletons == number)
                place, turn, scale = at.position[rows], at.rotation[rows], at.scale[rows, None]
                parents = parents_of(library, int(number), p.shape[1])
                for root in np.flatnonzero(np.asarray(parents) < 0):
                    p[rows, root] = place + rotation.rotate(turn, scale * p[rows, root])
                    q[rows, root] = rotation.multiply(turn, q[rows, root])
            take.add(chunk, p, q, world.time)
