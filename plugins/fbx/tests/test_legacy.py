"""Files before version 6, which hold everything in their models, read as the same scene as later ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ufbx_answers import ask, moments, worst

from kinetoscope_fbx._ascii import parse_ascii
from kinetoscope_fbx._node import Node
from kinetoscope_fbx.contract import encode_binary
from kinetoscope_fbx.importer import FbxImporter
from kinetoscope_spec import Asset, FormatError, kinematics

SECOND = 46_186_158_000
KEYS = f"KeyVer: 4004 KeyCount: 3 Key: 0,0,L,{SECOND // 2},90,C,n,{SECOND},30,U,s,0,0,n"


def channel(name: str, values: tuple[float, float, float], keys: str = "") -> str:
    axes = "".join(
        f'Channel: "{axis}" {{ Default: {value} {keys if axis == "Z" else ""} }}\n'
        for axis, value in zip("XYZ", values, strict=True)
    )
    return f'Channel: "{name}" {{ {axes} LayerType: 1 }}\n'


LEGACY = f"""; FBX 5.8.0 project file
FBXHeaderExtension: {{ FBXVersion: 5800 Creator: "by hand" }}
Model: "Model::root" {{
 Type: "Null"
 Children: "Model::shoulder","Model::sleeve"
}}
Model: "Model::shoulder" {{
 Type: "LimbNode"
 Children: "Model::elbow"
}}
Model: "Model::elbow" {{ Type: "LimbNode" }}
Model: "Model::sleeve" {{
 Material: "Material::cloth" {{
  ShadingModel: "phong"
  Diffuse: 0.5,0.25,0.125
  Shininess: 6
  Alpha: 1
 }}
 Material: "Material::cuff" {{ Diffuse: 1,0,0 }}
 Vertices: 0,100,0, 10,100,0, 10,150,0, 0,150,0
 PolygonVertexIndex: 0,1,-3,0,2,-4
 Normals: 0,0,1, 0,0,1, 0,0,1, 0,0,1
 GeometryUVInfo: {{
  MappingInformationType: "ByPolygon"
  TextureUV: 0,0, 1,0, 1,1, 0,1
  TextureUVVerticeIndex: 0,1,2,0,2,3
 }}
 MaterialAssignation: "ByPolygon"
 Materials: 0,1
 Link: "Model::shoulder" {{
  Indexes: 0,1
  Weights: 1,1
  Transform: 1,0,0,0,0,1,0,0,0,0,1,0,0,-100,0,1
  TransformLink: 1,0,0,0,0,1,0,0,0,0,1,0,0,100,0,1
 }}
 Link: "Model::elbow" {{
  Indexes: 2,3
  Weights: 1,1
  Transform: 1,0,0,0,0,1,0,0,0,0,1,0,0,-150,0,1
  TransformLink: 1,0,0,0,0,1,0,0,0,0,1,0,0,150,0,1
 }}
}}
Takes: {{
 Current: "raise"
 Take: "raise" {{
  LocalTime: 0,{SECOND}
  Model: "Model::shoulder" {{ Channel: "Transform" {{
   {channel("T", (0, 100, 0))} {channel("R", (0, 0, 0), KEYS)} {channel("S", (1, 1, 1))}
  }} }}
  Model: "Model::elbow" {{ Channel: "Transform" {{
   {channel("T", (0, 50, 0))} {channel("R", (0, 0, 10))} {channel("S", (1, 1, 1))}
  }} }}
 }}
}}
Settings: {{ FrameRate: "10" }}
""".encode()


@pytest.fixture(scope="module", params=["text", "binary"])
def arm(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Asset]:
    path = tmp_path_factory.mktemp("legacy") / "arm.fbx"
    path.write_bytes(LEGACY if request.param == "text" else _binary())
    return path, FbxImporter().read(path)


def _binary() -> bytes:
    root, version = parse_ascii(LEGACY, Path("arm.fbx"))
    _letters(root)
    return encode_binary(root, version)


def _letters(node: Node) -> None:
    """Make the letters between keys what they are in binary files: bytes."""
    for child in node.children:
        if child.name == "Key":
            child.values = [
                np.uint8(ord(value)) if isinstance(value, str) else value for value in child.values
            ]
        _letters(child)


def test_cubic_keys_with_unlike_slopes_are_those_of_ufbx(tmp_path: Path) -> None:
    """Of each key the slope that leaves it, then the one that arrives at the next."""
    pytest.importorskip("ufbx", reason="the oracle ufbx has no wheel for this platform")
    keys = (
        f"KeyVer: 4004 KeyCount: 3 Key: 0,0,U,s,90,-30,n,{SECOND // 2},40,U,s,10,70,n,{SECOND},-20,U,s,0,0,n"
    )
    path = tmp_path / "arm.fbx"
    path.write_bytes(LEGACY.replace(KEYS.encode(), keys.encode()))
    asset = FbxImporter().read(path)
    ((number, frames, times),) = moments(asset)
    (said,) = ask([[str(path), number, times]])
    assert worst(asset, number, frames, said) < 1e-6


def test_nodes_and_motion_are_those_of_ufbx(arm: tuple[Path, Asset]) -> None:
    pytest.importorskip("ufbx", reason="the oracle ufbx has no wheel for this platform")
    path, asset = arm
    ((number, frames, times),) = moments(asset)
    (said,) = ask([[str(path), number, times]])
    assert worst(asset, number, frames, said) < 1e-6
    assert asset.skeleton.names == ("root", "shoulder", "elbow", "sleeve")
    assert asset.motions[0].name == "raise"
    assert asset.motions[0].framerate == 10


def test_the_skin_follows_its_links(arm: tuple[Path, Asset]) -> None:
    _, asset = arm
    still = kinematics.skinned_vertices(asset, 0, None)
    np.testing.assert_allclose(still[:2], [[0, 1, 0], [0.1, 1, 0]], atol=1e-6)
    turned = kinematics.skinned_vertices(asset, 0, 0, 4)  # at 0.4 s: 72 degrees about z, at (0, 1, 0)
    angle = np.radians(72)
    np.testing.assert_allclose(turned[1], [0.1 * np.cos(angle), 1 + 0.1 * np.sin(angle), 0], atol=1e-5)


def test_corners_and_materials(arm: tuple[Path, Asset]) -> None:
    _, asset = arm
    mesh = asset.meshes[0]
    np.testing.assert_allclose(mesh.normals, np.tile([0, 0, 1], (6, 1)))
    np.testing.assert_allclose(mesh.uvs, [[0, 1], [1, 1], [1, 0], [0, 1], [1, 0], [0, 0]])
    assert [asset.materials[i].name for i in mesh.face_material] == ["cloth", "cuff"]
    np.testing.assert_allclose(asset.materials[0].base_color, [0.5, 0.25, 0.125, 1])


def test_a_file_without_models_is_told(tmp_path: Path) -> None:
    path = tmp_path / "empty.fbx"
    path.write_bytes(b'; FBX 5.8.0 project file\nSettings: { FrameRate: "x" }\n')
    with pytest.raises(FormatError, match="no objects"):
        FbxImporter().read(path)
