"""A session: one context, its frame graph, and reading pictures back."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import attrs
import moderngl
import numpy as np

from kinetoscope_deferred.cache import MeshCache
from kinetoscope_deferred.device import Device, uniforms
from kinetoscope_deferred.graph import Guest, arrange, check_inputs
from kinetoscope_deferred.passes.base import Pass
from kinetoscope_deferred.passes.geometry import AnnotationPass, GeometryPass, GroundPass
from kinetoscope_deferred.passes.ghosts import GhostPass
from kinetoscope_deferred.passes.lighting import LightingPass
from kinetoscope_deferred.passes.post import BloomPass, FxaaPass, TonemapPass
from kinetoscope_deferred.passes.shadow import ShadowPass
from kinetoscope_deferred.passes.ssao import SsaoPass
from kinetoscope_deferred.passes.taa import TemporalPass
from kinetoscope_deferred.passes.transparent import TransparentPass
from kinetoscope_deferred.quality import Quality
from kinetoscope_deferred.readback import read_buffer, read_color
from kinetoscope_deferred.render_pass import RenderPass
from kinetoscope_deferred.view import View, build_view
from kinetoscope_spec import temporal
from kinetoscope_spec.errors import KinetoscopeError
from kinetoscope_spec.rendering import ALWAYS, Watch
from kinetoscope_spec.scene import Camera, Frame, Scene

__all__ = ["DeferredSession", "frame_graph"]


def frame_graph() -> tuple[Pass, ...]:
    """Return the renderer's own passes of a frame in their order; those of others are put between them."""
    return (
        ShadowPass(),  # -> shadow_map
        GeometryPass(),  # -> albedo, normal, material, id, depth (and emission)
        AnnotationPass(),  # into the same
        GroundPass(),  # into the same
        SsaoPass(),  # depth, normal -> occlusion
        LightingPass(),  # G-buffer, occlusion, shadow_map -> hdr
        TransparentPass(),  # depth, shadow_map, hdr -> hdr
        GhostPass(),  # depth, shadow_map, hdr -> hdr
        BloomPass(),  # hdr -> glow
        TonemapPass(),  # hdr, glow -> picture
        TemporalPass(),  # picture, depth, motion, id and what was kept -> smooth
        FxaaPass(),  # picture -> smooth
    )


class DeferredSession:
    """An open renderer. It belongs to the thread that opened it; closing twice is harmless."""

    def __init__(
        self,
        context: moderngl.Context,
        size: tuple[int, int],
        quality: Quality,
        buffers: Sequence[str] = (),
        added: Sequence[RenderPass] = (),
        *,
        why: str = "",
    ) -> None:
        self.size = size
        self.quality = quality
        self.why = why
        """What draws, and why that: one line."""
        self.watch: Watch | None = None
        """Within which each pass is drawn and done, if it is set (`kinetoscope_spec.rendering`)."""
        self.passes = arrange(frame_graph(), added)
        check_inputs(self.passes, quality)
        self._buffers = tuple(buffers)
        self._context: moderngl.Context | None = context
        self._thread = threading.get_ident()
        self.device = Device(context, size)
        self._cache = MeshCache(context)
        self._takes: dict[int, temporal.Take] = {}

    @property
    def driver(self) -> str:
        """The driver's own name, such as `llvmpipe (LLVM 15.0.6, 256 bits)`."""
        with self._open() as context:
            return str(context.info["GL_RENDERER"])

    @property
    def uploads(self) -> int:
        """How many meshes went to the device so far."""
        return self._cache.uploads

    @property
    def history(self) -> int:
        """To how many frames before it a picture looks back: none without the pass `taa`."""
        return temporal.SETTLED if self.quality.runs("taa") else 0

    def render(self, scene: Scene, camera: Camera) -> Frame:
        """Draw one picture.

        With the pass `taa` it is mixed with those before, if it follows them (`kinetoscope_spec.temporal`).
        Buffers other than `final` are those of a frame that looks at the centres of pixels all the same.

        Raises:
            KinetoscopeError: the session is closed, or belongs to another thread.
            ValidationError: an annotation is not what it should be.
            PluginError: a pass of somebody else's failed; names it.
        """
        with self._open():
            view, work, held = self._draw(scene, camera, self._buffers)
            color = read_color(self.device, self._last)
            for name in self._buffers:
                if name not in held:
                    held[name] = read_buffer(self.device, view, name, color)
        return Frame(color, held, work)

    def show(
        self,
        scene: Scene,
        camera: Camera,
        target: moderngl.Framebuffer,
        area: tuple[int, int, int, int],
        *,
        film: int = 0,
    ) -> dict[str, int]:
        """Draw one picture, as `render` does, into `area` (left, bottom, width, height) of `target`; return the work.

        The picture has the session's size, whatever the area's: what is beyond it is cut off. Of several
        that are shown in turn each is a `film` of its own, whose pictures follow each other.
        """
        with self._open():
            _, work, _ = self._draw(scene, camera, film=film)
            self._paste(self.device.textures[self._last], target, area, None)
        return work

    def paste(
        self,
        texture: moderngl.Texture,
        target: moderngl.Framebuffer,
        area: tuple[int, int, int, int],
        *,
        blend: tuple[int, int] | None = None,
    ) -> None:
        """Copy a colour texture to `area` of `target`, texel by texel."""
        with self._open():
            self._paste(texture, target, area, blend)

    def _paste(
        self,
        texture: moderngl.Texture,
        target: moderngl.Framebuffer,
        area: tuple[int, int, int, int],
        blend: tuple[int, int] | None,
    ) -> None:
        program = self.device.program("screen.vert", "paste.frag")
        self.device.bind(program, {"source": texture})
        uniforms(program, corner=area[:2], opaque=blend is None)
        whole, target.viewport = target.viewport, area
        self.device.screen(program, target, blend=blend)
        target.viewport = whole

    def pick(self, scene: Scene, camera: Camera, x: int, y: int) -> tuple[int, Any] | None:
        """Return the id of the actor in a pixel (from the top left) and the point `[3]` m that is seen, or None."""
        with self._open():
            view = self._viewed(scene, camera)
            self._run(view, until="ssao")
            nothing = np.zeros(0)
            ids, depth = (read_buffer(self.device, view, name, nothing) for name in ("id", "depth"))
        if not (0 <= x < self.size[0] and 0 <= y < self.size[1]) or ids[y, x] == 0:
            return None
        ndc = ((x + 0.5) / self.size[0] * 2 - 1, 1 - (y + 0.5) / self.size[1] * 2)
        ray = np.array([ndc[0] * view.tangents[0], ndc[1] * view.tangents[1], -1.0]) @ view.rotation
        return int(ids[y, x]), view.origin + ray * float(depth[y, x])

    def resize(self, size: tuple[int, int]) -> None:
        """Draw pictures of another size from now on; meshes and programs stay on the device."""
        if size != self.size:
            with self._open():
                self.size = size
                self.device.resize(size)
                self._takes.clear()

    def switch(self, name: str, on: bool) -> None:
        """Switch a pass on or off from now on.

        Raises:
            ConfigError: a pass that is on reads what this one writes.
        """
        wanted = attrs.evolve(
            self.quality, passes=self.quality.passes | {name} if on else self.quality.passes - {name}
        )
        check_inputs(self.passes, wanted)
        self.quality = wanted

    def _draw(
        self, scene: Scene, camera: Camera, buffers: Sequence[str] = (), *, film: int = 0
    ) -> tuple[View, dict[str, int], dict[str, Any]]:
        """Draw a picture; return its view, the work, and buffers that can't be read of it any more.

        Those but `final` are of a view that looks at the centres of pixels.
        """
        before = self._takes.pop(film, None)
        take = temporal.Take.after(before, scene, camera) if self.quality.runs("taa") else None
        view = attrs.evolve(
            self._viewed(scene, camera, moving=take is not None and take.number > 0), film=film
        )
        centred: dict[str, Any] = {}
        if take is not None:
            moved = view.following(before, take)
            names = [name for name in buffers if name != "final"]
            if names and moved.offset != view.offset:
                self._run(view, until="bloom" if "hdr" in names else "ssao")
                centred = {name: read_buffer(self.device, view, name, np.zeros(0)) for name in names}
            view = moved
        work = self._run(view)
        if take is not None:
            self._takes[film] = take
        return view, work, centred

    def _viewed(self, scene: Scene, camera: Camera, *, moving: bool = False) -> View:
        guests = [step for step in self.passes if isinstance(step, Guest)]
        moving = moving or "motion" in self._buffers or any("motion" in step.reads for step in guests)
        detail_px = self.quality.detail_px if self.quality.runs("lod") else None
        view = build_view(scene, camera, self.size, self._cache, moving=moving, detail_px=detail_px)
        self.device.upload("bones", view.bones)
        return view

    def _run(self, view: View, *, until: str = "") -> dict[str, int]:
        """Run the passes, up to the one before `until`."""
        work: dict[str, int] = {}
        for step in self.passes:
            if step.name == until:
                break
            # What is mixed with the frames before is smooth already.
            idle = step.name == "fxaa" and view.before is not None
            if step.name in ALWAYS or (self.quality.runs(step.name) and not idle):
                work |= self._step(step, view)
        return work

    def _step(self, step: Pass, view: View) -> dict[str, int]:
        if self.watch is None:
            return step.draw(self.device, view, self.quality)
        with self.watch(step.name):
            work = step.draw(self.device, view, self.quality)
            self.device.context.finish()  # drivers put off what they are told; a pass ends when it is done
        return work

    @property
    def _last(self) -> str:
        """The texture that holds the picture in the end."""
        return "smooth" if self.quality.runs("taa") or self.quality.runs("fxaa") else "picture"

    def close(self) -> None:
        """Free the context and all that is in it."""
        if self._context is not None:
            context = self._open()
            self._context = None
            context.release()

    def __enter__(self) -> DeferredSession:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _open(self) -> moderngl.Context:
        if self._context is None:
            raise KinetoscopeError("this renderer session is closed; open a new one")
        if threading.get_ident() != self._thread:
            raise KinetoscopeError(
                "this renderer session was opened in another thread; open one in each thread that renders"
            )
        return self._context
