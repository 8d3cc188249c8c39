"""The hook `media`: who opens and writes films and pictures. Imports nothing but the spec."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import attrs

from kinetoscope_spec import Hook, Provider, hookspec

if TYPE_CHECKING:
    from kinetoscope_av.contract import MediaContract
    from kinetoscope_spec import Audio, Progress, Video

__all__ = ["HOOKS", "Media", "MediaContract", "Written", "media"]


@attrs.frozen
class Written:
    """What was written.

    Attributes:
        path: the file.
        codec: of the picture, as FFmpeg names it.
        width, height: pixels in the file; more than asked for where the codec needs even sizes.
        rate: nominal frames per second.
        frames: how many.
        seconds: from the first frame to the end of the last.
        bytes: size of the file.
        audio: whether it holds sound.
    """

    path: str
    codec: str
    width: int
    height: int
    rate: Fraction
    frames: int
    seconds: float
    bytes: int
    audio: bool


@runtime_checkable
class Media(Protocol):
    """Opens films as seekable streams and writes them in constant memory.

    What callers rely on: `open(path).frames(a, b)` gives the very frames that reading from the
    start would give at these places; a file appears whole under its name or not at all; what can't
    be read ends in a `FormatError` that names the file.
    """

    def open(self, path: str | Path, *, audio: bool | None = None) -> Video:
        """Open a film. `audio=None` takes its sound along if that is small, True always, False never.

        Raises:
            FormatError: no film, damaged, or without a picture; a missing file is an `OSError` too.
        """
        ...

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
        """Write a film; the container follows from the name's suffix.

        Raises:
            ConfigError: a suffix, quality or option that the provider does not know.
            ValidationError: no frame, or frames of changing size.
            Cancelled: `progress` returned False. Nothing is left behind, as after any error.
        """
        ...

    def read_audio(self, path: str | Path, start: float = 0.0, stop: float | None = None) -> Audio | None:
        """Return the sound between `start` and `stop` seconds, or None for a silent film."""
        ...

    def metadata(self, path: str | Path) -> Mapping[str, str]:
        """Return what the film says about itself: `title`, `artist`, `comment`, ... in lower case."""
        ...

    def read_image(self, path: str | Path) -> Any:
        """Return a picture, `uint8 [H, W, 3|4]` sRGB, top row first, turned upright."""
        ...

    def read_light(self, path: str | Path) -> Any:
        """Return a picture as linear light, float32 `[H, W, 3]`, finite, top row first.

        Radiance (`.hdr`) goes on above 1, as do others that the provider may know; pictures in levels end at 1,
        the light of white.

        Raises:
            FormatError: no picture, damaged, too large, or with a number that is not finite.
        """
        ...

    def write_image(self, path: str | Path, image: Any, *, quality: int = 92) -> None:
        """Write a picture `uint8 [H, W, 3|4]`; `quality` (1 to 100) is for JPEG."""
        ...


@hookspec
def media() -> Sequence[Provider]:  # type: ignore[empty-body]
    """Readers and writers of films and pictures: see `Media`."""


HOOKS = (
    Hook(
        "media",
        "films and pictures in files",
        "kinetoscope_av.hooks:Media",
        "kinetoscope_av.hooks:MediaContract",
    ),
)
"""What the entry-point group `kinetoscope` finds: this plugin brings the hook `media`."""


def __getattr__(name: str) -> Any:
    # The contract needs hypothesis: it is imported when it is first named.
    if name != "MediaContract":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module("kinetoscope_av.contract").MediaContract
