"""Deferred renderers with one thing wrong, after those of every renderer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import attrs
import numpy as np

from kinetoscope_spec.character import Material
from kinetoscope_spec.contracts.mutants import Mutant, Wrapper, mutant
from kinetoscope_spec.contracts.mutants.renderer import MUTANTS as EVERY
from kinetoscope_spec.contracts.mutants.renderer import _Renders, _with
from kinetoscope_spec.environment import Environment
from kinetoscope_spec.scene import Actor, Camera, Frame, Light, Scene

__all__ = ["MUTANTS"]

MUTANTS: list[Mutant] = list(EVERY)


@mutant(MUTANTS, "buffers_have_their_shapes")
class Packs(_Renders):
    """hands over normals as they are packed, from 0 to 1"""

    def changed(self, frame: Frame, scene: Scene, camera: Camera) -> Frame:
        if "normal" not in frame.buffers:
            return frame
        return _with(frame, normal=(frame.buffers["normal"] * 0.5 + 0.5).astype(np.float32))


@mutant(MUTANTS, "lighting_does_not_ask_what_is_hidden")
class Forwards(_Renders):
    """is a forward renderer in disguise: it lights each surface as it is drawn, hidden or not"""

    def rendered(self, session: Any, scene: Scene, camera: Camera) -> Frame:
        frame: Frame = session.render(scene, camera)
        pixels = 0
        for actor in scene.actors:
            alone: Frame = session.render(attrs.evolve(scene, actors=(actor,)), camera)
            pixels += alone.work.get("lighting.pixels", 0)
        return attrs.evolve(frame, work={**frame.work, "lighting.pixels": pixels})


@mutant(MUTANTS, "many_weak_lights_are_one_strong_one")
class Sixteen(_Renders):
    """has room for sixteen lights and leaves out the others"""

    def staged(self, scene: Scene, camera: Camera) -> Scene:
        return attrs.evolve(scene, lights=scene.lights[:16])


@mutant(MUTANTS, "a_rough_surface_returns_irradiance")
class Candles(_Renders):
    """takes intensity for power all around, which is 4 pi times as much"""

    def staged(self, scene: Scene, camera: Camera) -> Scene:
        def dimmed(light: Light) -> Light:
            return (
                light if light.kind == "sun" else attrs.evolve(light, intensity=light.intensity / 4 / np.pi)
            )

        return attrs.evolve(scene, lights=[dimmed(light) for light in scene.lights])


@mutant(MUTANTS, "motion_is_how_far_a_point_went")
class Rests(_Renders):
    """knows no frame before: nothing ever moves"""

    def changed(self, frame: Frame, scene: Scene, camera: Camera) -> Frame:
        return _with(frame, motion=np.zeros((*frame.color.shape[:2], 2), np.float32))


@mutant(MUTANTS, "motion_is_how_far_a_point_went")
class Rises(_Renders):
    """counts motion upwards, as clip space does"""

    def changed(self, frame: Frame, scene: Scene, camera: Camera) -> Frame:
        if "motion" not in frame.buffers:
            return frame
        return _with(frame, motion=frame.buffers["motion"] * np.array([1, -1], np.float32))


@mutant(MUTANTS, "passes_after_light_leave_light_alone")
class Overwrites(Wrapper):
    """runs the pass after lighting in place, in the buffer that it reads"""

    def open(self, *args: Any, **options: Any) -> Any:
        return (
            _Blurred(self.real).open(*args, **options)
            if _asked(options)
            else self.real.open(*args, **options)
        )


class _Blurred(_Renders):
    def changed(self, frame: Frame, scene: Scene, camera: Camera) -> Frame:
        if "hdr" not in frame.buffers:
            return frame
        return _with(frame, hdr=frame.buffers["hdr"] + np.float32(1e-3))


def _asked(options: dict[str, Any]) -> bool:
    return any(options.get("passes", {}).get(name) for name in ("bloom", "tonemap", "fxaa"))


@mutant(MUTANTS, "passes_switch")
class Fixed(Wrapper):
    """takes the names of passes and runs what its preset runs"""

    def open(self, *args: Any, **options: Any) -> Any:
        return self.real.open(*args, **{name: held for name, held in options.items() if name != "passes"})


class _Relit(_Renders):
    """A renderer that shows its surroundings as they are, and lights things by others."""

    def rendered(self, session: Any, scene: Scene, camera: Camera) -> Frame:
        frame: Frame = session.render(scene, camera)
        if scene.environment is None or "hdr" not in frame.buffers:
            return frame
        other: Frame = session.render(
            attrs.evolve(scene, environment=self.lighting(scene.environment)), camera
        )
        solid = frame.buffers["id"][..., None] > 0
        return _with(frame, hdr=np.where(solid, other.buffers["hdr"], frame.buffers["hdr"]))

    def lighting(self, environment: Environment) -> Environment | None:
        raise NotImplementedError  # pragma: no cover - every mutant has its own


@mutant(MUTANTS, "surroundings_light_what_faces_them")
class Indoors(_Relit):
    """is lit by sky and earth and no other surroundings"""

    def lighting(self, environment: Environment) -> None:
        return None


@mutant(MUTANTS, "surroundings_light_what_faces_them")
class Reversed(_Relit):
    """is lit by its surroundings the other way round, left for right"""

    def lighting(self, environment: Environment) -> Environment:
        return _reversed(environment)


def _reversed(environment: Environment) -> Environment:
    lighting = environment.lighting
    return attrs.evolve(
        environment,
        image=environment.image[:, ::-1].copy(),
        lighting=None if lighting is None else lighting[:, ::-1].copy(),
    )


@mutant(MUTANTS, "surroundings_stand_behind_everything")
class Windowless(_Renders):
    """has surroundings that light things and are never seen"""

    def staged(self, scene: Scene, camera: Camera) -> Scene:
        if scene.environment is None:
            return scene
        return attrs.evolve(scene, environment=attrs.evolve(scene.environment, seen=False))


@mutant(MUTANTS, "surroundings_stand_behind_everything")
class Mirrored(_Renders):
    """shows its surroundings left for right, and lights things by them as they are"""

    def rendered(self, session: Any, scene: Scene, camera: Camera) -> Frame:
        frame: Frame = session.render(scene, camera)
        if scene.environment is None or not scene.environment.seen or "hdr" not in frame.buffers:
            return frame
        mirrored = attrs.evolve(scene, environment=_reversed(scene.environment))
        other: Frame = session.render(mirrored, camera)
        solid = frame.buffers["id"][..., None] > 0
        return _with(frame, hdr=np.where(solid, frame.buffers["hdr"], other.buffers["hdr"]))


@mutant(MUTANTS, "surroundings_stand_behind_everything")
class Sunlit(_Renders):
    """lights things by what is seen, where that is not what is to light them"""

    def staged(self, scene: Scene, camera: Camera) -> Scene:
        if scene.environment is None or scene.environment.lighting is None:
            return scene
        return attrs.evolve(scene, environment=attrs.evolve(scene.environment, lighting=None))


@mutant(MUTANTS, "surroundings_stand_behind_everything")
class Sheer(_Renders):
    """lets a plate show through its surroundings"""

    def changed(self, frame: Frame, scene: Scene, camera: Camera) -> Frame:
        if scene.environment is None or not scene.environment.seen or "id" not in frame.buffers:
            return frame
        alpha = np.where(frame.buffers["id"] > 0, 255, 0).astype(np.uint8)
        return _with(frame, color=np.concatenate([frame.color[..., :3], alpha[..., None]], axis=-1))


@mutant(MUTANTS, "pictures_are_light_on_their_curve")
class OneCurve(_Renders):
    """has one curve, whatever the scene asks for"""

    def staged(self, scene: Scene, camera: Camera) -> Scene:
        return attrs.evolve(scene, tone="aces")


@mutant(MUTANTS, "pictures_are_light_on_their_curve")
class Unexposed(_Renders):
    """tones light as it is, without the exposure"""

    def staged(self, scene: Scene, camera: Camera) -> Scene:
        return attrs.evolve(scene, exposure=1.0)


@mutant(MUTANTS, "what_is_seen_through_lies_over_what_is_behind")
class Dithers(Wrapper):
    """has no transparent pass: of what is blended it draws some pixels and not others"""

    def open(self, *args: Any, **options: Any) -> Any:
        switches = {**options.get("passes", {}), "transparent": False}
        return self.real.open(*args, **{**options, "passes": switches})


@mutant(MUTANTS, "what_is_seen_through_lies_over_what_is_behind")
class Unsorted(_Renders):
    """lays what is seen through over each other in an order of its own, the farthest last"""

    def staged(self, scene: Scene, camera: Camera) -> Scene:
        blended = [a for a in scene.actors if any(m.alpha_mode == "blend" for m in a.character.materials)]
        near_first = sorted(blended, key=lambda a: float(np.linalg.norm(a.pose[0, :3, 3] - camera.position)))
        poses = {a.id: b.pose for a, b in zip(near_first, near_first[::-1], strict=True)}
        return attrs.evolve(
            scene, actors=[attrs.evolve(a, pose=poses.get(a.id, a.pose)) for a in scene.actors]
        )


@mutant(MUTANTS, "light_is_reckoned_from_the_gbuffer")
class Lingers(_Renders):
    """lets lamps reach half as far again as their radius"""

    def staged(self, scene: Scene, camera: Camera) -> Scene:
        return attrs.evolve(
            scene, lights=[attrs.evolve(light, radius=1.5 * light.radius) for light in scene.lights]
        )


@mutant(MUTANTS, "light_is_reckoned_from_the_gbuffer")
class Chalks(_Renders):
    """knows no gloss: every surface returns light as if it were rough"""

    def rendered(self, session: Any, scene: Scene, camera: Camera) -> Frame:
        frame: Frame = session.render(scene, camera)
        rough: Frame = session.render(attrs.evolve(scene, actors=[_rough(a) for a in scene.actors]), camera)
        return _with(frame, hdr=rough.buffers.get("hdr"))


def _rough(actor: Actor) -> Actor:
    materials = [attrs.evolve(m, roughness=1.0, metallic=0.0) for m in actor.character.materials]
    return attrs.evolve(actor, character=attrs.evolve(actor.character, materials=materials or (_ROUGH,)))


_ROUGH = Material("rough", roughness=1.0)


@mutant(MUTANTS, "light_of_a_pixel_is_its_own")
class Spills(_Renders):
    """takes its neighbours' light into a pixel's"""

    def changed(self, frame: Frame, scene: Scene, camera: Camera) -> Frame:
        if "hdr" not in frame.buffers:
            return frame
        light = frame.buffers["hdr"]
        return _with(frame, hdr=(0.5 * (light + np.roll(light, 1, axis=1))).astype(np.float32))


@mutant(MUTANTS, "shadows_fall_where_geometry_puts_them")
class Shadowless(_Renders):
    """casts no shadow"""

    def staged(self, scene: Scene, camera: Camera) -> Scene:
        return attrs.evolve(scene, lights=[attrs.evolve(light, shadow=False) for light in scene.lights])


@mutant(MUTANTS, "shadows_fall_where_geometry_puts_them")
class Stays(_Renders):
    """casts the shadow of one joint's pose, whatever the others do"""

    def rendered(self, session: Any, scene: Scene, camera: Camera) -> Frame:
        frame: Frame = session.render(scene, camera)
        still = [attrs.evolve(a, pose=np.tile(a.pose[:1], (len(a.pose), 1, 1))) for a in scene.actors]
        other: Frame = session.render(attrs.evolve(scene, actors=still), camera)
        return _with(frame, hdr=other.buffers.get("hdr"))


@mutant(MUTANTS, "shadows_fall_where_geometry_puts_them")
class Shrinks(_Renders):
    """casts the shadow of the mean of matrices where dual quaternions carry what is seen"""

    def rendered(self, session: Any, scene: Scene, camera: Camera) -> Frame:
        frame: Frame = session.render(scene, camera)
        mean = [attrs.evolve(a, character=a.character.blended("linear")) for a in scene.actors]
        other: Frame = session.render(attrs.evolve(scene, actors=mean), camera)
        return _with(frame, hdr=other.buffers.get("hdr"))


@mutant(MUTANTS, "shadows_are_as_sharp_as_pixels_near_and_far")
class Nearsighted(_Renders):
    """casts shadows near the camera alone"""

    def rendered(self, session: Any, scene: Scene, camera: Camera) -> Frame:
        frame: Frame = session.render(scene, camera)
        if "hdr" not in frame.buffers:
            return frame
        bare = attrs.evolve(scene, lights=[attrs.evolve(light, shadow=False) for light in scene.lights])
        other: Frame = session.render(bare, camera)
        far = frame.buffers["depth"][..., None] > 20.0
        return _with(frame, hdr=np.where(far, other.buffers["hdr"], frame.buffers["hdr"]))


@mutant(MUTANTS, "shadows_are_as_sharp_as_pixels_near_and_far")
class Coarse(_Renders):
    """has one map for everything, whose texels are wide beside the nearest pixels"""

    def rendered(self, session: Any, scene: Scene, camera: Camera) -> Frame:
        frame: Frame = session.render(scene, camera)
        if "hdr" not in frame.buffers:
            return frame
        wide = np.repeat(np.repeat(frame.buffers["hdr"][::6, ::6], 6, axis=0), 6, axis=1)
        near = frame.buffers["depth"][..., None] < 5.0
        shape = frame.buffers["hdr"].shape
        return _with(frame, hdr=np.where(near, wide[: shape[0], : shape[1]], frame.buffers["hdr"]))


@mutant(MUTANTS, "corners_are_darker_by_what_they_hide")
class Even(Wrapper):
    """lets ambient light into every corner"""

    def open(self, *args: Any, **options: Any) -> Any:
        return self.real.open(*args, **{**options, "passes": {**options.get("passes", {}), "ssao": False}})


class _Watched(_Renders):
    """Tells who watches a session something else than what happens."""

    def rendered(self, session: Any, scene: Scene, camera: Camera) -> Frame:
        if getattr(session, "watch", None) is None:
            return super().rendered(session, scene, camera)
        watch = session.watch
        session.watch = lambda name: self.within(watch, name)
        try:
            return self.seen(super().rendered(session, scene, camera), watch)
        finally:
            session.watch = watch

    def within(self, watch: Any, name: str) -> AbstractContextManager[Any]:
        held: AbstractContextManager[Any] = watch(name)
        return held

    def seen(self, frame: Frame, watch: Any) -> Frame:
        return frame


@mutant(MUTANTS, "passes_are_watched_one_after_the_other")
class Nests(_Watched):
    """counts the shadows' time as that of lighting, too"""

    @contextmanager
    def within(self, watch: Any, name: str) -> Iterator[None]:
        with watch("lighting") if name == "shadow" else nullcontext(), watch(name):
            yield


@mutant(MUTANTS, "passes_are_watched_one_after_the_other")
class Idles(_Watched):
    """tells of bloom although it is off"""

    def seen(self, frame: Frame, watch: Any) -> Frame:
        with watch("bloom"):
            return frame


@mutant(MUTANTS, "passes_are_watched_one_after_the_other")
class Hides(_Watched):
    """tells nobody of its lighting"""

    def within(self, watch: Any, name: str) -> AbstractContextManager[Any]:
        return nullcontext() if name == "lighting" else super().within(watch, name)


@mutant(MUTANTS, "passes_are_watched_one_after_the_other")
class Hurries(_Watched):
    """draws less of what is in the picture while its time is taken"""

    def seen(self, frame: Frame, watch: Any) -> Frame:
        return _with(frame, color=frame.color // 2)
