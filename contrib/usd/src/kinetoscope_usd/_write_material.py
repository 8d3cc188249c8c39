"""Writes materials as UsdPreviewSurface networks, their images as PNG files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import Material
from kinetoscope_usd._identifiers import Namer, identifier

__all__ = ["write_materials"]


@attrs.frozen
class _Writer:
    """One material: its prim, where its images go, and the names they have."""

    stage: Any
    path: Any
    surface: Any
    folder: Path
    inside: str
    wrap: tuple[str, str]

    def value(self, name: str, kind: Any, value: Any) -> None:
        self.surface.CreateInput(name, kind).Set(value)

    def texture(self, name: str, image: NDArray[np.uint8], scale: Any, bias: Any, *, linear: bool) -> Any:
        """Write an image and the shader that reads it; return the shader."""
        from PIL import Image
        from pxr import Gf, Sdf, UsdShade

        (self.folder / self.inside).mkdir(exist_ok=True)
        file = f"{self.path.name}_{name}.png"
        Image.fromarray(np.ascontiguousarray(image)).save(self.folder / self.inside / file)
        types = Sdf.ValueTypeNames
        shader = UsdShade.Shader.Define(self.stage, self.path.AppendChild(name))
        shader.CreateIdAttr("UsdUVTexture")
        shader.CreateInput("file", types.Asset).Set(f"./{self.inside}/{file}")
        shader.CreateInput("sourceColorSpace", types.Token).Set("raw" if linear else "sRGB")
        for axis, mode in zip(("wrapS", "wrapT"), self.wrap, strict=True):
            shader.CreateInput(axis, types.Token).Set(mode)
        shader.CreateInput("scale", types.Float4).Set(Gf.Vec4f(*map(float, scale)))
        shader.CreateInput("bias", types.Float4).Set(Gf.Vec4f(*map(float, bias)))
        shader.CreateInput("st", types.Float2).ConnectToSource(self._reader())
        return shader

    def connect(self, name: str, kind: Any, shader: Any, output: str) -> None:
        from pxr import Sdf

        types = Sdf.ValueTypeNames
        source = shader.CreateOutput(output, types.Float3 if output == "rgb" else types.Float)
        self.surface.CreateInput(name, kind).ConnectToSource(source)

    def _reader(self) -> Any:
        from pxr import Sdf, UsdShade

        reader = UsdShade.Shader.Define(self.stage, self.path.AppendChild("uvs"))
        reader.CreateIdAttr("UsdPrimvarReader_float2")
        reader.CreateInput("varname", Sdf.ValueTypeNames.String).Set("st")
        return reader.CreateOutput("result", Sdf.ValueTypeNames.Float2)


def write_materials(
    stage: Any, scope: Any, materials: Sequence[Material], folder: Path, inside: str
) -> list[Any]:
    """Write all materials below `scope`, their images to `folder/inside`; return UsdShade's."""
    from pxr import UsdGeom, UsdShade

    if materials:
        UsdGeom.Scope.Define(stage, scope)
    namer = Namer()
    written = []
    for material in materials:
        path = scope.AppendChild(namer(identifier(material.name)))
        held = UsdShade.Material.Define(stage, path)
        held.GetPrim().SetDisplayName(material.name)
        surface = UsdShade.Shader.Define(stage, path.AppendChild("surface"))
        surface.CreateIdAttr("UsdPreviewSurface")
        held.CreateSurfaceOutput().ConnectToSource(surface.ConnectableAPI(), "surface")
        writer = _Writer(stage, path, surface, folder, inside, material.wrap)
        _write_color(writer, material)
        _write_metal(writer, material)
        _write_rest(writer, material)
        written.append(held)
    return written


_NONE = (0, 0, 0, 0)


def _write_color(writer: _Writer, material: Material) -> None:
    from pxr import Gf, Sdf

    types = Sdf.ValueTypeNames
    color = [float(x) for x in material.base_color]
    clear = material.alpha_mode != "opaque"
    image = material.base_color_image
    if image is None:
        writer.value("diffuseColor", types.Color3f, Gf.Vec3f(*color[:3]))
    else:
        shader = writer.texture("base_color", image, color, _NONE, linear=False)
        writer.connect("diffuseColor", types.Color3f, shader, "rgb")
        if clear and image.shape[2] == 4:
            writer.connect("opacity", types.Float, shader, "a")
    if clear and (image is None or image.shape[2] == 3):
        writer.value("opacity", types.Float, color[3])
    if material.alpha_mode == "mask":
        writer.value("opacityThreshold", types.Float, max(float(material.alpha_cutoff), 1e-6))


def _write_metal(writer: _Writer, material: Material) -> None:
    from pxr import Sdf

    types = Sdf.ValueTypeNames
    rough, metal = float(material.roughness), float(material.metallic)
    image = material.metallic_roughness_image
    if image is None:
        writer.value("roughness", types.Float, rough)
        writer.value("metallic", types.Float, metal)
        return
    shader = writer.texture("metallic_roughness", image, (1, rough, metal, 1), _NONE, linear=True)
    writer.connect("roughness", types.Float, shader, "g")
    writer.connect("metallic", types.Float, shader, "b")


def _write_rest(writer: _Writer, material: Material) -> None:
    from pxr import Gf, Sdf

    types = Sdf.ValueTypeNames
    glow = [float(x) for x in material.emissive]
    if material.emissive_image is None:
        writer.value("emissiveColor", types.Color3f, Gf.Vec3f(*glow))
    else:
        shader = writer.texture("emissive", material.emissive_image, (*glow, 1), _NONE, linear=False)
        writer.connect("emissiveColor", types.Color3f, shader, "rgb")
    if material.normal_image is not None:
        size = float(material.normal_scale)
        scale, bias = (2 * size, 2 * size, 2, 1), (-size, -size, -1, 0)
        shader = writer.texture("normal", material.normal_image, scale, bias, linear=True)
        writer.connect("normal", types.Normal3f, shader, "rgb")
    if material.occlusion_image is not None:
        strength = float(material.occlusion_strength)
        rest = 1 - strength
        shader = writer.texture(
            "occlusion", material.occlusion_image, (*(strength,) * 3, 1), (*(rest,) * 3, 0), linear=True
        )
        writer.connect("occlusion", types.Float, shader, "r")
