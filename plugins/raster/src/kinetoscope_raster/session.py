"""A session: what is kept between pictures, and the passes of one in their order."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_raster._closet import Closet, Worn
from kinetoscope_raster._stage import Piece, Stage, build_stage, ribbon_stage
from kinetoscope_raster._sun import Sun, find_sun, light_table
from kinetoscope_raster._texels import LINEAR
from kinetoscope_spec import kinematics, temporal
from kinetoscope_spec.annotations import ribbons
from kinetoscope_spec.character import Character
from kinetoscope_spec.environment import Environment, split_sum
from kinetoscope_spec.errors import KinetoscopeError
from kinetoscope_spec.ghosts import HIDDEN_WITHIN, ghosts_in
from kinetoscope_spec.rendering import ALWAYS, Quality, Watch
from kinetoscope_spec.scene import Actor, Camera, Frame, Ground, Scene

__all__ = ["RasterSession"]

_one_at_a_time = threading.Lock()
"""Numba's own pool of threads, where there is neither OpenMP nor TBB, takes calls of one thread only."""

_FADE_M = (10.0, 48.0)
"""Distances at which the floor begins to fade into the background and is gone."""
_LINES_PX = 0.5
"""What its lines are smoothed over where frames are mixed, which smooths them again."""
_OCCLUSION_M = 0.4
_GLOW = 0.06
_MODE, _BLENDED = 9, 2.0
"""Where a material's row says how its alpha counts, and what stands there for blending."""
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)


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
    """One frame's camera: its axes, half the width and height at one metre, corners and normals in it,
    and its corners in the frame before where they are asked for.

    Pixels look `aside [2]` m of their centres, a metre away. Kernels of geometry know centres alone: for
    them `points` and `before` are moved the other way; `placed` are the corners where they are.
    """

    rotation: NDArray[np.float64]
    tangents: tuple[float, float]
    points: NDArray[np.float64]
    normals: NDArray[np.float64]
    before: NDArray[np.float64] | None
    placed: NDArray[np.float64]
    aside: NDArray[np.float64]
    smoothing: float = 1.0

    def looking(self, offset: tuple[float, float], size: tuple[int, int]) -> _View:
        """Return the view whose pixels look beside their centres, `offset` pixels right and down."""
        aside = 2 * np.array(offset) / size * self.tangents * (1, -1)
        before = None if self.before is None else self._moved(self.before, aside)
        return attrs.evolve(self.beside(attrs.evolve(self, aside=aside)), before=before, smoothing=_LINES_PX)

    def beside(self, other: _View) -> _View:
        """Return the view whose pixels look where those of `other` do."""
        return attrs.evolve(self, points=self._moved(self.placed, other.aside), aside=other.aside)

    @staticmethod
    def _moved(points: NDArray[np.float64], aside: NDArray[np.float64]) -> NDArray[np.float64]:
        moved = points.copy()
        moved[:, :2] += points[:, 2:] * aside
        return moved


@attrs.frozen(eq=False)
class _Kept:
    """What `taa` keeps of a frame: its take, its light and, of each pixel, distance and frames mixed."""

    take: temporal.Take
    light: NDArray[np.float32]
    past: NDArray[np.float32]


class RasterSession:
    """An open renderer; closing twice is harmless."""

    def __init__(self, size: tuple[int, int], quality: Quality, buffers: Sequence[str] = ()) -> None:
        self.size = size
        self.quality = quality
        self.watch: Watch | None = None
        """Within which each pass is drawn, if it is set (`kinetoscope_spec.rendering`)."""
        self._buffers = tuple(buffers)
        self._closet = Closet()
        self._stage: Stage | None = None
        self._kept: _Kept | None = None
        self._open = True

    @property
    def history(self) -> int:
        """To how many frames before it a picture looks back: none without the pass `taa`."""
        return temporal.SETTLED if "taa" in self.quality.passes else 0

    def render(self, scene: Scene, camera: Camera) -> Frame:
        """Draw one picture.

        With the pass `taa` it is mixed with those before, if it follows them (`kinetoscope_spec.temporal`).
        Buffers other than `final` are those of a frame that looks at the centres of pixels all the same.

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
        self._stage = self._kept = None
        self._closet = Closet()

    def __enter__(self) -> RasterSession:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # -- the passes

    def _during(self, name: str) -> AbstractContextManager[Any]:
        """Return within what the pass `name` is drawn: what stands in for one that is off is watched by nobody."""
        if self.watch is None or not (name in ALWAYS or name in self.quality.passes):
            return nullcontext()
        return self.watch(name)

    def _draw(self, scene: Scene, camera: Camera) -> Frame:
        before = self._kept
        take = None
        if "taa" in self.quality.passes:
            take = temporal.Take.after(before.take if before else None, scene, camera)
        follows = take is not None and take.number > 0
        moving = follows or "motion" in self._buffers
        with self._during("geometry"):
            stage, worn = self._staged(scene, camera, moving=moving)
            view = self._pose(stage, worn, scene.actors, camera, moving=moving)
        work = _drawn(stage)
        centred: dict[str, Any] = {}
        if take is not None and follows:
            names = [name for name in self._buffers if name != "final"]
            if names and take.number % temporal.PERIOD:
                seen = self._see(stage, worn, view, scene, camera, {}, lit="hdr" in names)
                centred = self._asked(names, view, *seen, None)
            view = view.looking(temporal.offset(take.number), self.size)
        held, depth, hdr = self._see(stage, worn, view, scene, camera, work)
        picture, luma = self._develop(scene, hdr)
        color = self._finish(camera, view, take, held, depth, picture, luma)
        if take is not None:
            work["taa.frames_before"] = take.number
        return Frame(color, self._asked(self._buffers, view, held, depth, hdr, color) | centred, work)

    def _see(
        self,
        stage: Stage,
        worn: Sequence[Worn],
        view: _View,
        scene: Scene,
        camera: Camera,
        work: dict[str, int],
        *,
        lit: bool = True,
    ) -> tuple[dict[str, Any], Any, Any]:
        """Return the G-buffer, depth and, if they are to be `lit`, the light of the pixels of `view`."""
        depth = np.full(self.size[::-1], np.inf)
        held = self._fill(stage, view, scene, camera, depth, work)
        if not lit:
            return held, depth, None
        with self._during("ssao"):
            occlusion = self._occlusion(view, camera, depth, held, work)
        with self._during("shadow"):
            boxes = [each.corners for each in worn]
            sun = find_sun(scene, camera, view.rotation, boxes, self.size, self.quality)
            shadow = self._shadow(stage, view, sun, work)
        with self._during("lighting"):
            hdr, pixels = self._light(scene, camera, view, sun, shadow, depth, occlusion, held)
            if scene.environment is not None and scene.environment.seen:
                self._stand_behind(scene.environment, view, hdr)
        work |= {"lighting.pixels": pixels, "lighting.lights": len(scene.lights)}
        if "transparent" in self.quality.passes:
            with self._during("transparent"):
                hdr = self._lay_veils(stage, scene, camera, view, sun, shadow, depth, hdr, work)
        if "ghosts" in self.quality.passes:
            with self._during("ghosts"):
                hdr = self._lay_ghosts(scene, camera, view, sun, shadow, depth, hdr, work)
        return held, depth, hdr

    def _occlusion(
        self, view: _View, camera: Camera, depth: Any, held: Mapping[str, Any], work: dict[str, int]
    ) -> Any:
        from kinetoscope_raster import _occlusion

        height, width = depth.shape
        occlusion = np.ones((-(-height // 2), -(-width // 2)), np.float32)
        if "ssao" in self.quality.passes:
            rough, steps = np.empty_like(occlusion), _occlusion.taps(self.quality.ssao_samples, _OCCLUSION_M)
            _occlusion.occlude(depth, held["normal"], *view.tangents, camera.near, _OCCLUSION_M, steps, rough)
            _occlusion.smooth(depth, rough, occlusion)
            work["ssao.pixels"] = rough.size
        return occlusion

    def _light(
        self, scene: Scene, camera: Camera, view: _View, sun: Sun, shadow: Any, depth: Any, occlusion: Any,
        held: Mapping[str, Any],
    ) -> tuple[Any, int]:  # fmt: skip
        from kinetoscope_raster import _lighting

        fog = np.zeros(4) if scene.fog is None else np.array([*scene.fog[0], scene.fog[1]], np.float64)
        hdr = np.zeros((*depth.shape, 4), np.float32)
        sky, earth, own = np.array(scene.sky), np.array(scene.earth), held["emission"]
        if scene.environment is not None:
            from kinetoscope_raster import _environment

            sky, earth, own = np.zeros(3), np.zeros(3), own.copy()
            _environment.surround(
                depth, held["albedo"], held["normal"], held["material"], occlusion, *view.tangents, view.aside,
                np.ascontiguousarray(view.rotation.T), scene.environment.irradiance, scene.environment.mirrored,
                split_sum(), own,
            )  # fmt: skip
        lit = _lighting.light(
            depth, held["albedo"], held["normal"], held["material"], own, occlusion, *view.tangents,
            view.aside, np.ascontiguousarray(view.rotation[:, 1]), sky, earth, split_sum(), fog,
            light_table(scene, view.rotation, camera.position), sun.index, sun.basis, sun.squares,
            self.quality.shadow_taps, shadow, hdr,
        )  # fmt: skip
        return hdr, int(lit)

    def _stand_behind(self, environment: Environment, view: _View, hdr: Any) -> None:
        """Fill what `hdr` leaves uncovered with the surroundings."""
        from kinetoscope_raster import _environment

        far = environment.backdrop(2 * view.tangents[1] / self.size[1])
        axes = np.ascontiguousarray(view.rotation.T)
        _environment.behind(far[None], *view.tangents, view.aside, axes, hdr)

    def _lay_veils(
        self, stage: Stage, scene: Scene, camera: Camera, view: _View, sun: Sun, shadow: Any, depth: Any,
        hdr: Any, work: dict[str, int],
    ) -> Any:  # fmt: skip
        """Return `hdr` with what is seen through laid over it, layer by layer from the front.

        Each layer holds of each pixel the nearest such face beyond the layer before, and is lit like
        everything else.
        """
        from kinetoscope_raster import _geometry as geometry

        work["transparent.layers"] = 0
        if not (stage.materials[stage.kinds, _MODE] == _BLENDED).any():
            return hdr
        veil, nearer = np.zeros_like(hdr), np.zeros(depth.shape)
        unhidden = np.ones(tuple(-(-n // 2) for n in depth.shape), np.float32)
        for _ in range(self.quality.layers):
            seen, place = np.full(depth.shape, -1, np.int64), depth.copy()
            geometry.see(
                stage, view.points, view.tangents, camera.near, camera.far, place, seen,
                which=geometry.VEILS, nearer=nearer,
            )  # fmt: skip
            there = seen >= 0
            if not there.any():
                break
            nearer = np.where(there, place, np.inf)
            held = _gbuffer(depth.shape)
            _resolve(stage, view, seen, held, veiled=True)
            layer, _ = self._light(scene, camera, view, sun, shadow, nearer, unhidden, held)
            veil += (1 - veil[..., 3:]) * layer
            work["transparent.layers"] += 1
        return veil + (1 - veil[..., 3:]) * hdr

    def _lay_ghosts(
        self, scene: Scene, camera: Camera, seen_by: _View, sun: Sun, shadow: Any, depth: Any, hdr: Any,
        work: dict[str, int],
    ) -> Any:  # fmt: skip
        """Return `hdr` with the scene's ghosts laid over it, of each the nearest surface, the farthest ghost first."""
        from kinetoscope_raster import _geometry as geometry

        ghosts = ghosts_in(scene, camera)
        table = self._closet.table(self._characters(scene, camera))
        work["ghosts.layers"] = 0
        unhidden = np.ones(tuple(-(-n // 2) for n in depth.shape), np.float32)
        for ghost in ghosts:
            actors = (Actor(ghost.character, ghost.pose),)
            worn = self._closet.dress(actors, camera, table)
            stage = build_stage([each.part for each in worn], table)
            view = self._pose(stage, worn, actors, camera).beside(seen_by)
            seen, place = np.full(depth.shape, -1, np.int64), depth * (1 - HIDDEN_WITHIN)
            geometry.see(
                stage, view.points, view.tangents, camera.near, camera.far, place, seen, which=geometry.GHOSTS
            )
            there = seen >= 0
            if not there.any():
                continue
            gbuffer = _gbuffer(depth.shape)
            _resolve(stage, view, seen, gbuffer, veiled=True)
            blended = stage.materials[stage.kinds[seen], _MODE] == _BLENDED
            through = np.where(blended, gbuffer["material"][..., 2], 0.0)
            gbuffer["material"][..., 2] = np.where(there, 1.0 - ghost.opacity * (1.0 - through), 1.0)
            if ghost.color is not None:
                gbuffer["albedo"][there] = ghost.color
            layer, _ = self._light(
                scene, camera, view, sun, shadow, np.where(there, place, np.inf), unhidden, gbuffer
            )
            hdr = layer + (1 - layer[..., 3:]) * hdr
            work["ghosts.layers"] += 1
        return hdr

    def _develop(self, scene: Scene, hdr: Any) -> tuple[Any, Any]:
        """Return the picture of linear light `hdr`, and its lightness: glow, tone curve, background."""
        from kinetoscope_raster import _post

        passes, quality = self.quality.passes, self.quality
        glow, strength = np.zeros((1, 1, 3), np.float32), 0.0
        if "bloom" in passes:
            with self._during("bloom"):
                glow, strength = _post.bloom(hdr, scene.exposure, quality.bloom_levels), _GLOW
        picture, luma = np.empty(hdr.shape, np.float32), np.empty(hdr.shape[:2], np.float32)
        background = np.array(scene.background)
        curve = _post.CURVES[scene.tone] if "tonemap" in passes else 0
        with self._during("tonemap"):
            _post.tone(hdr, glow, strength, scene.exposure, curve, background, _post.SRGB, picture, luma)
        return picture, luma

    def _finish(
        self, camera: Camera, view: _View, take: temporal.Take | None, held: Mapping[str, Any], depth: Any,
        picture: Any, luma: Any,
    ) -> Any:  # fmt: skip
        """Return the picture with smooth edges: mixed with those before if it follows them, or by its own."""
        from kinetoscope_raster import _post

        if take is not None:
            with self._during("taa"):
                color = self._mix(camera, view, take, held, depth, picture)
            if color is not None:
                return color
        with self._during("fxaa"):
            steps = self.quality.fxaa_steps if "fxaa" in self.quality.passes else 0
            return _post.smooth_edges(picture, luma, steps)

    def _mix(
        self, camera: Camera, view: _View, take: temporal.Take, held: Mapping[str, Any], depth: Any,
        picture: Any,
    ) -> Any:  # fmt: skip
        """Keep the picture for the next; return it mixed with those before, or None if it follows none."""
        from kinetoscope_raster import _taa

        before = self._kept
        kept = _Kept(take, np.empty(picture.shape, np.float32), np.empty((*depth.shape, 2), np.float32))
        self._kept = kept
        shown = _taa.light(picture)
        if not take.number or before is None:
            _taa.keep(shown, depth, camera.far, kept.light, kept.past)
            return None
        color = np.empty(picture.shape, np.uint8)
        earlier = before.take.camera
        projection = earlier.projection_matrix(self.size[0] / self.size[1])
        turn = earlier.view_matrix()[:3, :3] @ view.rotation.T
        moved = view.rotation @ (camera.position - earlier.position)
        lens = 1 / projection[[0, 1], [0, 1]]
        _taa.mix(
            shown, depth, held["motion"], *view.tangents, view.aside, camera.near, camera.far, turn,
            moved, lens, temporal.LEAST_SHARE, before.light, before.past, kept.light, kept.past, color,
        )  # fmt: skip
        return color

    def _characters(self, scene: Scene, camera: Camera) -> list[Character]:
        """Return whoever is drawn, ghosts too."""
        ghosts = ghosts_in(scene, camera) if "ghosts" in self.quality.passes else ()
        return [each.character for each in (*scene.actors, *ghosts)]

    def _staged(self, scene: Scene, camera: Camera, *, moving: bool) -> tuple[Stage, list[Worn]]:
        """Return what is on the stage, built anew where it is not what the frame before had, and how it is worn."""
        characters = self._characters(scene, camera)
        self._closet.keep(characters)
        table = self._closet.table(characters)
        detail_px = self.quality.detail_px if "lod" in self.quality.passes else None
        worn = self._closet.dress(
            scene.actors, camera, table, size=self.size, detail_px=detail_px, moving=moving
        )
        parts = [each.part for each in worn]
        if self._stage is None or not self._stage.holds(parts, table):
            self._stage = build_stage(parts, table)
        return self._stage, worn

    def _pose(
        self,
        stage: Stage,
        worn: Sequence[Worn],
        actors: Sequence[Actor],
        camera: Camera,
        *,
        moving: bool = False,
    ) -> _View:
        """Carry all corners into the camera's axes; the subtraction is in float64, far from the origin too."""
        rotation = np.ascontiguousarray(camera.view_matrix()[:3, :3])
        projection = camera.projection_matrix(self.size[0] / self.size[1])
        points, normals = np.empty((stage.corners, 3)), np.empty((stage.corners, 3))
        before, unused = (np.empty((stage.corners if moving else 0, 3)) for _ in range(2))
        corner = face = 0
        for each in worn:
            piece, actor = each.part.piece, actors[each.part.actor]
            faces = slice(face, face + len(piece.faces))
            stage.flips[faces] = np.linalg.det(each.carry[0, :3, :3]) < 0
            stage.owners[faces] = actor.id
            _carry(piece, rotation @ each.carry[:, :3], corner, points, normals)
            if each.past is not None:
                _carry(piece, rotation @ each.past[:, :3], corner, before, unused)
            corner += len(piece.points)
            face = faces.stop
        tangents = float(1 / projection[0, 0]), float(1 / projection[1, 1])
        return _View(rotation, tangents, points, normals, before if moving else None, points, np.zeros(2))

    def _fill(
        self, stage: Stage, view: _View, scene: Scene, camera: Camera, depth: Any, work: dict[str, int]
    ) -> dict[str, Any]:
        """Return the G-buffer, normals in the camera's axes, and set `depth`."""
        from kinetoscope_raster import _geometry as geometry

        with self._during("geometry"):
            seen = np.full(depth.shape, -1, np.int64)
            which = geometry.SOLID if "transparent" in self.quality.passes else geometry.ALL
            geometry.see(stage, view.points, view.tangents, camera.near, camera.far, depth, seen, which=which)
            held = _gbuffer(depth.shape)
            _resolve(stage, view, seen, held)
        out = tuple(held.values())
        if "annotations" in self.quality.passes:
            with self._during("annotations"):
                self._annotate(view, scene, camera, depth, out, work)
        if scene.ground is not None and "ground" in self.quality.passes:
            with self._during("ground"):
                self._lay_ground(view, scene.ground, camera, depth, out)
            work["ground.draws"] = 1
        if view.before is not None:
            with self._during("geometry"):
                held["motion"] = np.zeros((*depth.shape, 2), np.float32)
                geometry.drift(
                    seen, view.points, view.before, stage.faces, *view.tangents, camera.near, held["motion"]
                )
                held["motion"][held["id"] == 0] = 0  # covered by a ribbon or the floor, which stand still
        return held

    @staticmethod
    def _lay_ground(view: _View, ground: Ground, camera: Camera, depth: Any, out: Any) -> None:
        """Lay the floor into the G-buffer where nothing is before it."""
        from kinetoscope_raster import _surface

        # The grid repeats after five lines; the remainder keeps its places sharp far from the origin.
        period = 5 * ground.spacing if ground.spacing > 0 else 1.0
        reach = min(1.0, 0.9 * camera.far / _FADE_M[1])
        corner = np.remainder(np.asarray(camera.position)[[0, 2]], period)
        _surface.lay_ground(
            depth, np.ascontiguousarray(view.rotation.T), view.aside, view.smoothing,
            float(ground.height - camera.position[1]), corner, float(ground.spacing),
            np.stack([ground.color, ground.line_color]), reach * np.array(_FADE_M), *view.tangents,
            camera.near, camera.far, *out,
        )  # fmt: skip

    def _annotate(
        self, view: _View, scene: Scene, camera: Camera, depth: Any, out: Any, work: dict[str, int]
    ) -> None:
        """Draw what the scene's annotations hold into the G-buffer, among what is there."""
        from kinetoscope_raster import _geometry, _surface

        pixel = 2 * view.tangents[1] / self.size[1]
        drawn = list(ribbons(scene, np.asarray(camera.position, np.float64), pixel))
        work["annotations.triangles"] = sum(len(ribbon.triangles) for ribbon in drawn)
        if not drawn:
            return
        stage = ribbon_stage(drawn)
        points = np.concatenate([ribbon.triangles for ribbon in drawn]).reshape(-1, 3) @ view.rotation.T
        points[:, :2] += points[:, 2:] * view.aside
        normals = np.tile(view.rotation[:, 1], (len(points), 1))
        seen = np.full(depth.shape, -1, np.int64)
        _geometry.see(stage, points, view.tangents, camera.near, camera.far, depth, seen)
        stage.flips[:] = _geometry.turned_away(points)  # either side shows the same face
        _surface.resolve(
            seen, points, normals, stage.faces, stage.flips, stage.kinds, stage.owners, stage.materials,
            stage.uvs, stage.colors, stage.levels, stage.texels, LINEAR, *view.tangents, *out, False,
        )  # fmt: skip

    def _shadow(self, stage: Stage, view: _View, sun: Sun, work: dict[str, int]) -> Any:
        from kinetoscope_raster import _geometry

        if sun.index < 0:
            return np.full((1, 1, 1), np.inf, np.float32)
        shadow = np.full((len(sun.squares), *(self.quality.shadow_size,) * 2), np.inf, np.float32)
        owner = np.repeat(np.arange(len(stage.parts)), [len(part.piece.faces) for part in stage.parts])
        work |= {"shadow.triangles": 0, "shadow.cascades": len(sun.squares)}
        for square, casts, held in zip(sun.squares, sun.casts, shadow, strict=True):
            wanted = casts[owner]
            chosen = attrs.evolve(stage, faces=stage.faces[wanted], kinds=stage.kinds[wanted])
            _geometry.cast_shadow(chosen, view.placed, sun.basis, square[:2], float(square[2]), held)
            work["shadow.triangles"] += len(chosen.faces)
        return shadow

    @staticmethod
    def _asked(
        names: Sequence[str], view: _View, held: Any, depth: Any, hdr: Any, color: Any
    ) -> dict[str, Any]:
        made: dict[str, Callable[[], Any]] = {
            "depth": lambda: depth.astype(np.float32),
            "normal": lambda: np.asarray(held["normal"] @ view.rotation, np.float32),
            "albedo": lambda: held["albedo"],
            "material": lambda: np.concatenate(
                [held["material"][..., :2], (held["emission"] @ _LUMINANCE)[..., None]], axis=-1
            ),
            "motion": lambda: held["motion"],
            "id": lambda: held["id"],
            "hdr": lambda: hdr[..., :3],
            "final": lambda: color,
        }
        return {name: made[name]() for name in names}


def _drawn(stage: Stage) -> dict[str, int]:
    """Return what the geometry pass draws, by level of detail."""
    work = {"geometry.draws": len(stage.parts), "geometry.triangles": len(stage.faces)}
    for part in stage.parts:
        if part.level:
            name = f"geometry.triangles_level{part.level}"
            work[name] = work.get(name, 0) + len(part.piece.faces)
    return work


def _gbuffer(shape: tuple[int, ...]) -> dict[str, Any]:
    held: dict[str, Any] = {
        name: np.zeros((*shape, 3), np.float32) for name in ("albedo", "normal", "material", "emission")
    }
    held["id"] = np.zeros(shape, np.uint16)
    return held


def _resolve(stage: Stage, view: _View, seen: Any, held: Mapping[str, Any], *, veiled: bool = False) -> None:
    """Fill the G-buffer from the faces that pixels see."""
    from kinetoscope_raster import _surface

    _surface.resolve(
        seen, view.points, view.normals, stage.faces, stage.flips, stage.kinds, stage.owners, stage.materials,
        stage.uvs, stage.colors, stage.levels, stage.texels, LINEAR, *view.tangents, *held.values(), veiled,
    )  # fmt: skip


def _carry(piece: Piece, bones: Any, first: int, points: Any, normals: Any) -> None:
    """Carry a piece's corners by `bones [B, 3, 4]` into `points[first:]` and `normals[first:]`."""
    from kinetoscope_raster import _geometry

    joints, weights = piece.joints, piece.weights
    if piece.dual:
        # What blends to a matrix for each corner carries it as a bone of its own would.
        turns, stretches = kinematics.polar(bones[:, :, :3])
        bones, moves = np.empty((len(joints), 3, 4)), np.ascontiguousarray(bones[:, :, 3])
        _geometry.blend_duals(joints, weights, turns, stretches, moves, bones)
        joints, weights = np.arange(len(joints))[:, None], np.ones((len(joints), 1))
    _geometry.skin(piece.points, piece.normals, joints, weights, bones, first, points, normals)
