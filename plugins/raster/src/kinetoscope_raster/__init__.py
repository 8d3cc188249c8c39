"""The software renderer: a deferred pipeline in Numba that needs neither OpenGL nor a driver.

Importing this package costs nothing; `kinetoscope_raster.renderer` brings NumPy, and the first
picture brings Numba.
"""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["providers"]


@hookimpl(specname="renderer")
def providers() -> Sequence[Provider]:
    """Offer the software renderer under the name `raster`."""
    return [
        Provider(
            "raster",
            "Deferred renderer on the processor alone (Numba, no OpenGL)",
            contract="kinetoscope_spec.contracts.gbuffer:DeferredContract",
            load="kinetoscope_raster.renderer:RasterRenderer",
            devices=("cpu",),
            requires=("module:numba",),
        )
    ]
