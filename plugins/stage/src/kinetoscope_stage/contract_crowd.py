"""The contract of the systems here that move characters: their laws are run on a small crowd."""

from __future__ import annotations

import numpy as np

from kinetoscope_spec import Motion, Path, Skeleton, rotation
from kinetoscope_stage._component import Array
from kinetoscope_stage.character import character
from kinetoscope_stage.contract import SystemContract
from kinetoscope_stage.library import Library
from kinetoscope_stage.poses import Animator, BlendValues, LookAt
from kinetoscope_stage.springs import Spring
from kinetoscope_stage.systems.animation import play
from kinetoscope_stage.systems.cameras import CameraRig
from kinetoscope_stage.systems.movement import Follower
from kinetoscope_stage.systems.reach import Reach
from kinetoscope_stage.systems.sway import sway
from kinetoscope_stage.trees import Along
from kinetoscope_stage.world import World

__all__ = ["CrowdContract"]

_SKELETON = Skeleton(
    ("Hips", "Spine", "Head", "Arm", "Hand"),
    np.array([-1, 0, 1, 1, 3]),
    np.array([[0, 1, 0], [0, 0.3, 0], [0, 0.2, 0], [0.2, 0.1, 0], [0.3, 0, 0]]),
)


def _walk(random: np.random.Generator, frames: int = 31, framerate: float = 30.0) -> Motion:
    """Return a clip of sines whose hips go ahead."""
    t = np.arange(frames) / framerate
    swing = random.normal(size=(5, 3)) * 0.4
    turns = rotation.from_rotation_vector(np.sin(3 * t[:, None, None] + random.uniform(0, 6)) * swing)
    places = np.repeat(np.asarray(_SKELETON.rest_positions)[None], frames, axis=0)
    places[:, 0, 2] += 1.2 * t
    return Motion(_SKELETON, places, turns, framerate)


class CrowdContract(SystemContract):
    """Runs the laws on characters that play, look, reach, swing, follow and are filmed."""

    def populate(self, world: World, count: int, seed: int) -> Array:
        """Make a crowd; some are in the middle of a transition."""
        random = np.random.default_rng(seed)
        library = world.resource(Library)
        numbers = [library.clip(_walk(random)) for _ in range(2)]
        numbers.append(library.tree(Along(0, {0.0: numbers[0], 1.0: numbers[1]})))
        library.path(Path(np.array([[0, 0], [3, 1], [4, 5]])))
        ids = character(world, _SKELETON).spawn(
            world,
            count,
            Animator(clip=random.choice(numbers, count), time=random.uniform(0, 3, count)),
            BlendValues(random.uniform(-1, 2, (count, 4))),
            LookAt(joint=2, target=random.normal(size=(count, 3)) * 4),
            Reach(root=1, end=4, target=random.normal(size=(count, 3)), weight=random.uniform(0, 1, count)),
            Spring(goal=random.normal(size=(count, 3))),
            CameraRig(yaw=random.normal(size=count)),
            Follower(path=0, speed=random.normal(size=count)),
            sway(_SKELETON, "Head", "Hand"),
        )
        for entity in ids[::2].tolist():
            play(world, entity, numbers[0])
        return ids
