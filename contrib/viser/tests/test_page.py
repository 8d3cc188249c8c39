"""The page in headless Chromium: what three.js skins is what NumPy skins, and the controls do what they say."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import pytest
import view_bodies as bodies

from kinetoscope_spec import Actor, Scene, ValidationError
from kinetoscope_viser import Viewer

READ = """(name) => {
  const root = window.__viserMutable?.nodeRefFromName?.[name];
  if (!root) return null;
  const all = [];
  // viser turns the whole scene so that the way that is up for us is up for three.js.
  const world = window.__viserMutable.nodeRefFromName[""];
  world.updateWorldMatrix(true, false);
  const ours = world.matrixWorld.clone().invert();
  root.traverse((held) => {
    if (!held.isSkinnedMesh || held.geometry.attributes.position.count === 0) return;
    held.updateWorldMatrix(true, false);
    held.skeleton.bones.forEach((bone) => bone.updateWorldMatrix(true, false));
    const at = held.position.clone();
    const rest = Array.from(held.geometry.attributes.position.array);
    const shown = [];
    for (let i = 0; i < rest.length / 3; i++) {
      held.getVertexPosition(i, at).applyMatrix4(held.matrixWorld).applyMatrix4(ours);
      shown.push(at.x, at.y, at.z);
    }
    all.push({ rest, shown });
  });
  return all;
}"""
"""Each vertex where it was modelled, and where three.js' own skinning puts it, m."""

WAIT_S = 60


def until(told: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + WAIT_S
    while not (held := told()):
        assert time.monotonic() < deadline, told()
        time.sleep(0.1)
    return held


def vertices(tab: Any, name: str, rest: np.ndarray) -> np.ndarray | None:
    """Where the page has each of the vertices modelled at `rest [V, 3]`; None until they are all there."""
    shown = np.full(rest.shape, np.nan)
    for held in tab.evaluate(READ, f"/stage/{name}") or []:
        at, there = (np.array(held[key]).reshape(-1, 3) for key in ("rest", "shown"))
        nearest = np.linalg.norm(rest[None] - at[:, None], axis=-1)
        assert nearest.min(axis=1).max() < 1e-6
        shown[nearest.argmin(axis=1)] = there
    return None if np.isnan(shown).any() else shown


def matched(tab: Any, name: str, rest: np.ndarray, wanted: np.ndarray) -> float:
    """Wait until the page's vertices are within a micrometre of `wanted`, and return how far, mm."""

    def far() -> float | None:
        shown = vertices(tab, name, rest)
        off = None if shown is None else 1000 * float(np.abs(shown - wanted).max())
        return off if off is not None and off < 1e-3 else None

    return float(until(far))


@pytest.mark.parametrize(("influences", "scale"), [(4, 1.0), (7, 2.5)])
def test_vertices_are_numpys(viewer: Viewer, tab: Any, influences: int, scale: float) -> None:
    """Of the four heaviest bones, in every frame asked for, also under a scale; and the error is told."""
    body, moved = bodies.character(influences), bodies.motion(scale)
    name = viewer.show(body, moved)
    rest = np.asarray(body.meshes[0].vertices) * scale
    off, cut = [], []
    for frame in (0, 7, bodies.FRAMES - 1):
        viewer.clock.seek(frame / moved.framerate)
        pose = bodies.globals_of(moved, frame)
        off.append(matched(tab, name, rest, bodies.skinned(body, pose, 4)))
        cut.append(1000 * np.linalg.norm(bodies.skinned(body, pose) - bodies.skinned(body, pose, 4), axis=1))
    told = viewer.tracks[-1].deviation
    assert told.max_mm >= np.max(cut) - 1e-2
    assert told.influences == influences
    if influences > 4:
        assert told.cut == bodies.VERTICES
        every = [bodies.globals_of(moved, frame) for frame in range(bodies.FRAMES)]
        far = [
            1000 * np.linalg.norm(bodies.skinned(body, pose) - bodies.skinned(body, pose, 4), axis=1)
            for pose in every
        ]
        assert (told.max_mm, told.p99_mm) == pytest.approx((np.max(far), np.percentile(far, 99)), abs=1e-6)


def test_what_is_pushed_from_other_threads_is_seen_and_never_waits(viewer: Viewer, tab: Any) -> None:
    body, moved = bodies.character(), bodies.motion()
    name = viewer.show(body)
    poses = [bodies.globals_of(moved, frame) for frame in range(bodies.FRAMES)]
    with viewer.lock:  # the page is busy: nothing is taken, nobody waits
        before = viewer.dropped
        for pose in poses:
            viewer.push(name, pose)
        assert viewer.dropped - before == len(poses) - 1
    rest = np.asarray(body.meshes[0].vertices)
    matched(tab, name, rest, bodies.skinned(body, poses[-1]))
    with pytest.raises(ValidationError, match=r"expected finite \[7, 4, 4\]"):
        viewer.push(name, poses[0][:3])
    with pytest.raises(ValidationError, match="no 'nobody' on the page"):
        viewer.push("nobody", poses[0])


def test_a_scene_comes_moves_and_goes(viewer: Viewer, tab: Any) -> None:
    body, moved = bodies.character(), bodies.motion()
    rest = np.asarray(body.meshes[0].vertices)
    for frame in (1, 4):
        poses = [bodies.globals_of(moved, frame + i) for i in range(2)]
        bones = np.stack([poses[0][1:, :3, 3], poses[0][:-1, :3, 3]], axis=1)
        viewer.draw(
            Scene([Actor(body, pose, id=5 + i) for i, pose in enumerate(poses)], annotations={"bones": bones})
        )
        for i, pose in enumerate(poses):
            matched(tab, f"actor{5 + i}", rest, bodies.skinned(body, pose))
    assert tab.evaluate("() => !!window.__viserMutable?.nodeRefFromName?.['/stage/annotation0']")
    viewer.draw(Scene([Actor(body, poses[0], id=6)]))
    gone = """() => {
      const nodes = window.__viserMutable.nodeRefFromName;
      return !nodes["/stage/actor5"]?.visible && !nodes["/stage/annotation0"];
    }"""
    until(lambda: tab.evaluate(gone))
    matched(tab, "actor6", rest, bodies.skinned(body, poses[0]))


def test_the_controls_play_step_scrub_and_show(viewer: Viewer, tab: Any) -> None:
    body, moved = bodies.character(), bodies.motion()
    name = viewer.show(body, moved)
    rest = np.asarray(body.meshes[0].vertices)

    def at(frame: int) -> np.ndarray:
        return bodies.skinned(body, bodies.globals_of(moved, frame))

    viewer.clock.seek(0.0)
    matched(tab, name, rest, at(0))
    first = tab.screenshot()
    tab.get_by_role("button", name=">", exact=True).click()
    matched(tab, name, rest, at(1))
    tab.get_by_role("button", name=">|", exact=True).click()
    matched(tab, name, rest, at(bodies.FRAMES - 1))
    assert tab.screenshot() != first
    thumb = tab.get_by_role("slider").first.bounding_box()
    x, y = thumb["x"] + thumb["width"] / 2, thumb["y"] + thumb["height"] / 2
    tab.mouse.move(x, y)
    tab.mouse.down()
    tab.mouse.move(x - 60, y, steps=4)
    tab.mouse.up()
    until(lambda: viewer.clock.time < moved.duration)
    until(lambda: viewer.clock.held_s == 0)
    matched(tab, name, rest, at(int(viewer.clock.time * moved.framerate + 1e-6)))
    jumps = viewer.clock.jumps
    tab.get_by_role("button", name="Play").click()
    until(lambda: viewer.clock.jumps > jumps)  # it has come round
    tab.get_by_role("button", name="Pause").click()
    until(lambda: not viewer.clock.playing)
    matched(tab, name, rest, at(int(viewer.clock.time * moved.framerate + 1e-6)))
    tab.get_by_label("Skeleton").check()
    until(lambda: viewer.shown.skeleton)
    until(
        lambda: tab.evaluate(
            "(n) => !!window.__viserMutable?.nodeRefFromName?.[n]", f"/stage/{name}/skeleton"
        )
    )


LOOK = """(name) => {
  let found;
  window.__viserMutable?.nodeRefFromName?.[name]?.traverse((held) => { if (held.isSkinnedMesh) found = held; });
  if (!found?.material.map?.image) return null;
  const image = found.material.map.image;
  const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
  const brush = canvas.getContext("2d");
  brush.drawImage(image, 0, 0);
  return {
    pixels: Array.from(brush.getImageData(0, 0, image.width, image.height).data),
    normals: Array.from(found.geometry.attributes.normal.array),
    given: Array.from(found.geometry.attributes._normal.array),
    uvs: Array.from(found.geometry.attributes.uv.array),
    opacity: found.material.transparent ? found.material.opacity : null,
  };
}"""


def test_textures_normals_and_shapes_are_the_files_and_move(viewer: Viewer, tab: Any) -> None:
    """Vertices are NumPy's in every shape, on the timeline and pushed; a body goes pale with its skeleton."""
    body = bodies.dressed()
    curves = {"smile": np.linspace(0, 1, bodies.FRAMES), "frown": np.linspace(1, -0.5, bodies.FRAMES)}
    moved = attrs.evolve(bodies.motion(), morph_weights=curves)
    viewer.shown.skeleton = False
    name = viewer.show(body, moved)
    rest = bodies.shaped(body).astype(np.float32)
    for frame in (0, 5, bodies.FRAMES - 1):
        viewer.clock.seek(frame / moved.framerate)
        shape = bodies.shaped(body, **{channel: curve[frame] for channel, curve in curves.items()})
        wanted = bodies.skinned(body, bodies.globals_of(moved, frame), vertices=shape)
        matched(tab, f"{name}/skin", rest, wanted)
    look = tab.evaluate(LOOK, f"/stage/{name}/skin")
    image = body.materials[0].base_color_image
    np.testing.assert_array_equal(np.reshape(look["pixels"], (*image.shape[:2], 4))[..., :3], image)
    np.testing.assert_array_equal(look["normals"], look["given"])
    uvs = {tuple(np.round(uv, 4)) for uv in np.reshape(look["uvs"], (-1, 2))}
    assert uvs == {tuple(np.round(uv, 4)) for uv in body.meshes[0].uvs[np.unique(body.meshes[0].faces)]}
    assert look["opacity"] is None
    viewer.shown.skeleton = True
    viewer.refresh()
    until(lambda: (tab.evaluate(LOOK, f"/stage/{name}/skin")["opacity"] or 1) < 0.5)
    viewer.shown.skeleton = False
    viewer.refresh()
    pose = bodies.globals_of(moved, 2)
    viewer.push(name, pose, {"smile": -0.5})
    matched(tab, f"{name}/skin", rest, bodies.skinned(body, pose, vertices=bodies.shaped(body, smile=-0.5)))
    until(lambda: tab.evaluate(LOOK, f"/stage/{name}/skin")["opacity"] is None)


def test_who_has_gone_for_long_is_taken_off_the_page_which_goes_on(
    viewer: Viewer, tab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """viser's own page stops for good when a skinned mesh goes; ours goes on, and forgets the body."""
    pose = bodies.globals_of(bodies.motion(), 1)
    here = "(name) => !!window.__viserMutable?.nodeRefFromName?.[name]"
    plain, dressed = bodies.character(), bodies.dressed()
    viewer.draw(Scene([Actor(plain, pose, id=20), Actor(dressed, pose, id=21)]))
    until(lambda: all(tab.evaluate(here, f"/stage/actor{i}") for i in (20, 21)))
    matched(tab, "actor20", np.asarray(plain.meshes[0].vertices), bodies.skinned(plain, pose))
    viewer.draw(Scene())
    until(lambda: not viewer.actors)
    viewer.draw(Scene([Actor(dressed, pose, id=22)]))  # soon enough: it is the same figure
    until(lambda: viewer.actors)
    with viewer.lock:
        assert [figure.name for figure in viewer._stage.figures.values()] == ["actor21"]
    monkeypatch.setattr("kinetoscope_viser._live._WAIT_S", 0.0)
    until(lambda: not tab.evaluate(here, "/stage/actor20"))
    viewer.draw(Scene())
    until(lambda: not tab.evaluate(here, "/stage/actor21"))
    with viewer.lock:
        assert viewer._stage._baked == []
    viewer.draw(Scene([Actor(plain, pose, id=20)]))
    matched(tab, "actor20-0", np.asarray(plain.meshes[0].vertices), bodies.skinned(plain, pose))
    viewer.draw(Scene())
