"""What an executor on a cluster does that its contract does not say."""

from __future__ import annotations

import math
import operator
import time
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor, as_completed

import dask
import pytest
from distributed import Client, LocalCluster

from kinetoscope_dask.provider import DaskExecutors
from kinetoscope_spec import ConfigError, KinetoscopeError


@pytest.fixture
def executor(cluster):
    with DaskExecutors().open(cluster.scheduler_address) as held:
        yield held


def test_names_that_dask_takes_for_itself_reach_the_function(executor):
    given = {"key": 1, "workers": 2, "pure": True, "retries": 3, "priority": 4, "resources": {}, "fn": 5}
    assert executor.submit(dict, **given).result() == given


def test_equal_calls_are_called_each(executor):
    first, second = (executor.submit(time.time_ns).result() for _ in range(2))
    assert first != second


def test_arguments_come_as_they_are(executor):
    held = {"a": [1, (2, 3)], ("b",): None}
    assert executor.submit(operator.itemgetter(0), [held]).result() == held


def test_map_and_as_completed_are_the_standard_librarys(executor):
    assert list(executor.map(math.sqrt, [1, 4, 9])) == [1, 2, 3]
    futures = [executor.submit(math.sqrt, i) for i in range(20)]
    assert all(isinstance(future, Future) for future in futures)
    assert sorted(future.result() for future in as_completed(futures)) == [math.sqrt(i) for i in range(20)]


def test_threads_share_it(executor):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda i: executor.submit(math.factorial, i).result(), range(40)))
    assert found == [math.factorial(i) for i in range(40)]


def test_what_waits_can_be_cancelled(executor):
    futures = [executor.submit(time.sleep, 0.3) for _ in range(8)]
    assert futures[-1].cancel()
    assert futures[-1].cancelled()
    start = time.monotonic()
    executor.shutdown(cancel_futures=True)
    assert time.monotonic() - start < 5
    assert all(future.done() for future in futures)


def test_not_waiting_leaves_the_work_to_be_done(cluster):
    executor = DaskExecutors().open(cluster.scheduler_address)
    future = executor.submit(math.sqrt, 4)
    executor.shutdown(wait=False)
    assert future.result(timeout=30) == 2
    with pytest.raises(RuntimeError, match="shut down"):
        executor.submit(math.sqrt, 4)
    executor.shutdown()  # a second time is no error


def test_the_cluster_stays(cluster):
    with DaskExecutors().open(cluster.scheduler_address, workers=7) as executor:
        assert executor.workers == 2
    with Client(cluster, set_as_default=False) as client:
        assert len(client.nthreads()) == 2


def test_a_cluster_that_goes_breaks_the_calls_at_hand():
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "2s"}),
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster,
    ):
        executor = DaskExecutors().open(cluster.scheduler_address)
        future = executor.submit(time.sleep, 30)
        cluster.close()
        with pytest.raises(BrokenExecutor, match="gone"):
            future.result(timeout=30)
        with pytest.raises(BrokenExecutor, match="gone"):  # while the client looks for the scheduler
            executor.submit(math.sqrt, 4).result(timeout=30)
        while executor._client.status == "connecting":
            time.sleep(0.05)
        with pytest.raises(BrokenExecutor, match="gone"):
            executor.submit(math.sqrt, 4)
        executor.shutdown()


@pytest.mark.parametrize("address", ["", "host", "host:", "host:x", "a b:1", "host:123456", "http//h:80 "])
def test_what_is_no_address(address):
    with pytest.raises(ConfigError):
        DaskExecutors().open(address, workers=0)


def test_nobody_answers(monkeypatch):
    monkeypatch.setattr("kinetoscope_dask.provider.CONNECT_S", 1)
    with pytest.raises(KinetoscopeError, match=r"no Dask scheduler answers at 127\.0\.0\.1:9"):
        DaskExecutors().open("127.0.0.1:9")


def test_a_scheduler_without_workers(monkeypatch):
    monkeypatch.setattr("kinetoscope_dask.provider.CONNECT_S", 1)
    with (
        LocalCluster(n_workers=0, dashboard_address="127.0.0.1:0") as cluster,
        pytest.raises(KinetoscopeError, match="has no worker; start one with: dask worker"),
    ):
        DaskExecutors().open(cluster.scheduler_address)
