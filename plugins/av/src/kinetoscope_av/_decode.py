"""A film as a seekable stream of frames: exact places, upright, in sRGB."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import attrs
import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation

from kinetoscope_av._files import checked, open_input
from kinetoscope_av._index import Index, build_index
from kinetoscope_av._sound import read_audio
from kinetoscope_spec import Audio, FormatError, Video

__all__ = ["open_video"]

_SMALL_SOUND_S = 300.0
"""Sound up to this length is taken along: 115 MB of stereo at 48 kHz."""

# FFmpeg's quick path is ten times faster, but takes the nearest chroma sample and darkens by 1 of 255.
_SCALER = Interpolation.BILINEAR | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND

_MOST_PIXELS = 8192 * 4320
"""Of a frame: 8K as cinemas show it. A file of a few kilobytes may claim frames of gigabytes."""

_SD_HEIGHT = 576
"""px; films up to this height that don't say so are BT.601, higher ones BT.709, as players assume."""


def open_video(path: str | Path, *, audio: bool | None = None) -> Video:
    """Open a film; see `Media.open`.

    Raises:
        FormatError: no film, no picture in it, damaged or cut off.
    """
    path = checked(path)
    with open_input(path) as container:
        stream = _picture(container, path)
        rate = _rate(stream)
        alpha_codec = _alpha_codec(stream)
        sound_s = _sound_seconds(container)
        index = build_index(container, stream, path)
    source = _Frames(path, index, alpha_codec)
    first = next(source(0, 1), None)
    if first is None:
        raise FormatError("holds no frame that can be decoded", path=path, expected="a film")
    height, width = first.shape[:2]
    wanted = sound_s is not None and (sound_s <= _SMALL_SOUND_S if audio is None else audio)
    sound: Audio | None = read_audio(path) if wanted else None
    return Video(width, height, rate, source, index.count, index.timestamps(rate), sound)


def _picture(container: Any, path: Path) -> Any:
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            if stream.codec_context is None:  # FFmpeg knows no decoder for it
                raise FormatError("its picture is of an unknown codec", path=path, expected="another")
            width, height = stream.codec_context.width, stream.codec_context.height
            if width * height > _MOST_PIXELS:
                raise FormatError(
                    f"has frames of {width} x {height} pixels",
                    path=path,
                    expected=f"{_MOST_PIXELS:,} at most",
                )
            # Frames may say other sizes than the header: the decoder is told too.
            stream.codec_context.options = {"max_pixels": str(_MOST_PIXELS)}
            return stream
    found = ", ".join(sorted({s.type for s in container.streams})) or "nothing"
    raise FormatError(f"holds no moving picture, only {found}", path=path, expected="a film")


def _rate(stream: Any) -> Fraction:
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate:
            return Fraction(rate)
    return Fraction(25)


def _alpha_codec(stream: Any) -> str | None:
    """Return the decoder that gives WebM's alpha: FFmpeg's own leaves it out."""
    if stream.metadata.get("alpha_mode", stream.metadata.get("ALPHA_MODE")) != "1":
        return None
    return {"vp9": "libvpx-vp9", "vp8": "libvpx"}.get(stream.codec_context.name)


def _sound_seconds(container: Any) -> float | None:
    if not container.streams.audio:
        return None
    stream = container.streams.audio[0]
    if stream.duration is not None:
        return float(stream.duration * stream.time_base)
    return float("inf") if container.duration is None else container.duration / av.time_base


@attrs.frozen(eq=False)
class _Frames:
    """The spec's FrameSource over a file. Every call opens the file afresh."""

    path: Path
    index: Index
    alpha_codec: str | None = None

    def __call__(self, start: int, stop: int | None) -> Iterator[np.ndarray]:
        first, last, _ = slice(start, stop).indices(self.index.count)
        if first >= last:
            return
        with open_input(self.path) as container:
            stream = _picture(container, self.path)
            stream.thread_type = "AUTO"
            place = first
            for frame in islice(self._from(container, stream, first), last - first):
                yield _pixels(frame)
                place += 1
            if place < last:
                raise FormatError(
                    f"gives no frame {place}: damaged", path=self.path, expected=f"{self.index.count} frames"
                )

    def _from(self, container: Any, stream: Any, first: int) -> Iterator[Any]:
        """Yield decoded frames from the one at `first` on, from the nearest place to begin."""
        if self.index.pts is None:
            for place, frame in enumerate(self._decoded(container, stream)):
                if place >= first:
                    yield frame
            return
        wanted = int(self.index.pts[first])
        for key in self.index.starts(first):
            if key is None:
                container.seek(0, backward=True)  # the beginning; where it fails we are there already
            else:
                container.seek(int(key), stream=stream, backward=True)
            frames = self._decoded(container, stream)
            frame = next(frames, None)
            if frame is not None and (key is None or frame.pts <= wanted):
                while frame is not None and frame.pts < wanted:
                    frame = next(frames, None)
                if frame is not None:
                    yield frame
                    yield from frames
                return

    def _decoded(self, container: Any, stream: Any) -> Iterator[Any]:
        if self.alpha_codec is None:
            yield from container.decode(stream)
            return
        context: Any = av.CodecContext.create(self.alpha_codec, "r")
        context.extradata = stream.codec_context.extradata
        context.options = {"max_pixels": str(_MOST_PIXELS)}
        for packet in container.demux(stream):
            yield from context.decode(packet if packet.size else None)


def _pixels(frame: Any) -> np.ndarray:
    """Return a decoded frame as `uint8 [H, W, 3|4]` sRGB, turned as the file asks."""
    components = frame.format.components
    alpha = any(c.is_alpha for c in components) or frame.format.name == "pal8"
    image: np.ndarray = frame.reformat(
        format="rgba" if alpha else "rgb24",
        src_colorspace=_colorspace(frame),
        dst_color_range=ColorRange.JPEG,
        interpolation=_SCALER,
    ).to_ndarray()
    turns = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image


def _colorspace(frame: Any) -> int:
    if frame.colorspace in (int(Colorspace.ITU709), int(Colorspace.ITU601), int(Colorspace.SMPTE240M), 9):
        return int(frame.colorspace)
    if frame.colorspace == 6:  # SMPTE 170M has BT.601's matrix
        return int(Colorspace.ITU601)
    return int(Colorspace.ITU709 if frame.height > _SD_HEIGHT else Colorspace.ITU601)
