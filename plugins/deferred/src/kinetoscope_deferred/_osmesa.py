"""OSMesa through ctypes: OpenGL into memory, without a display, a driver or EGL.

Mesa took OSMesa out in 25.1; `lavavu-osmesa` (LGPL-3, x86-64 Linux) bundles the one of 23.1 with what it
needs. Calls as in Mesa's `include/GL/osmesa.h`, version 11.2.
"""

from __future__ import annotations

import ctypes
import os
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any, Final

__all__ = ["WHEEL", "OsmesaContext", "OsmesaError", "find_library"]

WHEEL: Final = "lavavu-osmesa"
FORMAT, DEPTH_BITS, PROFILE, CORE_PROFILE = 0x22, 0x30, 0x33, 0x34
MAJOR_VERSION, MINOR_VERSION = 0x36, 0x37
RGBA, UNSIGNED_BYTE = 0x1908, 0x1401


class OsmesaError(Exception):
    """No library, or one that gives no context; the text says why."""


def find_library() -> Path:
    """Return the `libOSMesa` that the wheel brought.

    Raises:
        OsmesaError: the wheel is not installed, or holds no such library.
    """
    try:
        listed = files(WHEEL) or ()
    except PackageNotFoundError:
        raise OsmesaError(f"{WHEEL} is not installed") from None
    for file in listed:
        if file.name.startswith("libOSMesa"):
            return Path(str(file.locate()))
    raise OsmesaError(f"{WHEEL} holds no libOSMesa")


def _load(library: Path) -> ctypes.CDLL:
    """Load a library whose own needs lie beside it, as wheels have them, and are found by no search path.

    One that was loaded is known by its name to all that need it, so the order is found by trying.
    """
    waiting = sorted(path for path in library.parent.glob("*.so*") if path != library)
    while waiting:
        left = [path for path in waiting if not _loads(path)]
        if len(left) == len(waiting):
            break
        waiting = left
    try:
        return ctypes.CDLL(str(library), os.RTLD_NOW | os.RTLD_LOCAL)
    except OSError as error:
        raise OsmesaError(f"{library.name} can't be loaded: {error}") from error


def _loads(library: Path) -> bool:
    try:
        ctypes.CDLL(str(library), os.RTLD_NOW | os.RTLD_LOCAL)
    except OSError:
        return False
    return True


class OsmesaContext:
    """A context as moderngl takes one: it loads functions, is made current, and released once.

    What is drawn without a framebuffer goes into sixteen by sixteen pixels that nobody looks at.
    """

    def __init__(self, library: Path, version: tuple[int, int] = (3, 3)) -> None:
        self._mesa: Any = _load(library)
        try:
            self._declare()
        except AttributeError as error:
            raise OsmesaError(f"{library.name} is no OSMesa of 11.2 or newer: {error}") from error
        attributes = (ctypes.c_int * 11)(
            *(FORMAT, RGBA, DEPTH_BITS, 24, PROFILE, CORE_PROFILE),
            *(MAJOR_VERSION, version[0], MINOR_VERSION, version[1], 0),
        )
        self._context = self._mesa.OSMesaCreateContextAttribs(attributes, None)
        if not self._context:
            raise OsmesaError(f"{library.name} gives no OpenGL {version[0]}.{version[1]} core")
        self._pixels = (ctypes.c_ubyte * (16 * 16 * 4))()
        self.__enter__()

    def _declare(self) -> None:
        self._mesa.OSMesaCreateContextAttribs.restype = ctypes.c_void_p
        self._mesa.OSMesaCreateContextAttribs.argtypes = [ctypes.POINTER(ctypes.c_int), ctypes.c_void_p]
        self._mesa.OSMesaMakeCurrent.restype = ctypes.c_ubyte
        self._mesa.OSMesaMakeCurrent.argtypes = [
            ctypes.c_void_p,
            ctypes.c_void_p,
            ctypes.c_uint,
            ctypes.c_int,
            ctypes.c_int,
        ]
        self._mesa.OSMesaGetProcAddress.restype = ctypes.c_void_p
        self._mesa.OSMesaGetProcAddress.argtypes = [ctypes.c_char_p]
        self._mesa.OSMesaDestroyContext.argtypes = [ctypes.c_void_p]

    def load(self, name: str) -> int:
        """Return the address of an OpenGL function, 0 if there is none."""
        return int(self._mesa.OSMesaGetProcAddress(name.encode()) or 0)

    load_opengl_function = load

    def __enter__(self) -> OsmesaContext:
        if not self._mesa.OSMesaMakeCurrent(self._context, self._pixels, UNSIGNED_BYTE, 16, 16):
            raise OsmesaError("OSMesa's context can't be made current")
        return self

    def __exit__(self, *exc: object) -> None:
        self._mesa.OSMesaMakeCurrent(None, None, UNSIGNED_BYTE, 0, 0)

    def release(self) -> None:
        """Destroy the context; twice is harmless."""
        if self._context:
            self._mesa.OSMesaDestroyContext(self._context)
            self._context = None
