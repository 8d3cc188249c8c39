"""Runs the reading of one file in a process that may die of it.

OpenUSD is C++: bytes made to break it can take down the process that parses them. So files are
parsed by a helper that imports the library once, forks for every file, and bounds what the fork may
take: processor time, address space, the size of what it hands back. It writes no other file.
Where there is no fork (Windows) a new helper is started for each file, without those bounds.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from kinetoscope_spec import FormatError, ProviderUnavailable
from kinetoscope_usd._worker import OUT_OF_MEMORY

__all__ = ["Sandbox"]

_START = "import sys; sys.path[:] = {path!r}; from kinetoscope_usd._worker import main; main()"


class Sandbox:
    """A helper process; one for all importers of this process, started when first asked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._inherited: list[subprocess.Popen[bytes]] = []
        atexit.register(self.close)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def run(self, path: Path, options: dict[str, Any], seconds: float, memory: int) -> bytes:
        """Return what the helper made of the file at `path`.

        Raises:
            FormatError: reading it crashed, or took more than it may.
            ProviderUnavailable: the helper can't be started.
        """
        handle, name = tempfile.mkstemp(prefix="kinetoscope-usd-")
        os.close(handle)
        try:
            request = {
                "path": str(path),
                "out": name,
                "seconds": seconds,
                "memory": memory,
                "options": options,
            }
            with self._lock:
                status = self._ask(json.dumps(request).encode() + b"\n")
            if status != 0:
                raise FormatError(_ended(status), path=path, expected="a file that OpenUSD can read")
            return Path(name).read_bytes()
        finally:
            os.unlink(name)

    def _ask(self, request: bytes) -> int:
        for attempt in range(2):
            process = self._running()
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                process.stdin.write(request)
                process.stdin.flush()
                answer = process.stdout.readline()
            except OSError:
                answer = b""
            except BaseException:
                # Interrupted while waiting: the answer that is still to come must not meet the next question.
                process.kill()
                self.close()
                raise
            if answer:
                return int(answer)
            self.close()  # it had gone to rest, or died: once more with a new one
            if attempt and process.returncode not in (0, None):
                return process.returncode or 1
        raise ProviderUnavailable(f"the process that reads USD files does not start: {sys.executable}")

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            code = _START.format(path=[str(entry) or os.getcwd() for entry in sys.path])
            self._process = subprocess.Popen(
                [sys.executable, "-c", code],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        return self._process

    def _forget(self) -> None:
        """Leave the helper to the process that this one was forked from."""
        if self._process is not None:
            self._inherited.append(self._process)  # dropping it would warn of a child that is none of ours
        self._lock, self._process = threading.Lock(), None

    def close(self) -> None:
        """End the helper, if it runs."""
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except OSError:
                continue
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _ended(status: int) -> str:
    import signal

    if status == OUT_OF_MEMORY:
        return "the file unfolds to more data than a file of this size may"
    if status > 0:
        return "OpenUSD ends the process that reads this file"
    name = signal.Signals(-status).name if -status in {int(s) for s in signal.Signals} else str(-status)
    if name in ("SIGXCPU", "SIGKILL", "SIGALRM"):
        return "reading takes longer than a file of this size may"
    if name == "SIGXFSZ":
        return "the file unfolds to more data than a file of this size may"
    return f"OpenUSD crashes on this file ({name})"
