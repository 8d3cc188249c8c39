"""The provider `plate`."""

from __future__ import annotations

from collections.abc import Iterable

from kinetoscope_composite.layer import Layer
from kinetoscope_composite.protocol import CameraSolve
from kinetoscope_spec import Mask, Progress, Video

__all__ = ["PlateCompositor"]


class PlateCompositor:
    """Solves cameras that turn, and composites in linear light."""

    def solve(
        self,
        plate: Video,
        *,
        mask: Mask | None = None,
        field_of_view: float | None = None,
        progress: Progress | None = None,
    ) -> CameraSolve:
        """Find how the plate's camera turned; see `Compositor.solve`."""
        from kinetoscope_composite.solving import solve

        return solve(plate, mask=mask, field_of_view=field_of_view, progress=progress)

    def composite(
        self,
        plate: Video,
        layers: Iterable[Layer],
        *,
        tint: float = 0.5,
        grain: bool = True,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Video:
        """Return the plate with a layer over each frame; see `Compositor.composite`."""
        from kinetoscope_composite.over import composite

        return composite(plate, layers, tint=tint, grain=grain, seed=seed, progress=progress)
