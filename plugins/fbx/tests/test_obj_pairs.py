"""Skinning against meshes that other applications exported of the same frames, in world space."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from kinetoscope_fbx.importer import FbxImporter
from kinetoscope_spec import Asset, Motion, kinematics

FOLDER = Path(os.environ.get("KINETOSCOPE_DATA", "")) / "fbx"
PAIRS = sorted(
    (obj, fbx)
    for obj in FOLDER.glob("*.obj")
    for fbx in FOLDER.glob("*.fbx")
    if re.match(r"(.+)_\d{4}_(ascii|binary)", fbx.stem)[1]
    == re.sub(r"(_(base|spin|wiggle))?(_lefthanded)?(_\d+)?$", "", obj.stem)
)


def vertices_of_obj(path: Path) -> tuple[dict[str, NDArray[np.float64]], dict[str, str]]:
    """Return vertices by object, and what the comments of ufbx' own tests say of the file."""
    options, found, name = {}, {}, ""
    for line in path.read_text().splitlines():
        words = line.split()
        if line.startswith("# ufbx:"):
            key, _, value = line.removeprefix("# ufbx:").partition("=")
            options[key] = value
        elif line.startswith("v "):
            found.setdefault(name, []).append([float(word) for word in words[1:4]])
        elif line.startswith(("g ", "o ")):
            name = words[1]
    return {key: np.array(rows) for key, rows in found.items()}, options


def played(asset: Asset, obj: Path) -> tuple[Motion | None, int]:
    """Return the motion and frame that the name of an OBJ file means."""
    take, number = re.search(r"(base|spin|wiggle)?_?(?:lefthanded_?)?(\d+)?$", obj.stem).groups()
    if number is None:
        return None, 0
    motion = next(m for m in asset.motions if not take or m.name.lower().endswith(take))
    frame = round((int(number) / asset.metadata["framerate"] - motion.start_time) * motion.framerate)
    return motion, min(frame, motion.frame_count - 1)  # `wiggle_20` is the last of 20 frames


def in_file_space(asset: Asset, points: NDArray[np.float64]) -> NDArray[np.float64]:
    axes = asset.metadata["axes"]
    turn = np.zeros((3, 3))
    for row in range(3):
        turn[row, "XYZ".index(axes[2 * row + 1])] = 1 if axes[2 * row] == "+" else -1
    return points / asset.metadata["unit_m"] @ turn


@pytest.mark.realdata
@pytest.mark.skipif(not PAIRS, reason="KINETOSCOPE_DATA is not set, or has no folder fbx")
@pytest.mark.parametrize(("obj", "fbx"), PAIRS, ids=lambda path: path.name)
def test_every_vertex_stands_where_another_application_put_it(obj: Path, fbx: Path) -> None:
    asset = FbxImporter().read(fbx)
    motion, frame = played(asset, obj)
    groups, options = vertices_of_obj(obj)
    want = np.concatenate(list(groups.values()))  # `position_scale` belongs to a conversion of ufbx' own
    if "_lefthanded" in obj.stem:  # exported for Y up and a left hand: the third axis points the other way
        want[:, 2] *= -1
    got = [
        in_file_space(asset, kinematics.skinned_vertices(asset, i, motion, frame))
        for i in range(len(asset.meshes))
    ]
    cached = [
        mesh.name
        for mesh in asset.meshes
        if any(f"{mesh.name!r} is moved by a vertex" in w for w in asset.warnings)
    ]
    points = np.concatenate(got)
    counted = np.concatenate(
        [np.full(len(part), mesh.name not in cached) for part, mesh in zip(got, asset.meshes, strict=True)]
    )
    assert len(points) == len(want)
    size = np.ptp(want, axis=0).max()
    if "bad_order" in options:
        assert max(cKDTree(points).query(want)[0].max(), cKDTree(want).query(points)[0].max()) <= 1e-3 * size
    else:
        assert np.abs(points - want)[counted].max() <= 1e-3 * size
    assert counted.mean() > 0.75


@pytest.mark.realdata
@pytest.mark.skipif(not PAIRS, reason="KINETOSCOPE_DATA is not set, or has no folder fbx")
def test_every_mesh_of_the_folder_is_compared_with_something() -> None:
    assert {obj for obj, _ in PAIRS} == set(FOLDER.glob("*.obj"))
    assert len(PAIRS) >= 24
