"""Anti-aliasing over time."""

from __future__ import annotations

from kinetoscope_deferred.device import Device, uniforms
from kinetoscope_deferred.passes.base import set_camera
from kinetoscope_deferred.quality import Quality
from kinetoscope_deferred.view import View
from kinetoscope_spec.temporal import LEAST_SHARE

__all__ = ["TemporalPass"]

_SPREAD_X100 = 150
"""Hundredths of the neighbours' standard deviation that what was kept may be off their mean."""


class TemporalPass:
    """Writes `smooth`: the picture mixed with those before it, if it follows them, which is kept for the next.

    Where it follows nothing the picture stays as it is, and is kept.
    """

    name = "taa"
    reads = ("picture", "depth", "motion", "id")
    writes = ("smooth",)

    def draw(self, device: Device, view: View, quality: Quality) -> dict[str, int]:
        """Mix what was kept into the picture."""
        new, old = (f"{part}:{view.film}" for part in (view.number % 2, 1 - view.number % 2))
        following = view.before is not None
        program = device.program("screen.vert", "taa.frag", MIXED=int(following), SPREAD=_SPREAD_X100)
        names = ["depth", *(["motion", "id"] if following else [])]
        textures = {"shown": device.textures["picture"], **{name: device.textures[name] for name in names}}
        targets = [
            device.texture(f"kept{new}", 4, "f4"),
            device.texture(f"past{new}", 2, "f4"),
            device.texture("smooth", 4, "f1"),
        ]
        set_camera(program, view)
        if view.before is not None:
            textures |= {"kept": device.textures[f"kept{old}"], "past": device.textures[f"past{old}"]}
            before = view.before
            projection = before.projection_matrix(view.size[0] / view.size[1])
            uniforms(
                program,
                from_world_before=before.view_matrix()[:3, :3],
                moved=view.origin - before.position,
                tangents_before=(float(1 / projection[0, 0]), float(1 / projection[1, 1])),
                least=LEAST_SHARE,
            )
        device.bind(program, textures)
        device.screen(program, device.framebuffer(f"taa{new}", targets))
        return {"taa.frames_before": view.number}
