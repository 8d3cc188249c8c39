"""The provider `deferred`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kinetoscope_deferred.context import open_context
from kinetoscope_deferred.graph import arrange, check_inputs, with_guests
from kinetoscope_deferred.quality import PASSES, quality
from kinetoscope_deferred.render_pass import RenderPass
from kinetoscope_deferred.session import DeferredSession, frame_graph
from kinetoscope_spec import Services
from kinetoscope_spec.errors import ConfigError, KinetoscopeError, ProviderNotFound, nearest
from kinetoscope_spec.rendering import BUFFERS, check_names, check_size

__all__ = ["DeferredRenderer"]


class DeferredRenderer:
    """Draws scenes with a deferred pipeline on OpenGL 3.3 core, without a display.

    `services` is asked for passes of others, the providers of the hook `render_pass`.
    """

    def __init__(self, services: Services | None = None) -> None:
        self._services = services

    def open(
        self,
        size: tuple[int, int],
        quality: str = "medium",
        *,
        passes: Mapping[str, bool] | None = None,
        add: Sequence[RenderPass] = (),
        device: str | None = None,
        buffers: Sequence[str] = (),
        **options: Any,
    ) -> DeferredSession:
        """Open a session for pictures of `size` (width, height) pixels.

        Args:
            size: width and height, 1 to 16,384.
            quality: `draft`, `medium` or `high`.
            passes: single passes to switch on or off: `shadow`, `ground`, `ssao`,
                `transparent` (off: blended surfaces are dithered), `ghosts`, `bloom`, `tonemap` (its curve),
                `taa`, `fxaa`, `annotations`, `lod` (coarser meshes where triangles outnumber
                pixels); of others, providers of the hook `render_pass`, those that are switched on here.
            add: passes of others that are no providers; they are on.
            device: what draws: `gpu`, `cpu`, `osmesa`, `egl:N`; the best there is if None, see `open_context`.
            buffers: what `Frame.buffers` is to hold: `depth`, `normal`, `albedo`, `material`,
                `motion`, `id`, `hdr`, `final`. Each is read back, which costs time.
            options: none are known; an unknown one is an error.

        Raises:
            ConfigError: a size, preset, pass, buffer or option that does not exist, or a pass of
                somebody else's that fits nowhere.
            ProviderUnavailable: no driver; names the packages to install.
        """
        if options:
            name = next(iter(options))
            raise ConfigError(f"no option {name!r}{nearest(name, ('quality', 'passes', 'buffers'))}")
        pixels = check_size(size)
        switches = dict(passes or {})
        own = {name: on for name, on in switches.items() if name in PASSES}
        guests = [*self._guests(switches), *add]
        preset = with_guests(_quality(quality, own), guests)
        check_names("buffers", buffers, BUFFERS)
        # What fits nowhere is said before a driver is started.
        check_inputs(arrange(frame_graph(), guests), preset)
        opened = open_context(device)
        return DeferredSession(opened.context, pixels, preset, buffers, guests, why=opened.why)

    def _guests(self, switches: Mapping[str, bool]) -> list[RenderPass]:
        """Return the providers of `render_pass` that are switched on, in the order of their names.

        What is switched off must be known, too: a typo would draw what it was to leave out.
        """
        found = []
        for name in sorted(set(switches) - set(PASSES)):
            if self._services is None:
                check_names("passes", [name], PASSES)
                continue
            try:
                guest = self._services.provider("render_pass", name)
            except ProviderNotFound as error:
                raise ConfigError(
                    f"passes names {name!r}, expected some of {', '.join(PASSES)} or a provider of the "
                    f"hook render_pass{nearest(name, PASSES)} ({error})"
                ) from error
            except KinetoscopeError:
                if switches[name]:
                    raise
                continue  # what can't be had is off anyway
            if switches[name]:
                found.append(guest)
        return found


_quality = quality
