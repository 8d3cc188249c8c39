"""How large the figure is: against the motion that the importer reads from the same numbers."""

from __future__ import annotations

from pathlib import Path

import attrs
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from kinetoscope_bvh._figure import figure, figure_compiled
from kinetoscope_bvh._hierarchy import read_header
from kinetoscope_bvh.importer import BvhImporter

KINDS = [f"{axis}{kind}" for kind in ("position", "rotation", "scale") for axis in "XYZ"]


def bush(rng: np.random.Generator, joints: int) -> tuple[str, list[float]]:
    """Return a file of a random tree that branches at its root, and its one row of numbers."""
    parents = [-1, 0, 0, *(int(rng.integers(0, j)) for j in range(3, joints))]
    row: list[float] = []

    def told(joint: int) -> str:
        channels = [str(name) for name in rng.permutation(KINDS)[: rng.integers(0, 7)]]
        row.extend(rng.uniform(-200, 200, size=len(channels)).round(2))
        x, y, z = rng.integers(-50, 50, size=3)
        below = "".join(told(child) for child in range(joints) if parents[child] == joint)
        return (
            f"{'JOINT' if joint else 'ROOT'} j{joint}\n{{\nOFFSET {x} {y} {z}\n"
            f"CHANNELS {len(channels)} {' '.join(channels)}\n{below}}}\n"
        )

    hierarchy = told(0)
    numbers = " ".join(map(str, row))
    frames = 1 if row else 0
    return f"HIERARCHY\n{hierarchy}MOTION\nFrames: {frames}\nFrame Time: 1\n{numbers}\n", row


@pytest.mark.parametrize("seed", range(30))
def test_the_figure_is_as_large_as_its_larger_pose(tmp_path: Path, seed: int) -> None:
    content, row = bush(np.random.default_rng(seed), 3 + seed % 9)
    path = tmp_path / "bush.bvh"
    path.write_text(content)
    asset = BvhImporter().read(path, unit=1.0)
    poses = [asset.skeleton.rest_matrices()[:, :3, 3]]
    unscaled = [attrs.evolve(motion, scales=None) for motion in asset.motions]  # scale is no matter here
    poses += [motion.global_transforms()[0][0] for motion in unscaled]
    found = figure(read_header(path.read_bytes(), path).hierarchy.nodes, row or None)
    assert found == pytest.approx(max(np.ptp(pose, axis=0).max() for pose in poses), rel=1e-4)
    if row:
        compiled = figure_compiled(read_header(path.read_bytes(), path).hierarchy, np.array(row))
        assert compiled == pytest.approx(found, rel=1e-12)


def test_a_pole_above_the_figure_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "pole.bvh"
    path.write_text(
        "HIERARCHY\nROOT world\n{\nOFFSET 0 0 0\nCHANNELS 3 Zrotation Xrotation Yrotation\nJOINT hips\n{\n"
        "OFFSET 900 0 0\nCHANNELS 3 Zrotation Xrotation Yrotation\nJOINT a\n{\nOFFSET 3 0 0\n}\nJOINT b\n{\n"
        "OFFSET 0 4 0\n}\n}\n}\nMOTION\nFrames: 1\nFrame Time: 1\n10 20 30 40 50 60\n"
    )
    nodes = read_header(path.read_bytes(), path).hierarchy.nodes
    assert figure(nodes, None) == 4
    turn = Rotation.from_euler("ZXY", [[10, 20, 30], [40, 50, 60]], degrees=True)
    corners = (turn[0] * turn[1]).apply([[0, 0, 0], [3, 0, 0], [0, 4, 0]])
    row = [10.0, 20.0, 30.0, 40.0, 50.0, 60.0]
    assert figure(nodes, row) == pytest.approx(max(4.0, np.ptp(corners, axis=0).max()))
    hierarchy = read_header(path.read_bytes(), path).hierarchy
    assert figure_compiled(hierarchy, np.array(row)) == pytest.approx(figure(nodes, row), rel=1e-12)
