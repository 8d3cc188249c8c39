"""Materials, textures and what extensions do to them."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from kinetoscope_glb.importer import GlbImporter
from kinetoscope_spec import Asset, FormatError

Read = Callable[..., Asset]
TRIANGLE = [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
UVS = np.array([[0, 0], [1, 0], [0.25, 0.5]])


def picture(
    mode: str = "RGB", size: tuple[int, int] = (5, 3), kind: str = "PNG"
) -> tuple[bytes, Image.Image]:
    rng = np.random.default_rng(1)
    image = Image.fromarray(rng.integers(0, 256, (size[1], size[0], 4), dtype=np.uint8), "RGBA")
    image = image.convert("RGB").convert(mode) if mode == "P" else image.convert(mode)
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue(), image


def dressed(held: Any, data: bytes | None, texture: dict[str, Any] | None = None, **material: Any) -> Any:
    if data is not None:
        held.json["images"] = [{"bufferView": held.view(data), "mimeType": "image/png"}]
        held.json["textures"] = [{"source": 0}]
        material["pbrMetallicRoughness"] = {"baseColorTexture": {"index": 0, **(texture or {})}}
    held.json["materials"] = [material]
    part = held.triangles(TRIANGLE, TEXCOORD_0=held.array(UVS), TEXCOORD_1=held.array(1 - UVS))
    held.shown({**part, "material": 0})
    return held


def test_factors(make: Any, read: Read) -> None:
    held = dressed(
        make(),
        None,
        name="skin",
        pbrMetallicRoughness={
            "baseColorFactor": [1, 0.5, 0, 0.25],
            "metallicFactor": 0.5,
            "roughnessFactor": 0.1,
        },
        emissiveFactor=[1, 0.5, 0],
        alphaMode="MASK",
        alphaCutoff=0.3,
        doubleSided=True,
        extensions={"KHR_materials_emissive_strength": {"emissiveStrength": 4}},
    )
    (found,) = read(held).materials
    assert found.base_color.tolist() == [1, 0.5, 0, 0.25]
    assert (found.name, found.metallic, found.roughness) == ("skin", 0.5, 0.1)
    assert found.emissive.tolist() == [4, 2, 0]
    assert (found.alpha_mode, found.alpha_cutoff, found.double_sided) == ("mask", 0.3, True)


def test_defaults_are_the_formats(make: Any, read: Read) -> None:
    (found,) = read(dressed(make(), None)).materials
    assert found.base_color.tolist() == [1, 1, 1, 1]
    assert (found.metallic, found.roughness, found.alpha_mode, found.alpha_cutoff) == (1, 1, "opaque", 0.5)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1"])
def test_images_of_every_mode(make: Any, read: Read, mode: str) -> None:
    data, image = picture(mode)
    pixels = read(dressed(make(), data)).materials[0].base_color_image
    expected = np.asarray(image.convert("RGBA" if mode.endswith("A") else "RGB"))
    np.testing.assert_array_equal(pixels, expected)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_jpeg_and_webp(make: Any, read: Read, kind: str) -> None:
    data, _ = picture(kind=kind)
    expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    held = dressed(make(), data)
    if kind == "WEBP":
        held.json["textures"] = [{"extensions": {"EXT_texture_webp": {"source": 0}}}]
    np.testing.assert_array_equal(read(held).materials[0].base_color_image, expected)


def test_sixteen_bits(make: Any, read: Read) -> None:
    file = io.BytesIO()
    Image.fromarray(np.array([[0, 32896, 65535]], np.uint16)).save(file, "PNG")
    pixels = read(dressed(make(), file.getvalue())).materials[0].base_color_image
    assert pixels[0, :, 0].tolist() == [0, 128, 255]


def test_no_textures_when_none_are_wanted(make: Any, read: Read) -> None:
    assert read(dressed(make(), b"no image"), textures=False).materials[0].base_color_image is None


@pytest.mark.parametrize(
    "texture",
    [
        {"texCoord": 1},
        {"extensions": {"KHR_texture_transform": {"texCoord": 1}}},
        {"texCoord": 1, "extensions": {"KHR_texture_transform": {"texCoord": 0, "offset": [1, 2]}}},
        {"extensions": {"KHR_texture_transform": {"scale": [2, 3]}}},
        {"extensions": {"KHR_texture_transform": {"rotation": 0.7}}},
        {"extensions": {"KHR_texture_transform": {"rotation": -2, "scale": [2, -1], "offset": [0.1, 0.2]}}},
    ],
)
def test_texture_coordinates(make: Any, read: Read, texture: dict[str, Any]) -> None:
    found = read(dressed(make(), picture()[0], texture)).meshes[0].uvs
    transform = texture.get("extensions", {}).get("KHR_texture_transform", {})
    chosen = transform.get("texCoord", texture.get("texCoord", 0))
    uv = UVS if chosen == 0 else 1 - UVS
    # Turned counter-clockwise as one sees the coordinates, whose v points down.
    as_seen = (uv * transform.get("scale", [1, 1])) @ [1, -1j] * np.exp(1j * transform.get("rotation", 0))
    expected = np.stack([as_seen.real, -as_seen.imag], axis=1) + transform.get("offset", [0, 0])
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_wrapping_and_other_textures(make: Any, read: Read) -> None:
    held = dressed(make(), picture()[0])
    held.json["samplers"] = [{"wrapS": 33071, "wrapT": 33648}]
    held.json["textures"] = [{"source": 0, "sampler": 0}]
    held.json["materials"][0] |= {
        "normalTexture": {"index": 0, "scale": 0.5},
        "occlusionTexture": {"index": 0, "strength": 0.25, "texCoord": 1},
        "emissiveTexture": {"index": 0},
    }
    held.json["materials"][0]["pbrMetallicRoughness"]["metallicRoughnessTexture"] = {"index": 0}
    asset = read(held)
    (found,) = asset.materials
    assert found.wrap == ("clamp", "mirror")
    assert (found.normal_scale, found.occlusion_strength) == (0.5, 0.25)
    for name in ("normal_image", "occlusion_image", "emissive_image", "metallic_roughness_image"):
        assert getattr(found, name) is found.base_color_image
    assert "lays its textures out differently" in asset.warnings[0]


def test_unlit(make: Any, read: Read) -> None:
    held = dressed(make(), None, extensions={"KHR_materials_unlit": {}})
    held.json["extensionsRequired"] = ["KHR_materials_unlit", "KHR_materials_clearcoat"]
    asset = read(held)
    assert (asset.materials[0].metallic, asset.materials[0].roughness) == (0, 1)
    assert len(asset.warnings) == 2


def test_an_image_beside_the_file(make: Any, tmp_path: Path) -> None:
    data, image = picture()
    (tmp_path / "skin tone.png").write_bytes(data)
    held = dressed(make(), data)
    held.json["images"] = [{"uri": "skin%20tone.png"}, {"uri": "missing.png"}]
    held.json["textures"].append({"source": 1})
    held.json["materials"].append({"normalTexture": {"index": 1}})
    path = tmp_path / "a.gltf"
    path.write_bytes(held.gltf())
    asset = GlbImporter().read(path)
    np.testing.assert_array_equal(asset.materials[0].base_color_image, np.asarray(image))
    assert asset.materials[1].normal_image is None
    assert "images[1] is left out: it can't be read: missing.png" in asset.warnings[0]


def bomb() -> bytes:
    """A PNG of 30,000 by 30,000 black pixels in 110 KB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    size = (30000).to_bytes(4, "big")
    packer = zlib.compressobj(9)
    row = bytes(1 + 30000 // 8)
    body = b"".join(packer.compress(row) for _ in range(30000)) + packer.flush()
    head = size + size + bytes([1, 0, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no PNG, JPEG or WebP"),
        (b"GIF89a" + bytes(50), "no PNG, JPEG or WebP"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n", "no PNG, JPEG or WebP"),
        (picture(size=(200, 200))[0][:-2000], "damaged"),
        (bomb(), "900000000 pixels"),
    ],
    ids=["empty", "gif", "postscript", "cut", "bomb"],
)
def test_images_that_cannot_be_decoded_are_left_out(make: Any, read: Read, data: bytes, reason: str) -> None:
    asset = read(dressed(make(), data))
    assert asset.materials[0].base_color_image is None
    assert reason in asset.warnings[0]


def test_many_images_together_stay_in_proportion_to_the_file(make: Any, read: Read) -> None:
    """Each of them would pass: 48 MB of one colour, eight times from the same bytes."""
    file = io.BytesIO()
    Image.new("L", (4096, 4096)).save(file, "PNG")
    data = file.getvalue()
    held = dressed(make(), data)
    view = held.json["bufferViews"][0]
    for i in range(1, 8):
        held.json["bufferViews"].append(dict(view))
        number = len(held.json["bufferViews"]) - 1
        held.json["images"].append({"bufferView": number})
        held.json["textures"].append({"source": i})
        held.json["materials"].append({"emissiveTexture": {"index": i}})
    asset = read(held)
    taken = [m.emissive_image.nbytes for m in asset.materials if m.emissive_image is not None]
    assert sum(taken) <= 256 * 2**20 + 256 * len(held.glb())
    assert len(taken) >= 3
    assert "may take" in asset.warnings[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda j: j["materials"][0].update(alphaMode="GLASS"), "alphaMode is 'GLASS'"),
        (lambda j: j["materials"][0].update(emissiveFactor=[1]), "emissiveFactor"),
        (lambda j: j["materials"][0]["pbrMetallicRoughness"].update(metallicFactor=3), "metallicFactor is 3"),
        (
            lambda j: j["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"].update(index=4),
            "index is 4",
        ),
        (lambda j: j["textures"][0].update(source=2), "source is 2"),
        (lambda j: j["images"][0].update(bufferView=99), "bufferView is 99"),
    ],
)
def test_bad_materials(make: Any, read: Read, change: Any, message: str) -> None:
    held = dressed(make(), picture()[0])
    change(held.json)
    with pytest.raises(FormatError, match=message):
        read(held)
