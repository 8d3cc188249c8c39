"""The provider `processes`, and how `--executor` names one."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import BrokenExecutor

import pytest

from kinetoscope import Host
from kinetoscope.convert import open_executor
from kinetoscope.executors.processes import Processes
from kinetoscope_spec.errors import ConfigError, ProviderNotFound


@pytest.fixture
def host(shelf):
    with Host() as held:
        yield held


def test_without_a_name_it_is_processes_or_nothing(host):
    assert open_executor(host, None, 1) is None
    with open_executor(host, None, 2) as executor:
        assert executor.workers == 2
        assert executor.submit(math.sqrt, 4).result() == 2


def test_by_name(host):
    with open_executor(host, "processes", 1) as executor:
        assert executor.submit(os.getpid).result() != os.getpid()


def test_by_name_and_address(host, shelf):
    body = """
        from concurrent.futures import ThreadPoolExecutor
        class Here:
            def open(self, address="", *, workers=1):
                held = ThreadPoolExecutor(workers)
                held.workers, held.address = workers, address
                return held
        Thing.open = Here.open
    """
    shelf.provide("acme-farm", "executor", "farm", body=textwrap.dedent(body))
    with Host() as fresh, open_executor(fresh, "farm://tls://host:80/x", 3) as executor:
        assert (executor.address, executor.workers) == ("tls://host:80/x", 3)


@pytest.mark.parametrize(
    ("wanted", "error"),
    [("nosuch://x", ProviderNotFound), ("://x", ConfigError), ("processes://x", ConfigError)],
)
def test_what_is_none(host, wanted, error):
    with pytest.raises(error):
        open_executor(host, wanted, 2)


def test_fewer_than_one_worker():
    with pytest.raises(ConfigError, match="at least 1"):
        Processes().open(workers=0)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="sends SIGKILL")
def test_again_and_again_a_process_dies():
    with Processes().open(workers=1) as executor:
        for _ in range(3):
            pid = executor.submit(os.getpid).result()
            future = executor.submit(time.sleep, 60)
            os.kill(pid, signal.SIGKILL)
            assert isinstance(future.exception(timeout=60), BrokenExecutor)
    with pytest.raises(RuntimeError, match="shut"):
        executor.submit(os.getpid)  # broken last, and ended since: no process is started for it


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="sends SIGKILL")
def test_processes_end_with_the_one_that_is_killed():
    code = """
        import os, time
        from kinetoscope.executors.processes import Processes
        if __name__ == "__main__":
            executor = Processes().open(workers=1)
            executor.submit(time.sleep, 0)
            print(executor.submit(os.getpid).result(), flush=True)
            executor.submit(time.sleep, 600)
            time.sleep(600)
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        worker = int(process.stdout.readline())
        process.kill()
    end = time.monotonic() + 30
    while time.monotonic() < end and _runs(worker):
        time.sleep(0.05)
    assert not _runs(worker)


def _runs(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:  # one that has ended and that nobody has waited for is still listed
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
