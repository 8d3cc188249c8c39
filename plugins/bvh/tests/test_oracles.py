"""Joint positions against bvhio and against SciPy, which share no code with the importer."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from kinetoscope_bvh.importer import BvhImporter
from kinetoscope_spec import Asset

bvhio = pytest.importorskip("bvhio")


def data() -> Path:
    folder = os.environ.get("KINETOSCOPE_DATA")
    if not folder:
        pytest.skip("KINETOSCOPE_DATA is not set")
    return Path(folder) / "bvh"


def clips(step: int = 1) -> list[str]:
    """All clips that are not Bandai Namco's, and every one of theirs, or every `step`-th."""
    folder = Path(os.environ.get("KINETOSCOPE_DATA", "")) / "bvh"
    named = sorted(str(path.relative_to(folder)) for path in folder.glob("*/*.bvh"))
    other = [name for name in named if not name.startswith("bandai")]
    return (other + [name for name in named if name.startswith("bandai")][::step]) or ["none"]


def bvhio_positions(path: Path, frames: list[int]) -> dict[str, np.ndarray]:
    """Return the world positions `[len(frames), 3]` of every joint, by name, in file units."""
    root = bvhio.readAsHierarchy(str(path))
    found: dict[str, list[list[float]]] = {}
    for frame in frames:
        root.loadPose(frame)
        for joint, _, _ in root.layout():
            found.setdefault(joint.Name, []).append(list(joint.PositionWorld))
    return {name: np.array(rows) for name, rows in found.items()}


def assert_stands_where_bvhio_puts_it(path: Path, unit: float | None = None) -> None:
    asset = BvhImporter().read(path, unit=unit)
    motion, unit_m = asset.motions[0], asset.metadata["unit_m"]
    frames = sorted({0, 1, motion.frame_count // 2, motion.frame_count - 1} & set(range(motion.frame_count)))
    positions, _ = motion.global_transforms()
    oracle = bvhio_positions(path, frames)
    assert sorted(oracle) == sorted(asset.skeleton.names)
    for joint, name in enumerate(asset.skeleton.names):
        np.testing.assert_allclose(
            positions[frames, joint], oracle[name] * unit_m, atol=1e-4, err_msg=f"{path.name}: {name}"
        )


@pytest.mark.realdata
@pytest.mark.parametrize("clip", clips(step=40))
def test_every_joint_stands_where_bvhio_puts_it(clip: str) -> None:
    assert_stands_where_bvhio_puts_it(data() / clip)


@pytest.mark.realdata
@pytest.mark.slow
def test_every_joint_of_every_clip_stands_where_bvhio_puts_it() -> None:
    paths = [data() / clip for clip in clips()]
    assert len(paths) >= 179
    for path in paths:
        assert_stands_where_bvhio_puts_it(path)


@pytest.mark.realdata
def test_all_clips_import() -> None:
    paths = sorted(data().glob("*/*.bvh"))
    assert len(paths) >= 179
    for path in paths:
        asset = BvhImporter().read(path)
        assert asset.motions[0].frame_count >= 2
        assert all("unit" in warning for warning in asset.warnings)
        if path.parent.name == "bandai-namco-1":
            assert (asset.metadata["unit_m"], asset.motions[0].framerate) == (0.01, 30)


def scipy_positions(asset: Asset, values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Forward kinematics in float64 with SciPy, straight from the channels' meaning."""
    channels = list(asset.metadata["channels"].values())
    positions = np.zeros((len(values), len(channels), 3))
    turns: list[Rotation] = []
    column = 0
    for joint, names in enumerate(channels):
        local = np.tile(offsets[joint], (len(values), 1))
        turn = Rotation.identity(len(values))
        for name in names:
            axis, number = "XYZ".index(name[0]), values[:, column]
            if name.endswith("position"):
                local[:, axis] = number
            else:
                turn = turn * Rotation.from_rotvec(np.deg2rad(number)[:, None] * np.eye(3)[axis])
            column += 1
        parent = asset.skeleton.parents[joint]
        if parent >= 0:
            local, turn = positions[:, parent] + turns[parent].apply(local), turns[parent] * turn
        positions[:, joint] = local
        turns.append(turn)
    return positions


@pytest.mark.parametrize("seed", range(20))
def test_mixed_orders_and_channels_against_scipy(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    kinds = [f"{axis}{kind}" for kind in ("rotation", "position") for axis in "XYZ"]
    joints = 8
    channels = [list(rng.permutation(kinds)[: rng.integers(0, 7)]) for _ in range(joints)]
    channels[0] = list(rng.permutation(kinds))
    offsets = rng.integers(-50, 50, size=(joints, 3)).astype(float)
    lines = ["HIERARCHY"]
    for joint in range(joints):
        lines += [f"{'JOINT' if joint else 'ROOT'} j{joint}", "{", "OFFSET {} {} {}".format(*offsets[joint])]
        lines += [f"CHANNELS {len(channels[joint])} {' '.join(channels[joint])}"]
        if joint % 3 == 2:
            lines += ["End Site", "{", "OFFSET 0 1 0", "}", "}"]  # the next joint is its sibling
    lines += ["}"] * (joints - sum(joint % 3 == 2 for joint in range(joints)))
    values = rng.uniform(-400, 400, size=(5, sum(map(len, channels)))).round(3)
    lines += ["MOTION", "Frames: 5", "Frame Time: 0.02", *(" ".join(map(str, row)) for row in values)]
    path = tmp_path / "mixed.bvh"
    path.write_text("\n".join(lines))
    asset = BvhImporter().read(path, unit=0.01)
    positions, _ = asset.motions[0].global_transforms()
    np.testing.assert_allclose(positions, 0.01 * scipy_positions(asset, values, offsets), atol=2e-5)


@pytest.mark.parametrize("seed", range(20))
def test_mixed_orders_against_bvhio(tmp_path: Path, seed: int) -> None:
    """Root and joints alike: three rotations in an order of their own, positions before or between."""
    rng = np.random.default_rng(seed)
    lines = ["HIERARCHY"]
    for joint in range(6):
        kinds = [f"{axis}rotation" for axis in "XYZ"]
        if joint == 0 or rng.random() < 0.5:
            kinds += [f"{axis}position" for axis in rng.permutation(list("XYZ"))[: rng.integers(1, 4)]]
        channels = list(rng.permutation(kinds))
        x, y, z = rng.integers(-50, 50, size=3)
        lines += [f"{'JOINT' if joint else 'ROOT'} j{joint}", "{", f"OFFSET {x} {y} {z}"]
        lines += [f"CHANNELS {len(channels)} {' '.join(channels)}"]
    lines += ["End Site", "{", "OFFSET 0 1 0", "}", *["}"] * 6]
    columns = sum(int(line.split()[1]) for line in lines if line.startswith("CHANNELS"))
    rows = rng.uniform(-180, 180, size=(4, columns)).round(3)
    lines += ["MOTION", "Frames: 4", "Frame Time: 0.02", *(" ".join(map(str, row)) for row in rows)]
    path = tmp_path / "mixed.bvh"
    path.write_text("\n".join(lines) + "\n")
    assert_stands_where_bvhio_puts_it(path, unit=0.01)
