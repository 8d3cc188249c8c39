"""Which codec stands for which suffix, and what its qualities mean."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import attrs

from kinetoscope_spec import ConfigError
from kinetoscope_spec.errors import nearest

__all__ = ["FORMATS", "Format", "format_of", "quality_options"]


@attrs.frozen
class Format:
    """How one kind of film is written.

    Attributes:
        container: FFmpeg's name.
        codec, pixels: of the picture without alpha.
        alpha: codec and pixels with alpha, or None where it can't be kept.
        audio: codec of the sound, or None for silent films.
        even: whether width and height must be even.
        qualities: encoder options for `draft`, `medium`, `high`.
        rate_factor: smallest and largest number for `quality` as an int, or None.
        options: of the container.
    """

    container: str
    codec: str
    pixels: str
    alpha: tuple[str, str] | None = None
    audio: str | None = None
    even: bool = False
    qualities: Mapping[str, Mapping[str, str]] = attrs.field(factory=dict)
    rate_factor: tuple[int, int] | None = None
    options: Mapping[str, str] = attrs.field(factory=dict)


# Its macroblock tree is not the same in every run where x264 computes with AVX-512: about every second
# film of the same frames came out with other bytes.
_STABLE = {"x264-params": "mbtree=0"}
_X264 = {
    "draft": {"crf": "28", "preset": "veryfast", **_STABLE},
    "medium": {"crf": "20", "preset": "fast", **_STABLE},
    "high": {"crf": "14", "preset": "medium", **_STABLE},
}
_VP9 = {
    "draft": {"crf": "40", "b": "0", "deadline": "realtime", "cpu-used": "8"},
    "medium": {"crf": "28", "b": "0", "deadline": "good", "cpu-used": "5"},
    "high": {"crf": "16", "b": "0", "deadline": "good", "cpu-used": "3"},
}
_SAME: Mapping[str, Mapping[str, str]] = {"draft": {}, "medium": {}, "high": {}}
# `bitexact` leaves out dates, random identifiers and the muxer's version.
_EXACT = {"fflags": "+bitexact"}

_MP4 = Format(
    "mp4", "libx264", "yuv420p", None, "aac", True, _X264, (0, 51), {**_EXACT, "movflags": "+faststart"}
)
_MOV = attrs.evolve(_MP4, container="mov", alpha=("prores_ks", "yuva444p10le"))
_WEBM = Format(
    "webm", "libvpx-vp9", "yuv420p", ("libvpx-vp9", "yuva420p"), "libopus", False, _VP9, (0, 63), _EXACT
)
_MKV = attrs.evolve(_MP4, container="matroska", options=_EXACT)
_GIF = Format("gif", "gif", "pal8", None, None, False, _SAME, None, _EXACT)

FORMATS: Mapping[str, Format] = {
    ".mp4": _MP4,
    ".m4v": _MP4,
    ".mov": _MOV,
    ".webm": _WEBM,
    ".mkv": _MKV,
    ".gif": _GIF,
}


def format_of(path: str | Path) -> Format:
    """Return the format for the suffix of `path`.

    Raises:
        ConfigError: there is none; names those there are.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        known = ", ".join(FORMATS)
        raise ConfigError(
            f"{path}: no film is written as {suffix!r}, expected one of {known}"
            f"{nearest(suffix, list(FORMATS))}"
        )
    return FORMATS[suffix]


def quality_options(kind: Format, quality: str | int) -> Mapping[str, str]:
    """Return encoder options for a quality: a word, or the encoder's rate factor (lower is better).

    Raises:
        ConfigError: neither.
    """
    if isinstance(quality, str):
        if quality not in kind.qualities:
            known = ", ".join(kind.qualities)
            raise ConfigError(
                f"quality is {quality!r}, expected one of {known}{nearest(quality, list(kind.qualities))}"
            )
        return kind.qualities[quality]
    if kind.rate_factor is None:
        raise ConfigError(
            f"{kind.codec} has no rate factor, expected quality as one of {', '.join(kind.qualities)}"
        )
    low, high = kind.rate_factor
    if isinstance(quality, bool) or not low <= quality <= high:
        raise ConfigError(
            f"quality is {quality}, expected {low} to {high}, or one of {', '.join(kind.qualities)}"
        )
    return {**kind.qualities["medium"], "crf": str(quality)}
