"""From the stage back to clips."""

from __future__ import annotations

import numpy as np

from kinetoscope_spec import Motion, ValidationError, rotation
from kinetoscope_stage._component import Array
from kinetoscope_stage.library import Library
from kinetoscope_stage.poses import Pose, Rig
from kinetoscope_stage.transforms import GlobalTransform
from kinetoscope_stage.view import View
from kinetoscope_stage.world import World

__all__ = ["RecorderSystem", "Take"]


class Take:
    """What was recorded: a resource of the world. A frame of `J` joints takes `56 J` bytes.

    Attributes:
        most_frames: no more are kept of a character; what comes later is left out.
    """

    def __init__(self, most_frames: int = 1_000_000) -> None:
        self.most_frames = most_frames
        self._frames: dict[int, tuple[int, list[Array], list[Array]]] = {}
        self.step_s = 0.0

    def add(self, entity: int, skeleton: int, positions: Array, rotations: Array) -> None:
        """Add a frame of a character."""
        _, held_p, held_q = self._frames.setdefault(entity, (skeleton, [], []))
        if len(held_p) < self.most_frames:
            held_p.append(positions)
            held_q.append(rotations)

    def entities(self) -> list[int]:
        """Return whose frames are there."""
        return list(self._frames)

    def motion(self, world: World, entity: int, name: str = "take") -> Motion:
        """Return what a character did, in the world, a frame a step.

        Raises:
            ValidationError: nothing of it was recorded.
        """
        if entity not in self._frames:
            raise ValidationError(f"nothing of entity {entity} was recorded")
        number, positions, rotations = self._frames[entity]
        skeleton = world.resource(Library).skeletons[number]
        q = rotation.unroll(rotation.normalize(np.stack(rotations)))
        return Motion(skeleton, np.stack(positions), q, 1 / self.step_s, name=name)


class RecorderSystem:
    """Writes every `Pose` into the world's `Take`; roots stand where the entity's transform puts them."""

    name = "recorder"
    reads = (Pose, Rig, GlobalTransform)
    writes = ()

    def step(self, world: View, dt: float) -> None:
        """Record a frame; a step of no time is none."""
        if dt <= 0:
            return
        take, library = world.resource(Take), world.resource(Library)
        take.step_s = dt
        for chunk in world.query(Pose, Rig, GlobalTransform):
            pose, at = chunk[Pose], chunk[GlobalTransform]
            # Poses have no scales: a character that is scaled is recorded with longer bones.
            p, q = at.scale[:, None, None] * pose.positions, pose.rotations.copy()
            for number in np.unique(chunk[Rig].skeleton):
                rows = np.flatnonzero(chunk[Rig].skeleton == number)
                for root in np.flatnonzero(library.skeletons[int(number)].parents < 0):
                    p[rows, root] = at.position[rows] + rotation.rotate(at.rotation[rows], p[rows, root])
                    q[rows, root] = rotation.multiply(at.rotation[rows], q[rows, root])
            for i, entity in enumerate(chunk.entities.tolist()):
                take.add(entity, int(chunk[Rig].skeleton[i]), p[i], q[i])
