"""The kernel of lighting: every pixel from the G-buffer alone, by tiles with their own lists of lights."""

# Kernels take arrays and numbers whose types Numba finds.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, call-arg, call-overload"

from __future__ import annotations

import math

import numba
import numpy as np

from kinetoscope_raster._kernel import NIMBLE, kernel
from kinetoscope_raster._occlusion import open_to_sky
from kinetoscope_raster._reflection import ambient, arriving, mirrored_of, reflected, sunlit

__all__ = ["TILE", "light"]

TILE = 16
"""Pixels along an edge of a tile, which has its own list of lights."""


@kernel()
def _reaching(depth, left, top, right, bottom, tx, ty, aside, lights, chosen):
    """Fill `chosen` with the lights that reach the box around the tile's part of the view; return how many."""
    height, width = depth.shape
    nearest, farthest = 1e300, 0.0
    for y in range(top, bottom):
        for x in range(left, right):
            if depth[y, x] < 1e30:
                nearest, farthest = min(nearest, depth[y, x]), max(farthest, depth[y, x])
    if farthest == 0.0:
        return -1
    x0, x1 = (2.0 * left / width - 1.0) * tx + aside[0], (2.0 * right / width - 1.0) * tx + aside[0]
    y0, y1 = (1.0 - 2.0 * bottom / height) * ty + aside[1], (1.0 - 2.0 * top / height) * ty + aside[1]
    x0, x1 = min(x0 * nearest, x0 * farthest), max(x1 * nearest, x1 * farthest)
    y0, y1 = min(y0 * nearest, y0 * farthest), max(y1 * nearest, y1 * farthest)
    count = 0
    for i in range(lights.shape[0]):
        if lights[i, 0] > 0.0:
            gx = max(x0 - lights[i, 1], 0.0, lights[i, 1] - x1)
            gy = max(y0 - lights[i, 2], 0.0, lights[i, 2] - y1)
            gz = max(-farthest - lights[i, 3], 0.0, lights[i, 3] + nearest)
            if gx * gx + gy * gy + gz * gz > lights[i, 10] * lights[i, 10] * 1.000001:
                continue
        chosen[count] = i
        count += 1
    return count


@kernel(inline="always")  # a call would hand over a hundred words for each pixel
def _lit(
    albedo, normal, kind, x, y, px, py, pz, far, seen, up, sky, earth, split, lights, chosen, count, sun,
    basis, squares, taps, shadow,
):  # fmt: skip
    """Return the light that a point of a surface sends to the camera."""
    inverse = 1.0 / far
    vx, vy, vz = -px * inverse, -py * inverse, -pz * inverse
    nx, ny, nz = normal[y, x, 0], normal[y, x, 1], normal[y, x, 2]
    ar, ag, ab, rough, metal = albedo[y, x, 0], albedo[y, x, 1], albedo[y, x, 2], kind[y, x, 0], kind[y, x, 1]
    dr, dg, db = ar * (1.0 - metal), ag * (1.0 - metal), ab * (1.0 - metal)
    fr, fg, fb = 0.04 + (ar - 0.04) * metal, 0.04 + (ag - 0.04) * metal, 0.04 + (ab - 0.04) * metal
    facing = nx * vx + ny * vy + nz * vz
    above = up[0] * nx + up[1] * ny + up[2] * nz
    mirror = 2.0 * facing * above - (up[0] * vx + up[1] * vy + up[2] * vz)
    above, mirror = 0.5 + 0.5 * above, 0.5 + 0.5 * mirror
    scale, bias = mirrored_of(split, rough, facing)
    cr = seen * ambient(dr, fr * scale + bias, earth[0], sky[0], above, mirror)
    cg = seen * ambient(dg, fg * scale + bias, earth[1], sky[1], above, mirror)
    cb = seen * ambient(db, fb * scale + bias, earth[2], sky[2], above, mirror)
    nv = max(facing, 1e-4)
    alpha = max(rough * rough, 2e-3)
    dr, dg, db = dr / math.pi, dg / math.pi, db / math.pi
    for c in range(count):
        i = chosen[c]
        lx, ly, lz, strength = arriving(lights, i, px, py, pz)
        nl = nx * lx + ny * ly + nz * lz
        if nl <= 0.0 or strength <= 0.0:
            continue
        if i == sun:
            strength *= sunlit(px, py, pz, nx, ny, nz, nl, basis, squares, taps, shadow)
        shine, m5 = reflected(nx, ny, nz, vx, vy, vz, lx, ly, lz, nl, nv, alpha * alpha)
        power = strength * nl
        er, eg, eb = fr + (1.0 - fr) * m5, fg + (1.0 - fg) * m5, fb + (1.0 - fb) * m5
        cr += power * lights[i, 4] * (dr * (1.0 - er) + shine * er)
        cg += power * lights[i, 5] * (dg * (1.0 - eg) + shine * eg)
        cb += power * lights[i, 6] * (db * (1.0 - eb) + shine * eb)
    return cr, cg, cb


@kernel(parallel=True, fastmath=NIMBLE)
def light(
    depth, albedo, normal, kind, emission, occlusion, tx, ty, aside, up, sky, earth, split, fog, lights,
    sun, basis, squares, taps, shadow, hdr,
):  # fmt: skip
    """Fill `hdr [H, W, 4]`: light times coverage, and coverage; return how many pixels were lit.

    `lights [N, 14]`: kind (0 sun, 1 point, 2 spot), place or way to the sun (3), colour times
    intensity (3), axis (3), radius, cosines where a spot is gone and is full, unused. `split` is the spec's
    table `environment.split_sum`.
    Rays go `aside [2]` m of their pixels' centres, a metre away.
    """
    height, width = depth.shape
    tiles_x, tiles_y = (width + TILE - 1) // TILE, (height + TILE - 1) // TILE
    lit = 0
    for each_tile in numba.prange(tiles_x * tiles_y):
        # Every second tile, then the others: threads take stretches, and what lies close costs alike.
        half = (tiles_x * tiles_y + 1) // 2
        tile = 2 * np.int64(each_tile)  # unsigned by itself: what is below 0 would not be
        if tile >= 2 * half:
            tile -= 2 * half - 1
        left, top = (tile % tiles_x) * TILE, (tile // tiles_x) * TILE
        right, bottom = min(left + TILE, width), min(top + TILE, height)
        chosen = np.empty(lights.shape[0], np.int64)
        count = _reaching(depth, left, top, right, bottom, tx, ty, aside, lights, chosen)
        if count < 0:
            continue
        for y in range(top, bottom):
            for x in range(left, right):
                z = depth[y, x]
                if not z < 1e30:
                    continue
                px = ((2.0 * (x + 0.5) / width - 1.0) * tx + aside[0]) * z
                py = ((1.0 - 2.0 * (y + 0.5) / height) * ty + aside[1]) * z
                far = math.sqrt(px * px + py * py + z * z)
                seen = open_to_sky(depth, occlusion, x, y, z)
                cr, cg, cb = _lit(
                    albedo, normal, kind, x, y, px, py, -z, far, seen, up, sky, earth, split,
                    lights, chosen, count, sun, basis, squares, taps, shadow,
                )  # fmt: skip
                clear = math.exp(-fog[3] * far) if fog[3] > 0.0 else 1.0
                coverage = 1.0 - kind[y, x, 2]
                hdr[y, x, 0] = min(fog[0] + (cr + emission[y, x, 0] - fog[0]) * clear, 6e4) * coverage
                hdr[y, x, 1] = min(fog[1] + (cg + emission[y, x, 1] - fog[1]) * clear, 6e4) * coverage
                hdr[y, x, 2] = min(fog[2] + (cb + emission[y, x, 2] - fog[2]) * clear, 6e4) * coverage
                hdr[y, x, 3] = coverage
                lit += 1
    return lit
