"""Pole targets: to which side a chain bends."""

from __future__ import annotations

import numpy as np

from kinetoscope_fabrik._cases import dot, size, unit
from kinetoscope_fabrik.protocol import Array


def towards(p: Array, pole: Array) -> Array:
    """Turn whole chains about the line from root to end so that they bend towards `pole [B, 3]`.

    `p [B, N, 3]` and `pole` are relative to the roots. A rotation keeps every length and the end. A
    chain bends to where the sum of its joints' offsets from the line points (its widest joint's,
    where that sum vanishes). Straight chains, poles on the line and ends at the root leave nothing
    to turn, and a chain that bends towards its pole already is left exactly as it is.
    """
    axis = unit(p[:, -1])
    aside = p - dot(p, axis[:, None])[..., None] * axis[:, None]
    widest = np.take_along_axis(aside, dot(aside, aside).argmax(axis=1)[:, None, None], axis=1)[:, 0]
    bend = aside.sum(axis=1)
    bend = np.where((dot(bend, bend) > 1e-12 * dot(widest, widest))[:, None], bend, widest)
    wanted = pole - dot(pole, axis)[:, None] * axis
    tiny = 1e-9 * size(p).max(axis=1)
    turns = (size(p[:, -1]) > tiny) & (size(widest) > tiny) & (size(wanted) > tiny)
    cosine = dot(unit(bend), unit(wanted))
    sine = dot(np.cross(unit(bend), unit(wanted)), axis)
    turns &= (cosine < 0) | (np.abs(sine) > 1e-12)
    # Rodrigues' formula; the part along the axis stays.
    turned = p - aside + cosine[:, None, None] * aside + sine[:, None, None] * np.cross(axis[:, None], aside)
    return np.where(turns[:, None, None], turned, p)
