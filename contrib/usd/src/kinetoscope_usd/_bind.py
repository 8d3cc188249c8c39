"""One bind pose for all meshes: UsdSkel has one a skeleton, where our skins each bring their own."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import Asset, Mesh, ValidationError

__all__ = ["Bind", "bind", "used_bones"]

_TOLERANCE = 1e-4
"""A tenth of a millimetre at a metre: more than float32 matrices of one pose differ by."""


@attrs.frozen
class Bind:
    """Bind matrices `[J, 4, 4]` of all nodes, and where each mesh stood then, `[4, 4]`."""

    bind: NDArray[np.float64]
    placed: Sequence[NDArray[np.float64]]


def used_bones(mesh: Mesh) -> NDArray[np.int64]:
    """Return which of a skin's bones carry any weight, at least one."""
    assert mesh.skin is not None
    used = np.unique(mesh.skin.joints[mesh.skin.weights > 0])
    return used if len(used) else np.array([0])


def bind(asset: Asset) -> Bind:
    """Return the bind pose that serves all meshes.

    A mesh binds its bones by `inverse_bind[b] = inverse(bind[b]) placed`. The first mesh is taken
    to stand at the origin; a later one that shares bones with it stands where those say.

    Raises:
        ValidationError: two meshes bind bones in poses that differ, or a matrix has no inverse.
    """
    found = np.array(asset.skeleton.rest_matrices(), np.float64)
    flat = np.abs(np.linalg.det(found[:, :3, :3])) < 1e-12
    found[flat] = np.eye(4)
    fixed = np.zeros(len(found), bool)
    placed = []
    for mesh in asset.meshes:
        if mesh.skin is None:
            placed.append(np.eye(4))
            continue
        placed.append(_fit(mesh, found, fixed))
    # Rigid meshes come last: their bones' poses are known now.
    for i, mesh in enumerate(asset.meshes):
        if mesh.skin is None and mesh.node is not None:
            placed[i] = found[mesh.node]
    return Bind(found, placed)


def _fit(mesh: Mesh, found: NDArray[np.float64], fixed: NDArray[np.bool_]) -> NDArray[np.float64]:
    assert mesh.skin is not None
    used = used_bones(mesh)
    nodes = mesh.skin.bones[used]
    inverse = np.asarray(mesh.skin.inverse_bind, np.float64)[used]
    if (np.abs(np.linalg.det(inverse[:, :3, :3])) < 1e-18).any():
        raise ValidationError(f"mesh {mesh.name!r} has an inverse_bind without an inverse; USD can't hold it")
    known = np.flatnonzero(fixed[nodes])
    place = found[nodes[known[0]]] @ inverse[known[0]] if len(known) else np.eye(4)
    for k in range(len(used)):
        pose = place @ np.linalg.inv(inverse[k])
        off = np.abs(pose - found[nodes[k]]).max()
        if fixed[nodes[k]] and off > _TOLERANCE * (1 + np.abs(pose).max()):
            raise ValidationError(
                f"mesh {mesh.name!r} binds node {int(nodes[k])} in another pose than a mesh before it, by "
                f"{off:.3g}; a USD skeleton has one bind pose"
            )
        if not fixed[nodes[k]]:
            found[nodes[k]] = pose
            fixed[nodes[k]] = True
    return place
