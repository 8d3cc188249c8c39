"""From the parts of a glTF file to an asset."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kinetoscope_glb import _extensions, _json, _skins
from kinetoscope_glb._accessors import Accessors
from kinetoscope_glb._budget import Budget, Warnings
from kinetoscope_glb._buffers import Buffers
from kinetoscope_glb._clips import Clips
from kinetoscope_glb._container import Parts
from kinetoscope_glb._images import Images
from kinetoscope_glb._json import Item
from kinetoscope_glb._materials import Surfaces, default_material
from kinetoscope_glb._meshes import Meshes
from kinetoscope_glb._nodes import Nodes, read_nodes
from kinetoscope_glb._primitives import Primitives
from kinetoscope_glb._shown import scene_nodes, shown, with_morphs
from kinetoscope_glb._uri import Files
from kinetoscope_spec import Asset, ConfigError, FormatError


def build_asset(
    parts: Parts,
    path: Path,
    *,
    framerate: float | None,
    scene: int | str | None,
    textures: bool,
    unit: float,
    max_bytes: int,
) -> Asset:
    """Return the asset in a file's `parts`; see `GlbImporter.read`."""
    _check_options(framerate, unit)
    document = _json.parse(parts.json, path, offset=parts.offset)
    version = _version(document)
    warnings = Warnings()
    if parts.trailing:
        warnings.add("trailing", f"{parts.trailing:,} bytes after the declared end are left out")
    used = _extensions.check(document, warnings)
    files = Files(path, max_bytes)
    budget = Budget(files, parts.size)
    buffers = Buffers(document, parts, files, budget)
    accessors = Accessors(document, buffers, budget)
    nodes = read_nodes(document, unit, budget, warnings)
    images = Images(document, buffers, files, budget, warnings) if textures else None
    surfaces = Surfaces(document, images, budget, warnings).read()
    meshes = Meshes(
        document, Primitives(accessors, buffers, budget, warnings), surfaces, unit, budget, warnings
    )
    bones = _skins.read_skins(document, accessors, nodes.joint, unit)
    inside = scene_nodes(document, nodes.items, scene, budget)
    found = shown(document, nodes, inside, meshes, bones, budget, warnings)
    targets = _targets(nodes, meshes)
    clips = Clips(document, accessors, nodes, targets, unit, budget, warnings).read(framerate)
    shapes, motions = with_morphs(found, clips, warnings)
    materials = [surface.material for surface in surfaces]
    if meshes.lacks_material and materials:
        materials.append(default_material())
    return Asset(
        path.stem,
        nodes.skeleton,
        motions,
        shapes,
        materials,
        _metadata(document, parts, nodes, version, used, unit),
        warnings.sentences(),
    )


def _check_options(framerate: float | None, unit: float) -> None:
    if framerate is not None and not (np.isfinite(framerate) and 1e-6 <= framerate <= 1e6):
        raise ConfigError(f"framerate is {framerate}, expected frames per second above 0")
    if not (np.isfinite(unit) and 1e-6 <= unit <= 1e6):
        raise ConfigError(f"unit is {unit}, expected metres per unit of the file, above 0")


def _version(document: Item) -> str:
    asset = document.child("asset")
    if "asset" not in document or "version" not in asset:
        raise FormatError(
            "the JSON has no asset.version, so it is no glTF",
            path=document.path,
            expected='"asset": {"version": "2.0"}',
        )
    version, least = asset.text("version"), asset.text("minVersion", "2.0")
    if version.split(".")[0] != "2" or least not in ("2.0", ""):
        raise FormatError(
            f"glTF {least if version.startswith('2') else version}",
            path=document.path,
            expected="glTF 2.0; convert older files first",
        )
    return version


def _targets(nodes: Nodes, meshes: Meshes) -> list[int]:
    """Return how many morph targets each node's mesh has, by node."""
    counts = []
    for item in nodes.items:
        index = item.index("mesh", len(meshes), "meshes")
        surfaced = None if index is None else meshes.get(index)
        counts.append(0 if surfaced is None else len(surfaced.channels.names))
    return counts


def _metadata(
    document: Item, parts: Parts, nodes: Nodes, version: str, used: tuple[str, ...], unit: float
) -> dict[str, object]:
    asset = document.child("asset")
    names = nodes.skeleton.names
    scenes = [
        (
            item.text("name") or f"scene_{i}",
            tuple(
                names[nodes.joint[n]]
                for n in item.indices("nodes", len(nodes.items), "nodes")
                if nodes.joint[n] >= 0
            ),
        )
        for i, item in enumerate(document.items("scenes"))
    ]
    found: dict[str, object] = {
        "format": "glb" if parts.is_binary else "gltf",
        "unit_m": float(unit),
        "axes": "+X+Y+Z",
        "version": version,
        "scenes": tuple(scenes),
        "extensions": used,
    }
    texts = {"generator": asset.text("generator"), "licence": asset.text("copyright")}
    return found | {key: text for key, text in texts.items() if text}
