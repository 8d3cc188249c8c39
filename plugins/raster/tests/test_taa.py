"""The laws of anti-aliasing over time."""

from kinetoscope_raster.renderer import RasterRenderer
from kinetoscope_spec.contracts import TemporalContract


class TestTaa(TemporalContract):
    provider = RasterRenderer
    name = "raster, taa"
