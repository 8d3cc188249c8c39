"""Rates of reading GLB files on one core: `pytest bench_glb.py --benchmark-json …`.

The peer in the same run is pygltflib: it loads the document, and NumPy takes each accessor from its
buffer as quickly as can be. Ours builds skeleton, meshes, skins and baked motions besides.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kinetoscope_glb.importer import GlbImporter
from kinetoscope_spec import Asset, Mesh, Motion, Skeleton, Skin

pytestmark = pytest.mark.bench
JOINTS, FRAMES, VERTICES = 80, 600, 10_000
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
DTYPES = {5121: np.uint8, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}


def character() -> Asset:
    """80 joints, 600 frames in which each turns, 10,000 vertices with four influences."""
    rng = np.random.default_rng(0)
    names = tuple(f"joint {i}" for i in range(JOINTS))
    skeleton = Skeleton(names, [-1, *range(JOINTS - 1)], rng.normal(size=(JOINTS, 3)))
    turns = np.cumsum(rng.normal(scale=0.02, size=(FRAMES, JOINTS, 4)), axis=0)
    turns[..., 3] += 9
    turns /= np.linalg.norm(turns, axis=2, keepdims=True)
    places = np.repeat(skeleton.rest_positions[None], FRAMES, axis=0)
    motion = Motion(skeleton, places.astype(np.float32), turns.astype(np.float32), 60.0, "walk")
    weights = rng.random((VERTICES, 4))
    weights /= weights.sum(axis=1, keepdims=True)
    joints = rng.integers(0, JOINTS, (VERTICES, 4))
    skin = Skin(joints, weights, np.arange(JOINTS), np.tile(np.eye(4), (JOINTS, 1, 1)))
    mesh = Mesh.from_triangles(
        "body",
        rng.normal(size=(VERTICES, 3)).astype(np.float32),
        rng.integers(0, VERTICES, (2 * VERTICES, 3)),
        uvs=rng.random((VERTICES, 2)).astype(np.float32),
        skin=skin,
    )
    return Asset("character", skeleton, [motion], [mesh])


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One file made here, and the characters of the folder KINETOSCOPE_DATA where it is set."""
    made = tmp_path_factory.mktemp("bench") / "made.glb"
    GlbImporter().write(character(), made)
    folder = os.environ.get("KINETOSCOPE_DATA")
    given = sorted((Path(folder) / "characters").glob("*.glb")) if folder else []
    return {"made": made} | {path.stem: path for path in given}


def chosen(files: dict[str, Path], name: str) -> Path:
    if name not in files:
        pytest.skip("KINETOSCOPE_DATA is not set, or lacks this character")
    return files[name]


NAMES = pytest.mark.parametrize("name", ["made", "cranberry", "geno"])


def note(benchmark: Any, path: Path, peer: str | None = None) -> None:
    size, fastest = path.stat().st_size, benchmark.stats.stats.min
    benchmark.extra_info |= {
        "value": 1 / fastest,
        "unit": "files/s",
        "peer_test": peer,
        "note": f"{fastest * 1e3:.1f} ms for {size:,} bytes, one thread",
    }


@NAMES
def test_read(benchmark: Any, files: dict[str, Path], name: str) -> None:
    path = chosen(files, name)
    benchmark(GlbImporter().read, path)
    note(benchmark, path, f"test_pygltflib[{name}]")


@NAMES
@pytest.mark.filterwarnings("ignore")
def test_pygltflib(benchmark: Any, files: dict[str, Path], name: str) -> None:
    pygltflib = pytest.importorskip("pygltflib")
    path = chosen(files, name)

    def load() -> int:
        document = pygltflib.GLTF2().load(str(path))
        data, total = document.binary_blob(), 0
        for accessor in document.accessors:
            view = document.bufferViews[accessor.bufferView]
            start, width = (view.byteOffset or 0) + (accessor.byteOffset or 0), WIDTHS[accessor.type]
            dtype = DTYPES[accessor.componentType]
            total += np.frombuffer(data, dtype, accessor.count * width, start).size
        return total

    benchmark(load)
    note(benchmark, path)


def test_write(benchmark: Any, tmp_path: Path) -> None:
    asset, path = character(), tmp_path / "a.glb"
    benchmark(GlbImporter().write, asset, path)
    note(benchmark, path)
