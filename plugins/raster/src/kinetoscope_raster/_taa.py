"""The kernel of anti-aliasing over time (Karis 2014, "High-quality temporal supersampling").

What was kept of the frames before is looked up where each pixel's surface was, held to what its neighbours
show now, and mixed in: squares of the colours, which are nearly light, times alpha.
"""

# Kernels take arrays and numbers whose types Numba finds.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, call-arg, call-overload, assignment"

from __future__ import annotations

import math

import numba
import numpy as np

from kinetoscope_raster._kernel import NIMBLE, kernel
from kinetoscope_raster._post import _level

__all__ = ["keep", "light", "mix"]

_SPREAD = 1.5
"""Of the neighbours' standard deviation: what was kept may be so far off their mean."""
_NEARER = 0.95
"""Of a surface's distance: what was nearer than this hid it."""


@kernel(fastmath=NIMBLE)
def _around(depth, y, x, far):
    """Return the row and column of the nearest surface of 3 x 3 pixels, its distance and the farthest's, m."""
    height, width = depth.shape
    row, column, nearest, farthest = y, x, 1e300, 0.0
    for v in range(max(y - 1, 0), min(y + 2, height)):
        for u in range(max(x - 1, 0), min(x + 2, width)):
            z = min(depth[v, u], far)
            farthest = max(farthest, z)
            if z < nearest:
                row, column, nearest = v, u, z
    return row, column, nearest, farthest


@kernel()
def light(picture):
    """Return the squares of a picture's colours times alpha, and alpha, `[H, W, 4]`."""
    out = np.empty_like(picture)
    for y in range(picture.shape[0]):
        for x in range(picture.shape[1]):
            alpha = picture[y, x, 3]
            for c in range(3):
                out[y, x, c] = picture[y, x, c] * picture[y, x, c] * alpha
            out[y, x, 3] = alpha
    return out


@kernel(parallel=True)
def keep(shown, depth, far, kept, past):
    """Fill `kept [H, W, 4]` and `past [H, W, 2]` (m to the nearest around, frames mixed) with a first frame."""
    height, width = depth.shape
    for each_y in numba.prange(height):
        y = np.int64(each_y)  # unsigned by itself: what is below 0 would not be
        for x in range(width):
            _, _, nearest, _ = _around(depth, y, x, far)
            for c in range(4):
                kept[y, x, c] = shown[y, x, c]
            past[y, x, 0], past[y, x, 1] = nearest, 1.0


@kernel(fastmath=NIMBLE)
def _cubic(f, weights):
    """Fill `weights [4]` with Catmull and Rom's: mixing again and again must not blur."""
    weights[0] = f * (-0.5 + f * (1.0 - 0.5 * f))
    weights[1] = 1.0 + f * f * (-2.5 + 1.5 * f)
    weights[2] = f * (0.5 + f * (2.0 - 1.5 * f))
    weights[3] = f * f * (-0.5 + 0.5 * f)


@kernel(fastmath=NIMBLE)
def _look_up(kept, px, py, across, down, old):
    """Fill `old [4]` with what was kept at a place between texels."""
    height, width = kept.shape[:2]
    fx, fy = math.floor(px - 0.5), math.floor(py - 0.5)
    _cubic(px - 0.5 - fx, across)
    _cubic(py - 0.5 - fy, down)
    old[:] = 0.0
    for j in range(4):
        v = min(max(int(fy) + j - 1, 0), height - 1)
        for i in range(4):
            u = min(max(int(fx) + i - 1, 0), width - 1)
            weight = across[i] * down[j]
            for c in range(4):
                old[c] += weight * kept[v, u, c]


@kernel(fastmath=NIMBLE)
def _hold(shown, y, x, old):
    """Hold `old [4]` to the spread of the 3 x 3 pixels around in YCoCg, towards their mean (Salvi 2016)."""
    height, width = shown.shape[:2]
    my = mo = mg = sy = so = sg = dense = 0.0
    thin = 1.0
    for j in range(-1, 2):
        v = min(max(y + j, 0), height - 1)
        for i in range(-1, 2):
            u = min(max(x + i, 0), width - 1)
            r, g, b, a = shown[v, u, 0], shown[v, u, 1], shown[v, u, 2], shown[v, u, 3]
            ly, lo, lg = 0.25 * r + 0.5 * g + 0.25 * b, 0.5 * (r - b), 0.5 * g - 0.25 * (r + b)
            my, mo, mg = my + ly, mo + lo, mg + lg
            sy, so, sg = sy + ly * ly, so + lo * lo, sg + lg * lg
            thin, dense = min(thin, a), max(dense, a)
    my, mo, mg = my / 9.0, mo / 9.0, mg / 9.0
    r, g, b = max(old[0], 0.0), max(old[1], 0.0), max(old[2], 0.0)
    ly, lo, lg = 0.25 * r + 0.5 * g + 0.25 * b - my, 0.5 * (r - b) - mo, 0.5 * g - 0.25 * (r + b) - mg
    off = max(
        1.0,
        abs(ly) / (_SPREAD * math.sqrt(max(sy / 9.0 - my * my, 0.0)) + 1e-4),
        abs(lo) / (_SPREAD * math.sqrt(max(so / 9.0 - mo * mo, 0.0)) + 1e-4),
        abs(lg) / (_SPREAD * math.sqrt(max(sg / 9.0 - mg * mg, 0.0)) + 1e-4),
    )
    ly, lo, lg = my + ly / off, mo + lo / off, mg + lg / off
    old[0], old[1], old[2] = max(ly + lo - lg, 0.0), max(ly + lg, 0.0), max(ly - lo - lg, 0.0)
    old[3] = min(max(old[3], thin), dense)


@kernel(fastmath=NIMBLE)
def _came_from(
    depth, motion, past_before, y, x, tx, ty, aside, near, far, turn, moved, lens_before, place
):  # fmt: skip
    """Set `place [2]` (x, y in pixels) to where a pixel's surface was in the frame before.

    Return how many frames are mixed with this one, 1 where it was not to be seen, and the metres to the
    nearest around. That one leads: an outline moves with what is in front.
    """
    height, width = depth.shape
    row, column, nearest, farthest = _around(depth, y, x, far)
    gx, gy = column + 0.5 - motion[row, column, 0], row + 0.5 - motion[row, column, 1]
    vx = ((2.0 * gx / width - 1.0) * tx + aside[0]) * nearest + moved[0]
    vy = ((1.0 - 2.0 * gy / height) * ty + aside[1]) * nearest + moved[1]
    vz = -nearest + moved[2]
    sx = turn[0, 0] * vx + turn[0, 1] * vy + turn[0, 2] * vz
    sy = turn[1, 0] * vx + turn[1, 1] * vy + turn[1, 2] * vz
    sz = -(turn[2, 0] * vx + turn[2, 1] * vy + turn[2, 2] * vz)
    if sz <= near:
        return 1.0, nearest
    # From pixel to pixel: this frame's own place within them is left out of both.
    place[0] = x - column + (sx / (sz * lens_before[0]) + 1.0 - aside[0] / tx) * 0.5 * width
    place[1] = y - row + (1.0 - sy / (sz * lens_before[1]) + aside[1] / ty) * 0.5 * height
    if place[0] < 0.0 or place[1] < 0.0 or place[0] >= width or place[1] >= height:
        return 1.0, nearest
    seen = past_before[int(place[1]), int(place[0])]
    # Something nearer was there: this has been uncovered since. At an outline the neighbours decide instead.
    if seen[0] <= sz * _NEARER - (farthest - nearest):
        return 1.0, nearest
    return seen[1] + 1.0, nearest


@kernel(parallel=True, fastmath=NIMBLE)
def mix(
    shown, depth, motion, tx, ty, aside, near, far, turn, moved, lens_before, least, before, past_before,
    kept, past, out,
):  # fmt: skip
    """Fill `kept`, `past` and the picture `out [H, W, 4]` (sRGB, not premultiplied) from this frame and those before.

    `turn [3, 3]` and `moved [3]` m lead from this camera's axes and place to those of the one before, whose
    picture at a metre is `lens_before [2]` m half wide and high; `motion [H, W, 2]` is in pixels, right and
    down, as a camera that stands still sees it. A new frame counts `least` at least.
    """
    height, width = depth.shape
    for each_y in numba.prange(height):
        y = np.int64(each_y)  # unsigned by itself: what is below 0 would not be
        across, down, old, place = np.empty(4), np.empty(4), np.empty(4), np.empty(2)
        for x in range(width):
            count, nearest = _came_from(
                depth, motion, past_before, y, x, tx, ty, aside, near, far, turn, moved, lens_before, place
            )  # fmt: skip
            share = max(1.0 / count, least)
            if count > 1.0:
                _look_up(before, place[0], place[1], across, down, old)
                _hold(shown, y, x, old)
            else:
                old[:] = shown[y, x]
            alpha = old[3] + (shown[y, x, 3] - old[3]) * share
            for c in range(3):
                value = old[c] + (shown[y, x, c] - old[c]) * share
                kept[y, x, c] = value
                out[y, x, c] = _level(
                    np.float32(math.sqrt(value / alpha)) if alpha > 0.0 else np.float32(0.0)
                )
            kept[y, x, 3] = alpha
            out[y, x, 3] = _level(np.float32(alpha))
            past[y, x, 0], past[y, x, 1] = nearest, min(count, 255.0)
