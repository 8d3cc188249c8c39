"""The G-buffer: actors, floor and annotations as albedo, normal, material, id and depth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import moderngl
import numpy as np

from kinetoscope_deferred.cache import MAPS
from kinetoscope_deferred.device import Device, uniforms
from kinetoscope_deferred.passes.base import set_camera
from kinetoscope_deferred.passes.batches import Batch, batched, upload_instances
from kinetoscope_deferred.quality import Quality
from kinetoscope_deferred.view import Draw, View
from kinetoscope_spec.annotations import ribbons
from kinetoscope_spec.character import Material

__all__ = [
    "AnnotationPass",
    "GeometryPass",
    "GroundPass",
    "draw_batch",
    "draw_batches",
    "skinning_programs",
    "to_clip",
]

_DITHERED = 2
_FADE_M = (10.0, 48.0)
"""Distances at which the floor begins to fade into the background and is gone."""
_LINES_PX = 0.5
"""What lines are smoothed over where frames are mixed, which smooths them again."""


def target(device: Device, view: View, *, moving: bool = False) -> moderngl.Framebuffer:
    """Return the G-buffer; light of their own is kept only in scenes where something glows.

    `moving` adds `motion`, which actors alone have.
    """
    colors = [
        device.texture("albedo", 4, "f1"),
        device.texture("normal", 2, "f2"),
        device.texture("material", 4, "f1"),
        device.texture("id", 1, "u2"),
    ]
    if view.emissive:
        colors.append(device.texture("emission", 4, "f2"))
    if moving:
        colors.append(device.texture("motion", 2, "f4"))
    name = f"gbuffer{'-emissive' * view.emissive}{'-moving' * moving}"
    return device.framebuffer(name, colors, device.depth_texture("depth"))


class GeometryPass:
    """Draws all actors, skinned, into the G-buffer."""

    name = "geometry"
    reads = ()
    writes = ("albedo", "normal", "material", "id", "depth")

    def draw(self, device: Device, view: View, quality: Quality) -> dict[str, int]:
        """Clear the G-buffer and draw every mesh, those that actors share at once."""
        moving = view.bones_before is not None
        gbuffer = target(device, view, moving=moving)
        gbuffer.use()
        gbuffer.clear()
        # OpenGL leaves open what a clear does to integers.
        device.textures["id"].write(bytes(2 * view.size[0] * view.size[1]), alignment=1)
        defines = {"EMISSIVE": int(view.emissive), "MOTION": int(moving), "INSTANCED": 1}
        picture = tuple(float(n) for n in view.size)
        programs = skinning_programs(device, view, **defines)
        for program in programs.values():
            uniforms(program, picture=picture, near=float(view.camera.near))
        if view.bones_before is not None:
            device.upload("bones_before", view.bones_before)
        # What is seen through is drawn after light, or dithered where that pass is off.
        chosen = False if quality.runs("transparent") else None
        batches = batched(view.draws)
        work = {"geometry.draws": len(view.draws), "geometry.batches": len(batches), "geometry.triangles": 0}
        for batch, triangles in draw_batches(device, programs, batches, name="geometry", veils=chosen):
            work["geometry.triangles"] += triangles
            if batch[0].level:
                name = f"geometry.triangles_level{batch[0].level}"
                work[name] = work.get(name, 0) + triangles
        return work


class GroundPass:
    """Draws the floor as the plane that it is, exact at any distance."""

    name = "ground"
    reads = ()
    writes = ("albedo", "normal", "material", "id", "depth")

    def draw(self, device: Device, view: View, quality: Quality) -> dict[str, int]:
        """Draw the floor behind what stands on it."""
        ground = view.scene.ground
        if ground is None:
            return {}
        height = float(ground.height - view.origin[1])
        area = floor_area(view, height)
        if area is None:
            return {"ground.draws": 0}
        program = device.program("screen.vert", "ground.frag", EMISSIVE=int(view.emissive))
        set_camera(program, view)
        period = max(5 * ground.spacing, 1e-9)
        reach = min(1.0, 0.9 * view.camera.far / _FADE_M[1])
        uniforms(
            program,
            height=height,
            corner=tuple(float(c) for c in np.mod(view.origin[[0, 2]], period)),
            spacing=float(max(ground.spacing, 0.0)),
            smoothing=1.0 if view.before is None else _LINES_PX,
            ground_color=tuple(map(float, ground.color)),
            line_color=tuple(map(float, ground.line_color)),
            fade=(_FADE_M[0] * reach, _FADE_M[1] * reach),
        )
        gbuffer = target(device, view)
        gbuffer.scissor = area
        device.screen(program, gbuffer, depth=True)
        gbuffer.scissor = None
        return {"ground.draws": 1}


def floor_area(view: View, height: float) -> tuple[int, int, int, int] | None:
    """Return left, bottom, width and height in pixels of what holds the floor, or None where it is out of sight.

    The floor, `height` metres above the camera, fills the side of the horizon where rays reach it
    before the far plane: a half of the picture's plane, whose part in the picture is boxed.
    """
    x, y = view.tangents
    up = view.rotation[:, 1] * (x, y, 1.0) * np.sign(height)
    square = np.array([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)])
    level = square @ up[:2] - up[2] - abs(height) / view.camera.far
    after, beyond = np.roll(square, -1, axis=0), np.roll(level, -1)
    crossed = (level > 0) != (beyond > 0)
    part = (level / np.where(crossed, level - beyond, 1.0))[:, None]
    held = np.concatenate([square[level > 0], (square + part * (after - square))[crossed]])
    if not len(held):
        return None
    # A pixel more: rounding must not lose a row of it.
    low, high = (0.5 * (edge + 1) * view.size for edge in (held.min(axis=0), held.max(axis=0)))
    left, bottom = (max(int(np.floor(n)) - 1, 0) for n in low)
    right, top = (min(int(np.ceil(n)) + 1, size) for n, size in zip(high, view.size, strict=True))
    return left, bottom, right - left, top - bottom


class AnnotationPass:
    """Draws trajectories as ribbons, in quads: drivers disagree about lines."""

    name = "annotations"
    reads = ()
    writes = ("albedo", "normal", "material", "id", "depth")

    def draw(self, device: Device, view: View, quality: Quality) -> dict[str, int]:
        """Draw what the scene's annotations hold."""
        count = 0
        program = device.program("annotation.vert", "annotation.frag", EMISSIVE=int(view.emissive))
        pixel = 2 * view.tangents[1] / view.size[1]
        for ribbon in ribbons(view.scene, view.origin, pixel):
            uniforms(program, to_clip=to_clip(view), base_color=ribbon.color)
            buffer = device.context.buffer(ribbon.triangles.astype(np.float32).tobytes())
            array = device.context.vertex_array(program, [(buffer, "3f4", "position")])
            target(device, view).use()
            device.context.enable_only(moderngl.DEPTH_TEST)
            array.render(moderngl.TRIANGLES)
            array.release()
            buffer.release()
            count += len(ribbon.triangles)
        return {"annotations.triangles": count}


def to_clip(view: View) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return the `[4, 4]` matrix from positions relative to the camera to its clip space."""
    turn = np.eye(4)
    turn[:3, :3] = view.rotation
    return view.projection @ turn


def skinning_programs(
    device: Device, view: View, draws: Sequence[Draw] | None = None, **defines: int
) -> dict[tuple[bool, bool], moderngl.Program]:
    """Return the programs that draw meshes, `draws` or all that cast and are seen, by `DeviceMesh.kind`."""
    programs = {
        (dual, maps): device.program(
            "geometry.vert", "geometry.frag", DUAL=int(dual), MAPS=int(maps), **defines
        )
        for dual, maps in {draw.mesh.kind for draw in (view.draws if draws is None else draws)}
    }
    for program in programs.values():
        uniforms(program, to_clip=to_clip(view))
    return programs


def draw_batches(
    device: Device,
    programs: Mapping[tuple[bool, bool], moderngl.Program],
    batches: Sequence[Batch],
    *,
    name: str,
    veils: bool | None = None,
    textures: Mapping[str, moderngl.Texture] | None = None,
) -> Iterator[tuple[Batch, int]]:
    """Draw batches by `INSTANCED` programs, and yield each with its triangles.

    Args:
        device: where.
        programs: by `DeviceMesh.kind`.
        batches: what.
        name: of what draws them, whose texture of instances stays what it is until it draws again.
        veils: as for `draw_batch`.
        textures: which passes bind beside those of meshes.
    """
    held = {"instances": upload_instances(device, f"{name}_instances", batches)} | dict(textures or {})
    first = 0
    for batch in batches:
        uniforms(programs[batch[0].mesh.kind], first_instance=first)
        yield batch, draw_batch(device, programs[batch[0].mesh.kind], batch, veils=veils, textures=held)
        first += len(batch)


def draw_batch(
    device: Device,
    program: moderngl.Program,
    batch: Batch,
    *,
    veils: bool | None = None,
    textures: Mapping[str, moderngl.Texture] | None = None,
) -> int:
    """Draw a batch and return its triangles; `veils` chooses what lets light through, or what does not.

    Where `program` is not `INSTANCED` the batch is one draw.
    """
    draw, mesh = batch[0], batch[0].mesh
    triangles = 0
    uniforms(program, first_bone=draw.first_bone, influences=mesh.packed.influences, actor_id=draw.actor_id)
    device.context.front_face = "cw" if draw.mirrored else "ccw"
    for (_, first, count), material, image, veil, maps in zip(
        mesh.packed.ranges, mesh.materials, mesh.images, mesh.veils, mesh.maps, strict=True
    ):
        if veils is not None and veil != veils:
            continue
        _set_material(program, material, textured=image is not None, veil=veil)
        images = {"bones": device.textures["bones"], "base_color_image": image or device.white}
        images |= {name: maps.get(name, device.white) for name in MAPS} | dict(textures or {})
        uniforms(
            program, mapped=tuple(name in maps for name in MAPS), normal_scale=float(material.normal_scale)
        )
        if "bones_before" in program:
            images["bones_before"] = device.textures["bones_before"]
        device.bind(program, images)
        culled = moderngl.NOTHING if material.double_sided else moderngl.CULL_FACE
        device.context.enable_only(moderngl.DEPTH_TEST | culled)
        mesh.array(device.context, program).render(
            moderngl.TRIANGLES, vertices=count, first=first, instances=len(batch)
        )
        triangles += count // 3 * len(batch)
    device.context.front_face = "ccw"
    return triangles


def _set_material(program: moderngl.Program, material: Material, *, textured: bool, veil: bool) -> None:
    uniforms(
        program,
        base_color=tuple(map(float, material.base_color)),
        rough_metal=(float(material.roughness), float(material.metallic)),
        emissive=tuple(map(float, material.emissive)),
        alpha_mode=_DITHERED if veil else int(material.alpha_mode == "mask"),
        alpha_cutoff=float(material.alpha_cutoff),
        textured=textured,
        mirrored=tuple(wrap == "mirror" for wrap in material.wrap),
    )
