"""What proves the importer `bvh`: the contract of its hook, told what a BVH file can hold."""

from __future__ import annotations

from types import MappingProxyType

from hypothesis import strategies as st

from kinetoscope_bvh.importer import BvhImporter
from kinetoscope_spec import Asset
from kinetoscope_spec.contracts import ImporterContract, Sample, strategies

__all__ = ["BvhContract"]

ARM = b"""HIERARCHY
ROOT Shoulder
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Elbow
  {
    OFFSET 30 0 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    JOINT Wrist
    {
      OFFSET 20 0 0
      CHANNELS 3 Zrotation Xrotation Yrotation
      End Site
      {
        OFFSET 5 0 0
      }
    }
  }
}
MOTION
Frames: 1
Frame Time: 0.0333333
0 140 10 90 0 0 0 0 90 0 0 0
"""
"""An arm in centimetres: raised by a quarter turn about Z, the elbow turned by one about Y."""


_ARM = Sample(ARM, {"Shoulder": (0, 1.4, 0.1), "Elbow": (0, 1.7, 0.1), "Wrist": (0, 1.7, -0.1)})


class BvhContract(ImporterContract):
    """BVH has one root, names without white space, and a zero pose without rotations."""

    provider = BvhImporter
    name = "bvh"
    suffix = ".bvh"
    samples = (_ARM,)
    read_options = MappingProxyType({"unit": 0.01})

    def assets(self) -> st.SearchStrategy[Asset]:
        """Return assets of one root."""
        names = strategies.names(exclude="{} ")
        skeletons = strategies.skeletons(roots=1, names=names, rest_rotations=False, rest_scales=False)
        return strategies.assets(strategies.motions(skeletons))
