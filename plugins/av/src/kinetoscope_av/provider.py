"""The provider `av` of the hook `media`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from kinetoscope_av import _decode, _encode, _images, _light, _recordings, _sound
from kinetoscope_av._files import open_input
from kinetoscope_av.hooks import Written
from kinetoscope_spec import Audio, Progress, Video

__all__ = ["AvMedia"]


class AvMedia:
    """Films through FFmpeg (PyAV), pictures through Pillow; see `kinetoscope_av.hooks.Media`."""

    audio_suffixes = _recordings.SUFFIXES
    """The formats of `write_audio`."""

    def open(self, path: str | Path, *, audio: bool | None = None) -> Video:
        """Open a film as a seekable stream; frames are decoded when they are asked for."""
        return _decode.open_video(path, audio=audio)

    def write(
        self,
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
    ) -> Written:
        """Write a film from frames `uint8 [H, W, 3|4]` or a `Video`.

        `.mp4`, `.m4v`, `.mov`, `.mkv`: H.264 yuv420p in BT.709, AAC; odd sizes grow by one pixel,
        the edge repeated. `.webm`: VP9, Opus. `.gif`: 256 colours a frame, silent. `rate` is needed
        unless `frames` is a `Video`; `size` (width, height) scales; `quality` is `draft`, `medium`,
        `high` or the encoder's rate factor; `alpha` keeps transparency in `.webm` and `.mov`.
        The same frames give the same bytes.
        """
        return _encode.write(
            path,
            frames,
            rate=rate,
            size=size,
            audio=audio,
            metadata=metadata,
            quality=quality,
            alpha=alpha,
            progress=progress,
        )

    def read_audio(self, path: str | Path, start: float = 0.0, stop: float | None = None) -> Audio | None:
        """Return the sound between two seconds of the film, or None if it is silent."""
        return _sound.read_audio(path, start, stop)

    def write_audio(
        self,
        path: str | Path,
        audio: Audio,
        *,
        metadata: Mapping[str, str] | None = None,
        bitrate: int | None = None,
    ) -> None:
        """Write a recording: `.wav` (16 bits), `.flac`, `.mp3`, `.opus`; `bitrate` in bit/s.

        Opus is 48 kHz whatever the sound's rate. Raises `ConfigError` for another suffix, and
        `ValidationError` for more than two channels.
        """
        _recordings.write_audio(path, audio, metadata=metadata, bitrate=bitrate)

    def metadata(self, path: str | Path) -> Mapping[str, str]:
        """Return what the film says about itself; keys in lower case, whichever the container writes."""
        with open_input(path) as container:
            held = {key.lower(): text for key, text in container.metadata.items()}
            for stream in container.streams.audio[:1]:  # Ogg keeps a recording's words with its stream
                held = {key.lower(): text for key, text in stream.metadata.items()} | held
            return held

    def read_image(self, path: str | Path) -> np.ndarray:
        """Return a picture, `uint8 [H, W, 3|4]` sRGB, top row first, turned upright."""
        return _images.read_image(path)

    def read_light(self, path: str | Path) -> np.ndarray:
        """Return a picture of light, float32 `[H, W, 3]`, linear, top row first: Radiance, OpenEXR, or as `read_image`.

        OpenEXR needs its library (extra `exr`).
        """
        return _light.read_light(path)

    def write_image(self, path: str | Path, image: Any, *, quality: int = 92) -> None:
        """Write a picture as PNG or JPEG."""
        _images.write_image(path, image, quality=quality)
