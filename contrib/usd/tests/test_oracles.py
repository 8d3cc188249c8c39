"""Vertices against UsdSkel's own skinning and blending, which share no code with the importer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import attrs
import numpy as np
import pytest

from kinetoscope_spec import Asset, kinematics
from kinetoscope_usd.importer import UsdImporter

Make = Callable[..., Asset]
Points = Callable[..., np.ndarray]


@pytest.mark.parametrize("suffix", [".usda", ".usdc", ".usdz"])
@pytest.mark.parametrize("seed", range(4))
def test_usdskel_puts_every_vertex_of_what_is_written_where_it_was(
    tmp_path: Path, seed: int, suffix: str, usdskel_vertices: Points, character: Make
) -> None:
    asset = character(seed, scaled=False)
    path = tmp_path / f"figure{suffix}"
    UsdImporter().write(asset, path)
    for mesh in asset.meshes:
        for frame in (0, 3):
            code = (asset.motions[0].start_time + frame / 30) * 30
            found = usdskel_vertices(path, mesh.name, code)
            wanted = kinematics.skinned_vertices(asset, mesh, 0, frame)
            np.testing.assert_allclose(found, wanted, atol=2e-5 * (1 + np.abs(wanted).max()))


@pytest.mark.parametrize("seed", range(4))
def test_usdskel_blends_dual_quaternions_as_we_do(
    tmp_path: Path, seed: int, usdskel_vertices: Points, character: Make
) -> None:
    asset = character(seed, scaled=False)
    wanted = attrs.evolve(asset, meshes=asset.character().blended("dual_quaternion").meshes)
    path = tmp_path / "figure.usdc"
    UsdImporter().write(wanted, path)
    read = UsdImporter().read(path)
    assert not read.warnings
    for mesh, before, again in zip(wanted.meshes[:2], asset.meshes, read.meshes, strict=False):
        assert again.skin is not None
        assert again.skin.blending == "dual_quaternion"
        for frame in (0, 3):
            found = usdskel_vertices(path, mesh.name, (asset.motions[0].start_time + frame / 30) * 30)
            ours = kinematics.skinned_vertices(wanted, mesh, 0, frame)
            np.testing.assert_allclose(found, ours, atol=2e-5 * (1 + np.abs(ours).max()))
            linear = kinematics.skinned_vertices(asset, before, 0, frame)
            assert np.abs(ours - linear).max() > 0.1


@pytest.mark.parametrize("seed", range(4))
def test_vertices_of_what_is_read_stand_where_usdskel_puts_them(
    tmp_path: Path, seed: int, usdskel_vertices: Points, character: Make
) -> None:
    path = tmp_path / "figure.usdc"
    UsdImporter().write(character(seed), path)
    # As others write it: no attribute of ours, so that the scales are UsdSkel's halves.
    from pxr import Usd

    stage = Usd.Stage.Open(str(path))
    for prim in stage.Traverse():
        prim.RemoveProperty("kinetoscope:scales")
        prim.ClearCustomData()
    stage.GetRootLayer().Save()
    asset = UsdImporter().read(path)
    assert [motion.framerate for motion in asset.motions] == [30.0, pytest.approx(30.0)]
    for mesh in asset.meshes:
        for frame in range(5):
            wanted = usdskel_vertices(path, mesh.name, 15 + frame)
            found = kinematics.skinned_vertices(asset, mesh, 0, frame)
            np.testing.assert_allclose(found, wanted, atol=2e-5 * (1 + np.abs(wanted).max()))
