"""From bones and channel values to nodes and their transforms.

A bone begins where the one above it ends. Its rotation, in the figure's axes, is `C M C*`: `C` its
own axes, `M` the angles of the frame, each about an axis that the ones after it turn (X first for
XYZ). So every node rests unturned, at the end of the bone above.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kinetoscope_asf._motion import Frames
from kinetoscope_asf._skeleton import Bone, Figure
from kinetoscope_spec import Motion, Skeleton, rotation

__all__ = ["end_sites", "extent", "moving", "skeleton_of"]

Floats = NDArray[np.float64]


def _ends(figure: Figure) -> Floats:
    """Return where each bone ends relative to where it begins, `[J, 3]` in file units."""
    return np.array([np.multiply(bone.direction, bone.length) for bone in figure.bones]).reshape(-1, 3)


def end_sites(figure: Figure) -> dict[str, Floats]:
    """Return, in file units, the ends of the bones on which nothing hangs."""
    above = {bone.parent for bone in figure.bones}
    ends = _ends(figure)
    return {bone.name: ends[i] for i, bone in enumerate(figure.bones) if i not in above and i > 0}


def skeleton_of(figure: Figure, unit: float, *, with_ends: bool) -> Skeleton:
    """Return the skeleton of all bones, nodes where they begin; perhaps with nodes for loose ends."""
    ends = _ends(figure)
    names = [bone.name for bone in figure.bones]
    parents = [bone.parent for bone in figure.bones]
    rest = [np.asarray(figure.bones[0].position, np.float64), *(ends[parent] for parent in parents[1:])]
    if with_ends:
        taken = set(names)
        for name, end in end_sites(figure).items():
            wanted, count = f"{name}_end", 1
            while wanted in taken:
                count += 1
                wanted = f"{name}_end_{count}"
            taken.add(wanted)
            parents.append(names.index(name))
            names.append(wanted)
            rest.append(end)
    return Skeleton(tuple(names), np.array(parents), np.array(rest) * unit)


def extent(skeleton: Skeleton) -> float:
    """Return the longest side of the box around the rest pose."""
    return float(np.ptp(skeleton.rest_transforms()[0], axis=0).max())


def moving(
    figure: Figure, frames: Frames, skeleton: Skeleton, unit: float, framerate: float, name: str
) -> Motion:
    """Return the motion of `skeleton` that the frames hold, in float32."""
    shape = (len(frames.values), len(skeleton))
    positions = np.broadcast_to(skeleton.rest_positions, (*shape, 3)).astype(np.float32)
    rotations = np.zeros((*shape, 4), np.float32)
    rotations[..., 3] = 1
    for joint, bone in enumerate(figure.bones):
        if not bone.channels:
            continue
        start = frames.columns[bone.name]
        values = frames.values[:, start : start + len(bone.channels)]
        axes = _turn(np.asarray(bone.axis, np.float64)[None], bone.order, figure.degrees)[0]
        rotations[:, joint] = _rotations(bone, values, axes, frames.degrees)
        shift = _shift(bone, values)
        if shift.any():
            # The root's numbers are its place in the figure's axes; a bone moves along its own.
            moved = shift if joint == 0 else rotation.rotate(axes, shift)
            positions[:, joint] = skeleton.rest_positions[joint] + moved * unit
    start_time = max(frames.first - 1, 0) / framerate
    return Motion(skeleton, positions, rotations, framerate, name, start_time=start_time)


def _shift(bone: Bone, values: Floats) -> Floats:
    shift = np.zeros((len(values), 3))
    for i, channel in enumerate(bone.channels):
        if channel[0] == "t":
            shift[:, "xyz".index(channel[1])] = values[:, i]
    return shift


def _rotations(bone: Bone, values: Floats, axes: Floats, degrees: bool) -> Floats:
    """Return the rotations `[F, 4]` of a bone: its angles, about its own axes."""
    angles = np.zeros((len(values), 3))
    for i, channel in enumerate(bone.channels):
        if channel[0] == "r":
            angles[:, "xyz".index(channel[1])] = values[:, i]
    turn = _turn(angles, bone.order, degrees)
    turned: Floats = rotation.multiply(rotation.multiply(axes, turn), rotation.conjugate(axes))
    return turned


def _turn(angles: Floats, order: str, degrees: bool) -> Floats:
    """Return the rotations of `angles [F, 3]` about x, y and z, the first of `order` applied first."""
    radians = np.deg2rad(angles) if degrees else angles
    last_first = order[::-1]
    sorted_ = radians[:, ["xyz".index(axis) for axis in last_first]]
    turned: Floats = rotation.from_euler(last_first, sorted_)
    return turned
