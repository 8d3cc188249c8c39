"""Presets and passes, which renderers share: those of `kinetoscope_spec.rendering`."""

from kinetoscope_spec.rendering import PASSES, PRESETS, Quality, quality

__all__ = ["PASSES", "PRESETS", "Quality", "quality"]
