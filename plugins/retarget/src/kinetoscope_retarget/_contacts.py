"""When the source's feet stand, and how far the target's are from standing with them."""

from __future__ import annotations

import numpy as np

from kinetoscope_retarget.protocol import Array
from kinetoscope_spec import ValidationError, footing, kinematics

__all__ = ["given", "standing"]

_HEIGHT = 0.04
"""Of a leg's length, how far over its lowest a standing foot may be."""

_SPEED_PER_S = 0.45
"""Leg lengths a second under which a foot stands."""

_GAP_S, _BLIP_S = 0.1, 0.06
"""Shorter gaps in a contact are closed, shorter contacts dropped."""


def standing(points: Array, leg: float, framerate: float) -> Array:
    """Return bool `[T, K]`: when feet at global `points [T, K, 3]` stand, on legs `leg` m long."""
    lowest = np.percentile(points[..., 1], 5, axis=0)
    found: Array = kinematics.contacts(
        points, framerate, height_m=_HEIGHT * leg, speed_m_s=_SPEED_PER_S * leg, ground_m=lowest
    )
    return footing.tidied(found, round(_GAP_S * framerate), round(_BLIP_S * framerate))


def given(contacts: Array, frames: int) -> Array:
    """Check contacts that a caller gives.

    Raises:
        ValidationError: not bool `[T, 2]`.
    """
    array = np.asarray(contacts)
    if array.dtype != bool or array.shape != (frames, 2):
        raise ValidationError(
            f"retarget: contacts is {array.dtype} {list(array.shape)}, expected bool [{frames}, 2] (left, right)"
        )
    return array
