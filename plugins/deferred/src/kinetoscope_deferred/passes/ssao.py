"""Ambient occlusion at half resolution: hemisphere samples, then a blur that keeps to surfaces."""

from __future__ import annotations

from kinetoscope_deferred.device import Device, uniforms
from kinetoscope_deferred.passes.base import set_camera
from kinetoscope_deferred.quality import Quality
from kinetoscope_deferred.view import View

__all__ = ["SsaoPass"]

_RADIUS_M = 0.5


class SsaoPass:
    """Writes `occlusion`: 1 where the sky is seen whole, 0 where nothing of it is; beside it metres of depth."""

    name = "ssao"
    reads = ("depth", "normal")
    writes = ("occlusion",)

    def draw(self, device: Device, view: View, quality: Quality) -> dict[str, int]:
        """Sample and blur; half the picture's width and height, rounded up."""
        half = (-(-view.size[0] // 2), -(-view.size[1] // 2))
        raw = device.texture("occlusion_raw", 2, "f4", size=half)
        across = device.texture("occlusion_across", 2, "f4", size=half)
        final = device.texture("occlusion", 2, "f4", size=half)
        program = device.program("screen.vert", "ssao.frag", SAMPLES=quality.ssao_samples)
        set_camera(program, view)
        uniforms(program, radius=_RADIUS_M)
        device.bind(program, {name: device.textures[name] for name in ("depth", "normal")})
        pixels = device.screen(program, device.framebuffer("occlusion_raw", [raw]), count=True)
        blur = device.program("screen.vert", "blur.frag")
        for source, result, along in ((raw, across, (1, 0)), (across, final, (0, 1))):
            device.bind(blur, {"raw": source})
            uniforms(blur, along=along)
            name = "occlusion_across" if result is across else "occlusion"
            device.screen(blur, device.framebuffer(name, [result]))
        return {"ssao.pixels": pixels, "ssao.samples": pixels * quality.ssao_samples}
