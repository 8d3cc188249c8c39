"""What is seen through: layer by layer from the front, each lit like everything else, laid over the light behind."""

from __future__ import annotations

from collections.abc import Sequence

import moderngl
import numpy as np

from kinetoscope_deferred.device import Device
from kinetoscope_deferred.passes.batches import batched
from kinetoscope_deferred.passes.geometry import draw_batches, skinning_programs
from kinetoscope_deferred.passes.lighting import light
from kinetoscope_deferred.quality import Quality
from kinetoscope_deferred.view import Draw, View

__all__ = ["TransparentPass", "area_of", "layer_target"]

_UNDER = (moderngl.ONE_MINUS_DST_ALPHA, moderngl.ONE)
_OVER = (moderngl.ONE, moderngl.ONE_MINUS_SRC_ALPHA)


class TransparentPass:
    """Adds blended surfaces to `hdr`; depth, ids and normals stay those of what is behind them.

    Depth peeling (Everitt 2001): each layer is the nearest surface beyond the layer before, so neither
    the order of actors nor that of triangles matters. A layer is a small G-buffer, which the
    lighting pass lights. It ends with the last layer there is, or after `Quality.layers`.
    """

    name = "transparent"
    reads = ("depth", "shadow_map", "hdr")
    writes = ("hdr",)

    def draw(self, device: Device, view: View, quality: Quality) -> dict[str, int]:
        """Peel, light and collect the layers, then lay them over `hdr`."""
        draws = [draw for draw in view.draws if any(draw.mesh.veils)]
        area = area_of(view, draws)
        if area is None:
            return {"transparent.layers": 0}
        veil = device.framebuffer("veil", [device.texture("veil", 4, "f2")])
        veil.clear()
        veil.scissor = area
        _clear(device, area)
        layers = 0
        while layers < quality.layers and _peel(device, view, draws, area, layers):
            light(device, view, quality, veil, prefix="layer_", blend=_UNDER)
            layers += 1
        if layers:
            program = device.program("screen.vert", "over.frag")
            device.bind(program, {"source": device.textures["veil"]})
            hdr = device.framebuffer("hdr", [device.textures["hdr"]])
            hdr.scissor = area
            device.screen(program, hdr, blend=_OVER)
            hdr.scissor = None
        veil.scissor = None
        return {"transparent.layers": layers}


def area_of(view: View, draws: Sequence[Draw]) -> tuple[int, int, int, int] | None:
    """Return left, bottom, width and height in pixels of what holds the draws, or None where all are out of sight."""
    if not draws:
        return None
    seen = np.concatenate([draw.corners for draw in draws]) @ view.rotation.T
    if seen[:, 2].min() > -view.camera.near:
        return None
    if seen[:, 2].max() > -view.camera.near:
        return 0, 0, *view.size
    flat = seen[:, :2] / (-seen[:, 2:] * view.tangents)
    size = np.array(view.size)
    low = np.clip(np.floor(0.5 * (flat.min(axis=0) + 1) * size) - 1, 0, size).astype(int)
    high = np.clip(np.ceil(0.5 * (flat.max(axis=0) + 1) * size) + 1, 0, size).astype(int)
    if np.any(low >= high):
        return None
    return int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1])


def layer_target(device: Device, view: View, i: int) -> moderngl.Framebuffer:
    """Return the G-buffer of layer `i`; two of them in turn, which differ in `layer_place`."""
    colors = [
        device.texture("layer_albedo", 4, "f1"),
        device.texture("layer_normal", 2, "f2"),
        device.texture("layer_material", 4, "f1"),
        device.texture(f"layer_place{i % 2}", 1, "f4"),
    ]
    if view.emissive:
        colors.append(device.texture("layer_emission", 4, "f2"))
    name = f"layer{i % 2}{'-emissive' * view.emissive}"
    return device.framebuffer(name, colors, device.depth_texture("layer_depth"))


def _clear(device: Device, area: tuple[int, int, int, int]) -> None:
    """Begin in front of everything."""
    first = device.framebuffer("layer_first", [device.texture("layer_place1", 1, "f4")])
    first.scissor = area
    first.clear()


def _peel(device: Device, view: View, draws: list[Draw], area: tuple[int, int, int, int], i: int) -> bool:
    """Draw the nearest surfaces beyond the layer before; tell whether there were any."""
    layer = layer_target(device, view, i)
    layer.scissor = area
    layer.use()
    layer.clear(1.0, 1.0, 1.0, 1.0)
    programs = skinning_programs(device, view, EMISSIVE=int(view.emissive), LAYER=1, INSTANCED=1)
    textures = {"depth": device.textures["depth"], "nearer": device.textures[f"layer_place{(i + 1) % 2}"]}
    with device.samples:
        for _ in draw_batches(device, programs, batched(draws), name="layer", veils=True, textures=textures):
            pass
    return bool(device.samples.samples)
