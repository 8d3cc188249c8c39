"""Light: the lighting pass against NumPy, lamps against their laws, shadows, ambient occlusion."""

from __future__ import annotations

from itertools import pairwise

import attrs
import numpy as np
import pytest

from kinetoscope_spec import Actor, Camera, Character, Ground, Light, Material, Mesh, Skeleton, Skin

pytestmark = pytest.mark.gl

DARK = {"sky": (0, 0, 0), "earth": (0, 0, 0)}
PLAIN = {"ssao": False, "bloom": False, "fxaa": False}
FRONT = Camera((0, 0, 4), (0, 0, 0))


def ggx(n, v, to, albedo, roughness, metallic):
    """Radiance over irradiance-at-normal-incidence: Cook-Torrance with GGX, Smith, Schlick, in float64."""
    half = v + to
    half /= np.linalg.norm(half, axis=-1, keepdims=True)
    nl, nv = ((a * b).sum(-1) for a, b in ((n, to), (n, v)))
    nv = np.maximum(nv, 1e-4)
    nh, vh = (np.clip((a * half).sum(-1), 0, 1) for a in (n, v))
    a2 = np.maximum(roughness**2, 2e-3) ** 2
    spread = a2 / (np.pi * (nh**2 * (a2 - 1) + 1) ** 2)
    lam = nl * np.sqrt(nv**2 * (1 - a2) + a2) + nv * np.sqrt(nl**2 * (1 - a2) + a2)
    masking = 0.5 / np.maximum(lam, 1e-12)
    f0 = 0.04 * (1 - metallic)[..., None] + albedo * metallic[..., None]
    fresnel = f0 + (1 - f0) * (1 - vh[..., None]) ** 5
    diffuse = albedo * (1 - metallic[..., None]) / np.pi
    result = (diffuse * (1 - fresnel) + (spread * masking)[..., None] * fresnel) * nl[..., None]
    return np.where(nl[..., None] > 0, result, 0)


def random_lights(rng, count):
    return tuple(
        Light(
            kind=("point", "spot", "sun")[i % 3],
            position=rng.normal(size=3) * 2 + (0, 0, 1),
            direction=rng.normal(size=3),
            color=rng.random(3),
            intensity=rng.uniform(0.2, 3) if i % 3 < 2 else 0.1,
            radius=rng.uniform(2, 8),
            angles=(0.4, 0.9),
            shadow=False,
        )
        for i in range(count)
    )


def expected_hdr(lights, camera, directions, depth, normal, albedo, roughness, metallic):
    p = directions * depth[..., None]
    v = -p / np.linalg.norm(p, axis=-1, keepdims=True)
    total = np.zeros_like(p)
    for light in lights:
        axis = light.direction / np.linalg.norm(light.direction)
        if light.kind == "sun":
            to, strength = np.broadcast_to(-axis, p.shape), np.ones(depth.shape)
        else:
            to = light.position - camera.position - p
            d = np.linalg.norm(to, axis=-1)
            to = to / d[..., None]
            strength = np.clip(1 - (d / light.radius) ** 4, 0, 1) ** 2 / d**2
            if light.kind == "spot":
                inner, outer = np.cos(light.angles[0]), np.cos(light.angles[1])
                t = np.clip((-(to @ axis) - outer) / (inner - outer), 0, 1)
                strength = strength * t * t * (3 - 2 * t)
        shine = ggx(normal, v, to, albedo, roughness, metallic)
        total += shine * strength[..., None] * light.intensity * light.color
    return total


def fold(n):
    p = n[..., :2] / np.abs(n).sum(-1, keepdims=True)
    signs = np.where(p >= 0, 1, -1)
    return np.where(n[..., 2:] < 0, (1 - np.abs(p[..., ::-1])) * signs, p)


@pytest.fixture
def injected(sessions, kit):
    """A random G-buffer written into the textures, and a way to run the lighting pass over it."""
    from kinetoscope_deferred.passes.lighting import LightingPass
    from kinetoscope_deferred.view import build_view

    rng = np.random.default_rng(3)
    width, height = kit.SIZE
    session = sessions("high", **PLAIN, shadow=False)
    lights = random_lights(rng, 24)
    scene = kit.scene(lights=lights, **DARK)
    session.render(scene, FRONT)
    device = session.device
    albedo8 = rng.integers(0, 256, (height, width, 4), dtype=np.uint8)
    material8 = rng.integers(0, 256, (height, width, 4), dtype=np.uint8)
    material8[..., 0] = np.maximum(material8[..., 0], 40)
    material8[..., 2] = 0
    n = rng.normal(size=(height, width, 3)) + np.array([0, 0, 1.5])
    n /= np.linalg.norm(n, axis=-1, keepdims=True)
    folded = fold(n).astype(np.float16)
    back = folded.astype(float)
    z = 1 - np.abs(back).sum(-1)
    xy = np.where(z[..., None] < 0, (1 - np.abs(back[..., ::-1])) * np.where(back >= 0, 1, -1), back)
    n = np.concatenate([xy, z[..., None]], -1)
    n /= np.linalg.norm(n, axis=-1, keepdims=True)
    depth = rng.uniform(2, 6, (height, width))
    near, far = FRONT.near, FRONT.far
    stored = (0.5 * ((far + near) - 2 * far * near / depth) / (far - near) + 0.5).astype(np.float32)

    def write(name, values):
        device.textures[name].write(np.ascontiguousarray(values[::-1]).tobytes())

    def run(**changed):
        with device.context:
            for name, values in {
                "albedo": albedo8,
                "material": material8,
                "normal": folded,
                "depth": stored,
                **changed,
            }.items():
                write(name, values)
            view = build_view(scene, FRONT, session.size, session._cache)
            device.upload("bones", view.bones)
            work = LightingPass().draw(device, view, session.quality)
            hdr = np.frombuffer(device.textures["hdr"].read(), np.float16).reshape(height, width, 4)[::-1]
            assert device.context.error == "GL_NO_ERROR"
        return hdr.astype(np.float64), work

    expected = expected_hdr(
        lights,
        FRONT,
        kit.rays(FRONT),
        depth,
        n,
        (albedo8[..., :3] / 255.0) ** 2,
        material8[..., 0] / 255.0,
        material8[..., 1] / 255.0,
    )
    return run, expected, albedo8


def test_lighting_of_a_random_gbuffer_equals_numpy(injected):
    run, expected, _ = injected
    hdr, work = run()
    error = np.abs(hdr[..., :3] - expected) / (0.02 + expected)
    assert np.percentile(error, 99) < 1e-2
    assert expected.max() > 0.5
    assert (hdr[..., 3] == 1).all()
    assert work == {"lighting.pixels": 160 * 90, "lighting.lights": 24}


def test_one_changed_texel_changes_one_pixel(injected):
    run, _, albedo8 = injected
    before, _ = run()
    changed = albedo8.copy()
    changed[20, 30, :3] = 255 - changed[20, 30, :3]
    after, _ = run(albedo=changed)
    assert np.argwhere((before != after).any(axis=-1)).tolist() == [[20, 30]]


@pytest.mark.parametrize("degrees", [0, 25, 50, 75])
def test_a_rough_plane_returns_irradiance_times_cosine(sessions, kit, degrees):
    angle = np.radians(degrees)
    light = Light(direction=(-np.sin(angle), 0, -np.cos(angle)), color=(1, 0.5, 0.25), intensity=2.0)
    plane = kit.actor(*kit.quad((0, 0, 0), (3, 0, 0), (0, 3, 0)))
    hdr = (
        sessions(buffers=("hdr",), **PLAIN)
        .render(kit.scene(plane, lights=(light,), **DARK), FRONT)
        .buffers["hdr"]
    )
    lambert = 0.8 / np.pi * 2.0 * np.cos(angle) * np.array([1, 0.5, 0.25])
    np.testing.assert_allclose(hdr[45, 80] / lambert, 1, atol=0.1)


def test_a_point_light_falls_with_the_square(sessions, kit):
    plane = kit.actor(*kit.quad((0, 0, 0), (9, 0, 0), (0, 9, 0)))
    hdr = {}
    for d in (0.5, 1.0, 2.0):
        light = Light(kind="point", position=(0, 0, d), intensity=1.0, radius=1000.0)
        render = sessions(buffers=("hdr",), **PLAIN).render
        hdr[d] = render(kit.scene(plane, lights=(light,), **DARK), FRONT).buffers["hdr"][44:46, 79:81].mean()
    assert hdr[0.5] / hdr[1.0] == pytest.approx(4, rel=0.03)
    assert hdr[1.0] / hdr[2.0] == pytest.approx(4, rel=0.03)
    assert hdr[1.0] == pytest.approx(0.8 / np.pi, rel=0.1)


def test_a_thousand_lights_add_up(sessions, kit):
    plane = kit.actor(*kit.quad((0, 0, 0), (3, 0, 0), (0, 3, 0)))
    one = Light(kind="point", position=(0.3, 0.2, 1.0), intensity=4.0)
    many = (attrs.evolve(one, intensity=4.0 / 1000),) * 1000
    render = sessions(size=(64, 36), buffers=("hdr",), **PLAIN).render
    a = render(kit.scene(plane, lights=(one,), **DARK), FRONT).buffers["hdr"]
    frame = render(kit.scene(plane, lights=many, **DARK), FRONT)
    assert frame.work["lighting.lights"] == 1000
    lit = a > 0.05
    assert lit.mean() > 0.5
    np.testing.assert_allclose(frame.buffers["hdr"][lit], a[lit], rtol=0.02)


def test_ambient_light_comes_from_sky_and_earth(sessions, kit):
    up = kit.actor(*kit.quad((0, -0.5, 0), (3, 0, 0), (0, 0, -3)))
    down = kit.actor(*kit.quad((0, 0.5, 0), (3, 0, 0), (0, 0, 3)), id=2)
    scene = kit.scene(up, down, lights=(), sky=(1, 0, 0), earth=(0, 0, 1))
    buffers = sessions(buffers=("hdr", "id"), **PLAIN).render(scene, FRONT).buffers
    above, below = buffers["hdr"][buffers["id"] == 2], buffers["hdr"][buffers["id"] == 1]
    assert np.median(below[:, 0]) == pytest.approx(0.8, abs=0.08)
    assert np.median(above[:, 2]) == pytest.approx(0.8, abs=0.08)
    assert np.median(below[:, 2]) < 0.08


# Shadows


def shadow_scene(kit, centre, actor):
    light = Light(direction=(-0.5, -1.0, -0.3), intensity=3.0)
    camera = Camera(centre + np.array([-1.6, 2.6, -1.6]), centre + np.array([-0.3, 0, -0.2]))
    return kit.scene(actor, lights=(light,), ground=Ground(), **DARK), camera, light


def in_shadow(kit, camera, light, low, high, height):
    """Which floor pixels a horizontal rectangle at `height` keeps the sun from, and how sure, metres."""
    rays = kit.rays(camera)
    ground = camera.position + rays * (-camera.position[1] / rays[..., 1])[..., None]
    meets = ground + light.direction * ((height - ground[..., 1]) / light.direction[1])[..., None]
    edge = np.minimum(meets[..., [0, 2]] - low, high - meets[..., [0, 2]]).min(axis=-1)
    return edge > 0, np.abs(edge)


@pytest.mark.parametrize("centre", [(0.0, 0.0, 0.0), (250.0, 0.0, -130.0)])
def test_shadows_fall_where_geometry_says(sessions, kit, centre):
    """The caster is skinned and far from its bind pose, so a shadow of the bind pose would be missed."""
    centre = np.array(centre)
    points, faces = kit.quad((0, 0, 0), (0.5, 0, 0), (0, 0, -0.4))
    skin = Skin(np.zeros((4, 1)), np.ones((4, 1)), [0], np.eye(4)[None])
    mesh = Mesh.from_triangles("m", points, faces, skin=skin)
    pose = np.eye(4)[None].copy()
    pose[0, :3, 3] = centre + np.array([0.2, 1.0, 0.1])
    actor = Actor(
        Character("c", Skeleton(("a",), [-1], [(0, 0, 0)]), (mesh,), (Material(double_sided=True),)), pose
    )
    scene, camera, light = shadow_scene(kit, centre, actor)
    lit = sessions(buffers=("hdr", "id"), **PLAIN, shadow=False).render(scene, camera).buffers
    shaded = sessions(buffers=("hdr", "id"), **PLAIN).render(scene, camera).buffers
    middle, half = pose[0, [0, 2], 3], np.array([0.5, 0.4])
    inside, margin = in_shadow(kit, camera, light, middle - half, middle + half, 1.0)
    floor = (lit["id"] == 0) & np.isfinite(lit["hdr"][..., 0]) & (lit["hdr"][..., 0] > 0.01)
    dark = shaded["hdr"][..., 0] < 0.5 * lit["hdr"][..., 0]
    sure = floor & (margin > 3 * 1.1 / 1024 + 0.02)
    assert (sure & inside).sum() > 200
    np.testing.assert_array_equal(dark[sure], inside[sure])


def test_a_lit_body_does_not_shade_itself(sessions, kit):
    points, faces = kit.sphere(0.5, rings=96)
    ball = kit.actor(points, faces, at=(0, 0.5, 0), normals=points / 0.5)
    light = Light(direction=(-0.2, -0.3, -1.0))
    scene = kit.scene(ball, lights=(light,), **DARK)
    camera = Camera((0, 0.5, 3), (0, 0.5, 0))
    options = {"buffers": ("hdr", "normal", "id"), **PLAIN}
    lit = sessions(**options, shadow=False).render(scene, camera).buffers
    shaded = sessions(**options).render(scene, camera).buffers
    facing = -(lit["normal"] @ (light.direction / np.linalg.norm(light.direction))) > 0.15
    facing &= lit["id"] > 0
    ratio = shaded["hdr"][..., 0][facing] / lit["hdr"][..., 0][facing]
    assert ratio.min() > 0.9


# Ambient occlusion


@pytest.mark.parametrize("mirror", [1.0, -1.0])
def test_the_shadow_map_of_a_closed_body_needs_no_back_faces(sessions, kit, mirror):
    """Cut-out material at full alpha draws both sides: the map must be the same to the last bit."""
    points, faces = kit.sphere(0.5, rings=12)
    pose = np.diag([mirror, 1.3, 1.0, 1.0])
    session, maps = sessions(), {}
    for mode in ("opaque", "mask"):
        body = kit.character(points, faces, material=Material(alpha_mode=mode))
        session.render(
            kit.scene(Actor(body, pose[None], id=1), ground=Ground()), Camera((0, 1, 4), (0, 0, 0))
        )
        with session.device.context:
            maps[mode] = np.frombuffer(session.device.textures["shadow_map"].read(), np.float32)
    assert (maps["mask"] < 1).mean() > 0.1
    np.testing.assert_array_equal(maps["opaque"], maps["mask"])


def test_only_what_is_shut_and_looks_outwards_counts_as_closed(kit):
    from kinetoscope_deferred.meshes import pack

    points, faces = kit.sphere(0.5, rings=12)

    def closed(faces, **mesh):
        return pack(Mesh.from_triangles("m", points, faces, **mesh)).closed

    def carried(bones):
        return Skin(bones[:, None], np.ones((len(points), 1)), np.arange(2), np.tile(np.eye(4), (2, 1, 1)))

    assert closed(faces)
    assert closed(faces, skin=carried((points[:, 1] > 0).astype(int)))
    assert not closed(faces[:, ::-1])
    middle = np.flatnonzero(np.abs(points[faces].mean(axis=1)[:, 1]) < 0.2)[0]
    assert not closed(np.delete(faces, middle, axis=0))
    turned = faces.copy()
    turned[middle] = turned[middle, ::-1]
    assert not closed(turned)
    # The seam's two rows of vertices go with different bones: a pose may open it.
    assert not closed(faces, skin=carried((np.arange(len(points)) % 24 == 23).astype(int)))


def test_occlusion_darkens_a_corner_and_leaves_the_open_floor(sessions, kit):
    wall = kit.actor(*kit.quad((0, 1.5, 0), (6, 0, 0), (0, 1.5, 0)))
    scene = kit.scene(wall, lights=(), ground=Ground(spacing=0))
    camera = Camera((0, 1.6, 3.2), (0, 0.4, 0))
    names = ("hdr", "id", "depth")
    options = {"bloom": False, "fxaa": False}
    plain = sessions("high", buffers=names, **options, ssao=False).render(scene, camera).buffers
    dark = sessions("high", buffers=names, **options).render(scene, camera).buffers
    visible = dark["hdr"][..., 1] / plain["hdr"][..., 1]
    where = camera.position + kit.rays(camera) * plain["depth"][..., None]
    floor = (plain["id"] == 0) & np.isfinite(plain["depth"]) & (np.abs(where[..., 0]) < 2)

    edges = np.array([0.03, 0.1, 0.17, 0.25, 0.35, 0.5, 0.8, 1.3])
    found, expected = [], []
    for low, high in pairwise(edges):
        near = floor & (where[..., 2] > low) & (where[..., 2] < high)
        assert near.sum() > 10
        found.append(np.median(visible[near]))
        expected.append(sky_beside_a_wall(np.median(where[near][:, 2])))
    assert np.corrcoef(found, expected)[0, 1] > 0.9
    assert np.abs(np.array(found) - expected).max() < 0.25
    assert found[0] < 0.75
    assert found[-1] >= 0.97
    assert np.percentile(visible[floor & (where[..., 2] > 0.7)], 5) > 0.9


def test_turning_camera_and_world_together_leaves_occlusion_as_it_is(sessions, kit):
    """Nothing on the floor goes by the axes of the world: seen from all sides it is the same."""
    session = sessions("high", buffers=("hdr",), bloom=False, fxaa=False)

    def seen(degrees):
        turn = np.eye(4)
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        turn[:3, :3] = [[c, 0, s], [0, 1, 0], [-s, 0, c]]
        wall = kit.character(*kit.quad((0, 0.5, 0), (1, 0, 0), (0, 0.5, 0)))
        camera = Camera(turn[:3, :3] @ (0, 1.6, 3.2), (0, 0.4, 0))
        scene = kit.scene(Actor(wall, turn[None]), lights=(), ground=Ground(spacing=0))
        return session.render(scene, camera).buffers["hdr"][..., 1]

    front = seen(0)
    for degrees in (2, 40, 90, 171):
        off = np.abs(seen(degrees) - front) / np.maximum(front, 1e-3)
        assert (off > 0.02).mean() < 0.01  # edges


def sky_beside_a_wall(distance, reach=0.5, count=20000):
    """How much of the sky a floor point sees past a wall, counting only what is within reach (Monte Carlo)."""
    rng = np.random.default_rng(1)
    u, turn = rng.random(count), rng.random(count) * 2 * np.pi
    towards = np.sqrt(u) * np.cos(turn)
    return np.mean(~((towards > 0) & (distance < reach * towards)))


def test_occlusion_works_on_a_quarter_of_the_pixels(sessions, kit):
    work = sessions(buffers=("hdr",)).render(kit.scene(ground=Ground()), FRONT).work
    assert work["ssao.pixels"] == 80 * 45
    assert work["ssao.samples"] == 8 * 80 * 45
    assert work["lighting.pixels"] == 160 * 90
    assert "ssao.pixels" not in sessions(buffers=("hdr",), ssao=False).render(kit.scene(), FRONT).work


def test_fog_hides_what_is_far(sessions, kit):
    plane = kit.actor(*kit.quad((0, 0, 0), (3, 0, 0), (0, 3, 0)))
    scene = kit.scene(plane, lights=(), sky=(1, 1, 1), earth=(1, 1, 1), fog=((0.0, 0.5, 0.0), 0.3))
    render = sessions(buffers=("hdr",), **PLAIN).render
    fog = render(scene, FRONT).buffers["hdr"][45, 80]
    clear = render(attrs.evolve(scene, fog=None), FRONT).buffers["hdr"][45, 80]
    through = np.exp(-0.3 * 4)
    np.testing.assert_allclose(fog, through * clear + (1 - through) * np.array([0, 0.5, 0]), rtol=0.01)
