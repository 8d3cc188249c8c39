"""Where each frame of a film stands, found by reading its packets without decoding them."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import attrs
import av
import numpy as np

from kinetoscope_spec import FormatError

__all__ = ["Index", "build_index"]

_LOST_S, _LOST_SHARE = 0.25, 0.001
"""s, and share of the whole: a film that ends more than both together before its header says was cut off."""


@attrs.frozen(eq=False)
class Index:
    """The frames of a film in the order in which they are shown.

    Attributes:
        count: how many.
        time_base: s, the unit of `pts`.
        pts: int64 `[T]`, increasing, or None where the file gives no times (raw streams).
        keys: int64, `pts` of the frames at which decoding can begin.
    """

    count: int
    time_base: Fraction
    pts: np.ndarray | None
    keys: np.ndarray

    def timestamps(self, rate: Fraction) -> np.ndarray | None:
        """Return seconds `[T]` from the first frame, or None where the rate is constant.

        Constant means: every frame stands where `rate` puts it, within one unit of the file's
        clock (a millisecond in WebM).
        """
        if self.pts is None or self.count < 2:
            return None
        seconds = (self.pts - self.pts[0]) * float(self.time_base)
        constant = np.arange(self.count) / float(rate)
        slack = max(float(self.time_base), 1e-4)
        # Drift of the stated average is no variation: compare with the film's own mean step too.
        even = np.linspace(0, seconds[-1], self.count)
        if min(np.abs(seconds - constant).max(), np.abs(seconds - even).max()) <= slack:
            return None
        return np.asarray(seconds)

    def starts(self, first: int) -> Iterator[int | None]:
        """Yield places to seek to for frame `first`, nearest first; None is the beginning."""
        if first > 0 and self.pts is not None:
            before = self.keys[self.keys <= self.pts[first]]
            yield from (int(key) for key in before[-1:-3:-1])
        yield None


def build_index(container: Any, stream: Any, path: Path) -> Index:
    """Read all packets of `stream`.

    Raises:
        FormatError: there are fewer than the header promises.
    """
    places, keys, count, end_s = [], [], 0, 0.0
    promised = stream.frames
    for packet in container.demux():
        if packet.size == 0 or packet.time_base is None:
            continue
        if packet.pts is not None:
            end_s = max(end_s, float((packet.pts + (packet.duration or 0)) * packet.time_base))
        if packet.stream_index != stream.index:
            continue
        count += 1
        if packet.is_discard:
            continue
        places.append(packet.pts)
        if packet.is_keyframe and packet.pts is not None:
            keys.append(packet.pts)
    _check_whole(container, path, count, promised, end_s)
    timed = None not in places and len(set(places)) == len(places)
    pts = np.array(sorted(places), np.int64) if timed else None
    return Index(len(places), stream.time_base, pts, np.array(sorted(keys) if timed else [], np.int64))


def _check_whole(container: Any, path: Path, count: int, promised: int, end_s: float) -> None:
    if not count:
        raise FormatError("holds no frame", path=path, expected="a film")
    if promised and count < promised:
        raise FormatError(f"is cut off: {count} frames are there", path=path, expected=f"{promised}")
    if container.duration is not None and not promised and "gif" not in container.format.name:
        begin = 0 if container.start_time is None else container.start_time / av.time_base
        stated_s = container.duration / av.time_base
        if stated_s - (end_s - begin) > _LOST_S + _LOST_SHARE * stated_s:
            raise FormatError(f"is cut off {end_s - begin:.1f} s in", path=path, expected=f"{stated_s:.1f} s")
