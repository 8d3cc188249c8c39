"""Makes an OpenGL context without a window and says what drew it; run by the doctor with `-m`.

Calls as in the EGL 1.5 specification and EGL_EXT_platform_device; numbers from `egl.h` and `gl.h`.
"""

from __future__ import annotations

import ctypes
import json
import sys
from typing import Any

PLATFORM_DEVICE, PLATFORM_SURFACELESS = 0x313F, 0x31DD
OPENGL_API, OPENGL_BIT, RENDERABLE_TYPE, NONE = 0x30A2, 0x0008, 0x3040, 0x3038
SURFACE_TYPE, ANY_SURFACE = 0x3033, 0  # the default asks for windows, which a render node has none of
MAJOR_VERSION, MINOR_VERSION = 0x3098, 0x30FB
GL_VENDOR, GL_RENDERER, GL_VERSION = 0x1F00, 0x1F01, 0x1F02


class ProbeError(Exception):
    """No context; the text says how far it got."""


def probe() -> str:
    """Return what renders and its version."""
    try:
        egl: Any = ctypes.CDLL("libEGL.so.1")
    except OSError as error:
        raise ProbeError(str(error)) from error
    egl.eglGetProcAddress.restype = ctypes.c_void_p
    for name in ("eglGetDisplay", "eglCreateContext"):
        getattr(egl, name).restype = ctypes.c_void_p
    display = _display(egl)
    _require(egl.eglBindAPI(OPENGL_API), "the driver has no desktop OpenGL")
    context = _context(egl, display)
    current = egl.eglMakeCurrent(ctypes.c_void_p(display), None, None, ctypes.c_void_p(context))
    _require(current, "the context can't be made current without a surface")
    renderer, vendor, version = (_string(egl, name) for name in (GL_RENDERER, GL_VENDOR, GL_VERSION))
    query = egl.eglGetProcAddress(b"eglQueryDevicesEXT")
    count = len(_devices(query)) if query else 0
    return f"{renderer} by {vendor}, OpenGL {version} ({count} EGL device{'s' * (count != 1)})"


def _require(value: Any, text: str) -> None:
    if not value:
        raise ProbeError(text)


def _display(egl: Any) -> int:
    """Return the first display that starts: of a device, without a surface, or the default one."""
    for display in _displays(egl):
        if display and egl.eglInitialize(ctypes.c_void_p(display), None, None):
            return int(display)
    raise ProbeError("no EGL display starts: there is no driver")


def _displays(egl: Any) -> list[int | None]:
    found: list[int | None] = []
    query = egl.eglGetProcAddress(b"eglQueryDevicesEXT")
    get = egl.eglGetProcAddress(b"eglGetPlatformDisplayEXT")
    if get:
        kind = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p)
        platform_display = kind(get)
        devices = _devices(query) if query else []
        found.extend(platform_display(PLATFORM_DEVICE, device, None) for device in devices)
        found.append(platform_display(PLATFORM_SURFACELESS, None, None))
    return [*found, egl.eglGetDisplay(None)]


def _devices(query: int) -> list[int | None]:
    devices = (ctypes.c_void_p * 16)()
    count = ctypes.c_int(0)
    kind = ctypes.CFUNCTYPE(ctypes.c_uint, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    kind(query)(len(devices), ctypes.addressof(devices), ctypes.addressof(count))
    return list(devices[: count.value])


def _context(egl: Any, display: int) -> int:
    wanted = (ctypes.c_int * 5)(SURFACE_TYPE, ANY_SURFACE, RENDERABLE_TYPE, OPENGL_BIT, NONE)
    config, count = ctypes.c_void_p(), ctypes.c_int()
    egl.eglChooseConfig(ctypes.c_void_p(display), wanted, ctypes.byref(config), 1, ctypes.byref(count))
    _require(count.value, "no EGL configuration for OpenGL")
    version = (ctypes.c_int * 5)(MAJOR_VERSION, 3, MINOR_VERSION, 3, NONE)
    context = egl.eglCreateContext(ctypes.c_void_p(display), config, None, version)
    _require(context, "the driver has no OpenGL 3.3")
    return int(context)


def _string(egl: Any, name: int) -> str:
    address = egl.eglGetProcAddress(b"glGetString")
    _require(address, "the driver has no glGetString")
    text = ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.c_uint)(address)(name)
    return (text or b"unknown").decode("utf-8", "replace")


if __name__ == "__main__":
    try:
        told = {"ok": True, "found": probe()}
    except ProbeError as error:
        told = {"ok": False, "found": str(error)}
    json.dump(told, sys.stdout)
