"""What is drawn beside a character: its way, where its feet stand, how fast its ends are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import viser
from numpy.typing import NDArray

from kinetoscope_spec import Ground, Scene
from kinetoscope_spec.annotations import KINDS, ribbons
from kinetoscope_viser._colors import to_srgb
from kinetoscope_viser._figure import Figure
from kinetoscope_viser._track import Track

__all__ = ["Annotations", "Overlays"]

Array = NDArray[Any]

_MOST_POINTS: Final = 1500
"""Of a way: more are not seen."""
_LIFT_M: Final = 0.006
_SHOWN_S: Final = 0.2
"""An arrow is as long as its point goes in this time."""
_SLOWEST_M_S: Final = 0.05
"""What is slower has no arrow."""
_FLAT: Final = (0.5**0.5, 0.5**0.5, 0.0, 0.0)
"""viser's cylinders stand along Z."""
_CONTACT: Final = (60, 190, 90)
_ARROW: Final = (40, 120, 220)


class Overlays:
    """What is drawn over one track: `trajectory`, `contacts` and `velocities`, each made when it is wanted."""

    def __init__(self, server: viser.ViserServer, figure: Figure, track: Track) -> None:
        self._scene, self._figure, self._track = server.scene, figure, track
        self._way: Any = None
        self._feet: list[Any] = []
        self._arrows: Any = None
        self._root = f"/stage/{figure.name}"

    def show(self, *, trajectory: bool, contacts: bool, velocities: bool) -> None:
        """Say what is seen; `at` moves it."""
        track = self._track
        if trajectory and self._way is None and track.motion.frame_count > 1:
            self._way = self._drawn_way()
        if contacts and not self._feet and track.feet:
            self._feet = [
                self._scene.add_cylinder(
                    f"{self._root}/contact{i}",
                    radius=0.075,
                    height=0.006,
                    color=_CONTACT,
                    cast_shadow=False,
                    wxyz=_FLAT,
                )
                for i in range(len(track.feet))
            ]
        if velocities and self._arrows is None and track.motion.frame_count > 1:
            self._arrows = self._scene.add_arrows(
                f"{self._root}/velocities",
                np.zeros((0, 2, 3), np.float32),
                _ARROW,
                shaft_radius=0.008,
                head_radius=0.022,
                head_length=0.05,
            )
        if self._way is not None:
            self._way.visible = trajectory
        if not contacts:
            for foot in self._feet:
                foot.remove()
            self._feet = []
        if not velocities and self._arrows is not None:
            self._arrows.remove()
            self._arrows = None

    def forget(self) -> None:
        """Take away what was drawn of the motion before."""
        self.show(trajectory=False, contacts=False, velocities=False)
        if self._way is not None:
            self._way.remove()
            self._way = None

    def _drawn_way(self) -> Any:
        way = self._track.way
        way = way[:: max(1, len(way) // _MOST_POINTS)] + np.array([0, _LIFT_M, 0], np.float32)
        return self._scene.add_line_segments(
            f"{self._root}/way", np.stack([way[:-1], way[1:]], axis=1), self._figure.color, thickness=0.018
        )

    def at(self, frame: int) -> None:
        """Show what is so in a frame."""
        track = self._track
        for foot, joint, stands in zip(self._feet, track.feet, track.contacts[frame], strict=False):
            x, _, z = track.joints[frame, joint].tolist()
            foot.visible = bool(stands)
            if stands:
                foot.position = (x, _LIFT_M, z)
        if self._arrows is not None:
            start, speed = track.joints[frame, track.moving], track.velocities[frame]
            fast = np.linalg.norm(speed, axis=1) > _SLOWEST_M_S
            points = np.stack([start, start + _SHOWN_S * speed], axis=1)[fast]
            self._arrows.points = points.astype(np.float32)


class Annotations:
    """What `Scene.annotations` holds, drawn by the formula of `kinetoscope_spec.annotations`."""

    def __init__(self, server: viser.ViserServer) -> None:
        self._scene = server.scene
        self._drawn: dict[str, Any] = {}

    def draw(self, held: Mapping[str, Any], ground: Ground | None, camera: Array) -> None:
        """Replace what was drawn; bands face the `camera [3]` m."""
        fresh: dict[str, Any] = {}
        scene = Scene(annotations={k: v for k, v in held.items() if k in KINDS}, ground=ground)
        for number, ribbon in enumerate(ribbons(scene, camera, 0.0015)):
            corners = (ribbon.triangles + camera).reshape(-1, 3).astype(np.float32)
            red, green, blue = (round(255 * float(c)) for c in to_srgb(np.array(ribbon.color)[:3]))
            name = f"/stage/annotation{number}"
            fresh[name] = self._scene.add_mesh_simple(
                name,
                corners,
                np.arange(len(corners), dtype=np.uint32).reshape(-1, 3),
                color=(red, green, blue),
                material="toon3",
                side="double",
                cast_shadow=False,
                receive_shadow=False,
            )
        for name in self._drawn.keys() - fresh.keys():
            self._drawn[name].remove()
        self._drawn = fresh
