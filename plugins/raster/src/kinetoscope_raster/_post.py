"""Kernels from light to the picture: bloom, tone curve, background, sRGB, and smooth edges.

What takes a millisecond runs on one thread: others would spin longer than that while they wait.
"""

# Kernels take arrays and numbers whose types Numba finds.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, call-arg, call-overload"

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from kinetoscope_raster._kernel import NIMBLE, kernel

__all__ = ["CURVES", "SRGB", "bloom", "smooth_edges", "tone"]

_THRESHOLD = 1.0

CURVES = {"aces": 1, "neutral": 2}
"""By `Scene.tone`: Narkowicz's fit of the ACES reference curve (2015), and Khronos PBR Neutral (2024)."""


def _srgb() -> Any:
    linear = (np.arange(4097) / 4095) ** 2
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


SRGB = _srgb()
"""sRGB by the square root of light, which is nearly straight: within a thousandth of a level."""


@kernel()
def _bright(hdr, exposure, threshold, out):
    """Fill `out` at half resolution with the light above `threshold`, which keeps its hue."""
    height, width = hdr.shape[:2]
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            red = green = blue = total = 0.0
            for corner in range(4):
                y, x = min(2 * row + (corner >> 1), height - 1), min(2 * column + (corner & 1), width - 1)
                r, g, b = hdr[y, x, 0] * exposure, hdr[y, x, 1] * exposure, hdr[y, x, 2] * exposure
                high = max(r, g, b)
                # One glittering pixel must not outshine its neighbours (Karis 2013).
                weight = 1.0 / (1.0 + high)
                total += weight
                if high > threshold:
                    share = weight * (high - threshold) / high
                    red += r * share
                    green += g * share
                    blue += b * share
            out[row, column, 0], out[row, column, 1], out[row, column, 2] = (
                red / total,
                green / total,
                blue / total,
            )


@kernel()
def _halve(source, out):
    """Average 4 x 4 texels (1, 3, 3, 1 either way) into each texel of half the size."""
    high, wide = source.shape[:2]
    three, share = np.float32(3.0), np.float32(1.0 / 64.0)
    for y in range(out.shape[0]):
        above, first = max(2 * y - 1, 0), min(2 * y, high - 1)
        second, under = min(2 * y + 1, high - 1), min(2 * y + 2, high - 1)
        row = np.empty((wide, 3), np.float32)
        for x in range(wide):
            for c in range(3):
                middle = source[first, x, c] + source[second, x, c]
                row[x, c] = source[above, x, c] + three * middle + source[under, x, c]
        for x in range(out.shape[1]):
            left, one = max(2 * x - 1, 0), min(2 * x, wide - 1)
            other, right = min(2 * x + 1, wide - 1), min(2 * x + 2, wide - 1)
            for c in range(3):
                out[y, x, c] = (row[left, c] + three * (row[one, c] + row[other, c]) + row[right, c]) * share


@kernel()
def _pair(at, count):
    """Return the two of `count` texels around the middle of texel `at` at twice the size, and the second's part."""
    first = (at - 1) >> 1
    part = np.float32(0.25) if at & 1 else np.float32(0.75)
    return min(max(first, 0), count - 1), min(max(first + 1, 0), count - 1), part


@kernel()
def _enlarged(small, y, row):
    """Fill `row [W, 3]` with `small` at the height of row `y` at twice the size."""
    above, under, part = _pair(y, small.shape[0])
    for x in range(small.shape[1]):
        for c in range(3):
            row[x, c] = small[above, x, c] + (small[under, x, c] - small[above, x, c]) * part


@kernel()
def _spread(small, out):
    """Smooth `small` with a tent of 3 x 3 texels (1, 2, 1 either way)."""
    high, wide = small.shape[:2]
    two, share = np.float32(2.0), np.float32(1.0 / 16.0)
    for y in range(high):
        above, under = max(y - 1, 0), min(y + 1, high - 1)
        row = np.empty((wide, 3), np.float32)
        for x in range(wide):
            for c in range(3):
                row[x, c] = small[above, x, c] + two * small[y, x, c] + small[under, x, c]
        for x in range(wide):
            left, right = max(x - 1, 0), min(x + 1, wide - 1)
            for c in range(3):
                out[y, x, c] = (row[left, c] + two * row[x, c] + row[right, c]) * share


@kernel()
def _add(small, out):
    """Add `small` to `out`, which is twice as large."""
    for y in range(out.shape[0]):
        row = np.empty((small.shape[1], 3), np.float32)
        _enlarged(small, y, row)
        for x in range(out.shape[1]):
            left, right, part = _pair(x, small.shape[1])
            for c in range(3):
                out[y, x, c] += row[left, c] + (row[right, c] - row[left, c]) * part


def bloom(hdr: Any, exposure: float, levels: int) -> Any:
    """Return the glow around what is brighter than white, `[H / 2, W / 2, 3]`."""
    shape = tuple(-(-n // 2) for n in hdr.shape[:2])
    chain = [np.empty((*shape, 3), np.float32)]
    _bright(hdr, exposure, _THRESHOLD, chain[0])
    while len(chain) < levels and min(chain[-1].shape[:2]) > 4:
        shape = tuple(-(-n // 2) for n in chain[-1].shape[:2])
        chain.append(np.empty((*shape, 3), np.float32))
        _halve(chain[-2], chain[-1])
    for larger, smaller in zip(chain[-2::-1], chain[:0:-1], strict=True):
        spread = np.empty_like(smaller)
        _spread(smaller, spread)
        _add(spread, larger)
    return chain[0]


@kernel(fastmath=NIMBLE)
def _toned(rgb, curve):
    """Put `rgb [3]` on a curve of `CURVES`, or none (0)."""
    if curve == 1:
        for c in range(3):
            x = rgb[c]
            rgb[c] = x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14)
    elif curve == 2:
        low = min(rgb[0], rgb[1], rgb[2])
        # What every surface mirrors of white light is taken off, less where there is less than that.
        off = low - 6.25 * low * low if low < 0.08 else 0.04
        peak = max(rgb[0], rgb[1], rgb[2]) - off
        lowered, kept, white = peak, 1.0, 0.0
        if peak >= 0.76:
            lowered = 1.0 - 0.24 * 0.24 / (peak + 0.24 - 0.76)
            white = 1.0 - 1.0 / (0.15 * (peak - lowered) + 1.0)
            kept = lowered / peak
        for c in range(3):
            rgb[c] = (rgb[c] - off) * kept * (1.0 - white) + lowered * white


@kernel()
def _encoded(value, table):
    """Return linear `value` in sRGB, between the entries of `table` at its square root."""
    at = math.sqrt(min(max(value, 0.0), 1.0)) * (len(table) - 2)
    first = int(at)
    return table[first] + (table[first + 1] - table[first]) * (at - first)


@kernel(parallel=True, fastmath=NIMBLE)
def tone(hdr, glow, strength, exposure, curve, background, table, out, luma):
    """Fill `out [H, W, 4]` with sRGB and alpha, 0 to 1, not premultiplied, and `luma [H, W]` with its lightness.

    Coverage is taken out before the curve and put back after it; over the background glare only
    adds, so that a plate stays as it was given where there is none. In lightness alpha counts: the
    outline over a clear plate is an edge too.
    """
    height, width = hdr.shape[:2]
    for each_y in numba.prange(height):
        y = np.int64(each_y)  # unsigned by itself: what is below 0 would not be
        row = np.empty((glow.shape[1], 3), np.float32)
        _enlarged(glow, y, row)
        value, glare = np.empty(3), np.empty(3)
        for x in range(width):
            left_x, right_x, part = _pair(x, glow.shape[1])
            cover = hdr[y, x, 3]
            left = (1.0 - cover) * background[3]
            alpha = cover + left
            gain = exposure / cover if cover > 0.0 else 0.0
            share = 1.0 / alpha if alpha > 0.0 else 0.0
            for c in range(3):
                glare[c] = strength * (row[left_x, c] + (row[right_x, c] - row[left_x, c]) * part)
                value[c] = hdr[y, x, c] * gain + glare[c]
            _toned(value, curve)
            if cover < 1.0:
                _toned(glare, curve)
            for c in range(3):
                value[c] = min(max(value[c], 0.0), 1.0)
                if cover < 1.0:
                    behind = background[c] + glare[c]
                    value[c] = (value[c] * cover + behind * left) * share if alpha > 0.0 else behind
                out[y, x, c] = _encoded(value[c], table)
            out[y, x, 3] = alpha
            lightness = 0.299 * out[y, x, 0] + 0.587 * out[y, x, 1] + 0.114 * out[y, x, 2]
            luma[y, x] = lightness if alpha == 1.0 else (0.5 * lightness + 0.5) * alpha


@kernel()
def _at(luma, y, x):
    return luma[min(max(y, 0), luma.shape[0] - 1), min(max(x, 0), luma.shape[1] - 1)]


@kernel()
def _level(value):
    return np.uint8(min(max(value, np.float32(0.0)), np.float32(1.0)) * np.float32(255.0) + np.float32(0.5))


@kernel(parallel=True)
def _fxaa(picture, luma, steps, out):
    height, width = luma.shape
    for each_y in numba.prange(height):
        y = np.int64(each_y)  # unsigned by itself: what is below 0 would not be
        for x in range(width):
            for c in range(4):
                out[y, x, c] = _level(picture[y, x, c])
            m = luma[y, x]
            n, s = _at(luma, y - 1, x), _at(luma, y + 1, x)
            w, e = _at(luma, y, x - 1), _at(luma, y, x + 1)
            high, low = max(m, n, s, w, e), min(m, n, s, w, e)
            contrast = high - low
            if steps == 0 or contrast < max(0.0312, 0.125 * high):
                continue
            nw, ne = _at(luma, y - 1, x - 1), _at(luma, y - 1, x + 1)
            sw, se = _at(luma, y + 1, x - 1), _at(luma, y + 1, x + 1)
            level = abs(nw + sw - 2.0 * w) + 2.0 * abs(n + s - 2.0 * m) + abs(ne + se - 2.0 * e)
            upright = abs(nw + ne - 2.0 * n) + 2.0 * abs(w + e - 2.0 * m) + abs(sw + se - 2.0 * s)
            flat = level >= upright
            before, after = (n, s) if flat else (w, e)
            sign = -1 if abs(before - m) >= abs(after - m) else 1
            other = before if sign < 0 else after
            oy, ox = (sign, 0) if flat else (0, sign)
            gy, gx = (0, 1) if flat else (1, 0)
            middle, limit = 0.5 * (m + other), 0.25 * abs(other - m)
            # Follow the edge both ways to where the mean across it leaves its level.
            ahead, back, end_ahead, end_back = steps, steps, 0.0, 0.0
            for i in range(1, steps + 1):
                end_ahead = (
                    0.5 * (_at(luma, y + gy * i, x + gx * i) + _at(luma, y + gy * i + oy, x + gx * i + ox))
                    - middle
                )
                if abs(end_ahead) >= limit:
                    ahead = i
                    break
            for i in range(1, steps + 1):
                end_back = (
                    0.5 * (_at(luma, y - gy * i, x - gx * i) + _at(luma, y - gy * i + oy, x - gx * i + ox))
                    - middle
                )
                if abs(end_back) >= limit:
                    back = i
                    break
            end = end_ahead if ahead <= back else end_back
            mixed = 0.0
            if abs(end) >= limit and (end < 0.0) != (m - middle < 0.0):
                mixed = max(0.5 - min(ahead, back) / (ahead + back), 0.0)
            around = (2.0 * (n + s + e + w) + nw + ne + sw + se) / 12.0
            speck = min(max(1.5 * abs(around - m) / contrast - 0.5, 0.0), 1.0)
            speck = speck * speck * (3.0 - 2.0 * speck)
            mixed = max(mixed, 0.5 * speck * speck)
            v, u = min(max(y + oy, 0), height - 1), min(max(x + ox, 0), width - 1)
            here, there = picture[y, x, 3], picture[v, u, 3]
            alpha = here + (there - here) * mixed
            out[y, x, 3] = _level(alpha)
            if alpha > 0.0:
                for c in range(3):
                    value = (
                        picture[y, x, c] * here * (1.0 - mixed) + picture[v, u, c] * there * mixed
                    ) / alpha
                    out[y, x, c] = _level(value)


def smooth_edges(picture: Any, luma: Any, steps: int) -> Any:
    """Return `picture` as `uint8`, its edges softened along `steps` pixels; 0 leaves them (Lottes 2009)."""
    out = np.empty(picture.shape, np.uint8)
    _fxaa(picture, luma, steps, out)
    return out
