"""What proves the importer `acme-thing`: the laws of its hook, and what its files can hold."""

from __future__ import annotations

from typing import Final

from acme_thing.provider import AcmeThingImporter
from kinetoscope_spec.contracts import ImporterContract, Sample

__all__ = ["AcmeThingContract"]

ARM: Final = b"""acme-thing v1
joint -1 0 0 0 0 0 0 1 1 1 1 "shoulder"
joint 0 0.3 0 0 0 0 0 1 1 1 1 "elbow"
clip 30 0 "raise"
frame 0 1.4 0 0 0 0 1 0.3 0 0 0 0 0 1
frame 0 1.4 0 0 0 1 0 0.3 0 0 0 0 0 1
end
"""
"""An arm of one bone, 0.3 m long, that points along X and half a second later the other way."""


class AcmeThingContract(ImporterContract):
    """The format holds everything exactly, the rest pose included."""

    provider = AcmeThingImporter
    name = "acme-thing"
    suffix = ".acme-thing"
    samples = (Sample(ARM, {"shoulder": (0, 1.4, 0), "elbow": (0.3, 1.4, 0)}),)
    precision_m = 1e-12
    precision_rad = 1e-7
    keeps_rest = True
