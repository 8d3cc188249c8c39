"""What is written comes back: meshes, skins, shapes, materials, textures, names, several motions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import attrs
import numpy as np
import pytest

from kinetoscope_spec import Asset, ConfigError, Material, Mesh, ValidationError, kinematics
from kinetoscope_usd.importer import UsdImporter

Make = Callable[..., Asset]

SUFFIXES = [".usda", ".usdc", ".usd", ".usdz"]


def again(asset: Asset, path: Path) -> Asset:
    UsdImporter().write(asset, path)
    return UsdImporter().read(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("seed", range(3))
def test_a_character_comes_back(tmp_path: Path, suffix: str, seed: int, character: Make) -> None:
    wrote = character(seed)
    read = again(wrote, tmp_path / f"figure{suffix}")
    assert read.warnings == ()
    assert read.skeleton.names == wrote.skeleton.names
    np.testing.assert_array_equal(read.skeleton.parents, wrote.skeleton.parents)
    np.testing.assert_allclose(read.skeleton.rest_matrices(), wrote.skeleton.rest_matrices(), atol=1e-9)
    assert [(m.name, m.framerate, m.frame_count) for m in read.motions] == [("walk", 30, 5), ("run!", 24, 5)]
    assert [mesh.name for mesh in read.meshes] == [mesh.name for mesh in wrote.meshes]
    assert [mesh.node for mesh in read.meshes] == [mesh.node for mesh in wrote.meshes]
    for there, here in zip(read.motions, wrote.motions, strict=True):
        assert there.start_time == pytest.approx(here.start_time)
        assert here.scales is not None
        assert there.scales is not None
        np.testing.assert_allclose(there.scales, here.scales, rtol=1e-6)
    for mesh in range(3):
        there, here = read.meshes[mesh], wrote.meshes[mesh]
        np.testing.assert_array_equal(there.corner_vertex[there.faces], here.corner_vertex[here.faces])
        assert there.morph_names == here.morph_names
        assert dict(there.morph_weights) == dict(here.morph_weights)
        for motion in (None, 0, 1):
            wanted = kinematics.skinned_vertices(wrote, mesh, motion, 0 if motion is None else 4)
            found = kinematics.skinned_vertices(read, mesh, motion, 0 if motion is None else 4)
            np.testing.assert_allclose(found, wanted, atol=2e-5 * (1 + np.abs(wanted).max()))
    body = read.meshes[0]
    assert body.face_material is not None
    worn = [read.materials[i].name for i in body.face_material]
    assert wrote.meshes[0].face_material is not None
    assert worn == [wrote.materials[i].name for i in wrote.meshes[0].face_material]


def image(seed: int, channels: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, size=(5, 7, channels), dtype=np.uint8)


MATERIALS = (
    Material(
        "plain",
        np.array([0.1, 0.2, 0.3, 1.0]),
        metallic=0.25,
        roughness=0.75,
        emissive=np.array([0.5, 0, 2.0]),
    ),
    Material("glass", np.array([1, 1, 1, 0.25]), alpha_mode="blend", double_sided=True),
    Material(
        "leaf",
        np.array([0.5, 1, 1, 0.5]),
        base_color_image=image(0, 4),
        alpha_mode="mask",
        alpha_cutoff=0.25,
        wrap=("clamp", "mirror"),
        double_sided=True,
    ),
    Material(
        "Stoff 布",
        np.array([0.5, 1, 0.25, 1]),
        0.5,
        0.25,
        np.array([1, 0.5, 0.25]),
        base_color_image=image(1, 3),
        normal_image=image(2, 3),
        normal_scale=0.5,
        metallic_roughness_image=image(3, 3),
        occlusion_image=np.repeat(image(4, 1), 3, axis=2),
        occlusion_strength=0.75,
        emissive_image=image(5, 3),
    ),
)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_materials_and_textures_come_back(tmp_path: Path, suffix: str, character: Make) -> None:
    base = character(0)
    meshes = [
        Mesh.from_triangles(f"m{i}", np.eye(3), [[0, 1, 2]], uvs=np.eye(3)[:, :2], face_material=[i], node=0)
        for i in range(len(MATERIALS))
    ]
    path = tmp_path / f"looks{suffix}"
    read = again(attrs.evolve(base, meshes=meshes, materials=MATERIALS), path)
    assert read.warnings == ()
    for there, here in zip(read.materials, MATERIALS, strict=True):
        for field in attrs.fields(Material):
            found, wanted = getattr(there, field.name), getattr(here, field.name)
            if field.name == "metallic_roughness_image" and wanted is not None:
                found, wanted = found[..., 1:], wanted[..., 1:]  # red means nothing
            if field.name == "base_color_image" and wanted is not None and here.alpha_mode == "opaque":
                wanted = wanted[..., :3]
            if isinstance(wanted, np.ndarray | float):
                np.testing.assert_allclose(found, wanted, atol=1e-6, err_msg=f"{here.name} {field.name}")
            else:
                assert found == wanted, (here.name, field.name)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        {path.name} if suffix == ".usdz" else {path.name, "looks_textures"}
    )


def test_what_differs_at_corners_comes_back(tmp_path: Path, character: Make) -> None:
    rng = np.random.default_rng(7)
    corners = [0, 1, 2, 0, 2, 3]
    normals = rng.normal(size=(6, 3))
    mesh = Mesh(
        "quad",
        rng.normal(size=(4, 3)),
        corners,
        [[0, 1, 2], [3, 4, 5]],
        normals=normals / np.linalg.norm(normals, axis=1, keepdims=True),
        uvs=rng.uniform(size=(6, 2)),
        colors=rng.uniform(size=(6, 4)),
    )
    wrote = attrs.evolve(character(0), meshes=(mesh,), materials=())
    (found,) = again(wrote, tmp_path / "quad.usda").meshes
    np.testing.assert_array_equal(found.corner_vertex[found.faces], mesh.corner_vertex[mesh.faces])
    for name in ("normals", "uvs", "colors"):
        there, here = getattr(found, name), getattr(mesh, name)
        np.testing.assert_allclose(there[found.faces], here[mesh.faces], atol=1e-6)


def test_two_meshes_bound_in_different_poses_are_refused(tmp_path: Path, character: Make) -> None:
    wrote = character(0)
    skin = wrote.meshes[1].skin
    assert skin is not None
    moved = np.array(skin.inverse_bind)
    moved[0, 0, 3] += 1
    other = attrs.evolve(wrote.meshes[1], skin=attrs.evolve(skin, inverse_bind=moved))
    with pytest.raises(ValidationError, match="coat of arms"):
        UsdImporter().write(attrs.evolve(wrote, meshes=(wrote.meshes[0], other)), tmp_path / "two.usda")
    assert list(tmp_path.iterdir()) == []


def test_one_motion_of_several(tmp_path: Path, character: Make) -> None:
    wrote = character(0)
    UsdImporter().write(wrote, tmp_path / "run.usda", motion=1)
    read = UsdImporter().read(tmp_path / "run.usda")
    assert [(m.name, m.framerate) for m in read.motions] == [("run!", 24)]
    with pytest.raises(ConfigError, match="motion is 2"):
        UsdImporter().write(wrote, tmp_path / "x.usda", motion=2)
    with pytest.raises(ConfigError, match=r"\.abc"):
        UsdImporter().write(wrote, tmp_path / "x.abc")


def test_a_failure_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, character: Make
) -> None:
    path = tmp_path / "figure.usda"
    path.write_text("old")
    monkeypatch.setattr("kinetoscope_usd._write.write_materials", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        UsdImporter().write(character(0), path)
    assert [p.name for p in tmp_path.iterdir()] == ["figure.usda"]
    assert path.read_text() == "old"


def test_openusd_finds_nothing_wrong_with_what_is_written(tmp_path: Path, character: Make) -> None:
    validation = pytest.importorskip("pxr.UsdValidation")
    from pxr import Usd

    path = tmp_path / "figure.usdz"
    # A normal map's scale may be anything for us, and must be (2, 2, 2, 1) for OpenUSD's checker.
    materials = [attrs.evolve(material, normal_scale=1.0) for material in MATERIALS]
    UsdImporter().write(attrs.evolve(character(0), materials=materials), path)
    validators = validation.ValidationRegistry().GetOrLoadAllValidators()
    assert len(validators) > 10
    found = validation.ValidationContext(validators).Validate(Usd.Stage.Open(str(path)))
    assert [error.GetMessage() for error in found] == []
