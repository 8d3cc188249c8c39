"""Questions about a skeleton's tree."""

from __future__ import annotations

from collections.abc import Container, Sequence

import numpy as np

from kinetoscope_spec._arrays import Array
from kinetoscope_spec.motion import Skeleton

__all__ = ["Tree"]


class Tree:
    """Who hangs on whom."""

    def __init__(self, skeleton: Skeleton) -> None:
        self.parents: list[int] = [int(parent) for parent in skeleton.parents]
        self.children: list[list[int]] = [[] for _ in self.parents]
        self.depth: list[int] = []
        for joint, parent in enumerate(self.parents):
            self.depth.append(0 if parent < 0 else self.depth[parent] + 1)
            if parent >= 0:
                self.children[parent].append(joint)

    def line(self, joint: int) -> list[int]:
        """Return `joint` and all joints above it, up to its root."""
        found = []
        while joint >= 0:
            found.append(joint)
            joint = self.parents[joint]
        return found

    def hangs_on(self, joint: int, above: int) -> bool:
        """Tell whether `above` is over `joint`; a joint does not hang on itself."""
        # Parents come before children: nothing above `above` can be it.
        while joint > above:
            joint = self.parents[joint]
            if joint == above:
                return True
        return False

    def nearest(self, joint: int, among: Container[int]) -> int | None:
        """Return the nearest joint above `joint` that is one of `among`, or None."""
        joint = self.parents[joint]
        while joint >= 0 and joint not in among:
            joint = self.parents[joint]
        return joint if joint >= 0 else None

    def meeting(self, joints: Sequence[int]) -> int | None:
        """Return the lowest joint that carries all of `joints`, or is one of them."""
        common = set(self.line(joints[0]))
        for joint in joints[1:]:
            common &= set(self.line(joint))
        return max(common, key=lambda joint: self.depth[joint], default=None)

    def between(self, above: int, below: int) -> list[int]:
        """Return the joints from under `above` to over `below`, top down."""
        line = self.line(below)
        return line[1 : line.index(above)][::-1] if above in line else []

    def below(self, joint: int) -> list[int]:
        """Return all joints that hang on `joint`, in their order."""
        inside = {joint}
        for other in range(joint + 1, len(self.parents)):
            if self.parents[other] in inside:
                inside.add(other)
        return sorted(inside - {joint})

    def reach(self, offsets: Array) -> Array:
        """Return `[J]`, how far the farthest chain below each joint goes, along bones `[J, 3]` m."""
        lengths = np.linalg.norm(offsets, axis=-1)
        reach: Array = np.zeros(len(self.parents))
        for joint in range(len(self.parents) - 1, 0, -1):
            parent = self.parents[joint]
            if parent >= 0:
                reach[parent] = max(reach[parent], reach[joint] + lengths[joint])
        return reach
