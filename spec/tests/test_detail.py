"""Coarser meshes: what they keep of the fine one, and how far they are off it."""

from __future__ import annotations

import os
from itertools import pairwise
from zipfile import ZipFile

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope_spec import Camera, Mesh, Skin, _detail_files, detail, rotation
from kinetoscope_spec.kinematics import morphed_vertices, vertex_matrices

pytest.importorskip("fast_simplification")


def body(rings: int = 40) -> Mesh:
    """A long ball with a seam of UVs from pole to pole, two materials and two bones."""
    up, round_ = np.meshgrid(np.linspace(0, 1, rings), np.linspace(0, 1, rings), indexing="ij")
    polar, angle = np.pi * up, 2 * np.pi * round_
    points = np.stack(
        [0.3 * np.sin(polar) * np.cos(angle), 0.9 * np.cos(polar), 0.3 * np.sin(polar) * np.sin(angle)], -1
    ).reshape(-1, 3)
    i, j = (n.ravel() for n in np.meshgrid(np.arange(rings - 1), np.arange(rings - 1), indexing="ij"))
    a = i * rings + j
    faces = np.concatenate(
        [np.stack([a, a + 1, a + rings], 1), np.stack([a + rings, a + 1, a + rings + 1], 1)]
    )
    share = up.reshape(-1)
    normals = points / [0.09, 0.81, 0.09]
    skin = Skin(
        np.tile([0, 1], (len(points), 1)),
        np.stack([1 - share, share], 1),
        np.arange(2),
        np.tile(np.eye(4), (2, 1, 1)),
    )
    return Mesh(
        "body",
        points,
        np.arange(len(points)),
        faces,
        normals=normals / np.linalg.norm(normals, axis=1, keepdims=True),
        uvs=np.stack([round_, up], -1).reshape(-1, 2),
        face_material=(np.tile(i, 2) >= rings // 2).astype(int),
        skin=skin,
    )


@pytest.fixture(scope="module")
def fine() -> Mesh:
    return body()


@pytest.fixture(scope="module")
def coarse(fine: Mesh) -> tuple[detail.Level, ...]:
    return detail.levels(fine, fine.normals)


def test_each_level_has_about_a_quarter_of_the_triangles_before(fine, coarse):
    counts = [len(fine.faces), *(len(level.mesh.faces) for level in coarse)]
    assert len(counts) == 3  # 64 times fewer would be next to nothing
    for more, less in pairwise(counts):
        assert 0.15 < less / more < 0.5
    errors = [level.error for level in coarse]
    assert 0 < errors[0] < errors[1] < 0.03


def test_vertices_keep_their_bones_and_corners_their_looks(fine, coarse):
    """Every vertex is one of the fine mesh's with its weights, every corner's UV and normal are a corner's there."""
    rows = {tuple(np.round(row, 9)) for row in np.hstack([fine.vertices, fine.skin.weights])}
    looks = {tuple(np.round(row, 9)) for row in np.hstack([fine.uvs, fine.normals])}
    for level in coarse:
        mesh = level.mesh
        assert {tuple(np.round(row, 9)) for row in np.hstack([mesh.vertices, mesh.skin.weights])} <= rows
        assert {tuple(np.round(row, 9)) for row in np.hstack([mesh.uvs, mesh.normals])} <= looks


def test_no_triangle_reaches_across_a_seam(coarse):
    """Round the body a triangle spans a small part of the image; across the seam it would span all of it."""
    for level in coarse:
        across = level.mesh.uvs[level.mesh.faces][..., 0]
        polar = level.mesh.uvs[level.mesh.faces][..., 1]
        inner = ((polar > 0.12) & (polar < 0.88)).all(axis=1)
        assert inner.any()
        assert np.ptp(across[inner], axis=1).max() < 0.5


def test_materials_stay_where_they_were(coarse):
    for level in coarse:
        middle = level.mesh.vertices[level.mesh.corner_vertex[level.mesh.faces]][..., 1].mean(axis=1)
        sure = np.abs(middle) > 0.15
        assert sure.mean() > 0.5
        np.testing.assert_array_equal((level.mesh.face_material == 1)[sure], (middle < 0)[sure])


def test_it_stays_shut_and_keeps_its_sides(coarse):
    for level in coarse:
        at = level.mesh.corner_vertex[level.mesh.faces]
        edges = np.concatenate([at[:, [0, 1]], at[:, [1, 2]], at[:, [2, 0]]])
        there = {tuple(edge) for edge in edges}
        assert len(there) == len(edges)
        assert there == {(b, a) for a, b in there}
        a, b, c = (level.mesh.vertices[at[:, i]] for i in range(3))
        assert np.einsum("fi,fi->", a, np.cross(b, c)) > 0


def test_the_error_is_what_rays_say(fine, coarse):
    """Sent through each vertex of the fine mesh, a ray from the axis meets the level within the error told."""
    for level in coarse:
        corners = level.mesh.vertices[level.mesh.corner_vertex[level.mesh.faces]]
        edges, sides = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
        off = []
        for point in fine.vertices[400:-400:23]:
            start = np.array([0.0, point[1], 0.0])
            way = (point - start) / np.linalg.norm(point - start)
            p = np.cross(way, sides)
            det = (p * edges).sum(1)
            with np.errstate(divide="ignore", invalid="ignore"):
                s = start - corners[:, 0]
                u, q = (p * s).sum(1) / det, np.cross(s, edges)
                v, t = q @ way / det, (q * sides).sum(1) / det
            met = (np.abs(det) > 1e-12) & (u >= -1e-9) & (v >= -1e-9) & (u + v <= 1 + 1e-9) & (t > 0)
            off.append(abs(t[met].max() - np.linalg.norm(point - start)))
        # A ray is not square to the surface: it goes a little farther than the nearest way.
        assert max(off) < 1.2 * level.error + 1e-6
        assert max(off) > 0.2 * level.error


def test_levels_are_kept_by_what_the_mesh_is_made_of(fine, coarse, tmp_path, monkeypatch):
    first = detail.levels(fine, fine.normals, folder=tmp_path)
    (file,) = tmp_path.iterdir()
    monkeypatch.setattr(detail, "coarser", lambda mesh: pytest.fail("it was kept, and is made again"))
    again = detail.levels(body(), fine.normals, folder=tmp_path)
    for one, two, three in zip(first, again, coarse, strict=True):
        assert one.error == two.error == three.error
        np.testing.assert_array_equal(one.mesh.faces, two.mesh.faces)
        np.testing.assert_array_equal(one.mesh.vertices, three.mesh.vertices)
    monkeypatch.undo()
    file.write_bytes(file.read_bytes()[:-200])
    assert len(detail.levels(fine, fine.normals, folder=tmp_path)) == len(first)
    assert detail._read(file, fine) is not None  # mended
    assert detail.levels(body(41), body(41).normals, folder=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_face_that_moves_has_the_levels_it_has_at_rest(fine, coarse, tmp_path, monkeypatch):
    """Each frame of a film is a shape of its own: made anew, levels would cost seconds and a file a frame."""
    swelling = np.zeros((1, *fine.vertices.shape))
    swelling[0, :, 0] = 0.1 * (fine.vertices[:, 1] > 0.5)
    face = attrs.evolve(fine, morphs=swelling, morph_names=("swollen",))
    detail.levels(face, fine.normals, folder=tmp_path)
    monkeypatch.setattr(detail, "coarser", lambda mesh: pytest.fail("it was kept, and is made again"))
    for weight in (0.25, 1.0):
        moved = attrs.evolve(face, morph_weights={"swollen": weight})
        levels = detail.levels(moved, fine.normals, folder=tmp_path)
        for level, resting in zip(levels, coarse, strict=True):
            np.testing.assert_array_equal(level.mesh.faces, resting.mesh.faces)
            grown = morphed_vertices(level.mesh)[:, 0] - resting.mesh.vertices[:, 0]
            np.testing.assert_allclose(grown, weight * 0.1 * (resting.mesh.vertices[:, 1] > 0.5), atol=1e-9)
            assert farthest(morphed_vertices(moved), level.mesh) <= level.error
    assert len(list(tmp_path.iterdir())) == 1


def farthest(points, mesh) -> float:
    """Return how far the farthest of every ninth of `points` is from places spread over the triangles, m."""
    a, b, c = (morphed_vertices(mesh)[mesh.corner_vertex[mesh.faces[:, i]]] for i in range(3))
    parts = [(i / 6, j / 6) for i in range(7) for j in range(7 - i)]
    places = np.concatenate([a + u * (b - a) + v * (c - a) for u, v in parts])
    return max(float(np.linalg.norm(places - point, axis=1).min()) for point in points[::9])


def test_what_a_disk_has_spoilt_is_made_again(fine, tmp_path):
    first = detail.levels(fine, fine.normals, folder=tmp_path)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    for place in range(100, len(whole), len(whole) // 40):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF] * 4) + whole[place + 4 :])
        held = detail._read(file, fine)
        assert held is None or len(held) == len(first)


@pytest.fixture(scope="module")
def kept(fine, tmp_path_factory) -> list[dict[str, np.ndarray]]:
    """What is kept of the fine mesh, as it stands in the file."""
    folder = tmp_path_factory.mktemp("kept")
    detail.levels(fine, fine.normals, folder=folder)
    names = [field.name for field in attrs.fields(detail.Choice)]
    return [dict(zip(names, row, strict=True)) for row in _detail_files.read(next(folder.iterdir()), names)]


SPOILT = {
    "vertices": [lambda v: v + 10**6, lambda v: v - 10**6, lambda v: v[:, None], lambda v: v * 1.0],
    "corners": [lambda c: c + 10**6, lambda c: -c - 1, lambda c: c[:-1]],
    "corner_vertex": [lambda c: c + 10**6, lambda c: -c - 1, lambda c: c[1:]],
    "faces": [lambda f: f + 10**6, lambda f: -f - 1, lambda f: f[:, :2], lambda f: f.astype(object)],
    "face_material": [lambda m: m + 7, lambda m: m - 7, lambda m: m[:-1]],
    "error": [lambda e: e * np.nan, lambda e: -1 - e, lambda e: np.array([e, e]), str, lambda e: 3],
}


@pytest.mark.parametrize(
    ("name", "at"), [(name, at) for name, ways in SPOILT.items() for at in range(len(ways))]
)
def test_a_file_that_says_what_can_not_be_is_no_file(fine, kept, tmp_path, name, at):
    """Kernels and drivers read where they are pointed to: nothing kept points beyond the mesh."""
    file = tmp_path / "kept.npz"
    _detail_files.write(file, kept)
    assert len(detail._read(file, fine)) == len(kept)
    spoilt = {**kept[1], name: SPOILT[name][at](kept[1][name])}
    _detail_files.write(file, [kept[0], spoilt, *kept[2:]])
    assert detail._read(file, fine) is None


def test_any_bytes_are_levels_or_nothing(fine, tmp_path):
    """An array and no archive, a count that is none, members that are no arrays, and what unpacks to much more."""
    file = tmp_path / "kept.npz"
    np.save(tmp_path / "kept.npy", np.zeros(4))
    (tmp_path / "kept.npy").rename(file)
    assert detail._read(file, fine) is None
    for count in (np.array([1, 2]), np.array("two"), np.array(10**12)):
        np.savez(file, count=count)
        assert detail._read(file, fine) is None
    with ZipFile(file, "w") as packed:
        for field in attrs.fields(detail.Choice):
            packed.writestr(f"{field.name}0.npy", b"no array")
    with ZipFile(file, "a") as packed, packed.open("count.npy", "w") as member:
        np.save(member, np.array(1))
    assert detail._read(file, fine) is None
    np.savez_compressed(file, count=0, more=np.zeros(len(fine.faces) * 104 + 2**16))
    assert detail._read(file, fine) is None
    np.savez_compressed(file, count=0, more=np.zeros(8))
    assert detail._read(file, fine) == []


@pytest.mark.parametrize("rings", [24, 60])
def test_what_levels_take_is_within_what_is_read_of_them(rings, tmp_path):
    mesh = body(rings)
    assert detail.levels(mesh, mesh.normals, folder=tmp_path)
    (file,) = tmp_path.iterdir()
    with ZipFile(file) as packed:
        assert (
            sum(part.file_size for part in packed.infolist())
            < 0.8 * detail._FACE_BYTES * len(mesh.faces) + 2**15
        )
    assert detail._read(file, mesh) is not None


def test_meshes_of_the_same_bytes_are_told_apart(fine):
    """Where the corners end and the faces begin is not in the bytes."""
    one = Mesh("one", fine.vertices, fine.corner_vertex, fine.faces)
    corners = np.concatenate([fine.corner_vertex, fine.faces[0]])
    other = Mesh("other", fine.vertices, corners, fine.faces[1:])
    assert detail._fingerprint(one) != detail._fingerprint(other)
    assert detail._fingerprint(one) == detail._fingerprint(attrs.evolve(one, name="again"))


def test_a_full_disk_leaves_nothing_behind(fine, coarse, tmp_path, monkeypatch):
    def full(file, **arrays):
        file.write(b"PK")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    assert len(detail.levels(fine, fine.normals, folder=tmp_path)) == len(coarse)
    assert not list(tmp_path.iterdir())


def test_where_nothing_can_be_written_levels_are_made_once(fine, coarse, tmp_path, monkeypatch):
    """A face that moves is another object in each frame of a film: it took seconds a frame."""
    monkeypatch.setattr(detail, "_unwritten", {})
    monkeypatch.setattr(detail, "_UNWRITTEN", 2)
    made, make = [], detail.coarser
    monkeypatch.setattr(detail, "coarser", lambda mesh: made.append(mesh) or make(mesh))
    (tmp_path / "file").write_bytes(b"")
    for _ in range(3):
        found = detail.levels(body(), fine.normals, folder=tmp_path / "file" / "detail")
        for level, expected in zip(found, coarse, strict=True):
            np.testing.assert_array_equal(level.mesh.faces, expected.mesh.faces)
    assert len(made) == 1
    for rings in (25, 26, 27):
        detail.levels(body(rings), body(rings).normals, folder=tmp_path / "file" / "detail")
    assert len(detail._unwritten) == 2
    detail.levels(fine, fine.normals, folder=tmp_path / "now")
    assert len(made) == 5  # let go of meanwhile
    assert len(list((tmp_path / "now").iterdir())) == 1


def test_a_coarse_mesh_has_no_levels():
    small = body(12)
    assert detail.levels(small, small.normals) == ()


def test_what_was_used_longest_ago_goes_first(tmp_path):
    """Reading is use; what was just written stays, however large, and what killed processes left goes too."""
    row = {"numbers": np.random.default_rng(1).integers(0, 255, 1000, np.uint8)}
    names = [f"{n}.npz" for n in np.random.default_rng(2).permutation(12)]
    for age, name in enumerate(names):
        _detail_files.write(tmp_path / name, [row])
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    (tmp_path / "left.part").write_bytes(bytes(500))
    os.utime(tmp_path / "left.part", (1, 1))
    each = (tmp_path / names[0]).stat().st_size
    (found,) = _detail_files.read(tmp_path / names[-1], ["numbers"])
    np.testing.assert_array_equal(found[0], row["numbers"])
    _detail_files.write(tmp_path / "new.npz", [row], most_bytes=6 * each)
    assert {path.name for path in tmp_path.iterdir()} == {"new.npz", names[-1], *names[:4]}
    _detail_files.write(tmp_path / "new.npz", [row], most_bytes=1)
    assert [path.name for path in tmp_path.iterdir()] == ["new.npz"]


def test_what_can_not_be_dropped_keeps_nothing_else(tmp_path):
    row = {"numbers": np.zeros(10)}
    _detail_files.write(tmp_path / "old.npz", [row])
    (tmp_path / "folder").mkdir()
    os.utime(tmp_path / "folder", (1, 1))
    _detail_files.write(tmp_path / "new.npz", [row], most_bytes=1)
    assert {path.name for path in tmp_path.iterdir()} == {"folder", "new.npz"}


def test_a_bound_that_is_kept_drops_nothing(tmp_path):
    row = {"numbers": np.zeros(10)}
    for name in "abc":
        _detail_files.write(tmp_path / name, [row], most_bytes=10_000)
    assert len(list(tmp_path.iterdir())) == 3


@given(st.integers(0, 2**32 - 1), st.sampled_from(["linear", "dual_quaternion"]))
def test_bounds_hold_what_bones_carry(seed, blending):
    """Every vertex of any pose lies in the box around the corners, and many poses at once are each as alone."""
    rng = np.random.default_rng(seed)
    joints = np.array([rng.permutation(4)[:3] for _ in range(60)])
    weights = rng.dirichlet(np.ones(3), 60) * (rng.random((60, 3)) < 0.8)
    weights[weights.sum(axis=1) == 0, 0] = 1.0
    weights /= weights.sum(axis=1, keepdims=True)
    skin = Skin(joints, weights, np.arange(4), np.tile(np.eye(4), (4, 1, 1)), blending)
    mesh = Mesh("cloud", rng.normal(size=(60, 3)), np.arange(60), np.arange(60).reshape(20, 3), skin=skin)
    bounds = detail.Bounds.of(mesh)
    poses = np.tile(np.eye(4), (2, 4, 1, 1))
    poses[..., :3, :3] = rotation.to_matrix(rotation.normalize(rng.normal(size=(2, 4, 4))))
    poses[..., :3, 3] = rng.normal(size=(2, 4, 3))
    corners = bounds.corners(poses)
    for pose, held in zip(poses, corners, strict=True):
        np.testing.assert_allclose(held, bounds.corners(pose), atol=1e-12)
        carry = vertex_matrices(skin, pose)
        moved = np.einsum("vij,vj->vi", carry[..., :3], mesh.vertices) + carry[..., 3]
        room = 1e-9 if blending == "linear" else 0.35  # of a few places on the way, by arcs of three bones
        assert (moved >= held.min(axis=0) - room).all()
        assert (moved <= held.max(axis=0) + room).all()


@given(
    st.lists(st.floats(1e-4, 0.1), min_size=1, max_size=4),
    st.floats(0.3, 50.0),
    st.floats(0.2, 2.5),
    st.floats(0.25, 4.0),
    st.sampled_from([90, 360, 1080]),
)
def test_a_level_is_off_by_no_more_pixels_than_may_be(errors, away, field_of_view, scale, height):
    """A stick as long as the error, at the nearest corner and square to the view, is so many pixels long."""
    errors = sorted(errors)
    camera = Camera((0, 0, 0), (0, 0, -1), field_of_view=field_of_view)
    sight = detail.Sight.of(camera, (height, height), 3 * height**2, 1.0)
    corners = np.array([[0.0, 0.0, -away], [1.0, 0.0, -away - 3]])
    down = int(sight.down(errors, corners, scale * np.eye(3, 4)[None]))
    off_px = []
    for error in errors:
        ends = np.array([[0.0, -error * scale / 2, -away], [0.0, error * scale / 2, -away]])
        shown = camera.project(ends, (height, height))[:, :2]
        off_px.append(float(np.linalg.norm(shown[1] - shown[0])))
    assert all(off <= 1.0 + 1e-9 for off in off_px[:down])
    assert all(off > 1.0 - 1e-9 for off in off_px[down:])


@given(st.integers(0, 2**32 - 1))
def test_what_bones_stretch_askew_is_off_by_no_more_either(seed):
    """Of bones of any matrices: a stick along what grows most is as long as that says."""
    bones = np.random.default_rng(seed).normal(size=(3, 3, 4))
    growth = max(np.linalg.svd(bone[:, :3], compute_uv=False)[0] for bone in bones)
    camera = Camera((0, 0, 0), (0, 0, -1), field_of_view=1.0)
    sight = detail.Sight.of(camera, (90, 90), 10**6, 1.0)
    pixel = 2 * np.tan(0.5) * 4.0 / 90  # m, 4 m away
    corners = np.array([[0.0, 0.0, -4.0]])
    assert sight.down([1.001 * pixel / growth], corners, bones) == 0
    assert sight.down([pixel / growth / 3], corners, bones) == 1


def test_what_the_camera_stands_in_is_shown_in_full():
    camera = Camera((0, 0, 0), (0, 0, -1), near=0.1)
    sight = detail.Sight.of(camera, (90, 90), 10**6, 1.0)
    for nearest in (0.09, -2.0):
        corners = np.array([[0.0, 0.0, -nearest], [0.0, 0.0, -90.0]])
        assert sight.down([1e-9], corners, np.eye(3, 4)[None]) == 0
    assert sight.down([1e-9], np.array([[0.0, 0.0, -0.11]]), np.eye(3, 4)[None]) == 1


def test_pictures_of_few_triangles_have_no_levels():
    camera = Camera((0, 0, 0), (0, 0, -1))
    assert detail.Sight.of(camera, (10, 10), 200, 1.0) is None
    assert detail.Sight.of(camera, (10, 10), 201, 1.0) is not None
