"""Compiling kernels: kept below `KINETOSCOPE_HOME`, and said while it lasts.

Numba would keep them beside the package, which may not be ours to write to, or where an environment
variable says, which is the process's and not ours to set. It knows a kernel again by its own file;
ours call each other across files, so they are known again by all of this package's.
"""

# Numba has no types.
# mypy: disable-error-code="no-untyped-call, assignment, misc, attr-defined"

from __future__ import annotations

import functools
import hashlib
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import platformdirs
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator

__all__ = ["NIMBLE", "cache_folder", "kernel"]

NIMBLE = {"nsz", "arcp", "contract", "afn"}
"""Liberties that change the last bits: reciprocals for divisions, fused products. Infinities stay what they are."""

_LOG = logging.getLogger("kinetoscope.raster")
_LOG.addHandler(logging.NullHandler())  # nothing is printed unless the application sets logging up

_declared: list[str] = []
_compiled: list[str] = []
"""Names of the kernels of this process, for the note on how far compiling is."""


def cache_folder() -> Path:
    """Return where kernels are kept: `cache/raster` below `KINETOSCOPE_HOME`, or the user's folder.

    `NUMBA_CACHE_DIR`, where the user has set it, goes before both.
    """
    if numba.config.CACHE_DIR:
        return Path(numba.config.CACHE_DIR) / "kinetoscope-raster"
    home = os.environ.get("KINETOSCOPE_HOME")
    base = (
        Path(home).expanduser() if home else Path(platformdirs.user_data_dir("kinetoscope", appauthor=False))
    )
    return base / "cache" / "raster"


@functools.cache
def _stamp() -> str:
    """Return a hash of this package's sources."""
    total = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        total.update(path.read_bytes())
    return total.hexdigest()


class _HomeLocator(_CacheLocator):
    """Tells Numba where a kernel is kept, and by what it is known again."""

    def __init__(self, py_func: Any) -> None:
        self._line = py_func.__code__.co_firstlineno
        # One folder for each state of the sources: several versions may share a home.
        self._folder = cache_folder() / _stamp()[:16]

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> _HomeLocator | None:
        """Return a locator, or None where nothing can be written."""
        locator = cls(py_func)
        try:
            locator.ensure_cache_path()
        except OSError:
            return None
        return locator

    def get_cache_path(self) -> str:
        return str(self._folder)

    def get_source_stamp(self) -> str:
        return _stamp()

    def get_disambiguator(self) -> str:
        return str(self._line)


class _HomeCacheImpl(CompileResultCacheImpl):
    _locator_classes = (_HomeLocator,)


class _HomeCache(FunctionCache):
    """Numba's cache of one kernel, which says what it does not hold."""

    _impl_class = _HomeCacheImpl

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        found = super().load_overload(sig, target_context)
        if found is None:
            _compiled.append(self._py_func.__name__)
            _LOG.info(
                "compiling %s, kernel %d of %d (once; kept in %s)",
                _compiled[-1],
                len(_compiled),
                len(_declared),
                self.cache_path,
            )
        return found


def kernel(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Compile a function with Numba on its first call, unless it is kept already.

    Where nothing can be written, it is compiled anew in each process.
    """

    def declare(function: Callable[..., Any]) -> Any:
        compiled = numba.njit(error_model="numpy", **options)(function)
        _declared.append(function.__name__)
        try:
            compiled._cache = _HomeCache(function)
        except RuntimeError as error:  # Numba's word for "no locator"
            _LOG.info("kernels are not kept: %s can't be written (%s)", cache_folder(), error)
        return compiled

    return declare
