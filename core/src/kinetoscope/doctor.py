"""What a machine has of what plugins need: drivers, libraries, weights, keys."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from kinetoscope.home import home, weights
from kinetoscope.requirements import advice, is_met

if TYPE_CHECKING:
    from kinetoscope.host import Host
    from kinetoscope.infos import ProviderInfo

__all__ = ["Check", "examine"]

PROBE_SECONDS = 30
PYTHONS = ((3, 11), (3, 13))


@attrs.frozen
class Check:
    """One thing that was looked for; `advice` says what to do where it is not `ok`."""

    name: str
    ok: bool
    found: str
    advice: str = ""


def examine(host: Host) -> list[Check]:
    """Look for everything that the core and the providers of `host` need."""
    return [
        _python(),
        _home(),
        _weights(),
        *_libraries(),
        _driver(),
        *_plugins(host),
    ]


def _python() -> Check:
    found = f"{platform.python_implementation()} {platform.python_version()} at {sys.executable}"
    ok = PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]
    todo = f"use Python {'.'.join(map(str, PYTHONS[0]))} to {'.'.join(map(str, PYTHONS[1]))}"
    return Check("python", ok, found, "" if ok else todo)


def _home() -> Check:
    folder = home()
    place = next(part for part in (folder, *folder.parents) if part.exists())
    ok = os.access(place, os.W_OK)
    todo = "set KINETOSCOPE_HOME to a folder that can be written; without one nothing is cached"
    return Check("home", ok, str(folder), "" if ok else todo)


def _weights() -> Check:
    folder = weights()
    files = sum(1 for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0
    # No weights are wrong in themselves: the providers that need some are listed one by one below.
    return Check("weights", True, f"{files} files in {folder}")


def _libraries() -> Iterator[Check]:
    if not sys.platform.startswith("linux"):
        return
    for name in ("libEGL.so.1", "libGL.so.1"):
        ok = is_met(f"library:{name}")
        yield Check(name, ok, "found" if ok else "not found", "" if ok else advice(f"library:{name}"))


def _driver() -> Check:
    """Make an OpenGL context in a process of its own: a driver that crashes takes only that down."""
    todo = "install a driver: sudo apt-get install libegl1 libgl1 libgl1-mesa-dri (Mesa draws without a GPU)"
    if not sys.platform.startswith("linux"):
        return Check("opengl", True, "not examined: the system brings its own")
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "kinetoscope._egl"],
            capture_output=True,
            timeout=PROBE_SECONDS,
            check=False,
        )
        told = json.loads(ran.stdout)
    except subprocess.TimeoutExpired:
        return Check("opengl", False, f"the driver did not answer in {PROBE_SECONDS} s", todo)
    except ValueError:
        return Check("opengl", False, f"the driver ended the process with status {ran.returncode}", todo)
    return Check("opengl", told["ok"], told["found"], "" if told["ok"] else todo)


def _plugins(host: Host) -> Iterator[Check]:
    for info in host.providers():
        yield from _provider(info)
    for note in host.diagnostics():
        if note.state == "broken" and note.hook == "plugin":
            yield Check(f"plugin {note.plugin}", False, note.reason, _report(note.distribution))


def _provider(info: ProviderInfo) -> Iterator[Check]:
    name = f"{info.hook} {info.name}"
    if info.state == "broken":
        yield Check(
            name, False, f"{info.distribution} {info.version}: {info.reason}", _report(info.distribution)
        )
    elif info.state == "blocked":
        yield Check(name, True, info.reason)
    elif info.provider is None or not info.provider.requires:
        yield Check(name, True, f"{info.distribution} {info.version}")
    else:
        for need in info.provider.requires:
            ok = is_met(need)
            yield Check(f"{name}: {need}", ok, "found" if ok else "not found", "" if ok else advice(need))


def _report(distribution: str) -> str:
    return f"pip install --upgrade {distribution}; if that does not help, tell its authors, or block it"
