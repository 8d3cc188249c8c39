"""Motions, into the animations of a glTF."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinetoscope_glb import _clips
from kinetoscope_glb._pack import Pack
from kinetoscope_spec import Mesh, Motion, ValidationError, kinematics, rotation

Floats = NDArray[np.float32]


def animation(motion: Motion, shown: Mapping[int, Mesh], pack: Pack) -> dict[str, Any]:
    """Return a motion as it stands in the JSON; `shown` is the mesh with morphs of each node that has one.

    Linear samplers with a key a frame. A channel that holds still has one key, and none where it
    holds the rest pose; but one channel always spans the whole clip, so that viewers know its length.
    """
    times = _times(motion)
    channels = [channel for channel in _channels(motion, shown) if channel is not None]
    if not channels:
        channels = [(0, "rotation", _rotations(motion, 0)[:1], np.zeros(4, np.float32))]
    moving = any(len(values) > 1 for _, _, values, _ in channels)
    samplers, targets = [], []
    for number, (node, path, values, _) in enumerate(channels):
        if not moving and number == 0 and len(times) > 1:
            at, held = times[[0, -1]], np.repeat(values, 2, axis=0)
        else:
            at, held = times[: len(values)], values
        flat = held.ravel() if path == "weights" else held
        samplers.append({"input": pack.add(at, "<f4", bounds=True), "output": pack.add(flat, "<f4")})
        targets.append({"sampler": number, "target": {"node": node, "path": path}})
    noted = {
        "framerate": float(motion.framerate),
        "frames": motion.frame_count,
        "start_time": float(motion.start_time),
    }
    named = {"name": motion.name} if motion.name else {}
    return {**named, "channels": targets, "samplers": samplers, "extras": {_clips.EXTRAS: noted}}


_Channel = tuple[int, str, Floats, Floats]


def _times(motion: Motion) -> Floats:
    """Return the key times, from the motion's start, or from 0 where that suits float32 no better."""
    steps = np.arange(motion.frame_count) / motion.framerate
    for start in (motion.start_time, 0.0):
        with np.errstate(over="ignore"):
            times = (start + steps).astype(np.float32)
        # A tenth of a frame is the most that rounding may move a key.
        exact = np.abs(times - (start + steps)).max() * motion.framerate <= 0.1
        if start >= 0 and exact and (np.diff(times) > 0).all():
            return times
    raise ValidationError(
        f"motion {motion.name!r} has {motion.frame_count:,} frames at {motion.framerate:g} a second; "
        "glTF's times are float32, which can't tell so many apart"
    )


def _channels(motion: Motion, shown: Mapping[int, Mesh]) -> Iterator[_Channel | None]:
    skeleton = motion.skeleton
    scales = np.ones((motion.frame_count, 1, 3)) if motion.scales is None else motion.scales
    for joint in range(len(skeleton)):
        yield _reduced(joint, "translation", motion.positions[:, joint], skeleton.rest_positions[joint])
        yield _reduced(joint, "rotation", _rotations(motion, joint), skeleton.rest_rotations[joint])
        held = scales[:, min(joint, scales.shape[1] - 1)]
        yield _reduced(joint, "scale", held, skeleton.rest_scales[joint])
    for node, mesh in shown.items():
        if not set(mesh.morph_names) & set(motion.morph_weights):
            continue
        rest = np.asarray(kinematics.morph_factors(mesh))
        yield _reduced(node, "weights", _factors(motion, mesh), rest)


def _rotations(motion: Motion, joint: int) -> Floats:
    turns = rotation.normalize(np.asarray(motion.rotations[:, joint], np.float64))
    return np.asarray(rotation.unroll(turns)).astype(np.float32)


def _factors(motion: Motion, mesh: Mesh) -> NDArray[np.float64]:
    """Return the weights `[T, M]` of a mesh's targets."""
    rest = np.asarray(kinematics.morph_factors(mesh))
    plain = len(set(mesh.morph_names)) == len(mesh.morph_names) and bool(np.all(mesh.morph_peaks == 1))
    if plain:
        still = np.full(motion.frame_count, 0.0)
        columns: Sequence[NDArray[Any]] = [
            motion.morph_weights.get(name, still + rest[i]) for i, name in enumerate(mesh.morph_names)
        ]
        return np.stack(columns, axis=1)
    found = np.empty((motion.frame_count, len(rest)))
    for frame in range(motion.frame_count):
        weights = {name: float(curve[frame]) for name, curve in motion.morph_weights.items()}
        found[frame] = kinematics.morph_factors(mesh, weights)
    return found


def _reduced(node: int, path: str, values: NDArray[Any], rest: NDArray[Any]) -> _Channel | None:
    with np.errstate(over="ignore"):
        held, still = values.astype(np.float32), rest.astype(np.float32)
    if (held != held[0]).any():
        return node, path, held, still
    return None if (held[0] == still).all() else (node, path, held[:1], still)
