"""How the renderer's laws draw: the scenes they choose from, the sessions they share."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any

import attrs
import numpy as np
from hypothesis import strategies as st

from kinetoscope_spec._arrays import Array
from kinetoscope_spec.character import BLENDINGS
from kinetoscope_spec.contracts import _staging as staging
from kinetoscope_spec.contracts import strategies
from kinetoscope_spec.contracts._contract import Contract
from kinetoscope_spec.contracts._law import require
from kinetoscope_spec.contracts._raycast import Cast, cast, half_turned, triangles
from kinetoscope_spec.protocols import Session
from kinetoscope_spec.scene import Actor, Camera, Frame, Scene

__all__ = ["Stage"]


class Stage(Contract):
    """A contract that draws; what its attributes mean stands with `RendererContract`."""

    size: tuple[int, int] = (48, 32)
    quality: str = "draft"
    open_options: Mapping[str, Any] = {}
    levels: int = 2
    edge_px: float = 0.25
    moved_share: float = 0.02
    influences: int = 8
    blendings: Sequence[str] = BLENDINGS

    @cached_property
    def _sessions(self) -> dict[Any, Session]:
        """The sessions that are open, the contract's as long as it lives."""
        held: dict[Any, Session] = {}
        weakref.finalize(self, _close_all, held).atexit = False  # at exit drivers may be gone before us
        return held

    # -- what laws draw

    def _scenes(self) -> st.SearchStrategy[Scene]:
        return strategies.scenes()

    def _empty_scenes(self) -> st.SearchStrategy[Scene]:
        return strategies.scenes(count=st.just(0), ground=False)

    def _movable_scenes(self) -> st.SearchStrategy[Scene]:
        """Nothing that the world holds fast: no static meshes, no lines on the floor, no shadow maps."""
        people = strategies.characters(strategies.skeletons(joints=_FEW), carried=("rigid", "skinned"))
        scenes = strategies.scenes(
            strategies.actors(people), count=st.integers(1, 3), light=strategies.lights(shadow=False)
        )
        return scenes.map(_without_lines)

    def _solid_scenes(self) -> st.SearchStrategy[Scene]:
        return strategies.scenes(self._solids(), light=strategies.lights(), ground=False)

    def _crowds(self) -> st.SearchStrategy[Scene]:
        return strategies.scenes(self._solids(), count=st.integers(2, 3), ground=False)

    def _closed_scenes(self) -> st.SearchStrategy[Scene]:
        return strategies.scenes(self._solids(double_sided=None), count=st.integers(1, 2), ground=False)

    def _skinned_scenes(self) -> st.SearchStrategy[Scene]:
        scenes = strategies.scenes(self._solids("skinned"), count=st.just(1), ground=False)
        blended = st.builds(_blended, scenes, self._any_blending())
        return blended.filter(_sure_which_way_round)

    def _any_blending(self) -> st.SearchStrategy[str]:
        return st.sampled_from(tuple(self.blendings))

    def _solids(self, *carried: str, double_sided: bool | None = True) -> st.SearchStrategy[Actor]:
        """Opaque actors, rigid where nothing else is said."""
        skinned = "skinned" in carried
        character = strategies.characters(
            strategies.skeletons(joints=_FEW),
            carried=carried or ("rigid", "static"),
            material=strategies.materials(alpha_modes=("opaque",), double_sided=double_sided),
            meshes_at_least=1,
            scales=(1.0, 2.0, 0.3) if skinned else (1.0, 2.0, 0.3, 1.0, 2.0, 300.0, 1e-4),
            morphs=False,  # an actor has no weights for them
            empty=False,
            influences=self.influences,
        )
        return strategies.actors(character)

    # -- how they draw and compare

    def _open(
        self, size: tuple[int, int] | None = None, quality: str | None = None, **options: Any
    ) -> Session:
        options = {"buffers": ("depth", "id"), **self.open_options, **options}
        session: Session = self.subject.open(size or self.size, quality or self.quality, **options)
        return session

    def _come_and_go(self, count: int) -> None:
        camera = Camera((0.0, 0.0, 4.0), (0.0, 0.0, 0.0))
        for _ in range(count):
            with self._open((8, 8)) as session:
                session.render(Scene(), camera)

    def _render(self, scene: Scene, camera: Camera) -> Frame:
        """Draw in the session that laws share: opening one takes long."""
        if self.size not in self._sessions:
            self._sessions[self.size] = self._open()
        return self._sessions[self.size].render(scene, camera)

    def _buffer(self, frame: Frame, name: str) -> Array:
        require(name in frame.buffers, f"buffers hold {sorted(frame.buffers)}, expected {name!r} too")
        return np.asarray(frame.buffers[name])

    def _cast(self, scene: Scene, camera: Camera) -> Cast:
        return cast(camera, self.size, triangles(scene.actors), edge_px=self.edge_px)

    def _compare(self, first: Frame, second: Frame, what: str, *, levels: int = 0) -> None:
        pairs = {"color": (first.color, second.color)}
        pairs |= {name: (held, self._buffer(second, name)) for name, held in first.buffers.items()}
        for name, (a, b) in pairs.items():
            same = np.abs(a.astype(int) - b) <= levels if name == "color" else a == b
            wrong = ~same.reshape(*a.shape[:2], -1).all(axis=-1)
            require(
                not wrong.any(),
                f"{what} differs in {wrong.sum()} pixels of {name}: {staging.first_pixel(wrong, b, a)}",
            )

    @staticmethod
    def _astray(wrong: Array, what: str, found: Any, expected: Any) -> str:
        return f"{what} is wrong at {wrong.sum()} pixels: {staging.first_pixel(wrong, found, expected)}"


_FEW = st.sampled_from((1, 2, 3))


def _without_lines(scene: Scene) -> Scene:
    return (
        scene if scene.ground is None else attrs.evolve(scene, ground=attrs.evolve(scene.ground, spacing=0.0))
    )


def _blended(scene: Scene, blending: str) -> Scene:
    cast = [attrs.evolve(actor, character=actor.character.blended(blending)) for actor in scene.actors]
    return attrs.evolve(scene, actors=cast)


def _sure_which_way_round(scene: Scene) -> bool:
    return not any(
        mesh.skin.blending == "dual_quaternion" and half_turned(mesh.skin, np.asarray(actor.pose, np.float64))
        for actor in scene.actors
        for mesh in actor.character.meshes
        if mesh.skin is not None
    )


def _close_all(sessions: dict[Any, Session]) -> None:
    for session in sessions.values():
        with suppress(Exception):  # another thread's, or one that a law has broken
            session.close()
