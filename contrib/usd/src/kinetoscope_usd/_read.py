"""From the bytes of a USD file to an asset. Runs in the reading process alone: see `_sandbox`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import numpy as np

from kinetoscope_spec import Asset, Material, Mesh
from kinetoscope_usd._clips import motions, prefixed
from kinetoscope_usd._identifiers import Namer
from kinetoscope_usd._images import Images
from kinetoscope_usd._material import Look, look
from kinetoscope_usd._mesh import Surface, mesh, plain_color
from kinetoscope_usd._nodes import Nodes, collect
from kinetoscope_usd._refused import Refused
from kinetoscope_usd._stage import opened

__all__ = ["Refused", "read"]


def read(path: Path, *, kind: str, framerate: float | None) -> Asset:
    """Return the asset in the file at `path`; see `UsdImporter.read`."""
    with opened(path, kind) as (stage, size):
        nodes = collect(stage)
        prefixed(nodes)
        skeleton = nodes.skeleton()
        clips = motions(stage, nodes, skeleton, framerate, size)
        meshes, materials = _meshes(nodes, path.parent)
        metadata = _metadata(stage, nodes)
        errors = [f"OpenUSD: {_line(error)}" for error in stage.GetCompositionErrors()]
    warnings = tuple(dict.fromkeys([*nodes.warnings, *errors]))
    return Asset(path.stem, skeleton, clips, meshes, materials, metadata, warnings)


def _line(error: object) -> str:
    return " ".join(str(error).split())[:300]


def _metadata(stage: Any, nodes: Nodes) -> dict[str, Any]:
    layer = stage.GetRootLayer()
    held: dict[str, Any] = {
        "format": "usd",
        "unit_m": nodes.unit,
        # Cameras apart, USD names no forward; with Z up its users have characters face -Y.
        "axes": "+X+Y+Z" if nodes.turn is None else "+X+Z-Y",
        "framerate": float(stage.GetFramesPerSecond()),
        "prims": dict(zip(nodes.names, nodes.paths, strict=False)),
    }
    told = layer.customLayerData
    for key in ("creator", "generator", "licence", "license", "copyright"):
        if isinstance(told.get(key), str):
            held["licence" if key == "license" else key] = told[key]
    if layer.documentation:
        held["comment"] = layer.documentation
    return held


def _meshes(nodes: Nodes, folder: Path) -> tuple[list[Mesh], list[Material]]:
    """Return the meshes, and the materials that they wear."""
    images = Images(folder, nodes.warnings)
    looks: list[Look] = []
    places: dict[Any, int] = {}
    found: list[Mesh] = []
    namer = Namer()
    for prim in nodes.meshes:
        surface = _surface(prim, images, looks, places)
        built = mesh(prim, nodes, surface)
        if built is not None:
            found.append(attrs.evolve(built, name=namer(built.name)))
    return found, [held.material for held in looks]


def _surface(prim: Any, images: Images, looks: list[Look], places: dict[Any, int]) -> Surface:
    from pxr import UsdGeom, UsdShade

    sided = bool(UsdGeom.Gprim(prim).GetDoubleSidedAttr().Get())
    color = plain_color(prim)

    def index(wearer: Any) -> int:
        material = UsdShade.MaterialBindingAPI(wearer).ComputeBoundMaterial()[0]
        key = (material.GetPath() if material else color, sided)
        if key not in places:
            wanted = (
                (material.GetPrim().GetDisplayName() or material.GetPrim().GetName())
                if material
                else "default"
            )
            name = images.namer(wanted)
            held = look(material, images, name) if material else Look(_plain(color))
            places[key] = len(looks)
            looks.append(
                attrs.evolve(held, material=attrs.evolve(held.material, name=name, double_sided=sided))
            )
        return places[key]

    subsets = UsdShade.MaterialBindingAPI(prim).GetMaterialBindSubsets()
    parts = [
        (np.asarray(subset.GetIndicesAttr().Get() or [], np.int64), index(subset.GetPrim()))
        for subset in subsets
    ]
    covered = sum(len(part) for part, _ in parts)
    counts = UsdGeom.Mesh(prim).GetFaceVertexCountsAttr().Get() or ()
    # A mesh that subsets cover whole wears nothing besides.
    main = parts[0][1] if parts and covered >= len(counts) else index(prim)
    used = looks[main]
    if any(looks[part].uv_name != used.uv_name for _, part in parts):
        images.warnings.append(
            f"the materials of {prim.GetPath()} use several UV sets; {used.uv_name!r} is read"
        )
    return Surface(used.uv_name, used.uv_matrix, parts, main)


def _plain(color: tuple[float, ...] | None) -> Material:
    """Return the material of a mesh that has none: the one colour it is displayed in, or grey."""
    if color is None:
        return Material()
    return Material(base_color=np.clip([*color, 1.0], 0, 1))
