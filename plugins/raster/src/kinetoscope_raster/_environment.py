"""Kernels of light from all around: what surfaces return and mirror of it, and what is seen behind them."""

# Kernels take arrays and numbers whose types Numba finds.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, call-arg, call-overload"

from __future__ import annotations

import math

import numba
import numpy as np

from kinetoscope_raster._kernel import kernel
from kinetoscope_raster._occlusion import open_to_sky
from kinetoscope_raster._reflection import mirrored_of

__all__ = ["behind", "surround"]


@kernel()
def _mirrored(maps, level, x, y, z, out, weight):
    """Add `weight` of one level of `maps [L, H, W, 3]` in the direction (x, y, z) to `out`."""
    high, wide = maps.shape[1], maps.shape[2]
    u = (math.atan2(x, -z) / (2.0 * math.pi) + 0.5) * wide - 0.5
    v = math.acos(min(max(y, -1.0), 1.0)) / math.pi * high - 0.5
    v = min(max(v, 0.0), high - 1.0)
    left, top = math.floor(u), math.floor(v)
    for corner in range(4):
        cx, cy = corner & 1, corner >> 1
        share = (u - left if cx else 1.0 - u + left) * (v - top if cy else 1.0 - v + top) * weight
        row, column = min(int(top) + cy, high - 1), (int(left) + cx) % wide
        for c in range(3):
            out[c] += share * maps[level, row, column, c]


@kernel()
def _fallen(sh, x, y, z, c):
    """Return the irradiance over pi at a surface that faces (x, y, z), of one colour."""
    flat = 0.28209479 * sh[0, c] + 0.48860251 * (y * sh[1, c] + z * sh[2, c] + x * sh[3, c])
    bent = 1.09254843 * (x * y * sh[4, c] + y * z * sh[5, c] + x * z * sh[7, c])
    return max(
        flat + bent + 0.31539157 * (3.0 * z * z - 1.0) * sh[6, c] + 0.54627422 * (x * x - y * y) * sh[8, c],
        0.0,
    )


@kernel(parallel=True)
def surround(depth, albedo, normal, kind, occlusion, tx, ty, aside, axes, sh, maps, split, out):
    """Add to `out [H, W, 3]` the light that surfaces send on; `axes [3, 3]` are from the camera's to the world's.

    Rays go `aside [2]` m of their pixels' centres, a metre away.
    """
    height, width = depth.shape
    for each_y in numba.prange(height):
        y = np.int64(each_y)  # unsigned by itself: what is below 0 would not be
        way, face, mirror = np.empty(3), np.empty(3), np.empty(3)
        for x in range(width):
            z = depth[y, x]
            if not z < 1e30:
                continue
            vx = -(2.0 * (x + 0.5) / width - 1.0) * tx - aside[0]
            vy = -(1.0 - 2.0 * (y + 0.5) / height) * ty - aside[1]
            scale = 1.0 / math.sqrt(vx * vx + vy * vy + 1.0)
            vx, vy, vz = vx * scale, vy * scale, scale
            nx, ny, nz = normal[y, x, 0], normal[y, x, 1], normal[y, x, 2]
            facing = nx * vx + ny * vy + nz * vz
            rx, ry, rz = 2.0 * facing * nx - vx, 2.0 * facing * ny - vy, 2.0 * facing * nz - vz
            for c in range(3):
                face[c] = axes[c, 0] * nx + axes[c, 1] * ny + axes[c, 2] * nz
                way[c] = axes[c, 0] * rx + axes[c, 1] * ry + axes[c, 2] * rz
                mirror[c] = 0.0
            rough, metal = kind[y, x, 0], kind[y, x, 1]
            level = min(max(rough, 0.0), 1.0) * (maps.shape[0] - 1)
            first = min(int(level), maps.shape[0] - 2)
            _mirrored(maps, first, way[0], way[1], way[2], mirror, first + 1.0 - level)
            _mirrored(maps, first + 1, way[0], way[1], way[2], mirror, level - first)
            gain, bias = mirrored_of(split, rough, facing)
            seen = open_to_sky(depth, occlusion, x, y, z)
            for c in range(3):
                diffuse = albedo[y, x, c] * (1.0 - metal)
                gloss = (0.04 + (albedo[y, x, c] - 0.04) * metal) * gain + bias
                out[y, x, c] += seen * (
                    diffuse * _fallen(sh, face[0], face[1], face[2], c) + gloss * mirror[c]
                )


@kernel(parallel=True)
def behind(image, tx, ty, aside, axes, hdr):
    """Fill what `hdr [H, W, 4]` leaves uncovered with `image [1, h, w, 3]`, and cover it.

    Rays go `aside [2]` m of their pixels' centres, a metre away; `axes [3, 3]` are from the camera's to the
    world's.
    """
    height, width = hdr.shape[:2]
    for each_y in numba.prange(height):
        y = np.int64(each_y)  # unsigned by itself: what is below 0 would not be
        far = np.empty(3)
        vy = (1.0 - 2.0 * (y + 0.5) / height) * ty + aside[1]
        for x in range(width):
            left = 1.0 - hdr[y, x, 3]
            if left <= 0.0:
                continue
            vx = (2.0 * (x + 0.5) / width - 1.0) * tx + aside[0]
            scale = 1.0 / math.sqrt(vx * vx + vy * vy + 1.0)
            wx = (axes[0, 0] * vx + axes[0, 1] * vy - axes[0, 2]) * scale
            wy = (axes[1, 0] * vx + axes[1, 1] * vy - axes[1, 2]) * scale
            wz = (axes[2, 0] * vx + axes[2, 1] * vy - axes[2, 2]) * scale
            far[:] = 0.0
            _mirrored(image, 0, wx, wy, wz, far, left)
            for c in range(3):
                hdr[y, x, c] += far[c]
            hdr[y, x, 3] = 1.0
