"""Lighting: the whole picture from the G-buffer, with any number of lights."""

from __future__ import annotations

from collections.abc import Sequence

import moderngl
import numpy as np
from numpy.typing import NDArray

from kinetoscope_deferred.device import Device, uniforms
from kinetoscope_deferred.passes.base import set_camera
from kinetoscope_deferred.passes.shadow import cascades, shadow_map
from kinetoscope_deferred.quality import Quality
from kinetoscope_deferred.view import View
from kinetoscope_spec.cascades import SEAM, SunMap
from kinetoscope_spec.scene import Light

__all__ = ["LightingPass", "light", "light_texels"]

_KINDS = {"sun": 0.0, "point": 1.0, "spot": 2.0}
_LIGHTS_A_ROW = 256
_TILE_PX = 16
_LAMPS_A_TEXEL = 128
_ROWS_AT_MOST = 16384
"""Of a texture, on every driver of OpenGL 3.3 that is around."""


class LightingPass:
    """Writes `hdr`: linear light times coverage, and coverage."""

    name = "lighting"
    reads = ("depth", "albedo", "normal", "material", "occlusion", "shadow_map")
    writes = ("hdr",)

    def draw(self, device: Device, view: View, quality: Quality) -> dict[str, int]:
        """Light every pixel of the G-buffer once."""
        hdr = device.framebuffer("hdr", [device.texture("hdr", 4, "f2")])
        occlusion = device.textures["occlusion"] if quality.runs("ssao") else None
        pixels = light(device, view, quality, hdr, occlusion=occlusion)
        return {"lighting.pixels": pixels, "lighting.lights": len(view.scene.lights)}


def light(
    device: Device,
    view: View,
    quality: Quality,
    target: moderngl.Framebuffer,
    *,
    occlusion: moderngl.Texture | None = None,
    prefix: str = "",
    blend: tuple[int, int] | None = None,
) -> int:
    """Light the G-buffer whose textures' names begin with `prefix`, into `target`; return the pixels.

    They are counted where nothing is blended.
    """
    scene = view.scene
    # What lies over the picture has no background of its own.
    seen = (
        scene.environment if scene.environment is not None and scene.environment.seen and not prefix else None
    )
    lights = _in_order(view)
    suns = sum(each.kind == "sun" for each in lights)
    sun = cascades(view, quality)
    program = _program(device, view, quality, lights, sun, seen=seen is not None)
    set_camera(program, view)
    fog = (0.0,) * 4 if scene.fog is None else (*map(float, scene.fog[0]), float(scene.fog[1]))
    uniforms(
        program,
        occluded=occlusion is not None,
        sky=tuple(map(float, scene.sky)),
        earth=tuple(map(float, scene.earth)),
        fog=fog,
        sun_count=suns,
        lamp_count=len(lights) - suns,
    )
    names = ["depth", "albedo", "normal", "material", *(["emission"] if view.emissive else [])]
    textures: dict[str, moderngl.Texture | moderngl.TextureArray] = {
        name: device.textures[prefix + name] for name in names
    }
    textures["occlusion"] = occlusion or device.white
    textures["lights"] = device.upload("lights", light_texels(lights, view.origin))
    textures["tile_lights"] = _tile(
        program, device, view, device.textures[prefix + "depth"], suns, len(lights) - suns
    )
    textures["shadow_map"] = _set_shadow(program, device, view, quality, sun)
    textures["split_sum"] = device.split_sum()
    if scene.environment is not None:
        textures["mirrored"] = device.surroundings(scene.environment)
        program["irradiance"].write(scene.environment.irradiance.astype(np.float32).tobytes())
    if seen is not None:
        textures["backdrop"] = device.backdrop(seen, 2 * view.tangents[1] / view.size[1])
    device.bind(program, textures)
    return device.screen(program, target, blend=blend, count=blend is None)


def _program(
    device: Device, view: View, quality: Quality, lights: Sequence[Light], sun: SunMap | None, *, seen: bool
) -> moderngl.Program:
    """Return the shader for what there is to be lit by; `seen`: whether surroundings stand behind everything."""
    return device.program(
        "screen.vert",
        "lighting.frag",
        BACKDROP=int(seen),
        CASCADES=1 if sun is None else len(sun.cascades),
        EMISSIVE=int(view.emissive),
        FOG=int(view.scene.fog is not None),
        SHADOW_TAPS=quality.shadow_taps,
        SURROUNDED=int(view.scene.environment is not None),
        SPOTS=int(any(each.kind == "spot" for each in lights)),
    )


def _tile(
    program: moderngl.Program, device: Device, view: View, seen: moderngl.Texture, first: int, count: int
) -> moderngl.Texture:
    """Find for each tile which lamps reach what is `seen` in it, a depth texture; return their bits."""
    if not count:
        return device.no_lights
    groups = -(-count // _LAMPS_A_TEXEL)
    edge = _TILE_PX
    while -(-view.size[1] // edge) * groups > _ROWS_AT_MOST:
        edge *= 2
    across, down = (-(-n // edge) for n in view.size)
    depth = device.texture(f"tile_depth{edge}", 2, "f4", size=(across, down))
    lamps = device.texture(f"tile_lights{edge}-{groups}", 4, "u4", size=(across, down * groups))
    ranges = device.program("screen.vert", "tile_depth.frag")
    set_camera(ranges, view)
    device.bind(ranges, {"depth": seen})
    uniforms(ranges, tile=edge)
    device.screen(ranges, device.framebuffer(f"tile_depth{edge}", [depth]))
    reach = device.program("screen.vert", "tile_lights.frag")
    set_camera(reach, view)
    device.bind(reach, {"lights": device.textures["lights"], "tile_depth": depth})
    uniforms(reach, tile=edge, first_lamp=first, lamp_count=count)
    device.screen(reach, device.framebuffer(f"tile_lights{edge}-{groups}", [lamps]))
    uniforms(program, tile=edge)
    return lamps


def _set_shadow(
    program: moderngl.Program, device: Device, view: View, quality: Quality, sun: SunMap | None
) -> moderngl.Texture:
    if sun is None or view.sun is None:
        uniforms(program, shadowed=False)
        return device.no_shadow
    fits, deeps = np.zeros((len(sun.cascades), 4), np.float32), np.zeros((len(sun.cascades), 4), np.float32)
    for i, cascade in enumerate(sun.cascades):
        if cascade.width > 0:
            texel, deep = cascade.width / quality.shadow_size, cascade.high - cascade.low
            fits[i] = *cascade.middle, 1 / cascade.width, texel
            deeps[i] = cascade.low, 1 / deep, min(0.25 * texel + 0.001, 0.02) / deep, cascade.end
    uniforms(
        program,
        shadowed=True,
        to_sun=-view.sun.direction / np.linalg.norm(view.sun.direction),
        sun_power=view.sun.color * view.sun.intensity,
        sun_axes=sun.axes,
        seam=SEAM,
    )
    program["cascade_fit"].write(fits.tobytes())
    program["cascade_deep"].write(deeps.tobytes())
    return shadow_map(device, quality, len(sun.cascades))


def _in_order(view: View) -> list[Light]:
    """Return suns, the one with the shadow map first, and then lamps."""
    return sorted(view.scene.lights, key=lambda light: (light.kind != "sun", light is not view.sun))


def light_texels(lights: Sequence[Light], origin: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return float32 `[rows, 4 * 256, 4]`: four texels a light.

    Position relative to the camera (for a sun: the direction to it) and radius; colour times
    intensity and kind; axis and cosine of the outer angle; cosine of the inner angle.
    """
    rows = max(1, -(-len(lights) // _LIGHTS_A_ROW))
    texels = np.zeros((rows * _LIGHTS_A_ROW, 4, 4))
    for texel, light in zip(texels, lights, strict=False):
        axis = light.direction / max(float(np.linalg.norm(light.direction)), 1e-12)
        inner, outer = sorted(light.angles)
        texel[0, :3] = -axis if light.kind == "sun" else light.position - origin
        texel[0, 3] = light.radius
        texel[1] = *(light.color * light.intensity), _KINDS[light.kind]
        texel[2] = *axis, np.cos(outer)
        texel[3, 0] = np.cos(min(inner, outer - 1e-4))
    return texels.reshape(rows, 4 * _LIGHTS_A_ROW, 4).astype(np.float32)
