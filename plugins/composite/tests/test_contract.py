"""The contract of compositors over our own."""

from __future__ import annotations

from kinetoscope_composite.compositor import PlateCompositor
from kinetoscope_composite.hooks import CompositorContract


class TestPlate(CompositorContract):
    provider = PlateCompositor()
