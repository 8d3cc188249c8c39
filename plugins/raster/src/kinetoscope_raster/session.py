"""A session: what is kept between pictures, and the passes of one in their order."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_raster._stage import Stage, build_stage
from kinetoscope_raster._sun import Sun, find_sun, light_table
from kinetoscope_raster._texels import LINEAR
from kinetoscope_raster.quality import Quality
from kinetoscope_spec.errors import KinetoscopeError
from kinetoscope_spec.scene import Camera, Frame, Scene

__all__ = ["RasterSession"]

_one_at_a_time = threading.Lock()
"""Numba's own pool of threads, where there is neither OpenMP nor TBB, takes calls of one thread only."""

_FADE_M = (18.0, 60.0)
_OCCLUSION_M = 0.4
_GLOW = 0.12


@functools.cache
def _start_pool() -> None:
    """Start Numba's threads from one that ends at once.

    Whoever starts them is given as many OpenMP threads as Numba has, and torch, which may share
    that OpenMP, with it: the caller's own number is not ours to change.
    """
    import numba

    starter = threading.Thread(target=numba.get_num_threads)
    starter.start()
    starter.join()


@attrs.frozen(eq=False)
class _View:
    """One frame's camera: its axes, half the width and height at one metre, corners and normals in it."""

    rotation: NDArray[np.float64]
    tangents: tuple[float, float]
    points: NDArray[np.float64]
    normals: NDArray[np.float64]


class RasterSession:
    """An open renderer; closing twice is harmless."""

    def __init__(self, size: tuple[int, int], quality: Quality, buffers: Sequence[str] = ()) -> None:
        self.size = size
        self.quality = quality
        self._buffers = tuple(buffers)
        self._stage: Stage | None = None
        self._open = True

    def render(self, scene: Scene, camera: Camera) -> Frame:
        """Draw one picture.

        Raises:
            KinetoscopeError: the session is closed.
        """
        if not self._open:
            raise KinetoscopeError("this renderer session is closed; open a new one")
        with _one_at_a_time:
            _start_pool()
            return self._draw(scene, camera)

    def close(self) -> None:
        """Let go of everything."""
        self._open = False
        self._stage = None

    def __enter__(self) -> RasterSession:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # -- the passes

    def _draw(self, scene: Scene, camera: Camera) -> Frame:
        from kinetoscope_raster import _geometry, _lighting, _post

        passes, quality = self.quality.passes, self.quality
        width, height = self.size
        stage = self._staged(scene)
        view = self._pose(stage, scene, camera, _geometry)
        depth = np.full((height, width), np.inf)
        held = self._fill(stage, view, scene, camera, depth, _geometry)
        occlusion = np.ones((-(-height // 2), -(-width // 2)), np.float32)
        if "ssao" in passes:
            rough = np.empty_like(occlusion)
            _lighting.occlude(
                depth, held["normal"], *view.tangents, camera.near, _OCCLUSION_M, quality.ssao_samples, rough
            )
            _lighting.smooth(depth, rough, occlusion)
        sun = find_sun(scene, view.rotation, view.points, depth, view.tangents, "shadow" in passes)
        shadow = self._shadow(stage, view, sun, _geometry)
        fog = np.zeros(4) if scene.fog is None else np.array([*scene.fog[0], scene.fog[1]], np.float64)
        hdr = np.zeros((height, width, 4), np.float32)
        _lighting.light(
            depth, held["albedo"], held["normal"], held["material"], held["emission"], occlusion, *view.tangents,
            np.ascontiguousarray(view.rotation[:, 1]), np.array(scene.sky), np.array(scene.earth), fog,
            light_table(scene, view.rotation, camera.position), sun.index, sun.basis, sun.low, sun.span,
            quality.shadow_taps, shadow, hdr,
        )  # fmt: skip
        glowing = "bloom" in passes
        glow = (
            _post.bloom(hdr, scene.exposure, quality.bloom_levels)
            if glowing
            else np.zeros((1, 1, 3), np.float32)
        )
        picture = np.empty((height, width, 4), np.float32)
        strength = _GLOW / quality.bloom_levels if glowing else 0.0
        _post.tone(
            hdr,
            glow,
            strength,
            scene.exposure,
            "tonemap" in passes,
            np.array(scene.background),
            _post.SRGB,
            picture,
        )
        color = _post.smooth_edges(picture, quality.fxaa_steps if "fxaa" in passes else 0)
        return Frame(color, self._asked(held, view, depth, hdr, color), {"lighting.pixels": width * height})

    def _staged(self, scene: Scene) -> Stage:
        characters = tuple(actor.character for actor in scene.actors)
        kept = self._stage
        if (
            kept is None
            or len(kept.characters) != len(characters)
            or any(a is not b for a, b in zip(kept.characters, characters, strict=True))
        ):
            self._stage = kept = build_stage(characters)
        return kept

    def _pose(self, stage: Stage, scene: Scene, camera: Camera, geometry: Any) -> _View:
        """Carry all corners into the camera's axes; the subtraction is in float64, far from the origin too."""
        rotation = np.ascontiguousarray(camera.view_matrix()[:3, :3])
        projection = camera.projection_matrix(self.size[0] / self.size[1])
        points, normals = np.empty((stage.corners, 3)), np.empty((stage.corners, 3))
        corner = face = 0
        for part in stage.parts:
            actor = scene.actors[part.actor]
            bones = part.inverse_bind
            if part.bones[0] >= 0:
                bones = np.asarray(actor.pose, np.float64)[part.bones] @ bones
            stage.flips[face : face + part.faces] = np.linalg.det(bones[0, :3, :3]) < 0
            stage.owners[face : face + part.faces] = actor.id
            bones = np.array(bones[:, :3])
            bones[:, :, 3] -= camera.position
            geometry.skin(
                part.points,
                part.normals,
                part.joints,
                part.weights,
                np.ascontiguousarray(rotation @ bones),
                corner,
                points,
                normals,
            )
            corner += len(part.points)
            face += part.faces
        tangents = float(1 / projection[0, 0]), float(1 / projection[1, 1])
        return _View(rotation, tangents, points, normals)

    def _fill(
        self, stage: Stage, view: _View, scene: Scene, camera: Camera, depth: Any, geometry: Any
    ) -> dict[str, Any]:
        """Return the G-buffer, normals in the camera's axes, and set `depth`."""
        from kinetoscope_raster import _surface

        seen = np.full(depth.shape, -1, np.int64)
        geometry.see(stage, view.points, view.tangents, camera.near, camera.far, depth, seen)
        held: dict[str, Any] = {
            name: np.zeros((*depth.shape, 3), np.float32)
            for name in ("albedo", "normal", "material", "emission")
        }
        held["id"] = np.zeros(depth.shape, np.uint16)
        out = tuple(held.values())
        _surface.resolve(
            seen, view.points, view.normals, stage.faces, stage.flips, stage.kinds, stage.owners, stage.materials,
            stage.uvs, stage.colors, stage.levels, stage.texels, LINEAR, *view.tangents, *out,
        )  # fmt: skip
        ground = scene.ground
        if ground is not None and "ground" in self.quality.passes:
            # The grid repeats after five lines; the remainder keeps its places sharp far from the origin.
            period = 5 * ground.spacing if ground.spacing > 0 else 1.0
            corner = np.remainder(np.asarray(camera.position)[[0, 2]], period)
            _surface.lay_ground(
                depth, np.ascontiguousarray(view.rotation.T), float(ground.height - camera.position[1]), corner,
                float(ground.spacing), np.stack([ground.color, ground.line_color]), np.array(_FADE_M),
                *view.tangents, camera.near, camera.far, *out,
            )  # fmt: skip
        return held

    def _shadow(self, stage: Stage, view: _View, sun: Sun, geometry: Any) -> Any:
        if sun.index < 0:
            return np.full((1, 1), np.inf, np.float32)
        shadow = np.full((self.quality.shadow_size,) * 2, np.inf, np.float32)
        geometry.cast_shadow(view.points, stage.faces, sun.basis, sun.low, sun.span, shadow)
        return shadow

    def _asked(self, held: Any, view: _View, depth: Any, hdr: Any, color: Any) -> dict[str, Any]:
        made: dict[str, Callable[[], Any]] = {
            "depth": lambda: depth.astype(np.float32),
            "normal": lambda: np.asarray(held["normal"] @ view.rotation, np.float32),
            "albedo": lambda: held["albedo"],
            "material": lambda: np.concatenate(
                [held["material"][..., :2], held["emission"].max(axis=-1, keepdims=True)], axis=-1
            ),
            "id": lambda: held["id"],
            "hdr": lambda: hdr[..., :3],
            "final": lambda: color,
        }
        return {name: made[name]() for name in self._buffers}
