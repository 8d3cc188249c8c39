"""Bent motion: a straight walk made to turn, so that a model learns to follow curves.

Mocap of straight walks tells nothing about turning. Here the whole body is turned about the
vertical through the foot it stands on, so that no foot slides, at a rate that wanders smoothly:
were it constant, a model could read it off the past and would not learn to look at what is wanted.
"""

from __future__ import annotations

import attrs
import numpy as np

from kinetoscope_features import formulas
from kinetoscope_features.body import Array, Body
from kinetoscope_features.root import smoothed
from kinetoscope_spec import Motion, rotation

__all__ = ["bent", "wandering"]

_WANDER_S = 0.6
"""Standard deviation of the window that smooths the turn rate: it changes over about two seconds."""

_SHIFT_S = 0.08
"""How gradually the pivot passes from one foot to the other."""


def wandering(frames: int, framerate: float, deviation: float, random: np.random.Generator) -> Array:
    """Return a smooth random series `[frames]` around 0 with standard deviation `deviation`."""
    sigma = _WANDER_S * framerate
    reach = int(np.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    noise = random.normal(size=frames + 2 * reach)
    series: Array = np.convolve(noise, kernel, mode="valid") * (deviation / np.sqrt((kernel**2).sum()))
    return series


def _pivots(body: Body, positions: Array, framerate: float) -> Array:
    """Return the ground point `[T, 2]` that the body stands on: a foot, or below the hips in flight."""
    feet = body.foot_positions(positions)
    touching = body.contacts(feet, framerate, height_m=0.04, speed_m_s=0.6).astype(np.float64)
    weights = np.concatenate([touching, np.full((len(touching), 1), 0.02)], axis=1)
    weights = np.maximum(smoothed(weights, framerate, _SHIFT_S), 1e-3)
    points = np.concatenate([feet, positions[:, [body.hips]]], axis=1)[..., [0, 2]]
    pivots: Array = (points * weights[..., None]).sum(axis=1) / weights.sum(axis=1, keepdims=True)
    return pivots


def bent(motion: Motion, body: Body, turn_rates: Array) -> Motion:
    """Return `motion` turned about its stance foot by `turn_rates [T]`, rad/s on top of its own.

    Only the transforms of root joints change, so the pose stays what it is.
    """
    positions = np.asarray(motion.global_transforms()[0], np.float64)
    pivots = _pivots(body, positions, motion.framerate)
    angles = np.concatenate([[0.0], np.cumsum(turn_rates[:-1] / motion.framerate)])
    # Frame t lies at R(a_t) p + b_t. From t to t+1 the pivot of frame t stays where it is:
    # R(a_t) p_t + b_t = R(a_t+1) p_t + b_t+1.
    steps = formulas.turned(angles[:-1], pivots[:-1]) - formulas.turned(angles[1:], pivots[:-1])
    shift = np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])
    new_positions, new_rotations = np.array(motion.positions), np.array(motion.rotations)
    turn = rotation.from_yaw(angles)
    for joint in np.flatnonzero(motion.skeleton.parents < 0):
        moved = rotation.rotate(turn, np.asarray(motion.positions[:, joint], np.float64))
        new_positions[:, joint] = moved + formulas.ground_point(shift)
        new_rotations[:, joint] = rotation.multiply(turn, np.asarray(motion.rotations[:, joint], np.float64))
    return attrs.evolve(motion, positions=new_positions, rotations=new_rotations, name=f"{motion.name}-bent")
