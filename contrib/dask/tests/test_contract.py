"""The provider `dask` keeps the contract of the hook `executor`."""

from __future__ import annotations

import pytest

from kinetoscope.executors.hooks import ExecutorContract
from kinetoscope_dask.provider import DaskExecutors


class TestDask(ExecutorContract):
    provider = DaskExecutors()
    name = "dask"

    @pytest.fixture(autouse=True)
    def _address(self, cluster):
        type(self).address = cluster.scheduler_address
