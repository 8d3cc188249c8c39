"""Processor time of a picture beside other renderers of Python, where they are installed: pyrender and filly.

Bodies without a floor on black, under even light and a sun with a shadow map, without occlusion, glow or smooth edges.
pyrender draws rigid meshes and knows four lights of a kind, filly skins what it reads from a glTF file. Each
draws in a process of its own, `python bench_peers.py NAME LIGHTS BODIES PICTURE.npy`: two that hold a context disturb
each other. That they draw the same scene is checked on their pictures.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from bench_forward import ALIKE, CAMERA, SIZE, crowd, processor_ms

from kinetoscope_deferred.renderer import DeferredRenderer
from kinetoscope_spec import Asset, ProviderUnavailable, Scene

pytestmark = pytest.mark.bench
CASES = [("pyrender", 1, 1), ("pyrender", 1, 16), ("filly", 1, 1), ("filly", 16, 1), ("filly", 1, 16)]
EVEN = 0.3
"""Radiance from everywhere."""
MISSING = 3
"""Status of a process whose renderer is not installed."""
SECONDS = 120


def staged(lights: int, bodies: int) -> Scene:
    black = np.array([0.0, 0.0, 0.0, 1.0])
    even = np.full(3, EVEN)
    return attrs.evolve(crowd(lights, bodies), sky=even, earth=even, background=black)


def draw_pyrender(scene: Scene, folder: Path) -> Callable[[], Any]:
    os.environ.setdefault("PYOPENGL_PLATFORM", "egl")
    import pyrender
    import trimesh

    mesh = scene.actors[0].character.meshes[0]
    shape = trimesh.Trimesh(mesh.vertices[mesh.corner_vertex], mesh.faces, process=False)
    white = pyrender.MetallicRoughnessMaterial(
        baseColorFactor=(1.0, 1.0, 1.0, 1.0), metallicFactor=0.0, roughnessFactor=1.0
    )
    body = pyrender.Mesh.from_trimesh(shape, material=white)
    stage = pyrender.Scene(ambient_light=(EVEN,) * 3, bg_color=(0.0, 0.0, 0.0, 1.0))
    for actor in scene.actors:
        stage.add(body, pose=np.asarray(actor.pose[0]))
    lens = pyrender.PerspectiveCamera(CAMERA.field_of_view, znear=CAMERA.near, zfar=CAMERA.far)
    stage.add(lens, pose=np.linalg.inv(CAMERA.view_matrix()))
    (sun,) = scene.lights
    lamp = pyrender.DirectionalLight(intensity=float(sun.intensity))
    stage.add(lamp, pose=turned(np.asarray(sun.direction, float)))
    renderer = pyrender.OffscreenRenderer(*SIZE)
    return lambda: renderer.render(stage, flags=pyrender.RenderFlags.SHADOWS_DIRECTIONAL)[0]


def turned(direction: Any) -> Any:
    """Return the pose `[4, 4]` of a light that shines along its -z."""
    z = -direction / np.linalg.norm(direction)
    x = np.cross((0.0, 1.0, 0.0) if abs(z[1]) < 0.9 else (1.0, 0.0, 0.0), z)
    x /= np.linalg.norm(x)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([x, np.cross(z, x), z], axis=1)
    return pose


def draw_filly(scene: Scene, folder: Path) -> Callable[[], Any]:
    import filly

    from kinetoscope_glb.importer import GlbImporter

    character, file = scene.actors[0].character, folder / "body.glb"
    asset = Asset("body", character.skeleton, meshes=character.meshes, materials=character.materials)
    GlbImporter().write(asset, file)
    renderer = filly.Renderer()
    stage = renderer.create_scene()
    body = renderer.load_asset(str(file))
    for actor in scene.actors:
        stage.add(body).position = floats(actor.pose[0, :3, 3])
    stage.camera = camera = renderer.create_camera()
    camera.set_perspective(
        fov_y_deg=float(np.degrees(CAMERA.field_of_view)), near=CAMERA.near, far=CAMERA.far
    )
    camera.position, camera.exposure = floats(CAMERA.position), 1.0
    camera.look_at(floats(CAMERA.target))
    stage.environment = renderer.create_environment(np.full((16, 32, 3), EVEN, np.float32))
    stage.environment_visible, stage.environment_intensity = False, 1.0
    stage.shadows, stage.tone_mapping = True, "aces"
    for light in scene.lights:
        if light.kind == "sun":
            sun = stage.add_directional_light(
                direction=floats(light.direction), intensity=float(light.intensity)
            )
            sun.casts_shadows = True
        else:
            power = 4 * np.pi * float(light.intensity)
            stage.add_point_light(position=floats(light.position), intensity=power, range=float(light.radius))
    target = renderer.create_render_target(width=SIZE[0], height=SIZE[1])

    def draw() -> Any:
        renderer.render(stage, target)
        return target.read()

    return draw


def floats(vector: Any) -> tuple[float, ...]:
    return tuple(map(float, vector))


PEERS: dict[str, Callable[[Scene, Path], Callable[[], Any]]] = {
    "pyrender": draw_pyrender,
    "filly": draw_filly,
}


def measured(name: str, lights: int, bodies: int, picture: Path) -> tuple[float, str]:
    """Return what a picture of the renderer `name` takes, ms, and nothing; or nan and why it can't be said."""
    words = [sys.executable, __file__, name, str(lights), str(bodies), str(picture)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode == 0:
        return float(json.loads(done.stdout.splitlines()[-1])), ""
    said = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
    return (
        np.nan,
        f"{name} {'is not installed' if done.returncode == MISSING else 'cannot draw here'}: {said}",
    )


def check_alike(ours: Any, theirs: Any) -> None:
    """See that both pictures show the same bodies, lit from the same side."""
    ours, theirs = (np.asarray(each)[..., :3].max(axis=-1).astype(float) for each in (ours, theirs))
    one, two = ours > 8, theirs > 8
    shared = (one & two).sum() / (one | two).sum()
    assert shared > 0.98, f"the bodies share {shared:.1%} of their pixels"
    alike = np.corrcoef(ours[one & two], theirs[one & two])[0, 1]
    assert alike > 0.8, f"light on the bodies correlates by {alike:.2f}"


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c[0]}-{c[1]}lights-{c[2]}bodies")
def test_against_others(benchmark: Any, case: tuple[str, int, int], tmp_path: Path) -> None:
    name, lights, bodies = case
    scene = staged(lights, bodies)
    try:
        session = DeferredRenderer().open(SIZE, "medium", passes=ALIKE)
    except ProviderUnavailable:
        pytest.skip("no OpenGL driver")
    with session:
        value = benchmark.pedantic(processor_ms, (lambda: session.render(scene, CAMERA),), rounds=1)
        ours = session.render(scene, CAMERA).color
    other, why = measured(name, lights, bodies, tmp_path / "picture.npy")
    benchmark.extra_info.update({"value": value, "unit": "CPU ms", "note": why})
    if not why:
        check_alike(ours, np.load(tmp_path / "picture.npy"))
        benchmark.extra_info.update({"peer": name, "peer_value": other, "ratio": value / other})


def main(name: str, lights: str, bodies: str, picture: str) -> int:
    """Draw with another renderer; print what a picture takes, ms, and keep one."""
    with TemporaryDirectory() as folder:
        try:
            draw = PEERS[name](staged(int(lights), int(bodies)), Path(folder))
        except ImportError as error:
            print(error, file=sys.stderr)
            return MISSING
        taken = processor_ms(draw)
        np.save(picture, draw())
    print(json.dumps(taken), flush=True)
    return 0


if __name__ == "__main__":
    # The process ends here: what some drivers do as they are unloaded is none of what is measured.
    os._exit(main(*sys.argv[1:]))
