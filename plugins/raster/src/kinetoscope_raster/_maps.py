"""Kernels of images on surfaces: filtered texels, and normals bent by a normal map."""

# Kernels take arrays and numbers whose types Numba finds.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, call-arg, call-overload"

from __future__ import annotations

import math

from kinetoscope_raster._kernel import kernel
from kinetoscope_raster._place import beyond

__all__ = ["bent", "sampled"]


@kernel()
def _texel(texels, table, level, s, t, wrap_s, wrap_t, out, weight):
    """Add `weight` of the bilinear RGBA of one mip level at (s, t) to `out`, its colours by `table`."""
    at, wide, high = level[0], level[1], level[2]
    x, y = s * wide - 0.5, t * high - 0.5
    fx, fy = math.floor(x), math.floor(y)
    px, py = x - fx, y - fy
    for corner in range(4):
        cx, cy = corner & 1, corner >> 1
        share = weight * (px if cx else 1.0 - px) * (py if cy else 1.0 - py)
        row = at + beyond(int(fy) + cy, high, wrap_t) * wide + beyond(int(fx) + cx, wide, wrap_s)
        for c in range(3):
            out[c] += share * table[texels[row, c]]
        out[3] += share * texels[row, 3] / 255.0


@kernel()
def sampled(bary, right, under, a, b, c, first, count, material, levels, texels, table, out):
    """Set `out [4]` to the image of `count` levels from `first`, from the two whose texels are about a pixel wide."""
    s = bary[0] * a[0] + bary[1] * b[0] + bary[2] * c[0]
    t = bary[0] * a[1] + bary[1] * b[1] + bary[2] * c[1]
    wide, high = levels[first, 1], levels[first, 2]
    rx = (right[0] * a[0] + right[1] * b[0] + right[2] * c[0] - s) * wide
    ry = (right[0] * a[1] + right[1] * b[1] + right[2] * c[1] - t) * high
    ux = (under[0] * a[0] + under[1] * b[0] + under[2] * c[0] - s) * wide
    uy = (under[0] * a[1] + under[1] * b[1] + under[2] * c[1] - t) * high
    reach = max(rx * rx + ry * ry, ux * ux + uy * uy)
    mip = min(max(0.5 * math.log2(max(reach, 1e-12)), 0.0), count - 1.0)
    whole = int(mip)
    part = mip - whole
    out[:] = 0.0
    _texel(texels, table, levels[first + whole], s, t, material[14], material[15], out, 1.0 - part)
    if part > 0.0:
        _texel(texels, table, levels[first + whole + 1], s, t, material[14], material[15], out, part)


@kernel()
def bent(p, i, j, k, a, b, c, texel, scale, n):
    """Bend the unit normal `n [3]` by a normal map's texel (glTF 2.0, 3.9.3), its axes along the image's.

    The image's u grows along the tangent; its v grows downwards, against the bitangent.
    """
    du, dv, eu, ev = b[0] - a[0], b[1] - a[1], c[0] - a[0], c[1] - a[1]
    area = du * ev - eu * dv
    if area == 0.0:
        return
    sign = 1.0 if area > 0.0 else -1.0
    # Along u and v on the face, but for their lengths.
    tx = sign * ((p[j, 0] - p[i, 0]) * ev - (p[k, 0] - p[i, 0]) * dv)
    ty = sign * ((p[j, 1] - p[i, 1]) * ev - (p[k, 1] - p[i, 1]) * dv)
    tz = sign * ((p[j, 2] - p[i, 2]) * ev - (p[k, 2] - p[i, 2]) * dv)
    vx = sign * ((p[k, 0] - p[i, 0]) * du - (p[j, 0] - p[i, 0]) * eu)
    vy = sign * ((p[k, 1] - p[i, 1]) * du - (p[j, 1] - p[i, 1]) * eu)
    vz = sign * ((p[k, 2] - p[i, 2]) * du - (p[j, 2] - p[i, 2]) * eu)
    along = n[0] * tx + n[1] * ty + n[2] * tz
    tx, ty, tz = tx - n[0] * along, ty - n[1] * along, tz - n[2] * along
    length = math.sqrt(tx * tx + ty * ty + tz * tz)
    if length < 1e-20:
        return
    tx, ty, tz = tx / length, ty / length, tz / length
    bx, by, bz = n[1] * tz - n[2] * ty, n[2] * tx - n[0] * tz, n[0] * ty - n[1] * tx
    side = -1.0 if bx * vx + by * vy + bz * vz > 0.0 else 1.0
    x = scale * (2.0 * texel[0] - 1.0)
    y = scale * (2.0 * texel[1] - 1.0) * side
    z = 2.0 * texel[2] - 1.0
    mx, my, mz = (
        tx * x + bx * y + n[0] * z,
        ty * x + by * y + n[1] * z,
        tz * x + bz * y + n[2] * z,
    )
    length = max(math.sqrt(mx * mx + my * my + mz * mz), 1e-30)
    n[0], n[1], n[2] = mx / length, my / length, mz / length
