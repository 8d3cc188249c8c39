"""Ghosts: each one's nearest surface, lit like everything else and laid over the light behind."""

from __future__ import annotations

from collections.abc import Sequence

import moderngl

from kinetoscope_deferred.device import Device, uniforms
from kinetoscope_deferred.passes.geometry import draw_batch, skinning_programs
from kinetoscope_deferred.passes.lighting import light
from kinetoscope_deferred.passes.transparent import area_of, layer_target
from kinetoscope_deferred.quality import Quality
from kinetoscope_deferred.view import Draw, View
from kinetoscope_spec.ghosts import HIDDEN_WITHIN, Ghost

__all__ = ["GhostPass"]

_STEPS = 4 / 2**24
"""Of a depth buffer, by which drivers may be off."""

_OVER = (moderngl.ONE, moderngl.ONE_MINUS_SRC_ALPHA)


class GhostPass:
    """Adds the scene's ghosts to `hdr`, the farthest first; what else was drawn stays as it is."""

    name = "ghosts"
    reads = ("depth", "shadow_map", "hdr")
    writes = ("hdr",)

    def draw(self, device: Device, view: View, quality: Quality) -> dict[str, int]:
        """Draw each ghost into a layer of its own, light that, and lay it over `hdr`."""
        hdr = device.framebuffer("hdr", [device.textures["hdr"]])
        drawn = 0
        for ghost, draws in view.ghosts:
            area = area_of(view, draws)
            if area is None:
                continue
            _draw_layer(device, view, ghost, draws, area)
            hdr.scissor = area
            light(device, view, quality, hdr, prefix="layer_", blend=_OVER)
            hdr.scissor = None
            drawn += 1
        return {"ghosts.layers": drawn}


def _draw_layer(
    device: Device, view: View, ghost: Ghost, draws: Sequence[Draw], area: tuple[int, int, int, int]
) -> None:
    layer = layer_target(device, view, 0)
    layer.scissor = area
    layer.use()
    layer.clear(1.0, 1.0, 1.0, 1.0)
    programs = skinning_programs(device, view, draws, EMISSIVE=int(view.emissive), LAYER=1, GHOST=1)
    near, far = view.camera.near, view.camera.far
    for program in programs.values():
        uniforms(
            program,
            margin=(HIDDEN_WITHIN, float(far / (far - near)), _STEPS),
            opacity=float(ghost.opacity),
            tinted=ghost.color is not None,
            ghost_color=ghost.color or (0.0, 0.0, 0.0),
        )
    for draw in draws:
        draw_batch(device, programs[draw.mesh.kind], [draw], textures={"depth": device.textures["depth"]})
