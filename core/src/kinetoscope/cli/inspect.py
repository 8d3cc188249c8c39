"""`kinetoscope inspect`: what a motion or character file holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kinetoscope.cli._common import emit, json_option, pass_host, printable, table

if TYPE_CHECKING:
    from kinetoscope import Host
    from kinetoscope_spec import Asset, Material, Mesh, Motion, Skeleton


_PICTURES = (".png", ".jpg", ".jpeg")
_PART = 20_000


@click.command("inspect")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--importer", "name", metavar="NAME", help="Read it with this importer, whatever it seems to be."
)
@click.option(
    "--sheet",
    "out",
    metavar="OUT",
    type=click.Path(path_type=Path),
    help="Draw frames of each motion side by side into this .png or .jpg.",
)
@click.option("--renderer", metavar="NAME", help="Draw the sheet with this renderer.")
@json_option
@pass_host
def command(host: Host, file: Path, name: str | None, out: Path | None, renderer: str | None) -> None:
    """Show joints, motions, meshes, materials and warnings of FILE."""
    if out is not None:
        _check_sheet(out, file)
    asset = host.open(file) if name is None else host.importer(name).read(file)
    data = summary(asset)
    if out is not None:
        data["sheet"] = _draw_sheet(host, asset, out, renderer)
    emit(click.get_current_context(), data, _human)


def _check_sheet(out: Path, file: Path) -> None:
    from kinetoscope.shot.outputs import refuse_overwriting

    if out.suffix.lower() not in _PICTURES:
        raise click.BadParameter(f"{out}: expected a name that ends in {', '.join(_PICTURES)}")
    refuse_overwriting(out, [file])


def _draw_sheet(host: Host, asset: Asset, out: Path, renderer: str | None) -> dict[str, Any]:
    from kinetoscope.cli._sheet import contact_sheet
    from kinetoscope_spec.files import replacing

    media = host.provider("media")
    sheet = contact_sheet(host, asset, provider=renderer)
    with replacing(out) as building:
        media.write_image(building, sheet.picture)
    return {"path": str(out), "provider": sheet.provider, "motions": sheet.motions}


def summary(asset: Asset) -> dict[str, Any]:
    """Return what an asset holds, as JSON has it."""
    from kinetoscope_spec import anatomy

    return {
        "name": asset.name,
        "format": asset.metadata.get("format"),
        "unit_m": asset.metadata.get("unit_m"),
        "axes": asset.metadata.get("axes"),
        "size_m": _size(asset),
        "joints": _joints(asset.skeleton),
        "pairs": len(anatomy.sided_pairs(asset.skeleton)),
        "motions": [_motion(motion) for motion in asset.motions],
        "meshes": [_mesh(mesh) for mesh in asset.meshes],
        "materials": [_material(material) for material in asset.materials],
        "warnings": list(asset.warnings),
    }


def _size(asset: Asset) -> list[float]:
    """Return how wide, high and deep the rest pose is, m: its meshes, or else its joints."""
    import numpy as np

    from kinetoscope.cli._poses import some_vertices
    from kinetoscope_spec import kinematics

    # In parts: skinning takes a thousand bytes a vertex.
    held = [
        kinematics.skinned_vertices(asset, some_vertices(mesh, slice(start, start + _PART)), None)
        for mesh in asset.meshes
        for start in range(0, len(mesh.vertices), _PART)
    ] or [asset.skeleton.rest_matrices()[:, :3, 3]]
    return [round(float(length), 6) for length in np.ptp(np.concatenate(held), axis=0)]


def _motion(motion: Motion) -> dict[str, Any]:
    return {
        "name": motion.name,
        "frames": motion.frame_count,
        "framerate": motion.framerate,
        "duration": motion.duration,
        "morphs": sorted(motion.morph_weights),
    }


def _material(material: Material) -> dict[str, Any]:
    from kinetoscope_spec.character import IMAGES

    images = [name.removesuffix("_image") for name in IMAGES if getattr(material, name) is not None]
    return {"name": material.name, "images": images}


def _joints(skeleton: Skeleton) -> list[dict[str, Any]]:
    names = skeleton.names
    return [
        {"name": name, "parent": names[parent] if parent >= 0 else None}
        for name, parent in zip(names, skeleton.parents, strict=True)
    ]


def _mesh(mesh: Mesh) -> dict[str, Any]:
    influences = 0 if mesh.skin is None else int((mesh.skin.weights > 0).sum(axis=1).max(initial=0))
    return {
        "name": mesh.name,
        "vertices": len(mesh.vertices),
        "faces": len(mesh.faces),
        "influences": influences,
        "morphs": list(dict.fromkeys(mesh.morph_names)),
    }


def _shown(data: Any) -> Any:
    """Return the report with every name as a terminal may show it."""
    if isinstance(data, dict):
        return {key: _shown(held) for key, held in data.items()}
    if isinstance(data, list):
        return [_shown(held) for held in data]
    return printable(data) if isinstance(data, str) else data


def _human(report: dict[str, Any]) -> str:
    data = _shown(report)
    width, height, depth = data["size_m"]
    lines = [
        f"{data['name']}: {data['format']}, 1 unit = {data['unit_m']} m, axes {data['axes']}",
        f"rest pose {width:.3g} m wide, {height:.3g} m high, {depth:.3g} m deep",
        f"{len(data['joints'])} joints, pairs of left and right: {data['pairs']}",
        *_tree(data["joints"]),
        *_motions(data["motions"]),
        *_meshes(data["meshes"]),
        *(_painted(material) for material in data["materials"]),
        *(f"warning: {text}" for text in data["warnings"]),
    ]
    if sheet := data.get("sheet"):
        lines.append(_drawn(sheet, len(data["motions"])))
    return "\n".join(lines)


def _motions(motions: list[dict[str, Any]]) -> list[str]:
    rows = [
        (m["name"], str(m["frames"]), f"{m['framerate']:g}", f"{m['duration']:.2f} s", str(len(m["morphs"])))
        for m in motions
    ]
    return [table(("motion", "frames", "rate", "duration", "morphs"), rows)] if rows else []


def _meshes(meshes: list[dict[str, Any]]) -> list[str]:
    rows = [
        (m["name"], str(m["vertices"]), str(m["faces"]), str(m["influences"]), str(len(m["morphs"])))
        for m in meshes
    ]
    return [table(("mesh", "vertices", "faces", "influences", "morphs"), rows)] if rows else []


def _painted(material: dict[str, Any]) -> str:
    images = ", ".join(name.replace("_", " ") for name in material["images"])
    return f"material {material['name']}: " + (f"images of {images}" if images else "no images")


def _drawn(sheet: dict[str, Any], motions: int) -> str:
    shown = f"the first {sheet['motions']} of {motions} motions" if sheet["motions"] < motions else ""
    by = f"drawn by {sheet['provider']}" if sheet["provider"] else "stick figures: no renderer works here"
    return f"{sheet['path']}: {', '.join(part for part in (shown, by) if part)}"


def _tree(joints: list[dict[str, Any]]) -> list[str]:
    depth: dict[str | None, int] = {None: 0}
    lines = []
    for joint in joints:
        depth[joint["name"]] = depth.get(joint["parent"], 0) + 1
        lines.append("  " * depth[joint["name"]] + joint["name"])
    return lines
