"""Meshes, layers, skins, shapes and materials of files written here."""

from __future__ import annotations

import io
import struct
import zlib
from base64 import b64encode
from pathlib import Path

import numpy as np
import pytest
from fbx_scenes import LINEAR, Key, Scene, block, numbers
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from kinetoscope_fbx._triangles import triangulate
from kinetoscope_fbx.importer import FbxImporter
from kinetoscope_spec import Asset, kinematics

SQUARE = np.array([[0, 0, 0], [2, 0, 0], [2, 2, 0], [0, 2, 0]], float) * 100


def read(tmp_path: Path, scene: Scene, *, binary: bool = False) -> Asset:
    path = tmp_path / "scene.fbx"
    path.write_bytes(scene.binary() if binary else scene.text())
    return FbxImporter().read(path)


def area(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return signed areas of triangles `[..., 3, 2]`."""
    a, b = points[..., 1, :] - points[..., 0, :], points[..., 2, :] - points[..., 0, :]
    return 0.5 * (a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])


# --- polygons


@st.composite
def stars(draw: st.DrawFn) -> NDArray[np.float64]:
    """Simple polygons, mostly concave: points around a centre at rising angles."""
    count = draw(st.integers(3, 12))
    steps = draw(st.lists(st.floats(0.6, 1), min_size=count, max_size=count))
    angles = np.cumsum(steps) / sum(steps) * 2 * np.pi
    sizes = np.array(draw(st.lists(st.floats(0.3, 3), min_size=count, max_size=count)))
    return np.stack([np.cos(angles) * sizes, np.sin(angles) * sizes], axis=1)


@given(polygon=stars(), axis=st.integers(0, 2))
def test_triangles_cover_a_polygon_once(polygon: NDArray[np.float64], axis: int) -> None:
    count = len(polygon)
    flat = np.zeros((count, 3))
    flat[:, [(axis + 1) % 3, (axis + 2) % 3]] = polygon
    faces, owner = triangulate(flat, np.arange(count), np.array([0]), np.array([count]))
    assert len(faces) == count - 2
    assert (owner == 0).all()
    parts = area(polygon[faces])
    x, y = polygon.T
    whole = 0.5 * (x * np.roll(y, -1) - y * np.roll(x, -1)).sum()
    assert (parts >= -1e-9).all()
    np.testing.assert_allclose(parts.sum(), whole, rtol=1e-9)


def test_points_and_edges_are_no_faces(tmp_path: Path) -> None:
    scene = Scene()
    scene.mesh(scene.node("mesh", subtype="Mesh"), SQUARE, [[0], [1, 2], [0, 1, 2], [0, 1, 2, 3]])
    mesh = read(tmp_path, scene).meshes[0]
    np.testing.assert_array_equal(mesh.corner_vertex[mesh.faces], [[0, 1, 2], [0, 1, 2], [0, 2, 3]])
    np.testing.assert_allclose(mesh.vertices, SQUARE / 100)


@pytest.mark.parametrize("axis_sign", [1, -1], ids=["right-handed", "left-handed"])
def test_faces_look_the_same_way_in_a_mirrored_file(tmp_path: Path, axis_sign: int) -> None:
    scene = Scene(FrontAxis=2, FrontAxisSign=axis_sign)
    scene.mesh(scene.node("mesh", subtype="Mesh"), SQUARE, [[0, 1, 2, 3]])
    mesh = read(tmp_path, scene).meshes[0]
    a, b, c = (mesh.vertices[mesh.corner_vertex[mesh.faces[0]]][i] for i in range(3))
    assert np.sign(np.cross(b - a, c - a)[2]) == axis_sign  # counter-clockwise is the front in both


# --- layers


def layer(
    kind: str, values: str, table: NDArray[np.float64], mapping: str, index: list[int] | None = None
) -> str:
    how = "Direct" if index is None else "IndexToDirect"
    through = "" if index is None else f"{kind}Index: {numbers(index)}"
    return (
        f'LayerElement{kind}: 0 {{ MappingInformationType: "{mapping}" ReferenceInformationType: "{how}" '
        f"{values}: {numbers(np.ravel(table))} {through} }} "
    )


TWO = [[0, 1, 2], [0, 2, 3]]
CORNERS = np.array([0, 1, 2, 0, 2, 3])


@pytest.mark.parametrize(
    ("mapping", "rows", "count"),
    [
        ("ByPolygonVertex", np.arange(6), 6),
        ("ByVertice", CORNERS, 4),
        ("ByPolygon", np.repeat([0, 1], 3), 2),
        ("AllSame", np.zeros(6, int), 1),
    ],
)
@pytest.mark.parametrize("indexed", [False, True])
def test_layers_reach_every_corner(
    tmp_path: Path, mapping: str, rows: NDArray[np.int64], count: int, indexed: bool
) -> None:
    random = np.random.default_rng(7)
    table = random.uniform(0, 1, (count + 3, 2))
    index = random.permutation(count + 3)[:count].tolist() if indexed else None
    scene = Scene()
    uv = layer("UV", "UV", table, mapping, index)
    color = layer("Color", "Colors", np.concatenate([table, table], axis=1), mapping, index)
    scene.mesh(scene.node("mesh", subtype="Mesh"), SQUARE, TWO, uv + color)
    mesh = read(tmp_path, scene, binary=indexed).meshes[0]
    want = table[np.array(index)[rows]] if index is not None else table[rows]
    np.testing.assert_allclose(mesh.uvs, want * (1, -1) + (0, 1), atol=1e-6)  # ours begin at the top left
    np.testing.assert_allclose(mesh.colors[:, :2], want, atol=1e-6)


def test_normals_are_unit_and_follow_the_geometric_transform(tmp_path: Path) -> None:
    scene = Scene()
    tilted = np.array([[3, 0, 4.0]] * 4)
    node = scene.node(
        "mesh", subtype="Mesh", GeometricScaling=(2.0, 1.0, 1.0), GeometricRotation=(0.0, 90.0, 0.0)
    )
    scene.mesh(node, SQUARE, TWO, layer("Normal", "Normals", tilted, "ByVertice"))
    mesh = read(tmp_path, scene).meshes[0]
    # Normals turn as the plane does: scaled by the inverse, then turned about y by a quarter.
    want = np.array([4.0, 0.0, -1.5])
    np.testing.assert_allclose(mesh.normals, np.tile(want / np.linalg.norm(want), (6, 1)), atol=1e-6)
    np.testing.assert_allclose(mesh.vertices[1], [0, 0, -4], atol=1e-6)


# --- skins


def test_the_largest_influences_are_kept_and_sum_to_one(tmp_path: Path) -> None:
    scene = Scene()
    root = scene.node("root")
    bones = [scene.node(f"bone{i}", root) for i in range(11)]
    geometry = scene.mesh(scene.node("mesh", subtype="Mesh"), SQUARE, TWO)
    weights = [0.01 * (i + 1) for i in range(11)]
    scene.skin(
        geometry,
        [(bone, [0, 1], [weight, 1.0], np.eye(4)) for bone, weight in zip(bones, weights, strict=True)],
    )
    asset = read(tmp_path, scene)
    skin = asset.meshes[0].skin
    assert skin.joints.shape == (4, 8)
    kept = np.array(weights[:2:-1])
    np.testing.assert_allclose(skin.weights[0], kept / kept.sum(), atol=1e-6)
    assert [asset.skeleton.names[j] for j in skin.bones[skin.joints[0]]] == [
        f"bone{i}" for i in range(10, 2, -1)
    ]
    assert any("8 largest influences" in warning for warning in asset.warnings)


def test_unweighted_vertices_stay_with_the_mesh(tmp_path: Path) -> None:
    scene = Scene()
    bone = scene.node("bone", Lcl_Translation=(0.0, 500.0, 0.0))
    geometry = scene.mesh(scene.node("mesh", subtype="Mesh", Lcl_Translation=(100.0, 0.0, 0.0)), SQUARE, TWO)
    scene.skin(geometry, [(bone, [0, 1], [1.0, 0.4], np.eye(4))])
    asset = read(tmp_path, scene)
    want = SQUARE / 100
    np.testing.assert_allclose(
        kinematics.skinned_vertices(asset, 0, None)[:2], want[:2] + np.array([0, 5, 0]), atol=1e-6
    )
    np.testing.assert_allclose(
        kinematics.skinned_vertices(asset, 0, None)[2:], want[2:] + np.array([1, 0, 0]), atol=1e-6
    )


@pytest.mark.parametrize(
    ("body", "blending", "told"),
    [
        ("", "linear", False),
        ('SkinningType: "Linear"', "linear", False),
        ('SkinningType: "Rigid"', "linear", False),
        ('SkinningType: "DualQuaternion"', "dual_quaternion", False),
        ('SkinningType: "Blend"', "linear", False),
        ('SkinningType: "Blend" Indexes: *2 {a: 0,1} BlendWeights: *2 {a: 1,1}', "dual_quaternion", False),
        ('SkinningType: "Blend" Indexes: *2 {a: 0,1} BlendWeights: *2 {a: 0,0.4}', "linear", True),
        ('SkinningType: "Blend" Indexes: *2 {a: 0,1} BlendWeights: *2 {a: 1,0.4}', "dual_quaternion", True),
    ],
)
@pytest.mark.parametrize("binary", [False, True])
def test_skins_blend_as_the_file_says(
    tmp_path: Path, body: str, blending: str, told: bool, binary: bool
) -> None:
    scene = Scene()
    bone = scene.node("bone")
    geometry = scene.mesh(scene.node("mesh", subtype="Mesh"), SQUARE, TWO)
    scene.skin(geometry, [(bone, range(4), [1.0] * 4, np.eye(4))], body)
    path = tmp_path / "skin.fbx"
    path.write_bytes(scene.binary() if binary else scene.text())
    asset = FbxImporter().read(path)
    assert asset.meshes[0].skin.blending == blending
    assert any("vertex by vertex" in warning for warning in asset.warnings) == told


# --- shapes


def test_in_betweens_and_animated_weights(tmp_path: Path) -> None:
    scene = Scene()
    geometry = scene.mesh(scene.node("mesh", subtype="Mesh"), SQUARE, TWO)
    held = scene.add("Deformer", "Deformer::blend", "BlendShape", to=geometry)
    rest = block({"DeformPercent": 25.0}) + f" FullWeights: {numbers([50.0, 100.0])}"
    channel = scene.add("Deformer", "SubDeformer::smile", "BlendShapeChannel", rest, to=held)
    for lift in (10.0, 40.0):
        body = f"Indexes: {numbers([1])} Vertices: {numbers([0.0, 0.0, lift])}"
        scene.add("Geometry", "Geometry::smile", "Shape", body, to=channel)
    moved = scene.channel(scene.layer(scene.stack("clip", 0, 1)), channel, "DeformPercent")
    scene.curve(moved, "DeformPercent", [Key(0, 0, LINEAR), Key(1, 100, LINEAR)])
    asset = read(tmp_path, scene)
    mesh, motion = asset.meshes[0], asset.motions[0]
    assert mesh.morph_names == ("smile", "smile")
    np.testing.assert_allclose(mesh.morph_peaks, [0.5, 1.0])
    assert mesh.morph_weights == {"smile": 0.25}
    np.testing.assert_allclose(
        motion.morph_weights["smile"], np.linspace(0, 1, motion.frame_count), atol=1e-6
    )
    rise = [kinematics.skinned_vertices(asset, 0, motion, frame)[1, 2] for frame in range(motion.frame_count)]
    share = np.linspace(0, 1, motion.frame_count)
    np.testing.assert_allclose(rise, np.interp(share, [0, 0.5, 1], [0, 0.1, 0.4]), atol=1e-6)
    np.testing.assert_allclose(kinematics.skinned_vertices(asset, 0, None)[1, 2], 0.05, atol=1e-6)


# --- materials


def png(color: tuple[int, int, int]) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (2, 3), color).save(data, "PNG")
    return data.getvalue()


def textured(scene: Scene, video: str, texture: str = "") -> None:
    node = scene.node("mesh", subtype="Mesh")
    scene.mesh(node, SQUARE, TWO)
    body = 'ShadingModel: "phong" ' + block(
        {"DiffuseColor": (0.5, 0.25, 1.0), "Opacity": 0.5, "ShininessExponent": 6.0}
    )
    material = scene.add("Material", "Material::paint", "", body, to=node)
    held = scene.add("Texture", "Texture::paint", "", texture, to=material, prop="DiffuseColor")
    scene.add("Video", "Video::paint", "Clip", video, to=held)


def test_phong_becomes_metallic_roughness(tmp_path: Path) -> None:
    scene = Scene()
    textured(scene, "")
    (material,) = read(tmp_path, scene).materials
    np.testing.assert_allclose(material.base_color, [0.5, 0.25, 1.0, 0.5])
    assert material.roughness == pytest.approx(0.5)
    assert material.alpha_mode == "blend"


def test_textures_beside_the_file_are_read_and_others_are_not(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / "maps").mkdir(parents=True)
    (folder / "maps" / "red.png").write_bytes(png((255, 0, 0)))
    (tmp_path / "secret.png").write_bytes(png((0, 0, 255)))
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    for written, found in (
        ("maps\\\\red.png", True),
        ("maps/red.png", True),
        ("C:\\\\work\\\\red.png", False),
        ("../secret.png", False),
        (str(tmp_path / "secret.png"), False),
        ("link.png", False),
    ):
        scene = Scene()
        textured(scene, "", f'RelativeFilename: "{written}"')
        asset = read(folder, scene)
        image = asset.materials[0].base_color_image
        assert (image is not None) == found, written
        if found:
            assert image.shape == (3, 2, 3)
            assert (image == (255, 0, 0)).all()
        else:
            assert any("neither in the file nor beside it" in warning for warning in asset.warnings)


def test_embedded_textures_are_read(tmp_path: Path) -> None:
    from kinetoscope_fbx._ascii import parse_ascii
    from kinetoscope_fbx.contract import encode_binary

    scene = Scene()
    textured(scene, "Content: ")
    root, _ = parse_ascii(scene.text(), Path("x"))
    video = next(node for node in root.find("Objects").children if node.name == "Video")
    for data, found in ((png((0, 255, 0)), True), (b"\x89PNG\r\n\x1a\n damaged", False)):
        video.find("Content").values = [data]
        path = tmp_path / "embedded.fbx"
        path.write_bytes(encode_binary(root))
        asset = FbxImporter().read(path)
        image = asset.materials[0].base_color_image
        assert (image is not None) == found
        assert found or any("was left out" in warning for warning in asset.warnings)


def test_textures_embedded_in_text_are_read(tmp_path: Path) -> None:
    packed = b64encode(png((0, 0, 255))).decode()
    parts = ",\n".join(f'"{packed[i : i + 40]}"' for i in range(0, len(packed), 40))
    for content, found in (
        (f"Content: ,\n{parts}", True),
        ('Content: , "no base64!"', False),
        ("Content: ", False),
    ):
        scene = Scene()
        textured(scene, content)
        asset = read(tmp_path, scene)
        image = asset.materials[0].base_color_image
        assert (image is not None) == found
        assert found or asset.warnings
        if found:
            assert (image == (0, 0, 255)).all()


def test_pictures_larger_than_they_look_are_left_out(tmp_path: Path) -> None:
    small = png((0, 0, 0))
    # A header that declares 20,000 by 20,000 pixels, with a checksum that agrees.
    header = b"IHDR" + struct.pack(">II", 20_000, 20_000) + small[24:29]
    bomb = small[:12] + header + struct.pack(">I", zlib.crc32(header)) + small[33:]
    packed = io.BytesIO()
    Image.new("1", (9000, 9000)).save(packed, "PNG")  # 324 MB as colours, and honest about it
    for data in (bomb, packed.getvalue()):
        scene = Scene()
        textured(scene, f'Content: , "{b64encode(data).decode()}"')
        asset = read(tmp_path, scene)
        assert asset.materials[0].base_color_image is None
        assert any("was left out" in warning for warning in asset.warnings)


def test_pictures_that_would_run_programs_are_left_out(tmp_path: Path) -> None:
    scene = Scene()
    script = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 4\n%%EndComments\n"
    textured(scene, f'Content: , "{b64encode(script).decode()}"')
    asset = read(tmp_path, scene)
    assert asset.materials[0].base_color_image is None
    assert any("was left out" in warning for warning in asset.warnings)
