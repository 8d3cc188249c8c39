"""Kernels that fill the G-buffer from what each pixel sees: faces with textures, and the floor."""

# Kernels take arrays and numbers whose types Numba finds.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, call-arg, call-overload"

from __future__ import annotations

import math

import numba
import numpy as np

from kinetoscope_raster._kernel import NIMBLE, kernel
from kinetoscope_raster._maps import bent, sampled
from kinetoscope_raster._place import place
from kinetoscope_raster._texels import EVEN

__all__ = ["lay_ground", "resolve"]


@kernel()
def _smooth(n, i, j, k, bary, out):
    """Set `out` to the unit normal between those of three corners."""
    for c in range(3):
        out[c] = bary[0] * n[i, c] + bary[1] * n[j, c] + bary[2] * n[k, c]
    turn = 1.0 / max(math.sqrt(out[0] * out[0] + out[1] * out[1] + out[2] * out[2]), 1e-30)
    for c in range(3):
        out[c] *= turn


@kernel()
def _map(p, f, faces, bary, right, under, uvs, material, levels, texels, linear, bend, surfaced, glow, texel):
    """Bend the normal and multiply roughness, metal and emission by their images, where there are any."""
    i, j, k = faces[f, 0], faces[f, 1], faces[f, 2]
    a, b, c = uvs[i], uvs[j], uvs[k]
    if material[16] >= 0.0:
        first, count = int(material[16]), int(material[17])
        sampled(bary, right, under, a, b, c, first, count, material, levels, texels, EVEN, texel)
        bent(p, i, j, k, a, b, c, texel, material[22], bend)
    if material[18] >= 0.0:
        first, count = int(material[18]), int(material[19])
        sampled(bary, right, under, a, b, c, first, count, material, levels, texels, EVEN, texel)
        surfaced[0] *= texel[1]
        surfaced[1] *= texel[2]
    if material[20] >= 0.0:
        first, count = int(material[20]), int(material[21])
        sampled(bary, right, under, a, b, c, first, count, material, levels, texels, linear, texel)
        for channel in range(3):
            glow[channel] *= texel[channel]


@kernel(parallel=True)
def resolve(
    seen, p, n, faces, flips, kinds, owners, materials, uvs, colors, levels, texels, linear, tx, ty,
    albedo, normal, kind, emission, ids, veiled,
):  # fmt: skip
    """Fill `albedo`, `normal` (camera's axes), `kind` (roughness, metallic), `emission` and `ids`.

    Where faces are `veiled`, `kind` tells what comes through from behind, too.
    """
    height, width = seen.shape
    for each_y in numba.prange(height):
        y = np.int64(each_y)  # unsigned by itself: what is below 0 would not be
        bary, right, under, rgba = np.empty(3), np.empty(3), np.empty(3), np.empty(4)
        texel, bend, surfaced, glow = np.empty(4), np.empty(3), np.empty(2), np.empty(3)
        dy = (1.0 - 2.0 * (y + 0.5) / height) * ty
        for x in range(width):
            f = seen[y, x]
            if f < 0:
                continue
            i, j, k = faces[f, 0], faces[f, 1], faces[f, 2]
            dx = (2.0 * (x + 0.5) / width - 1.0) * tx
            place(p, i, j, k, dx, dy, bary)
            material = materials[kinds[f]]
            for c in range(4):
                shade = bary[0] * colors[i, c] + bary[1] * colors[j, c] + bary[2] * colors[k, c]
                rgba[c] = material[c] * shade
            glow[0], glow[1], glow[2] = material[6], material[7], material[8]
            mapped = material[16] >= 0.0 or material[18] >= 0.0 or material[20] >= 0.0
            if mapped or material[12] >= 0.0:
                place(p, i, j, k, dx + 2.0 * tx / width, dy, right)
                place(p, i, j, k, dx, dy - 2.0 * ty / height, under)
            if material[12] >= 0.0:
                first, count = int(material[12]), int(material[13])
                sampled(
                    bary, right, under, uvs[i], uvs[j], uvs[k], first, count, material, levels, texels, linear, texel
                )  # fmt: skip
                for c in range(4):
                    rgba[c] *= texel[c]
            _smooth(n, i, j, k, bary, bend)
            surfaced[0], surfaced[1] = material[4], material[5]
            if mapped:
                _map(
                    p,
                    f,
                    faces,
                    bary,
                    right,
                    under,
                    uvs,
                    material,
                    levels,
                    texels,
                    linear,
                    bend,
                    surfaced,
                    glow,
                    texel,
                )
            # Seen from behind it is turned round.
            turn = -1.0 if (_volume(p, i, j, k) < 0.0) == flips[f] else 1.0
            for c in range(3):
                normal[y, x, c] = bend[c] * turn
                albedo[y, x, c] = min(max(rgba[c], 0.0), 1.0)
                emission[y, x, c] = glow[c]
            through = 1.0 - min(max(rgba[3], 0.0), 1.0) if veiled else 0.0
            kind[y, x, 0], kind[y, x, 1], kind[y, x, 2] = surfaced[0], surfaced[1], through
            ids[y, x] = owners[f]


@kernel()
def _volume(p, i, j, k):
    return (
        p[i, 0] * (p[j, 1] * p[k, 2] - p[j, 2] * p[k, 1])
        + p[i, 1] * (p[j, 2] * p[k, 0] - p[j, 0] * p[k, 2])
        + p[i, 2] * (p[j, 0] * p[k, 1] - p[j, 1] * p[k, 0])
    )


@kernel(fastmath=NIMBLE)
def _lines(x, reach, width):
    """Return how much of a stretch `reach` wide around x lies on lines that stand at whole numbers."""
    a = x - 0.5 * reach + 0.5 * width
    b = a + reach
    upto_a = width * math.floor(a) + min(a - math.floor(a), width)
    upto_b = width * math.floor(b) + min(b - math.floor(b), width)
    return (upto_b - upto_a) / reach


@kernel(fastmath=NIMBLE)
def _grid(axes, gx, gz, t, height_m, corner, spacing, pixel_x, pixel_y):
    """Return how much of the pixel at (gx, gz) on the floor, t m along the axis, lies on its lines."""
    # How far the place moves from pixel to pixel: its derivative along x and y.
    wx, wy, slope = pixel_x * t, pixel_y * t, t / height_m
    rx = abs(wx * (axes[0, 0] - gx / t * axes[1, 0] * slope))
    rx += abs(wy * (axes[0, 1] - gx / t * axes[1, 1] * slope))
    rz = abs(wx * (axes[2, 0] - gz / t * axes[1, 0] * slope))
    rz += abs(wy * (axes[2, 1] - gz / t * axes[1, 1] * slope))
    line = 0.0
    for each in range(2):
        step = spacing * (1.0 if each == 0 else 5.0)
        thick = (0.016 if each == 0 else 0.03) / step
        lx = _lines((gx + corner[0]) / step, max(rx / step, 1e-5), thick)
        lz = _lines((gz + corner[1]) / step, max(rz / step, 1e-5), thick)
        line = max(line, 1.0 - (1.0 - lx) * (1.0 - lz))
    return line


@kernel(parallel=True, fastmath=NIMBLE)
def lay_ground(
    depth, axes, aside, smoothing, height_m, corner, spacing, colors, fade, tx, ty, near, far, albedo, normal, kind,
    emission, ids,
):  # fmt: skip
    """Lay the floor `height_m` over the camera where it is nearest.

    `axes [3, 3]` are the world's in the camera's; rays go `aside [2]` m of their pixels' centres, a metre
    away; lines are smoothed over `smoothing` pixels; `corner [2]` is the camera's place on the grid,
    `colors [2, 3]` floor and lines, `fade [2]` where the floor begins to fade and is gone, m.
    """
    height, width = depth.shape
    for each_y in numba.prange(height):
        y = np.int64(each_y)  # unsigned by itself: what is below 0 would not be
        dy = (1.0 - 2.0 * (y + 0.5) / height) * ty + aside[1]
        for x in range(width):
            dx = (2.0 * (x + 0.5) / width - 1.0) * tx + aside[0]
            rise = axes[1, 0] * dx + axes[1, 1] * dy - axes[1, 2]
            if rise * height_m <= 0.0:
                continue
            t = height_m / rise
            if t < near or t > far or t >= depth[y, x]:
                continue
            gx = t * (axes[0, 0] * dx + axes[0, 1] * dy - axes[0, 2])
            gz = t * (axes[2, 0] * dx + axes[2, 1] * dy - axes[2, 2])
            away = math.sqrt(gx * gx + gz * gz)
            faded = min(max((away - fade[0]) / (fade[1] - fade[0]), 0.0), 1.0)
            line = 0.0
            if spacing > 0.0:
                wide, high = 2.0 * smoothing * tx / width, 2.0 * smoothing * ty / height
                line = _grid(axes, gx, gz, t, height_m, corner, spacing, wide, high)
            depth[y, x] = t
            side = 1.0 if height_m < 0.0 else -1.0
            for c in range(3):
                albedo[y, x, c] = colors[0, c] + (colors[1, c] - colors[0, c]) * line
                normal[y, x, c] = side * axes[1, c]
                emission[y, x, c] = 0.0
            kind[y, x, 0], kind[y, x, 1] = 0.9, 0.0
            kind[y, x, 2] = faded * faded * (3.0 - 2.0 * faded)
            ids[y, x] = 0
