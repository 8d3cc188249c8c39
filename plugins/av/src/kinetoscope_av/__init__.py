"""Video, audio and images in files, by PyAV and Pillow: fills the hook `media`, which it brings."""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["media"]

VIDEO_FORMATS = ("mp4", "mov", "webm", "mkv", "gif", "avi", "mpegts", "flv", "ogg", "apng")
IMAGE_FORMATS = ("png", "jpeg", "webp", "bmp", "tiff")
LIGHT_FORMATS = ("hdr", "exr")


@hookimpl
def media() -> Sequence[Provider]:
    """Offer the provider `av`."""
    return [
        Provider(
            "av",
            "films and pictures through FFmpeg (PyAV) and Pillow",
            load="kinetoscope_av.provider:AvMedia",
            reads=(*VIDEO_FORMATS, *IMAGE_FORMATS, *LIGHT_FORMATS),
            writes=("mp4", "mov", "webm", "mkv", "gif", "png", "jpeg"),
            contract="kinetoscope_av.own_contract:AvContract",
            licence="Apache-2.0 AND BSD-3-Clause AND GPL-2.0-or-later AND MIT-CMU",
        )
    ]
