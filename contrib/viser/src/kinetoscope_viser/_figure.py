"""One character on the page: its meshes, its bones, and what is drawn over it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import viser
from numpy.typing import NDArray

from kinetoscope_spec import Character
from kinetoscope_spec.display import drawn_bones
from kinetoscope_viser._bake import Baked
from kinetoscope_viser._wire import send_pose

__all__ = ["COLORS", "Figure"]

Array = NDArray[Any]

COLORS: Final = ((224, 90, 40), (52, 130, 205), (76, 160, 80), (196, 150, 40), (150, 100, 190))
"""Of skeletons and paths, one character after the other."""

_GHOST: Final = 0.28
"""Opacity of a body through which its skeleton is seen."""


class Figure:
    """A character under the node `/stage/ID`.

    Args:
        server: whose scene.
        name: of the node; unique.
        character: who.
        baked: the same, as the page has it.
        number: by which its colour is chosen.
        place: `[3]` m, added to where its poses are.
    """

    def __init__(
        self,
        server: viser.ViserServer,
        name: str,
        character: Character,
        baked: Baked,
        *,
        number: int = 0,
        place: Array | None = None,
    ) -> None:
        self.character, self.baked, self.color = character, baked, COLORS[number % len(COLORS)]
        self._scene = server.scene
        self._place = np.zeros(3) if place is None else np.asarray(place, np.float64)
        self.node = self._scene.add_frame(f"/stage/{name}", show_axes=False, position=self._place)
        self._meshes = [self._skinned(f"/stage/{name}/part{i}", i) for i in range(len(baked.parts))]
        self._parents = np.asarray(character.skeleton.parents)
        self._ends = drawn_bones(character.skeleton)
        self._lines: Any = None
        self._pose: Array | None = None
        self._label: Any = None
        self.visible = True
        self.name = name

    def _skinned(self, name: str, number: int) -> viser.MeshSkinnedHandle:
        part = self.baked.parts[number]
        bones = len(part.bones)
        weights = np.zeros((len(part.vertices), bones), np.float32)
        np.add.at(weights, (np.arange(len(weights))[:, None], part.joints), part.weights)
        # The bones rest where nothing is moved: their matrices then carry the mesh from there.
        return self._scene.add_mesh_skinned(
            name,
            part.vertices,
            part.faces,
            bone_wxyzs=np.tile([1.0, 0.0, 0.0, 0.0], (bones, 1)),
            bone_positions=np.zeros((bones, 3)),
            skin_weights=weights,
            color=part.paint.color,
            opacity=part.paint.opacity,
            side="double" if part.paint.double_sided else "front",
        )

    def pose(self, matrices: Array) -> None:
        """Show a pose of global matrices `[J, 4, 4]`, m."""
        self._pose = np.asarray(matrices)
        positions, rotations = self.baked.bones(self._pose)
        for mesh, part in zip(self._meshes, self.baked.parts, strict=True):
            send_pose(mesh, positions[part.bones], rotations[part.bones])
        if self._lines is not None:
            self._lines.points = self._segments()

    @property
    def place(self) -> Array:
        """`[3]` m, added to where its poses are."""
        return self._place

    @place.setter
    def place(self, place: Array) -> None:
        self._place = np.asarray(place, np.float64)
        self.node.position = tuple(self._place)

    def show(self, *, visible: bool, body: bool, skeleton: bool) -> None:
        """Say what of it is seen. A body goes pale where its skeleton is to be seen inside."""
        self.visible = visible
        self.node.visible = visible
        for mesh, part in zip(self._meshes, self.baked.parts, strict=True):
            mesh.visible = body
            mesh.opacity = _GHOST if skeleton else part.paint.opacity
            mesh.cast_shadow = True
        if skeleton and self._lines is None and len(self._ends):
            self._lines = self._scene.add_line_segments(
                f"/stage/{self.name}/skeleton",
                self._segments(),
                self.color,
                thickness=3.0,
                thickness_units="screen",
            )
        elif not skeleton and self._lines is not None:
            self._lines.remove()
            self._lines = None

    def label(self, text: str) -> None:
        """Write its name under its feet."""
        self._label = self._scene.add_label(
            f"/stage/{self.name}/label", text, font_screen_scale=0.9, anchor="top-center"
        )

    def label_at(self, point: Array) -> None:
        """Move the label to `point [3]` m, in the space of its poses."""
        if self._label is not None:
            self._label.position = tuple(np.asarray(point, np.float64))

    @property
    def matrices(self) -> Array:
        """The pose that is shown, global matrices `[J, 4, 4]`: as it rests, before there is one."""
        return self.character.skeleton.rest_matrices() if self._pose is None else self._pose

    def middle(self) -> Array:
        """Return the middle of its joints, `[3]` m."""
        middle: Array = self.matrices[:, :3, 3].mean(axis=0) + self._place
        return middle

    def _segments(self) -> Array:
        joints = self.matrices[:, :3, 3]
        return np.stack([joints[self._parents[self._ends]], joints[self._ends]], axis=1).astype(np.float32)
