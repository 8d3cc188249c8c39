"""What the G-buffer holds: skinning, depth, ids, normals, materials."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from kinetoscope_spec import Actor, Camera, Character, Ground, Material, Mesh, Skeleton, Skin
from kinetoscope_spec.contracts._dual_quaternion import Carrier, dual_quaternion_blend

pytestmark = pytest.mark.gl

ALL = ("depth", "normal", "albedo", "material", "id", "hdr", "final")
CAMERA = Camera((0.3, 0.4, 4.0), (0.0, 0.1, 0.0))


def off_edges(ids):
    """Pixels whose eight neighbours have the same id."""
    padded = np.pad(ids, 1, mode="edge")
    height, width = ids.shape
    same = np.ones(ids.shape, bool)
    for y in range(3):
        for x in range(3):
            same &= padded[y : y + height, x : x + width] == ids
    return same


def random_skin(rng, count, joints, influences):
    weights = rng.random((count, influences)) ** 3
    weights /= weights.sum(axis=1, keepdims=True)
    bones = rng.permutation(joints)
    inverse_bind = np.tile(np.eye(4), (joints, 1, 1))
    inverse_bind[:, :3, :3] = Rotation.random(joints, rng=rng).as_matrix()
    inverse_bind[:, :3, 3] = rng.normal(size=(joints, 3))
    return Skin(rng.integers(0, joints, (count, influences)), weights, bones, inverse_bind)


def blended_maps(skin, carry):
    """What carries each vertex of `skin`, `[V, 3, 4]`, by a reference that goes vertex by vertex."""
    if skin.blending == "linear":
        return np.einsum("vk,vkij->vij", skin.weights, carry[skin.joints])[:, :3]
    apart = [Carrier.of(matrix) for matrix in carry]
    maps = np.zeros((len(skin.joints), 3, 4))
    for v, (joints, weights) in enumerate(zip(skin.joints, skin.weights, strict=True)):
        bones = [apart[joint] for joint in joints]
        maps[v, :, 3] = dual_quaternion_blend(bones, weights, np.zeros(3))
        for axis in range(3):
            maps[v, :, axis] = dual_quaternion_blend(bones, weights, np.eye(3)[axis]) - maps[v, :, 3]
    return maps


@pytest.mark.parametrize("blending", ["linear", "dual_quaternion"])
@pytest.mark.parametrize(("joints", "influences"), [(1, 1), (25, 4), (310, 8)])
def test_skinning_equals_float64(sessions, joints, influences, blending):
    """The vertex shader's own output, caught by transform feedback, within a hundredth of a millimetre."""
    from kinetoscope_deferred.device import source, uniforms
    from kinetoscope_deferred.view import build_view

    rng = np.random.default_rng(joints)
    count = 300
    points, normals = rng.normal(size=(count, 3)), rng.normal(size=(count, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    skin = attrs.evolve(random_skin(rng, count, joints, influences), blending=blending)
    mesh = Mesh.from_triangles("m", points, np.arange(count).reshape(-1, 3), normals=normals, skin=skin)
    skeleton = Skeleton([f"j{i}" for i in range(joints)], [-1] * joints, np.zeros((joints, 3)))
    pose = np.tile(np.eye(4), (joints, 1, 1))
    pose[:, :3, :3] = Rotation.random(joints, rng=rng).as_matrix() * rng.uniform(0.5, 2, (joints, 1, 3))
    pose[:, :3, 3] = rng.normal(size=(joints, 3))
    other = Actor(Character("other", skeleton, (mesh,)), pose, id=2)
    actor = Actor(Character("c", skeleton, (mesh,)), pose, id=1)

    session = sessions(buffers=ALL)
    device = session.device
    with device.context:
        from kinetoscope_spec import Scene

        view = build_view(Scene(actors=(other, actor)), CAMERA, session.size, session._cache)
        bones = device.upload("bones", view.bones)
        program = device.context.program(
            vertex_shader=source("geometry.vert", {"DUAL": int(blending != "linear")}),
            varyings=["gl_Position", "world_normal"],
        )
        draw = view.draws[1]
        assert draw.first_bone == (joints if blending == "linear" else 2 * joints)
        uniforms(
            program, to_clip=np.eye(4), first_bone=draw.first_bone, influences=draw.mesh.packed.influences
        )
        device.bind(program, {"bones": bones})
        target = device.context.simple_framebuffer((4, 4))  # feedback needs a complete one
        target.use()
        out = device.context.buffer(reserve=count * 28)
        layout = "3f4 3f4 6x4 4u2 4u2 4f4 4f4"
        names = ["position", "normal", "joints_a", "joints_b", "weights_a", "weights_b"]
        held = [
            (n, f) for n, f in zip(names, layout.replace("6x4 ", "").split(), strict=True) if n in program
        ]
        assert len(held) == 6
        device.context.vertex_array(program, [(draw.mesh.vertices, layout, *names)]).transform(
            out, vertices=count
        )
        assert device.context.error == "GL_NO_ERROR"
        got = np.frombuffer(out.read(), np.float32).reshape(count, 7)

    carry = pose[skin.bones] @ skin.inverse_bind
    blend = blended_maps(skin, carry)
    expected = np.einsum("vij,vj->vi", blend[:, :3, :3], points) + blend[:, :3, 3]
    np.testing.assert_allclose(got[:, :3] + CAMERA.position, expected, atol=1e-5)
    inverse = np.linalg.inv(blend[:, :3, :3])
    turned = np.einsum("vji,vj->vi", inverse, normals)
    turned /= np.linalg.norm(turned, axis=1, keepdims=True)
    shader = got[:, 4:] / np.linalg.norm(got[:, 4:], axis=1, keepdims=True)
    sane = np.linalg.cond(blend[:, :3, :3]) < 100
    assert sane.mean() > 0.8
    assert np.degrees(np.arccos(np.clip((shader * turned).sum(axis=1), -1, 1)))[sane].max() < 0.1


def test_more_than_eight_influences_keep_the_heaviest():
    from kinetoscope_deferred.meshes import pack

    weights = np.tile(np.arange(1.0, 11.0), (3, 1))
    weights /= weights.sum(axis=1, keepdims=True)
    skin = Skin(np.tile(np.arange(10), (3, 1)), weights, np.arange(10), np.tile(np.eye(4), (10, 1, 1)))
    packed = pack(Mesh.from_triangles("m", np.eye(3), [[0, 1, 2]], skin=skin)).vertices
    assert set(packed["joints"][0]) == set(range(2, 10))
    np.testing.assert_allclose(packed["weights"].sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(packed["weights"][0].max(), 10 / 52, atol=1e-6)


def test_ids_depth_and_normals_equal_ray_casting(sessions, kit):
    rng = np.random.default_rng(7)
    points, faces = kit.sphere(0.5, rings=9)
    outward = points / np.linalg.norm(points, axis=1, keepdims=True)
    things, actors = [], []
    one = kit.character(points, faces, normals=outward)
    for i, at in enumerate([(-0.6, 0, 0), (0.1, 0.2, 0.4), (0.5, -0.3, -0.3), (1.1, 0.5, 0.2)]):
        pose = np.eye(4)
        pose[:3, :3] = Rotation.random(rng=rng).as_matrix() * (1, 0.5 + 0.3 * i, 1)
        pose[:3, 3] = at
        world = points @ pose[:3, :3].T + pose[:3, 3]
        turned = outward @ np.linalg.inv(pose[:3, :3])
        turned /= np.linalg.norm(turned, axis=1, keepdims=True)
        actors.append(Actor(one, pose[None], id=1000 * i + 7))
        things.append((1000 * i + 7, world[faces], turned[faces]))
    frame = sessions(buffers=ALL).render(kit.scene(*actors), CAMERA)
    ids, depth, normals = kit.cast(CAMERA, things)
    inner = off_edges(ids)
    assert len(np.unique(ids)) == 5
    np.testing.assert_array_equal(frame.buffers["id"][inner], ids[inner])
    assert (frame.buffers["id"] != ids).mean() < 0.005
    seen = inner & (ids > 0)
    np.testing.assert_allclose(frame.buffers["depth"][seen], depth[seen], rtol=5e-4)
    assert np.isinf(frame.buffers["depth"][inner & (ids == 0)]).all()
    cosine = (frame.buffers["normal"][seen] * normals[seen]).sum(axis=-1)
    angles = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    assert np.percentile(angles, 99) < 0.3


def test_depth_of_the_floor_is_exact(sessions, kit):
    camera = Camera((3.0, 1.7, -2.0), (1.0, 0.9, 4.0))
    frame = sessions(buffers=ALL).render(kit.scene(ground=Ground(height=0.25)), camera)
    down = kit.rays(camera)[..., 1]
    with np.errstate(divide="ignore"):
        expected = (0.25 - 1.7) / down
    seen = (down < 0) & (expected < 0.95 * camera.far)
    assert 0.3 < seen.mean() < 0.95
    np.testing.assert_allclose(frame.buffers["depth"][seen], expected[seen], rtol=5e-4)
    assert np.isinf(frame.buffers["depth"][down >= 0]).all()
    np.testing.assert_allclose(
        frame.buffers["normal"][seen], np.broadcast_to((0, 1, 0), (seen.sum(), 3)), atol=1e-3
    )
    assert (frame.buffers["id"] == 0).all()


def test_depth_of_a_sphere_is_analytic(sessions, kit):
    camera = Camera((0, 0, 3), (0, 0, 0))
    # So many triangles for so few pixels: coarser ones would do for a picture.
    frame = sessions(buffers=ALL, lod=False).render(kit.scene(kit.actor(*kit.sphere(1.0, rings=160))), camera)
    d = kit.rays(camera)
    a, b, c = (d * d).sum(-1), d @ camera.position, 9 - 1.0
    root = b * b - a * c
    inside = root > 0.3
    expected = (-b - np.sqrt(np.maximum(root, 0))) / a
    np.testing.assert_allclose(frame.buffers["depth"][inside], expected[inside], rtol=1e-3)


def test_the_nearer_wins_whatever_the_order(sessions, kit):
    near = kit.actor(*kit.quad((0, 0, 1), (0.3, 0, 0), (0, 0.3, 0)), id=3)
    far = kit.actor(*kit.quad((0, 0, 0), (1, 0, 0), (0, 1, 0)), id=4)
    camera = Camera((0, 0, 4), (0, 0, 0))
    for actors in ((near, far), (far, near)):
        ids = sessions(buffers=ALL).render(kit.scene(*actors), camera).buffers["id"]
        assert ids[45, 80] == 3
        assert ids[45, 55] == 4
        assert ids[2, 2] == 0


def test_materials_by_face_and_their_buffers(sessions, kit):
    left, faces = kit.quad((-0.5, 0, 0), (0.5, 0, 0), (0, 1, 0))
    right, _ = kit.quad((0.5, 0, 0), (0.5, 0, 0), (0, 1, 0))
    materials = (
        Material(base_color=np.array([0.5, 0.1, 0.02, 1]), roughness=0.25, metallic=1.0),
        Material(base_color=np.array([0.1, 0.7, 0.9, 1]), roughness=0.75, emissive=np.array([0, 2.0, 0])),
    )
    actor = kit.actor(
        np.concatenate([left, right]),
        np.concatenate([faces + 4, faces]),
        material=materials,
        face_material=np.array([1, 1, 0, 0]),
    )
    buffers = sessions(buffers=ALL).render(kit.scene(actor), Camera((0, 0, 4), (0, 0, 0))).buffers
    for x, material in ((60, materials[0]), (100, materials[1])):
        np.testing.assert_allclose(buffers["albedo"][45, x], material.base_color[:3], atol=0.01)
        np.testing.assert_allclose(
            buffers["material"][45, x, :2], (material.roughness, material.metallic), atol=0.004
        )
        np.testing.assert_allclose(buffers["material"][45, x, 2], 0.7152 * material.emissive[1], rtol=1e-3)
    assert (buffers["albedo"][2, 2] == 0).all()


def test_textures_are_srgb_and_start_at_the_top_left(sessions, kit):
    image = np.zeros((2, 2, 3), np.uint8)
    image[0, 0], image[0, 1], image[1, 0], image[1, 1] = (
        (255, 0, 0),
        (0, 255, 0),
        (0, 0, 255),
        (128, 128, 128),
    )
    image = image.repeat(16, 0).repeat(16, 1)
    points, faces = kit.quad((0, 0, 0), (1, 0, 0), (0, 1, 0))
    uvs = np.array([(0, 1), (1, 1), (1, 0), (0, 0)], float)
    material = Material(base_color=np.array([1.0, 1, 1, 1]), base_color_image=image)
    actor = kit.actor(points, faces, material=material, uvs=uvs)
    albedo = sessions(buffers=ALL).render(kit.scene(actor), Camera((0, 0, 4), (0, 0, 0))).buffers["albedo"]
    np.testing.assert_allclose(albedo[35, 70], (1, 0, 0), atol=0.01)
    np.testing.assert_allclose(albedo[35, 90], (0, 1, 0), atol=0.01)
    np.testing.assert_allclose(albedo[55, 70], (0, 0, 1), atol=0.01)
    np.testing.assert_allclose(albedo[55, 90], ((128 / 255 + 0.055) / 1.055) ** 2.4, atol=0.01)


def test_cutouts_vertex_colours_and_back_faces(sessions, kit):
    points, faces = kit.quad((0, 0, 0), (1, 0, 0), (0, 1, 0))
    alpha = np.array([1.0, 0, 0, 1])
    colors = np.stack([np.ones(4), np.full(4, 0.25), np.zeros(4), alpha], 1)
    masked = Material(base_color=np.array([1.0, 1, 1, 1]), alpha_mode="mask", alpha_cutoff=0.5)
    camera = Camera((0, 0, 4), (0, 0, 0))
    render = sessions(buffers=ALL).render
    buffers = render(kit.scene(kit.actor(points, faces, material=masked, colors=colors)), camera).buffers
    assert buffers["id"][45, 65] == 1
    assert buffers["id"][45, 95] == 0
    np.testing.assert_allclose(buffers["albedo"][45, 65], (1, 0.25, 0), atol=0.01)
    behind = Camera((0, 0, -4), (0, 0, 0))
    assert render(kit.scene(kit.actor(points, faces)), behind).buffers["id"].max() == 0
    both = Material(double_sided=True)
    buffers = render(kit.scene(kit.actor(points, faces, material=both)), behind).buffers
    assert buffers["id"][45, 80] == 1
    np.testing.assert_allclose(buffers["normal"][45, 80], (0, 0, -1), atol=1e-3)


def test_a_mirrored_pose_shows_its_outside(sessions, kit):
    points, faces = kit.sphere(0.8, rings=24)
    pose = np.diag([-1.0, 1, 1, 1])[None]
    actor = Actor(kit.character(points, faces, normals=points / 0.8), pose)
    buffers = sessions(buffers=ALL).render(kit.scene(actor), Camera((0, 0, 4), (0, 0, 0))).buffers
    assert buffers["depth"][45, 80] == pytest.approx(3.2, abs=0.01)
    np.testing.assert_allclose(buffers["normal"][45, 80], (0, 0, 1), atol=0.05)


def test_a_static_mesh_stays_and_a_rigid_one_follows_its_node(sessions, kit):
    points, faces = kit.quad((0, 0, 0), (0.2, 0, 0), (0, 0.2, 0))
    pose = np.eye(4)[None].copy()
    pose[0, 0, 3] = 1.0
    still = Actor(kit.character(points, faces, node=None), pose, id=1)
    moved = Actor(kit.character(points, faces), pose, id=2)
    ids = sessions(buffers=ALL).render(kit.scene(still, moved), Camera((0, 0, 4), (0, 0, 0))).buffers["id"]
    assert ids[45, 80] == 1
    assert ids[45, 80 + 27] == 2


@pytest.mark.parametrize("place", [(0, 1.5, 4), (0, 30, 1), (2, -1, 3), (0, 0.4, 3)])
@pytest.mark.parametrize("target", [(0, 1, 0), (0, 40, 0), (5, -3, 1)])
@pytest.mark.parametrize("up", [(0, 1, 0), (1, 0.6, 0.2)])
def test_the_floor_is_drawn_where_it_can_be_seen_and_nowhere_else(
    sessions, kit, monkeypatch, place, target, up
):
    """Boxed or not, the floor is the same; and the box lets the sky out."""
    from kinetoscope_deferred.passes import geometry

    boxed, areas = geometry.floor_area, []

    def noted(view, height):
        areas.append(boxed(view, height))
        return areas[-1]

    session, camera = sessions(buffers=("depth", "albedo", "normal")), Camera(place, target, up)
    monkeypatch.setattr(geometry, "floor_area", noted)
    ours = session.render(kit.scene(ground=Ground()), camera).buffers
    monkeypatch.setattr(geometry, "floor_area", lambda view, height: (0, 0, *view.size))
    whole = session.render(kit.scene(ground=Ground()), camera).buffers
    for name in whole:
        np.testing.assert_array_equal(ours[name], whole[name])
    rows, columns = np.nonzero(np.isfinite(whole["depth"]))
    if areas[0] is None:
        assert not len(rows)
    else:
        _, _, width, height = areas[0]
        assert width <= np.ptp(columns) + 5
        assert height <= np.ptp(rows) + 5
