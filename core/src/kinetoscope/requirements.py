"""Whether what a provider `requires` is there, found out without importing it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from importlib.machinery import PathFinder

from kinetoscope.home import weights

__all__ = ["advice", "is_met", "unmet"]


def unmet(requires: Iterable[str]) -> list[str]:
    """Return those of `module:`, `env:`, `library:` and `weights:` requirements that are missing."""
    return [text for text in requires if not is_met(text)]


def is_met(requirement: str) -> bool:
    """Whether one requirement is there, of several with ` | ` between them any; of an unknown kind none is."""
    if " | " in requirement:
        return any(is_met(text) for text in requirement.split(" | "))
    kind, _, what = requirement.partition(":")
    check = {
        "module": _has_module,
        "env": _has_variable,
        "library": _has_library,
        "weights": _has_weights,
    }.get(kind)
    return check is not None and check(what)


def advice(requirement: str) -> str:
    """Return what to do about a missing requirement."""
    if " | " in requirement:
        return ", or ".join(advice(text) for text in requirement.split(" | "))
    kind, _, what = requirement.partition(":")
    if kind == "module":
        return f"pip install the distribution that brings the module {what}"
    if kind == "env":
        return f"set the environment variable {what}"
    if kind == "library":
        package = _PACKAGES.get(what)
        return f"sudo apt-get install {package}" if package else f"install the system library {what}"
    if kind == "weights":
        return f"put the file at {weights() / what}"
    return f"{requirement!r} is of no kind this host knows; a newer one may"


_PACKAGES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libOpenGL.so.0": "libopengl0",
    "libespeak-ng.so.1": "libespeak-ng1",
    "libsndfile.so.1": "libsndfile1",
}
"""Debian's package for a library."""


def _has_module(name: str) -> bool:
    """Find a module without importing it, nor (as `find_spec` would) the packages it is in."""
    if name in sys.modules:
        return True
    path = None
    prefix = ""
    for part in name.split("."):
        prefix = f"{prefix}.{part}" if prefix else part
        spec = PathFinder.find_spec(prefix, path)
        if spec is None:
            return prefix == name and name in sys.builtin_module_names
        path = spec.submodule_search_locations
    return True


def _has_variable(name: str) -> bool:
    return bool(os.environ.get(name))


def _has_library(name: str) -> bool:
    import ctypes

    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def _has_weights(name: str) -> bool:
    return (weights() / name).exists()
