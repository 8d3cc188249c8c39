"""Forward kinematics with SciPy straight from the format's description: ends of bones, in the figure's axes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from kinetoscope_asf.importer import AsfImporter

ORDERS = ("XYZ", "ZYX", "YZX", "XZY", "ZXY", "YXZ")


class Figure:
    """A random figure and clip: as text, and as where its bones end."""

    def __init__(self, seed: int, *, degrees: bool = True) -> None:
        rng = self.rng = np.random.default_rng(seed)
        self.degrees = degrees
        self.names = ["root", *(f"bone{i}" for i in range(8))]
        self.above = [-1, *(int(rng.integers(0, i)) for i in range(1, 9))]
        self.direction = rng.normal(size=(9, 3))
        self.direction /= np.linalg.norm(self.direction, axis=1, keepdims=True)
        self.length = rng.uniform(1, 10, size=9)
        self.length[0] = 0
        self.axis = self.angles(9, 3)
        self.order = [ORDERS[rng.integers(6)] for _ in range(9)]
        self.position = rng.normal(size=3)
        channels = ["rx", "ry", "rz"]
        self.dof = [list(rng.permutation(channels)[: rng.integers(0, 4)]) for _ in range(9)]
        self.dof[0] = list(rng.permutation([*channels, "tx", "ty", "tz"]))
        self.dof[8] = ["tx", "rz", "ty", "tz"]
        self.values = [self.angles(4, len(dof)) for dof in self.dof]

    def angles(self, *shape: int) -> np.ndarray:
        return (self.rng.uniform(-180, 180, size=shape) * (1 if self.degrees else np.pi / 180)).round(6)

    def asf(self) -> str:
        row = lambda numbers: " ".join(map(str, numbers))  # noqa: E731
        out = [":version 1.10", ":units", f"angle {'deg' if self.degrees else 'rad'}", ":root"]
        out += ["order " + " ".join(self.dof[0]).upper(), f"axis {self.order[0]}"]
        out += [f"position {row(self.position)}", f"orientation {row(self.axis[0])}", ":bonedata"]
        for i in self.rng.permutation(range(1, 9)):
            out += ["begin", f"id {i}", f"name {self.names[i]}", f"direction {row(self.direction[i])}"]
            out += [f"length {self.length[i]}", f"axis {row(self.axis[i])} {self.order[i]}"]
            out += [f"dof {' '.join(self.dof[i])}"] if self.dof[i] else []
            out += ["limits (-10 10)", "(1 2)", "end"]
        out += [":hierarchy", "begin"]
        for i in range(9):
            children = [self.names[c] for c in range(9) if self.above[c] == i]
            out += [f"{self.names[i]} {' '.join(children)}"] if children else []
        return "\n".join([*out, "end", ":skin", "mesh.obj"])

    def amc(self) -> str:
        out = [":FULLY-SPECIFIED", ":DEGREES" if self.degrees else ":RADIANS"]
        for frame in range(4):
            out.append(str(frame + 1))
            moving = [i for i in self.rng.permutation(9) if self.dof[i]]
            out += [f"{self.names[i]} {' '.join(map(str, self.values[i][frame]))}" for i in moving]
        return "\n".join(out)

    def ends(self, frame: int) -> tuple[np.ndarray, np.ndarray]:
        """Return where bones begin and where they end, `[9, 3]` each, in file units."""
        begins, ends, turns = np.zeros((9, 3)), np.zeros((9, 3)), []
        for i in range(9):
            held = dict(zip(self.dof[i], self.values[i][frame], strict=True))
            order = self.order[i].lower()  # SciPy's lower case: about axes that stand still, first first
            axis = [self.axis[i]["xyz".index(a)] for a in order]
            own = Rotation.from_euler(order, axis, degrees=self.degrees)
            turn = Rotation.from_euler(order, [held.get(f"r{a}", 0.0) for a in order], degrees=self.degrees)
            local = own * turn * own.inv()
            shift = np.array([held.get(f"t{a}", 0.0) for a in "xyz"])
            if i == 0:
                begins[0], glob = self.position + shift, local
            else:
                above = turns[self.above[i]]
                begins[i] = ends[self.above[i]] + above.apply(own.apply(shift))
                glob = above * local
            turns.append(glob)
            ends[i] = begins[i] + glob.apply(self.direction[i] * self.length[i])
        return begins, ends


@pytest.mark.parametrize("seed", range(12))
def test_every_bone_ends_where_the_format_says(tmp_path: Path, seed: int) -> None:
    figure = Figure(seed, degrees=seed % 3 != 0)
    (tmp_path / "a.asf").write_text(figure.asf())
    (tmp_path / "a.amc").write_text(figure.amc())
    asset = AsfImporter().read(tmp_path / "a.amc", unit=0.01, framerate=60, end_sites=True)
    (motion,) = asset.motions
    assert (motion.framerate, motion.frame_count) == (60, 4)
    positions, _ = motion.global_transforms()
    for frame in range(4):
        begins, ends = figure.ends(frame)
        for i, name in enumerate(figure.names):
            at = positions[frame, asset.skeleton.index(name)]
            np.testing.assert_allclose(at, begins[i] * 0.01, atol=2e-5 * (1 + np.abs(begins).max() * 0.01))
            tip = f"{name}_end"
            if tip in asset.skeleton.names:
                at = positions[frame, asset.skeleton.index(tip)]
                np.testing.assert_allclose(at, ends[i] * 0.01, atol=2e-5 * (1 + np.abs(ends).max() * 0.01))
