"""The contract of renderers that are deferred: named buffers, passes that switch, work that can be counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import attrs
import numpy as np
from hypothesis import strategies as st

from kinetoscope_spec._arrays import Array
from kinetoscope_spec.character import Character, Material, Mesh
from kinetoscope_spec.contracts import _staging as staging
from kinetoscope_spec.contracts import strategies
from kinetoscope_spec.contracts._law import law, require
from kinetoscope_spec.contracts._light import CHANNELS, DARK, LightLaws
from kinetoscope_spec.contracts._raycast import axes, rays
from kinetoscope_spec.motion import Skeleton
from kinetoscope_spec.rendering import ALWAYS
from kinetoscope_spec.scene import Actor, Camera, Light, Scene

__all__ = ["DeferredContract"]

_DTYPES = {"id": np.dtype(np.uint16), "final": np.dtype(np.uint8)}
_AFTER_LIGHT = ("bloom", "tonemap", "fxaa")
_WATCHED = ("shadow", "ssao", "bloom", "fxaa")
_ROUGH = Material("rough", np.array([0.5, 0.5, 0.5, 1.0]), roughness=1.0, double_sided=True)


class DeferredContract(LightLaws):
    """What callers of a deferred renderer rely on, over `RendererContract`.

    Sessions are opened with `passes={name: bool}` too; frames tell their work: `lighting.pixels` are the
    pixels that lights were reckoned for. A session's `watch`, None at first, is given the name of each pass
    that runs and returns what it runs within (`kinetoscope_spec.rendering`).
    """

    mutants: ClassVar[str | None] = "kinetoscope_spec.contracts.mutants.gbuffer:MUTANTS"

    @law("_scenes", strategies.cameras(), cost=5)
    def test_buffers_have_their_shapes(self, scene: Scene, camera: Camera) -> None:
        """Every buffer that `Frame` names comes when it is asked for, with its type; normals are of unit length."""
        frame = self._whole(scene, camera)
        for name, channels in CHANNELS.items():
            held = self._buffer(frame, name)
            shape = (*self.size[::-1], *((channels,) if channels else ()))
            dtype = _DTYPES.get(name, np.dtype(np.float32))
            require(
                held.shape == shape and held.dtype == dtype,
                f"buffer {name!r} is {held.dtype} {list(held.shape)}, expected {dtype} {list(shape)}",
            )
        require(
            np.array_equal(self._buffer(frame, "final"), frame.color), "buffer 'final' differs from `color`"
        )
        seen = self._buffer(frame, "id") > 0
        length = np.linalg.norm(self._buffer(frame, "normal").astype(float), axis=-1)
        wrong = seen & (np.abs(length - 1) > 1e-2)
        require(not wrong.any(), self._astray(wrong, "the length of `normal`", length, np.ones_like(length)))

    @law(strategies.cameras(), st.integers(2, 6))
    def test_lighting_does_not_ask_what_is_hidden(self, camera: Camera, layers: int) -> None:
        """Each pixel is lit once, whatever lies behind it: in any order of drawing the count stays the same."""
        panels = [_panel(camera, 1.0 + 0.5 * i, 4.0, number=i + 1) for i in range(layers)]
        pixels = self.size[0] * self.size[1]
        alone = self._lit(Scene(actors=(panels[0],)), camera)
        require(0 < alone <= pixels, f"lighting.pixels is {alone} of a picture of {pixels} pixels")
        for what, order in (("nearest first", panels), ("farthest first", panels[::-1])):
            count = self._lit(Scene(actors=tuple(order)), camera)
            require(
                count == alone,
                f"lighting.pixels is {count} with {layers} surfaces behind each other ({what}), and {alone} "
                f"with the first alone: light is reckoned for what is not seen",
            )

    @law(strategies.cameras(), st.floats(0.5, 8.0), st.integers(20, 1000), cost=3)
    def test_many_weak_lights_are_one_strong_one(self, camera: Camera, power: float, count: int) -> None:
        """`count` lights of a part of the intensity give the `hdr` of one that has all of it."""
        lamp = Light(kind="point", position=_ahead(camera, 1.0), intensity=power, radius=6.0, shadow=False)
        weak = attrs.evolve(lamp, intensity=power / count)
        one, many = (self._bright(camera, lamps) for lamps in ((lamp,), (weak,) * count))
        wrong = (np.abs(many - one) > 0.02 * one + 1e-3).any(axis=-1)
        require(not wrong.any(), self._astray(wrong, f"`hdr` under {count} lights", many, one))

    @law(strategies.cameras(), st.floats(0.5, 2.0), st.floats(1.0, 30.0))
    def test_a_rough_surface_returns_irradiance(self, camera: Camera, away: float, power: float) -> None:
        """A rough plane returns about albedo / pi of intensity times cosine over the squared distance."""
        lamp = Light(kind="point", position=_ahead(camera, 3.0 - away), intensity=power, radius=1e3)
        found = self._bright(camera, (lamp,))[..., 1]
        directions = rays(camera, self.size)
        points = camera.position + 3.0 * directions
        squared = ((points - lamp.position) ** 2).sum(axis=-1)
        expected = 0.5 / np.pi * power * away / squared**1.5
        ratio = found / expected
        # What even a rough surface mirrors comes on top: Lambert's part is judged where light falls steeply.
        steep = away / np.sqrt(squared) > 0.7
        wrong = steep & ~((ratio > 0.85) & (ratio < 1.3))
        require(not wrong.any(), self._astray(wrong, "irradiance, by `hdr`,", found, expected))

    @law(strategies.cameras(), st.floats(-0.3, 0.3), st.floats(-0.3, 0.3))
    def test_motion_is_how_far_a_point_went(self, camera: Camera, right: float, up: float) -> None:
        """`motion` is in pixels, right and down, since `previous_pose`; what has none stands still."""
        panel = _panel(camera, 3.0, 4.0)
        across, upward, _ = axes(camera)
        before = np.array(panel.pose)
        before[0, :3, 3] -= right * across + up * upward
        pixel = 2 * 3.0 * np.tan(camera.field_of_view / 2) / self.size[1]
        for actor, gone in (
            (attrs.evolve(panel, previous_pose=before), np.array([right, -up]) / pixel),
            (panel, np.zeros(2)),
        ):
            frame = self._whole(Scene(actors=(actor,)), camera)
            found = self._buffer(frame, "motion").astype(float)
            expected = np.broadcast_to(gone, found.shape)
            off = np.abs(found - expected).max(axis=-1) > 0.02 + 1e-3 * np.abs(gone).max()
            wrong = off & (self._buffer(frame, "id") > 0)
            require(not wrong.any(), self._astray(wrong, "`motion` (pixels)", found, expected))

    @law("_scenes", strategies.cameras(), st.sampled_from(_AFTER_LIGHT), cost=3)
    def test_passes_after_light_leave_light_alone(self, scene: Scene, camera: Camera, name: str) -> None:
        """`hdr` and what it was made from are the same to the bit with a pass after lighting on or off."""
        on, off = (self._whole(scene, camera, {name: switch}) for switch in (True, False))
        for buffer in sorted(set(CHANNELS) - {"final"}):
            first, second = self._buffer(on, buffer), self._buffer(off, buffer)
            require(
                np.array_equal(first, second),
                f"buffer {buffer!r} differs with the pass {name!r} on and off, which comes after it",
            )

    @law(strategies.cameras(), st.floats(2.0, 20.0))
    def test_passes_switch(self, camera: Camera, power: float) -> None:
        """What glows lights up its surroundings with `bloom`, and nothing beside itself without."""
        lamp = attrs.evolve(_ROUGH, emissive=np.full(3, power))
        panel = _panel(camera, 3.0, 0.3, material=lamp)
        scene = Scene(
            actors=(panel,), lights=(), sky=DARK, earth=DARK, background=np.array([0.0, 0.0, 0.0, 1.0])
        )
        switches = {"bloom": True, "fxaa": False}
        with_glow, without = (self._whole(scene, camera, {**switches, "bloom": on}) for on in (True, False))
        beside = staging.eroded(self._buffer(without, "id") == 0, 1)
        require(
            not without.color[beside][:, :3].any(),
            "without the pass 'bloom' there is light beside what glows",
        )
        require(
            bool(with_glow.color[..., :3][beside].any()), "with the pass 'bloom' nothing glows beside a lamp"
        )

    @law("_scenes", strategies.cameras(), st.sampled_from((None, *_WATCHED)), cost=3)
    def test_passes_are_watched_one_after_the_other(
        self, scene: Scene, camera: Camera, off: str | None
    ) -> None:
        """Each pass that runs, and none that is off, runs within `watch`, outside all others; the picture is the same.

        So what passes take adds up to no more than the picture takes.
        """
        passes = {name: name != off for name in _WATCHED}
        told: list[tuple[str, str]] = []
        plain = self._whole(scene, camera, passes)
        session = self._whole_session(passes)
        require(session.watch is None, "a session's `watch` is set before anybody has set it")
        session.watch = _watch(told)
        try:
            watched = session.render(scene, camera)
        finally:
            session.watch = None
        self._compare(plain, watched, "the picture that is watched")
        running = None
        for what, name in told:
            require(
                what == "ends" or running is None,
                f"the pass {name!r} begins while {running!r} runs, expected one to end before another begins",
            )
            running = name if what == "begins" else None
        require(running is None, f"the pass {running!r} has not ended, and the picture is there")
        ran = {name for _, name in told}
        expected = ALWAYS | {name for name, on in passes.items() if on}
        require(
            expected <= ran and off not in ran,
            f"passes {sorted(ran)} were watched, expected {sorted(expected)}{f' and not {off!r}' if off else ''}",
        )

    @law("_scenes", strategies.cameras(), st.sampled_from(("aces", "neutral")), st.floats(0.5, 8.0), cost=2)
    def test_pictures_are_light_on_their_curve(
        self, scene: Scene, camera: Camera, tone: str, exposure: float
    ) -> None:
        """Without bloom and smooth edges `final` is the sRGB of `hdr` times exposure on the curve `Scene.tone` names."""
        scene = attrs.evolve(scene, tone=tone, exposure=exposure, ground=None)
        off = {"bloom": False, "fxaa": False, "transparent": False}
        frame = self._whole(scene, camera, off)
        curve = _aces if tone == "aces" else _neutral
        light = self._buffer(frame, "hdr").astype(float) * exposure
        found, expected = frame.color[..., :3].astype(float), staging.srgb(curve(light))
        wrong = (self._buffer(frame, "id") > 0) & (np.abs(found - expected).max(axis=-1) > self.levels)
        require(
            not wrong.any(), self._astray(wrong, f"the tone ({tone}) of `final`", found, expected.round())
        )

    @law(
        strategies.cameras(),
        st.lists(st.tuples(st.floats(0.1, 0.9), st.floats(0.0, 1.0)), min_size=1, max_size=3),
        st.booleans(),
        cost=3,
    )
    def test_what_is_seen_through_lies_over_what_is_behind(
        self, camera: Camera, veils: list[tuple[float, float]], backward: bool
    ) -> None:
        """Blended surfaces take their share of light from the front on, in whatever order they are given.

        Each is lit as if it were opaque; `depth`, `id` and `normal` stay those of what is behind them.
        """
        wall = _panel(camera, 3.5, 40.0)
        surfaces = [attrs.evolve(_ROUGH, base_color=np.array([red, 0.5, 1 - red, 1.0])) for _, red in veils]
        solid = [
            _panel(camera, 1.0 + 0.5 * i, 40.0, number=i + 2, material=m) for i, m in enumerate(surfaces)
        ]
        glass = [_veiled(actor, alpha) for actor, (alpha, _) in zip(solid, veils, strict=True)]
        lamps = (Light(direction=axes(camera)[2], shadow=False),)
        whole = Scene(actors=(wall, *glass)[:: -1 if backward else 1], lights=lamps)
        frame = self._whole(whole, camera, {"ssao": False})
        alone = [
            self._whole(attrs.evolve(whole, actors=(each,)), camera, {"ssao": False})
            for each in (wall, *solid)
        ]
        behind, *layers = (self._buffer(each, "hdr").astype(float) for each in alone)
        expected = behind
        for layer, (alpha, _) in list(zip(layers, veils, strict=True))[::-1]:
            expected = alpha * layer + (1 - alpha) * expected
        found = self._buffer(frame, "hdr")
        wrong = (np.abs(found - expected) > 0.01 * expected + 5e-3).any(axis=-1)
        require(not wrong.any(), self._astray(wrong, f"`hdr` through {len(veils)} veils", found, expected))
        for name in ("depth", "id", "normal"):
            found, expected = self._buffer(frame, name), self._buffer(alone[0], name)
            wrong = (found != expected).reshape(*found.shape[:2], -1).any(axis=-1)
            require(not wrong.any(), self._astray(wrong, f"`{name}` behind veils", found, expected))

    # -- how they draw

    def _lit(self, scene: Scene, camera: Camera) -> int:
        return int(self._whole(scene, camera).work.get("lighting.pixels", 0))

    def _bright(self, camera: Camera, lamps: tuple[Light, ...]) -> Array:
        """Return `hdr` of a rough plane three metres ahead that fills the picture, under these lights alone."""
        scene = Scene(actors=(_panel(camera, 3.0, 40.0),), lights=lamps, sky=DARK, earth=DARK)
        return self._buffer(self._whole(scene, camera, {"ssao": False}), "hdr").astype(float)


def _watch(told: list[tuple[str, str]]) -> Any:
    @contextmanager
    def watch(name: str) -> Iterator[None]:
        told.append(("begins", name))
        yield
        told.append(("ends", name))

    return watch


def _aces(x: Array) -> Array:
    """Return Narkowicz's fit of the ACES reference curve (2015) of `x [..., 3]`."""
    curved: Array = x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14)
    return curved


def _neutral(x: Array) -> Array:
    """Return Khronos PBR Neutral of `x [..., 3]`, as its specification (2024) states it."""
    start, desaturation = 0.8 - 0.04, 0.15
    low = x.min(axis=-1, keepdims=True)
    x = x - np.where(low < 0.08, low - 6.25 * low**2, 0.04)
    peak = x.max(axis=-1, keepdims=True)
    d = 1 - start
    new = 1 - d**2 / np.maximum(peak + d - start, 1e-9)
    g = 1 - 1 / (desaturation * (peak - new) + 1)
    compressed = x * new / np.maximum(peak, 1e-9) * (1 - g) + new * g
    return np.where(peak < start, x, compressed)


def _veiled(actor: Actor, alpha: float) -> Actor:
    """Return the actor with surfaces that cover `alpha` of what is behind them."""
    surfaces = [
        attrs.evolve(m, base_color=np.append(m.base_color[:3], alpha), alpha_mode="blend")
        for m in actor.character.materials
    ]
    return attrs.evolve(actor, character=attrs.evolve(actor.character, materials=surfaces))


def _ahead(camera: Camera, away: float) -> Array:
    """Return the point `away` m ahead of the camera."""
    point: Array = camera.position + away * axes(camera)[2]
    return point


def _panel(
    camera: Camera, away: float, half: float, *, number: int = 1, material: Material = _ROUGH
) -> Actor:
    """Return a square of twice `half` m, `away` m ahead of the camera and facing it."""
    right, up, ahead = axes(camera)
    corners = [x * right + y * up for x, y in ((-half, -half), (half, -half), (half, half), (-half, half))]
    mesh: Any = Mesh.from_triangles(
        "panel", np.array(corners), np.array([[0, 1, 2], [0, 2, 3]]), node=0, normals=np.tile(-ahead, (4, 1))
    )
    pose = np.eye(4)[None].copy()
    pose[0, :3, 3] = _ahead(camera, away)
    return Actor(
        Character("panel", Skeleton(("root",), [-1], [[0.0, 0.0, 0.0]]), (mesh,), (material,)),
        pose,
        id=number,
    )
