"""Skins: clusters of weighted vertices, each with its own bind matrix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kinetoscope_fbx._document import Document, Id, Object
from kinetoscope_fbx._models import Model
from kinetoscope_fbx._node import Node
from kinetoscope_spec import Skin

__all__ = ["INFLUENCES", "skin_of"]

Array = NDArray[Any]

INFLUENCES: Final = 8
"""The largest influences on a vertex that are kept."""


def skin_of(
    document: Document,
    geometry: Object,
    places: Mapping[Id, int],
    count: int,
    model: Model,
    told: list[str],
) -> Skin | None:
    """Return the skin of a mesh of `count` vertices, in the file's own space; None if it has none.

    Args:
        document: all objects.
        geometry: what the deformers are connected to.
        places: of each node's id its index in the skeleton.
        count: how many vertices there are.
        model: the mesh's own node; it carries vertices that no cluster weighs.
        told: gets what was left out.

    Raises:
        FormatError: a cluster weighs vertices that are not there, or has a damaged matrix.
    """
    skins = list(document.children(geometry, "Deformer", "Skin"))
    if not skins:
        return None
    if len(skins) > 1:
        told.append(f"{model.name!r} has {len(skins)} skins; the first is kept")
    bones: list[int] = []
    binds: list[Array] = []
    parts: list[tuple[Array, Array]] = []
    for cluster in document.children(skins[0], "Deformer", "Cluster"):
        link = next(document.children(cluster, "Model"), None)
        weighed = _weighed(cluster.node, count)
        if link is None or link.id not in places or weighed is None:
            continue
        bones.append(places[link.id])
        binds.append(_bind(cluster.node))
        parts.append(weighed)
    if not bones:
        return None
    joints, weights, dropped = _largest(parts, count)
    if dropped:
        told.append(f"{model.name!r}: of {dropped} vertices the {INFLUENCES} largest influences are kept")
    loose = weights.sum(axis=1) <= 0
    if loose.any():
        bones.append(places[model.held.id])
        binds.append(np.eye(4))
        joints[loose, 0] = len(bones) - 1
        weights[loose, 0] = 1.0
    weights /= weights.sum(axis=1, keepdims=True)
    return Skin(joints, weights, np.array(bones), np.array(binds), _blending(skins[0].node, model, told))


def _blending(skin: Node, model: Model, told: list[str]) -> str:
    """Return how bones carry a vertex together: a skin is `Linear`, `Rigid`, `DualQuaternion` or `Blend`.

    `Blend` weighs both for each vertex, in `BlendWeights`; one of them is taken for all.
    """
    method = skin.text("SkinningType", "Linear").lower()
    if method == "blend":
        shares = skin.array("BlendWeights", np.float64)
        share = 0.0 if shares is None or not len(shares) else float(np.clip(shares, 0, 1).mean())
        if shares is not None and len(np.unique(shares)) > 1:
            told.append(
                f"{model.name!r} blends dual quaternions with linear skinning vertex by vertex, by {share:.2f} "
                f"on average: {'the former' if share >= 0.5 else 'the latter'} is taken for all"
            )
        return "dual_quaternion" if share >= 0.5 else "linear"
    return "dual_quaternion" if method == "dualquaternion" else "linear"


def _weighed(node: Node, count: int) -> tuple[Array, Array] | None:
    vertices, weights = node.array("Indexes", np.int64), node.array("Weights", np.float64)
    if vertices is None or weights is None:
        return np.zeros(0, np.int64), np.zeros(0)
    if len(vertices) != len(weights):
        raise node.place.error(
            f"a cluster weighs {len(vertices)} vertices with {len(weights)} weights", "as many"
        )
    if len(vertices) and not 0 <= vertices.min() <= vertices.max() < count:
        raise node.place.error(f"a cluster weighs vertex {vertices.max()}", f"one of the {count} vertices")
    keep = weights > 0
    return vertices[keep], weights[keep]


def _bind(node: Node) -> Array:
    """Return the matrix from the mesh's node to the bone when they were bound.

    In files `Transform` is already relative to `TransformLink`, unlike what the SDK hands out.
    """
    held = node.array("Transform", np.float64)
    if held is None or len(held) != 16:
        link = node.array("TransformLink", np.float64)
        if link is None or len(link) != 16:
            return np.eye(4)
        matrix = link.reshape(4, 4).T
        if abs(np.linalg.det(matrix)) < 1e-300:
            raise node.place.error("TransformLink has no inverse", "the matrix of a bone")
        inverse: Array = np.linalg.inv(matrix)
        return inverse
    return held.reshape(4, 4).T


def _largest(parts: list[tuple[Array, Array]], count: int) -> tuple[Array, Array, int]:
    """Return `joints [V, K]`, `weights [V, K]`, and of how many vertices influences were dropped."""
    vertex = np.concatenate([vertices for vertices, _ in parts])
    weight = np.concatenate([weights for _, weights in parts])
    bone = np.repeat(np.arange(len(parts)), [len(vertices) for vertices, _ in parts])
    order = np.lexsort((-weight, vertex))
    vertex, weight, bone = vertex[order], weight[order], bone[order]
    first = np.searchsorted(vertex, np.arange(count))
    rank = np.arange(len(vertex)) - first[vertex]
    most = int(rank.max(initial=0)) + 1
    width = min(most, INFLUENCES)
    joints, weights = np.zeros((count, width), np.int64), np.zeros((count, width))
    keep = rank < width
    joints[vertex[keep], rank[keep]] = bone[keep]
    weights[vertex[keep], rank[keep]] = weight[keep]
    return joints, weights, len(np.unique(vertex[~keep]))
