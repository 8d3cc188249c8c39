"""Figures by which a performance is judged, computed from motions alone.

Every figure can be computed again from the files that a shot writes; the report gives the
constants it used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope.shot.steering import Velocities
from kinetoscope.shot.tracking import TRACKED, Targets, misses
from kinetoscope_spec import JointLimits, Motion, Path, anatomy, kinematics
from kinetoscope_spec.errors import ValidationError

__all__ = ["Gait", "contact_frames", "gait", "judge", "rest_height", "skate_cm_s"]

Array = NDArray[Any]

CONTACT_HEIGHT_M = 0.05
"""Over the height at which toes rest, the height under which a foot may be in contact."""
CONTACT_SPEED_M_S = 0.4
"""Speed of the toes under which a foot is in contact."""
MOVING_M_S = 0.3
"""Horizontal pelvis speed from which on a character is on its way."""
LIMIT_TOLERANCE_RAD = 1e-3
"""What rounding in files may add to a joint angle."""


@attrs.frozen
class Gait:
    """How a character walks, averaged over the frames in which it is on its way.

    Attributes:
        speed_m_s: mean horizontal speed of the pelvis.
        steps_per_s: touch-downs of either foot per second.
        sway_m: mean distance of the pelvis from its own trajectory averaged over one second.
    """

    speed_m_s: float
    steps_per_s: float
    sway_m: float


def _joint(motion: Motion, role: str) -> int:
    try:
        return anatomy.roles(motion.skeleton)[role]
    except KeyError:
        raise ValidationError(
            f"no joint of {motion.name!r} is known as {role!r}; its joints are {', '.join(motion.skeleton.names)}"
        ) from None


def toes(motion: Motion) -> Array:
    """Return the global positions `[T, 2, 3]` m of the left and the right toes."""
    positions, _ = motion.global_transforms()
    return positions[:, [_joint(motion, "left_toes"), _joint(motion, "right_toes")]]


def pelvis(motion: Motion) -> Array:
    """Return the ground positions `[T, 2]` m (x, z) of the hips."""
    positions, _ = motion.global_transforms()
    return positions[:, _joint(motion, "hips")][:, [0, 2]].astype(np.float64)


def rest_height(motions: Sequence[Motion]) -> float:
    """Return the height in m at which toes rest: the fifth percentile over all frames."""
    return float(np.percentile(np.concatenate([toes(motion)[..., 1].ravel() for motion in motions]), 5))


def contact_frames(motion: Motion, rest_m: float) -> Array:
    """Return bool `[T, 2]`: toes lower than 5 cm over `rest_m` and slower than 0.4 m/s."""
    touching: Array = kinematics.contacts(
        toes(motion).astype(np.float64),
        motion.framerate,
        height_m=CONTACT_HEIGHT_M,
        speed_m_s=CONTACT_SPEED_M_S,
        ground_m=rest_m,
    )
    return touching


def skate_cm_s(motion: Motion, contacts: Array) -> float:
    """Return the mean horizontal speed in cm/s of toes over steps whose both frames are in contact.

    0 where there is no such step.
    """
    ground = toes(motion)[..., [0, 2]].astype(np.float64)
    speed = np.linalg.norm(np.diff(ground, axis=0), axis=-1) * motion.framerate * 100
    both = contacts[1:] & contacts[:-1]
    return float(speed[both].mean()) if both.any() else 0.0


def gait(motion: Motion, contacts: Array) -> Gait:
    """Return speed, step frequency and sway of `motion`."""
    ground = pelvis(motion)
    speed = np.linalg.norm(kinematics.velocities(ground, motion.framerate), axis=-1)
    moving = speed > MOVING_M_S
    if not moving.any():
        return Gait(float(speed.mean()), 0.0, 0.0)
    onsets = contacts[1:] & ~contacts[:-1] & moving[1:, None]
    seconds = moving.sum() / motion.framerate
    return Gait(float(speed[moving].mean()), float(onsets.sum() / seconds), _sway(ground, motion.framerate))


def _sway(ground: Array, framerate: float) -> float:
    reach = max(int(framerate / 2), 1)
    if len(ground) <= 2 * reach:
        return 0.0
    kernel = np.ones(2 * reach + 1) / (2 * reach + 1)
    mean = np.stack([np.convolve(ground[:, i], kernel, "valid") for i in (0, 1)], axis=1)
    return float(np.linalg.norm(ground[reach:-reach] - mean, axis=1).mean())


def path_errors(motion: Motion, path: Path) -> Array:
    """Return the distance `[T]` m of the pelvis from the path."""
    distance, errors = 0.0, []
    for point in pelvis(motion):
        distance = max(distance, path.nearest(point, near=distance, window=1.0))
        errors.append(float(np.linalg.norm(path.at(distance) - point)))
    return np.asarray(errors)


def velocity_errors(motion: Motion, wanted: Velocities) -> Array:
    """Return the distance m/s of the pelvis' velocity from the one wanted, both averaged over a second.

    `[T]` of the frames around which there is a whole second.
    """
    ground, rate = pelvis(motion), motion.framerate
    span = min(max(round(rate), 1), len(ground) - 1)
    # A motion's first frame is the first after the beginning.
    asked = wanted.travelled(np.arange(1, len(ground) + 1) / rate)
    went, told = (part[span:] - part[:-span] for part in (ground, asked))
    errors: Array = np.linalg.norm(went - told, axis=-1) * rate / span
    return errors


def judge(
    unplanted: Motion,
    planted: Motion,
    *,
    path: Path | Velocities | Targets,
    limits: JointLimits,
    rest_m: float,
    training: Sequence[Gait],
) -> dict[str, Any]:
    """Return all figures of one performance, ready for JSON.

    Args:
        unplanted: as the model made it.
        planted: as it is shown.
        path: where it was to go, or how fast, or what head and hands were to follow.
        limits: the range of joint angles in the training clips.
        rest_m: the height at which toes rest in the training clips.
        training: the gait of each training clip.
    """
    contacts = contact_frames(unplanted, rest_m)
    walked = gait(planted, contacts)
    excess = limits.excess(planted.rotations)
    ranges = {
        key: [min(getattr(g, key) for g in training), max(getattr(g, key) for g in training)]
        for key in ("speed_m_s", "steps_per_s", "sway_m")
    }
    return {
        "frames": planted.frame_count,
        "contact_share": {side: float(contacts[:, i].mean()) for i, side in enumerate(("left", "right"))},
        "foot_skate_cm_s": {
            "before": skate_cm_s(unplanted, contacts),
            "after": skate_cm_s(planted, contacts),
        },
        **_followed(planted, path),
        "pelvis_speed_m_s": {"value": walked.speed_m_s, "training": ranges["speed_m_s"]},
        "steps_per_s": {"value": walked.steps_per_s, "training": ranges["steps_per_s"]},
        "sway_m": {"value": walked.sway_m, "training": ranges["sway_m"]},
        "joint_angles": {
            "outside_share": float((excess > LIMIT_TOLERANCE_RAD).mean()),
            "max_excess_deg": float(np.degrees(excess.max())),
        },
        "constants": {
            "contact_height_m": CONTACT_HEIGHT_M,
            "contact_speed_m_s": CONTACT_SPEED_M_S,
            "toe_rest_height_m": rest_m,
            "moving_m_s": MOVING_M_S,
            "limit_tolerance_rad": LIMIT_TOLERANCE_RAD,
        },
    }


def _followed(motion: Motion, way: Path | Velocities | Targets) -> dict[str, Any]:
    """Return how far it was from the path, from the velocities that were wanted, or from targets."""
    if isinstance(way, Targets):
        off = misses(motion, way)
        return {
            "tracking_error_m": _spread(off) | {"roles": dict(zip(TRACKED, map(_spread, off.T), strict=True))}
        }
    if isinstance(way, Velocities):
        errors = velocity_errors(motion, way)
        return {"velocity_error_m_s": {"mean": float(errors.mean()), "max": float(errors.max())}}
    errors = path_errors(motion, way)
    return {
        "path_error_m": {"mean": float(errors.mean()), "max": float(errors.max())},
        "path_length_m": way.length,
    }


def _spread(errors: Array) -> dict[str, Any]:
    """Return mean and greatest of the errors that are known; None where none is."""
    known = errors[np.isfinite(errors)]
    return (
        {"mean": float(known.mean()), "max": float(known.max())}
        if known.size
        else {"mean": None, "max": None}
    )
