"""Hypothesis strategies for every value type: valid values, the awkward among them.

Whole numbers and choices are drawn by hypothesis, so that examples shrink to one joint, one frame
and a rest pose; the bulk of coordinates comes from a drawn seed.
"""

from kinetoscope_spec.contracts.strategies._motion import (
    assets,
    motions,
    quaternions,
    skeletons,
)
from kinetoscope_spec.contracts.strategies._text import file_bytes, names

__all__ = ["assets", "file_bytes", "motions", "names", "quaternions", "skeletons"]
