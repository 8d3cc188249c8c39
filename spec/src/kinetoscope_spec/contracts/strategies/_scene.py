"""Meshes, characters, cameras, lights and scenes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from kinetoscope_spec._arrays import Array
from kinetoscope_spec.character import Character, Material, Mesh, Skin
from kinetoscope_spec.contracts._oracle import global_matrices
from kinetoscope_spec.contracts.strategies._motion import motions, skeletons
from kinetoscope_spec.contracts.strategies._text import names
from kinetoscope_spec.motion import Motion, Skeleton
from kinetoscope_spec.scene import Actor, Camera, Ground, Light, Scene

__all__ = ["actors", "cameras", "characters", "lights", "materials", "meshes", "scenes", "skins"]

CARRIED = ("rigid", "skinned", "static")
"""How a mesh may hang on a skeleton: on a node, on several bones, on nothing."""

SCALES = (1.0, 2.0, 0.3, 1.0, 2.0, 300.0, 1e-4)
"""Factors on a mesh of about a metre, from less than a pixel to more than the view."""

_CUBE = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
_CUBE_FACES = np.array([[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1],
                        [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]])  # fmt: skip


def _random(draw: st.DrawFn) -> np.random.Generator:
    return np.random.default_rng(draw(st.integers(0, 2**32 - 1)))


@st.composite
def _shapes(draw: st.DrawFn, *, empty: bool) -> tuple[Array, Array]:
    """Vertices and faces: a triangle, a rectangle, a cube, loose triangles, or nothing if `empty`."""
    kinds = ("triangle", "rectangle", "cube", "loose", "loose", *(("nothing",) if empty else ()))
    kind = draw(st.sampled_from(kinds))
    if kind == "cube":
        return _CUBE, _CUBE_FACES
    if kind == "loose":
        rng = _random(draw)
        count = draw(st.integers(1, 12))
        points = rng.normal(scale=0.4, size=(count, 1, 3)) + rng.normal(scale=0.3, size=(count, 3, 3))
        if rng.random() < 0.3:
            points[0, 2] = points[0, 1]  # a triangle without area
        return points.reshape(-1, 3), np.arange(3 * count).reshape(-1, 3)
    flat = np.array([[-0.5, -0.5, 0.0], [0.5, -0.5, 0.0], [0.5, 0.5, 0.0], [-0.5, 0.5, 0.0]])
    faces = {"triangle": [[0, 1, 2]], "rectangle": [[0, 1, 2], [0, 2, 3]], "nothing": []}[kind]
    return flat, np.array(faces, np.int64).reshape(-1, 3)


@st.composite
def skins(draw: st.DrawFn, skeleton: Skeleton, vertices: int, *, influences: int = 8) -> Skin:
    """Skins of one influence a vertex to `influences`, over some of the joints in any order."""
    rng = _random(draw)
    joints = len(skeleton)
    bones = rng.permutation(joints)[: draw(st.integers(1, joints))]
    count = draw(st.sampled_from([n for n in (1, 2, 4, 8, 12) if n <= influences]))
    weights = rng.random((vertices, count)) ** 3
    weights[:, 1:] *= rng.random((vertices, count - 1)) < 0.8  # some influences are not used
    weights[:, 0] += 1e-3
    weights /= weights.sum(axis=1, keepdims=True)
    rest = Motion(skeleton, skeleton.rest_positions[None], skeleton.rest_rotations[None], 1.0,
                  scales=skeleton.rest_scales[None])  # fmt: skip
    bind = np.linalg.inv(global_matrices(rest)[0, bones])
    return Skin(rng.integers(0, len(bones), weights.shape), weights, bones, bind)


@st.composite
def meshes(
    draw: st.DrawFn,
    skeleton: Skeleton,
    *,
    carried: Sequence[str] = CARRIED,
    materials: int = 1,
    scales: Sequence[float] = SCALES,
    influences: int = 8,
    morphs: bool = True,
    empty: bool = True,
) -> Mesh:
    """Meshes for `skeleton`: tiny to huge, of nothing or some triangles, rigid, skinned or static.

    `materials` is how many there are to choose from; `empty=False` leaves out those without faces.
    """
    points, faces = draw(_shapes(empty=empty))
    points = points * draw(st.sampled_from(tuple(scales)))
    how = draw(st.sampled_from(tuple(carried)))
    rng = _random(draw)
    corner_vertex = np.arange(len(points))
    dressed = draw(st.booleans())
    if dressed and rng.random() < 0.5:  # every corner its own
        corner_vertex, faces = faces.ravel(), np.arange(faces.size).reshape(-1, 3)
    corners = len(corner_vertex)
    normals = rng.normal(size=(corners, 3))
    normals = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    morph_names, peaks = _channels(
        rng, draw(st.lists(names(), unique=True, max_size=2)) if morphs and dressed else []
    )
    offsets = rng.normal(scale=0.1, size=(len(morph_names), len(points), 3))
    return Mesh(
        draw(names()),
        points,
        corner_vertex,
        faces,
        normals=normals if dressed and rng.random() < 0.5 else None,
        uvs=rng.random((corners, 2)) if dressed and rng.random() < 0.5 else None,
        colors=rng.random((corners, 4)) if dressed and rng.random() < 0.5 else None,
        face_material=rng.integers(0, materials, len(faces)) if materials > 1 else None,
        node=draw(st.integers(0, len(skeleton) - 1)) if how == "rigid" else None,
        skin=draw(skins(skeleton, len(points), influences=influences)) if how == "skinned" else None,
        morphs=offsets if morph_names else None,
        morph_names=morph_names,
        morph_peaks=peaks if morph_names else None,
        morph_weights={name: rng.uniform(-0.5, 1.5) for name in morph_names[:1]},
    )


def _channels(rng: np.random.Generator, names: Sequence[str]) -> tuple[list[str], list[float]]:
    """Return the names and peaks of the shapes of some channels, in-betweens among them."""
    shapes = [
        (name, peak) for name in names for peak in ((1.0,), (0.5, 1.0), (-1.0, 1.0))[rng.integers(0, 3)]
    ]
    return [name for name, _ in shapes], [peak for _, peak in shapes]


_FRACTIONS = st.sampled_from((0.8, 0.0, 0.2, 1.0))


@st.composite
def materials(
    draw: st.DrawFn,
    *,
    alpha_modes: Sequence[str] = ("opaque", "mask", "blend"),
    double_sided: bool | None = None,
) -> Material:
    """Materials: plain ones, others of any colour, with an image, that glow; `double_sided` fixes that."""
    mode = draw(st.sampled_from(tuple(alpha_modes)))
    behind = draw(st.booleans()) if double_sided is None else double_sided
    if not draw(st.booleans()):
        return Material(alpha_mode=mode, double_sided=behind)
    rng = _random(draw)
    return Material(
        draw(st.sampled_from(("skin", "Hüfte", "足"))),
        np.append(rng.random(3), 1.0 if mode == "opaque" else rng.random()),
        float(rng.integers(0, 2)),
        float(rng.random()),
        np.full(3, 0.5 * rng.integers(0, 2)),
        rng.integers(0, 256, (2, 3, 4), dtype=np.uint8) if rng.random() < 0.5 else None,
        alpha_mode=mode,
        double_sided=behind,
    )


@st.composite
def characters(
    draw: st.DrawFn,
    skeleton: st.SearchStrategy[Skeleton] | None = None,
    *,
    carried: Sequence[str] = CARRIED,
    material: st.SearchStrategy[Material] | None = None,
    meshes_at_least: int = 0,
    scales: Sequence[float] = SCALES,
    influences: int = 8,
    morphs: bool = True,
    empty: bool = True,
) -> Character:
    """Characters of no mesh to three, rigid and skinned ones side by side, some with morphs.

    `empty=False` leaves out meshes without faces.
    """
    few = skeletons(joints=st.sampled_from((1, 2, 3, 5, 20)))
    held = draw(few if skeleton is None else skeleton)
    surfaces = draw(st.lists(materials() if material is None else material, min_size=1, max_size=3))
    made = meshes(
        held,
        carried=carried,
        materials=len(surfaces),
        scales=scales,
        influences=influences,
        morphs=morphs,
        empty=empty,
    )
    count = draw(st.sampled_from([n for n in (1, 0, 2, 3) if n >= meshes_at_least]))
    return Character(draw(names()), held, [draw(made) for _ in range(count)], surfaces)


@st.composite
def actors(
    draw: st.DrawFn,
    character: st.SearchStrategy[Character] | None = None,
    *,
    number: st.SearchStrategy[int] | None = None,
    reach: float = 1.0,
) -> Actor:
    """Actors at rest or in any pose, with negative scales among them, within `reach` m of the origin."""
    held = draw(characters() if character is None else character)
    motion = draw(motions(st.just(held.skeleton), frames=st.just(1)))
    pose = global_matrices(motion)[0]
    if draw(st.booleans()):
        pose[:, :3, 3] += _random(draw).uniform(-reach, reach, 3)
    return Actor(held, pose, draw(st.sampled_from((1, 2, 7, 300, 65535)) if number is None else number))


@st.composite
def cameras(draw: st.DrawFn, *, around: Sequence[float] = (0.0, 0.0, 0.0)) -> Camera:
    """Cameras that look at about `around` from all sides, near or far, rolled or upright."""
    yaw, pitch = np.radians(draw(st.integers(0, 359))), np.radians(draw(st.integers(-60, 60)))
    away = draw(st.sampled_from((4.0, 2.0, 8.0)))
    toward = np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
    roll = np.radians(draw(st.sampled_from((0.0, 20.0, -90.0))))
    side = np.array([np.cos(yaw), 0.0, -np.sin(yaw)])
    target = np.asarray(around, np.float64)
    return Camera(
        target + away * toward,
        target,
        np.cos(roll) * np.array([0.0, 1.0, 0.0]) + np.sin(roll) * side,
        np.radians(draw(st.sampled_from((45.0, 20.0, 80.0)))),
    )


@st.composite
def lights(draw: st.DrawFn, *, shadow: bool | None = None) -> Light:
    """Suns, points and spots; `shadow` fixes whether they cast any."""
    direction, position = _random(draw).normal(size=(2, 3))
    return Light(
        draw(st.sampled_from(("sun", "point", "spot"))),
        np.array([1.0, draw(_FRACTIONS), draw(_FRACTIONS)]),
        draw(st.sampled_from((3.0, 0.0, 20.0))),
        direction / np.linalg.norm(direction),
        position * 2,
        shadow=draw(st.booleans()) if shadow is None else shadow,
    )


_BACKGROUNDS = ((0.5, 0.6, 0.7, 1.0), (0.0, 0.0, 0.0, 1.0), (1.0, 1.0, 1.0, 0.0), (0.2, 0.1, 0.9, 0.5))


@st.composite
def scenes(
    draw: st.DrawFn,
    actor: st.SearchStrategy[Actor] | None = None,
    *,
    count: st.SearchStrategy[int] | None = None,
    light: st.SearchStrategy[Light] | None = None,
    ground: bool = True,
    fog: bool = True,
) -> Scene:
    """Scenes of no actor to three, with ids of their own, no light to three, with or without a floor."""
    cast = [draw(actors() if actor is None else actor)
            for _ in range(draw(st.integers(0, 3) if count is None else count))]  # fmt: skip
    numbers = draw(st.permutations((1, 2, 300, 65535)))
    floor = Ground(draw(st.sampled_from((0.0, -1.0))), spacing=draw(st.sampled_from((1.0, 0.0))))
    return Scene(
        [Actor(one.character, one.pose, number) for one, number in zip(cast, numbers, strict=False)],
        draw(st.lists(lights() if light is None else light, max_size=3)),
        floor if ground and draw(st.booleans()) else None,
        background=np.array(draw(st.sampled_from(_BACKGROUNDS))),
        exposure=draw(st.sampled_from((1.0, 0.5, 4.0))),
        fog=(np.array([0.5, 0.5, 0.6]), 0.05) if fog and draw(st.booleans()) else None,
    )
