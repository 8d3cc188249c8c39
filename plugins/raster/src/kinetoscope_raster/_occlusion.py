"""Kernels of occlusion: at half resolution, smoothed, and brought up along surfaces."""

# Kernels take arrays and numbers whose types Numba finds.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, call-arg, call-overload"

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from kinetoscope_raster._kernel import NIMBLE, kernel

__all__ = ["occlude", "open_to_sky", "smooth", "taps"]


def taps(samples: int, radius: float) -> Any:
    """Return `[16, samples, 3]` m: of each turn of the pattern, steps along two axes of a surface and its normal.

    Cosine-weighted directions on a spiral, at distances spread over the radius.
    """
    turn, i = np.arange(16)[:, None] / 16.0, np.arange(samples)[None]
    u = (i + 0.5) / samples
    angle = i * 2.39996323 + turn * 6.2831853
    reach = radius * (0.1 + 0.9 * np.remainder(i * 0.618034 + turn, 1.0))
    flat, up = np.sqrt(u), np.sqrt(1.0 - u)
    return np.stack([reach * flat * np.cos(angle), reach * flat * np.sin(angle), reach * up], axis=-1)


@kernel(parallel=True, fastmath=NIMBLE)
def occlude(depth, normal, tx, ty, near, radius, steps, out):
    """Fill `out [H / 2, W / 2]` with the share of directions within `radius` m that are open (`steps`: taps)."""
    height, width = depth.shape
    samples = steps.shape[1]
    for each_row in numba.prange(out.shape[0]):
        row = np.int64(each_row)  # unsigned by itself: what is below 0 would not be
        for column in range(out.shape[1]):
            y, x = 2 * row, 2 * column
            z = depth[y, x]
            out[row, column] = 1.0
            if not z < 1e30:
                continue
            nx, ny, nz = normal[y, x, 0], normal[y, x, 1], normal[y, x, 2]
            # Two axes beside the normal (Duff et al. 2017), from the camera's own axes.
            sign = 1.0 if nz >= 0.0 else -1.0
            a = -1.0 / (sign + nz)
            b = nx * ny * a
            sx, sy, sz = 1.0 + sign * nx * nx * a, sign * b, -sign * nx
            ox, oy, oz = b, sign + ny * ny * a, -ny
            lift = 0.002 + 0.0015 * z
            px = (2.0 * (x + 0.5) / width - 1.0) * tx * z + nx * lift
            py = (1.0 - 2.0 * (y + 0.5) / height) * ty * z + ny * lift
            pz = -z + nz * lift
            turn = ((column & 3) * 4 + (row & 3)) * 7 % 16
            opened = 0.0
            for i in range(samples):
                c, s, up = steps[turn, i, 0], steps[turn, i, 1], steps[turn, i, 2]
                qx = px + c * sx + s * ox + up * nx
                qy = py + c * sy + s * oy + up * ny
                qz = -(pz + c * sz + s * oz + up * nz)
                hidden = 0.0
                if qz > near:
                    inverse = 1.0 / qz
                    at_x = math.floor((qx * inverse / tx + 1.0) * 0.5 * width)
                    at_y = math.floor((1.0 - qy * inverse / ty) * 0.5 * height)
                    if 0 <= at_x < width and 0 <= at_y < height:
                        behind = qz - depth[int(at_y), int(at_x)]
                        if behind > 0.0:  # what is far in front is another body, not a corner
                            k = min(max(behind / radius - 0.5, 0.0), 1.0)
                            hidden = 1.0 - k * k * (3.0 - 2.0 * k)
                opened += 1.0 - hidden
            out[row, column] = opened / samples


@kernel()
def smooth(depth, occlusion, out):
    """Average each 4 x 4 texels of `occlusion` on one surface, which takes out its pattern."""
    high, wide = occlusion.shape
    for y in range(high):
        for x in range(wide):
            here = depth[2 * y, 2 * x]
            total = weight = 0.0
            if here < 1e30:
                for j in range(max(y - 2, 0), min(y + 2, high)):
                    for i in range(max(x - 2, 0), min(x + 2, wide)):
                        if abs(depth[2 * j, 2 * i] - here) < 0.04 * here:
                            total += occlusion[j, i]
                            weight += 1.0
            out[y, x] = total / weight if weight > 0.0 else 1.0


@kernel(inline="always")
def open_to_sky(depth, occlusion, x, y, z):
    """Return the occlusion at a pixel from the four texels around it that lie on its surface."""
    high, wide = occlusion.shape
    j, i = y >> 1, x >> 1
    py, px = 0.5 * (y & 1), 0.5 * (x & 1)
    below, beside = min(j + 1, high - 1), min(i + 1, wide - 1)
    steep = 25.0 / z
    total = weight = 0.0
    for corner in range(4):
        tx, ty = (
            (beside, below) if corner == 3 else (beside if corner == 1 else i, below if corner == 2 else j)
        )
        share = (px if corner & 1 else 1.0 - px) * (py if corner >> 1 else 1.0 - py) + 1e-3
        share *= max(1e-4, 1.0 - abs(depth[2 * ty, 2 * tx] - z) * steep)
        total += share * occlusion[ty, tx]
        weight += share
    return total / weight
