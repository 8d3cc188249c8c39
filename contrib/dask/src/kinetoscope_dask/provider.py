"""The provider `dask` of the hook `executor`."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

from kinetoscope_spec import ConfigError, KinetoscopeError

if TYPE_CHECKING:
    from kinetoscope_dask._executor import DaskExecutor

__all__ = ["DaskExecutors"]

CONNECT_S = 10
"""Seconds in which a scheduler has to answer, and a first worker to be there."""

_ADDRESS = re.compile(r"(?:[a-z]+://)?[^\s/\0]+:\d{1,5}")


class DaskExecutors:
    """Opens executors whose calls run on the workers of a Dask cluster.

    Files are named, not sent: workers must see them under the same absolute paths, and have the same
    plugins installed.
    """

    def open(self, address: str = "", *, workers: int = 1) -> DaskExecutor:
        """Return an executor on the cluster whose scheduler is at `address`, such as `host:8786`.

        Without an address it is a cluster of `workers` processes on this machine, which ends with
        the executor. With one, the cluster stays, and `workers` has no say.

        Raises:
            ConfigError: what stands there is no address; fewer than one worker.
            KinetoscopeError: no scheduler answers there, or it has no worker.
        """
        from kinetoscope_dask._executor import DaskExecutor

        if address:
            return DaskExecutor(_connected(address))
        if workers < 1:
            raise ConfigError(f"workers is {workers}, expected at least 1")
        from distributed import Client, LocalCluster

        cluster = LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=workers,
            threads_per_worker=1,  # reading files holds the interpreter's lock
            processes=True,
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        )
        try:
            client = Client(cluster, set_as_default=False)  # type: ignore[no-untyped-call]
        except BaseException:
            cluster.close()
            raise
        return DaskExecutor(client, cluster)


def _connected(address: str) -> Any:
    from distributed import Client

    if not _ADDRESS.fullmatch(address):
        raise ConfigError(
            f"executor 'dask' has no address {address!r}, expected host:port, such as host:8786"
        )
    try:
        client: Any = Client(address, timeout=CONNECT_S, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise KinetoscopeError(f"no Dask scheduler answers at {address}: {error}") from error
    try:
        client.wait_for_workers(1, timeout=CONNECT_S)
    except TimeoutError as error:
        client.close()
        raise KinetoscopeError(
            f"the Dask scheduler at {address} has no worker; start one with: dask worker {address}"
        ) from error
    return client
