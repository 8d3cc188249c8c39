"""From an asset to a USD file."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from kinetoscope_spec import Asset, ConfigError, Motion
from kinetoscope_usd._bind import Bind, bind
from kinetoscope_usd._identifiers import Namer, identifier, joint_paths
from kinetoscope_usd._transforms import compose
from kinetoscope_usd._write_material import write_materials
from kinetoscope_usd._write_mesh import write_mesh

__all__ = ["write"]

_FORMATS = {".usda": "usda", ".usdc": "usdc", ".usd": "usdc", ".usdz": "usdc"}


def write(asset: Asset, path: Path, *, motion: int | None) -> None:
    """Write `asset` to `path`; see `UsdImporter.write`."""
    suffix = path.suffix.lower()
    if suffix not in _FORMATS:
        raise ConfigError(f"{path.name} ends in {suffix!r}, expected one of {', '.join(_FORMATS)}")
    if motion is not None:
        if not -len(asset.motions) <= motion < len(asset.motions):
            raise ConfigError(f"motion is {motion}, but the asset {asset.name!r} has {len(asset.motions)}")
        asset = attrs.evolve(asset, motions=(asset.motions[motion],))
    binding = bind(asset)
    folder = Path(tempfile.mkdtemp(prefix=f".{path.name[:50]}.", suffix=".part", dir=path.parent))
    try:
        inside = "textures" if suffix == ".usdz" else f"{path.stem}_textures"
        stage = _stage(asset, binding, folder, inside)
        whole = folder / f"whole.{_FORMATS[suffix]}"
        if not stage.GetRootLayer().Export(str(whole)):
            raise OSError(f"OpenUSD could not write {path}")
        if suffix == ".usdz":
            whole = _packed(folder, whole, inside)
        _put(folder, inside, whole, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _put(folder: Path, inside: str, whole: Path, path: Path) -> None:
    """Move what is finished to where it belongs, the file itself last."""
    if (folder / inside).is_dir() and path.suffix.lower() != ".usdz":
        (path.parent / inside).mkdir(exist_ok=True)
        for image in sorted((folder / inside).iterdir()):
            os.replace(image, path.parent / inside / image.name)
    os.replace(whole, path)


def _packed(folder: Path, layer: Path, inside: str) -> Path:
    """Return a usdz package of the layer and its textures: the layer comes first."""
    from pxr import Sdf, Usd

    writer = getattr(Sdf, "ZipFileWriter", None) or Usd.ZipFileWriter  # it moved in 25.05
    whole = folder / "whole.usdz"
    with writer.CreateNew(str(whole)) as package:
        package.AddFile(str(layer), "asset.usdc")
        for image in sorted((folder / inside).iterdir()) if (folder / inside).is_dir() else ():
            package.AddFile(str(image), f"{inside}/{image.name}")
    return whole


def _stage(asset: Asset, binding: Bind, folder: Path, inside: str) -> Any:
    from pxr import Kind, Sdf, Usd, UsdGeom, UsdSkel

    stage = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    told = {"generator": "kinetoscope-usd"}
    if isinstance(asset.metadata.get("licence"), str):
        told["licence"] = asset.metadata["licence"]
    stage.GetRootLayer().customLayerData = told
    root = UsdSkel.Root.Define(stage, "/" + identifier(asset.name or "asset")).GetPrim()
    root.SetDisplayName(asset.name)
    Usd.ModelAPI(root).SetKind(Kind.Tokens.component)
    stage.SetDefaultPrim(root)
    tokens = joint_paths(asset.skeleton.names, asset.skeleton.parents.tolist())
    skeleton = _skeleton(stage, root.GetPath().AppendChild("Skeleton"), asset, tokens, binding)
    clips = _clips(stage, root.GetPath().AppendChild("Motions"), asset, tokens)
    if clips:
        skeleton.CreateAnimationSourceRel().SetTargets([clips[0]])
    looks = write_materials(stage, root.GetPath().AppendChild("Materials"), asset.materials, folder, inside)
    namer = Namer()
    if asset.meshes:
        UsdGeom.Scope.Define(stage, root.GetPath().AppendChild("Geometry"))
    for i, mesh in enumerate(asset.meshes):
        path = root.GetPath().AppendPath(Sdf.Path(f"Geometry/{namer(identifier(mesh.name))}"))
        write_mesh(
            stage, path, mesh, tokens, skeleton.GetPath(), binding, binding.placed[i], looks, asset.materials
        )
    return stage  # a layer does not keep its stage alive, nor the stage's layer itself


def _skeleton(stage: Any, path: Any, asset: Asset, tokens: list[str], binding: Bind) -> Any:
    """Write the skeleton and return its binding."""
    from pxr import UsdSkel, Vt

    held = asset.skeleton
    skeleton = UsdSkel.Skeleton.Define(stage, path)
    skeleton.CreateJointsAttr(Vt.TokenArray(tokens))
    if any(token.rsplit("/", 1)[-1] != name for token, name in zip(tokens, held.names, strict=True)):
        skeleton.CreateJointNamesAttr(Vt.TokenArray(list(held.names)))
    rest = compose(held.rest_positions, held.rest_rotations, held.rest_scales)
    skeleton.CreateRestTransformsAttr(_matrices(rest))
    skeleton.CreateBindTransformsAttr(_matrices(binding.bind))
    return UsdSkel.BindingAPI.Apply(skeleton.GetPrim())


def _matrices(ours: Any) -> Any:
    from pxr import Vt

    return Vt.Matrix4dArray.FromNumpy(np.ascontiguousarray(np.swapaxes(ours, -1, -2), np.float64))


def _clips(stage: Any, scope: Any, asset: Asset, tokens: list[str]) -> list[Any]:
    """Write every motion, over one time axis whose codes are the frames of the first."""
    from pxr import UsdGeom, UsdSkel

    if not asset.motions:
        return []
    rate = asset.motions[0].framerate
    stage.SetTimeCodesPerSecond(rate)
    stage.SetFramesPerSecond(rate)
    stage.SetStartTimeCode(min(motion.start_time for motion in asset.motions) * rate)
    stage.SetEndTimeCode(max(motion.start_time + motion.duration for motion in asset.motions) * rate)
    UsdGeom.Scope.Define(stage, scope)
    resting = {
        name: float(weight) for mesh in asset.meshes for name, weight in mesh.morph_weights.items() if weight
    }
    namer = Namer()
    paths = []
    for motion in asset.motions:
        name = motion.name or "motion"
        clip = UsdSkel.Animation.Define(stage, scope.AppendChild(namer(identifier(name))))
        clip.GetPrim().SetDisplayName(name)
        clip.GetPrim().SetCustomDataByKey("kinetoscope:framerate", float(motion.framerate))
        _clip(clip, motion, tokens, rate, resting)
        paths.append(clip.GetPath())
    return paths


def _clip(clip: Any, motion: Motion, tokens: list[str], rate: float, resting: dict[str, float]) -> None:
    from pxr import Sdf, Vt

    start = motion.start_time * rate
    codes = start + np.arange(motion.frame_count) * (rate / motion.framerate)
    clip.CreateJointsAttr(Vt.TokenArray(tokens))
    shape = motion.positions.shape
    scales = np.ones(shape) if motion.scales is None else motion.scales
    _put_curve(clip.CreateTranslationsAttr(), Vt.Vec3fArray, motion.positions.astype(np.float32), codes)
    # Samples even of what stands still, in one attribute: they are what tells the frames.
    _put_curve(
        clip.CreateRotationsAttr(), Vt.QuatfArray, motion.rotations.astype(np.float32), codes, always=True
    )
    halves = scales.astype(np.float16)
    _put_curve(clip.CreateScalesAttr(), Vt.Vec3hArray, halves, codes)
    if not np.array_equal(halves.astype(np.float64), scales):
        # UsdSkel's scales have 11 bits. Those who know this attribute get the others, too.
        exact = clip.GetPrim().CreateAttribute("kinetoscope:scales", Sdf.ValueTypeNames.Float3Array, True)
        _put_curve(exact, Vt.Vec3fArray, scales.astype(np.float32), codes)
    weights = {name: np.full(motion.frame_count, w) for name, w in resting.items()} | dict(
        motion.morph_weights
    )
    if weights:
        clip.CreateBlendShapesAttr(Vt.TokenArray(list(weights)))
        curves = np.stack(list(weights.values()), axis=1).astype(np.float32)
        _put_curve(clip.CreateBlendShapeWeightsAttr(), Vt.FloatArray, curves, codes)


def _put_curve(attribute: Any, kind: Any, values: Any, codes: Any, *, always: bool = False) -> None:
    """Give an attribute its values `[T, ...]`; one value for all times where none differs."""
    if not always and (values[1:] == values[:1]).all():
        attribute.Set(kind.FromNumpy(np.ascontiguousarray(values[0])))
        return
    for code, row in zip(codes.tolist(), values, strict=True):
        attribute.Set(kind.FromNumpy(np.ascontiguousarray(row)), code)
