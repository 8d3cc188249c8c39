"""What is put over one frame of a plate: light, how much of the plate it hides, and its shadow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import Frame, ValidationError

__all__ = ["Layer", "from_srgb", "to_srgb"]

Array = NDArray[Any]

_DARK = 1e-4
"""Light on the ground below which a shadow on it can't be told, in the renderer's unit."""


def from_srgb(values: Array) -> Array:
    """Return linear float32 of sRGB `uint8` (IEC 61966-2-1)."""
    return _LINEAR[values]


def to_srgb(light: Array) -> Array:
    """Return sRGB 0 to 255, not rounded, of linear light; what is above 1 is clipped."""
    light = np.clip(light, 0.0, 1.0)
    curved = np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.power(light, 1 / 2.4) - 0.055)
    return np.asarray(255.0 * curved)


def _linear_table() -> Array:
    values = np.arange(256) / 255.0
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4).astype(np.float32)


_LINEAR = _linear_table()


@attrs.frozen(eq=False)
class Layer:
    """A picture to be put over one frame of a plate.

    Attributes:
        light: `[H, W, 3]`, linear, multiplied by the alpha: what the picture adds.
        alpha: `[H, W]`, 0 to 1: how much of the plate it hides.
        shade: `[H, W]` or `[H, W, 3]`, factors on the plate's light, 0 and up: below 1 in its
            shadow, above where it throws light; or None for 1.
    """

    light: Array
    alpha: Array
    shade: Array | None = None

    def __attrs_post_init__(self) -> None:
        size = np.shape(self.alpha)
        if len(size) != 2 or np.shape(self.light) != (*size, 3):
            raise ValidationError(
                f"Layer.light is {list(np.shape(self.light))} and alpha {list(size)}, expected [H, W, 3] and [H, W]"
            )
        if self.shade is not None and np.shape(self.shade) not in (size, (*size, 3)):
            raise ValidationError(f"Layer.shade is {list(np.shape(self.shade))}, expected {list(size)}")

    @classmethod
    def of(cls, actor: Frame, *, ground: Frame | None = None, bare: Frame | None = None) -> Layer:
        """Return the layer of a rendered character, and of its shadow on a ground that is not seen.

        Args:
            actor: the character alone, over a background of alpha 0.
            ground: the same scene with a ground, its buffers `hdr` and `id` among others.
            bare: that ground without the character, with the buffer `hdr`: what `ground` has less of
                light is the shadow, whatever renderer made it.

        Raises:
            ValidationError: one of the two is missing, or a buffer.
        """
        alpha = actor.color[..., 3].astype(np.float32) / 255.0
        light = from_srgb(actor.color[..., :3]) * alpha[..., None]
        if ground is None and bare is None:
            return cls(light, alpha)
        if ground is None or bare is None:
            raise ValidationError("a shadow takes the ground with the character and the ground without it")
        for name, frame, wanted in (("ground", ground, ("hdr", "id")), ("bare", bare, ("hdr",))):
            missing = [buffer for buffer in wanted if buffer not in frame.buffers]
            if missing:
                raise ValidationError(
                    f"the frame {name!r} has no buffer {missing[0]!r}; open the renderer with it"
                )
        lit, full = ground.buffers["hdr"], bare.buffers["hdr"]
        shade = np.where(full > _DARK, lit / np.maximum(full, _DARK), 1.0)
        shade[ground.buffers["id"] != 0] = 1.0  # the character itself is no shadow
        return cls(light, alpha, shade.astype(np.float32))

    @classmethod
    def mean(cls, layers: Sequence[Layer]) -> Layer:
        """Return what a shutter sees that is open for all of `layers`: motion blur, in linear light.

        Raises:
            ValidationError: there is none, or they have other sizes.
        """
        if not layers:
            raise ValidationError("the mean of no layers")
        sizes = {np.shape(layer.alpha) for layer in layers}
        if len(sizes) > 1:
            raise ValidationError(f"layers of sizes {sorted(sizes)}, expected one")
        light, alpha = (
            np.mean([getattr(layer, name) for layer in layers], axis=0) for name in ("light", "alpha")
        )
        if all(layer.shade is None for layer in layers):
            return cls(light, alpha)
        shades = [
            np.ones_like(layer.light) if layer.shade is None else _three(layer.shade) for layer in layers
        ]
        return cls(light, alpha, np.mean(shades, axis=0))


def _three(shade: Array) -> Array:
    return shade if shade.ndim == 3 else np.repeat(shade[..., None], 3, axis=2)
