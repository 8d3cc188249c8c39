"""What proves the importer `npz`: the contract of its hook, told what an archive can hold."""

from __future__ import annotations

from hypothesis import strategies as st

from kinetoscope_dataset.npz import NpzImporter
from kinetoscope_spec import Asset
from kinetoscope_spec.contracts import ImporterContract, strategies

__all__ = ["NpzContract"]


class NpzContract(ImporterContract):
    """Numbers are kept as they are, the rest pose too; NumPy's text loses NULs at its end."""

    provider = NpzImporter
    name = "npz"
    suffix = ".npz"
    precision_m = 1e-7
    precision_rad = 1e-6
    keeps_rest = True

    def assets(self) -> st.SearchStrategy[Asset]:
        """Return assets whose names NumPy keeps."""
        return strategies.assets().filter(
            lambda asset: (
                not any(name.endswith("\0") for name in (*asset.skeleton.names, asset.motions[0].name))
            )
        )
