"""What proves the importer `usd`: the contract of its hook, told what a USD file can hold."""

from __future__ import annotations

from hypothesis import strategies as st

from kinetoscope_spec import Asset, Skeleton
from kinetoscope_spec.contracts import ImporterContract, Sample, strategies
from kinetoscope_spec.motion import rest_motion
from kinetoscope_usd._samples import ARM
from kinetoscope_usd.importer import UsdImporter

__all__ = ["UsdContract"]


class UsdContract(ImporterContract):
    """USD holds any skeleton with any motion; animation is float32, and its rest pose is a matrix."""

    provider = UsdImporter
    name = "usd"
    suffix = ".usda"
    samples = (Sample(ARM, {"a": (0, 1.4, 0), "b": (0, 1.7, 0), "c": (0, 1.9, 0)}),)
    keeps_rest = True

    def assets(self) -> st.SearchStrategy[Asset]:
        """Return assets whose rest pose is told by a matrix: two mirrorings would be one half turn."""
        return strategies.assets(strategies.motions(strategies.skeletons(rest_scales=False)))

    def _small_files(self) -> st.SearchStrategy[Sample]:
        # One file to cut: each of its hundreds of pieces costs a process.
        return st.just(self.samples[0] if self.samples else self._encode(_still()))


def _still() -> Asset:
    skeleton = Skeleton(("hips", "head"), [-1, 0], [[0.0, 1.0, 0.0], [0.0, 0.6, 0.0]])
    return Asset("still", skeleton, (rest_motion(skeleton, 2),))
