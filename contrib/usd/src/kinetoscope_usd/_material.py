"""UsdPreviewSurface networks, as materials of glTF's model.

After the "UsdPreviewSurface specification" of OpenUSD: one surface shader, textures by UsdUVTexture,
UVs by UsdPrimvarReader_float2, perhaps moved by UsdTransform2d.
"""

from __future__ import annotations

import math
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import Material
from kinetoscope_usd._images import Image, Images

__all__ = ["Look", "look"]

_WRAPS = {"repeat": "repeat", "clamp": "clamp", "mirror": "mirror", "black": "clamp"}
_CHANNELS = {"r": 0, "g": 1, "b": 2, "a": 3}


@attrs.frozen
class Look:
    """A material, and how the meshes that wear it find their UVs."""

    material: Material
    uv_name: str = "st"
    uv_matrix: NDArray[np.float64] | None = None


@attrs.frozen
class _Texture:
    image: Image
    output: str
    shader: Any
    uv_name: str
    uv_matrix: NDArray[np.float64] | None

    def channel(self) -> NDArray[np.uint8]:
        """Return the channel that is connected, `[H, W]`; opaque where there is no alpha."""
        at = _CHANNELS.get(self.output, 0)
        return (
            self.image[..., at] if at < self.image.shape[2] else np.full(self.image.shape[:2], 255, np.uint8)
        )


def look(material: Any, images: Images, name: str) -> Look:
    """Return what a UsdShade material looks like; without a preview surface, a plain grey."""
    surface = _surface(material)
    if surface is None:
        images.warnings.append(f"{material.GetPath()} has no UsdPreviewSurface; it is grey here")
        return Look(Material(name))
    held: dict[str, Any] = {"name": name}
    color, base = _input(surface, "diffuseColor", (0.18, 0.18, 0.18), images)
    opacity, cover = _input(surface, "opacity", 1.0, images)
    image = base.image[..., :3] if base is not None else None
    factor = _triple(_multiplier(base)) if base is not None else _triple(color)
    alpha = min(max(float(opacity if cover is None else list(_multiplier(cover))[3]), 0.0), 1.0)
    if image is not None and cover is not None:
        image = _with_alpha(image, cover.channel(), images, name)
    held["base_color"] = np.array([*np.clip(factor, 0, 1), alpha])
    held["base_color_image"] = image
    threshold, _ = _input(surface, "opacityThreshold", 0.0, images)
    if float(threshold) > 0:
        held |= {"alpha_mode": "mask", "alpha_cutoff": min(float(threshold), 1.0)}
    elif alpha < 1 or (cover is not None and image is not None):
        held["alpha_mode"] = "blend"
    if base is not None:
        held["wrap"] = _wrap(base)
    held |= _metal(surface, images, name) | _rest(surface, images)
    _check_uvs(surface, base, images, name)
    return Look(
        Material(**held), base.uv_name if base else _any_uv(surface, images), base.uv_matrix if base else None
    )


def _surface(material: Any) -> Any:
    shader = material.ComputeSurfaceSource()
    shader = shader[0] if isinstance(shader, tuple) else shader
    return shader if shader and shader.GetShaderId() == "UsdPreviewSurface" else None


def _input(surface: Any, name: str, default: Any, images: Images) -> tuple[Any, _Texture | None]:
    """Return the value of an input, and the texture it is connected to."""
    held = surface.GetInput(name)
    if not held:
        return default, None
    for source in held.GetValueProducingAttributes():
        prim, shader = source.GetPrim(), _shader(source.GetPrim())
        if shader is not None and shader.GetShaderId() == "UsdUVTexture":
            found = _texture(shader, source.GetBaseName(), images)
            if found is not None:
                return default, found
            fallback = _own(shader, "fallback", None)
            return (fallback if fallback is not None and not np.isscalar(default) else default), None
        value = source.Get()
        if value is not None and prim:
            return value, None
    return default, None


def _shader(prim: Any) -> Any:
    from pxr import UsdShade

    shader = UsdShade.Shader(prim)
    return shader if shader else None


def _own(shader: Any, name: str, default: Any) -> Any:
    """Return the value of a shader's input, wherever it comes from."""
    held = shader.GetInput(name)
    for source in held.GetValueProducingAttributes() if held else ():
        value = source.Get()
        if value is not None:
            return value
    return default


def _texture(shader: Any, output: str, images: Images) -> _Texture | None:
    held = shader.GetInput("file")
    sources = held.GetValueProducingAttributes() if held else []
    image = images.read(sources[0]) if sources else None
    if image is None:
        return None
    return _Texture(image, output, shader, *_uvs(shader))


def _uvs(shader: Any) -> tuple[str, NDArray[np.float64] | None]:
    """Return the primvar of a texture's UVs and the transform they go through, `[3, 3]` or None."""
    matrix = np.eye(3)
    for _ in range(8):
        held = shader.GetInput("st" if shader.GetShaderId() == "UsdUVTexture" else "in")
        source = held.GetConnectedSource() if held else None
        shader = _shader(source[0].GetPrim()) if source else None
        if shader is None:
            break
        if shader.GetShaderId() == "UsdTransform2d":
            matrix = matrix @ _transform2d(shader)
        elif str(shader.GetShaderId()).startswith("UsdPrimvarReader"):
            name = _own(shader, "varname", "st")
            return str(name), None if np.array_equal(matrix, np.eye(3)) else matrix
    return "st", None


def _transform2d(shader: Any) -> NDArray[np.float64]:
    """Return scale, then rotation (degrees, counter-clockwise), then translation."""
    angle = math.radians(float(_own(shader, "rotation", 0.0)))
    sx, sy = (float(x) for x in _own(shader, "scale", (1.0, 1.0)))
    tx, ty = (float(x) for x in _own(shader, "translation", (0.0, 0.0)))
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c * sx, -s * sy, tx], [s * sx, c * sy, ty], [0, 0, 1]])


def _multiplier(texture: _Texture) -> Any:
    return _own(texture.shader, "scale", (1.0, 1.0, 1.0, 1.0))


def _triple(value: Any) -> NDArray[np.float64]:
    return np.array([float(x) for x in list(value)[:3]])


def _wrap(texture: _Texture) -> tuple[str, str]:
    u, v = (_WRAPS.get(str(_own(texture.shader, name, "repeat")), "repeat") for name in ("wrapS", "wrapT"))
    return u, v


def _with_alpha(image: Image, alpha: NDArray[np.uint8], images: Images, name: str) -> Image:
    if alpha.shape != image.shape[:2]:
        images.warnings.append(f"the opacity of {name!r} has another size than its colour and is left out")
        return image
    return np.concatenate([image, alpha[..., None]], axis=2)


def _metal(surface: Any, images: Images, name: str) -> dict[str, Any]:
    """Return metallic and roughness; two textures become one, as glTF has it: green rough, blue metal."""
    metallic, metal = _input(surface, "metallic", 0.0, images)
    roughness, rough = _input(surface, "roughness", 0.5, images)
    held: dict[str, Any] = {
        "metallic": 1.0 if metal else min(max(float(metallic), 0.0), 1.0),
        "roughness": 1.0 if rough else min(max(float(roughness), 0.0), 1.0),
    }
    for texture, key, channel in ((metal, "metallic", 2), (rough, "roughness", 1)):
        if texture is not None:
            held[key] = min(
                max(float(list(_multiplier(texture))[_CHANNELS.get(texture.output, channel)]), 0.0), 1.0
            )
    if metal is None and rough is None:
        return held
    whole = metal or rough
    assert whole is not None
    image = np.full((*whole.image.shape[:2], 3), 255, np.uint8)
    for texture, channel in ((rough, 1), (metal, 2)):
        if texture is None:
            continue
        if texture.image.shape[:2] != image.shape[:2]:
            images.warnings.append(f"roughness and metal of {name!r} differ in size; one of them is left out")
            continue
        image[..., channel] = texture.channel()
    held["metallic_roughness_image"] = image
    return held


def _rest(surface: Any, images: Images) -> dict[str, Any]:
    """Return emission, normals and occlusion."""
    held: dict[str, Any] = {}
    emissive, glow = _input(surface, "emissiveColor", (0.0, 0.0, 0.0), images)
    held["emissive"] = np.maximum(_triple(_multiplier(glow) if glow else emissive), 0)
    held["emissive_image"] = glow.image[..., :3] if glow else None
    _, bump = _input(surface, "normal", (0.0, 0.0, 1.0), images)
    if bump is not None:
        held["normal_image"] = bump.image[..., :3]
        held["normal_scale"] = (
            float(next(iter(_multiplier(bump)))) / 2 if _own(bump.shader, "scale", None) else 1.0
        )
    _, shade = _input(surface, "occlusion", 1.0, images)
    if shade is not None:
        held["occlusion_image"] = np.repeat(shade.channel()[..., None], 3, axis=2)
        held["occlusion_strength"] = min(max(float(next(iter(_multiplier(shade)))), 0.0), 1.0)
    return held


_TEXTURED = ("metallic", "roughness", "emissiveColor", "normal", "occlusion")


def _any_uv(surface: Any, images: Images) -> str:
    found = [texture for name in _TEXTURED if (texture := _input(surface, name, 0.0, images)[1]) is not None]
    return found[0].uv_name if found else "st"


def _check_uvs(surface: Any, base: _Texture | None, images: Images, name: str) -> None:
    if base is None:
        return
    for other in _TEXTURED:
        texture = _input(surface, other, 0.0, images)[1]
        if texture is not None and (
            texture.uv_name != base.uv_name or not _same(texture.uv_matrix, base.uv_matrix)
        ):
            images.warnings.append(
                f"the {other} texture of {name!r} has UVs of its own; those of its colour are read"
            )


def _same(a: NDArray[np.float64] | None, b: NDArray[np.float64] | None) -> bool:
    return a is b if a is None or b is None else np.array_equal(a, b)
