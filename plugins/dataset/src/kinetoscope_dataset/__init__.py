"""Motion of many files in one Zarr v3 dataset, and motion in `.npz` files.

from kinetoscope_dataset import Dataset

data = Dataset.open("walks.zarr")
data[3], data.find("walk*"), data.window(3, 120, 180)
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from kinetoscope_spec import Provider, Signature, hookimpl

if TYPE_CHECKING:
    from kinetoscope_dataset._clip import Clip
    from kinetoscope_dataset._dataset import Dataset

__all__ = ["Clip", "Dataset", "datasets", "importers"]

_HOMES = {"Clip": "_clip", "Dataset": "_dataset"}


def __getattr__(name: str) -> Any:
    # A host that lists providers imports this package; zarr and its kin are for those who use it.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


@hookimpl(specname="dataset")
def datasets() -> Sequence[Provider]:
    """Offer the provider `zarr`."""
    return [
        Provider(
            "zarr",
            "Zarr v3 groups in folders and object stores",
            load="kinetoscope_dataset.provider:ZarrDatasets",
            contract="kinetoscope_dataset.contract:DatasetContract",
        )
    ]


@hookimpl(specname="importer")
def importers() -> Sequence[Provider]:
    """Offer the provider `npz`."""
    return [
        Provider(
            "npz",
            "motion as NumPy arrays in a .npz archive, read and written",
            load="kinetoscope_dataset.npz:NpzImporter",
            reads=("motion-npz",),
            writes=("npz",),
            contract="kinetoscope_dataset.npz_contract:NpzContract",
            signatures=(
                Signature(
                    "motion-npz",  # other archives of arrays are not ours to read
                    mime="application/x-npz",
                    group="animation",
                    extensions=("npz",),
                    magic=b"PK\x03\x04",
                    rule="kinetoscope_dataset.npz_signature:is_npz",
                ),
            ),
        )
    ]
