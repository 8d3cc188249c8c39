"""The provider `raster`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kinetoscope_raster.session import RasterSession
from kinetoscope_spec.errors import ConfigError, nearest
from kinetoscope_spec.rendering import BUFFERS, check_names, check_size
from kinetoscope_spec.rendering import quality as _quality

__all__ = ["RasterRenderer"]


class RasterRenderer:
    """Draws scenes with a deferred pipeline on the processor's cores, without OpenGL."""

    def open(
        self,
        size: tuple[int, int],
        quality: str = "medium",
        *,
        passes: Mapping[str, bool] | None = None,
        buffers: Sequence[str] = (),
        **options: Any,
    ) -> RasterSession:
        """Open a session for pictures of `size` (width, height) pixels.

        Args:
            size: width and height, 1 to 16,384.
            quality: `draft`, `medium` or `high`.
            passes: single passes to switch on or off: `shadow`, `ground`, `ssao`,
                `transparent` (off: blended surfaces are dithered), `ghosts`, `bloom`, `tonemap` (its curve),
                `taa`, `fxaa`, `annotations`, `lod` (levels of detail where triangles outnumber pixels).
            buffers: what `Frame.buffers` is to hold: `depth`, `normal`, `albedo`, `material`,
                `motion`, `id`, `hdr`, `final`.
            options: none are known; an unknown one is an error.

        Raises:
            ConfigError: a size, preset, pass, buffer or option that does not exist.
        """
        if options:
            name = next(iter(options))
            why = ": it draws on the processor" if name == "device" else ""
            raise ConfigError(f"no option {name!r}{why}{nearest(name, ('quality', 'passes', 'buffers'))}")
        pixels = check_size(size)
        preset = _quality(quality, passes)
        check_names("buffers", buffers, BUFFERS)
        return RasterSession(pixels, preset, tuple(buffers))
