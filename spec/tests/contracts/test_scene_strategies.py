"""Scenes and characters that are drawn are valid, reach the awkward, and shrink to the simple."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from kinetoscope_spec import Camera, Character, Mesh, Scene
from kinetoscope_spec.contracts import strategies

FINDING = settings(
    max_examples=2000, database=None, derandomize=True, suppress_health_check=list(HealthCheck), deadline=None
)


REACHING = settings(FINDING, phases=(Phase.generate,))
"""Shrinking takes long, and whether a thing is reached does not depend on it."""


def finds(
    strategy: st.SearchStrategy[Any], condition: Callable[[Any], bool], settings: settings = REACHING
) -> Any:
    return find(strategy, condition, settings=settings)


def meshes(scene: Scene) -> Iterator[Mesh]:
    for actor in scene.actors:
        yield from actor.character.meshes


def reach(mesh: Mesh) -> float:
    return float(np.abs(mesh.vertices).max())


def area(mesh: Mesh) -> np.ndarray:
    a, b, c = np.moveaxis(mesh.vertices[mesh.corner_vertex[mesh.faces]], 1, 0)
    return np.linalg.norm(np.cross(b - a, c - a), axis=-1)


AWKWARD_SCENES: dict[str, Callable[[Scene], bool]] = {
    "nothing at all": lambda s: not s.actors and not s.lights and s.ground is None,
    "three actors": lambda s: len(s.actors) == 3,
    "poses that mirror": lambda s: any((np.linalg.det(a.pose[:, :3, :3]) < 0).any() for a in s.actors),
    "tiny triangles": lambda s: any(len(m.faces) and reach(m) < 1e-3 for m in meshes(s)),
    "huge triangles": lambda s: any(len(m.faces) and reach(m) > 100 for m in meshes(s)),
    "triangles without area": lambda s: any((area(m) == 0).any() for m in meshes(s)),
    "meshes without faces": lambda s: any(not len(m.faces) for m in meshes(s)),
    "a clear background": lambda s: s.background[3] == 0,
    "a dark scene": lambda s: all(light.intensity == 0 for light in s.lights),
    "fog": lambda s: s.fog is not None,
    "the highest id": lambda s: any(actor.id == 65535 for actor in s.actors),
}
AWKWARD_CHARACTERS: dict[str, Callable[[Character], bool]] = {
    "no mesh": lambda c: not c.meshes,
    "rigid and skinned meshes": lambda c: (
        any(m.skin for m in c.meshes) and any(m.node is not None for m in c.meshes)
    ),
    "a mesh that hangs on nothing": lambda c: any(m.skin is None and m.node is None for m in c.meshes),
    "one influence": lambda c: any(m.skin and m.skin.weights.shape[1] == 1 for m in c.meshes),
    "eight influences": lambda c: any(
        m.skin and (m.skin.weights > 0).sum(axis=1).max() > 6 for m in c.meshes
    ),
    "influences that are not used": lambda c: any(m.skin and (m.skin.weights == 0).any() for m in c.meshes),
    "bones out of order": lambda c: any(m.skin and (np.diff(m.skin.bones) < 0).any() for m in c.meshes),
    "morphs": lambda c: any(m.morphs is not None for m in c.meshes),
    "in-betweens": lambda c: any(len(set(m.morph_names)) < len(m.morph_names) for m in c.meshes),
    "morphs that rest at a weight": lambda c: any(m.morph_weights for m in c.meshes),
    "several materials": lambda c: any(
        m.face_material is not None and len(set(m.face_material.tolist())) > 1 for m in c.meshes
    ),
    "corners that share a vertex": lambda c: any(
        len(m.corner_vertex) > len(set(m.corner_vertex.tolist())) for m in c.meshes
    ),
    "images": lambda c: any(material.base_color_image is not None for material in c.materials),
    "every way to be seen through": lambda c: {m.alpha_mode for m in c.materials} >= {"mask", "blend"},
}
AWKWARD_CAMERAS: dict[str, Callable[[Camera], bool]] = {
    "from above": lambda c: c.position[1] > 1.5,
    "from behind": lambda c: c.position[2] < -1,
    "rolled": lambda c: abs(c.up[1]) < 0.5,
    "wide": lambda c: c.field_of_view > 1,
}


@given(strategies.scenes(), strategies.cameras())
@settings(max_examples=50, deadline=None)
def test_scenes_are_valid_and_finite(scene: Scene, camera: Camera) -> None:
    # Building checks shapes and numbers; what remains is what drawing promises.
    assert len({actor.id for actor in scene.actors}) == len(scene.actors)
    for actor in scene.actors:
        assert (np.abs(np.linalg.det(actor.pose[:, :3, :3])) > 0).all()
    assert np.isfinite(camera.view_matrix()).all()


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@pytest.mark.parametrize("what", AWKWARD_SCENES)
def test_scenes_reach(what: str) -> None:
    assert AWKWARD_SCENES[what](finds(strategies.scenes(), AWKWARD_SCENES[what]))


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@pytest.mark.parametrize("what", AWKWARD_CHARACTERS)
def test_characters_reach(what: str) -> None:
    assert AWKWARD_CHARACTERS[what](finds(strategies.characters(), AWKWARD_CHARACTERS[what]))


@pytest.mark.parametrize("what", AWKWARD_CAMERAS)
def test_cameras_reach(what: str) -> None:
    assert AWKWARD_CAMERAS[what](finds(strategies.cameras(), AWKWARD_CAMERAS[what]))


def test_scenes_shrink_to_nothing_and_to_one_triangle() -> None:
    assert not finds(strategies.scenes(), lambda scene: True, FINDING).actors
    scene = finds(strategies.scenes(), lambda scene: any(len(mesh.faces) for mesh in meshes(scene)), FINDING)
    (actor,) = scene.actors
    (mesh,) = actor.character.meshes
    assert len(mesh.faces) == 1
    assert len(actor.character.skeleton) == 1
    assert len(actor.character.materials) == 1
    assert scene.ground is None
    assert not scene.lights


def test_cameras_shrink_to_one_from_the_front() -> None:
    camera = finds(strategies.cameras(), lambda camera: True, FINDING)
    np.testing.assert_allclose(camera.position, (0, 0, 4))
    np.testing.assert_allclose(camera.up, (0, 1, 0))


def test_what_is_asked_for_is_drawn() -> None:
    kinds = strategies.characters(carried=("rigid",), empty=False, morphs=False, meshes_at_least=1)

    @given(kinds)
    @settings(max_examples=50, deadline=None)
    def check(character: Character) -> None:
        assert character.meshes
        for mesh in character.meshes:
            assert mesh.node is not None
            assert len(mesh.faces)
            assert mesh.morphs is None

    check()
