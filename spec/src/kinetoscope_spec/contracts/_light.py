"""Laws of light in deferred renderers: pixels against NumPy, shadows and corners against geometry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np
from hypothesis import strategies as st

from kinetoscope_spec._arrays import Array
from kinetoscope_spec.character import Character, Material, Mesh, Skin
from kinetoscope_spec.contracts import _staging as staging
from kinetoscope_spec.contracts import strategies
from kinetoscope_spec.contracts._law import law, require
from kinetoscope_spec.contracts._raycast import axes, rays
from kinetoscope_spec.contracts.renderer import RendererContract
from kinetoscope_spec.environment import Environment
from kinetoscope_spec.motion import Skeleton
from kinetoscope_spec.scene import Actor, Camera, Frame, Ground, Light, Scene

__all__ = ["CHANNELS", "DARK", "LightLaws"]

CHANNELS = {"depth": 0, "normal": 3, "albedo": 3, "material": 3, "motion": 2, "id": 0, "hdr": 3, "final": 4}
"""Every buffer that `Frame` names, and its channels (0: one, without an axis for it)."""
DARK = np.zeros(3)

_PLAIN = {"ssao": False, "shadow": False, "transparent": False}
_BIAS_M = 0.02
"""How far shadows may be moved off what casts them, lest it shades itself."""
_TEXELS = 3
_MAP = 512
"""Texels along the smallest preset's shadow map."""
_DISTANCES_M = (3, 12, 40)
_REACH_M = 0.45
"""Ambient occlusion looks about so far."""
_FEW = st.integers(0, 2**32 - 1)


class LightLaws(RendererContract):
    """The laws of `DeferredContract` that are about light."""

    @law("_scenes", strategies.cameras(), _FEW, cost=2)
    def test_light_is_reckoned_from_the_gbuffer(self, scene: Scene, camera: Camera, seed: int) -> None:
        """`hdr` is what NumPy makes of `depth`, `normal`, `albedo` and `material`: GGX under all lights, in float64."""
        lamps = _lamps(np.random.default_rng(seed))
        scene = attrs.evolve(scene, lights=lamps, sky=DARK, earth=DARK, fog=None, ground=None)
        frame = self._whole(scene, camera, _PLAIN)
        held = {name: self._buffer(frame, name).astype(float) for name in CHANNELS}
        # What glows adds its own light, of which the buffer tells no colour.
        judged = (held["id"] > 0) & (held["material"][..., 2] == 0)
        depth = np.where(judged, held["depth"], 1.0)
        points = camera.position + depth[..., None] * rays(camera, self.size)
        expected = _lit(points, camera.position, held["normal"], held["albedo"], held["material"], lamps)
        found = held["hdr"]
        wrong = judged & (np.abs(found - expected) > 1e-2 * (0.1 + expected)).any(axis=-1)
        # Where light grazes or mirrors sharply, a buffer's last bit shows: one pixel in a hundred may.
        require(wrong.sum() <= max(1, 0.01 * judged.sum()), self._astray(wrong, "`hdr`", found, expected))

    @law("_scenes", "_scenes", strategies.cameras(), cost=3)
    def test_light_of_a_pixel_is_its_own(self, scene: Scene, other: Scene, camera: Camera) -> None:
        """Where two scenes agree in a pixel of the G-buffer they agree in `hdr`, bit for bit, under the same light.

        One changed texel changes one pixel, and nothing of a scene but its G-buffer comes in.
        """
        changed = attrs.evolve(scene, actors=other.actors)
        # With the same lights glowing surfaces may need another G-buffer: those are left out.
        scenes = [
            attrs.evolve(each, actors=[_unlit(actor) for actor in each.actors]) for each in (scene, changed)
        ]
        first, second = (self._whole(each, camera, _PLAIN) for each in scenes)
        same = np.ones(self.size[::-1], bool)
        for name in ("depth", "normal", "albedo", "material"):
            equal = self._buffer(first, name) == self._buffer(second, name)
            same &= equal if equal.ndim == 2 else equal.all(axis=-1)
        one, two = self._buffer(first, "hdr"), self._buffer(second, "hdr")
        wrong = same & (one != two).any(axis=-1)
        require(not wrong.any(), self._astray(wrong, "`hdr`, with the G-buffer as before,", two, one))

    @law(
        st.integers(0, 359),
        st.floats(-0.6, 0.6),
        st.floats(-0.6, 0.6),
        st.floats(0.4, 1.0),
        st.integers(0, 500),
        "_any_blending",
    )
    def test_shadows_fall_where_geometry_puts_them(
        self, degrees: int, right: float, ahead: float, height: float, metres: int, blending: str
    ) -> None:
        """The shadow of a skinned panel ends within three texels of where its posed outline keeps the sun off."""
        centre = np.array([metres, 0.0, -0.5 * metres])
        camera = _above(centre, degrees)
        sun = Light(direction=np.array([right, -1.0, ahead]))
        panel, middle, half = _hovering(centre, height, blending)
        scene = Scene(actors=(panel,), lights=(sun,), ground=Ground(spacing=0.0), sky=DARK, earth=DARK)
        shaded, lit = (self._whole(scene, camera, {"ssao": False, "shadow": on}) for on in (True, False))
        points = camera.position + self._buffer(lit, "depth").astype(float)[..., None] * rays(
            camera, self.size
        )
        floor = (self._buffer(lit, "id") == 0) & np.isfinite(points).all(axis=-1)
        met = (points - sun.direction * height)[..., [0, 2]] - middle[[0, 2]]
        inside = half - np.abs(np.where(floor[..., None], met, 0)).max(axis=-1)
        before = self._buffer(lit, "hdr")[..., 1]
        dark = self._buffer(shaded, "hdr")[..., 1] < 0.5 * before
        texel = 3.2 * half / _MAP  # of the panel's outline, turned by any angle
        sure = floor & (np.abs(inside) > _TEXELS * texel + _BIAS_M)
        wrong = sure & (dark != (inside > 0))
        require(not wrong.any(), self._astray(wrong, "whether the floor is in shadow", dark, inside > 0))

    @law(strategies.cameras(), st.floats(0.5, 0.9), st.floats(-0.9, 0.9), cost=2)
    def test_shadows_are_as_sharp_as_pixels_near_and_far(
        self, camera: Camera, right: float, up: float
    ) -> None:
        """In one picture, shadows three, twelve and forty metres away end within two pixels of where geometry puts them."""
        across, upward, ahead = axes(camera)
        sun = Light(direction=ahead + right * across + up * upward)
        scale = np.tan(camera.field_of_view / 2)
        pixel = 2 * scale / self.size[1]
        squares = []  # middle, half an edge
        for i, away in enumerate(_DISTANCES_M):
            aside = (i - 1) * 0.6 * scale * self.size[0] / self.size[1] * away * across
            middle = camera.position + away * ahead + aside
            squares += [
                (middle, 0.42 * scale * away),
                (middle - 0.4 * scale * away * sun.direction, 0.22 * scale * away),
            ]
        actors = [_upright(camera, middle, half, i + 1) for i, (middle, half) in enumerate(squares)]
        scene = Scene(actors=actors, lights=(sun,), sky=DARK, earth=DARK)
        shaded, lit = (self._whole(scene, camera, {"ssao": False, "shadow": on}) for on in (True, False))
        depth = np.where(np.isfinite(self._buffer(lit, "depth")), self._buffer(lit, "depth"), 0.0).astype(
            float
        )
        points = camera.position + depth[..., None] * rays(camera, self.size)
        dark = self._buffer(shaded, "hdr")[..., 1] < 0.5 * self._buffer(lit, "hdr")[..., 1]
        covered, sure = np.zeros_like(dark), self._buffer(lit, "id") > 0
        for middle, half in squares:
            back = depth - (middle - camera.position) @ ahead
            met = points - back[..., None] * sun.direction - middle
            inside = half - np.maximum(np.abs(met @ across), np.abs(met @ upward))
            before = back > 1e-3 * depth
            covered |= before & (inside > 0)
            sure &= ~before | (np.abs(inside) > 2 * pixel * depth + _BIAS_M)
        wrong = sure & (dark != covered)
        require(not wrong.any(), self._astray(wrong, "whether a wall is in shadow", dark, covered))

    @law(strategies.cameras(), _FEW, st.sampled_from(((0.0, 1.0), (1.0, 1.0), (1.0, 0.6))))
    def test_surroundings_light_what_faces_them(
        self, camera: Camera, seed: int, surface: tuple[float, float]
    ) -> None:
        """Under an environment a surface returns what the sum over its pixels gives, by albedo and GGX, within an eighth."""
        metallic, roughness = surface
        image, ways, solid = _surroundings(np.random.default_rng(seed))
        ahead = axes(camera)[2]
        white = Material("w", np.array([0.8, 0.6, 0.4, 1.0]), metallic, roughness, double_sided=True)
        wall = _upright(camera, camera.position + 3 * ahead, 40.0, 1)
        wall = attrs.evolve(wall, character=attrs.evolve(wall.character, materials=(white,)))
        scene = Scene(actors=(wall,), lights=(), environment=Environment(image))
        frame = self._whole(scene, camera, _PLAIN)
        row, column = self.size[1] // 2, self.size[0] // 2
        view = -rays(camera, self.size)[row, column]
        view = np.broadcast_to(view / np.linalg.norm(view), ways.shape)
        normal, albedo = (
            np.broadcast_to(-ahead, ways.shape),
            np.broadcast_to(white.base_color[:3], ways.shape),
        )
        material = np.broadcast_to([roughness, metallic, 0.0], ways.shape)
        returned = _ggx(normal, view, ways, albedo, material)
        expected = np.einsum("hwc,hwc,h->c", returned, image, solid)
        found = self._buffer(frame, "hdr")[row, column].astype(float)
        require(
            bool((np.abs(found - expected) < 0.125 * expected.max()).all()),
            f"`hdr` of a surface (metallic {metallic:g}, roughness {roughness:g}) that looks along "
            f"{np.round(-ahead, 2).tolist()} is {found.round(3).tolist()} under an environment, expected "
            f"{expected.round(3).tolist()}",
        )

    @law("_scenes", strategies.cameras(), _FEW, cost=2)
    def test_surroundings_stand_behind_everything(self, scene: Scene, camera: Camera, seed: int) -> None:
        """Where nothing is, `hdr` holds what a `seen` environment holds in the pixel's direction, between its pixels.

        It is opaque, whatever the background's alpha, and what is there is lit by its `lighting`.
        """
        rng = np.random.default_rng(seed)
        image, lighting = _surroundings(rng)[0], _surroundings(rng)[0]
        scene = attrs.evolve(scene, ground=None, fog=None, background=np.zeros(4))
        plain, whole = (
            self._whole(attrs.evolve(scene, environment=each), camera, _PLAIN)
            for each in (Environment(lighting), Environment(image, seen=True, lighting=lighting))
        )
        empty = np.isinf(self._buffer(whole, "depth"))
        expected = _looked_up(image, rays(camera, self.size))
        solid = self._buffer(whole, "id") > 0
        expected[solid] = self._buffer(plain, "hdr")[solid]
        found = self._buffer(whole, "hdr").astype(float)
        wrong = (empty | solid) & (np.abs(found - expected) > 0.02 * (0.1 + expected)).any(axis=-1)
        require(not wrong.any(), self._astray(wrong, "`hdr` before a seen environment", found, expected))
        alpha = whole.color[..., 3]
        require(bool((alpha == 255).all()), f"before a seen environment alpha is {alpha.min()}, expected 255")

    @law(st.integers(0, 359), cost=3)
    def test_corners_are_darker_by_what_they_hide(self, degrees: int) -> None:
        """Beside a wall ambient light falls by the share of the sky that the wall hides; open floor keeps it."""
        turn = np.radians(degrees)
        out = np.array([np.sin(turn), 0.0, np.cos(turn)])
        along = np.cross([0.0, 1.0, 0.0], out)
        camera = Camera(position=1.4 * out + [0.0, 1.1, 0.0], target=0.45 * out)
        corners = [4 * x * along + [0.0, y, 0.0] for x, y in ((-1, 0), (1, 0), (1, 3), (-1, 3))]
        wall = _static(np.array(corners), np.tile(out, (4, 1)))
        white = np.ones(3)
        scene = Scene(actors=(wall,), lights=(), ground=Ground(spacing=0.0), sky=white, earth=white)
        hidden, whole = (self._whole(scene, camera, {"ssao": on}) for on in (True, False))
        points = camera.position + self._buffer(whole, "depth").astype(float)[..., None] * rays(
            camera, self.size
        )
        floor = (self._buffer(whole, "id") == 0) & (points[..., 1] < 0.01)
        away = np.where(floor, points @ out, np.inf)
        found = self._buffer(hidden, "hdr")[..., 1] / np.maximum(self._buffer(whole, "hdr")[..., 1], 1e-6)
        edges = np.arange(0.0, 0.8, 0.1)
        bins = [(away >= low) & (away < low + 0.1) for low in edges]
        seen = [i for i, each in enumerate(bins) if each.sum() >= 5]
        profile = np.array([found[bins[i]].mean() for i in seen])
        expected = np.array([1 - _wall_share((edges[i] + 0.05) / _REACH_M) for i in seen])
        require(
            len(seen) > 4 and np.abs(profile - expected).max() < 0.25,
            f"beside a wall {np.round(profile, 2).tolist()} of the ambient light is left, by tenths of a metre, "
            f"expected {np.round(expected, 2).tolist()} within 0.25",
        )
        require(
            np.corrcoef(profile, expected)[0, 1] > 0.9,
            f"ambient light beside a wall, {np.round(profile, 2).tolist()}, does not rise as what the wall hides falls",
        )
        flat = np.isfinite(away) & (away > 0.8)
        require(
            found[flat].mean() >= 0.95, f"on the open floor {found[flat].mean():.2f} of ambient light is left"
        )

    def _whole(self, scene: Scene, camera: Camera, passes: Mapping[str, bool] | None = None) -> Frame:
        """Draw with all buffers, in sessions that laws share."""
        frame: Frame = self._whole_session(passes).render(scene, camera)
        return frame

    def _whole_session(self, passes: Mapping[str, bool] | None = None) -> Any:
        key = ("whole", tuple(sorted((passes or {}).items())))
        if key not in self._sessions:
            given = {**self.open_options.get("passes", {}), **(passes or {})}
            self._sessions[key] = self._open(buffers=tuple(CHANNELS), passes=given)
        return self._sessions[key]


def _lamps(rng: np.random.Generator) -> tuple[Light, ...]:
    """Return a sun, points and spots around the origin, twenty in all, none with a shadow."""
    return tuple(
        Light(
            kind=("point", "spot", "point", "spot", "sun")[i % 5] if i < 5 else ("point", "spot")[i % 2],
            position=rng.normal(size=3) * 1.5,
            direction=rng.normal(size=3),
            color=rng.random(3),
            intensity=rng.uniform(0.2, 3.0),
            radius=rng.uniform(0.5, 5.0),
            angles=(0.4, 0.9),
            shadow=False,
        )
        for i in range(20)
    )


def _lit(
    points: Array, eye: Array, normal: Array, albedo: Array, material: Array, lamps: tuple[Light, ...]
) -> Array:
    """Return the light that `points [..., 3]` m send to the `eye`."""
    view = eye - points
    view = view / np.linalg.norm(view, axis=-1, keepdims=True)
    total = np.zeros_like(points)
    for lamp in lamps:
        axis = lamp.direction / np.linalg.norm(lamp.direction)
        to, strength = np.broadcast_to(-axis, points.shape), np.ones(points.shape[:-1])
        if lamp.kind != "sun":
            to = lamp.position - points
            away = np.maximum(np.linalg.norm(to, axis=-1), 1e-2)
            to = to / away[..., None]
            strength = np.clip(1 - (away / lamp.radius) ** 4, 0, 1) ** 2 / away**2
        if lamp.kind == "spot":
            inner, outer = np.cos(lamp.angles)
            part = np.clip((-(to @ axis) - outer) / (inner - outer), 0, 1)
            strength = strength * part * part * (3 - 2 * part)
        total += (
            _ggx(normal, view, to, albedo, material) * (strength * lamp.intensity)[..., None] * lamp.color
        )
    return total


def _ggx(normal: Array, view: Array, to: Array, albedo: Array, material: Array) -> Array:
    """Return radiance by irradiance at normal incidence: GGX, Smith's masking (Heitz 2014), Schlick's Fresnel."""
    half = view + to
    half = half / np.maximum(np.linalg.norm(half, axis=-1, keepdims=True), 1e-12)
    nl, nv, nh, vh = (
        (a * b).sum(-1) for a, b in ((normal, to), (normal, view), (normal, half), (view, half))
    )
    lights, nl, nv = nl > 0, np.maximum(nl, 1e-9), np.maximum(nv, 1e-4)
    nh, vh = np.clip(nh, 0, 1), np.clip(vh, 0, 1)
    metallic = material[..., 1, None]
    a2 = np.maximum(material[..., 0] ** 2, 2e-3) ** 2
    spread = a2 / (np.pi * (nh**2 * (a2 - 1) + 1) ** 2)
    masking = 0.5 / (nl * np.sqrt(nv**2 * (1 - a2) + a2) + nv * np.sqrt(nl**2 * (1 - a2) + a2))
    f0 = 0.04 * (1 - metallic) + albedo * metallic
    fresnel = f0 + (1 - f0) * (1 - vh[..., None]) ** 5
    shine = albedo * (1 - metallic) / np.pi * (1 - fresnel) + (spread * masking)[..., None] * fresnel
    returned: Array = np.where(lights[..., None], shine * nl[..., None], 0)
    return returned


def _unlit(actor: Actor) -> Actor:
    materials = [attrs.evolve(material, emissive=DARK) for material in actor.character.materials]
    return attrs.evolve(actor, character=attrs.evolve(actor.character, materials=materials))


def _above(centre: Array, degrees: int) -> Camera:
    turn = np.radians(degrees)
    return Camera(position=centre + np.array([1.6 * np.sin(turn), 2.6, 1.6 * np.cos(turn)]), target=centre)


_PAINT = Material("paint", np.array([0.5, 0.5, 0.5, 1.0]), roughness=1.0, double_sided=True)
_SQUARE = np.array([[-1.0, 0.0, 1.0], [1.0, 0.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 0.0, -1.0]])
_FACES = np.array([[0, 1, 2], [0, 2, 3]])


def _hovering(centre: Array, height: float, blending: str) -> tuple[Actor, Array, float]:
    """Return a level panel that two joints carry far from its bind pose, its middle, and half its edge, m.

    They turn it as far one way as the other: the mean of their matrices shrinks it, their dual
    quaternions do not.
    """
    half, turn = 0.4, np.radians(40)
    skin = Skin(
        np.tile([0, 1], (4, 1)), np.full((4, 2), 0.5), np.arange(2), np.tile(np.eye(4), (2, 1, 1)), blending
    )
    mesh = Mesh.from_triangles("panel", half * _SQUARE, _FACES, skin=skin)
    middle = centre + np.array([0.1, height, -0.1])
    pose = np.stack([staging.movement(side * turn, middle) for side in (-1, 1)])
    skeleton = Skeleton(("left", "right"), [-1, -1], np.zeros((2, 3)))
    shown = half if blending == "dual_quaternion" else half * float(np.cos(turn))
    return Actor(Character("panel", skeleton, (mesh,), (_PAINT,)), pose), middle, shown


def _surroundings(rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Return a picture of soft lights all around, the directions of its pixels, and the solid angles of its rows."""
    height, width = 24, 48
    polar = (np.arange(height) + 0.5) * np.pi / height
    turn = ((np.arange(width) + 0.5) / width - 0.5) * 2 * np.pi
    ways = np.stack(
        np.broadcast_arrays(
            np.sin(polar)[:, None] * np.sin(turn),
            np.cos(polar)[:, None],
            -np.sin(polar)[:, None] * np.cos(turn),
        ),
        axis=-1,
    )
    image = np.full((height, width, 3), 0.05)
    for middle, color in zip(rng.normal(size=(3, 3)), 3 * rng.random((3, 3)), strict=True):
        image += color * np.exp(3 * (ways @ (middle / np.linalg.norm(middle)) - 1))[..., None]
    return image, ways, np.sin(polar) * np.pi / height * 2 * np.pi / width


def _looked_up(image: Array, ways: Array) -> Array:
    """Return what `image [H, W, 3]`, by latitude and longitude, holds in directions `[..., 3]`, bilinearly."""
    height, width = image.shape[:2]
    x, y, z = np.moveaxis(ways / np.linalg.norm(ways, axis=-1, keepdims=True), -1, 0)
    column = (0.5 + np.arctan2(x, -z) / (2 * np.pi)) * width - 0.5
    row = np.clip(np.arccos(np.clip(y, -1, 1)) / np.pi * height - 0.5, 0, height - 1)
    total = np.zeros(ways.shape)
    for c in (np.floor(column), np.floor(column) + 1):
        for r in (np.floor(row), np.floor(row) + 1):
            weight = (1 - np.abs(column - c)) * (1 - np.abs(row - r))
            at = image[np.minimum(r, height - 1).astype(int), c.astype(int) % width]
            total += weight[..., None] * at
    return total


def _upright(camera: Camera, middle: Array, half: float, number: int) -> Actor:
    """Return a square of twice `half` m around `middle` that faces the camera's plane."""
    across, upward, ahead = axes(camera)
    corners = [x * half * across + y * half * upward for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    actor = _static(np.array(corners), np.tile(-ahead, (4, 1)))
    pose = np.eye(4)[None].copy()
    pose[0, :3, 3] = middle
    return attrs.evolve(actor, pose=pose, id=number)


def _static(corners: Array, normals: Array) -> Actor:
    mesh = Mesh.from_triangles("wall", corners, _FACES, node=0, normals=normals)
    skeleton = Skeleton(("root",), [-1], [[0.0, 0.0, 0.0]])
    return Actor(Character("wall", skeleton, (mesh,), (_PAINT,)), np.eye(4)[None])


def _wall_share(part: float) -> float:
    """Return the cosine-weighted share of directions from a floor that meet a wall within reach.

    Such directions lie evenly over the unit disc (Malley); the wall, `part` of the reach away, takes
    the segment beyond that.
    """
    part = min(part, 1.0)
    return float(np.arccos(part) - part * np.sqrt(1 - part * part)) / np.pi
