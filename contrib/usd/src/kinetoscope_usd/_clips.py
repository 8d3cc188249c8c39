"""From time samples to motions: what the stage plays, and every animation that lies in it unbound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import Motion, Skeleton
from kinetoscope_usd import _curves
from kinetoscope_usd._nodes import Nodes, Rig
from kinetoscope_usd._refused import Refused
from kinetoscope_usd._transforms import decompose, ours

__all__ = ["bound", "motions", "prefixed"]

TRANSFORMS = 300_000
TRANSFORMS_PER_BYTE = 20
"""Samples that are equal are stored once, and keys far apart stand for any number of frames: so many
joint transforms are made of a file, and so many more for each byte of it."""


@attrs.frozen
class Clock:
    """The stage's time axis: time codes per second, and frames per second where nothing else says."""

    codes: float
    rate: float
    asked: float | None
    most: int


def clock(stage: Any, asked: float | None, size: int, joints: int) -> Clock:
    """Return the stage's clock."""
    codes = float(stage.GetTimeCodesPerSecond())
    if not 1e-3 <= codes <= 1e6:
        raise Refused(f"timeCodesPerSecond is {codes}", "a number from 0.001 to 1e6")
    told = stage.HasAuthoredMetadata("framesPerSecond")
    rate = float(stage.GetFramesPerSecond()) if told else codes
    most = (TRANSFORMS + TRANSFORMS_PER_BYTE * size) // max(joints, 1)
    return Clock(codes, rate if 1e-3 <= rate <= 1e6 else codes, asked, max(most, 1))


def bound(rig: Rig) -> Any:
    """Return the animation prim that plays on a skeleton, or None."""
    from pxr import UsdSkel

    source = UsdSkel.BindingAPI(rig.prim).GetInheritedAnimationSource()
    return source if source and source.IsA(UsdSkel.Animation) else None


def prefixed(nodes: Nodes) -> None:
    """Give blend shapes of further skeletons a prefix where another animation plays channels of their names."""
    seen: dict[str, Any] = {}
    for rig in nodes.rigs:
        prim = bound(rig)
        channels = _curves.channels(prim) if prim is not None else []
        if any(channel in seen and seen[channel] != prim for channel in channels):
            rig.prefix = f"{rig.prim.GetName()}/"
            nodes.warnings.append(f"blend shapes of {rig.prim.GetPath()} are called {rig.prefix}… here")
        seen |= {channel: prim for channel in channels if channel not in seen}


def motions(stage: Any, nodes: Nodes, skeleton: Skeleton, asked: float | None, size: int) -> list[Motion]:
    """Return the motions: first what the stage plays, then animations that are bound to nothing."""
    time = clock(stage, asked, size, len(skeleton))
    playing = [(rig, prim) for rig in nodes.rigs if (prim := bound(rig)) is not None]
    moving = [i for i, prim in enumerate(nodes.sources) if prim is not None and _moves(prim)]
    found: list[Motion] = []

    def add(playing: Sequence[tuple[Rig, Any]], moving: Sequence[int]) -> None:
        # All clips together may have as many frames as one alone.
        left = time.most - sum(motion.frame_count for motion in found)
        found.append(_motion(playing, moving, nodes, skeleton, attrs.evolve(time, most=left)))

    if playing or moving:
        add(playing, moving)
    played = {prim.GetPath() for _, prim in playing}
    for prim in nodes.clips:
        rig = _fitting(prim, nodes.rigs)
        if prim.GetPath() in played:
            continue
        if rig is None:
            nodes.warnings.append(f"{prim.GetPath()} moves joints of no skeleton here and is left out")
            continue
        add([(rig, prim)], [])
    return found


def _moves(prim: Any) -> bool:
    from pxr import UsdGeom

    return bool(UsdGeom.Xformable(prim).TransformMightBeTimeVarying())


def _fitting(prim: Any, rigs: Sequence[Rig]) -> Rig | None:
    from pxr import UsdSkel

    joints = {str(token) for token in UsdSkel.Animation(prim).GetJointsAttr().Get() or ()}
    return next((rig for rig in rigs if joints <= set(rig.tokens)), None)


def _motion(
    playing: Sequence[tuple[Rig, Any]],
    moving: Sequence[int],
    nodes: Nodes,
    skeleton: Skeleton,
    time: Clock,
) -> Motion:
    from pxr import Usd

    codes = sorted({code for _, prim in playing for code in _samples(prim)} | _xform_samples(moving, nodes))
    told = _told(playing[0][1]) if playing else {}
    grid, rate = _grid(codes, time, told.get("framerate"))
    moments = [Usd.TimeCode(code) for code in grid] if codes else [Usd.TimeCode.Default()]
    shape = (len(moments), len(skeleton))
    positions = np.broadcast_to(skeleton.rest_positions, (*shape, 3)).astype(np.float32)
    rotations = np.broadcast_to(skeleton.rest_rotations, (*shape, 4)).astype(np.float32)
    scales = np.broadcast_to(skeleton.rest_scales, (*shape, 3)).astype(np.float32)
    weights: dict[str, NDArray[np.float32]] = {}
    for node in moving:
        p, q, s = _xform(nodes, node, moments)
        positions[:, node], rotations[:, node], scales[:, node] = p, q, s
    for rig, prim in playing:
        _curves.play(rig, prim, moments, nodes, positions, rotations, scales)
        weights |= {rig.prefix + name: curve for name, curve in _curves.weights(prim, moments).items()}
    first = playing[0][1] if len(playing) == 1 else None
    name = first.GetDisplayName() or first.GetName() if first is not None else "scene"
    return Motion(
        skeleton,
        positions,
        rotations,
        rate,
        name,
        scales=None if (scales == 1).all() else scales,
        start_time=float(grid[0]) / time.codes,
        morph_weights=weights,
    )


def _told(prim: Any) -> dict[str, float]:
    """Return what our own writer has noted with an animation."""
    held = prim.GetCustomDataByKey("kinetoscope")
    return {key: v for key, v in held.items() if isinstance(v, float)} if isinstance(held, dict) else {}


def _grid(codes: Sequence[float], time: Clock, told: float | None) -> tuple[NDArray[np.float64], float]:
    """Return the time codes of the frames, and frames per second.

    Samples that are evenly spaced, at least as densely as the stage's rate has frames, are the
    frames. Others are sampled at the rate.
    """
    if not all(np.isfinite(codes)):
        raise Refused("a time sample stands at a time that is not finite", "numbers")
    rate = told if told is not None and 1e-3 <= told <= 1e6 else time.rate
    rate = time.asked or rate
    if time.most < 1:
        raise Refused("the clips have more frames than a file of this size may", "fewer clips")
    if len(codes) < 2:
        return np.array(list(codes) or [0.0]), rate
    span = codes[-1] - codes[0]
    step = span / (len(codes) - 1)
    even = np.abs(np.diff(codes) - step).max() <= 1e-4 * step
    own = time.codes / step
    if even and time.asked is None and own >= rate * (1 - 1e-6) and len(codes) <= time.most:
        return np.array(codes), rate if abs(own - rate) <= 1e-6 * rate else own
    count = span / time.codes * rate * (1 + 1e-9) + 1
    if count > time.most:
        raise Refused(
            f"the clip has {count:,.6g} frames at {rate:g} a second",
            f"at most {time.most:,} in a file of this size; read(framerate=…) sets the rate",
        )
    grid = np.asarray(codes[0] + np.arange(int(count)) * (time.codes / rate), np.float64)
    return grid, rate


def _samples(prim: Any) -> set[float]:
    from pxr import UsdSkel

    clip = UsdSkel.Animation(prim)
    held = (
        clip.GetTranslationsAttr(),
        clip.GetRotationsAttr(),
        clip.GetScalesAttr(),
        clip.GetBlendShapeWeightsAttr(),
    )
    return {code for attribute in held for code in attribute.GetTimeSamples()}


def _xform_samples(moving: Sequence[int], nodes: Nodes) -> set[float]:
    from pxr import UsdGeom

    return {code for node in moving for code in UsdGeom.Xformable(nodes.sources[node]).GetTimeSamples()}


def _xform(nodes: Nodes, node: int, moments: Sequence[Any]) -> tuple[Any, Any, Any]:
    from pxr import UsdGeom

    xform = UsdGeom.Xformable(nodes.sources[node])
    matrices = ours([xform.GetLocalTransformation(moment) for moment in moments]).reshape(-1, 4, 4)
    p, q, s, sheared = decompose(nodes.placed(matrices, nodes.parents[node]))
    if sheared:
        nodes.warnings.append(f"{nodes.paths[node]} shears in motion; the shear is left out")
    return p, q, np.where(np.abs(np.abs(s) - 1) < 1e-6, np.sign(s), s)
