"""Renderers with one thing wrong."""

from __future__ import annotations

import os
import weakref
from typing import Any

import attrs
import numpy as np

from kinetoscope_spec._arrays import Array
from kinetoscope_spec.character import Skin
from kinetoscope_spec.contracts._raycast import rays, skinned
from kinetoscope_spec.contracts._staging import srgb
from kinetoscope_spec.contracts.mutants import Mutant, Wrapper, mutant
from kinetoscope_spec.errors import KinetoscopeError
from kinetoscope_spec.scene import Actor, Camera, Frame, Light, Scene

__all__ = ["MUTANTS"]

MUTANTS: list[Mutant] = []


class _Session(Wrapper):
    """A session that draws and closes as its renderer says."""

    def __init__(self, real: Any, owner: _Renders) -> None:
        super().__init__(real)
        self.owner = owner

    @property
    def watch(self) -> Any:
        return self.real.watch

    @watch.setter
    def watch(self, watch: Any) -> None:
        self.real.watch = watch

    def render(self, scene: Scene, camera: Camera) -> Frame:
        frame: Frame = self.owner.rendered(self.real, scene, camera)
        return frame

    def close(self) -> None:
        self.owner.closed(self.real)

    def __enter__(self) -> _Session:
        return self

    def __exit__(self, *exc: object) -> None:
        self.owner.left(self)


class _Renders(Wrapper):
    """A renderer that changes what goes into a picture, what comes out, or how a session ends."""

    def open(self, *args: Any, **options: Any) -> Any:
        return _Session(self.real.open(*args, **options), self)

    def rendered(self, session: Any, scene: Scene, camera: Camera) -> Frame:
        return self.changed(session.render(self.staged(scene, camera), camera), scene, camera)

    def staged(self, scene: Scene, camera: Camera) -> Scene:
        return scene

    def changed(self, frame: Frame, scene: Scene, camera: Camera) -> Frame:
        return frame

    def closed(self, session: Any) -> None:
        session.close()

    def left(self, session: _Session) -> None:
        session.close()


def _with(frame: Frame, **changes: Any) -> Frame:
    """Return the frame with another `color`, or other buffers by name, where it has them."""
    color = changes.pop("color", frame.color)
    held = {name: value for name, value in changes.items() if name in frame.buffers}
    return attrs.evolve(frame, color=color, buffers={**frame.buffers, **held})


@mutant(MUTANTS, "pictures_have_the_size_that_was_asked_for")
class Evens(Wrapper):
    """rounds sizes up to even numbers, as video encoders like them"""

    def open(self, size: tuple[int, int], *args: Any, **options: Any) -> Any:
        width, height = size
        return self.real.open((width + width % 2, height + height % 2), *args, **options)


@mutant(MUTANTS, "pictures_have_the_size_that_was_asked_for")
class Widens(_Renders):
    """gives ids as int64"""

    def changed(self, frame: Frame, scene: Scene, camera: Camera) -> Frame:
        return _with(frame, id=frame.buffers["id"].astype(np.int64)) if "id" in frame.buffers else frame


@mutant(MUTANTS, "up_is_up_and_left_is_left")
class Flips(_Renders):
    """hands over colours bottom row first, as OpenGL keeps them, and only alpha as it should be"""

    def changed(self, frame: Frame, scene: Scene, camera: Camera) -> Frame:
        color = frame.color.copy()
        color[..., :3] = frame.color[::-1, :, :3]
        return _with(frame, color=color)


@mutant(MUTANTS, "an_empty_scene_is_the_background")
class Exposes(_Renders):
    """exposes the background as if it were lit"""

    def changed(self, frame: Frame, scene: Scene, camera: Camera) -> Frame:
        if scene.actors:
            return frame
        color = frame.color.copy()
        color[..., :3] = srgb(scene.background[:3] * scene.exposure).round()
        return _with(frame, color=color)


@mutant(MUTANTS, "an_empty_scene_is_the_background")
class Copies(_Renders):
    """puts the linear numbers of the background into the picture, which are not sRGB"""

    def changed(self, frame: Frame, scene: Scene, camera: Camera) -> Frame:
        if scene.actors:
            return frame
        color = frame.color.copy()
        color[..., :3] = (255 * np.clip(scene.background[:3], 0, 1)).round()
        return _with(frame, color=color)


@mutant(MUTANTS, "the_same_scene_gives_the_same_picture")
class Dithers(_Renders):
    """dithers each picture with noise of its own"""

    def __init__(self, real: Any) -> None:
        super().__init__(real)
        self.drawn: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()

    def rendered(self, session: Any, scene: Scene, camera: Camera) -> Frame:
        frame: Frame = session.render(scene, camera)
        number = self.drawn.get(session, 0)
        self.drawn[session] = number + 1
        if not scene.actors:  # noise is for what is lit
            return frame
        return _with(frame, color=frame.color | np.array([number % 2, 0, 0, 0], np.uint8))


@mutant(MUTANTS, "moving_camera_and_world_together_changes_nothing")
class Headlamps(_Renders):
    """takes the direction of a sun for one in the camera's axes"""

    def staged(self, scene: Scene, camera: Camera) -> Scene:
        turn = camera.view_matrix()[:3, :3].T

        def turned(light: Light) -> Light:
            return attrs.evolve(light, direction=turn @ light.direction) if light.kind == "sun" else light

        return attrs.evolve(scene, lights=[turned(light) for light in scene.lights])


@mutant(MUTANTS, "the_nearer_surface_wins")
class Paints(_Renders):
    """draws actors in the order of the list, the last on top"""

    def rendered(self, session: Any, scene: Scene, camera: Camera) -> Frame:
        frame: Frame = session.render(scene, camera)
        for actor in scene.actors if len(scene.actors) > 1 else ():
            alone: Frame = session.render(attrs.evolve(scene, actors=(actor,)), camera)
            if "id" in alone.buffers:
                frame = _laid_over(frame, alone)
        return frame


def _laid_over(below: Frame, above: Frame) -> Frame:
    on = above.buffers["id"] > 0
    held = {name: np.where(on, above.buffers[name], value) for name, value in below.buffers.items()}
    return _with(below, color=np.where(on[..., None], above.color, below.color), **held)


@mutant(MUTANTS, "ids_agree_with_geometry")
class Truncates(_Renders):
    """keeps the lower eight bits of an id"""

    def changed(self, frame: Frame, scene: Scene, camera: Camera) -> Frame:
        return _with(frame, id=frame.buffers["id"] & 255) if "id" in frame.buffers else frame


@mutant(MUTANTS, "depth_is_infinite_where_nothing_is")
class Ends(_Renders):
    """gives the far plane's distance where nothing is"""

    def changed(self, frame: Frame, scene: Scene, camera: Camera) -> Frame:
        if "depth" not in frame.buffers:
            return frame
        return _with(frame, depth=np.minimum(frame.buffers["depth"], np.float32(camera.far)))


@mutant(MUTANTS, "depth_reprojects_to_the_surface")
class Measures(_Renders):
    """measures depth from the camera's position and not along its axis"""

    def changed(self, frame: Frame, scene: Scene, camera: Camera) -> Frame:
        if "depth" not in frame.buffers:
            return frame
        depth = frame.buffers["depth"]
        lengths = np.linalg.norm(rays(camera, (depth.shape[1], depth.shape[0])), axis=-1)
        return _with(frame, depth=(depth * lengths).astype(np.float32))


class _Recasts(_Renders):
    """A renderer that changes every actor before drawing; each stays the same object."""

    def __init__(self, real: Any) -> None:
        super().__init__(real)
        self.held: dict[int, tuple[Any, Any]] = {}

    def staged(self, scene: Scene, camera: Camera) -> Scene:
        return attrs.evolve(scene, actors=[self.recast(actor) for actor in scene.actors])

    def recast(self, actor: Actor) -> Actor:
        raise NotImplementedError  # pragma: no cover - every mutant has its own


@mutant(MUTANTS, "backs_are_seen_of_double_sided_surfaces_only")
class Shows(_Recasts):
    """draws every surface from behind too"""

    def recast(self, actor: Actor) -> Actor:
        surfaces = [attrs.evolve(material, double_sided=True) for material in actor.character.materials]
        return attrs.evolve(actor, character=attrs.evolve(actor.character, materials=surfaces))


class _Reskins(_Recasts):
    """A renderer that changes every skin."""

    def recast(self, actor: Actor) -> Actor:
        meshes = [
            mesh if mesh.skin is None else attrs.evolve(mesh, skin=self.reskinned(mesh.skin))
            for mesh in actor.character.meshes
        ]
        return attrs.evolve(actor, character=attrs.evolve(actor.character, meshes=meshes))

    def reskinned(self, skin: Skin) -> Skin:
        raise NotImplementedError  # pragma: no cover - every mutant has its own


@mutant(MUTANTS, "skinning_equals_the_reference")
class Hardens(_Reskins):
    """lets each vertex follow its heaviest bone alone"""

    def reskinned(self, skin: Skin) -> Skin:
        heaviest = np.zeros(skin.weights.shape)
        heaviest[np.arange(len(heaviest)), skin.weights.argmax(axis=1)] = 1
        return attrs.evolve(skin, weights=heaviest)


@mutant(MUTANTS, "skinning_equals_the_reference")
class Unbinds(_Reskins):
    """leaves out the inverse bind matrices"""

    def reskinned(self, skin: Skin) -> Skin:
        same: Array = np.tile(np.eye(4), (len(skin.bones), 1, 1))
        return attrs.evolve(skin, inverse_bind=same)


@mutant(MUTANTS, "skinning_equals_the_reference")
class Straightens(_Reskins):
    """blends matrices where dual quaternions are asked for"""

    def reskinned(self, skin: Skin) -> Skin:
        return attrs.evolve(skin, blending="linear")


@mutant(MUTANTS, "skinning_equals_the_reference")
class Detours(_Recasts):
    """blends dual quaternions as they come, whichever of q and -q that is"""

    def recast(self, actor: Actor) -> Actor:
        meshes = [
            mesh
            if mesh.skin is None or mesh.skin.blending == "linear"
            else attrs.evolve(mesh, vertices=skinned(mesh, actor.pose, align=False), skin=None, normals=None)
            for mesh in actor.character.meshes
        ]
        return attrs.evolve(actor, character=attrs.evolve(actor.character, meshes=meshes))


@mutant(MUTANTS, "alpha_is_coverage_over_a_clear_background")
class Fills(_Renders):
    """fills alpha with 255 as soon as there is something to draw"""

    def changed(self, frame: Frame, scene: Scene, camera: Camera) -> Frame:
        return _with(frame, color=frame.color | np.array([0, 0, 0, 255], np.uint8)) if scene.actors else frame


@mutant(MUTANTS, "closing_twice_is_harmless")
class Insists(_Renders):
    """raises when a session is closed a second time"""

    def __init__(self, real: Any) -> None:
        super().__init__(real)
        self.gone: list[Any] = []

    def closed(self, session: Any) -> None:
        if any(session is other for other in self.gone):
            raise RuntimeError("context was released already")
        self.gone.append(session)
        session.close()


@mutant(MUTANTS, "a_closed_session_draws_no_more")
class Revives(_Renders):
    """draws an empty picture when it is closed"""

    def rendered(self, session: Any, scene: Scene, camera: Camera) -> Frame:
        try:
            frame: Frame = session.render(scene, camera)
        except KinetoscopeError:
            return Frame(np.zeros((1, 1, 4), np.uint8))
        return frame


@mutant(MUTANTS, "a_closed_session_draws_no_more")
class Stays(_Renders):
    """stays open when `with` is left"""

    def left(self, session: _Session) -> None:
        pass


class _Handle:
    """An open file that is closed when this goes."""

    def __init__(self) -> None:
        weakref.finalize(self, os.close, os.open(os.devnull, os.O_RDONLY))


@mutant(MUTANTS, "closing_leaves_nothing_behind")
class Leaks(_Renders):
    """leaves a device file open for each session"""

    def __init__(self, real: Any) -> None:
        super().__init__(real)
        self.handles: list[_Handle] = []

    def open(self, *args: Any, **options: Any) -> Any:
        self.handles.append(_Handle())
        return super().open(*args, **options)


@mutant(MUTANTS, "sessions_do_not_disturb_each_other")
class Sweeps(_Renders):
    """frees what all sessions share when the first of them is closed"""

    def __init__(self, real: Any) -> None:
        super().__init__(real)
        self.sessions: list[Any] = []

    def open(self, *args: Any, **options: Any) -> Any:
        session = super().open(*args, **options)
        self.sessions.append(session.real)
        return session

    def closed(self, session: Any) -> None:
        while self.sessions:
            self.sessions.pop().close()


@mutant(MUTANTS, "wrong_options_are_errors")
class Shrugs(Wrapper):
    """takes a quality that it does not know for `medium`"""

    def open(self, size: tuple[int, int], quality: str = "medium", **options: Any) -> Any:
        return self.real.open(size, quality if quality in ("draft", "high") else "medium", **options)
