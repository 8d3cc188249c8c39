"""Frames in, a film out, one frame at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sized
from fractions import Fraction
from pathlib import Path
from typing import Any

import attrs
import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation

from kinetoscope_av._files import replacing
from kinetoscope_av._formats import Format, format_of, quality_options
from kinetoscope_av._sound import SoundWriter
from kinetoscope_av.hooks import Written
from kinetoscope_spec import Audio, Cancelled, ConfigError, Progress, ValidationError, Video

__all__ = ["write"]

_FINE = Fraction(1, 90000)
"""s; the time base of films with a rate of their own for every frame (that of MPEG streams)."""

# The encoder's result depends on the number of threads: a fixed one makes it the same everywhere.
_THREADS = 4

_SCALER = (
    Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INP | Interpolation.ACCURATE_RND | Interpolation.BITEXACT
)


@attrs.frozen
class _Plan:
    """What is to be written: all options, checked."""

    kind: Format
    frames: Iterable[Any]
    rate: Fraction
    size: tuple[int, int] | None
    audio: Audio | None
    alpha: bool
    options: Mapping[str, str]
    metadata: Mapping[str, str]
    total: int
    timestamps: Any = None
    progress: Progress | None = None

    def tell(self, done: int) -> None:
        if self.progress is not None and self.progress(done, self.total, "writing frames") is False:
            raise Cancelled(f"cancelled after {done} frames")


def write(path: str | Path, frames: Video | Iterable[Any], **options: Any) -> Written:
    """Write a film; see `Media.write`."""
    plan = _planned(path, frames, **options)
    with replacing(path) as temporary:
        with av.open(
            str(temporary), "w", format=plan.kind.container, options=dict(plan.kind.options)
        ) as container:
            container.metadata.update(plan.metadata)
            picture = _PictureWriter(container, plan)
            sound = None
            for done, frame in enumerate(_checked(plan.frames)):
                if done == 0:
                    # Streams are added before anything is muxed: the header lists them all.
                    picture.open(frame)
                    sound = (
                        SoundWriter(container, plan.audio, plan.kind.audio)
                        if plan.audio is not None
                        else None
                    )
                picture.add(frame)
                if sound is not None:
                    sound.until(picture.seconds)
                plan.tell(done + 1)
            picture.close()
            if sound is not None:
                sound.close()
        size = temporary.stat().st_size
    return Written(
        str(path), picture.codec, picture.width, picture.height, plan.rate, picture.count, picture.seconds,
        size, sound is not None,
    )  # fmt: skip


def _planned(
    path: str | Path,
    frames: Video | Iterable[Any],
    *,
    rate: Fraction | float | str | None = None,
    size: tuple[int, int] | None = None,
    audio: Audio | None = None,
    metadata: Mapping[str, str] | None = None,
    quality: str | int = "medium",
    alpha: bool = False,
    progress: Progress | None = None,
) -> _Plan:
    kind = format_of(path)
    options = quality_options(kind, quality)
    if audio is not None and kind.audio is None:
        raise ConfigError(f"{path}: {kind.container} holds no sound, expected audio=None or another suffix")
    if alpha and kind.alpha is None:
        raise ConfigError(f"{path}: {kind.container} keeps no alpha, expected .webm or .mov")
    if size is not None and (len(size) != 2 or min(size) < 1):
        raise ConfigError(f"size is {size}, expected (width, height) in pixels")
    timestamps, total = None, len(frames) if isinstance(frames, Sized) else 0
    if isinstance(frames, Video):
        if rate is None:
            rate, timestamps = frames.rate, frames.timestamps
        total = frames.frame_count or 0
        audio = frames.audio if audio is None and kind.audio is not None else audio
        frames = frames.frames()
    return _Plan(
        kind,
        frames,
        _rate(rate),
        size,
        audio,
        alpha,
        options,
        _words(metadata or {}),
        total,
        timestamps,
        progress,
    )


def _rate(rate: Fraction | float | str | None) -> Fraction:
    if rate is None:
        raise ConfigError("rate is missing, expected frames per second")
    try:
        # NTSC rates come as 29.97 and friends; 1001 in the denominator is what they mean.
        exact = Fraction(rate).limit_denominator(1001)
    except (ValueError, OverflowError, ZeroDivisionError, TypeError) as error:
        raise ConfigError(f"rate is {rate!r}, expected frames per second") from error
    if not 0 < exact <= 1000:
        raise ConfigError(f"rate is {rate!r}, expected frames per second above 0, 1000 at most")
    return exact


def _words(metadata: Mapping[str, str]) -> Mapping[str, str]:
    for key, text in metadata.items():
        if not isinstance(key, str) or not isinstance(text, str) or "\0" in key + text:
            raise ConfigError(f"metadata[{key!r}] is {text!r}, expected text")
    return metadata


def _checked(frames: Iterable[Any]) -> Iterator[np.ndarray]:
    shape: tuple[int, ...] | None = None
    for i, given in enumerate(frames):
        frame = np.asarray(given)
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] not in (3, 4) or 0 in frame.shape:
            raise ValidationError(
                f"frame {i} is {frame.dtype} {list(frame.shape)}, expected uint8 [H, W, 3|4]"
            )
        if shape is not None and frame.shape != shape:
            raise ValidationError(
                f"frame {i} has shape {list(frame.shape)}, expected {list(shape)} as frame 0"
            )
        shape = frame.shape
        yield np.ascontiguousarray(frame)
    if shape is None:
        raise ValidationError("there is no frame to write, expected at least one")


class _PictureWriter:
    """The stream of pictures in an open container."""

    def __init__(self, container: Any, plan: _Plan) -> None:
        self._container = container
        self._plan = plan
        self.codec, self._pixels = (
            (plan.kind.alpha or ("", "")) if plan.alpha else (plan.kind.codec, plan.kind.pixels)
        )
        self.width = self.height = self.count = 0
        self.seconds = 0.0

    def open(self, first: np.ndarray) -> None:
        """Add the stream, sized by the first frame."""
        plan = self._plan
        height, width = first.shape[:2]
        self._wanted = plan.size or (width, height)
        even = plan.kind.even and self.codec == "libx264"
        self.width, self.height = (n + n % 2 if even else n for n in self._wanted)
        options = {} if self.codec == "prores_ks" else dict(plan.options)
        self._stream = self._container.add_stream(self.codec, rate=plan.rate, options=options)
        context = self._stream.codec_context
        context.width, context.height = self.width, self.height
        self._filter = _Palette() if self._pixels == "pal8" else None
        context.pix_fmt = self._pixels
        self._base = _FINE if plan.timestamps is not None else 1 / plan.rate
        context.time_base = self._base
        context.thread_count = _THREADS
        if self._filter is None:
            context.colorspace = context.color_trc = context.color_primaries = 1  # BT.709
            context.color_range = ColorRange.MPEG

    def add(self, image: np.ndarray) -> None:
        """Encode one frame."""
        frame = self._converted(self._padded(image))
        frame.pts, end = self._times(self.count)
        frame.time_base = self._base
        self.count += 1
        self.seconds = end
        for out in [frame] if self._filter is None else self._filter(frame):
            self._container.mux(self._stream.encode(out))

    def close(self) -> None:
        """Encode what the encoder still holds."""
        self._container.mux(self._stream.encode(None))

    def _times(self, index: int) -> tuple[int, float]:
        """Return the place of a frame in units of the time base, and the second at which it ends."""
        stamps = self._plan.timestamps
        if stamps is None:
            return index, float((index + 1) / self._plan.rate)
        start = stamps[index] - stamps[0]
        end = stamps[index + 1] - stamps[0] if index + 1 < len(stamps) else start + float(1 / self._plan.rate)
        return round(Fraction(float(start)) / _FINE), float(end)

    def _padded(self, image: np.ndarray) -> np.ndarray:
        """Return `image` with its last column and row repeated where the codec needs even sizes."""
        height, width = image.shape[:2]
        if self._plan.size is not None or (width, height) == (self.width, self.height):
            return image
        return np.pad(image, ((0, self.height - height), (0, self.width - width), (0, 0)), mode="edge")

    def _converted(self, image: np.ndarray) -> Any:
        if image.shape[2] == 4 and not self._plan.alpha:
            image = np.ascontiguousarray(image[..., :3])
        frame = av.VideoFrame.from_ndarray(image, format="rgb24" if image.shape[2] == 3 else "rgba")
        if self._filter is not None:
            return frame.reformat(width=self.width, height=self.height, format="rgb24")
        return frame.reformat(
            width=self.width,
            height=self.height,
            format=self._pixels,
            src_color_range=ColorRange.JPEG,
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            interpolation=_SCALER,
        )


class _Palette:
    """256 colours of its own for every frame, dithered: a film's palette would need all frames first."""

    def __init__(self) -> None:
        self._graph: Any = None

    def __call__(self, frame: Any) -> Iterator[Any]:
        if self._graph is None:
            self._graph = self._built(frame)
        self._graph.push(frame)
        yield self._graph.pull()

    @staticmethod
    def _built(frame: Any) -> Any:
        graph = av.filter.Graph()
        source = graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
        )
        split = graph.add("split")
        palette = graph.add("palettegen", "stats_mode=single:reserve_transparent=0")
        use = graph.add("paletteuse", "new=1:dither=bayer:bayer_scale=3")
        sink = graph.add("buffersink")
        source.link_to(split)
        split.link_to(use, 0, 0)
        split.link_to(palette, 1, 0)
        palette.link_to(use, 0, 1)
        use.link_to(sink)
        graph.configure()
        return graph
