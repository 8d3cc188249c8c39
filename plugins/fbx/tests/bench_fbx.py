"""From an FBX file to the skinned vertices of one frame, against ufbx (C) in a child process of the same run.

Files are made here; where KINETOSCOPE_DATA points to characters and texts those are read too.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fbx_scenes import CUBIC, USER, Key, Scene

from kinetoscope_fbx.importer import FbxImporter
from kinetoscope_spec import kinematics

pytestmark = pytest.mark.bench
DATA = Path(os.environ.get("KINETOSCOPE_DATA", ""))
FILES = sorted(DATA.glob("characters/*.fbx")) + sorted(DATA.glob("fbx/*_ascii.fbx"))
ORACLE = Path(__file__).with_name("ufbx_oracle.py")


def character(*, rows: int, bones: int, keys: int) -> Scene:
    """Return a sheet of `rows` by `rows` quads on a chain of bones, every one of which turns."""
    random = np.random.default_rng(3)
    scene, above, chain = Scene(), 0, []
    for i in range(bones):
        above = scene.node(f"bone{i}", above, Lcl_Translation=(0.0, 5.0, 0.0))
        chain.append(above)
    x, y = np.meshgrid(np.arange(rows + 1), np.arange(rows + 1))
    vertices = np.stack([x, y, np.zeros_like(x)], axis=-1).reshape(-1, 3) * (bones * 5.0 / rows)
    corner = (np.arange(rows)[:, None] * (rows + 1) + np.arange(rows)).ravel()
    quads = np.stack([corner, corner + 1, corner + rows + 2, corner + rows + 1], axis=1)
    geometry = scene.mesh(scene.node("sheet", subtype="Mesh"), vertices, quads.tolist())
    owners = [random.permutation(len(vertices))[: 4 * len(vertices) // bones] for _ in chain]
    scene.skin(
        geometry,
        [(b, o.tolist(), random.random(len(o)), np.eye(4)) for b, o in zip(chain, owners, strict=True)],
    )
    layer = scene.layer(scene.stack("clip", 0, keys / 30))
    for bone in chain:
        channel = scene.channel(layer, bone, "Lcl Rotation")
        for axis in "XYZ":
            values = np.cumsum(random.normal(size=keys)).tolist()
            scene.curve(
                channel,
                axis,
                [Key(i / 30, value, CUBIC | USER, (1.0, 1.0)) for i, value in enumerate(values)],
            )
    return scene


def measure(benchmark: Any, path: Path) -> None:
    importer = FbxImporter()

    def skinned() -> None:
        asset = importer.read(path)
        motion = asset.motions[0] if asset.motions else None
        for i in range(len(asset.meshes)):
            kinematics.skinned_vertices(asset, i, motion, 0)

    benchmark.pedantic(skinned, rounds=10, warmup_rounds=2)
    size, ours = path.stat().st_size, benchmark.stats.stats.min
    run = subprocess.run(
        [sys.executable, str(ORACLE), "--seconds", str(path), "0"],
        capture_output=True,
        text=True,
        check=False,
    )
    told = {"value": ours, "unit": "s", "note": f"{size / 1e6:.2f} MB, {size / ours / 1e6:.1f} MB/s"}
    if run.returncode == 0:
        theirs = float(run.stdout)
        told |= {"peer": "ufbx (C), load and evaluate", "peer_value": theirs, "ratio": ours / theirs}
    benchmark.extra_info |= told


@pytest.mark.parametrize("form", ["binary", "text"])
def test_made_here(benchmark: Any, tmp_path: Path, form: str) -> None:
    scene = character(rows=100, bones=60, keys=240)
    path = tmp_path / "character.fbx"
    path.write_bytes(scene.binary(deflate=True) if form == "binary" else scene.text())
    measure(benchmark, path)


@pytest.mark.realdata
@pytest.mark.skipif(not FILES, reason="KINETOSCOPE_DATA is not set, or has no folder characters or fbx")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_files(benchmark: Any, path: Path) -> None:
    measure(benchmark, path)
