"""The sun's shadow map: a parallel projection fitted to what casts and can be seen."""

from __future__ import annotations

import attrs
import moderngl
import numpy as np
from numpy.typing import NDArray

from kinetoscope_deferred.device import Device, uniforms
from kinetoscope_deferred.quality import Quality
from kinetoscope_deferred.view import Draw, View

__all__ = ["ShadowPass", "SunProjection", "sun_projection"]

Array = NDArray[np.float64]

_VISIBLE_M = 60.0
"""How far from the camera receivers count when the map is fitted."""

_MARGIN_TEXELS = 4.0
_STEPS_AN_OCTAVE = 8


@attrs.frozen(eq=False)
class SunProjection:
    """`matrix [4, 4]` to the light's clip space; a texel's edge and the depth range in metres."""

    matrix: Array
    texel: float
    depth: float


class ShadowPass:
    """Draws the depth of all actors as the sun sees them into `shadow_map`."""

    name = "shadow"
    reads = ()
    writes = ("shadow_map",)

    def draw(self, device: Device, view: View, quality: Quality) -> dict[str, int]:
        """Draw the map; nothing where no sun casts or nothing is in sight."""
        sun = sun_projection(view, quality.shadow_size)
        if sun is None:
            return {"shadow.draws": 0}
        size = (quality.shadow_size, quality.shadow_size)
        depth = device.depth_texture("shadow_map", size=size)
        depth.compare_func = "<="
        depth.filter = (moderngl.LINEAR, moderngl.LINEAR)
        target = _framebuffer(device, depth)
        target.use()
        target.clear(depth=1.0)
        count = 0
        for draw in view.draws:
            count += _draw(device, draw, sun)
        return {"shadow.draws": count, "shadow.texels": size[0] * size[1]}


def sun_projection(view: View, resolution: int) -> SunProjection | None:
    """Fit the sun's map to the actors, as far as their shadows can fall into the picture.

    What lies outside the casters' outline as the sun sees it can't be in their shadow, so their
    outline is all the map must hold; of that, only what the camera's view can meet. The width grows
    in steps and the map moves by whole texels, which keeps shadows from crawling.
    """
    if view.sun is None or not len(view.bounds):
        return None
    axes = _axes(view.sun.direction)
    casters = view.bounds @ axes.T
    low, high = casters.min(axis=0), casters.max(axis=0)
    seen = _frustum(view) @ axes.T
    low[:2] = np.maximum(low[:2], seen.min(axis=0)[:2])
    high[:2] = np.minimum(high[:2], seen.max(axis=0)[:2])
    if np.any(low[:2] >= high[:2]):
        return None
    width = float(np.max(high[:2] - low[:2])) * resolution / (resolution - 2 * _MARGIN_TEXELS)
    width = float(2.0 ** (np.ceil(np.log2(max(width, 1e-3)) * _STEPS_AN_OCTAVE) / _STEPS_AN_OCTAVE))
    texel = width / resolution
    anchor = axes @ view.origin
    middle = np.round((0.5 * (low + high) + anchor)[:2] / texel) * texel - anchor[:2]
    near, far = low[2] - 0.01, high[2] + 0.01
    matrix = np.eye(4)
    matrix[:2, :3] = axes[:2] * (2 / width)
    matrix[:2, 3] = -middle * (2 / width)
    matrix[2, :3] = axes[2] * (2 / (far - near))
    matrix[2, 3] = -(far + near) / (far - near)
    return SunProjection(matrix, texel, float(far - near))


def _axes(direction: Array) -> Array:
    """Return right, up and away `[3, 3]` of the sun, whose light goes along `direction`."""
    away = np.asarray(direction, np.float64) / np.linalg.norm(direction)
    helper = np.eye(3)[np.argmin(np.abs(away))]
    right = np.cross(helper, away)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(away, right), away])


def _frustum(view: View) -> Array:
    x, y = view.tangents
    far = min(view.camera.far, _VISIBLE_M)
    rays = np.array([[sx * x, sy * y, -1.0] for sx in (-1, 1) for sy in (-1, 1)]) @ view.rotation
    return np.concatenate([rays * view.camera.near, rays * far])


def _framebuffer(device: Device, depth: moderngl.Texture) -> moderngl.Framebuffer:
    return device.framebuffer("shadow", (), depth)


def _draw(device: Device, draw: Draw, sun: SunProjection) -> int:
    mesh = draw.mesh
    solid = mesh.packed.closed and all(material.alpha_mode == "opaque" for material in mesh.materials)
    # The sun meets the front of what is closed first: its back would only be drawn over.
    device.context.enable_only(moderngl.DEPTH_TEST | (moderngl.CULL_FACE if solid else moderngl.NOTHING))
    # The map's axes are a mirror image of the camera's.
    device.context.front_face = "ccw" if draw.mirrored else "cw"
    for (_, first, count), material, image in zip(
        mesh.packed.ranges, mesh.materials, mesh.images, strict=True
    ):
        cutout = material.alpha_mode != "opaque"
        program = device.program("shadow.vert", "shadow.frag", CUTOUT=int(cutout))
        uniforms(
            program,
            to_light=sun.matrix,
            first_bone=draw.first_bone,
            influences=mesh.packed.influences,
            base_alpha=float(material.base_color[3]),
            alpha_cutoff=float(material.alpha_cutoff if material.alpha_mode == "mask" else 0.5),
            textured=image is not None,
            mirrored=tuple(wrap == "mirror" for wrap in material.wrap),
        )
        textures = {"bones": device.textures["bones"]}
        if image is not None:
            textures["base_color_image"] = image
        device.bind(program, textures)
        mesh.array(device.context, program).render(moderngl.TRIANGLES, vertices=count, first=first)
    device.context.front_face = "ccw"
    return len(mesh.packed.ranges)
