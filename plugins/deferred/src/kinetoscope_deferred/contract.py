"""The laws of the hook `render_pass`, to be run on any provider of it.

    class TestMine(RenderPassContract):
        provider = outline

Needs hypothesis (extra `contracts`) and a driver; without one the laws are skipped.
"""

from __future__ import annotations

from typing import Any, ClassVar
from unittest import SkipTest

import numpy as np
from hypothesis import strategies as st

from kinetoscope_deferred.device import Device
from kinetoscope_deferred.graph import Guest
from kinetoscope_deferred.quality import PASSES, Quality
from kinetoscope_deferred.renderer import DeferredRenderer
from kinetoscope_deferred.session import DeferredSession
from kinetoscope_deferred.view import View
from kinetoscope_spec import Actor, Camera, Character, Ground, Material, Mesh, Scene, Skeleton
from kinetoscope_spec.contracts import Contract, law, require
from kinetoscope_spec.errors import ProviderUnavailable

__all__ = ["RenderPassContract"]

_SIZES = ((64, 36), (1, 1), (37, 23), (5, 40))


class RenderPassContract(Contract):
    """What the renderer and its users rely on in a pass; subclass it and set `provider`."""

    hook: ClassVar[str] = "render_pass"
    mutants: ClassVar[str | None] = "kinetoscope_deferred.contract_mutants:MUTANTS"

    @law(st.sampled_from(_SIZES), st.integers(0, 3))
    def test_any_size_is_drawn(self, size: tuple[int, int], count: int) -> None:
        """A frame of any size, of things or of none, is drawn with the pass in it, without an OpenGL error."""
        with self._session(size) as session:
            color = session.render(_scene(count), _CAMERA).color
        require(color.shape == (size[1], size[0], 4), f"a picture of {size} came back as {color.shape}")

    @law(st.sampled_from(_SIZES[:3]))
    def test_what_it_does_not_say_it_writes_stays(self, size: tuple[int, int]) -> None:
        """Textures that are not among `writes` hold after the pass what they held before it."""
        with self._session(size) as session:
            spy = _Spy(next(step for step in session.passes if isinstance(step, Guest)))
            session.passes = tuple(spy if step is spy.guest else step for step in session.passes)
            session.render(_scene(2), _CAMERA)
        require(not spy.changed, f"it changed {', '.join(spy.changed)}, which it does not say it writes")

    @law(st.sampled_from(_SIZES[:3]), st.integers(1, 2))
    def test_the_same_frame_is_the_same_picture(self, size: tuple[int, int], count: int) -> None:
        """A frame is drawn alike again, whatever was drawn between, in this session and in a new one."""
        with self._session(size) as session:
            first = session.render(_scene(count), _CAMERA).color
            session.render(_scene(3 - count), _CAMERA)
            again = session.render(_scene(count), _CAMERA).color
        with self._session(size) as session:
            fresh = session.render(_scene(count), _CAMERA).color
        for name, other in (("again", again), ("in a new session", fresh)):
            different = int((first != other).any(axis=-1).sum())
            require(different == 0, f"drawn {name}, {different} pixels of the picture differ")

    def _session(self, size: tuple[int, int]) -> DeferredSession:
        try:
            # Passes whose textures it may read are on, whatever the preset.
            return DeferredRenderer().open(size, passes=dict.fromkeys(PASSES, True), add=(self.subject,))
        except ProviderUnavailable as error:
            raise SkipTest(str(error)) from error


class _Spy:
    """Stands where the guest stood and looks at the textures before and after it."""

    def __init__(self, guest: Guest) -> None:
        self.guest = guest
        self.name, self.reads, self.writes = guest.name, guest.reads, guest.writes
        self.changed: list[str] = []

    def draw(self, device: Device, view: View, quality: Quality) -> dict[str, int]:
        before = {name: texture.read() for name, texture in device.textures.items()}
        work = self.guest.draw(device, view, quality)
        kept = set(before) - set(self.writes)
        self.changed = sorted(name for name in kept if device.textures[name].read() != before[name])
        return work


_CAMERA = Camera((0.0, 0.6, 3.0), (0.0, 0.4, 0.0))


def _scene(count: int) -> Scene:
    actors = tuple(
        Actor(_CHARACTERS[i], _at(0.7 * i - 0.7, 0.2 * i), id=i + 1)
        for i in range(min(count, len(_CHARACTERS)))
    )
    return Scene(actors=actors, ground=Ground())


def _at(x: float, z: float) -> Any:
    pose = np.eye(4)[None].copy()
    pose[0, :3, 3] = x, 0.0, z
    return pose


def _tent(color: tuple[float, float, float], glow: float) -> Character:
    points = [(-0.4, 0, 0.4), (0.4, 0, 0.4), (0.4, 0, -0.4), (-0.4, 0, -0.4), (0, 1, 0)]
    faces = [(0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4), (0, 2, 1), (0, 3, 2)]
    mesh = Mesh.from_triangles("tent", np.array(points, float), np.array(faces), node=0)
    material = Material("tent", base_color=np.array([*color, 1.0]), emissive=np.full(3, glow))
    return Character("tent", Skeleton(("node",), [-1], [(0, 0, 0)]), (mesh,), (material,))


_CHARACTERS = (_tent((0.8, 0.2, 0.1), 0.0), _tent((0.1, 0.3, 0.8), 0.0), _tent((0.7, 0.7, 0.7), 2.0))
