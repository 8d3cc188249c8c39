"""Clips whose truth is known by formula: a stick figure carried along a straight line or a circle."""

from __future__ import annotations

import numpy as np
import pytest

from kinetoscope_spec import Motion, Skeleton, rotation

NAMES = ["Root", "Hips", "Spine", "LeftUpLeg", "LeftLeg", "LeftFoot", "LeftToeBase", "RightUpLeg", "RightLeg",
         "RightFoot", "RightToeBase", "LeftArm", "LeftHand", "RightArm", "RightHand"]  # fmt: skip
PARENTS = [-1, 0, 1, 1, 3, 4, 5, 1, 7, 8, 9, 2, 11, 2, 13]
REST = [[0, 0, 0], [0, 1, 0], [0, 0.4, 0], [0.1, 0, 0], [0, -0.45, 0], [0, -0.45, 0], [0, -0.08, 0.12],
        [-0.1, 0, 0], [0, -0.45, 0], [0, -0.45, 0], [0, -0.08, 0.12],
        [0.2, 0, 0], [0.5, 0, 0], [-0.2, 0, 0], [-0.5, 0, 0]]  # fmt: skip


class Walkers:
    """Makes clips of one skeleton; travel is in the hips unless `by_root`."""

    skeleton = Skeleton(NAMES, PARENTS, np.array(REST, float))

    def walk(
        self,
        *,
        speed=1.2,
        turn_rate=0.0,
        frames=120,
        framerate=30.0,
        swing=0.5,
        by_root=False,
        gait="kneed",
        name="walk_a_01",
    ):
        """Travel at `speed` m/s, turning at `turn_rate` rad/s, legs and arms swinging at 1 Hz.

        The left knee stops bending at once, as knees do; `gentle` it bends as a sinusoid; `stepping` the
        legs are lifted in turns, each standing still half of the time.
        """
        t = np.arange(frames) / framerate
        yaw = turn_rate * t
        if turn_rate:
            x, z = (1 - np.cos(yaw)) * speed / turn_rate, np.sin(yaw) * speed / turn_rate
        else:
            x, z = np.zeros_like(t), speed * t
        positions = np.repeat(self.skeleton.rest_positions[None], frames, axis=0)
        rotations = np.repeat(self.skeleton.rest_rotations[None], frames, axis=0)
        travel = np.stack([x, np.zeros_like(x), z], axis=1)
        carrier = 0 if by_root else 1
        positions[:, carrier] += travel
        rotations[:, carrier] = rotation.from_yaw(yaw)
        angle = swing * np.sin(2 * np.pi * t)
        across = np.repeat([[1.0, 0.0, 0.0]], frames, axis=0)
        for joint, sign in ((3, 1), (7, -1), (11, -1), (13, 1)):
            turn = -np.maximum(sign * angle, 0) if gait == "stepping" else sign * angle
            rotations[:, joint] = rotation.from_axis_angle(across, turn)
        bend = np.sin(2 * np.pi * t + 1.0)
        bend = {"gentle": 0.5 + 0.5 * bend, "kneed": np.maximum(bend, 0), "stepping": 0 * t}[gait]
        rotations[:, 4] = rotation.from_axis_angle(across, swing * bend)
        return Motion(self.skeleton, positions, rotations, framerate, name=name)

    def moved(self, motion, yaw, ground):
        """Carry a whole clip elsewhere: turned about the vertical, then shifted over the ground."""
        positions, rotations = motion.positions.copy(), motion.rotations.copy()
        turn = rotation.from_yaw(np.asarray(float(yaw)))
        positions[:, 0] = rotation.rotate(turn, positions[:, 0]) + np.array([ground[0], 0.0, ground[1]])
        rotations[:, 0] = rotation.multiply(np.broadcast_to(turn, rotations[:, 0].shape), rotations[:, 0])
        return Motion(motion.skeleton, positions, rotations, motion.framerate, name=motion.name)


@pytest.fixture(scope="session")
def walkers() -> Walkers:
    return Walkers()
