"""Which channels each joint of a skeleton gets in a file that is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from kinetoscope_bvh._channels import rotation_order
from kinetoscope_spec import Asset, ConfigError, Motion, Skeleton, ValidationError, rotation

DEFAULT_ORDER = "zxy"
"""The order most tools write: heading last, so that the middle angle stays small when walking."""

POSITION = ("Xposition", "Yposition", "Zposition")
SCALE = ("Xscale", "Yscale", "Zscale")
_MOVED_M = 1e-7
_TURNED = 1e-6

Order = str | Mapping[str, str]


def plan(asset: Asset, motion: Motion | None, order: Order | None) -> list[tuple[str, ...]]:
    """Return the channel names of every node of `asset.skeleton`.

    What the file said that the asset was read from stands, as far as it can hold the motion; a
    joint that moves, turns or scales otherwise gets the channels it needs.
    """
    skeleton = asset.skeleton
    read: Mapping[str, Sequence[str]] = asset.metadata.get("channels", {})
    stated = [tuple(read[name]) if name in read else None for name in skeleton.names]
    return [
        _joint(skeleton, joint, motion, stated[joint], _order(order, name))
        for joint, name in enumerate(skeleton.names)
    ]


def _order(order: Order | None, name: str) -> str | None:
    wanted = order if order is None or isinstance(order, str) else order.get(name)
    if wanted is not None and sorted(wanted.lower()) != ["x", "y", "z"]:
        raise ConfigError(f"order of joint {name!r} is {wanted!r}, expected a permutation of 'xyz'")
    return wanted and wanted.lower()


def _joint(
    skeleton: Skeleton, joint: int, motion: Motion | None, read: tuple[str, ...] | None, order: str | None
) -> tuple[str, ...]:
    if read is None:
        read = _fresh(skeleton, joint, order)
    channels = _turning(motion, joint, read, order)
    channels = _with(channels, POSITION, _moved(skeleton, joint, motion, channels), front=True)
    return _with(channels, SCALE, _scaled(joint, motion, channels), front=False)


def _fresh(skeleton: Skeleton, joint: int, order: str | None) -> tuple[str, ...]:
    """Return the channels of a joint that was never in a BVH file: the root moves, all turn."""
    turning = tuple(f"{axis.upper()}rotation" for axis in order or DEFAULT_ORDER)
    return (POSITION if skeleton.parents[joint] < 0 else ()) + turning


def _with(channels: tuple[str, ...], kind: tuple[str, ...], needed: bool, *, front: bool) -> tuple[str, ...]:
    """Return `channels` with all three of a kind if they are needed and any is missing."""
    if not needed or all(name in channels for name in kind):
        return channels
    rest = tuple(name for name in channels if name not in kind)
    return kind + rest if front else rest + kind


def _moved(skeleton: Skeleton, joint: int, motion: Motion | None, channels: tuple[str, ...]) -> bool:
    """Tell whether the joint leaves its rest position along an axis that has no channel."""
    if motion is None:
        return False
    axes = [axis for axis in range(3) if POSITION[axis] not in channels]
    off = motion.positions[:, joint, axes] - skeleton.rest_positions[joint, axes]
    limit = _MOVED_M * (1 + np.abs(skeleton.rest_positions[joint, axes]))
    return bool((np.abs(off) > limit).any())


def _scaled(joint: int, motion: Motion | None, channels: tuple[str, ...]) -> bool:
    """Tell whether the joint is scaled along an axis that has no channel."""
    if motion is None or motion.scales is None:
        return False
    axes = [axis for axis in range(3) if SCALE[axis] not in channels]
    return bool((motion.scales[:, joint, axes] != 1).any())


def _turning(motion: Motion | None, joint: int, read: tuple[str, ...], order: str | None) -> tuple[str, ...]:
    """Return `read` with rotation channels that hold the joint's rotations, in the order wanted."""
    was = rotation_order(read)
    if order is None and was and motion is not None and not _holds(was, motion.rotations[:, joint]):
        order = was if sorted(was) == ["x", "y", "z"] else _completed(was)
    still = motion is None or bool((np.abs(motion.rotations[:, joint, :3]) <= _TURNED).all())
    if order is None and (was or still):
        return read
    names = tuple(f"{axis.upper()}rotation" for axis in order or DEFAULT_ORDER)
    if not was:
        return tuple(n for n in read if n in POSITION) + names + tuple(n for n in read if n in SCALE)
    first = next(i for i, name in enumerate(read) if name.endswith("rotation"))
    before = read[:first]
    return before + names + tuple(n for n in read[first:] if not n.endswith("rotation"))


def _completed(order: str) -> str:
    kept = "".join(dict.fromkeys(order))
    return kept + "".join(axis for axis in "xyz" if axis not in kept)


def _holds(order: str, rotations: NDArray[np.floating]) -> bool:
    """Tell whether Euler angles in this order can give these rotations."""
    if sorted(order) == ["x", "y", "z"]:
        return True
    if len(set(order)) < len(order):
        return False  # proper Euler angles (zxz) are read, not written
    q = rotation.normalize(np.asarray(rotations, np.float64))
    angles = rotation.to_euler(q, _completed(order))
    return bool((np.abs(angles[:, len(order) :]) <= _TURNED).all())


def angles(order: str, rotations: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return angles `[F, len(order)]` in degrees, each running on without jumps of a whole turn."""
    q = rotation.normalize(np.asarray(rotations, np.float64))
    radians = rotation.to_euler(q, _completed(order))[:, : len(order)]
    unwrapped: NDArray[np.float64] = np.rad2deg(np.unwrap(radians, axis=0))
    return unwrapped


def check_names(skeleton: Skeleton) -> None:
    """Raise if the skeleton can't be told in a BVH file."""
    roots = [skeleton.names[joint] for joint in np.flatnonzero(skeleton.parents < 0)]
    if len(roots) != 1:
        raise ValidationError(
            f"the skeleton has {len(roots)} roots ({', '.join(roots[:4])}), a BVH file holds one"
        )
    for name in skeleton.names:
        if name != name.strip() or any(letter in name for letter in "\r\n{\0"):
            raise ValidationError(
                f"joint name {name!r} can't stand in a BVH file: line ends, '{{' and blanks around it are not allowed"
            )
