"""From light to picture: bloom, tone curve, anti-aliasing."""

from __future__ import annotations

import moderngl

from kinetoscope_deferred.device import Device, uniforms
from kinetoscope_deferred.quality import Quality
from kinetoscope_deferred.view import View

__all__ = ["BloomPass", "FxaaPass", "TonemapPass"]

_THRESHOLD = 1.0
_STRENGTH = 0.06
_CURVES = {"aces": 1, "neutral": 2}
_TILE_PX = 16


class BloomPass:
    """Writes `glow`: what is brighter than 1 after exposure, spread over a chain of mips."""

    name = "bloom"
    reads = ("hdr",)
    writes = ("glow",)

    def draw(self, device: Device, view: View, quality: Quality) -> dict[str, int]:
        """Shrink what is bright level by level, then add the levels up again."""
        levels = self._levels(device, quality)
        bright = device.program("screen.vert", "bright.frag")
        device.bind(bright, {"hdr": device.textures["hdr"]})
        uniforms(bright, exposure=float(view.scene.exposure), threshold=_THRESHOLD)
        device.screen(bright, device.framebuffer("bloom0", [levels[0]]))
        shrink = device.program("screen.vert", "shrink.frag")
        for i in range(1, len(levels)):
            self._run(device, shrink, {"source": levels[i - 1]}, f"bloom{i}", levels[i])
        grow = device.program("screen.vert", "grow.frag")
        sum_ = levels[-1]
        for i in reversed(range(len(levels) - 1)):
            name = f"glow{i}"
            result = device.texture(name, 4, "f2", size=levels[i].size, linear=True)
            self._run(device, grow, {"source": sum_, "base": levels[i]}, name, result)
            sum_ = result
        device.textures["glow"] = sum_
        return {"bloom.levels": len(levels)}

    @staticmethod
    def _levels(device: Device, quality: Quality) -> list[moderngl.Texture]:
        levels = []
        width, height = device.size
        for i in range(quality.bloom_levels):
            width, height = -(-width // 2), -(-height // 2)
            levels.append(device.texture(f"bloom{i}", 4, "f2", size=(width, height), linear=True))
            if min(width, height) <= 4:
                break
        return levels

    @staticmethod
    def _run(
        device: Device,
        program: moderngl.Program,
        sources: dict[str, moderngl.Texture],
        name: str,
        result: moderngl.Texture,
    ) -> None:
        device.bind(program, sources)
        uniforms(program, target_size=tuple(map(float, result.size)))
        device.screen(program, device.framebuffer(name, [result]))


class TonemapPass:
    """Writes `picture`: sRGB over the background."""

    name = "tonemap"
    reads = ("hdr", "glow")
    writes = ("picture",)

    def draw(self, device: Device, view: View, quality: Quality) -> dict[str, int]:
        """Add the glow, expose, curve, lay over the background."""
        glowing = quality.runs("bloom")
        program = device.program("screen.vert", "tonemap.frag")
        device.bind(
            program,
            {"hdr": device.textures["hdr"], "glow": device.textures["glow"] if glowing else device.white},
        )
        uniforms(
            program,
            glowing=glowing,
            glow_strength=_STRENGTH,
            exposure=float(view.scene.exposure),
            curve=_CURVES[view.scene.tone] if quality.runs("tonemap") else 0,
            background=tuple(map(float, view.scene.background)),
        )
        device.screen(program, device.framebuffer("picture", [device.texture("picture", 4, "f1")]))
        return {}


class FxaaPass:
    """Writes `smooth`: the picture with its edges smoothed, tile by tile where there is one.

    A driver without a graphics card runs both sides of every branch, so pixels that need nothing are
    left out before the shader: most tiles of a picture have no edge, and are copied.
    """

    name = "fxaa"
    reads = ("picture",)
    writes = ("smooth",)

    def draw(self, device: Device, view: View, quality: Quality) -> dict[str, int]:
        """Smooth the picture."""
        picture = device.textures["picture"]
        clear = {"TRANSPARENT": int(view.scene.background[3] < 1)}
        tiles = (-(-device.size[0] // _TILE_PX), -(-device.size[1] // _TILE_PX))
        edges = device.texture("edges", 1, "f1", size=tiles)
        find = device.program("screen.vert", "edges.frag", **clear)
        device.bind(find, {"picture": picture})
        uniforms(find, tile=_TILE_PX)
        device.screen(find, device.framebuffer("edges", [edges]))
        smooth = device.framebuffer("smooth", [device.texture("smooth", 4, "f1")])
        device.context.copy_framebuffer(smooth, device.framebuffer("picture", [picture]))
        program = device.program("edges.vert", "fxaa.frag", STEPS=quality.fxaa_steps, **clear)
        device.bind(program, {"picture": picture, "edges": edges})
        uniforms(program, tile=_TILE_PX, size=tuple(map(float, device.size)))
        device.screen(program, smooth, vertices=6 * tiles[0] * tiles[1])
        return {}
