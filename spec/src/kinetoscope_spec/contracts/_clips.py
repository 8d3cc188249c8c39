"""What laws do to clips, in plain float64, and how they name columns."""

from __future__ import annotations

import attrs
import numpy as np

from kinetoscope_spec._arrays import Array
from kinetoscope_spec.contracts.strategies._bodies import quaternion_product
from kinetoscope_spec.learning import FeatureSchema
from kinetoscope_spec.motion import Motion
from kinetoscope_spec.protocols import Control

__all__ = ["ahead", "carried", "doubled", "label", "rates", "reversed_clip"]


def label(schema: FeatureSchema, i: int) -> str:
    """Name column `i`."""
    if i >= len(schema):
        return f"column {i}"
    column = schema.columns[i]
    parts = [part for part in (column.joint, column.component) if part is not None]
    return f"column {i} ({' '.join([column.name, *parts])}, {column.unit})"


def rates(schema: FeatureSchema) -> list[int]:
    """Return the columns in units per second."""
    return [i for i, column in enumerate(schema.columns) if column.unit.endswith("/s")]


def ahead(ground: Array, facing: Array) -> Control:
    """Return the control to walk on at 1 m/s the way one faces."""
    times = np.arange(1, 6) / 5
    return Control(times, ground + times[:, None] * np.asarray(facing), np.tile(facing, (5, 1)))


def carried(motion: Motion, yaw: float, x: float, z: float) -> Motion:
    """Return the motion with every root turned by `yaw` about the vertical and moved by (x, z)."""
    turn = np.array([0.0, np.sin(yaw / 2), 0.0, np.cos(yaw / 2)])
    positions, rotations = np.array(motion.positions, np.float64), np.array(motion.rotations, np.float64)
    for root in np.flatnonzero(motion.skeleton.parents < 0):
        px, pz = positions[:, root, 0].copy(), positions[:, root, 2].copy()
        positions[:, root, 0] = np.cos(yaw) * px + np.sin(yaw) * pz + x
        positions[:, root, 2] = np.cos(yaw) * pz - np.sin(yaw) * px + z
        rotations[:, root] = quaternion_product(turn, rotations[:, root])
    return attrs.evolve(motion, positions=positions, rotations=rotations)


def reversed_clip(motion: Motion) -> Motion:
    """Return the motion played backwards."""
    scales = None if motion.scales is None else motion.scales[::-1]
    return attrs.evolve(
        motion,
        positions=motion.positions[::-1],
        rotations=motion.rotations[::-1],
        scales=scales,
        morph_weights={name: curve[::-1] for name, curve in motion.morph_weights.items()},
    )


def doubled(motion: Motion) -> Motion:
    """Return the motion at twice the framerate: between two frames their mean, and half the turn."""
    p, q = (np.asarray(held, np.float64) for held in (motion.positions, motion.rotations))
    sign = np.where((q[1:] * q[:-1]).sum(axis=-1, keepdims=True) < 0, -1.0, 1.0)
    half = q[:-1] + sign * q[1:]
    half /= np.linalg.norm(half, axis=-1, keepdims=True)
    count = 2 * motion.frame_count - 1
    positions, rotations = np.empty((count, *p.shape[1:])), np.empty((count, *q.shape[1:]))
    positions[::2], positions[1::2] = p, 0.5 * (p[:-1] + p[1:])
    rotations[::2], rotations[1::2] = q, half
    return attrs.evolve(
        motion,
        positions=positions,
        rotations=rotations,
        framerate=2 * motion.framerate,
        scales=None,
        morph_weights={},
    )
