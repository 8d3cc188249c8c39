"""`kinetoscope inspect`: what a motion or character file holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kinetoscope.cli._common import emit, json_option, pass_host, table

if TYPE_CHECKING:
    from kinetoscope import Host
    from kinetoscope_spec import Asset, Mesh, Skeleton


@click.command("inspect")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--importer", "name", metavar="NAME", help="Read it with this importer, whatever it seems to be."
)
@json_option
@pass_host
def command(host: Host, file: Path, name: str | None) -> None:
    """Show joints, motions, meshes and warnings of FILE."""
    asset = host.open(file) if name is None else host.importer(name).read(file)
    emit(click.get_current_context(), summary(asset), _human)


def summary(asset: Asset) -> dict[str, Any]:
    """Return what an asset holds, as JSON has it."""
    return {
        "name": asset.name,
        "format": asset.metadata.get("format"),
        "unit_m": asset.metadata.get("unit_m"),
        "axes": asset.metadata.get("axes"),
        "joints": _joints(asset.skeleton),
        "motions": [
            {
                "name": motion.name,
                "frames": motion.frame_count,
                "framerate": motion.framerate,
                "duration": motion.duration,
            }
            for motion in asset.motions
        ],
        "meshes": [_mesh(mesh) for mesh in asset.meshes],
        "materials": [material.name for material in asset.materials],
        "warnings": list(asset.warnings),
    }


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
        "morphs": list(mesh.morph_names),
    }


def _human(data: dict[str, Any]) -> str:
    lines = [f"{data['name']}: {data['format']}, 1 unit = {data['unit_m']} m, axes {data['axes']}"]
    lines.append(f"{len(data['joints'])} joints")
    lines += _tree(data["joints"])
    if data["motions"]:
        rows = [
            (m["name"], str(m["frames"]), f"{m['framerate']:g}", f"{m['duration']:.2f} s")
            for m in data["motions"]
        ]
        lines.append(table(("motion", "frames", "rate", "duration"), rows))
    if data["meshes"]:
        rows = [
            (m["name"], str(m["vertices"]), str(m["faces"]), str(m["influences"])) for m in data["meshes"]
        ]
        lines.append(table(("mesh", "vertices", "faces", "influences"), rows))
    return "\n".join([*lines, *(f"warning: {text}" for text in data["warnings"])])


def _tree(joints: list[dict[str, Any]]) -> list[str]:
    depth: dict[str | None, int] = {None: 0}
    lines = []
    for joint in joints:
        depth[joint["name"]] = depth.get(joint["parent"], 0) + 1
        lines.append("  " * depth[joint["name"]] + joint["name"])
    return lines
