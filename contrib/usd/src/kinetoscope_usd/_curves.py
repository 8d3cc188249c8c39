"""What one SkelAnimation says: joints' translations, rotations and scales, and weights of blend shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinetoscope_usd._nodes import Nodes, Rig
from kinetoscope_usd._refused import Refused

__all__ = ["channels", "play", "weights"]


def play(
    rig: Rig,
    prim: Any,
    moments: Sequence[Any],
    nodes: Nodes,
    positions: NDArray[np.float32],
    rotations: NDArray[np.float32],
    scales: NDArray[np.float32],
) -> None:
    """Put one animation's joints into the arrays; joints that it does not name stay at rest."""
    from pxr import UsdSkel

    clip = UsdSkel.Animation(prim)
    place = dict(zip(rig.tokens, rig.nodes, strict=True))
    tokens = [str(token) for token in clip.GetJointsAttr().Get() or ()]
    columns = [i for i, token in enumerate(tokens) if token in place]
    where = [place[tokens[i]] for i in columns]
    if len(columns) < len(tokens):
        nodes.warnings.append(
            f"{prim.GetPath()} moves {len(tokens) - len(columns)} joints that are not there"
        )
    roots = [k for k, node in enumerate(where) if nodes.parents[node] < 0 and nodes.turn is not None]
    for held, into in (
        (clip.GetTranslationsAttr(), positions),
        (clip.GetRotationsAttr(), rotations),
        (_scales(prim, clip), scales),
    ):
        values = _values(held, moments, len(tokens), into.shape[2], prim)
        if values is None:
            if tokens:
                nodes.warnings.append(
                    f"{prim.GetPath()} has no {held.GetName()}: those of the rest pose are taken"
                )
            continue
        into[:, where] = _converted(values[:, columns], into.shape[2], held.GetName(), roots, nodes)


def _converted(
    values: NDArray[np.float32], width: int, name: str, roots: list[int], nodes: Nodes
) -> NDArray[Any]:
    """Return an animation's values `[T, K, 3|4]` in metres, as unit quaternions, roots turned Y up."""
    from kinetoscope_spec import rotation

    if width == 4:
        wide = values.astype(np.float64)
        wide /= np.maximum(np.linalg.norm(wide, axis=-1, keepdims=True), 1e-30)
        wide = np.where((np.abs(wide).sum(axis=-1) < 0.5)[..., None], [0.0, 0.0, 0.0, 1.0], wide)
        if roots:
            quarter = np.array([-np.sqrt(0.5), 0, 0, np.sqrt(0.5)])
            wide[:, roots] = rotation.multiply(quarter, wide[:, roots])
        return wide
    if name != "translations":
        return values
    moved = values.astype(np.float64) * nodes.unit
    if roots and nodes.turn is not None:
        moved[:, roots] = moved[:, roots] @ nodes.turn[:3, :3].T
    return moved


def _scales(prim: Any, clip: Any) -> Any:
    """Return the attribute that holds the scales: our own exact ones, if they still fit the halves."""
    exact = prim.GetAttribute("kinetoscope:scales")
    halves = clip.GetScalesAttr()
    if not exact or exact.GetTimeSamples() != halves.GetTimeSamples():
        return halves
    for code in exact.GetTimeSamples():
        fine, rough = exact.Get(code), halves.Get(code)
        if fine is None or rough is None or len(fine) != len(rough):
            return halves
        if not np.array_equal(np.asarray(fine).astype(np.float16), np.asarray(rough)):
            return halves
    return exact


def _values(
    attribute: Any, moments: Sequence[Any], joints: int, width: int, prim: Any
) -> NDArray[np.float32] | None:
    rows = []
    for moment in moments:
        held = attribute.Get(moment)
        if held is None or (joints and not len(held)):
            return None
        row = np.asarray(held, np.float32).reshape(-1, width)
        if len(row) != joints:
            raise Refused(f"{attribute.GetName()} of {prim.GetPath()} holds {len(row)} values", f"{joints}")
        rows.append(row)
    return np.stack(rows)


def channels(prim: Any) -> list[str]:
    """Return the blend shapes that an animation moves."""
    from pxr import UsdSkel

    return [str(token) for token in UsdSkel.Animation(prim).GetBlendShapesAttr().Get() or ()]


def weights(prim: Any, moments: Sequence[Any]) -> dict[str, NDArray[np.float32]]:
    """Return the weights `[T]` of each blend shape."""
    from pxr import UsdSkel

    names = channels(prim)
    if not names:
        return {}
    held = UsdSkel.Animation(prim).GetBlendShapeWeightsAttr()
    values = _values(held, moments, len(names), 1, prim)
    if values is None:
        return {}
    return {name: values[:, i, 0].copy() for i, name in enumerate(names)}
