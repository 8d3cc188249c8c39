"""Pictures against what geometry and radiometry say, and against the renderer on OpenGL."""

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinetoscope_raster.renderer import RasterRenderer
from kinetoscope_spec import Camera, ConfigError, Ground, Light, Material, ProviderUnavailable, Scene

SIZE = (160, 90)
DARK = {"sky": np.zeros(3), "earth": np.zeros(3)}
PLAIN = dict.fromkeys(("ssao", "bloom", "fxaa", "tonemap"), False)
DOWN = Camera(position=(0.0, 4.0, 0.0), target=(0.0, 0.0, 0.0), up=(0.0, 0.0, -1.0))


def draw(scene, camera, buffers=(), *, size=SIZE, quality="medium", **passes):
    with RasterRenderer().open(size, quality, buffers=buffers, passes=passes) as session:
        return session.render(scene, camera)


def mixed(kit):
    lights = (Light(), Light(kind="point", position=(-1.0, 0.7, 1.0), intensity=4.0, radius=3.0))
    spot = Light(kind="spot", position=(1.5, 2.0, 1.0), direction=(-0.3, -1.0, -0.6), intensity=20.0)
    things = (
        kit.actor(kit.ball(), at=(0, 0.6, 0), number=3),
        kit.actor(kit.ball(), at=(1, 0.5, -1), number=9),
    )
    return Scene(actors=things, ground=Ground(), lights=(*lights, spot))


VIEW = Camera(position=(1.2, 1.6, 3.2), target=(0.0, 0.5, 0.0))


def test_pictures_do_not_depend_on_the_number_of_threads(kit):
    import numba

    names = ("depth", "normal", "albedo", "material", "id", "hdr")
    before = numba.get_num_threads()
    frames = []
    try:
        for count in sorted({1, before}):
            numba.set_num_threads(count)
            frames.append(draw(mixed(kit), VIEW, names))
    finally:
        numba.set_num_threads(before)
    for frame in frames[1:]:
        assert np.array_equal(frame.color, frames[0].color)
        for name in names:
            assert np.array_equal(frame.buffers[name], frames[0].buffers[name]), name


@given(st.floats(-0.6, 0.6), st.floats(-0.3, 0.3), st.floats(2.0, 6.0))
@settings(max_examples=10, deadline=None)
def test_a_ball_is_where_rays_meet_it(kit, x, y, away):
    camera = Camera(position=(0.0, 0.0, 0.0), target=(0.0, 0.0, -1.0))
    centre = np.array([x, y, -away])
    scene = Scene(actors=(kit.actor(kit.ball(), at=centre, number=7),))
    held = draw(scene, camera, ("depth", "normal", "id"), quality="draft").buffers
    tangent = np.tan(camera.field_of_view / 2)
    across = ((np.arange(SIZE[0]) + 0.5) / SIZE[0] * 2 - 1) * tangent * SIZE[0] / SIZE[1]
    upward = (1 - (np.arange(SIZE[1]) + 0.5) / SIZE[1] * 2) * tangent
    rays = np.stack([*np.meshgrid(across, upward), np.full(SIZE[::-1], -1.0)], axis=-1)
    a, b = (rays**2).sum(-1), rays @ centre
    c = centre @ centre - 0.25
    reach = b**2 - a * c
    inside = reach > 0.02 * a * c / away**2
    assert (held["id"][inside] == 7).all()
    assert (held["id"][reach < 0] == 0).all()
    depth = (b[inside] - np.sqrt(reach[inside])) / a[inside]
    np.testing.assert_allclose(held["depth"][inside], depth, atol=4e-3)
    outward = (rays[inside] * depth[:, None] - centre) / 0.5
    assert (np.sum(outward * held["normal"][inside], axis=-1) > np.cos(np.radians(1.5))).all()


def test_light_falls_with_the_square_of_the_distance(kit):
    rough = Material("rough", base_color=np.array([0.5, 0.5, 0.5, 1.0]), roughness=1.0)
    floor = kit.actor(kit.sheet(), material=rough)
    got = []
    for height in (1.0, 2.0):
        lamp = Light(kind="point", position=(0.0, height, 0.0), intensity=1.0, radius=1000.0)
        held = draw(Scene(actors=(floor,), lights=(lamp,), **DARK), DOWN, ("hdr",), **PLAIN).buffers["hdr"]
        got.append(held[SIZE[1] // 2, SIZE[0] // 2, 0])
    assert got[0] / got[1] == pytest.approx(4.0, rel=0.01)
    # Lambert's share is albedo / pi; the rest is what little a rough surface mirrors.
    assert 0.5 / np.pi * 0.9 < got[0] < 0.5 / np.pi * 1.2


def test_many_weak_lights_are_one_strong_one(kit):
    scene = Scene(actors=(kit.actor(kit.sheet()), kit.actor(kit.ball(), at=(0, 0.5, 0), number=2)), **DARK)
    one = Light(kind="point", position=(0.7, 1.5, 0.4), intensity=6.0, radius=4.0)
    weak = (attrs.evolve(one, intensity=0.006),) * 1000
    strong = draw(attrs.evolve(scene, lights=(one,)), DOWN, ("hdr",), **PLAIN).buffers["hdr"]
    summed = draw(attrs.evolve(scene, lights=weak), DOWN, ("hdr",), **PLAIN).buffers["hdr"]
    np.testing.assert_allclose(summed, strong, rtol=1e-4, atol=1e-6)


def test_the_sun_casts_the_shadow_where_geometry_puts_it(kit):
    way = np.array([0.5, -1.0, 0.0])
    floor, held = kit.actor(kit.sheet()), kit.actor(kit.sheet(0.3), at=(0.0, 1.0, 0.0), number=2)
    scene = Scene(actors=(floor, held), lights=(Light(direction=way, intensity=3.0),), **DARK)
    frame = draw(scene, DOWN, ("hdr", "id", "depth"), size=(240, 240), quality="high", **PLAIN)
    tangent = np.tan(DOWN.field_of_view / 2)
    across = ((np.arange(240) + 0.5) / 120 - 1) * tangent * 4.0
    x, z = np.meshgrid(across, across)
    dark = frame.buffers["hdr"][..., 0] < 0.05
    off = np.maximum(np.abs(x - 0.5), np.abs(z)) - 0.3  # the square, a metre up, moved by half of that
    ground = (frame.buffers["id"] == 1) & (np.maximum(np.abs(x), np.abs(z)) < 1.6)
    assert dark[ground & (off < -0.02)].all()
    assert not dark[ground & (off > 0.02)].any()


def test_glow_needs_more_light_than_white(kit):
    def shown(power, **passes):
        lamp = Material("lamp", base_color=np.array([0.0, 0.0, 0.0, 1.0]), emissive=np.full(3, power))
        ball = kit.actor(kit.ball(), material=lamp)
        scene = Scene(actors=(ball,), lights=(), background=np.array([0.0, 0.0, 0.0, 1.0]), **DARK)
        return draw(scene, DOWN, ("id",), fxaa=False, ssao=False, **passes)

    dim, bright = shown(0.9), shown(20.0)
    beside = dim.buffers["id"] == 0
    assert (dim.color[beside][:, :3] == 0).all()
    assert bright.color[beside][:, :3].max() > 20
    assert (shown(20.0, bloom=False).color[beside][:, :3] == 0).all()


def test_a_corner_is_darker_than_an_open_floor(kit):
    scene = Scene(actors=(kit.actor(kit.sheet()), kit.actor(kit.ball(), at=(0, 0.5, 0), number=2)), lights=())
    camera = Camera(position=(0.0, 1.5, 3.0), target=(0.0, 0.3, 0.0))
    shaded, plain = (
        draw(scene, camera, ("hdr",), ssao=on).buffers["hdr"].mean(axis=-1) for on in (True, False)
    )
    x, y, _ = camera.project(np.array([[0.0, 0.0, 0.25], [1.4, 0.0, 0.5]]), SIZE).astype(int).T
    assert shaded[y[0], x[0]] < 0.85 * plain[y[0], x[0]]
    assert shaded[y[1], x[1]] > 0.97 * plain[y[1], x[1]]


def test_images_lie_with_their_first_row_at_v_0(kit):
    points, faces = kit.sheet(1.0)
    image = np.zeros((2, 2, 3), np.uint8)
    image[0, 0], image[0, 1], image[1, 0], image[1, 1] = (
        (255, 0, 0),
        (0, 255, 0),
        (0, 0, 255),
        (255, 255, 255),
    )
    uvs = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], float)
    painted = Material("painted", base_color=np.ones(4), base_color_image=image)
    floor = kit.actor((points, faces), material=painted, uvs=uvs)
    albedo = draw(Scene(actors=(floor,)), DOWN, ("albedo",)).buffers["albedo"]
    x, y, _ = DOWN.project(np.array([[-0.5, 0, -0.5], [0.5, 0, -0.5], [-0.5, 0, 0.5]]), SIZE).astype(int).T
    np.testing.assert_allclose(albedo[y, x], np.eye(3), atol=0.15)


@pytest.mark.gl
def test_buffers_are_those_of_the_renderer_on_opengl(kit):
    deferred = pytest.importorskip("kinetoscope_deferred.renderer")
    names = ("depth", "normal", "albedo", "id")
    scene = attrs.evolve(mixed(kit), ground=None)
    ours = draw(scene, VIEW, names)
    try:
        session = deferred.DeferredRenderer().open(SIZE, "medium", buffers=names)
    except ProviderUnavailable as error:
        pytest.skip(f"no OpenGL driver: {error}")
    with session:
        theirs = session.render(scene, VIEW)
    a, b = ours.buffers, theirs.buffers
    assert (a["id"] != b["id"]).mean() < 1e-3
    both = (a["id"] == b["id"]) & (a["id"] > 0)
    assert np.percentile(np.abs(a["depth"] / np.where(both, b["depth"], 1) - 1)[both], 99) < 5e-4
    cosine = np.clip(np.sum(a["normal"].astype(float) * b["normal"], axis=-1)[both], -1, 1)
    assert np.degrees(np.percentile(np.arccos(cosine), 99)) < 0.3
    assert np.abs(a["albedo"] - b["albedo"])[both].max() < 0.01
    assert np.percentile(np.abs(ours.color.astype(int) - theirs.color)[both], 95) < 12


def test_a_lamp_has_faded_to_nothing_at_its_radius(kit):
    def shown(radius):
        lamp = Light(kind="point", position=(0.0, 1.0, 0.0), intensity=1.0, radius=radius)
        scene = Scene(actors=(kit.actor(kit.sheet()),), lights=(lamp,), **DARK)
        return draw(scene, DOWN, ("hdr",), **PLAIN).buffers["hdr"][SIZE[1] // 2, SIZE[0] // 2, 0]

    assert shown(0.99) == 0.0
    assert shown(2.0) / shown(1000.0) == pytest.approx((1 - 1 / 16) ** 2, rel=0.01)


def test_a_mirrored_ball_has_its_normals_outside(kit):
    ball = kit.actor(kit.ball())
    mirrored = attrs.evolve(ball, pose=ball.pose * np.array([-1.0, 1.0, 1.0, 1.0]))
    normals = [draw(Scene(actors=(each,)), DOWN, ("normal",)).buffers["normal"] for each in (ball, mirrored)]
    np.testing.assert_allclose(normals[1], normals[0], atol=0.1)
    assert normals[1][SIZE[1] // 2, SIZE[0] // 2, 1] > 0.99


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"device": "gpu"}, "no option 'device': it draws on the processor"),
        ({"pases": {}}, "no option 'pases'.*did you mean 'passes'"),
        ({"passes": {"outline": False}}, "passes names 'outline', expected some of shadow"),
    ],
)
def test_what_it_does_not_have_is_said(options, said):
    with pytest.raises(ConfigError, match=said):
        RasterRenderer().open(SIZE, **options)
