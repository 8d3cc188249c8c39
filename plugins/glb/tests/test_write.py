"""Writing: what is written is read again, other readers agree, and the Khronos validator has nothing to say."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinetoscope_glb.importer import GlbImporter
from kinetoscope_spec import (
    Asset,
    ConfigError,
    Material,
    Mesh,
    Motion,
    Skeleton,
    Skin,
    ValidationError,
    kinematics,
)
from kinetoscope_spec.contracts import strategies

IMPORTER = GlbImporter()


@st.composite
def assets(draw: st.DrawFn) -> Asset:
    """Characters with none to three motions, morph curves among them."""
    held = draw(strategies.characters())
    motions = draw(
        st.lists(strategies.motions(st.just(held.skeleton), frames=st.sampled_from((1, 2, 5))), max_size=3)
    )
    channels = sorted({name for mesh in held.meshes for name in mesh.morph_names})
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    moved = [
        attrs.evolve(
            motion,
            name=f"clip {i}",
            start_time=draw(st.sampled_from((0.0, 2.5, -1.0))),
            morph_weights={
                name: rng.uniform(-1, 2, motion.frame_count).astype(np.float32)
                for name in channels
                if rng.random() < 0.7
            },
        )
        for i, motion in enumerate(motions)
    ]
    return Asset(held.name, held.skeleton, moved, held.meshes, held.materials)


def again(folder: Path, asset: Asset, suffix: str = ".glb", **options: Any) -> Asset:
    path = folder / f"again{suffix}"
    IMPORTER.write(asset, path, **options)
    return IMPORTER.read(path)


def by_corner(asset: Asset, mesh: Mesh, motion: int | None, frame: int = 0) -> np.ndarray:
    """Global places `[F, 3, 3]` of the corners of all faces, material by material."""
    found = kinematics.skinned_vertices(asset, mesh, motion, frame)[mesh.corner_vertex][mesh.faces]
    order = np.zeros(len(mesh.faces)) if mesh.face_material is None else mesh.face_material
    return found[np.argsort(order, kind="stable")]


@given(assets(), st.sampled_from([".glb", ".gltf"]))
@settings(max_examples=60)
def test_every_corner_stands_where_it_stood(tmp_path_factory: Any, asset: Asset, suffix: str) -> None:
    found = again(tmp_path_factory.mktemp("again"), asset, suffix)
    drawn = [mesh for mesh in asset.meshes if len(mesh.faces)]
    assert len(found.meshes) == len(drawn)
    assert found.skeleton == attrs.evolve(asset.skeleton, rest_rotations=found.skeleton.rest_rotations)
    assert len(found.motions) == len(asset.motions)
    for number, motion in [(None, None), *enumerate(asset.motions)]:
        frame = 0 if motion is None else motion.frame_count - 1
        for wrote, read in zip(drawn, found.meshes, strict=True):
            here, there = by_corner(asset, wrote, number, frame), by_corner(found, read, number, frame)
            np.testing.assert_allclose(there, here, atol=1e-4 * (1 + np.abs(here).max(initial=0)))


@given(assets())
def test_everything_else_comes_back(tmp_path_factory: Any, asset: Asset) -> None:
    found = again(tmp_path_factory.mktemp("again"), asset)
    drawn = [mesh for mesh in asset.meshes if len(mesh.faces)]
    for wrote, read in zip(asset.motions, found.motions, strict=True):
        assert (read.name, read.framerate, read.start_time) == (wrote.name, wrote.framerate, wrote.start_time)
        for name in set(wrote.morph_weights) & {name for mesh in drawn for name in mesh.morph_names}:
            mine = {new for new in read.morph_weights if new == name or new.endswith(f"/{name}")}
            for new in mine:
                np.testing.assert_allclose(read.morph_weights[new], wrote.morph_weights[name], atol=1e-5)
    for wrote, read in zip(drawn, found.meshes, strict=True):
        assert read.node == wrote.node if wrote.skin is None else read.skin is not None
        assert len(read.morph_names) == len(wrote.morph_names)
        for name in ("uvs", "colors", "normals"):
            mine, theirs = getattr(wrote, name), getattr(read, name)
            if mine is None:  # a texture must have coordinates
                assert theirs is None or (name == "uvs" and not theirs.any())
            else:
                np.testing.assert_allclose(theirs, mine, atol=1e-6)
        if wrote.morph_peaks is not None:
            np.testing.assert_array_equal(read.morph_peaks, wrote.morph_peaks)
            for name, weight in wrote.morph_weights.items():
                mine = [w for new, w in read.morph_weights.items() if new == name or new.endswith(f"/{name}")]
                assert mine == [pytest.approx(weight)]
    if drawn:
        for wrote, read in zip(asset.materials, found.materials, strict=True):
            assert read == attrs.evolve(wrote, emissive=read.emissive)
            np.testing.assert_allclose(read.emissive, wrote.emissive)


def test_a_second_round_changes_nothing(tmp_path: Path) -> None:
    first = again(tmp_path, example())
    second = again(tmp_path, first)
    assert attrs.evolve(second, metadata={}, name="") == attrs.evolve(first, metadata={}, name="")


def example() -> Asset:
    """Two roots with a skin over both, a rigid and a static mesh, morphs with an in-between, images."""
    skeleton = Skeleton(
        ("a", "b", "c"),
        [-1, -1, 0],
        [[0, 0, 0], [1, 0, 0], [0, 1, 0]],
        rest_scales=[[1, 1, 1], [1, 2, 1], [1, 1, 1]],
    )
    points = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0.0]])
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    skin = Skin([[0, 1]] * 4, [[0.7, 0.3]] * 4, [1, 2], np.stack([np.eye(4)] * 2))
    image = np.random.default_rng(0).integers(0, 256, (3, 4, 4), dtype=np.uint8)
    meshes = [
        Mesh.from_triangles("skinned", points, faces, skin=skin, uvs=points[:, :2], face_material=[1, 0]),
        Mesh.from_triangles(
            "rigid",
            points,
            faces,
            node=2,
            morphs=np.ones((2, 4, 3)) * [[[1]], [[3]]],
            morph_names=("up", "up"),
            morph_peaks=[0.5, 1.0],
            morph_weights={"up": 0.25},
        ),
        Mesh.from_triangles(
            "second on its node", points, faces, node=2, normals=np.tile([0, 0, 1.0], (4, 1))
        ),
        Mesh.from_triangles("static", points, faces, colors=np.full((4, 4), 0.5)),
    ]
    materials = [
        Material("plain", emissive=np.array([3.0, 0, 1])),
        Material(
            "dressed",
            base_color_image=image,
            normal_image=image[..., :3],
            normal_scale=0.5,
            wrap=("clamp", "mirror"),
        ),
    ]
    turns = np.zeros((4, 3, 4))
    turns[..., 2], turns[..., 3] = np.sin(np.arange(4) / 5)[:, None], np.cos(np.arange(4) / 5)[:, None]
    motion = Motion(
        skeleton,
        np.repeat(skeleton.rest_positions[None], 4, axis=0),
        turns,
        25.0,
        "turn",
        scales=np.repeat(skeleton.rest_scales[None], 4, axis=0),
        morph_weights={"up": np.array([0, 0.25, 0.75, 2.0])},
    )
    still = Motion(
        skeleton,
        np.repeat(skeleton.rest_positions[None], 3, axis=0),
        np.tile([0, 0, 0, 1.0], (3, 3, 1)),
        10.0,
        "still",
    )
    return Asset("example", skeleton, [motion, still], meshes, materials, metadata={"licence": "CC0"})


def test_what_has_no_place_in_gltf_comes_back(tmp_path: Path) -> None:
    asset = example()
    found = again(tmp_path, asset)
    assert found.skeleton.names == ("a", "b", "c")
    assert [mesh.node for mesh in found.meshes] == [None, 2, 2, None]
    assert found.meshes[1].morph_names == ("up", "up")
    np.testing.assert_allclose(found.motions[0].morph_weights["up"], [0, 0.25, 0.75, 2])
    assert [(m.framerate, m.frame_count) for m in found.motions] == [(25, 4), (10, 3)]
    assert found.metadata["licence"] == "CC0"
    np.testing.assert_array_equal(found.materials[1].base_color_image, asset.materials[1].base_color_image)
    assert found.materials[0].emissive.tolist() == [3, 0, 1]
    assert found.warnings == ()


def test_how_a_skin_blends_comes_back(tmp_path: Path) -> None:
    asset = example()
    body = asset.meshes[0]
    other = attrs.evolve(body, skin=attrs.evolve(body.skin, blending="dual_quaternion"))
    found = again(tmp_path, attrs.evolve(asset, meshes=[body, other]))
    assert [mesh.skin.blending for mesh in found.meshes] == ["linear", "dual_quaternion"]


@pytest.mark.parametrize(
    "noted", [7, {}, {"blending": "cubic"}, {"blending": ["linear"]}, {"blending": None}]
)
def test_odd_notes_on_blending_are_passed_over(tmp_path: Path, noted: Any) -> None:
    path = tmp_path / "a.gltf"
    IMPORTER.write(example(), path)
    document = json.loads(path.read_text())
    for skin in document["skins"]:
        skin["extras"] = {"kinetoscope": noted}
    path.write_text(json.dumps(document))
    assert IMPORTER.read(path).meshes[0].skin.blending == "linear"


def chunk(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    (length,) = struct.unpack_from("<I", data, 12)
    found: dict[str, Any] = json.loads(data[20 : 20 + length])
    return found


def test_channels_that_hold_still_take_one_key_or_none(tmp_path: Path) -> None:
    path = tmp_path / "a.glb"
    IMPORTER.write(example(), path)
    document = chunk(path)
    turn, still = document["animations"]
    keys = [document["accessors"][s["input"]]["count"] for s in turn["samplers"]]
    assert {(c["target"]["node"], c["target"]["path"]) for c in turn["channels"]} == {
        (0, "rotation"),
        (1, "rotation"),
        (2, "rotation"),
        (2, "weights"),
    }
    assert set(keys) == {4}
    # What stays is node b, which rests at scale 2 and does not in this motion: a key, held to the end.
    assert [c["target"] for c in still["channels"]] == [{"node": 1, "path": "scale"}]
    times = document["accessors"][still["samplers"][0]["input"]]
    assert (times["count"], times["min"], times["max"]) == (2, [0], [pytest.approx(0.2)])


def test_options(tmp_path: Path) -> None:
    asset = example()
    assert [m.name for m in again(tmp_path, asset, motions=[-1]).motions] == ["still"]
    bare = again(tmp_path, asset, meshes=False)
    assert (bare.meshes, bare.materials) == ((), ())
    assert again(tmp_path, asset, ".bin", binary=False).metadata["format"] == "gltf"
    with pytest.raises(ConfigError, match="motions has 5"):
        IMPORTER.write(asset, tmp_path / "x.glb", motions=[5])


def test_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.glb"
    path.write_bytes(b"before")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        IMPORTER.write(example(), path)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a.glb", b"before")]


@pytest.mark.parametrize(
    ("skeleton", "positions", "rate", "message"),
    [
        (Skeleton(("x\ud800",), [-1], [[0, 0, 0]]), np.zeros((1, 1, 3)), 30.0, "no letter in UTF-8"),
        (Skeleton(("x",), [-1], [[0, 0, 0]]), np.full((1, 1, 3), 1e39), 30.0, "too large for float32"),
        (Skeleton(("x",), [-1], [[0, 0, 0]]), np.zeros((3, 1, 3)), 1e-39, "too large|can't tell"),
    ],
)
def test_what_cannot_be_written(
    tmp_path: Path, skeleton: Skeleton, positions: Any, rate: float, message: str
) -> None:
    motion = Motion(skeleton, positions, np.tile([0, 0, 0, 1.0], (len(positions), 1, 1)), rate)
    with pytest.raises(ValidationError, match=message):
        IMPORTER.write(Asset("x", skeleton, [motion]), tmp_path / "x.glb")
    assert not [*tmp_path.iterdir()]


def test_late_and_early_starts(tmp_path: Path) -> None:
    skeleton = Skeleton(("x",), [-1], [[0, 0, 0]])
    positions = np.random.default_rng(0).normal(size=(500, 1, 3)).astype(np.float32)
    turns = np.tile(np.float32([0, 0, 0, 1]), (500, 1, 1))
    for start in (0.0, 1.5, -3.0, 1e6, 12345.678):
        motion = Motion(skeleton, positions, turns, 240.0, "m", start_time=start)
        (found,) = again(tmp_path, Asset("x", skeleton, [motion])).motions
        assert (found.start_time, found.framerate) == (start, 240)
        np.testing.assert_array_equal(found.positions, positions)


NODE = {"NODE_PATH": str(Path(sys.prefix) / "node" / "node_modules"), **os.environ}
"""Where `make setup` puts the validator, unless NODE_PATH says otherwise."""


@cache
def _validator() -> str | None:
    """Return why the Khronos validator can't be run, or None."""
    if shutil.which("node") is None:
        return "node is not installed"
    done = subprocess.run(
        ["node", "-e", "require('gltf-validator')"], capture_output=True, check=False, env=NODE
    )
    return None if done.returncode == 0 else "npm package gltf-validator is not installed (make validator)"


def issues(paths: Sequence[Path]) -> list[dict[str, Any]]:
    script = Path(__file__).with_name("validate.js")
    done = subprocess.run(
        ["node", str(script), *map(str, paths)], capture_output=True, check=True, text=True, env=NODE
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def unexpected(found: dict[str, Any]) -> list[str]:
    """Return the errors and warnings, but for one: our meshes have no tangents, so viewers make them."""
    return [
        f"{m['code']} {m.get('pointer')}: {m['message']}"
        for m in found["messages"]
        if m["severity"] <= 1 and m["code"] != "MESH_PRIMITIVE_GENERATED_TANGENT_SPACE"
    ]


@pytest.mark.skipif(_validator() is not None, reason=str(_validator()))
@given(st.lists(assets(), min_size=4, max_size=8))
@settings(max_examples=12, deadline=None)
def test_the_khronos_validator_finds_nothing(tmp_path_factory: Any, held: list[Asset]) -> None:
    folder = tmp_path_factory.mktemp("valid")
    paths = [folder / f"{i}.{'glb' if i % 2 else 'gltf'}" for i in range(len(held))]
    for asset, path in zip(held, paths, strict=True):
        IMPORTER.write(asset, path)
    assert [unexpected(found) for found in issues(paths)] == [[]] * len(paths)


@pytest.mark.skipif(_validator() is not None, reason=str(_validator()))
def test_the_khronos_validator_on_the_example(tmp_path: Path) -> None:
    path = tmp_path / "example.glb"
    IMPORTER.write(example(), path)
    (found,) = issues([path])
    assert unexpected(found) == []
    assert (found["numErrors"], found["numWarnings"]) == (0, 1)


@pytest.mark.realdata
@pytest.mark.skipif(_validator() is not None, reason=str(_validator()))
def test_the_khronos_validator_on_characters(characters: Path, tmp_path: Path) -> None:
    paths = []
    for path in sorted(characters.glob("*.glb")):
        paths.append(tmp_path / path.name)
        IMPORTER.write(IMPORTER.read(path), paths[-1])
    assert [unexpected(found) for found in issues(paths)] == [[]] * len(paths)


@pytest.mark.realdata
def test_characters_come_back(characters: Path, tmp_path: Path) -> None:
    for path in sorted(characters.glob("*.glb")):
        asset = IMPORTER.read(path)
        found = again(tmp_path, asset)
        assert found.skeleton.names == asset.skeleton.names
        for wrote, read in zip(asset.meshes, found.meshes, strict=True):
            here, there = (
                kinematics.skinned_vertices(a, m, None) for a, m in ((asset, wrote), (found, read))
            )
            np.testing.assert_allclose(there, here, atol=1e-6)
