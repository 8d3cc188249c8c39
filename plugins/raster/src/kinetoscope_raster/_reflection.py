"""Kernels of one light at one point: what arrives of it, past the shadow map, and what a surface returns."""

# Kernels take arrays and numbers whose types Numba finds.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, call-arg, call-overload"

from __future__ import annotations

import math

from kinetoscope_raster._kernel import NIMBLE, kernel
from kinetoscope_spec.cascades import SEAM

__all__ = ["ambient", "arriving", "mirrored_of", "reflected", "sunlit"]


@kernel(fastmath=NIMBLE)
def sunlit(px, py, pz, nx, ny, nz, nl, basis, squares, taps, shadow):
    """Return the share of the sun that arrives, from the square for this distance; towards its end from the next too."""
    c, last = 0, squares.shape[0] - 1
    while c < last and -pz > squares[c, 3]:
        c += 1
    share = _in_square(px, py, pz, nx, ny, nz, nl, basis, squares[c], taps, shadow[c])
    part = (-pz / squares[c, 3] - 1.0 + SEAM) / SEAM
    if c < last and part > 0.0:
        other = _in_square(px, py, pz, nx, ny, nz, nl, basis, squares[c + 1], taps, shadow[c + 1])
        share += (other - share) * part
    return share


@kernel(fastmath=NIMBLE)
def _in_square(px, py, pz, nx, ny, nz, nl, basis, square, taps, shadow):
    """Return the share of the sun that arrives, by bilinear comparisons in one square of the map."""
    size = shadow.shape[0]
    if square[2] == 0.0:
        return 1.0
    texel = square[2] / size
    off = texel * (0.6 + 1.4 * math.sqrt(max(1.0 - nl * nl, 0.0)))  # off the surface, more where it grazes
    px, py, pz = px + nx * off, py + ny * off, pz + nz * off
    u = (basis[0, 0] * px + basis[0, 1] * py + basis[0, 2] * pz - square[0]) / texel - 0.5
    v = (basis[1, 0] * px + basis[1, 1] * py + basis[1, 2] * pz - square[1]) / texel - 0.5
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


@kernel(fastmath=NIMBLE)
def arriving(lights, i, px, py, pz):
    """Return the way to a light from a point, and how much of its power arrives there."""
    lx, ly, lz = lights[i, 1], lights[i, 2], lights[i, 3]
    if lights[i, 0] == 0.0:
        return lx, ly, lz, 1.0
    lx, ly, lz = lx - px, ly - py, lz - pz
    squared = lx * lx + ly * ly + lz * lz
    part = squared / (lights[i, 10] * lights[i, 10])
    if part >= 1.0:
        return lx, ly, lz, 0.0
    window = 1.0 - part * part
    strength = window * window / max(squared, 1e-4)
    inverse = 1.0 / math.sqrt(max(squared, 1e-12))
    lx, ly, lz = lx * inverse, ly * inverse, lz * inverse
    if lights[i, 0] > 1.0:
        axial = -(lx * lights[i, 7] + ly * lights[i, 8] + lz * lights[i, 9])
        q = min(max((axial - lights[i, 11]) / max(lights[i, 12] - lights[i, 11], 1e-9), 0.0), 1.0)
        strength *= q * q * (3.0 - 2.0 * q)
    return lx, ly, lz, strength


@kernel(fastmath=NIMBLE)
def reflected(nx, ny, nz, vx, vy, vz, lx, ly, lz, nl, nv, a2):
    """Return GGX's spread times masking (Heitz 2014), and Schlick's share of the light that grazes."""
    hx, hy, hz = vx + lx, vy + ly, vz + lz
    inverse = 1.0 / max(math.sqrt(hx * hx + hy * hy + hz * hz), 1e-12)
    nh = min(max((nx * hx + ny * hy + nz * hz) * inverse, 0.0), 1.0)
    vh = min(max((vx * hx + vy * hy + vz * hz) * inverse, 0.0), 1.0)
    d = nh * nh * (a2 - 1.0) + 1.0
    masking = 0.5 / (nl * math.sqrt(nv * nv * (1.0 - a2) + a2) + nv * math.sqrt(nl * nl * (1.0 - a2) + a2))
    m = 1.0 - vh
    return a2 / (math.pi * d * d) * masking, m * m * m * m * m


@kernel(fastmath=NIMBLE)
def mirrored_of(split, rough, facing):
    """Return what of even light is mirrored: a factor on F0 and what is added, between entries of `split [32, 32, 2]`."""
    y, x = min(max(rough, 0.0), 1.0) * 31.0, min(max(facing, 0.0), 1.0) * 31.0
    row, column = min(int(y), 30), min(int(x), 30)
    gain = bias = 0.0
    for corner in range(4):
        cx, cy = corner & 1, corner >> 1
        share = (x - column if cx else 1.0 - x + column) * (y - row if cy else 1.0 - y + row)
        gain += share * split[row + cy, column + cx, 0]
        bias += share * split[row + cy, column + cx, 1]
    return gain, bias


@kernel(fastmath=NIMBLE)
def ambient(diffuse, mirrored, earth, sky, above, mirror):
    """Return what comes of the hemisphere's light, of which a surface faces and mirrors these shares of the sky."""
    return diffuse * (earth + (sky - earth) * above) + mirrored * (earth + (sky - earth) * mirror)
