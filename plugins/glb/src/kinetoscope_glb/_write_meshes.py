"""Meshes, skins and morph targets, into a glTF."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinetoscope_glb import _morphs, _skins
from kinetoscope_glb._pack import INDICES, VERTICES, Pack
from kinetoscope_glb._skins import INFLUENCES
from kinetoscope_spec import Mesh, Skin, ValidationError, kinematics


def mesh_item(mesh: Mesh, pack: Pack, *, materials: int, textured: bool) -> dict[str, Any]:
    """Return a mesh as it stands in the JSON: one vertex a corner, one primitive a material.

    Where its materials are `textured` it must have texture coordinates: 0 if there are none.
    """
    points = np.asarray(mesh.vertices)[mesh.corner_vertex]
    attributes = {"POSITION": pack.add(points, "<f4", target=VERTICES, bounds=True)}
    if mesh.normals is not None:
        attributes["NORMAL"] = pack.add(_unit(mesh.normals), "<f4", target=VERTICES)
    if mesh.uvs is not None or textured:
        uvs = np.zeros((len(points), 2)) if mesh.uvs is None else mesh.uvs
        attributes["TEXCOORD_0"] = pack.add(uvs, "<f4", target=VERTICES)
    if mesh.colors is not None:
        attributes["COLOR_0"] = pack.add(np.clip(mesh.colors, 0.0, 1.0), "<f4", target=VERTICES)
    if mesh.skin is not None:
        attributes |= _influences(mesh, mesh.skin, pack)
    shared: dict[str, Any] = {"attributes": attributes}
    if mesh.morphs is not None:
        shared["targets"] = [
            {
                "POSITION": pack.add(
                    np.asarray(offsets)[mesh.corner_vertex], "<f4", target=VERTICES, bounds=True
                )
            }
            for offsets in mesh.morphs
        ]
    found: dict[str, Any] = {"name": mesh.name, "primitives": _primitives(mesh, shared, pack, materials)}
    return found | _morph_fields(mesh)


def _primitives(mesh: Mesh, shared: dict[str, Any], pack: Pack, materials: int) -> list[dict[str, Any]]:
    dtype = "<u2" if len(mesh.corner_vertex) <= 65535 else "<u4"  # 65535 itself starts a strip anew
    numbers = np.zeros(len(mesh.faces), np.int64) if mesh.face_material is None else mesh.face_material
    found = []
    for number in np.unique(numbers).tolist():
        indices = pack.add(mesh.faces[numbers == number].ravel(), dtype, target=INDICES)
        material = {"material": number} if materials else {}
        found.append({**shared, "indices": indices, **material})
    return found


def _morph_fields(mesh: Mesh) -> dict[str, Any]:
    if mesh.morphs is None or mesh.morph_peaks is None:
        return {}
    peaks = mesh.morph_peaks.tolist()
    names = [
        name if peak == 1 else f"{name} at {peak:g}"
        for name, peak in zip(mesh.morph_names, peaks, strict=True)
    ]
    extras: dict[str, Any] = {"targetNames": names}
    if tuple(names) != mesh.morph_names:
        extras[_morphs.EXTRAS] = {"channels": list(mesh.morph_names), "peaks": peaks}
    factors = np.asarray(kinematics.morph_factors(mesh))
    weights = {"weights": factors.tolist()} if factors.any() else {}
    return {"extras": extras, **weights}


def _unit(normals: NDArray[Any]) -> NDArray[np.float64]:
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    unit: NDArray[np.float64] = np.where(
        length > 0, normals / np.where(length > 0, length, 1), (0.0, 1.0, 0.0)
    )
    return unit


def _influences(mesh: Mesh, skin: Skin, pack: Pack) -> dict[str, int]:
    """Return `JOINTS_n` and `WEIGHTS_n` of the largest influences, four a set, largest first."""
    joints, weights = skin.joints, np.array(skin.weights, np.float64)
    for later in range(1, joints.shape[1]):  # a joint may be named once a vertex
        for first in range(later):
            again = joints[:, first] == joints[:, later]
            weights[again, first] += weights[again, later]
            weights[again, later] = 0.0
    order = np.argsort(-weights, axis=1, kind="stable")[:, :INFLUENCES]
    joints, weights = np.take_along_axis(joints, order, 1), np.take_along_axis(weights, order, 1)
    weights = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    # What rounding left over goes to the largest, so that the sum is 1 in float32 too.
    weights[:, 0] += np.float32(1) - weights.sum(axis=1, dtype=np.float64).astype(np.float32)
    joints = np.where(weights > 0, joints, 0)
    if len(skin.bones) > 65536:
        raise ValidationError(f"mesh {mesh.name!r} has {len(skin.bones)} bones, glTF holds 65,536 in a skin")
    dtype, found = "<u1" if len(skin.bones) <= 256 else "<u2", {}
    for number, start in enumerate(range(0, weights.shape[1], 4)):
        if number and not weights[:, start : start + 4].any():
            break
        for name, values, kind in (("JOINTS", joints, dtype), ("WEIGHTS", weights, "<f4")):
            four = np.zeros((len(values), 4), values.dtype)
            part = values[:, start : start + 4]
            four[:, : part.shape[1]] = part
            found[f"{name}_{number}"] = pack.add(four[mesh.corner_vertex], kind, target=VERTICES)
    return found


class Skins:
    """Collects skins; meshes with the same bones and matrices share one."""

    def __init__(self, pack: Pack) -> None:
        self._pack = pack
        self._known: dict[bytes, int] = {}
        self.items: list[dict[str, Any]] = []

    def add(self, skin: Skin) -> int:
        """Return the number of the skin."""
        matrices = np.array(skin.inverse_bind, np.float64)
        matrices[:, 3] = (0.0, 0.0, 0.0, 1.0)
        key = skin.bones.tobytes() + matrices.tobytes() + skin.blending.encode()
        if key not in self._known:
            columns = matrices.transpose(0, 2, 1).reshape(-1, 16)
            self._known[key] = len(self.items)
            item = {"joints": skin.bones.tolist(), "inverseBindMatrices": self._pack.add(columns, "<f4")}
            noted = {"extras": {_skins.EXTRAS: {"blending": skin.blending}}}
            self.items.append(item if skin.blending == "linear" else item | noted)
        return self._known[key]
