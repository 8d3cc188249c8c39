"""Processor time of deferred light against a forward path of the same renderer, by lights and characters.

The forward path lights every fragment of every mesh by a loop over all lights, as renderers without a G-buffer do,
with the very functions of the lighting pass: both draw the same picture, which is checked before it is timed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import moderngl
import numpy as np
import pytest

from kinetoscope_deferred.device import Device, source, uniforms
from kinetoscope_deferred.passes.base import set_camera
from kinetoscope_deferred.passes.lighting import _in_order, _set_shadow, light_texels
from kinetoscope_deferred.passes.post import TonemapPass
from kinetoscope_deferred.passes.shadow import ShadowPass, cascades
from kinetoscope_deferred.quality import Quality
from kinetoscope_deferred.renderer import DeferredRenderer
from kinetoscope_deferred.view import View
from kinetoscope_spec import Actor, Camera, Character, Light, Mesh, ProviderUnavailable, Scene, Skeleton, Skin

pytestmark = pytest.mark.bench
SIZE = (640, 360)
CAMERA = Camera(position=(1.2, 1.6, 3.4), target=(0.0, 0.9, 0.0))
CASES = [*((lights, 1) for lights in (1, 16, 128, 1024)), *((16, characters) for characters in (16, 64))]
ALIKE = dict.fromkeys(("ground", "ssao", "bloom", "fxaa", "lod"), False)
"""What the forward path has no part in is off in both."""
PICTURES = 5
_MAIN = """
uniform vec4 base_color;
uniform vec2 rough_metal;
in vec3 world_normal;
in vec2 texture_uv;
in vec4 vertex_color;

void main() {
    vec3 n = normalize(gl_FrontFacing ? world_normal : -world_normal), surface = (base_color * vertex_color).rgb;
    float away = metres(gl_FragCoord.z);
    vec3 p = ray_at(gl_FragCoord.xy) * away, v = -normalize(p);
    vec3 diffuse = surface * (1.0 - rough_metal.g), f0 = mix(vec3(0.04), surface, rough_metal.g);
    Surface s = surface_of(n, v, diffuse, f0, rough_metal.r);
    vec3 color = diffuse * hemisphere(n)
        + environment(f0, rough_metal.r, dot(n, v)) * hemisphere(reflect(-v, n));
    if (shadowed) color += lit_by_sun(p, n, to_sun, away) * from_sun(to_sun, sun_power, s);
    for (int i = shadowed ? 1 : 0; i < sun_count; ++i)
        color += from_sun(light_texel(i, 0).xyz, light_texel(i, 1).rgb, s);
    for (int i = 0; i < lamp_count; ++i) color += from_lamp(sun_count + i, p, s);
    hdr = vec4(min(color, vec3(60000.0)), 1.0);
}
"""


class ForwardPass:
    """Draws all meshes into `hdr`, each fragment lit as it comes."""

    name = "lighting"
    reads = ("shadow_map",)
    writes = ("hdr",)

    def __init__(self) -> None:
        self._programs: dict[int, moderngl.Program] = {}

    def draw(self, device: Device, view: View, quality: Quality) -> dict[str, int]:
        sun = cascades(view, quality)
        program = self._program(device, 1 if sun is None else len(sun.cascades), quality)
        lights = _in_order(view)
        suns = sum(each.kind == "sun" for each in lights)
        set_camera(program, view)
        turn = np.eye(4)
        turn[:3, :3] = view.rotation
        scene = view.scene
        uniforms(
            program,
            to_clip=view.projection @ turn,
            sky=tuple(map(float, scene.sky)),
            earth=tuple(map(float, scene.earth)),
            sun_count=suns,
            lamp_count=len(lights) - suns,
        )
        textures = {"lights": device.upload("lights", light_texels(lights, view.origin))}
        textures["shadow_map"] = _set_shadow(program, device, view, quality, sun)
        textures["split_sum"] = device.split_sum()
        target = device.framebuffer(
            "forward", [device.texture("hdr", 4, "f2")], device.depth_texture("depth")
        )
        target.use()
        target.clear()
        device.context.enable_only(moderngl.DEPTH_TEST | moderngl.CULL_FACE)
        device.bind(program, {**textures, "bones": device.textures["bones"]})
        for draw in view.draws:
            packed, material = draw.mesh.packed, draw.mesh.materials[0]
            uniforms(
                program,
                first_bone=draw.first_bone,
                influences=packed.influences,
                base_color=tuple(map(float, material.base_color)),
                rough_metal=(float(material.roughness), float(material.metallic)),
            )
            draw.mesh.array(device.context, program).render(moderngl.TRIANGLES)
        return {}

    def _program(self, device: Device, count: int, quality: Quality) -> moderngl.Program:
        if count not in self._programs:
            defines = {
                "CASCADES": count,
                "EMISSIVE": 0,
                "FOG": 0,
                "SHADOW_TAPS": quality.shadow_taps,
                "SPOTS": 0,
            }
            functions = source("lighting.frag", defines).partition("void main()")[0]
            self._programs[count] = device.context.program(
                vertex_shader=source("geometry.vert", {}), fragment_shader=functions + _MAIN
            )
        return self._programs[count]


def opened(*, forward: bool) -> Any:
    session = DeferredRenderer().open(SIZE, "medium", passes=ALIKE)
    if forward:
        session.passes = (ShadowPass(), ForwardPass(), TonemapPass())
    return session


def crowd(lights: int, characters: int) -> Scene:
    """Return bodies of 18,432 faces, half a metre apart, under a sun and lamps of a metre's reach."""
    rings, rng = 97, np.random.default_rng(7)
    up, around = np.meshgrid(np.linspace(0, np.pi, rings), np.linspace(0, 2 * np.pi, rings), indexing="ij")
    shape = [0.3 * np.sin(up) * np.cos(around), 0.9 - 0.9 * np.cos(up), 0.2 * np.sin(up) * np.sin(around)]
    points = np.stack(shape, axis=-1).reshape(-1, 3)
    i, j = (n.ravel() for n in np.meshgrid(np.arange(rings - 1), np.arange(rings - 1), indexing="ij"))
    a = i * rings + j
    faces = np.concatenate(
        [np.stack([a, a + rings, a + 1], 1), np.stack([a + 1, a + rings, a + rings + 1], 1)]
    )
    bone = np.minimum(points[:, 1] / 1.8 * 20, 20).astype(int)
    weights = np.tile([0.4, 0.3, 0.2, 0.1], (len(points), 1))
    skin = Skin(bone[:, None] + np.arange(4), weights, np.arange(24), np.tile(np.eye(4), (24, 1, 1)))
    mesh = Mesh.from_triangles("figure", points, faces, skin=skin)
    joints = tuple(f"joint{n}" for n in range(24))
    body = Character("figure", Skeleton(joints, [n - 1 for n in range(24)], np.zeros((24, 3))), (mesh,))
    side, actors = int(np.ceil(np.sqrt(characters))), []
    for n in range(characters):
        pose = np.tile(np.eye(4), (24, 1, 1))
        pose[:, :3, 3] = 0.5 * (n % side - (side - 1) / 2), 0.0, -0.5 * (n // side)
        actors.append(Actor(body, pose, id=n + 1))
    places = rng.uniform((-3, 0.3, -5), (3, 2.0, 2), (lights - 1, 3))
    lamps = [Light(kind="point", position=place, radius=1.0, intensity=1.0) for place in places]
    return Scene(actors=tuple(actors), lights=(Light(), *lamps))


def processor_ms(draw: Callable[[], Any]) -> float:
    """Return the processor time of a picture, the least of five: what others do on the machine only adds."""
    draw()
    taken = []
    for _ in range(PICTURES):
        start = time.process_time()
        draw()
        taken.append(time.process_time() - start)
    return 1e3 * min(taken)


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c[0]}lights-{c[1]}bodies")
def test_against_forward(benchmark: Any, case: tuple[int, int]) -> None:
    scene = crowd(*case)
    try:
        ours, peer = opened(forward=False), opened(forward=True)
    except ProviderUnavailable:
        pytest.skip("no OpenGL driver")
    with ours, peer:
        off = ours.render(scene, CAMERA).color.astype(int) - peer.render(scene, CAMERA).color
        assert np.abs(off).mean() < 0.2, "the two do not draw the same picture"
        value = benchmark.pedantic(processor_ms, (lambda: ours.render(scene, CAMERA),), rounds=1)
        other = processor_ms(lambda: peer.render(scene, CAMERA))
    benchmark.extra_info.update(
        {"value": value, "unit": "CPU ms", "peer": "forward", "peer_value": other, "ratio": value / other}
    )
