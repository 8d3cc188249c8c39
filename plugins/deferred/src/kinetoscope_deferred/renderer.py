"""The provider `deferred`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kinetoscope_deferred.context import open_context
from kinetoscope_deferred.quality import BUFFERS, check_names, quality
from kinetoscope_deferred.session import DeferredSession
from kinetoscope_spec.errors import ConfigError, nearest

__all__ = ["DeferredRenderer"]

_LARGEST = 16384


class DeferredRenderer:
    """Draws scenes with a deferred pipeline on OpenGL 3.3 core, without a display."""

    def open(
        self,
        size: tuple[int, int],
        quality: str = "medium",
        *,
        passes: Mapping[str, bool] | None = None,
        buffers: Sequence[str] = (),
        **options: Any,
    ) -> DeferredSession:
        """Open a session for pictures of `size` (width, height) pixels.

        Args:
            size: width and height, 1 to 16,384.
            quality: `draft`, `medium` or `high`.
            passes: single passes to switch on or off: `shadow`, `ground`, `ssao`,
                `transparent` (off: blended surfaces are dithered), `bloom`, `tonemap` (its curve), `fxaa`,
                `annotations`.
            buffers: what `Frame.buffers` is to hold: `depth`, `normal`, `albedo`, `material`,
                `motion`, `id`, `hdr`, `final`. Each is read back, which costs time.
            options: none are known; an unknown one is an error.

        Raises:
            ConfigError: a size, preset, pass, buffer or option that does not exist.
            ProviderUnavailable: no driver; names the packages to install.
        """
        if options:
            name = next(iter(options))
            raise ConfigError(f"no option {name!r}{nearest(name, ('quality', 'passes', 'buffers'))}")
        width, height = _size(size)
        preset = _quality(quality, passes)
        check_names("buffers", buffers, BUFFERS)
        return DeferredSession(open_context(), (width, height), preset, buffers)


_quality = quality


def _size(size: tuple[int, int]) -> tuple[int, int]:
    try:
        width, height = (int(n) for n in size)
    except (TypeError, ValueError):
        width = height = 0
    if not (1 <= width <= _LARGEST and 1 <= height <= _LARGEST):
        raise ConfigError(f"size is {size!r}, expected width and height from 1 to {_LARGEST} pixels")
    return width, height
