"""One character on the page: its meshes, its bones, and what is drawn over it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import viser
from numpy.typing import NDArray

from kinetoscope_spec import Character
from kinetoscope_spec.display import drawn_bones
from kinetoscope_viser._bake import Baked, Part
from kinetoscope_viser._wire import send_pose

__all__ = ["COLORS", "Figure", "skinned"]

Array = NDArray[Any]

COLORS: Final = ((224, 90, 40), (52, 130, 205), (76, 160, 80), (196, 150, 40), (150, 100, 190))
"""Of skeletons and paths, one character after the other."""

_GHOST: Final = 0.28
"""Opacity of a body through which its skeleton is seen."""
_UNSEEN: Final = 1e-9
"""Scale of a figure that has not been given its bones yet."""
_STILL: Final = (0.0, 0.0, 0.0, 1.0)


def skinned(scene: viser.SceneApi, name: str, part: Part, **look: Any) -> viser.MeshSkinnedHandle:
    """Put a part on the page; `look` is what viser takes: `color`, `opacity`, `side`, `cast_shadow`."""
    bones = len(part.bones)
    weights = np.zeros((len(part.vertices), bones), np.float32)
    np.add.at(weights, (np.arange(len(weights))[:, None], part.joints), part.weights)
    return _mesh(scene, name, part.vertices, part.faces, weights, look)


def _mesh(
    scene: viser.SceneApi, name: str, vertices: Array, faces: Array, weights: Array, look: dict[str, Any]
) -> viser.MeshSkinnedHandle:
    bones = weights.shape[1]
    # The bones rest where nothing is moved: their matrices then carry the mesh from there.
    return scene.add_mesh_skinned(
        name,
        vertices,
        faces,
        bone_wxyzs=np.tile([1.0, 0.0, 0.0, 0.0], (bones, 1)),
        bone_positions=np.zeros((bones, 3)),
        skin_weights=weights,
        **look,
    )


class _Plain:
    """A body of viser's own skinned meshes, of one colour each."""

    def __init__(self, scene: viser.SceneApi, root: str, baked: Baked) -> None:
        self._parts = baked.parts
        self._meshes = [
            skinned(
                scene,
                f"{root}/part{i}",
                part,
                color=part.paint.color,
                opacity=part.paint.opacity,
                side="double" if part.paint.double_sided else "front",
            )
            for i, part in enumerate(baked.parts)
        ]

    def pose(self, positions: Array, rotations: Array, factors: Array) -> None:
        for mesh, part in zip(self._meshes, self._parts, strict=True):
            send_pose(mesh, positions[part.bones], rotations[part.bones])

    def show(self, *, visible: bool, pale: bool) -> None:
        for mesh, part in zip(self._meshes, self._parts, strict=True):
            mesh.visible = visible
            mesh.opacity = _GHOST if pale else part.paint.opacity


class _Dressed:
    """A body as glTF, and a rig: a mesh that shows nothing, whose bones it takes in the page (`page.js`)."""

    def __init__(self, scene: viser.SceneApi, root: str, baked: Baked) -> None:
        bones, more = len(baked.nodes), -(-baked.shapes // 3)
        weights = np.zeros((3, bones + more), np.float32)
        weights[:, 0] = 1.0
        self._room = 3 * more
        self._rig = _mesh(
            scene, f"{root}/rig", np.zeros((3, 3)), np.arange(3)[None], weights, {"cast_shadow": False}
        )
        self._cloth = scene.add_glb(f"{root}/skin", baked.glb, scale=_UNSEEN)

    def pose(self, positions: Array, rotations: Array, factors: Array) -> None:
        # Bones that move nothing carry the factors of the shapes, three each.
        held = np.zeros(self._room)
        held[: len(factors)] = factors
        still = np.tile(_STILL, (self._room // 3, 1))
        send_pose(
            self._rig,
            np.concatenate([positions, held.reshape(-1, 3)]),
            np.concatenate([rotations, still]),
        )

    def show(self, *, visible: bool, pale: bool) -> None:
        self._cloth.visible = visible
        self._rig.opacity = _GHOST if pale else None


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
        body = _Plain if baked.plain or not len(baked.nodes) else _Dressed
        self._body = body(self._scene, f"/stage/{name}", baked)
        self._parents = np.asarray(character.skeleton.parents)
        self._ends = drawn_bones(character.skeleton)
        self._lines: Any = None
        self._pose: Array | None = None
        self._label: Any = None
        self.visible = True
        self.name = name

    def pose(self, matrices: Array, factors: Array | None = None) -> None:
        """Show a pose of global matrices `[J, 4, 4]`, m, in a shape of `Baked.factors [S]`; None as it rests."""
        self._pose = np.asarray(matrices)
        positions, rotations = self.baked.bones(self._pose)
        held = np.zeros(self.baked.shapes) if factors is None else factors
        self._body.pose(positions, rotations, held)
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
        self._body.show(visible=body, pale=skeleton)
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

    def remove(self) -> None:
        """Take it off the page, with all that hangs on it."""
        self.node.remove()

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
