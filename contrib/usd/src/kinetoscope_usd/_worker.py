"""The process that reads files: see `_sandbox`. One JSON line in, one exit status out, the rest in a file."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

__all__ = ["OUT_OF_MEMORY", "main"]

IDLE_S = 60.0
"""After so long without a file the process ends; the next file starts another."""

OUT_OF_MEMORY = 2
"""The exit status that says so."""

NEXT_TO_NOTHING = 1 << 16
"""Bytes: less than the library asks for at a time."""

_UNFOLDS = "the file unfolds to more data than a file of this size may"

_CAN_FORK = hasattr(os, "fork")


def main() -> None:
    """Serve requests until standard input ends."""
    requests, answers = _channels()
    _warm()
    while True:
        if _CAN_FORK and not select.select([requests], [], [], IDLE_S)[0]:
            return
        line = requests.readline()
        if not line:
            return
        request = json.loads(line)
        status = _forked(request) if _CAN_FORK else _handle(request)
        with contextlib.suppress(BrokenPipeError):
            answers.write(b"%d\n" % status)
            answers.flush()
        if not _CAN_FORK:
            return


def _channels() -> tuple[BinaryIO, BinaryIO]:
    """Keep the pipes to ourselves: the library writes notices to standard output."""
    requests, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    return os.fdopen(requests, "rb", buffering=0), os.fdopen(answers, "wb")


def _warm() -> None:
    """Import everything and let the library fill its registries, once for all forks, by reading a file."""
    os.environ["PXR_WORK_THREAD_LIMIT"] = "1"  # a process with threads must not fork
    os.environ.pop("PXR_AR_DEFAULT_SEARCH_PATH", None)  # assets lie beside their file, nowhere else
    from PIL import Image

    from kinetoscope_usd._read import read
    from kinetoscope_usd._samples import ARM

    Image.init()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "warm.usda"
        path.write_bytes(ARM)
        read(path, kind="usda", framerate=None)
    gc.collect()
    gc.disable()  # a collection would touch, and so copy, every page in each fork
    gc.freeze()


def _forked(request: Mapping[str, Any]) -> int:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            _bound(request["seconds"], request["memory"])
            status = _handle(request)
        except MemoryError:
            status = OUT_OF_MEMORY
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _bound(seconds: float, memory: int) -> None:
    """Bound processor time, address space and what may be written; no core dumps."""
    import resource

    used = _address_space()
    whole = int(seconds) + 1
    limits = {"RLIMIT_CPU": whole, "RLIMIT_FSIZE": memory, "RLIMIT_CORE": 0}
    if used and sys.platform == "linux":
        limits["RLIMIT_AS"] = used + memory
    signal.alarm(3 * whole)  # who waits takes no processor time: a pipe in place of a texture
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Python ignores it, and raises an OSError
    for name, limit in limits.items():
        with contextlib.suppress(ValueError, OSError):
            kind = getattr(resource, name)
            # The soft limit: it grows when the layers beside the file are known.
            resource.setrlimit(kind, (limit, resource.getrlimit(kind)[1]))


def _address_space() -> int:
    """Return the bytes of address space that this process has, 0 where nobody says."""
    import resource

    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def _is_full(wanted: int) -> bool:
    """Whether less than `wanted` bytes are left of the address space that `_bound` allows, or next to nothing."""
    if sys.platform != "linux":
        return False
    import resource

    allowed, used = resource.getrlimit(resource.RLIMIT_AS)[0], _address_space()
    return allowed != resource.RLIM_INFINITY and used > 0 and allowed - used < max(wanted, NEXT_TO_NOTHING)


def _handle(request: Mapping[str, Any]) -> int:
    from kinetoscope_spec import KinetoscopeError
    from kinetoscope_usd._read import Refused, read
    from kinetoscope_usd._wire import encode

    result: dict[str, object]
    try:
        result = {"asset": read(Path(request["path"]), **request["options"])}
    except Refused as error:
        # Out of memory the library says that it can't read, which would send somebody to look at the file.
        said = _UNFOLDS if _is_full(os.path.getsize(request["path"])) else str(error)
        result = {"error": said, "expected": error.expected, "line": error.line}
    except KinetoscopeError as error:  # a value type would not hold what the file says
        result = {"error": str(error), "expected": None, "line": None}
    except MemoryError:
        result = {
            "error": _UNFOLDS,
            "expected": None,
            "line": None,
        }
    except Exception as error:  # noqa: BLE001 - whatever the library raises about these bytes is the file's fault
        result = {
            "error": f"it can't be read: {type(error).__name__}: {error}"[:500],
            "expected": None,
            "line": None,
        }
    with open(request["out"], "wb") as file:
        encode(result, file)
    return 0


if __name__ == "__main__":
    main()
