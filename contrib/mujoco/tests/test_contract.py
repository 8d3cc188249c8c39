from __future__ import annotations

import numpy as np

from kinetoscope_mujoco import BOX, CAPSULE, SPHERE, Body
from kinetoscope_mujoco.system import RigidBodySystem
from kinetoscope_stage import Transform
from kinetoscope_stage.hooks import SystemContract


class TestRigidBodies(SystemContract):
    provider = RigidBodySystem

    def populate(self, world, count, seed):
        random = np.random.default_rng(seed)
        turns = random.normal(size=(count, 4))
        turns /= np.linalg.norm(turns, axis=1, keepdims=True)
        return world.spawn_many(
            count,
            Transform(
                random.uniform([-0.5, 0.5, -0.5], [0.5, 1.5, 0.5], (count, 3)),
                turns,
                random.uniform(0.5, 2, count),
            ),
            Body(
                shape=random.choice([SPHERE, CAPSULE, BOX], count),
                size=random.uniform(0.1, 0.4, (count, 3)),
                mass=random.choice([0.0, 1.0, 20.0], count),
                velocity=random.normal(size=(count, 3)),
                spin=random.normal(size=(count, 3)),
            ),
        )
