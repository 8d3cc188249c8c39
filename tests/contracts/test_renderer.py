"""The contract of renderers over our own, and what it says of some that are wrong in other ways."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import attrs
import numpy as np
import pytest

from kinetoscope_spec import Camera, ConfigError, Frame, ProviderUnavailable, Scene
from kinetoscope_spec.contracts import (
    Contract,
    DeferredContract,
    Mutant,
    RendererContract,
    TemporalContract,
    Wrapper,
    check,
)
from kinetoscope_spec.contracts.mutants.gbuffer import MUTANTS as DEFERRED
from kinetoscope_spec.contracts.mutants.renderer import MUTANTS
from kinetoscope_spec.contracts.mutants.renderer import _Renders as Renders
from kinetoscope_spec.contracts.mutants.temporal import MUTANTS as TEMPORAL

OTHERS = 20
"""Examples of a law that is not to notice a mutant: with as many, by this seed, laws notice whom they notice by 40."""


@pytest.fixture(scope="module")
def deferred() -> Any:
    """Return our renderer; skip where there is no driver."""
    from kinetoscope_deferred.renderer import DeferredRenderer

    try:
        DeferredRenderer().open((4, 4)).close()
    except ProviderUnavailable as error:
        pytest.skip(f"no OpenGL driver: {error}")
    return DeferredRenderer()


@pytest.fixture
def plain(template: Callable[[str], Contract]) -> Any:
    """Return the scaffold's renderer, which needs no driver."""
    return template("renderer").subject


def says(provider: Any, law: str, **attributes: Any) -> str:
    contract = RendererContract.of(provider, name="wrong", **attributes)
    report = check(contract, examples=20, seed=0, laws=[law], shrink=False)
    return report.broken[0].message if report.broken else ""


@pytest.mark.gl
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.wrap.__name__)
def test_only_its_law_notices_a_mutant_of_ours(mutant: Mutant, deferred: Any) -> None:
    broken = []
    for law in RendererContract.laws():
        own = law.name == mutant.law
        mutated = RendererContract.of(mutant.wrap(deferred), name="mutated")
        # What is drawn for a seed depends on what else has been imported: its own law draws until it meets it.
        # The others, on the scaffold's renderer too, have few: a law of sessions compiles shaders for each.
        for seed in range(8 if own else 1):
            report = check(mutated, examples=40 if own else OTHERS, seed=seed, laws=[law.name], shrink=False)
            if report.broken:
                broken.append(law.name)
                break
    assert broken == [mutant.law]


@pytest.mark.gl
@pytest.mark.parametrize("mutant", DEFERRED[len(MUTANTS) :], ids=lambda mutant: mutant.wrap.__name__)
def test_its_law_notices_a_mutant_of_deferred_renderers(mutant: Mutant, deferred: Any) -> None:
    mutated = DeferredContract.of(mutant.wrap(deferred), name="mutated")
    report = check(mutated, examples=40, seed=0, laws=[mutant.law], shrink=False)
    assert [result.law for result in report.broken] == [mutant.law]


@pytest.mark.gl
@pytest.mark.parametrize("mutant", TEMPORAL, ids=lambda mutant: mutant.wrap.__name__)
def test_its_law_notices_a_mutant_of_renderers_that_mix_frames(mutant: Mutant, deferred: Any) -> None:
    mutated = TemporalContract.of(mutant.wrap(deferred), name="mutated")
    report = check(mutated, examples=30, seed=0, laws=[mutant.law], shrink=False)
    assert [result.law for result in report.broken] == [mutant.law]


def test_pictures_the_other_way_round_are_told_where_they_stand(plain: Any) -> None:
    class Mirrors(Renders):
        def changed(self, frame: Frame, scene: Scene, camera: Camera) -> Frame:
            return attrs.evolve(frame, color=np.ascontiguousarray(frame.color[:, ::-1]))

    told = says(Mirrors(plain), "up_is_up_and_left_is_left")
    assert "in the upper left of the view" in told
    assert "(x right, y down)" in told


def test_a_renderer_without_the_buffers_is_told_which_are_missing(plain: Any) -> None:
    class Blind(Renders):
        def changed(self, frame: Frame, scene: Scene, camera: Camera) -> Frame:
            return attrs.evolve(frame, buffers={"depth": frame.buffers["depth"]})

    for law in ("ids_agree_with_geometry", "the_nearer_surface_wins", "skinning_equals_the_reference"):
        assert "buffers hold ['depth'], expected 'id' too" in says(Blind(plain), law)
    told = says(Blind(plain), "pictures_have_the_size_that_was_asked_for")
    assert "expected ['depth', 'id'], which were asked for" in told


def test_depth_that_a_camera_of_another_shape_would_have_is_told(plain: Any) -> None:
    class Nearer(Renders):
        def changed(self, frame: Frame, scene: Scene, camera: Camera) -> Frame:
            return attrs.evolve(
                frame, buffers={**frame.buffers, "depth": frame.buffers["depth"] - np.float32(camera.near)}
            )

    assert "pixels are off the surface; pixel (" in says(Nearer(plain), "depth_reprojects_to_the_surface")


def test_pictures_half_a_pixel_off_are_noticed(plain: Any) -> None:
    class Shifts(Renders):
        def staged(self, scene: Scene, camera: Camera) -> Scene:
            right = camera.view_matrix()[0, :3]
            pixel = 2 * np.tan(camera.field_of_view / 2) / 32
            move = np.eye(4)
            move[:3, 3] = 0.5 * pixel * np.linalg.norm(camera.position - camera.target) * right
            return attrs.evolve(
                scene, actors=[attrs.evolve(actor, pose=move @ actor.pose) for actor in scene.actors]
            )

    assert "`id` is wrong at" in says(Shifts(plain), "ids_agree_with_geometry")


def test_colours_from_the_frame_before_are_noticed(plain: Any) -> None:
    class Blends(Renders):
        def __init__(self, real: Any) -> None:
            super().__init__(real)
            self.before: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()

        def rendered(self, session: Any, scene: Scene, camera: Camera) -> Frame:
            frame: Frame = session.render(scene, camera)
            held = self.before.get(session, frame.color)
            self.before[session] = frame.color
            return attrs.evolve(frame, color=(frame.color // 8 * 7 + held // 8).astype(np.uint8))

    told = says(Blends(plain), "the_same_scene_gives_the_same_picture")
    assert "the same scene, drawn after another one differs in" in told


def test_a_thread_that_stays_is_noticed(plain: Any) -> None:
    done = threading.Event()

    class Lingers(Wrapper):
        def open(self, *args: Any, **options: Any) -> Any:
            threading.Thread(target=done.wait, daemon=True).start()
            return self.real.open(*args, **options)

    try:
        told = says(Lingers(plain), "closing_leaves_nothing_behind")
    finally:
        done.set()
    assert "8 more threads are left" in told


def test_an_error_that_names_nothing_is_not_enough(plain: Any) -> None:
    class Curt(Wrapper):
        def open(self, *args: Any, **options: Any) -> Any:
            try:
                return self.real.open(*args, **options)
            except ConfigError:
                raise ConfigError("wrong option") from None

    assert "does not name it: wrong option" in says(Curt(plain), "wrong_options_are_errors")


def test_sessions_that_laws_share_are_closed_with_the_contract(plain: Any) -> None:
    opened: list[Any] = []

    class Counts(Wrapper):
        def open(self, *args: Any, **options: Any) -> Any:
            opened.append(self.real.open(*args, **options))
            return opened[-1]

    contract = RendererContract.of(Counts(plain))
    check(contract, examples=5, seed=0, laws=["ids_agree_with_geometry"]).require()
    assert len(opened) == 1
    assert not opened[0].closed
    del contract
    gc.collect()  # hypothesis keeps what it ran in circles
    assert opened[0].closed
