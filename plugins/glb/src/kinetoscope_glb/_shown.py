"""Which meshes are shown where: instances of meshes, one for every node of the scene that has one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_glb import _morphs, _skins
from kinetoscope_glb._budget import INSTANCE_BYTES, SCENE_BYTES, Budget, Warnings
from kinetoscope_glb._clips import Clip
from kinetoscope_glb._json import Item
from kinetoscope_glb._meshes import Meshes, Surfaced
from kinetoscope_glb._nodes import Nodes, unique_names
from kinetoscope_spec import ConfigError, FormatError, Mesh, Motion

MOST_INSTANCED = 50_000_000
"""Vertices of all instances together. They share their arrays, but each is checked anew."""


@attrs.frozen
class Shown:
    """A mesh on a node; `node` is its number in the file."""

    node: int
    mesh: Mesh
    channels: _morphs.Channels


def scene_nodes(document: Item, nodes: Sequence[Item], scene: int | str | None, budget: Budget) -> set[int]:
    """Return the numbers of the nodes in a scene: of all scenes if None, of all nodes if there are none.

    Raises:
        ConfigError: there is no such scene.
    """
    budget.take(SCENE_BYTES * len(document.array("scenes")), "scenes")
    scenes = document.items("scenes")
    if scene is not None:
        scenes = [_chosen(scenes, scene)]
    elif not scenes:
        return set(range(len(nodes)))
    waiting = [root for item in scenes for root in item.indices("nodes", len(nodes), "nodes")]
    found: set[int] = set()
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += nodes[node].indices("children", len(nodes), "nodes")
    return found


def _chosen(scenes: Sequence[Item], scene: int | str) -> Item:
    if isinstance(scene, str):
        for item in scenes:
            if item.text("name") == scene:
                return item
    elif 0 <= scene < len(scenes):
        return scenes[scene]
    names = ", ".join(repr(item.text("name")) for item in scenes[:10])
    raise ConfigError(f"scene is {scene!r}, but the file has {len(scenes)}: {names}")


def shown(
    document: Item,
    nodes: Nodes,
    inside: set[int],
    meshes: Meshes,
    bones: Sequence[_skins.Bones],
    budget: Budget,
    warnings: Warnings,
) -> list[Shown]:
    """Return the meshes of the nodes `inside` the scene, in the order of the file's meshes, then nodes.

    Raises:
        FormatError: there are too many, or a skin does not fit.
    """
    found: list[tuple[int, Surfaced]] = []
    total = 0
    for index, number in _places(nodes, meshes, inside, warnings):
        surfaced = meshes.get(index)
        if surfaced is None:
            continue
        budget.take(INSTANCE_BYTES, f"the mesh of {len(found) + 1:,} nodes")
        total += surfaced.size
        if total > MOST_INSTANCED and found:
            raise FormatError(
                f"its nodes show {total:,} vertices and faces in all",
                path=document.path,
                expected=f"at most {MOST_INSTANCED:,}",
            )
        found.append((number, surfaced))
    names = unique_names([surfaced.name for _, surfaced in found], "meshes", warnings)
    return [
        _instance(name, number, nodes, surfaced, bones, warnings)
        for name, (number, surfaced) in zip(names, found, strict=True)
    ]


def _places(nodes: Nodes, meshes: Meshes, inside: set[int], warnings: Warnings) -> list[tuple[int, int]]:
    """Return (mesh, node) in the order of the meshes; node -1 for every mesh of a file without nodes."""
    if not nodes.items:
        return [(index, -1) for index in range(len(meshes))]
    found = []
    for number, item in enumerate(nodes.items):
        index = item.index("mesh", len(meshes), "meshes")
        if index is None:
            continue
        if number in inside:
            found.append((index, number))
        else:
            warnings.add("scenes", f"{item.where} is in no scene that is read: its mesh is left out")
    return sorted(found)


def _instance(
    name: str,
    number: int,
    nodes: Nodes,
    surfaced: Surfaced,
    bones: Sequence[_skins.Bones],
    warnings: Warnings,
) -> Shown:
    if number < 0:
        weights = _morphs.rest_weights(surfaced.item, surfaced.item, surfaced.channels)
        return Shown(number, Mesh(name, **surfaced.fields, morph_weights=weights), surfaced.channels)
    item, joint = nodes.items[number], nodes.above[number]
    skin = item.index("skin", len(bones), "skins")
    carrier: dict[str, Any] = {"node": joint if joint >= 0 else None}
    if skin is not None and surfaced.influences is None:
        warnings.add(
            "no influences", f"{item.where} has a skin and its mesh no influences: the node carries it"
        )
    elif skin is not None and surfaced.influences is not None:
        carrier = {"skin": _skins.attached(surfaced.influences, bones[skin], surfaced.item.where)}
    weights = _morphs.rest_weights(item, surfaced.item, surfaced.channels)
    mesh = Mesh(name, **surfaced.fields, **carrier, morph_weights=weights)
    return Shown(number, mesh, surfaced.channels)


Curves = Mapping[str, NDArray[np.float64]]


def with_morphs(
    found: Sequence[Shown], clips: Sequence[Clip], warnings: Warnings
) -> tuple[list[Mesh], list[Motion]]:
    """Return the meshes, and the motions with the weights of their channels.

    A motion holds one curve a channel. Where meshes have a channel of the same name that moves
    differently, it is called `mesh/channel` in each of them.
    """
    curves: list[dict[int, Curves]] = [
        {
            i: one.channels.weights(clip.targets[one.node])
            for i, one in enumerate(found)
            if one.node in clip.targets
        }
        for clip in clips
    ]
    split = _differing(found, curves)
    called = [
        {name: f"{one.mesh.name}/{name}" if name in split else name for name in one.mesh.morph_names}
        for one in found
    ]
    for name in sorted(split):
        warnings.add("morphs", f"the morph {name!r} moves differently in several meshes: one name for each")
    meshes = [_renamed(one.mesh, names) for one, names in zip(found, called, strict=True)]
    motions = []
    for clip, of_mesh in zip(clips, curves, strict=True):
        weights = {
            called[i][name]: curve.astype(np.float32)
            for i, held in of_mesh.items()
            for name, curve in held.items()
        }
        motions.append(attrs.evolve(clip.motion, morph_weights=weights) if weights else clip.motion)
    return meshes, motions


def _differing(found: Sequence[Shown], curves: Sequence[Mapping[int, Curves]]) -> set[str]:
    """Return the channels that several meshes have and some motion moves differently in them."""
    owners: dict[str, list[int]] = {}
    for i, one in enumerate(found):
        for name in dict.fromkeys(one.mesh.morph_names):
            owners.setdefault(name, []).append(i)
    split = set()
    for of_mesh in curves:
        moved = {name for held in of_mesh.values() for name in held}
        for name in moved:
            versions = [of_mesh[i][name] if i in of_mesh else None for i in owners[name]]
            first = versions[0]
            if any(v is None or first is None or not np.array_equal(v, first) for v in versions[1:]):
                split.add(name)
    return split


def _renamed(mesh: Mesh, names: Mapping[str, str]) -> Mesh:
    if all(old == new for old, new in names.items()):
        return mesh
    return attrs.evolve(
        mesh,
        morph_names=tuple(names[name] for name in mesh.morph_names),
        morph_weights={names[name]: weight for name, weight in mesh.morph_weights.items()},
    )
