"""Kernels of places: where on a face a pixel's ray meets it, and which texel stands for a place beyond an image."""

# Kernels take arrays and numbers whose types Numba finds.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, call-arg, call-overload"

from __future__ import annotations

from kinetoscope_raster._kernel import kernel

__all__ = ["beyond", "place"]


@kernel()
def place(p, i, j, k, dx, dy, out):
    """Set `out` to the barycentric coordinates where the ray (dx, dy, -1) meets the face's plane."""
    ax, ay, az = p[i, 0], p[i, 1], p[i, 2]
    bx, by, bz = p[j, 0], p[j, 1], p[j, 2]
    cx, cy, cz = p[k, 0], p[k, 1], p[k, 2]
    out[0] = (by * cz - bz * cy) * dx + (bz * cx - bx * cz) * dy - (bx * cy - by * cx)
    out[1] = (cy * az - cz * ay) * dx + (cz * ax - cx * az) * dy - (cx * ay - cy * ax)
    out[2] = (ay * bz - az * by) * dx + (az * bx - ax * bz) * dy - (ax * by - ay * bx)
    total = out[0] + out[1] + out[2]
    if total != 0.0:
        out /= total


@kernel()
def beyond(i, count, wrap):
    """Return which of `count` texels stands at `i`, of an image that repeats (0), keeps its edge (1) or mirrors (2)."""
    if wrap == 0.0:
        return i % count
    if wrap == 1.0:
        return min(max(i, 0), count - 1)
    i = i % (2 * count)
    return i if i < count else 2 * count - 1 - i
