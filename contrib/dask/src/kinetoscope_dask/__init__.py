"""Work on a Dask cluster: `kinetoscope convert takes walks.zarr --executor dask://host:8786`."""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["executor"]


@hookimpl
def executor() -> Sequence[Provider]:
    """Offer the provider `dask`."""
    return [Provider("dask", "workers of a Dask cluster", load="kinetoscope_dask.provider:DaskExecutors")]
