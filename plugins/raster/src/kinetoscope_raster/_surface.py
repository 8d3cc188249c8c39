"""Kernels that fill the G-buffer from what each pixel sees: faces with textures, and the floor."""

# Kernels take arrays and numbers whose types Numba finds.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, call-arg, call-overload"

from __future__ import annotations

import math

import numba
import numpy as np

from kinetoscope_raster._kernel import NIMBLE, kernel
from kinetoscope_raster._place import beyond, place

__all__ = ["lay_ground", "resolve"]


@kernel()
def _texel(texels, linear, level, s, t, wrap_s, wrap_t, out, weight):
    """Add `weight` of the bilinear, linear-light RGBA of one mip level at (s, t) to `out`."""
    at, wide, high = level[0], level[1], level[2]
    x, y = s * wide - 0.5, t * high - 0.5
    fx, fy = math.floor(x), math.floor(y)
    px, py = x - fx, y - fy
    for corner in range(4):
        cx, cy = corner & 1, corner >> 1
        share = weight * (px if cx else 1.0 - px) * (py if cy else 1.0 - py)
        row = at + beyond(int(fy) + cy, high, wrap_t) * wide + beyond(int(fx) + cx, wide, wrap_s)
        for c in range(3):
            out[c] += share * linear[texels[row, c]]
        out[3] += share * texels[row, 3] / 255.0


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
            level = int(material[12])
            if level >= 0:
                place(p, i, j, k, dx + 2.0 * tx / width, dy, right)
                place(p, i, j, k, dx, dy - 2.0 * ty / height, under)
                _textured(
                    bary, right, under, uvs[i], uvs[j], uvs[k], level, material, levels, texels, linear, rgba
                )  # fmt: skip
            nx = bary[0] * n[i, 0] + bary[1] * n[j, 0] + bary[2] * n[k, 0]
            ny = bary[0] * n[i, 1] + bary[1] * n[j, 1] + bary[2] * n[k, 1]
            nz = bary[0] * n[i, 2] + bary[1] * n[j, 2] + bary[2] * n[k, 2]
            turn = 1.0 / max(math.sqrt(nx * nx + ny * ny + nz * nz), 1e-30)
            if (_volume(p, i, j, k) < 0.0) == flips[f]:
                turn = -turn  # seen from behind
            normal[y, x, 0], normal[y, x, 1], normal[y, x, 2] = nx * turn, ny * turn, nz * turn
            for c in range(3):
                albedo[y, x, c] = min(max(rgba[c], 0.0), 1.0)
                emission[y, x, c] = material[6 + c]
            through = 1.0 - min(max(rgba[3], 0.0), 1.0) if veiled else 0.0
            kind[y, x, 0], kind[y, x, 1], kind[y, x, 2] = material[4], material[5], through
            ids[y, x] = owners[f]


@kernel()
def _volume(p, i, j, k):
    return (
        p[i, 0] * (p[j, 1] * p[k, 2] - p[j, 2] * p[k, 1])
        + p[i, 1] * (p[j, 2] * p[k, 0] - p[j, 0] * p[k, 2])
        + p[i, 2] * (p[j, 0] * p[k, 1] - p[j, 1] * p[k, 0])
    )


@kernel()
def _textured(bary, right, under, a, b, c, level, material, levels, texels, linear, rgba):
    """Multiply `rgba` by the image, from the two mip levels whose texels are about a pixel wide."""
    s = bary[0] * a[0] + bary[1] * b[0] + bary[2] * c[0]
    t = bary[0] * a[1] + bary[1] * b[1] + bary[2] * c[1]
    wide, high = levels[level, 1], levels[level, 2]
    rx = (right[0] * a[0] + right[1] * b[0] + right[2] * c[0] - s) * wide
    ry = (right[0] * a[1] + right[1] * b[1] + right[2] * c[1] - t) * high
    ux = (under[0] * a[0] + under[1] * b[0] + under[2] * c[0] - s) * wide
    uy = (under[0] * a[1] + under[1] * b[1] + under[2] * c[1] - t) * high
    reach = max(rx * rx + ry * ry, ux * ux + uy * uy)
    mip = min(max(0.5 * math.log2(max(reach, 1e-12)), 0.0), material[13] - 1.0)
    first = int(mip)
    part = mip - first
    texel = np.zeros(4)
    _texel(texels, linear, levels[level + first], s, t, material[14], material[15], texel, 1.0 - part)
    if part > 0.0:
        _texel(texels, linear, levels[level + first + 1], s, t, material[14], material[15], texel, part)
    for channel in range(4):
        rgba[channel] *= texel[channel]


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
    depth, axes, height_m, corner, spacing, colors, fade, tx, ty, near, far, albedo, normal, kind,
    emission, ids,
):  # fmt: skip
    """Lay the floor `height_m` over the camera where it is nearest.

    `axes [3, 3]` are the world's in the camera's, `corner [2]` is the camera's place on the grid,
    `colors [2, 3]` floor and lines, `fade [2]` where the floor begins to fade and is gone, m.
    """
    height, width = depth.shape
    for each_y in numba.prange(height):
        y = np.int64(each_y)  # unsigned by itself: what is below 0 would not be
        dy = (1.0 - 2.0 * (y + 0.5) / height) * ty
        for x in range(width):
            dx = (2.0 * (x + 0.5) / width - 1.0) * tx
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
                line = _grid(axes, gx, gz, t, height_m, corner, spacing, 2.0 * tx / width, 2.0 * ty / height)
            depth[y, x] = t
            side = 1.0 if height_m < 0.0 else -1.0
            for c in range(3):
                albedo[y, x, c] = colors[0, c] + (colors[1, c] - colors[0, c]) * line
                normal[y, x, c] = side * axes[1, c]
                emission[y, x, c] = 0.0
            kind[y, x, 0], kind[y, x, 1] = 0.9, 0.0
            kind[y, x, 2] = faded * faded * (3.0 - 2.0 * faded)
            ids[y, x] = 0
