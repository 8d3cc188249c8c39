"""Skins: which nodes are bones, and how much each carries of a vertex."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_glb import _trs
from kinetoscope_glb._accessors import Accessors
from kinetoscope_glb._budget import Warnings
from kinetoscope_glb._json import Item
from kinetoscope_spec import FormatError, Skin
from kinetoscope_spec.character import BLENDINGS

INFLUENCES = 8
"""So many influences a vertex are kept, the largest."""

EXTRAS = "kinetoscope"
"""Key in a skin's `extras` under which a writer of ours keeps how its bones blend: glTF knows one way."""


@attrs.frozen
class Bones:
    """The bones of one skin: nodes of the skeleton `[B]`, matrices `[B, 4, 4]` into their space."""

    item: Item
    nodes: NDArray[np.int64]
    inverse_bind: NDArray[np.float64]


@attrs.frozen
class Influences:
    """Positions in a skin's list of joints `[V, K]` and weights `[V, K]`, largest first, rows of sum 1."""

    joints: NDArray[np.int64]
    weights: NDArray[np.float64]


def read_skins(document: Item, accessors: Accessors, joint: Sequence[int], unit: float) -> list[Bones]:
    """Return the skins of the document; `joint` is the index in the skeleton by node."""
    return [_bones(item, accessors, joint, unit) for item in document.items("skins")]


def _bones(item: Item, accessors: Accessors, joint: Sequence[int], unit: float) -> Bones:
    nodes = item.indices("joints", len(joint), "nodes")
    if not nodes:
        item.fail("joints", "one joint at least")
    if any(joint[node] < 0 for node in nodes):
        item.fail("joints", "no helper node")
    number = item.index("inverseBindMatrices", len(accessors), "accessors")
    matrices = np.tile(np.eye(4), (len(nodes), 1, 1))
    if number is not None:
        found = accessors.floats(number, ("MAT4",), what="inverse bind matrices")
        if len(found) < len(nodes):
            item.fail("inverseBindMatrices", f"{len(nodes)} matrices, one a joint; there are {len(found)}")
        matrices = found[: len(nodes)].reshape(-1, 4, 4).transpose(0, 2, 1).astype(np.float64)
    places = np.array([joint[node] for node in nodes], np.int64)
    return Bones(item, places, _trs.scaled_translation(matrices, unit))


def merged(
    index: NDArray[np.int64], weights: NDArray[np.float32], where: str, warnings: Warnings
) -> Influences:
    """Return joints and weights `[V, 4 N]` of N sets sorted: the eight largest, adding up to 1."""
    weight = weights.astype(np.float64)
    if weight.min(initial=0.0) < 0:
        warnings.add("negative weights", f"{where} has weights below 0: taken for 0")
        weight = np.maximum(weight, 0.0)
    if not (weight[:, 1:] <= weight[:, :-1]).all():
        order = np.argsort(-weight, axis=1, kind="stable")
        index, weight = np.take_along_axis(index, order, 1), np.take_along_axis(weight, order, 1)
    used = max(int(np.count_nonzero(weight.any(axis=0))), 1)
    if used > INFLUENCES:
        warnings.add(
            "influences", f"{where} has up to {used} influences a vertex: the {INFLUENCES} largest are kept"
        )
    none = weight[:, 0] == 0
    if none.any():
        warnings.add(
            "no weights", f"{none.sum()} vertices of {where} have no weights: their first joint carries them"
        )
        weight[none, 0] = 1.0
    kept = min(used, INFLUENCES)
    total = weight[:, :kept] @ np.ones((kept, 1))
    weight = weight[:, :kept] / total
    return Influences(np.where(weight > 0, index[:, :kept], 0), weight)


def attached(influences: Influences, bones: Bones, where: str) -> Skin:
    """Return the skin of a mesh whose vertices have `influences`."""
    if len(influences.joints) and influences.joints.max() >= len(bones.nodes):
        raise FormatError(
            f"{where} names joint {influences.joints.max()} of {bones.item.where}, which has {len(bones.nodes)}",
            path=bones.item.path,
            expected="an index into the skin's joints",
        )
    return Skin(influences.joints, influences.weights, bones.nodes, bones.inverse_bind, _blending(bones.item))


def _blending(item: Item) -> str:
    """Return what a writer of ours noted, if anybody did and it is something that we know."""
    extras: Any = item.data.get("extras")
    held = extras.get(EXTRAS) if isinstance(extras, dict) else None
    noted = held.get("blending") if isinstance(held, dict) else None
    return noted if isinstance(noted, str) and noted in BLENDINGS else "linear"
