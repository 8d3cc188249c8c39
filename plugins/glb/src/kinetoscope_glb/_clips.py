"""Animations become motions: every channel baked at one framerate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_glb import _rate
from kinetoscope_glb._accessors import Accessors, Floats
from kinetoscope_glb._budget import Budget, Warnings
from kinetoscope_glb._json import Item
from kinetoscope_glb._nodes import IDENTITY, Nodes
from kinetoscope_glb._samplers import INTERPOLATIONS, Sampler
from kinetoscope_spec import Motion

EXTRAS = "kinetoscope"
"""Key in an animation's `extras` under which a writer of ours notes framerate, frames, start time."""

_PATHS = {"translation": ("VEC3",), "rotation": ("VEC4",), "scale": ("VEC3",), "weights": ("SCALAR",)}
_TRANSFORM_BYTES, _WEIGHT_BYTES, _FRAME_BYTES = 40, 32, 512
"""What baking takes a joint and frame (ten float32), a morph's weight and frame, and a frame besides."""


@attrs.frozen
class Track:
    """A channel: which node, which of its properties, how it moves."""

    node: int
    path: str
    sampler: Sampler


@attrs.frozen
class Clip:
    """A baked animation: the motion, and the weights of morph targets `[T, M]` by node."""

    motion: Motion
    targets: Mapping[int, NDArray[np.float64]]


@attrs.frozen
class _Timing:
    rate: float
    frames: int
    start: float
    stated_start: float


class Clips:
    """Reads the animations of a document; `targets` is the number of morph targets by node."""

    def __init__(
        self,
        document: Item,
        accessors: Accessors,
        nodes: Nodes,
        targets: Sequence[int],
        unit: float,
        budget: Budget,
        warnings: Warnings,
    ) -> None:
        self._items = document.items("animations")
        self._accessors = accessors
        self._nodes = nodes
        self._targets = targets
        self._unit = unit
        self._budget = budget
        self._warnings = warnings
        self._times: dict[int, NDArray[np.float64]] = {}

    def read(self, framerate: float | None) -> list[Clip]:
        """Return all animations, baked at `framerate`, or at one deduced from their keys."""
        found = [self._clip(item, number, framerate) for number, item in enumerate(self._items)]
        return [clip for clip in found if clip is not None]

    def _clip(self, item: Item, number: int, framerate: float | None) -> Clip | None:
        samplers = item.items("samplers")
        found: dict[tuple[int, str], Track] = {}
        for channel in item.items("channels"):
            track = self._track(channel, samplers)
            if track is None:
                continue
            if (track.node, track.path) in found:
                self._warnings.add("twice", f"{channel.where} moves what another moves too: the last counts")
            found[track.node, track.path] = track
        tracks = list(found.values())
        if not tracks:
            self._warnings.add("empty animations", f"{item.where} moves nothing: it is left out")
            return None
        timing = self._timing(item, tracks, framerate)
        joints = len(self._nodes.skeleton)
        weights = sum(self._targets[track.node] for track in tracks if track.path == "weights")
        self._budget.take(
            timing.frames * (joints * _TRANSFORM_BYTES + weights * _WEIGHT_BYTES + _FRAME_BYTES),
            f"{item.where} of {timing.frames:,} frames at {timing.rate:g} frames a second",
            "; read(framerate=...) sets the rate",
        )
        return self._baked(tracks, timing, item.text("name") or f"animation_{number}")

    def _track(self, channel: Item, samplers: list[Item]) -> Track | None:
        target = channel.child("target")
        node, path = target.index("node", len(self._nodes.items), "nodes"), target.text("path")
        number = channel.index("sampler", len(samplers), "samplers")
        if number is None:
            channel.fail("sampler", "the number of a sampler")
        if path not in _PATHS or node is None:
            self._warnings.add("paths", f"{channel.where} moves {path or 'nothing'!r}, which is left out")
            return None
        if path == "weights" and not self._targets[node]:
            self._warnings.add("paths", f"{channel.where} moves morphs of a node without any: it is left out")
            return None
        if path != "weights" and self._nodes.joint[node] < 0:
            self._warnings.add("paths", f"{channel.where} moves a helper node, which is left out")
            return None
        return Track(node, path, self._sampler(samplers[number], path, node))

    def _sampler(self, item: Item, path: str, node: int) -> Sampler:
        given, taken = (item.index(key, len(self._accessors), "accessors") for key in ("input", "output"))
        if given is None or taken is None:
            item.refuse("lacks input or output", "the accessors of key times and of values")
        kind = item.text("interpolation", "LINEAR")
        if kind not in INTERPOLATIONS:
            item.fail("interpolation", " or ".join(INTERPOLATIONS))
        times = self._key_times(item, given)
        raw = self._accessors.floats(taken, _PATHS[path], what=path)
        width = self._targets[node] if path == "weights" else raw.shape[1]
        each = 3 if kind == "CUBICSPLINE" else 1
        if raw.size != len(times) * width * each:
            item.refuse(
                f"has {len(times)} key times and {raw.size} numbers", f"{width * each} numbers a key ({kind})"
            )
        return Sampler(
            item, times, self._values(item, raw, len(times), width, each, path), kind, path == "rotation"
        )

    def _values(
        self, item: Item, raw: Floats, keys: int, width: int, each: int, path: str
    ) -> NDArray[np.float64]:
        self._budget.take(16 * raw.size, f"{item.where} ({path})")
        values = raw.astype(np.float64).reshape(keys, each, width)
        if path == "translation":
            values *= self._unit
        if path == "rotation":
            key = values[:, -2] if each == 3 else values[:, 0]
            length = np.linalg.norm(key, axis=1, keepdims=True)
            if not length.min(initial=1.0) > 1e-12:
                self._warnings.add("zero quaternion", f"{item.where} has keys of 0, taken for no rotation")
                key[length[:, 0] <= 1e-12] = IDENTITY
                length = np.where(length > 1e-12, length, 1.0)
            key /= length
        return values if each == 3 else values[:, 0]

    def _key_times(self, item: Item, number: int) -> NDArray[np.float64]:
        if number not in self._times:
            times = self._accessors.floats(number, ("SCALAR",), what="key times")[:, 0].astype(np.float64)
            if not len(times):
                item.fail("input", "one key at least")
            if (np.diff(times) < 0).any():
                key = int(np.argmax(np.diff(times) < 0))
                item.refuse(
                    f"goes from {times[key]:g} s back to {times[key + 1]:g} s at key {key + 1}",
                    "rising key times",
                )
            self._times[number] = times
        return self._times[number]

    def _timing(self, item: Item, tracks: Sequence[Track], framerate: float | None) -> _Timing:
        axes = list({id(t.sampler.times): t.sampler.times for t in tracks}.values())
        start, end = min(float(t[0]) for t in axes), max(float(t[-1]) for t in axes)
        noted = _noted(item, end - start)
        if noted is not None and framerate in (None, noted.rate):
            return attrs.evolve(noted, start=start)
        rate = framerate or _rate.deduced(np.unique(np.concatenate(axes)))
        frames = int((end - start) * rate + _rate.slack(rate, end)) + 1
        return _Timing(rate, frames, start, start if noted is None else noted.stated_start)

    def _baked(self, tracks: Sequence[Track], timing: _Timing, name: str) -> Clip:
        skeleton, frames = self._nodes.skeleton, timing.frames
        rest = (skeleton.rest_positions, skeleton.rest_rotations, skeleton.rest_scales)
        arrays = {
            path: np.repeat(held.astype(np.float32)[None], frames, axis=0)
            for path, held in zip(("translation", "rotation", "scale"), rest, strict=True)
        }
        targets: dict[int, NDArray[np.float64]] = {}
        slack = _rate.slack(timing.rate, timing.start + frames / timing.rate)
        for track in tracks:
            values = track.sampler.baked(frames, timing.rate, timing.start, slack)
            if track.path == "weights":
                targets[track.node] = values
            else:
                arrays[track.path][:, self._nodes.joint[track.node]] = values
        motion = Motion(
            skeleton,
            arrays["translation"],
            arrays["rotation"],
            timing.rate,
            name,
            scales=arrays["scale"] if (arrays["scale"] != 1).any() else None,
            start_time=timing.stated_start,
        )
        return Clip(motion, targets)


def _noted(item: Item, length: float) -> _Timing | None:
    """Return what a writer of ours noted, where it fits the keys, which span `length` s."""
    extras: Any = item.data.get("extras")
    held = extras.get(EXTRAS) if isinstance(extras, dict) else None
    if not isinstance(held, dict):
        return None
    noted: list[Any] = [held.get(key) for key in ("framerate", "frames", "start_time")]
    rate, frames, start = noted
    numbers = type(rate) in (int, float) and type(start) in (int, float) and type(frames) is int
    if not numbers or not (1e-6 <= rate <= 1e6 and abs(start) <= 1e9 and frames >= 1):
        return None
    if abs(length * rate - (frames - 1)) > 0.5:
        return None
    return _Timing(float(rate), frames, 0.0, float(start))
