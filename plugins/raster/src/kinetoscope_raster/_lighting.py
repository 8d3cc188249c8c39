"""Kernels of light: occlusion at half resolution, and every pixel from the G-buffer alone."""

# Kernels take arrays and numbers whose types Numba finds.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, call-arg, call-overload"

from __future__ import annotations

import math

import numba
import numpy as np

__all__ = ["TILE", "light", "occlude", "smooth"]

TILE = 16
"""Pixels along an edge of a tile, which has its own list of lights."""


@numba.njit(cache=True, parallel=True, error_model="numpy")
def occlude(depth, normal, tx, ty, near, radius, samples, out):
    """Fill `out [H / 2, W / 2]` with the share of directions within `radius` m that are open."""
    height, width = depth.shape
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
            turn = ((column & 3) * 4 + (row & 3)) * 7 % 16 / 16.0
            opened = 0.0
            for i in range(samples):
                u = (i + 0.5) / samples
                angle = i * 2.39996323 + turn * 6.2831853
                flat, up = math.sqrt(u), math.sqrt(1.0 - u)
                c, s = flat * math.cos(angle), flat * math.sin(angle)
                along = i * 0.618034 + turn
                reach = radius * (0.1 + 0.9 * (along - math.floor(along)))
                qx = px + reach * (c * sx + s * ox + up * nx)
                qy = py + reach * (c * sy + s * oy + up * ny)
                qz = -(pz + reach * (c * sz + s * oz + up * nz))
                hidden = 0.0
                if qz > near:
                    at_x = math.floor((qx / (qz * tx) + 1.0) * 0.5 * width)
                    at_y = math.floor((1.0 - qy / (qz * ty)) * 0.5 * height)
                    if 0 <= at_x < width and 0 <= at_y < height:
                        behind = qz - depth[int(at_y), int(at_x)]
                        if behind > 0.0:  # what is far in front is another body, not a corner
                            k = min(max(behind / radius - 0.5, 0.0), 1.0)
                            hidden = 1.0 - k * k * (3.0 - 2.0 * k)
                opened += 1.0 - hidden
            out[row, column] = opened / samples


@numba.njit(cache=True, parallel=True, error_model="numpy")
def smooth(depth, occlusion, out):
    """Average each 4 x 4 texels of `occlusion` on one surface, which takes out its pattern."""
    high, wide = occlusion.shape
    for each_y in numba.prange(high):
        y = np.int64(each_y)  # unsigned by itself: what is below 0 would not be
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


@numba.njit(cache=True, error_model="numpy")
def _open_to_sky(depth, occlusion, x, y, z):
    """Return the occlusion at a pixel from the four texels around it that lie on its surface."""
    high, wide = occlusion.shape
    j, i = y // 2, x // 2
    py, px = 0.5 * y - j, 0.5 * x - i
    total = weight = 0.0
    for corner in range(4):
        cx, cy = corner & 1, corner >> 1
        tx, ty = min(i + cx, wide - 1), min(j + cy, high - 1)
        share = (px if cx else 1.0 - px) * (py if cy else 1.0 - py) + 1e-3
        share *= max(1e-4, 1.0 - abs(depth[2 * ty, 2 * tx] - z) / (0.04 * z))
        if not math.isfinite(share):
            continue
        total += share * occlusion[ty, tx]
        weight += share
    return total / weight if weight > 0.0 else 1.0


@numba.njit(cache=True, error_model="numpy")
def _sunlit(px, py, pz, nx, ny, nz, nl, basis, low, span, taps, shadow):
    """Return the share of the sun that arrives, by bilinear comparisons in the shadow map."""
    size = shadow.shape[0]
    texel = span / size
    off = texel * (0.6 + 1.4 * math.sqrt(max(1.0 - nl * nl, 0.0)))  # off the surface, more where it grazes
    px, py, pz = px + nx * off, py + ny * off, pz + nz * off
    u = (basis[0, 0] * px + basis[0, 1] * py + basis[0, 2] * pz - low[0]) / texel - 0.5
    v = (basis[1, 0] * px + basis[1, 1] * py + basis[1, 2] * pz - low[1]) / texel - 0.5
    z = basis[2, 0] * px + basis[2, 1] * py + basis[2, 2] * pz - 0.25 * texel
    if not (-2.0 < u < size + 1.0 and -2.0 < v < size + 1.0):
        return 1.0
    total = 0.0
    start = 0.5 * (taps - 1)
    fu, fv = math.floor(u - start), math.floor(v - start)
    a, b = u - start - fu, v - start - fv
    # A row of bilinear taps is one box whose two ends count in part.
    for j in range(taps + 1):
        wj = (1.0 - b) if j == 0 else (b if j == taps else 1.0)
        for i in range(taps + 1):
            wi = (1.0 - a) if i == 0 else (a if i == taps else 1.0)
            x, y = int(fu) + i, int(fv) + j
            if x < 0 or y < 0 or x >= size or y >= size or shadow[y, x] >= z:
                total += wi * wj
    return total / (taps * taps)


@numba.njit(cache=True, error_model="numpy")
def _reaching(depth, left, top, right, bottom, tx, ty, lights, chosen):
    """Fill `chosen` with the lights that reach the box around the tile's part of the view; return how many."""
    height, width = depth.shape
    nearest, farthest = 1e300, 0.0
    for y in range(top, bottom):
        for x in range(left, right):
            if depth[y, x] < 1e30:
                nearest, farthest = min(nearest, depth[y, x]), max(farthest, depth[y, x])
    if farthest == 0.0:
        return -1
    x0, x1 = (2.0 * left / width - 1.0) * tx, (2.0 * right / width - 1.0) * tx
    y0, y1 = (1.0 - 2.0 * bottom / height) * ty, (1.0 - 2.0 * top / height) * ty
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


@numba.njit(cache=True, error_model="numpy")
def _arriving(lamp, px, py, pz):
    """Return the way to a light from a point, and how much of its power arrives there."""
    lx, ly, lz = lamp[1], lamp[2], lamp[3]
    if lamp[0] == 0.0:
        return lx, ly, lz, 1.0
    lx, ly, lz = lx - px, ly - py, lz - pz
    squared = lx * lx + ly * ly + lz * lz
    part = squared / (lamp[10] * lamp[10])
    if part >= 1.0:
        return lx, ly, lz, 0.0
    window = 1.0 - part * part
    strength = window * window / max(squared, 1e-4)
    inverse = 1.0 / math.sqrt(max(squared, 1e-12))
    lx, ly, lz = lx * inverse, ly * inverse, lz * inverse
    if lamp[0] > 1.0:
        axial = -(lx * lamp[7] + ly * lamp[8] + lz * lamp[9])
        q = min(max((axial - lamp[11]) / max(lamp[12] - lamp[11], 1e-9), 0.0), 1.0)
        strength *= q * q * (3.0 - 2.0 * q)
    return lx, ly, lz, strength


@numba.njit(cache=True, error_model="numpy")
def _reflected(nx, ny, nz, vx, vy, vz, lx, ly, lz, nl, nv, a2):
    """Return GGX's spread times masking (Heitz 2014), and Schlick's share of the light that grazes."""
    hx, hy, hz = vx + lx, vy + ly, vz + lz
    inverse = 1.0 / max(math.sqrt(hx * hx + hy * hy + hz * hz), 1e-12)
    nh = min(max((nx * hx + ny * hy + nz * hz) * inverse, 0.0), 1.0)
    vh = min(max((vx * hx + vy * hy + vz * hz) * inverse, 0.0), 1.0)
    d = nh * nh * (a2 - 1.0) + 1.0
    masking = 0.5 / (nl * math.sqrt(nv * nv * (1.0 - a2) + a2) + nv * math.sqrt(nl * nl * (1.0 - a2) + a2))
    m = 1.0 - vh
    return a2 / (math.pi * d * d) * masking, m * m * m * m * m


@numba.njit(cache=True, error_model="numpy")
def _around(rough, facing, above, mirror):
    """Return of the hemisphere's light: its share of the sky, diffuse and mirrored, and Karis's fit (2014)."""
    r = 1.0 - rough
    k = min(r * r, 2.0 ** (-9.28 * max(facing, 0.0))) * r + 0.0425 - 0.0275 * rough
    scale, bias = 1.04 - 0.572 * rough - 1.04 * k, 1.04 * k - 0.04 + 0.022 * rough
    return 0.5 + 0.5 * above, 0.5 + 0.5 * mirror, scale, bias


@numba.njit(cache=True, error_model="numpy")
def _ambient(diffuse, mirrored, earth, sky, above, mirror):
    return diffuse * (earth + (sky - earth) * above) + mirrored * (earth + (sky - earth) * mirror)


@numba.njit(cache=True, error_model="numpy")
def _lit(
    albedo, normal, kind, px, py, pz, far, seen, up, sky, earth, lights, chosen, count, sun, basis,
    low, span, taps, shadow,
):  # fmt: skip
    """Return the light that a point of a surface sends to the camera."""
    vx, vy, vz = -px / far, -py / far, -pz / far
    nx, ny, nz = normal[0], normal[1], normal[2]
    rough, metal = kind[0], kind[1]
    dr, dg, db = albedo[0] * (1.0 - metal), albedo[1] * (1.0 - metal), albedo[2] * (1.0 - metal)
    fr = 0.04 + (albedo[0] - 0.04) * metal
    fg = 0.04 + (albedo[1] - 0.04) * metal
    fb = 0.04 + (albedo[2] - 0.04) * metal
    facing = nx * vx + ny * vy + nz * vz
    above = up[0] * nx + up[1] * ny + up[2] * nz
    mirror = 2.0 * facing * above - (up[0] * vx + up[1] * vy + up[2] * vz)
    above, mirror, scale, bias = _around(rough, facing, above, mirror)
    cr = seen * _ambient(dr, fr * scale + bias, earth[0], sky[0], above, mirror)
    cg = seen * _ambient(dg, fg * scale + bias, earth[1], sky[1], above, mirror)
    cb = seen * _ambient(db, fb * scale + bias, earth[2], sky[2], above, mirror)
    nv = max(facing, 1e-4)
    alpha = max(rough * rough, 2e-3)
    for c in range(count):
        lamp = lights[chosen[c]]
        lx, ly, lz, strength = _arriving(lamp, px, py, pz)
        nl = nx * lx + ny * ly + nz * lz
        if nl <= 0.0 or strength <= 0.0:
            continue
        if chosen[c] == sun:
            strength *= _sunlit(px, py, pz, nx, ny, nz, nl, basis, low, span, taps, shadow)
        shine, m5 = _reflected(nx, ny, nz, vx, vy, vz, lx, ly, lz, nl, nv, alpha * alpha)
        power = strength * nl
        er, eg, eb = fr + (1.0 - fr) * m5, fg + (1.0 - fg) * m5, fb + (1.0 - fb) * m5
        cr += power * lamp[4] * (dr / math.pi * (1.0 - er) + shine * er)
        cg += power * lamp[5] * (dg / math.pi * (1.0 - eg) + shine * eg)
        cb += power * lamp[6] * (db / math.pi * (1.0 - eb) + shine * eb)
    return cr, cg, cb


@numba.njit(cache=True, parallel=True, error_model="numpy")
def light(
    depth, albedo, normal, kind, emission, occlusion, tx, ty, up, sky, earth, fog, lights, sun,
    basis, low, span, taps, shadow, hdr,
):  # fmt: skip
    """Fill `hdr [H, W, 4]`: light times coverage, and coverage.

    `lights [N, 14]`: kind (0 sun, 1 point, 2 spot), place or way to the sun (3), colour times
    intensity (3), axis (3), radius, cosines where a spot is gone and is full, unused.
    """
    height, width = depth.shape
    tiles_x, tiles_y = (width + TILE - 1) // TILE, (height + TILE - 1) // TILE
    for each_tile in numba.prange(tiles_x * tiles_y):
        tile = np.int64(each_tile)  # unsigned by itself: what is below 0 would not be
        left, top = (tile % tiles_x) * TILE, (tile // tiles_x) * TILE
        right, bottom = min(left + TILE, width), min(top + TILE, height)
        chosen = np.empty(lights.shape[0], np.int64)
        count = _reaching(depth, left, top, right, bottom, tx, ty, lights, chosen)
        if count < 0:
            continue
        for y in range(top, bottom):
            for x in range(left, right):
                z = depth[y, x]
                if not z < 1e30:
                    continue
                px = (2.0 * (x + 0.5) / width - 1.0) * tx * z
                py = (1.0 - 2.0 * (y + 0.5) / height) * ty * z
                far = math.sqrt(px * px + py * py + z * z)
                seen = _open_to_sky(depth, occlusion, x, y, z)
                cr, cg, cb = _lit(
                    albedo[y, x], normal[y, x], kind[y, x], px, py, -z, far, seen, up, sky, earth, lights,
                    chosen, count, sun, basis, low, span, taps, shadow,
                )  # fmt: skip
                clear = math.exp(-fog[3] * far)
                coverage = 1.0 - kind[y, x, 2]
                hdr[y, x, 0] = min(fog[0] + (cr + emission[y, x, 0] - fog[0]) * clear, 6e4) * coverage
                hdr[y, x, 1] = min(fog[1] + (cg + emission[y, x, 1] - fog[1]) * clear, 6e4) * coverage
                hdr[y, x, 2] = min(fog[2] + (cb + emission[y, x, 2] - fog[2]) * clear, 6e4) * coverage
                hdr[y, x, 3] = coverage
