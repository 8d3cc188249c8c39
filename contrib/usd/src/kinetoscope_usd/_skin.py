"""Who carries a mesh, by UsdSkel's binding, and its blend shapes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import Skin
from kinetoscope_usd._nodes import Nodes, Rig
from kinetoscope_usd._refused import Refused
from kinetoscope_usd._transforms import ours

__all__ = ["blend_shapes", "skin_of"]


def skin_of(
    prim: Any, vertices: NDArray[np.float64], nodes: Nodes
) -> tuple[NDArray[np.float64], Skin | None, int | None]:
    """Return vertices, the skin or None, the carrying node or None, of a mesh in metres."""
    rig, indices, weights, size, constant = _binding(prim, nodes)
    if rig is None:
        node = nodes.above[prim.GetPath()]
        return vertices, None, node if node >= 0 else None
    bones, tokens_bind = _bones(prim, rig, nodes)
    bind = _placed(prim, nodes.unit)
    inverse = np.linalg.pinv(tokens_bind) @ bind
    wrong = (indices < 0) | (indices >= len(bones))
    if (wrong & (weights > 0)).any():
        raise Refused(
            f"skel:jointIndices of {prim.GetPath()} go beyond its {len(bones)} joints", "its joints"
        )
    indices = np.where(wrong, 0, indices).reshape(-1, size)
    weights = np.maximum(weights, 0).reshape(-1, size)
    if constant and size == 1:
        return _rigid(vertices, inverse[indices[0, 0]], bones[indices[0, 0]])
    if constant:
        indices, weights = (np.repeat(held[:1], len(vertices), axis=0) for held in (indices, weights))
    if len(indices) != len(vertices):
        raise Refused(f"{prim.GetPath()} binds {len(indices)} points", f"{len(vertices)}")
    return vertices, Skin(*_normal(prim, indices, weights, nodes), bones, inverse, _blending(prim)), None


def _blending(prim: Any) -> str:
    from pxr import UsdSkel

    method = UsdSkel.BindingAPI(prim).GetSkinningMethodAttr().Get()
    return "dual_quaternion" if method == UsdSkel.Tokens.dualQuaternion else "linear"


def _rigid(
    vertices: NDArray[np.float64], carry: NDArray[np.float64], node: int
) -> tuple[NDArray[np.float64], None, int]:
    """Return a mesh that one joint carries whole, in that joint's own space."""
    same = np.abs(carry - np.eye(4)).max() < 1e-9
    return vertices if same else vertices @ carry[:3, :3].T + carry[:3, 3], None, int(node)


def _binding(prim: Any, nodes: Nodes) -> tuple[Rig | None, Any, Any, int, bool]:
    """Return the skeleton, indices and weights `[N]`, influences a point, and whether one serves all points."""
    from pxr import UsdGeom, UsdSkel

    nothing = (None, np.empty(0), np.empty(0), 1, False)
    skeleton = UsdSkel.BindingAPI(prim).GetInheritedSkeleton()
    if not skeleton:
        return nothing
    rig = next((held for held in nodes.rigs if held.prim.GetPath() == skeleton.GetPath()), None)
    primvars = UsdGeom.PrimvarsAPI(prim)
    indices = primvars.FindPrimvarWithInheritance("skel:jointIndices")
    weights = primvars.FindPrimvarWithInheritance("skel:jointWeights")
    if rig is None or not indices or not indices.HasAuthoredValue() or not rig.tokens:
        return nothing
    held = np.asarray(indices.ComputeFlattened() or [], np.int64)
    share = np.asarray((weights.ComputeFlattened() if weights else None) or [], np.float64)
    size = int(indices.GetElementSize())
    if (
        not len(held)
        or len(held) != len(share)
        or size < 1
        or len(held) % size
        or not np.isfinite(share).all()
    ):
        raise Refused(
            f"{prim.GetPath()} has {len(held)} joint indices and {len(share)} weights, {size} a point",
            "as many of one as of the other",
        )
    return rig, held, share, size, str(indices.GetInterpolation()) == "constant"


def _bones(prim: Any, rig: Rig, nodes: Nodes) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the bones' nodes and bind matrices in metres, in the order of the mesh's indices."""
    from pxr import UsdSkel

    held = UsdSkel.BindingAPI(prim).GetJointsAttr().Get()
    tokens = [str(token) for token in held] if held else rig.tokens
    place = {token: i for i, token in enumerate(rig.tokens)}
    strange = next((token for token in tokens if token not in place), None)
    if strange is not None:
        raise Refused(f"skel:joints of {prim.GetPath()} names {strange[:80]!r}", "joints of its skeleton")
    order = [place[token] for token in tokens]
    bind = rig.bind[order].copy()
    bind[:, :3, 3] *= nodes.unit
    return np.array([rig.nodes[i] for i in order], np.int64), bind


def _placed(prim: Any, unit: float) -> NDArray[np.float64]:
    held = prim.GetAttribute("primvars:skel:geomBindTransform")
    value = held.Get() if held else None
    matrix = np.eye(4) if value is None else ours(value)
    matrix[:3, 3] *= unit
    return matrix


def _normal(
    prim: Any, indices: NDArray[np.int64], weights: NDArray[np.float64], nodes: Nodes
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return influences, largest first, that sum to 1."""
    order = np.argsort(-weights, axis=1, kind="stable")
    indices, weights = np.take_along_axis(indices, order, 1), np.take_along_axis(weights, order, 1)
    total = weights.sum(axis=1, keepdims=True)
    loose = total[:, 0] <= 0
    if loose.any():
        nodes.warnings.append(
            f"{int(loose.sum())} points of {prim.GetPath()} have no weight; its first joint takes them"
        )
        indices[loose, 0], weights[loose, 0] = 0, 1.0
    used = max(int((weights > 0).sum(axis=1).max()), 1)
    share = weights[:, :used] / weights.sum(axis=1, keepdims=True)
    return np.ascontiguousarray(indices[:, :used]), share


def blend_shapes(prim: Any, points: int, nodes: Nodes) -> dict[str, Any]:
    """Return `morphs`, `morph_names`, `morph_peaks`, `morph_weights` of a mesh."""
    from pxr import UsdSkel

    binding = UsdSkel.BindingAPI(prim)
    tokens = [str(token) for token in binding.GetBlendShapesAttr().Get() or ()]
    targets = binding.GetBlendShapeTargetsRel().GetTargets()
    if not tokens:
        return {}
    if len(tokens) != len(targets):
        raise Refused(
            f"{prim.GetPath()} has {len(tokens)} blend shapes and {len(targets)} targets", "as many"
        )
    skeleton = binding.GetInheritedSkeleton()
    prefix = next((rig.prefix for rig in nodes.rigs if skeleton and rig.prim == skeleton.GetPrim()), "")
    shapes: list[NDArray[np.float64]] = []
    names: list[str] = []
    peaks: list[float] = []
    for token, target in zip(tokens, targets, strict=True):
        shape = UsdSkel.BlendShape(prim.GetStage().GetPrimAtPath(target))
        if not shape or prefix + token in names:
            nodes.warnings.append(
                f"the blend shape {token!r} of {prim.GetPath()} is not there, or twice; left out"
            )
            continue
        for offsets, peak in _shapes(shape):
            shapes.append(_full(shape, offsets, points) * nodes.unit)
            names.append(prefix + token)
            peaks.append(peak)
    if not shapes:
        return {}
    order = sorted(range(len(shapes)), key=lambda i: (names.index(names[i]), peaks[i]))
    rest = prim.GetCustomDataByKey("kinetoscope:morphWeights")
    return {
        "morphs": np.stack([shapes[i] for i in order]),
        "morph_names": tuple(names[i] for i in order),
        "morph_peaks": np.array([peaks[i] for i in order]),
        "morph_weights": _rest_weights(rest, prefix, names),
    }


def _rest_weights(held: Any, prefix: str, names: list[str]) -> dict[str, float]:
    """Return what our own writer has noted: UsdSkel knows no weights at rest."""
    from pxr import Vt

    if not isinstance(held, dict):
        return {}
    tokens, weights = held.get("names"), held.get("weights")
    if not isinstance(tokens, Vt.StringArray) or not isinstance(weights, Vt.DoubleArray):
        return {}
    return {
        prefix + str(name): float(w)
        for name, w in zip(tokens, weights, strict=False)
        if prefix + str(name) in names
    }


def _shapes(shape: Any) -> list[tuple[Any, float]]:
    """Return offsets and weights of a shape and its in-betweens."""
    found = [(shape.GetOffsetsAttr().Get() or [], 1.0)]
    seen = {0.0, 1.0}
    for between in shape.GetInbetweens():
        weight = between.GetWeight()
        if weight is None or not np.isfinite(weight) or float(weight) in seen:
            continue
        seen.add(float(weight))
        found.append((between.GetOffsets() or [], float(weight)))
    return found


def _full(shape: Any, offsets: Any, points: int) -> NDArray[np.float64]:
    """Return offsets `[V, 3]` of all points from those of some."""
    dense = np.zeros((points, 3))
    values = np.asarray(offsets, np.float64).reshape(-1, 3)
    held = shape.GetPointIndicesAttr().Get()
    where = np.asarray(held, np.int64) if held else np.arange(len(values))
    if len(where) != len(values) or (len(where) and not (where.min() >= 0 and where.max() < points)):
        raise Refused(f"{shape.GetPath()} moves points that are not there", f"{points} points at most")
    np.add.at(dense, where, values)
    return dense
