"""The sun's shadow map: squares for parts of the view, each a parallel projection."""

from __future__ import annotations

from itertools import chain

import moderngl
import numpy as np
from numpy.typing import NDArray

from kinetoscope_deferred.device import Device, uniforms
from kinetoscope_deferred.passes.batches import Batch, batched, upload_instances
from kinetoscope_deferred.quality import Quality
from kinetoscope_deferred.view import View
from kinetoscope_spec.cascades import Cascade, SunMap, sun_map

__all__ = ["ShadowPass", "cascades", "shadow_map"]

Array = NDArray[np.float64]


class ShadowPass:
    """Draws the depth of all actors as the sun sees them into `shadow_map`, a square beside the other for each cascade."""

    name = "shadow"
    reads = ()
    writes = ("shadow_map",)

    def draw(self, device: Device, view: View, quality: Quality) -> dict[str, int]:
        """Draw the map; nothing where no sun casts or nothing is in sight."""
        sun = cascades(view, quality)
        if sun is None:
            return {"shadow.draws": 0}
        edge, count = quality.shadow_size, len(sun.cascades)
        target = device.framebuffer(f"shadow{count}", (), shadow_map(device, quality, count))
        target.use()
        target.clear(depth=1.0)
        lots = [
            batched(draw for draw, casts in zip(view.draws, cascade.casts, strict=True) if casts)
            for cascade in sun.cascades
        ]
        instances = upload_instances(device, "shadow_instances", chain(*lots))
        first = draws = 0
        for i, (cascade, batches) in enumerate(zip(sun.cascades, lots, strict=True)):
            if not batches:  # a square that nothing casts into has no width
                continue
            target.viewport = (i * edge, 0, edge, edge)
            to_light = _to_light(sun, cascade)
            for batch in batches:
                draws += _draw(device, batch, first, instances, to_light)
                first += len(batch)
        return {
            "shadow.draws": draws,
            "shadow.batches": sum(map(len, lots)),
            "shadow.cascades": count,
            "shadow.texels": count * edge * edge,
        }


def cascades(view: View, quality: Quality) -> SunMap | None:
    """Return where the squares of the sun's map lie, or None where no sun casts a shadow that is seen."""
    if view.sun is None or not quality.runs("shadow"):
        return None
    if "sun" not in view.held:
        ground = view.scene.ground
        view.held["sun"] = sun_map(
            view.sun.direction,
            [draw.corners for draw in view.draws],
            view.camera,
            view.size,
            resolution=quality.shadow_size,
            most=quality.cascades,
            floor=None if ground is None else ground.height,
        )
    held: SunMap | None = view.held["sun"]
    return held


def shadow_map(device: Device, quality: Quality, count: int) -> moderngl.Texture:
    """Return the texture of `count` squares; it is `shadow_map` until another frame needs more or fewer."""
    depth = device.depth_texture(
        f"shadow_map{count}", size=(count * quality.shadow_size, quality.shadow_size)
    )
    depth.compare_func = "<="
    depth.filter = (moderngl.LINEAR, moderngl.LINEAR)
    device.textures["shadow_map"] = depth
    return depth


def _to_light(sun: SunMap, cascade: Cascade) -> Array:
    """Return the `[4, 4]` matrix to the clip space of one square."""
    matrix, deep = np.eye(4), cascade.high - cascade.low
    matrix[:2, :3] = sun.axes[:2] * (2 / cascade.width)
    matrix[:2, 3] = -cascade.middle * (2 / cascade.width)
    matrix[2, :3] = sun.axes[2] * (2 / deep)
    matrix[2, 3] = -(cascade.high + cascade.low) / deep
    return matrix


def _draw(device: Device, batch: Batch, begins: int, instances: moderngl.Texture, to_light: Array) -> int:
    """Draw a batch that begins at the instance `begins`; return how many draws it stands for."""
    mesh = batch[0].mesh
    solid = mesh.packed.closed and all(material.alpha_mode == "opaque" for material in mesh.materials)
    # The sun meets the front of what is closed first: its back would only be drawn over.
    device.context.enable_only(moderngl.DEPTH_TEST | (moderngl.CULL_FACE if solid else moderngl.NOTHING))
    # The map's axes are a mirror image of the camera's.
    device.context.front_face = "ccw" if batch[0].mirrored else "cw"
    for (_, first, count), material, image in zip(
        mesh.packed.ranges, mesh.materials, mesh.images, strict=True
    ):
        defines = {"CUTOUT": int(material.alpha_mode != "opaque"), "DUAL": int(mesh.packed.dual)}
        program = device.program("shadow.vert", "shadow.frag", **defines, INSTANCED=1)
        uniforms(
            program,
            to_light=to_light,
            first_instance=begins,
            influences=mesh.packed.influences,
            base_alpha=float(material.base_color[3]),
            alpha_cutoff=float(material.alpha_cutoff if material.alpha_mode == "mask" else 0.5),
            textured=image is not None,
            mirrored=tuple(wrap == "mirror" for wrap in material.wrap),
        )
        textures = {"bones": device.textures["bones"], "instances": instances}
        if image is not None:
            textures["base_color_image"] = image
        device.bind(program, textures)
        mesh.array(device.context, program).render(
            moderngl.TRIANGLES, vertices=count, first=first, instances=len(batch)
        )
    device.context.front_face = "ccw"
    return len(mesh.packed.ranges) * len(batch)
