"""What proves the importer `asf`: the contract of its hook, and a figure written by hand."""

from __future__ import annotations

from types import MappingProxyType

from kinetoscope_asf.importer import AsfImporter
from kinetoscope_spec.contracts import ImporterContract, Sample

__all__ = ["AMC", "ASF", "AsfContract"]

ASF = b"""# An arm: its bones lie along X, the axes of the lower one are turned by a quarter about Z
:version 1.10
:name arm
:units
  mass 1.0
  length 0.5
  angle deg
:root
  order TX TY TZ RX RY RZ
  axis XYZ
  position 0 0 0
  orientation 0 0 0
:bonedata
  begin
    id 1
    name upper
    direction 1 0 0
    length 6
    axis 0 0 0 XYZ
    dof rx ry rz
    limits (-90 90)
           (-90 90)
           (-90 90)
  end
  begin
    id 2
    name lower
    direction 1 0 0
    length 4
    axis 0 0 90 XYZ
    dof rx
  end
:hierarchy
  begin
    root upper
    upper lower
  end
"""

AMC = b"""#!OML:ASF C:\\arms\\clip.asf
:FULLY-SPECIFIED
:DEGREES
1
root 0 28 2 0 0 0
upper 0 0 90
lower 90
2
root 0 28 2 0 0 90
upper 0 90 0
lower 0
"""

_U = 0.0254 / 0.5


class AsfContract(ImporterContract):
    """An Acclaim motion is two files; neither states a framerate nor what its unit is."""

    provider = AsfImporter
    name = "asf"
    suffix = ".amc"
    samples = (
        Sample(
            AMC,
            {
                "root": (0, 28 * _U, 2 * _U),
                "upper": (0, 28 * _U, 2 * _U),
                "lower": (0, 34 * _U, 2 * _U),
                "lower_end": (0, 34 * _U, -2 * _U),
            },
            files={"clip.asf": ASF},
        ),
        Sample(ASF, {"root": (0, 0, 0), "lower": (6 * _U, 0, 0)}, suffix=".asf"),
    )
    read_options = MappingProxyType({"end_sites": True})
