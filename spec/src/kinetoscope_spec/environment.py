"""Light from all around as a picture of it: what of it falls on a surface, and what one mirrors."""

from __future__ import annotations

from functools import cache, cached_property
from typing import Any

import attrs
import numpy as np

from kinetoscope_spec._arrays import Array, numbers, shaped
from kinetoscope_spec._value import Value
from kinetoscope_spec.errors import ValidationError

__all__ = ["BRIGHTEST", "Environment", "directions", "harmonics", "reduced", "split_sum"]

BRIGHTEST = 6e4
"""Radiance beyond which renderers draw no brighter: half floats end a little above."""

_LEVELS = 6
_WIDTH = 128
_SAMPLES = 128
_LUT_SAMPLES = 512
_WIDEST = 8192
"""Pixels across a backdrop: what every graphics card takes for a texture."""
_BAND_FACTORS = np.repeat([1.0, 2 / 3, 1 / 4], [1, 3, 5])
"""A cosine lobe in spherical harmonics of order 0 to 2, over pi (Ramamoorthi and Hanrahan 2001)."""


@attrs.frozen(eq=False, repr=False, slots=False)
class Environment(Value):
    """Surroundings seen from one place, far enough away to light everything alike.

    What renderers need of it is worked out once: make one object and let it come back frame after frame.

    Attributes:
        image: linear RGB `[H, W, 3]` radiance, 0 and up, by latitude and longitude: the top row is +Y, the
            middle of the picture -Z, and +X is right of it, at three quarters of its width.
        seen: whether it stands behind everything, too, instead of the scene's background: opaque, infinitely
            far away, without fog.
        lighting: the picture, of any size, that lights things where it is not the one that is seen: without the
            sun, which then is a light of the scene (`daylight.sun_apart`); or None.
    """

    image: Array = attrs.field(converter=numbers)
    seen: bool = False
    lighting: Array | None = None

    def __attrs_post_init__(self) -> None:
        for name in ("image", "lighting"):
            if getattr(self, name) is None and name == "lighting":
                continue
            image = shaped("Environment", name, getattr(self, name), ["H", "W", 3])
            if image.size == 0 or image.min() < 0:
                raise ValidationError(
                    f"Environment.{name} is {list(image.shape)}, expected at least one pixel and none below 0"
                )
            object.__setattr__(self, name, image)

    @property
    def _lights(self) -> Array:
        return self.image if self.lighting is None else self.lighting

    @cached_property
    def irradiance(self) -> Array:
        """Coefficients `[9, 3]`: by `harmonics` of a normal they give the irradiance over pi, which white returns."""
        image = reduced(self._lights, 2 * _WIDTH)
        height, width = (
            max(n, least) for n, least in zip(image.shape[:2], (_WIDTH // 2, _WIDTH), strict=True)
        )
        image = _resized(np.asarray(image, np.float64), height, width)
        edges = np.cos(np.arange(height + 1) * np.pi / height)
        solid = (edges[:-1] - edges[1:]) * 2 * np.pi / width
        basis = harmonics(directions(height, width)) * solid[:, None, None]
        held: Array = np.einsum("hwk,hwc->kc", basis, image) * _BAND_FACTORS[:, None]
        return held

    @cached_property
    def mirrored(self) -> Array:
        """What surfaces mirror, float32 `[6, 64, 128, 3]`, from smooth to rough by fifths of roughness.

        Each direction holds the mean of light around it by GGX's lobe (Karis 2013), sampled from smaller
        pictures where samples lie far apart (Colbert and Krivanek 2007).
        """
        image = np.asarray(reduced(self._lights, 2 * _WIDTH), np.float64)
        chain = [_resized(image, _WIDTH // 2, _WIDTH)]
        while chain[-1].shape[0] > 8:
            chain.append(np.mean([chain[-1][i::2, j::2] for i in (0, 1) for j in (0, 1)], axis=0))
        levels = [chain[0], *(_blurred(chain, level / (_LEVELS - 1)) for level in range(1, _LEVELS))]
        return np.stack(levels).astype(np.float32)

    def backdrop(self, pixel: float) -> Array:
        """Return the picture as it stands behind everything, float32 `[h, w, 3]`, at most `BRIGHTEST`.

        It is halved as often as its pixels stay no wider than those that are drawn: else they would flicker.
        The same array comes back for the same size.

        Args:
            pixel: radians across one that is drawn, above 0.
        """
        wide = self.image.shape[1]
        times = max(int(np.floor(np.log2(max(pixel * wide / (2 * np.pi), 1.0)))), 0)
        most = min(-(-wide >> times), _WIDEST)
        if most not in self._backdrops:
            image = np.asarray(reduced(self.image, most), np.float32)
            self._backdrops[most] = np.minimum(image, np.float32(BRIGHTEST))
        return self._backdrops[most]

    @cached_property
    def _backdrops(self) -> dict[int, Array]:
        return {}

    def turned(self, angle: float) -> Environment:
        """Return these surroundings turned about the vertical by `angle` radians, from +Z towards +X."""
        lighting = None if self.lighting is None else _turned(self.lighting, angle)
        return attrs.evolve(self, image=_turned(self.image, angle), lighting=lighting)


@cache
def split_sum() -> Array:
    """Return what surfaces mirror of even light, float32 `[32, 32, 2]`: a factor on F0 and what is added (Karis 2013).

    By roughness and the cosine to the viewer, each from 0 to 1; GGX with Smith's height-correlated masking.
    """
    roughness, cosine = np.meshgrid(np.linspace(0, 1, 32), np.linspace(0, 1, 32), indexing="ij")
    a2, nv = np.maximum(roughness**2, 2e-3) ** 2, np.maximum(cosine, 1e-3)
    total = np.zeros((32, 32, 2))
    for turn, share in zip(
        _corput(_LUT_SAMPLES), (np.arange(_LUT_SAMPLES) + 0.5) / _LUT_SAMPLES, strict=True
    ):
        nh = np.sqrt((1 - share) / (1 + (a2 - 1) * share))
        vh = np.sqrt(1 - nv**2) * np.sqrt(1 - nh**2) * np.cos(turn) + nv * nh
        nl = 2 * vh * nh - nv
        masking = 0.5 / np.maximum(
            nl * np.sqrt(nv**2 * (1 - a2) + a2) + nv * np.sqrt(nl**2 * (1 - a2) + a2), 1e-9
        )
        weight = np.where(nl > 0, 4 * masking * nl * vh / nh, 0)
        grazing = np.clip(1 - vh, 0, 1) ** 5
        total += np.stack([weight * (1 - grazing), weight * grazing], axis=-1)
    return (total / _LUT_SAMPLES).astype(np.float32)


def _corput(count: int) -> Array:
    """Return angles that lie evenly, however few are taken: van der Corput's sequence."""
    return 2 * np.pi * np.array([int(f"{n:032b}"[::-1], 2) / 2**32 for n in range(count)])


def directions(height: int, width: int) -> Array:
    """Return the unit vectors `[height, width, 3]` through the pixels of a picture by latitude and longitude."""
    polar, turn = (
        (np.arange(height) + 0.5) * np.pi / height,
        ((np.arange(width) + 0.5) / width - 0.5) * 2 * np.pi,
    )
    ring = np.sin(polar)[:, None]
    found: Array = np.stack(
        [ring * np.sin(turn), np.broadcast_to(np.cos(polar)[:, None], (height, width)), -ring * np.cos(turn)],
        axis=-1,
    )
    return found


def harmonics(n: Array) -> Array:
    """Return the nine real spherical harmonics `[..., 9]` up to order 2 of unit vectors `[..., 3]`."""
    x, y, z = np.moveaxis(np.asarray(n, np.float64), -1, 0)
    found: Array = np.stack(
        [
            np.full_like(x, 0.28209479),
            0.48860251 * y,
            0.48860251 * z,
            0.48860251 * x,
            1.09254843 * x * y,
            1.09254843 * y * z,
            0.31539157 * (3 * z * z - 1),
            1.09254843 * x * z,
            0.54627422 * (x * x - y * y),
        ],
        axis=-1,
    )
    return found


def _turned(image: Array, angle: float) -> Array:
    """Return `image` moved to the left, whole pixels and part of one; in few copies, for it may be large."""
    shift = angle / (2 * np.pi) * image.shape[1]
    whole = int(np.floor(shift))
    part = shift - whole
    turned: Array = np.roll(image, -whole, axis=1)
    if part:
        turned = turned if turned.dtype.kind == "f" else turned.astype(np.float64)
        beside = np.roll(turned, -1, axis=1)
        beside -= turned
        beside *= part
        turned += beside
    return turned


def reduced(image: Array, width: int) -> Array:
    """Return `image` halved while it is wider than `width`: means of four pixels, or of areas where it is odd."""
    while image.shape[1] > width:
        high, wide = (-(-n // 2) for n in image.shape[:2])
        if image.shape[0] % 2 or image.shape[1] % 2:
            image = _resized(np.asarray(image, np.float64), high, wide)
        else:
            image = image.reshape(high, 2, wide, 2, 3).mean(axis=(1, 3))
    return image


def _resized(image: Array, height: int, width: int) -> Array:
    """Return the means of areas of `image`; where it is smaller, its pixels repeated."""
    for axis, size in ((0, height), (1, width)):
        edges = np.linspace(0, image.shape[axis], size + 1)
        total = np.concatenate([np.zeros_like(image.take([0], axis)), image.cumsum(axis)], axis)
        whole = np.minimum(edges.astype(int), image.shape[axis] - 1)
        shape = [1] * image.ndim
        shape[axis] = -1
        at = total.take(whole, axis) + image.take(whole, axis) * (edges - whole).reshape(shape)
        image = np.diff(at, axis=axis) / (image.shape[axis] / size)
    return image


def _blurred(chain: list[Array], roughness: float) -> Array:
    """Return the mean around each direction, weighed by the cosine to it, as if it were normal and view in one."""
    height, width = chain[0].shape[:2]
    normal = directions(height // 2, width // 2)
    helper = np.where(np.abs(normal[..., 1:2]) < 0.9, [0.0, 1.0, 0.0], [1.0, 0.0, 0.0])
    right = np.cross(helper, normal)
    right /= np.linalg.norm(right, axis=-1, keepdims=True)
    up = np.cross(normal, right)
    turn = _corput(_SAMPLES)
    share, a2 = (np.arange(_SAMPLES) + 0.5) / _SAMPLES, roughness**4
    cosine = np.sqrt((1 - share) / (1 + (a2 - 1) * share))
    # Of the half vector's cosine, that of the light's, and how many pixels a sample stands for.
    falls = 2 * cosine**2 - 1
    density = a2 / (np.pi * (cosine**2 * (a2 - 1) + 1) ** 2) / 4
    level = 0.5 * np.log2(1 / (_SAMPLES * density) / (4 * np.pi / (height * width)))
    total, weights = np.zeros(normal.shape), 0.0
    for fall, angle, mip in zip(falls, turn, level, strict=True):
        if fall > 0:
            side = np.sqrt(1 - fall**2)
            way = fall * normal + side * (np.cos(angle) * right + np.sin(angle) * up)
            total += fall * _looked_up(chain[int(np.clip(round(mip), 0, len(chain) - 1))], way)
            weights += fall
    return _looked_up(total / weights, directions(height, width))


def _looked_up(image: Array, way: Any) -> Array:
    """Return `image` bilinearly in the directions `way [..., 3]`."""
    height, width = image.shape[:2]
    x = (np.arctan2(way[..., 0], -way[..., 2]) / (2 * np.pi) + 0.5) * width - 0.5
    y = np.clip(np.arccos(np.clip(way[..., 1], -1, 1)) / np.pi * height - 0.5, 0, height - 1)
    left, top = np.floor(x).astype(int), np.minimum(y.astype(int), height - 1)
    u, v = (x - left)[..., None], (y - top)[..., None]
    right, left, below = (left + 1) % width, left % width, np.minimum(top + 1, height - 1)
    found: Array = (1 - v) * ((1 - u) * image[top, left] + u * image[top, right]) + v * (
        (1 - u) * image[below, left] + u * image[below, right]
    )
    return found
