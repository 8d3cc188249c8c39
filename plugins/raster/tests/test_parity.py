"""What both renderers draw: ribbons, motion, glow and the floor, each against the one on OpenGL."""

import attrs
import numpy as np
import pytest

from kinetoscope_raster.renderer import RasterRenderer
from kinetoscope_spec import Camera, Ground, Light, Material, ProviderUnavailable, Scene, ValidationError
from kinetoscope_spec.environment import Environment

SIZE = (160, 90)
VIEW = Camera(position=(0.4, 1.6, 3.2), target=(0.0, 0.4, 0.0))
RIBBON = [
    {"points": np.array([[-1.2, 0.6], [0.0, 0.9], [1.2, 0.3]]), "color": (0.9, 0.1, 0.05), "width": 0.2}
]
MARKS = {
    "trajectory": RIBBON,
    "bones": {
        "points": np.array([[[-0.8, 0.1, 0.9], [0.9, 0.9, 0.6]]]),
        "color": (0.9, 0.1, 0.05),
        "width": 0.2,
    },
    "contacts": {
        "points": np.array([[-0.5, 0.0, 0.9], [0.8, 0.0, 1.0]]),
        "color": (0.9, 0.1, 0.05),
        "width": 0.5,
    },
    "velocities": {
        "points": np.array([[[-0.7, 0.2, 0.9], [6.0, 2.0, 0.0]]]),
        "color": (0.9, 0.1, 0.05),
        "width": 0.15,
    },
    "axes": {
        "matrices": np.eye(4)[None] + [[0, 0, 0, -0.4], [0] * 4, [0, 0, 0, 1.0], [0] * 4],
        "length": 1.0,
        "width": 0.2,
    },
    "text": {"strings": ["Kino"], "points": [[0.1, 0.2, 1.2]], "color": (0.9, 0.1, 0.05), "size": 0.6},
}


def drawn(scene, camera=VIEW, buffers=("hdr",), size=SIZE, **passes):
    """Return the frames of `raster` and `deferred`, which draw every triangle here."""
    deferred = pytest.importorskip("kinetoscope_deferred.renderer")
    frames = []
    for renderer in (RasterRenderer, deferred.DeferredRenderer):
        try:
            with renderer().open(size, "medium", buffers=buffers, passes=passes | {"lod": False}) as session:
                frames.append(session.render(scene, camera))
        except ProviderUnavailable as error:
            pytest.skip(f"no OpenGL driver: {error}")
    return frames


@pytest.mark.gl
@pytest.mark.parametrize("kind", MARKS)
def test_marks_are_the_same_on_opengl(kit, kind):
    ball = kit.actor(kit.ball(0.3), at=(0.0, 0.3, 0.8), number=2)
    scene = Scene(actors=(ball,), ground=Ground(), annotations={kind: MARKS[kind]})
    names = ("id", "depth", "normal", "albedo")
    ours, theirs = (frame.buffers for frame in drawn(scene, buffers=names))
    red = (theirs["albedo"][..., 0] > 0.85) & (theirs["id"] == 0)
    assert red.mean() > 0.01
    same = (ours["id"] == theirs["id"]) & (np.abs(ours["albedo"] - theirs["albedo"]).max(axis=-1) < 0.02)
    assert same[red].mean() > 0.97
    inner = red & same
    np.testing.assert_allclose(ours["depth"][inner], theirs["depth"][inner], rtol=1e-3)
    assert (np.abs(ours["normal"][inner] - [0, 1, 0]) < 1e-3).all()
    with RasterRenderer().open(SIZE, "medium", buffers=names, passes={"annotations": False}) as session:
        assert (session.render(scene, VIEW).buffers["albedo"][red][:, 0] < 0.85).all()


def test_a_wrong_trajectory_is_said():
    scene = Scene(annotations={"trajectory": np.zeros((3, 4))})
    with RasterRenderer().open(SIZE) as session, pytest.raises(ValidationError, match="trajectory"):
        session.render(scene, VIEW)


def test_letters_stand_where_a_pinhole_puts_their_strokes():
    size, place, camera = (320, 180), np.array([0.3, 0.5, 0.2]), Camera((1.0, 1.4, 3.0), (0.1, 0.7, 0.0))
    scene = Scene(annotations={"text": {"strings": ["TIE"], "points": [place], "pixels": 40}})
    with RasterRenderer().open(size, "draft", buffers=("albedo", "depth")) as session:
        frame = session.render(scene, camera).buffers
        plain = session.render(attrs.evolve(scene, annotations={}), camera).color
        np.testing.assert_array_equal(
            session.render(attrs.evolve(scene, annotations={"text": []}), camera).color, plain
        )
    ahead = np.subtract(camera.target, camera.position)
    ahead /= np.linalg.norm(ahead)
    right = np.cross(ahead, [0, 1, 0]) / np.hypot(ahead[0], ahead[2])
    focal = 0.5 * size[1] / np.tan(0.5 * camera.field_of_view)
    seen = np.array([right, np.cross(right, ahead), ahead]) @ (place - camera.position)
    foot = np.array([0.5 * size[0], 0.5 * size[1]]) + focal * seen[:2] / seen[2] * [1, -1]
    ink = frame["albedo"][..., 0] > 0.85
    rows, columns = np.nonzero(ink)
    # T, I and E are 4, 2 and 4 units wide of 6 high, two apart, in strokes a tenth as wide as letters are high.
    wide = 40 * (14 / 6 + 0.1)
    assert columns.min() == pytest.approx(foot[0] - wide / 2, abs=2)
    assert columns.max() == pytest.approx(foot[0] + wide / 2, abs=2)
    assert rows.min() == pytest.approx(foot[1] - 42, abs=2)
    assert rows.max() == pytest.approx(foot[1] + 2, abs=2)
    stem = ink[int(foot[1]) - 30]
    assert stem[int(foot[0] - 40 * 5 / 6)]  # of the T
    assert stem[int(foot[0])]  # of the I
    assert not stem[int(foot[0] - 40 * 2.5 / 6)]
    np.testing.assert_allclose(frame["depth"][ink], seen[2], rtol=0.05)


@pytest.mark.gl
def test_motion_is_the_same_on_opengl(kit):
    ball = kit.actor(kit.ball(0.4), at=(0.1, 0.5, 0.2), number=2)
    before = ball.pose.copy()
    before[0, :3, 3] -= (0.2, 0.05, -0.1)
    glows = Material("glows", emissive=np.ones(3))
    lamp = kit.actor(kit.ball(0.1), at=(0.9, 0.3, 0.2), number=3, material=glows)
    scene = Scene(actors=(attrs.evolve(ball, previous_pose=before), lamp), ground=Ground())
    for actors in (scene.actors, scene.actors[:1]):
        ours, theirs = (
            frame.buffers for frame in drawn(attrs.evolve(scene, actors=actors), buffers=("motion", "id"))
        )
        both = (ours["id"] == 2) & (theirs["id"] == 2)
        assert np.abs(theirs["motion"][both]).max() > 3
        np.testing.assert_allclose(ours["motion"][both], theirs["motion"][both], atol=2e-2)
        assert np.abs(ours["motion"][ours["id"] != 2]).max() < 1e-4
        assert np.abs(theirs["motion"][theirs["id"] != 2]).max() < 1e-4


@pytest.mark.gl
@pytest.mark.parametrize("power", [3.0, 40.0])
def test_glow_is_that_of_opengl(kit, power):
    glows = Material("glows", base_color=np.array([0, 0, 0, 1.0]), emissive=np.array([power, power / 2, 0]))
    lamp = kit.actor(kit.ball(0.2), at=(0.0, 0.5, 0.0), number=3, material=glows)
    dark = np.zeros(3)
    scene = Scene(actors=(lamp,), lights=(), sky=dark, earth=dark, background=np.array([0.0, 0.0, 0.0, 1.0]))
    ours, theirs = (frame.color.astype(int) for frame in drawn(scene, fxaa=False))
    beside = drawn(scene, buffers=("id",))[0].buffers["id"] == 0
    assert theirs[beside].max() > 30
    assert np.percentile(np.abs(ours - theirs).max(axis=-1)[beside], 95) <= 6


@pytest.mark.gl
def test_the_floor_fades_as_on_opengl():
    far = Camera(position=(0.0, 1.7, 0.0), target=(0.0, 1.5, -3.0))
    ours, theirs = (frame.color.astype(int) for frame in drawn(Scene(ground=Ground()), far, ssao=False))
    assert np.percentile(np.abs(ours - theirs).max(axis=-1), 98) <= 4


def test_blended_surfaces_are_dithered_where_their_pass_is_off(kit):
    half = Material("half", base_color=np.array([1.0, 1.0, 1.0, 0.3]), alpha_mode="blend")
    veil = kit.actor(kit.sheet(3.0), number=4, material=half)
    down = Camera(position=(0.0, 4.0, 0.0), target=(0.0, 0.0, 0.0), up=(0.0, 0.0, -1.0))
    off = {"transparent": False}
    with RasterRenderer().open(SIZE, "draft", buffers=("id",), passes=off) as session:
        ids = session.render(Scene(actors=(veil,)), down).buffers["id"]
    assert (ids[20:70, 40:120] == 4).mean() == pytest.approx(0.3, abs=0.02)


LAMPS = (
    Light(direction=np.array([0.3, -1.0, -0.4])),
    Light(kind="point", position=np.array([0.6, 1.2, 0.9]), intensity=3.0, radius=4.0),
    Light(
        kind="spot", position=np.array([-0.8, 2.0, 0.6]), direction=np.array([0.4, -1.0, -0.2]), intensity=6.0
    ),
)


@pytest.mark.gl
def test_glass_is_the_same_on_opengl(kit):
    """Balls in each other and half in the floor, of which one has an image with holes, under lamps, in fog."""
    rng = np.random.default_rng(2)
    image = rng.integers(0, 256, (8, 8, 4), dtype=np.uint8)
    image[::2, ::2, 3] = 0
    around = kit.ball(0.3)
    uvs = around[0][:, :2] * 2
    surfaces = [
        Material(
            "glass", np.array([0.2, 0.6, 0.9, 0.4]), alpha_mode="blend", roughness=0.2, double_sided=True
        ),
        Material("net", np.ones(4), alpha_mode="blend", base_color_image=image, double_sided=True),
        Material(
            "glow", np.array([0.1, 0.1, 0.1, 0.5]), alpha_mode="blend", emissive=np.array([0.5, 0.2, 0.0])
        ),
    ]
    balls = [
        kit.actor(around, at=(0.25 * i - 0.3, 0.2 + 0.15 * i, 0.3 * i), number=i + 2, material=m, uvs=uvs)
        for i, m in enumerate(surfaces)
    ]
    solid = kit.actor(kit.ball(0.25), at=(0.1, 0.3, 0.1), number=9)
    scene = Scene(
        actors=(*balls, solid),
        ground=Ground(),
        lights=LAMPS,
        fog=((0.3, 0.4, 0.5), 0.05),
        background=np.zeros(4),
    )
    ours, theirs = drawn(scene, buffers=("hdr", "depth", "id"), ssao=False)
    assert ours.work["transparent.layers"] == theirs.work["transparent.layers"] == 5
    off = np.abs(ours.buffers["hdr"] - theirs.buffers["hdr"]).max(axis=-1)
    assert (off > 0.03).mean() < 0.004  # outlines
    alone = drawn(attrs.evolve(scene, actors=(solid,)), buffers=("hdr", "depth", "id"), ssao=False)
    for frame, without in zip((ours, theirs), alone, strict=True):
        assert np.abs(frame.buffers["hdr"] - without.buffers["hdr"]).max(axis=-1).mean() > 0.01
        np.testing.assert_array_equal(frame.buffers["depth"], without.buffers["depth"])
        np.testing.assert_array_equal(frame.buffers["id"], without.buffers["id"])
    # What is seen through covers in part, where there is nothing behind it, too.
    alpha = ours.color[..., 3].astype(int)
    assert ((alpha > 20) & (alpha < 235)).mean() > 0.01
    assert np.percentile(np.abs(alpha - theirs.color[..., 3]), 99) <= 3


@pytest.mark.gl
@pytest.mark.parametrize("turn", [0.0, 0.7])
@pytest.mark.parametrize("mirrored", [False, True])
def test_maps_bend_normals_and_vary_surfaces(kit, turn, mirrored):
    """Against glTF's words: x along u, y upwards in the image, z off the surface; green rough, blue metallic."""
    bump, finish, lamp = (0.5, 0.3, 0.8), (64, 128, 255), (255, 188, 0)
    length = np.linalg.norm(bump)
    images = {
        "normal_image": np.round(127.5 * (np.array(bump) / length + 1)),
        "metallic_roughness_image": np.array(finish),
        "emissive_image": np.array(lamp),
    }
    surface = Material(
        "mapped", np.array([0.5, 0.5, 0.5, 1.0]), metallic=0.5, roughness=0.8, emissive=np.full(3, 2.0),
        normal_scale=0.7, **{name: np.tile(rgb.astype(np.uint8), (4, 4, 1)) for name, rgb in images.items()},
    )  # fmt: skip
    # Of the level sheet x is right and -z upwards in the image, or both turned about its middle.
    c, s = np.cos(turn), np.sin(turn)
    sheet, faces = kit.sheet(1.5)
    flat = np.stack([sheet[:, 0], sheet[:, 2]], axis=1) @ np.array([[c, -s], [s, c]])
    uvs = 0.5 + flat / 3.0 * ([-1, 1] if mirrored else [1, 1])
    actor = kit.actor((sheet, faces), material=surface, uvs=uvs, normals=np.tile([0.0, 1.0, 0.0], (4, 1)))
    names = ("normal", "material", "hdr")
    scene = Scene(actors=(actor,), lights=(), sky=np.zeros(3), earth=np.zeros(3))
    along = np.array([c, 0.0, s]) * (-1 if mirrored else 1)
    upward = np.array([s, 0.0, -c])
    expected = 0.7 * bump[0] * along + 0.7 * bump[1] * upward + bump[2] * np.array([0.0, 1.0, 0.0])
    expected /= np.linalg.norm(expected)
    for frame in drawn(scene, DOWN, buffers=names, ssao=False):
        middle = {name: frame.buffers[name][35:55, 70:90].reshape(-1, 3) for name in names}
        assert np.abs(middle["normal"] - expected).max() < 0.02
        assert np.abs(middle["material"][:, :2] - [0.8 * 128 / 255, 0.5]).max() < 0.01
        linear = [1.0, ((188 / 255 + 0.055) / 1.055) ** 2.4, 0.0]
        np.testing.assert_allclose(middle["hdr"], np.tile(2.0 * np.array(linear), (400, 1)), atol=0.02)


@pytest.mark.gl
def test_maps_on_a_round_body_are_the_same_on_opengl(kit):
    rng = np.random.default_rng(8)
    normals = np.stack(
        [rng.integers(40, 216, (5, 5)), rng.integers(40, 216, (5, 5)), np.full((5, 5), 220)], -1
    )
    surface = Material(
        "mapped", np.ones(4), normal_image=normals.astype(np.uint8),
        metallic_roughness_image=rng.integers(0, 256, (8, 8, 3), dtype=np.uint8), wrap=("mirror", "repeat"),
    )  # fmt: skip
    points, faces = kit.ball(0.6)
    uvs = np.stack([np.arctan2(points[:, 2], points[:, 0]), np.arccos(points[:, 1] / 0.6)], axis=-1)
    ball = kit.actor((points, faces), at=(0.0, 0.6, 0.0), material=surface, uvs=uvs, normals=points / 0.6)
    ours, theirs = (
        f.buffers for f in drawn(Scene(actors=(ball,)), buffers=("normal", "material", "id"), ssao=False)
    )
    both = (ours["id"] > 0) & (theirs["id"] > 0)
    plain = drawn(Scene(actors=(attrs.evolve(ball, character=attrs.evolve(ball.character, materials=())),)),
                  buffers=("normal",))[0].buffers  # fmt: skip
    bends = (ours["normal"] * plain["normal"]).sum(axis=-1)[both]
    assert np.median(bends) < 0.97
    assert np.median((ours["normal"] * theirs["normal"]).sum(axis=-1)[both]) > 0.998
    assert np.median(np.abs(ours["material"] - theirs["material"])[both]) < 0.01


@pytest.mark.gl
def test_light_from_all_around_is_the_same_on_opengl(kit):
    rng = np.random.default_rng(3)
    environment = Environment(np.kron(rng.random((6, 12, 3)) ** 3 * 4, np.ones((4, 4, 1))))
    surfaces = [
        Material("m", np.array([0.8, 0.6, 0.4, 1.0]), m, r) for m in (0.0, 1.0) for r in (0.0, 0.4, 1.0)
    ]
    balls = [
        kit.actor(
            kit.ball(0.3), at=(0.7 * (i % 3) - 0.7, 0.3 + 0.7 * (i // 3), 0.0), number=i + 1, material=m
        )
        for i, m in enumerate(surfaces)
    ]
    scene = Scene(actors=balls, ground=Ground(), environment=environment, lights=LAMPS[1:])
    ours, theirs = (frame.buffers for frame in drawn(scene, buffers=("hdr", "id"), ssao=False))
    both = ours["id"] == theirs["id"]
    off = np.abs(ours["hdr"] - theirs["hdr"]).max(axis=-1)[both]
    assert np.percentile(off, 99) < 0.03
    assert theirs["hdr"][theirs["id"] > 0].std() > 0.1


@pytest.mark.gl
def test_what_stands_behind_everything_is_the_same_on_opengl(kit):
    """Behind a floor that fades, a veil, and frames that look beside their pixels' centres."""
    rng = np.random.default_rng(5)
    image = np.kron(rng.random((8, 16, 3)) * 2, np.ones((4, 4, 1)))
    veil = Material("veil", base_color=np.array([0.2, 0.8, 0.2, 0.4]), alpha_mode="blend")
    ball = kit.actor(kit.ball(0.4), at=(0.3, 0.6, 0.5), material=veil)
    scene = Scene(actors=(ball,), ground=Ground(spacing=0.0), environment=Environment(image, seen=True))
    camera = Camera(position=(0.4, 1.6, 3.2), target=(0.0, 1.5, 0.0))
    for tilt in (0.0, 4.0):  # up, and round the pole
        seen = attrs.evolve(camera, target=np.array([0.0, 1.5 + tilt, 0.0]))
        ours, theirs = drawn(scene, seen, buffers=("hdr", "depth"), ssao=False)
        off = np.abs(ours.buffers["hdr"] - theirs.buffers["hdr"]).max(axis=-1)
        assert np.percentile(off, 99) < 0.02
        assert np.isinf(theirs.buffers["depth"]).mean() > 0.3
        assert (ours.color[..., 3] == 255).all()
        assert (theirs.color[..., 3] == 255).all()


@pytest.mark.gl
@pytest.mark.parametrize("metallic", [0.0, 1.0])
def test_even_light_is_returned_as_the_sum_over_all_directions_says(kit, metallic):
    """A level surface under light that is 1 from everywhere, seen from steep to flat."""
    for roughness in (0.1, 0.5, 1.0):
        surface = Material("even", np.array([0.9, 0.5, 0.2, 1.0]), metallic, roughness)
        floor = kit.actor(kit.sheet(8.0), material=surface)
        scene = Scene(actors=(floor,), lights=(), sky=np.ones(3), earth=np.ones(3))
        camera = Camera(position=(0.0, 1.0, 3.0), target=(0.0, 0.0, 1.8))
        for frame in drawn(scene, camera, buffers=("hdr", "id", "depth"), ssao=False):
            seen = frame.buffers["id"] > 0
            rows = np.flatnonzero(seen[:, SIZE[0] // 2])
            for row in rows[[2, len(rows) // 2, -3]]:
                away = frame.buffers["depth"][row, SIZE[0] // 2]
                up = (1.0 - (2 * row + 1) / SIZE[1]) * np.tan(camera.field_of_view / 2)
                cosine = 1.0 / (away * np.hypot(1.0, up))  # the camera is a metre above the floor
                gain, bias = shine(roughness, cosine)
                albedo = surface.base_color[:3]
                f0 = 0.04 + (albedo - 0.04) * metallic
                expected = albedo * (1 - metallic) + f0 * gain + bias
                np.testing.assert_allclose(
                    frame.buffers["hdr"][row, SIZE[0] // 2], expected, rtol=0.02, atol=0.01
                )


def shine(roughness, cosine):
    """Sum GGX with Smith's masking over half vectors, on a fine grid: what is mirrored of light that is even."""
    a2 = max(roughness**2, 2e-3) ** 2
    share, turn = np.meshgrid((np.arange(1000) + 0.5) / 1000, (np.arange(200) + 0.5) / 200 * np.pi)
    nh = np.sqrt((1 - share) / (1 + (a2 - 1) * share))
    vh = np.sqrt(1 - cosine**2) * np.sqrt(1 - nh**2) * np.cos(turn) + cosine * nh
    nl = 2 * vh * nh - cosine
    lit = (nl > 0) & (vh > 0)
    nl, vh = np.where(lit, nl, 1), np.where(lit, vh, 1)
    smith = nl * np.sqrt(cosine**2 * (1 - a2) + a2) + cosine * np.sqrt(nl**2 * (1 - a2) + a2)
    weight = np.where(lit, 2 * nl * vh / (nh * smith), 0)
    fresnel = (1 - vh) ** 5
    return (weight * (1 - fresnel)).mean(), (weight * fresnel).mean()


@pytest.mark.gl
def test_shadows_into_the_distance_are_the_same_on_opengl(kit):
    """Several squares of the sun's map, with a caster across each seam."""
    balls = [
        kit.actor(kit.ball(0.5, rings=12), at=(x, 0.6, -z), number=i + 1)
        for i, (x, z) in enumerate(
            [(0.5, 0), (-1.5, 2), (1, 4), (-2, 6), (2, 9), (-3, 13), (3, 20), (-6, 33)]
        )
    ]
    sun = Light(direction=np.array([-0.8, -0.6, 0.2]))
    scene = Scene(actors=balls, lights=(sun,), ground=Ground(spacing=0.0))
    camera = Camera(position=(0.0, 3.0, 4.0), target=(0.0, 0.0, -8.0))
    for size in ((160, 90), (640, 360)):
        ours, theirs = drawn(scene, camera, buffers=("hdr", "id"), size=size, ssao=False)
        assert ours.work["shadow.cascades"] == theirs.work["shadow.cascades"]
        floor = (ours.buffers["id"] == 0) & (theirs.buffers["id"] == 0)
        off = np.abs(ours.buffers["hdr"] - theirs.buffers["hdr"]).max(axis=-1)
        assert (off[floor] > 0.05).mean() < 0.002
        assert (ours.buffers["hdr"][floor][:, 1] < 0.3).mean() > 0.02
    assert ours.work["shadow.cascades"] > 1


@pytest.mark.gl
def test_blended_surfaces_that_cover_everything_are_opaque(kit):
    solid = Material("hair", np.ones(4), alpha_mode="blend")
    ball = kit.actor(kit.ball(0.3), at=(0.0, 0.4, 0.0), number=5, material=solid)
    for frame in drawn(Scene(actors=(ball,)), buffers=("id",)):
        assert (frame.buffers["id"] == 5).mean() > 0.01
        assert frame.work["transparent.layers"] == 0


DOWN = Camera(position=(0.0, 4.0, 0.0), target=(0.0, 0.0, 0.0), up=(0.0, 0.0, -1.0))


@pytest.mark.gl
@pytest.mark.parametrize("wrap", [("repeat", "clamp"), ("clamp", "mirror"), ("mirror", "repeat")])
def test_images_go_on_beyond_their_edges_as_on_opengl(kit, wrap):
    """Also as NumPy pads: what is seen around the middle is the padded image, one texel a patch."""
    rng = np.random.default_rng(5)
    image = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    surface = Material("tiles", np.ones(4), base_color_image=image, wrap=wrap)
    uvs = np.array([[-1.0, 2.0], [2.0, 2.0], [2.0, -1.0], [-1.0, -1.0]])
    sheet = kit.actor(kit.sheet(1.5), material=surface, uvs=uvs)
    ours, theirs = (
        frame.buffers["albedo"] for frame in drawn(Scene(actors=(sheet,)), DOWN, buffers=("albedo",))
    )
    assert np.percentile(np.abs(ours - theirs).max(axis=-1), 97) < 0.03
    modes = {"repeat": "wrap", "clamp": "edge", "mirror": "symmetric"}
    padded = np.pad(image, ((0, 0), (4, 4), (0, 0)), modes[wrap[0]])
    padded = np.pad(padded, ((4, 4), (0, 0), (0, 0)), modes[wrap[1]]) / 255.0
    linear = np.where(padded <= 0.04045, padded / 12.92, ((padded + 0.055) / 1.055) ** 2.4)
    places = (np.arange(12) + 0.5) / 12 * 3 - 1.5
    x, z = np.meshgrid(places, places)
    pixels = DOWN.project(np.stack([x, 0 * x, z], axis=-1), SIZE)[..., :2].astype(int)
    found = ours[pixels[..., 1], pixels[..., 0]]
    assert np.abs(found - linear).max() < 0.16  # a pixel lies off a texel's middle: neighbours come in
    assert np.abs(found - linear).mean() < 0.03


@pytest.mark.gl
@pytest.mark.parametrize("mode", ["mask", "blend"])
def test_what_is_cut_out_casts_its_own_shadow(kit, mode):
    image = np.full((64, 64, 4), 255, np.uint8)
    image[16:48, 16:48, 3] = 0
    surface = Material("frame", np.ones(4), base_color_image=image, alpha_mode=mode, double_sided=True)
    uvs = np.array([[0.0, 1.0], [1.0, 1.0], [1.0, 0.0], [0.0, 0.0]])
    sheet = kit.actor(kit.sheet(0.5), at=(0.0, 1.0, 0.0), material=surface, uvs=uvs)
    sun = Light(direction=np.array([1.0, -1.0, 0.0]))
    scene = Scene(actors=(sheet,), lights=(sun,), ground=Ground(spacing=0.0))
    ours, theirs = (f.buffers for f in drawn(scene, DOWN, buffers=("hdr", "id"), ssao=False))
    both = (ours["id"] == 0) & (theirs["id"] == 0)
    off = np.abs(ours["hdr"] - theirs["hdr"]).max(axis=-1) > 0.05
    assert (off & both).sum() < 0.01 * both.sum()
    # The sun goes a metre to the right while it comes down: the hole's middle falls on x = 1.
    for x, lit in ((1.0, True), (1.4, False), (1.7, True)):
        column, row, _ = DOWN.project(np.array([x, 0.0, 0.0]), SIZE).astype(int)
        assert (ours["hdr"][row, column, 1] > 0.25) == lit


@pytest.mark.gl
def test_shapes_of_the_rest_pose_are_brought_in(kit):
    points, faces = kit.sheet(0.3)
    sheet = kit.actor(
        (points, faces),
        morphs=np.tile([1.0, 0.0, 0.0], (1, 4, 1)),
        morph_names=("aside",),
        morph_weights={"aside": 0.8},
    )
    there = kit.actor((points, faces), at=(0.8, 0.0, 0.0))
    for renderer in (0, 1):
        found, expected = (
            drawn(Scene(actors=(each,)), DOWN, buffers=("id",))[renderer].buffers["id"]
            for each in (sheet, there)
        )
        assert expected.any()
        np.testing.assert_array_equal(found, expected)


@pytest.mark.gl
def test_a_part_of_the_view_that_nothing_casts_into_has_no_shadow(kit):
    """Something small beside the view makes its near part count, and something large behind makes two parts of it."""
    camera, sun = Camera((0.0, 1.5, 3.0), (0.0, 0.8, 0.0)), Light(direction=(-0.3, -1.0, -0.2))
    small = kit.actor(kit.ball(0.3), at=(-3.0, 0.3, 1.5), number=1)
    large = kit.actor(kit.ball(4.0), at=(0.0, 4.0, -20.0), number=2)
    alone, both = (Scene(actors=actors, lights=(sun,)) for actors in ((large,), (small, large)))
    pictures = (drawn(scene, camera, ("hdr", "id"), size=(640, 360)) for scene in (alone, both))
    for one, other in zip(*pictures, strict=True):
        assert (one.work["shadow.cascades"], other.work["shadow.cascades"]) == (1, 2)
        seen, lit = one.buffers["id"] == 2, one.buffers["hdr"]
        assert seen.mean() > 0.05
        assert np.median(lit[seen]) > 0.1
        # A pixel's shadow is of other texels where squares differ, at its edge.
        off = np.abs(other.buffers["hdr"] - lit).max(axis=-1)
        assert (off[seen] > 0.02).mean() < 0.02
