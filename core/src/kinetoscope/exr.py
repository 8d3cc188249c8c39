"""Frames as OpenEXR files: linear light, and what it was made from in layers beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kinetoscope_spec.errors import ProviderUnavailable
from kinetoscope_spec.files import replacing
from kinetoscope_spec.scene import Frame

__all__ = ["BUFFERS", "layers", "need_openexr", "write_exr"]

_LAYERS: Mapping[str, tuple[str, ...]] = {
    "hdr": ("R", "G", "B"),
    "depth": ("Z",),
    "normal": ("normal.X", "normal.Y", "normal.Z"),
    "albedo": ("albedo.R", "albedo.G", "albedo.B"),
    "material": ("material.roughness", "material.metallic", "material.emissive"),
    "motion": ("motion.X", "motion.Y"),
    "id": ("id",),
}
BUFFERS = tuple(_LAYERS)
"""The buffers of a frame that become layers."""


def need_openexr() -> Any:
    """Return the library.

    Raises:
        ProviderUnavailable: it is not installed.
    """
    try:
        import OpenEXR
    except ImportError as error:
        raise ProviderUnavailable("EXR files need OpenEXR: pip install 'kinetoscope[exr]'") from error
    return OpenEXR


def layers(frame: Frame) -> dict[str, np.ndarray[Any, Any]]:
    """Return a frame's buffers as channels `[H, W]` by name: `R`, `G`, `B` are `hdr`, `Z` is `depth`.

    All are float32, `id` too, which holds every one of its 65,536 numbers exactly.
    """
    channels: dict[str, np.ndarray[Any, Any]] = {}
    for name, names in _LAYERS.items():
        held = np.asarray(frame.buffers[name], np.float32)
        planes = held[..., None] if held.ndim == 2 else held
        channels |= {each: np.ascontiguousarray(planes[..., i]) for i, each in enumerate(names)}
    return channels


def write_exr(path: str | Path, frame: Frame) -> None:
    """Write a frame that has all of `BUFFERS` as one part, ZIP-compressed; it takes `path`'s place at the end.

    Light is linear and before exposure, normals are in the world, `Z` is in metres along the camera's
    axis (inf where nothing is), motion in pixels right and down.

    Raises:
        ProviderUnavailable: OpenEXR is not installed.
        OSError: the file can't be written.
    """
    library = need_openexr()
    header = {"compression": library.ZIP_COMPRESSION, "type": library.scanlineimage}
    with replacing(path) as building:
        try:
            with library.File(header, layers(frame)) as file:
                file.write(str(building))
        except RuntimeError as error:  # the library's word for what the system refused
            raise OSError(f"{path} can't be written: {error}") from error
