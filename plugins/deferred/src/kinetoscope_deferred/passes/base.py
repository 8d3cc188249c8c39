"""What a pass is, and the one place that fills in the camera."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import moderngl

from kinetoscope_deferred.device import Device, uniforms
from kinetoscope_deferred.quality import Quality
from kinetoscope_deferred.view import View

__all__ = ["Pass", "set_camera"]


class Pass(Protocol):
    """One step of a frame: reads named textures of the device, writes others.

    `draw` returns counts of the work it did, by name. A pass that is switched off is not called,
    and those that read its output ask `Quality.runs`.

    Attributes:
        name: by which it is switched.
        reads: textures that it samples, as far as the passes that write them run.
        writes: textures that it draws into.
    """

    name: str
    reads: Sequence[str]
    writes: Sequence[str]

    def draw(self, device: Device, view: View, quality: Quality) -> dict[str, int]:
        """Draw this step of `view`."""
        ...


def set_camera(program: moderngl.Program, view: View) -> None:
    """Set the uniforms of `camera.glsl`."""
    uniforms(
        program,
        to_world=view.rotation.T,
        tangents=view.tangents,
        planes=(view.camera.near, view.camera.far),
        picture=tuple(float(n) for n in view.size),
        offset=(view.offset[0], -view.offset[1]),
    )
