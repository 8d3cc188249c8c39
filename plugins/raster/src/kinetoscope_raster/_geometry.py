"""Kernels of geometry: skinning, which triangle each pixel sees, and the sun's shadow map.

A pixel's ray d = (x, y, -1) meets the triangle a, b, c where the volumes d.(b x c), d.(c x a) and
d.(a x b) have one sign. They are linear over the picture, hold behind the camera too, so that nothing
is clipped, and divided by their sum they are the point's barycentric coordinates (after Olano and
Greer, "Triangle scan conversion using 2D homogeneous coordinates", 1997).
Each band of rows belongs to one thread, so pictures do not depend on how many there are.
"""

# Kernels take arrays and numbers whose types Numba finds.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, call-arg, call-overload, assignment"

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from kinetoscope_raster._kernel import kernel
from kinetoscope_raster._place import beyond, place
from kinetoscope_raster._stage import Stage

__all__ = [
    "BAND",
    "GHOSTS",
    "SOLID",
    "VEILS",
    "blend_duals",
    "cast_shadow",
    "drift",
    "see",
    "skin",
    "turned_away",
]

BAND = 16
"""Rows that one task draws."""

ALL, SOLID, VEILS, GHOSTS = 0, 1, 2, 3
"""Which faces are drawn."""


@kernel()
def skin(points, normals, joints, weights, bones, first, out_points, out_normals):
    """Carry corners by the weighed mean of `bones [B, 3, 4]`, into `out[first:]`."""
    for i in range(points.shape[0]):
        m00 = m01 = m02 = m03 = m10 = m11 = m12 = m13 = m20 = m21 = m22 = m23 = 0.0
        for k in range(joints.shape[1]):
            w = weights[i, k]
            if w == 0.0:
                continue
            b = bones[joints[i, k]]
            m00 += w * b[0, 0]
            m01 += w * b[0, 1]
            m02 += w * b[0, 2]
            m03 += w * b[0, 3]
            m10 += w * b[1, 0]
            m11 += w * b[1, 1]
            m12 += w * b[1, 2]
            m13 += w * b[1, 3]
            m20 += w * b[2, 0]
            m21 += w * b[2, 1]
            m22 += w * b[2, 2]
            m23 += w * b[2, 3]
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        o = first + i
        out_points[o, 0] = m00 * x + m01 * y + m02 * z + m03
        out_points[o, 1] = m10 * x + m11 * y + m12 * z + m13
        out_points[o, 2] = m20 * x + m21 * y + m22 * z + m23
        # Normals turn with the cofactors, which scale and shear leave right.
        c00, c01, c02 = m11 * m22 - m12 * m21, m12 * m20 - m10 * m22, m10 * m21 - m11 * m20
        c10, c11, c12 = m21 * m02 - m22 * m01, m22 * m00 - m20 * m02, m20 * m01 - m21 * m00
        c20, c21, c22 = m01 * m12 - m02 * m11, m02 * m10 - m00 * m12, m00 * m11 - m01 * m10
        sign = -1.0 if m00 * c00 + m01 * c01 + m02 * c02 < 0.0 else 1.0
        x, y, z = normals[i, 0], normals[i, 1], normals[i, 2]
        nx, ny, nz = c00 * x + c01 * y + c02 * z, c10 * x + c11 * y + c12 * z, c20 * x + c21 * y + c22 * z
        scale = sign / max(math.sqrt(nx * nx + ny * ny + nz * nz), 1e-30)
        out_normals[o, 0], out_normals[o, 1], out_normals[o, 2] = nx * scale, ny * scale, nz * scale


@kernel()
def blend_duals(joints, weights, turns, stretches, moves, out):
    """Fill `out [C, 3, 4]` with what carries each corner: its bones' dual quaternions, blended.

    After Kavan et al. 2008. Bones stretch `[B, 3, 3]`, turn `[B, 4]` (xyzw) and move `[B, 3]`, in this
    order; the first bone of a corner is its heaviest, which tells q from -q.
    """
    stretch = np.empty((3, 3))
    for i in range(joints.shape[0]):
        first = joints[i, 0]
        pivot, start = turns[first], moves[first]
        bx = by = bz = bw = ex = ey = ez = ew = 0.0
        stretch[:] = 0.0
        for k in range(joints.shape[1]):
            w = weights[i, k]
            if w == 0.0:
                continue
            q, m, s = turns[joints[i, k]], moves[joints[i, k]], stretches[joints[i, k]]
            for r in range(3):
                for c in range(3):
                    stretch[r, c] += w * s[r, c]
            if q[0] * pivot[0] + q[1] * pivot[1] + q[2] * pivot[2] + q[3] * pivot[3] < 0.0:
                w = -w
            x, y, z = w * (m[0] - start[0]), w * (m[1] - start[1]), w * (m[2] - start[2])
            bx, by, bz, bw = bx + w * q[0], by + w * q[1], bz + w * q[2], bw + w * q[3]
            ex += x * q[3] + y * q[2] - z * q[1]
            ey += y * q[3] + z * q[0] - x * q[2]
            ez += z * q[3] + x * q[1] - y * q[0]
            ew -= x * q[0] + y * q[1] + z * q[2]
        n = 1.0 / (bx * bx + by * by + bz * bz + bw * bw)
        t00, t11, t22 = (
            1 - 2 * n * (by * by + bz * bz),
            1 - 2 * n * (bx * bx + bz * bz),
            1 - 2 * n * (bx * bx + by * by),
        )
        t01, t10 = 2 * n * (bx * by - bz * bw), 2 * n * (bx * by + bz * bw)
        t02, t20 = 2 * n * (bx * bz + by * bw), 2 * n * (bx * bz - by * bw)
        t12, t21 = 2 * n * (by * bz - bx * bw), 2 * n * (by * bz + bx * bw)
        for c in range(3):
            a, b, d = stretch[0, c], stretch[1, c], stretch[2, c]
            out[i, 0, c] = t00 * a + t01 * b + t02 * d
            out[i, 1, c] = t10 * a + t11 * b + t12 * d
            out[i, 2, c] = t20 * a + t21 * b + t22 * d
        out[i, 0, 3] = start[0] + n * (bw * ex - ew * bx + by * ez - bz * ey)
        out[i, 1, 3] = start[1] + n * (bw * ey - ew * by + bz * ex - bx * ez)
        out[i, 2, 3] = start[2] + n * (bw * ez - ew * bz + bx * ey - by * ex)


@kernel(inline="never")
def _alpha(f, u, v, w, faces, uvs, colors, material, levels, texels):
    """Return the coverage of face `f` at barycentric u, v, w, from its finest texels."""
    i, j, k = faces[f, 0], faces[f, 1], faces[f, 2]
    alpha = material[3] * (u * colors[i, 3] + v * colors[j, 3] + w * colors[k, 3])
    level = int(material[12])
    if level >= 0:
        at, wide, high = levels[level, 0], levels[level, 1], levels[level, 2]
        x = (u * uvs[i, 0] + v * uvs[j, 0] + w * uvs[k, 0]) * wide - 0.5
        y = (u * uvs[i, 1] + v * uvs[j, 1] + w * uvs[k, 1]) * high - 0.5
        fx, fy = math.floor(x), math.floor(y)
        total = 0.0
        for corner in range(4):
            cx, cy = corner & 1, corner >> 1
            share = (x - fx if cx else 1.0 - x + fx) * (y - fy if cy else 1.0 - y + fy)
            row = beyond(int(fy) + cy, high, material[15]) * wide + beyond(int(fx) + cx, wide, material[14])
            total += share * texels[at + row, 3]
        alpha *= total / 255.0
    return alpha


@kernel()
def _threshold(x, y):
    """Return the coverage that a blended surface needs at a pixel (Jimenez 2014: gradient noise)."""
    noise = 0.06711056 * (x + 0.5) + 0.00583715 * (y + 0.5)
    noise = 52.9829189 * (noise - math.floor(noise))
    return noise - math.floor(noise)


@kernel(parallel=True)
def _bounds(p, faces, tx, ty, near, far, width, height, box):
    """Bound each face's pixels, `box [F, 4]` (x0, x1, y0, y1), after cutting it at the near plane."""
    for each_f in numba.prange(faces.shape[0]):
        f = np.int64(each_f)  # unsigned by itself: what is below 0 would not be
        x0 = y0 = 1e300
        x1 = y1 = -1e300
        for e in range(3):
            a, b = faces[f, e], faces[f, (e + 1) % 3]
            za, zb = -p[a, 2], -p[b, 2]
            for end in range(2):
                if end == 0:
                    if za < near:
                        continue
                    x, y, z = p[a, 0], p[a, 1], za
                else:
                    if (za < near) == (zb < near):
                        continue
                    s = (near - za) / (zb - za)
                    x, y, z = p[a, 0] + s * (p[b, 0] - p[a, 0]), p[a, 1] + s * (p[b, 1] - p[a, 1]), near
                x = (x / (z * tx) + 1.0) * 0.5 * width
                y = (1.0 - y / (z * ty)) * 0.5 * height
                x0, x1, y0, y1 = min(x0, x), max(x1, x), min(y0, y), max(y1, y)
        # A thousandth of a pixel makes up for rounding here; the volumes decide.
        box[f, 0] = math.ceil(max(0.0, min(x0 - 0.501, float(width))))
        box[f, 1] = math.floor(max(-1.0, min(x1 - 0.499, width - 1.0)))
        box[f, 2] = math.ceil(max(0.0, min(y0 - 0.501, float(height))))
        box[f, 3] = math.floor(max(-1.0, min(y1 - 0.499, height - 1.0)))


@kernel(parallel=True)
def _draw(  # noqa: PLR0912 - one loop: calls in it would cost as much as its steps
    p, faces, flips, box, tx, ty, near, far, kinds, materials, uvs, colors, levels, texels, which, nearer,
    depth, seen,
):  # fmt: skip
    height, width = depth.shape
    for each_band in numba.prange((height + BAND - 1) // BAND):
        band = np.int64(each_band)  # unsigned by itself: what is below 0 would not be
        top, bottom = band * BAND, min(band * BAND + BAND, height) - 1
        for f in range(faces.shape[0]):
            x0, x1 = box[f, 0], box[f, 1]
            y0, y1 = max(box[f, 2], top), min(box[f, 3], bottom)
            if x0 > x1 or y0 > y1:
                continue
            i, j, k = faces[f, 0], faces[f, 1], faces[f, 2]
            ax, ay, az = p[i, 0], p[i, 1], p[i, 2]
            bx, by, bz = p[j, 0], p[j, 1], p[j, 2]
            cx, cy, cz = p[k, 0], p[k, 1], p[k, 2]
            ux, uy, uz = by * cz - bz * cy, bz * cx - bx * cz, bx * cy - by * cx
            vx, vy, vz = cy * az - cz * ay, cz * ax - cx * az, cx * ay - cy * ax
            wx, wy, wz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
            volume = ax * ux + ay * uy + az * uz
            if volume == 0.0 or not math.isfinite(volume):
                continue
            material = materials[kinds[f]]
            mode = material[9]
            if (which == SOLID and mode == 2.0) or (which == VEILS and mode != 2.0):
                continue
            front = (volume < 0.0) != flips[f]
            if not front and material[11] == 0.0:
                continue
            sign = -1.0 if volume < 0.0 else 1.0
            for y in range(y0, y1 + 1):
                dy = (1.0 - 2.0 * (y + 0.5) / height) * ty
                ru, rv, rw = uy * dy - uz, vy * dy - vz, wy * dy - wz
                for x in range(x0, x1 + 1):
                    dx = (2.0 * (x + 0.5) / width - 1.0) * tx
                    u, v, w = sign * (ux * dx + ru), sign * (vx * dx + rv), sign * (wx * dx + rw)
                    if u < 0.0 or v < 0.0 or w < 0.0:
                        continue
                    total = u + v + w
                    if total <= 0.0:
                        continue
                    t = sign * volume / total
                    if t < near or t > far or t >= depth[y, x]:
                        continue
                    # On an edge two faces meet at one place: a layer takes one of them, the next neither.
                    if which == VEILS and t <= nearer[y, x] * (1.0 + 1e-9):
                        continue
                    if mode > 0.0:
                        alpha = _alpha(
                            f, u / total, v / total, w / total, faces, uvs, colors, material, levels, texels
                        )
                        if mode == 1.0:
                            if alpha < material[10]:
                                continue
                        elif alpha <= (0.0 if which >= VEILS else _threshold(x, height - 1 - y)):
                            continue
                    depth[y, x] = t
                    seen[y, x] = f


@kernel(parallel=True)
def drift(seen, p, before, faces, tx, ty, near, motion):
    """Fill `motion [H, W, 2]` (pixels, right and down) from corners now and in the frame before.

    Where a point was not in front of the near plane it stays 0.
    """
    height, width = seen.shape
    for each_y in numba.prange(height):
        y = np.int64(each_y)  # unsigned by itself: what is below 0 would not be
        bary = np.empty(3)
        dy = (1.0 - 2.0 * (y + 0.5) / height) * ty
        for x in range(width):
            f = seen[y, x]
            if f < 0:
                continue
            i, j, k = faces[f, 0], faces[f, 1], faces[f, 2]
            place(p, i, j, k, (2.0 * (x + 0.5) / width - 1.0) * tx, dy, bary)
            px = bary[0] * before[i, 0] + bary[1] * before[j, 0] + bary[2] * before[k, 0]
            py = bary[0] * before[i, 1] + bary[1] * before[j, 1] + bary[2] * before[k, 1]
            away = -(bary[0] * before[i, 2] + bary[1] * before[j, 2] + bary[2] * before[k, 2])
            if away < near:
                continue
            motion[y, x, 0] = x + 0.5 - (px / (away * tx) + 1.0) * 0.5 * width
            motion[y, x, 1] = y + 0.5 - (1.0 - py / (away * ty)) * 0.5 * height


def see(
    stage: Stage, points: Any, tangents: tuple[float, float], near: float, far: float, depth: Any, seen: Any,
    *, which: int = ALL, nearer: Any = None,
) -> None:  # fmt: skip
    """Fill `depth [H, W]` (m along the axis) and `seen [H, W]` (faces) with what is nearest.

    Of all faces (blended ones dithered; as they are in `GHOSTS`), of `SOLID` ones, or of `VEILS`, blended
    ones, beyond `nearer [H, W]`.
    """
    box = np.empty((len(stage.faces), 4), np.int64)
    height, width = depth.shape
    _bounds(points, stage.faces, *tangents, near, far, width, height, box)
    _draw(
        points, stage.faces, stage.flips, box, *tangents, near, far, stage.kinds, stage.materials,
        stage.uvs, stage.colors, stage.levels, stage.texels, which,
        np.zeros((1, 1)) if nearer is None else nearer, depth, seen,
    )  # fmt: skip


def turned_away(points: Any) -> Any:
    """Return which triangles of `points [3 F, 3]` (camera's axes) show their backs."""
    a, b, c = points[0::3], points[1::3], points[2::3]
    return np.einsum("fi,fi->f", a, np.cross(b, c)) >= 0.0


@kernel()
def _cast(flat, f, y0, y1, faces, uvs, colors, material, levels, images, shadow):
    """Draw one face, its corners in texels, into rows y0 to y1: its weights and distance are linear there."""
    a, b, c = flat[faces[f, 0]], flat[faces[f, 1]], flat[faces[f, 2]]
    area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    if area == 0.0 or not math.isfinite(area):
        return
    x0 = math.ceil(max(min(a[0], b[0], c[0]) - 0.5, 0.0))
    x1 = math.floor(min(max(a[0], b[0], c[0]) - 0.5, shadow.shape[0] - 1.0))
    ux, vx = (b[1] - c[1]) / area, (c[1] - a[1]) / area
    uy, vy = (c[0] - b[0]) / area, (a[0] - c[0]) / area
    za, zb = a[2] - c[2], b[2] - c[2]
    zx = ux * za + vx * zb
    for y in range(y0, y1 + 1):
        # Taken from the last corner, where numbers are small, and not from the map's.
        dx, dy = x0 + 0.5 - c[0], y + 0.5 - c[1]
        u, v = ux * dx + uy * dy, vx * dx + vy * dy
        # Where along the row all three weights are at least 0: one stretch, which is filled without asking.
        first, last = _stretch(u, ux, 0.0, float(x1 - x0))
        first, last = _stretch(v, vx, first, last)
        first, last = _stretch(1.0 - u - v, -ux - vx, first, last)
        z = c[2] + u * za + v * zb
        for step in range(math.ceil(first), math.floor(last) + 1):
            if material[9] > 0.0:
                s, t = u + step * ux, v + step * vx
                alpha = _alpha(f, s, t, 1.0 - s - t, faces, uvs, colors, material, levels, images)
                if alpha < (material[10] if material[9] == 1.0 else 0.5):
                    continue
            shadow[y, x0 + step] = min(shadow[y, x0 + step], z + step * zx)


@kernel()
def _stretch(at, slope, first, last):
    """Return from where to where, between `first` and `last`, `at + slope * x` is at least 0."""
    if slope > 0.0:
        return max(first, -at / slope), last
    if slope < 0.0:
        return first, min(last, -at / slope)
    return first, last if at >= 0.0 else first - 1.0


@kernel(parallel=True)
def _cast_all(p, faces, kinds, materials, uvs, colors, levels, images, basis, low, span, shadow):
    """Draw `shadow [S, S]`, the least distance along the sun's way, over a square of `span` m at `low`.

    `basis [3, 3]` holds the map's two axes and the sun's direction.
    """
    size = shadow.shape[0]
    scale = size / span
    flat = np.empty((p.shape[0], 3))
    for each_i in numba.prange(p.shape[0]):
        i = np.int64(each_i)  # unsigned by itself: what is below 0 would not be
        for r in range(3):
            flat[i, r] = basis[r, 0] * p[i, 0] + basis[r, 1] * p[i, 1] + basis[r, 2] * p[i, 2]
        flat[i, 0] = (flat[i, 0] - low[0]) * scale
        flat[i, 1] = (flat[i, 1] - low[1]) * scale
    rows = np.empty((faces.shape[0], 2), np.int32)
    for each_f in numba.prange(faces.shape[0]):
        f = np.int64(each_f)  # unsigned by itself: what is below 0 would not be
        a, b, c = flat[faces[f, 0], 1], flat[faces[f, 1], 1], flat[faces[f, 2], 1]
        least, most = max(min(a, b, c) - 0.5, 0.0), min(max(a, b, c) - 0.5, size - 1.0)
        rows[f, 0], rows[f, 1] = size, -1
        if least <= most:
            rows[f, 0], rows[f, 1] = math.ceil(least), math.floor(most)
    for each_band in numba.prange((size + 63) // 64):
        band = np.int64(each_band)  # unsigned by itself: what is below 0 would not be
        top, bottom = band * 64, min(band * 64 + 64, size) - 1
        for f in range(faces.shape[0]):
            y0, y1 = max(rows[f, 0], top), min(rows[f, 1], bottom)
            if y0 <= y1:
                _cast(flat, f, y0, y1, faces, uvs, colors, materials[kinds[f]], levels, images, shadow)


def cast_shadow(stage: Stage, points: Any, basis: Any, low: Any, span: float, shadow: Any) -> None:
    """Fill `shadow [S, S]` with the least distance (m) along the sun's way, over a square of `span` m at `low`."""
    _cast_all(
        points, stage.faces, stage.kinds, stage.materials, stage.uvs, stage.colors, stage.levels, stage.texels,
        basis, low, span, shadow,
    )  # fmt: skip
