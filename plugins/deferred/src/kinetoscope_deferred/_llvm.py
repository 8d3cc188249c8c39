"""Two LLVMs in one process: Triton's, which PyTorch brings, and that of Mesa's software driver."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

__all__ = ["load_triton_first"]


def load_triton_first() -> None:
    """Load Triton's library, where it is installed, so that importing it later can't crash.

    Mesa opens its driver, and with it `libLLVM`, with `RTLD_GLOBAL`. A `libtriton` that is loaded
    afterwards takes the driver's LLVM functions for its own, which are of another version, and
    dies; loaded before, it keeps to its own. PyTorch imports Triton with the first optimiser.
    Costs a tenth of a second and imports nothing.
    """
    if "triton" in sys.modules or not sys.platform.startswith("linux"):
        return
    with suppress(ImportError, ValueError, OSError):  # no Triton, or one that can't be loaded anyway
        found = find_spec("triton")
        for folder in (found.submodule_search_locations or ()) if found else ():
            library = Path(folder, "_C", "libtriton.so")
            if library.is_file():
                ctypes.CDLL(str(library), os.RTLD_NOW | os.RTLD_LOCAL)
