"""Kernels of occlusion: at half resolution, smoothed, and brought up along surfaces."""

# Kernels take arrays and numbers whose types Numba finds.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, call-arg, call-overload"

from __future__ import annotations

import math

import numba
import numpy as np

from kinetoscope_raster._kernel import kernel

__all__ = ["occlude", "open_to_sky", "smooth"]


@kernel(parallel=True)
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


@kernel()
def open_to_sky(depth, occlusion, x, y, z):
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
