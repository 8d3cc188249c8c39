"""The contract of renderers with the pass `taa`: pictures that are mixed with those before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import attrs
import numpy as np
from hypothesis import strategies as st

from kinetoscope_spec._arrays import Array
from kinetoscope_spec.character import Character, Material, Mesh
from kinetoscope_spec.contracts import _staging as staging
from kinetoscope_spec.contracts import strategies
from kinetoscope_spec.contracts._law import law, require
from kinetoscope_spec.contracts._light import CHANNELS, DARK
from kinetoscope_spec.contracts._raycast import axes, cast, triangles
from kinetoscope_spec.contracts._stage import Stage
from kinetoscope_spec.motion import Skeleton
from kinetoscope_spec.scene import Actor, Camera, Frame, Light, Scene

__all__ = ["TemporalContract"]

_BARE = {"taa": True, "fxaa": False, "bloom": False, "tonemap": False, "ssao": False, "shadow": False}
_FINE = 8
"""Rays along an edge of a pixel that tell how much of it is covered."""
_SETTLED = 16
_GLOW = 0.5
_BLACK = np.array([0.0, 0.0, 0.0, 1.0])
_RIM_LEVELS = 64
"""What may be left a pixel beside an outline, of 188 that were there."""
_TURNS = st.floats(0.05, 1.5)


class TemporalContract(Stage):
    """What callers of a renderer with the pass `taa` rely on.

    A frame follows the one that its session drew before if the actors' `previous_pose` says so. Coverage is
    judged by rays through triangles in float64.

    Attributes:
        size: (width, height) of most pictures.
        quality: of most pictures.
        levels: by how many of 255 levels colours may differ by rounding.
    """

    hook: ClassVar[str] = "renderer"
    mutants: ClassVar[str | None] = "kinetoscope_spec.contracts.mutants.temporal:MUTANTS"

    @law("_scenes", strategies.cameras(), st.booleans(), cost=15)
    def test_the_first_picture_is_as_without(self, scene: Scene, camera: Camera, soft: bool) -> None:
        """What follows nothing is drawn, to the bit, as it is without the pass, and looks smooth if `fxaa` is on."""
        passes = {"fxaa": soft}
        first = self._film([_going_on(scene)], [camera], {**passes, "taa": True})[0]
        plain = self._shared([scene], [camera], {**passes, "taa": False})[0]
        self._compare(plain, first, "the first picture with `taa`")

    @law("_scenes", strategies.cameras(), cost=15)
    def test_the_same_film_gives_the_same_pictures(self, scene: Scene, camera: Camera) -> None:
        """Two sessions that draw the same frames one after the other draw the same bytes."""
        film = [_going_on(scene)] * 4
        one, two = (self._film(film, [camera] * 4, {"taa": True}) for _ in range(2))
        for number, (first, second) in enumerate(zip(one, two, strict=True)):
            self._compare(first, second, f"frame {number} of the same film, drawn again,")

    @law("_scenes", "_scenes", strategies.cameras(), st.booleans(), cost=15)
    def test_a_cut_forgets(self, scene: Scene, other: Scene, camera: Camera, turns: bool) -> None:
        """After a cut to another scene, or of the camera, a picture shows nothing of those before it."""
        away = attrs.evolve(camera, target=2 * camera.position - camera.target)
        after, view = (_going_on(scene), away) if turns else (other, camera)
        film = self._film([*([_going_on(scene)] * 3), after], [camera] * 3 + [view], {"taa": True})
        fresh = self._film([after], [view], {"taa": True})[0]
        self._compare(fresh, film[-1], "the picture after a cut")

    @law(strategies.cameras(), _TURNS, cost=4)
    def test_still_pictures_become_smooth(self, camera: Camera, turn: float) -> None:
        """The outline of what stands still comes nearer to what is covered of each pixel, and nearer than `fxaa` gets."""
        panel = _panel(camera, turn)
        film = [_stage(_moved(panel, 0, 0))] * _SETTLED
        steady = self._shared(film, [camera] * _SETTLED, _BARE)[-1]
        off = {name: {**_BARE, "taa": False, "fxaa": name == "fxaa"} for name in ("fxaa", "none")}
        errors = {name: self._error(self._shared(film[:1], [camera], passes)[0], film[0], camera)
                  for name, passes in off.items()}  # fmt: skip
        found = self._error(steady, film[-1], camera)
        require(
            found < 0.5 * errors["none"] and found < errors["fxaa"],
            f"after {_SETTLED} frames an outline is {found:.2f} levels off what is covered, with `fxaa` "
            f"{errors['fxaa']:.2f}, without either {errors['none']:.2f}",
        )

    @law(strategies.cameras(), _TURNS, st.floats(0.0, 6.28), st.floats(0.3, 1.7), st.booleans(), cost=8)
    def test_what_moves_stays_sharp(
        self, camera: Camera, turn: float, way: float, pixels: float, pans: bool
    ) -> None:
        """What moves, or is seen by a camera that does, is no farther from what is covered than without the pass."""
        panel, step = _panel(camera, turn), self._step(camera, way, pixels)
        count = _SETTLED
        scenes = [
            _stage(_moved(panel, *((0 * step, 0 * step) if pans else (i * step, (i - 1) * step))))
            for i in range(count)
        ]
        cameras = [_panned(camera, -i * step if pans else 0 * step) for i in range(count)]
        film = self._shared(scenes, cameras, _BARE)
        found = expected = 0.0
        for frame, scene, view in list(zip(film, scenes, cameras, strict=True))[-4:]:
            found += self._error(frame, scene, view)
            expected += self._error(self._shared([scene], [view], {**_BARE, "taa": False})[0], scene, view)
        require(
            found < expected,
            f"at {pixels:.1f} pixels a frame an outline is {found / 4:.2f} levels off what is covered, and "
            f"{expected / 4:.2f} without `taa`",
        )

    @law(strategies.cameras(), _TURNS, st.floats(0.0, 6.28), st.floats(2.0, 9.0), cost=4)
    def test_what_moves_leaves_no_ghost(self, camera: Camera, turn: float, way: float, pixels: float) -> None:
        """Pixels that a moving surface has left show the background at once, and all but show it beside its outline."""
        panel, step = _panel(camera, turn), self._step(camera, way, pixels)
        scenes = [_stage(_moved(panel, i * step, (i - 1) * step)) for i in range(-3, 3)]
        for frame, scene in zip(self._shared(scenes, [camera] * 6, _BARE), scenes, strict=True):
            left = self._covered(scene, camera) == 0
            found = frame.color[..., :3].max(axis=-1)
            wrong = staging.eroded(left, 2) & (found > self.levels)
            wrong |= staging.eroded(left, 1) & (found > _RIM_LEVELS)
            require(
                not wrong.any(),
                self._astray(wrong, "the background", frame.color, np.zeros_like(frame.color)),
            )

    @law(strategies.cameras(), st.floats(0.5, 4.0), cost=4)
    def test_light_that_goes_out_is_gone(self, camera: Camera, power: float) -> None:
        """What was kept is held to what is seen now: when the light goes out the next picture is dark."""
        surface = Material("rough", np.array([0.5, 0.5, 0.5, 1.0]), roughness=1.0, double_sided=True)
        panel = _moved(_panel(camera, 0.0, half=40.0, material=surface), 0, 0)
        dark = Scene(actors=(panel,), lights=(), sky=DARK, earth=DARK, background=_BLACK)
        lit = attrs.evolve(dark, lights=(Light(direction=axes(camera)[2], intensity=power),))
        last = self._shared([*([lit] * 3), dark], [camera] * 4, _BARE)[-1]
        wrong = last.color[..., :3].max(axis=-1) > self.levels
        require(
            not wrong.any(),
            self._astray(wrong, "a surface in the dark", last.color, np.zeros_like(last.color)),
        )

    @law("_scenes", strategies.cameras(), _TURNS, st.floats(0.0, 6.28), cost=15)
    def test_buffers_stay_where_rays_meet(
        self, scene: Scene, camera: Camera, turn: float, way: float
    ) -> None:
        """Buffers but `final` are the same to the bit with and without the pass: they know no places within pixels."""
        count, names = 3, tuple(CHANNELS)
        panel, step = _panel(camera, turn), self._step(camera, way, 2.0)
        film = [attrs.evolve(scene, actors=(_moved(panel, i * step, (i - 1) * step),)) for i in range(count)]
        mixed = self._film(film, [camera] * count, {"taa": True}, buffers=names)
        plain = self._film(film[-1:], [camera], {"taa": False}, buffers=names)[0]
        for name in sorted(set(names) - {"final"}):
            found, expected = self._buffer(mixed[-1], name), self._buffer(plain, name)
            wrong = (found != expected).reshape(*found.shape[:2], -1).any(axis=-1)
            require(not wrong.any(), self._astray(wrong, f"`{name}`", found, expected))

    # -- how they draw and compare

    def _film(
        self, scenes: Sequence[Scene], cameras: Sequence[Camera], passes: dict[str, bool], **options: Any
    ) -> list[Frame]:
        """Return the frames that a session of its own draws."""
        with self._open(passes=passes, **options) as session:
            return [session.render(scene, camera) for scene, camera in zip(scenes, cameras, strict=True)]

    def _shared(
        self, scenes: Sequence[Scene], cameras: Sequence[Camera], passes: dict[str, bool]
    ) -> list[Frame]:
        """Return the frames after a cut in a session that laws share: opening one takes long."""
        key = tuple(sorted(passes.items()))
        if key not in self._sessions:
            self._sessions[key] = self._open(passes=passes)
        session = self._sessions[key]
        session.render(Scene(), cameras[0])
        return [session.render(scene, camera) for scene, camera in zip(scenes, cameras, strict=True)]

    def _step(self, camera: Camera, way: float, pixels: float) -> Array:
        """Return how far `[3]` m a panel goes to move by so many pixels."""
        right, up, _ = axes(camera)
        pixel = 2 * _AWAY_M * np.tan(camera.field_of_view / 2) / self.size[1]
        step: Array = pixels * pixel * (np.cos(way) * right + np.sin(way) * up)
        return step

    def _covered(self, scene: Scene, camera: Camera) -> Array:
        """Return what part of each pixel the scene's actors cover, `[H, W]`."""
        width, height = self.size
        met = cast(camera, (width * _FINE, height * _FINE), triangles(scene.actors), edge_px=0.0)
        part: Array = met.met.any(axis=0).reshape(height, _FINE, width, _FINE).mean(axis=(1, 3))
        return part

    def _error(self, frame: Frame, scene: Scene, camera: Camera) -> float:
        """Return how many levels the pixels of outlines are off, the root of the mean square."""
        part = self._covered(scene, camera)
        edge = (part > 0) & (part < 1)
        if not edge.any():
            return 0.0
        off = frame.color[..., 0].astype(float) - staging.srgb(_GLOW * part)
        return float(np.sqrt((off[edge] ** 2).mean()))


_AWAY_M = 3.0


def _going_on(scene: Scene) -> Scene:
    """Return the scene as it goes on where all stand still."""
    return attrs.evolve(
        scene, actors=[attrs.evolve(actor, previous_pose=actor.pose) for actor in scene.actors]
    )


def _panel(
    camera: Camera, turn: float, *, half: float | None = None, material: Material | None = None
) -> Actor:
    """Return a square that faces the camera, turned by `turn` radians, a third of the picture high."""
    right, up, ahead = axes(camera)
    across = np.cos(turn) * right + np.sin(turn) * up
    upward = np.cross(across, ahead)
    half = _AWAY_M * np.tan(camera.field_of_view / 2) / 3 if half is None else half
    corners = [x * across + y * upward for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    mesh: Any = Mesh.from_triangles(
        "panel",
        half * np.array(corners),
        np.array([[0, 1, 2], [0, 2, 3]]),
        node=0,
        normals=np.tile(-ahead, (4, 1)),
    )
    glow = Material("glow", _BLACK, emissive=np.full(3, _GLOW), double_sided=True)
    pose = np.eye(4)[None].copy()
    pose[0, :3, 3] = camera.position + _AWAY_M * ahead
    body = Character("panel", Skeleton(("root",), [-1], [[0.0, 0.0, 0.0]]), (mesh,), (material or glow,))
    return Actor(body, pose)


def _moved(panel: Actor, now: Array | float, before: Array | float) -> Actor:
    """Return the panel where it has gone, and where it was in the frame before."""
    poses = []
    for step in (now, before):
        pose = np.array(panel.pose)
        pose[0, :3, 3] += step
        poses.append(pose)
    return attrs.evolve(panel, pose=poses[0], previous_pose=poses[1])


def _panned(camera: Camera, step: Array) -> Camera:
    return attrs.evolve(camera, position=camera.position + step, target=camera.target + step)


def _stage(panel: Actor) -> Scene:
    return Scene(actors=(panel,), lights=(), sky=DARK, earth=DARK, background=_BLACK)
