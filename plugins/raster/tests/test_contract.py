"""The laws of renderers, without the costly passes and with all of them."""

from kinetoscope_raster.renderer import RasterRenderer
from kinetoscope_spec.contracts import DeferredContract


class TestDraft(DeferredContract):
    provider = RasterRenderer
    name = "raster, draft"


class TestHigh(DeferredContract):
    provider = RasterRenderer
    name = "raster, high"
    quality = "high"
    size = (47, 31)
