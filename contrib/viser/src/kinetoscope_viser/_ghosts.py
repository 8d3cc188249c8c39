"""Where characters were and will be, on the page: `kinetoscope_spec.ghosts` says which, where and how pale."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import viser
from numpy.typing import NDArray

from kinetoscope_spec import Character
from kinetoscope_spec.ghosts import Ghost
from kinetoscope_viser._bake import Baked
from kinetoscope_viser._colors import to_srgb
from kinetoscope_viser._figure import skinned
from kinetoscope_viser._wire import send_pose

__all__ = ["Haunt"]

Array = NDArray[Any]


class Haunt:
    """The ghosts below one node of the page. Each is a mesh of one colour, kept for the next of its body.

    Args:
        server: whose scene.
        root: the node, such as `/stage/track0`.
        baked: what the page has of a character.
    """

    def __init__(self, server: viser.ViserServer, root: str, baked: Callable[[Character], Baked]) -> None:
        self._scene, self._root, self._baked = server.scene, root, baked
        self._held: list[tuple[Baked, viser.MeshSkinnedHandle]] = []
        self._made = 0

    def draw(self, ghosts: Iterable[Ghost]) -> None:
        """Show these ghosts, and no others."""
        free, shown = list(self._held), []
        for ghost in ghosts:
            baked = self._baked(ghost.character)
            part = baked.whole
            if part is None:
                continue
            held = next((pair for pair in free if pair[0] is baked), None)
            if held is None:
                self._made += 1
                name = f"{self._root}/ghost{self._made}"
                held = (baked, skinned(self._scene, name, part, cast_shadow=False))
            else:
                free.remove(held)
            mesh = held[1]
            red, green, blue = (
                part.paint.color if ghost.color is None else (255 * to_srgb(np.array(ghost.color))).round()
            )
            mesh.color, mesh.opacity, mesh.visible = (int(red), int(green), int(blue)), ghost.opacity, True
            positions, rotations = baked.bones(ghost.pose)
            send_pose(mesh, positions[part.bones], rotations[part.bones])
            shown.append(held)
        for _, mesh in free:
            mesh.visible = False
        self._held = shown + free

    def clear(self) -> None:
        """Take all of them off the page."""
        for _, mesh in self._held:
            mesh.remove()
        self._held = []

    def forget(self, baked: Baked) -> None:
        """Take a body's ghosts off the page."""
        for held in [pair for pair in self._held if pair[0] is baked]:
            held[1].remove()
            self._held.remove(held)
