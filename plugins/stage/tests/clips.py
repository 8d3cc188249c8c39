"""Clips made of sines, for tests: smooth, with a root that walks in a bend."""

from __future__ import annotations

import numpy as np

from kinetoscope_spec import Motion, Skeleton, rotation

JOINTS = 5
SKELETON = Skeleton(
    ("root", "spine", "neck", "arm", "hand"),
    np.array([-1, 0, 1, 1, 3]),
    np.array([[0, 1, 0], [0, 0.3, 0], [0, 0.2, 0], [0.2, 0.1, 0], [0.3, 0, 0]]),
)


def clip(
    seed: int = 0, frames: int = 31, turn: float = 0.5, speed: float = 1.2, framerate: float = 30.0
) -> Motion:
    random = np.random.default_rng(seed)
    t = np.arange(frames) / framerate
    wave = random.normal(size=(JOINTS, 3)) * 0.4
    phase = random.uniform(0, 6, (JOINTS, 1))
    q = rotation.from_rotation_vector(np.sin(3 * t[:, None, None] + phase) * wave)
    yaw = turn * t
    q[:, 0] = rotation.multiply(
        rotation.from_yaw(yaw), rotation.from_rotation_vector(0.1 * np.sin(4 * t)[:, None] * [1, 0, 1])
    )
    p = np.repeat(SKELETON.rest_positions[None], frames, axis=0)
    p[:, 0, 0] = np.cumsum(np.sin(yaw)) * speed / framerate
    p[:, 0, 2] = np.cumsum(np.cos(yaw)) * speed / framerate
    p[:, 0, 1] += 0.05 * np.sin(6 * t)
    return Motion(SKELETON, p, q, framerate)
