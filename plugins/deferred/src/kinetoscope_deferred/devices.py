"""What can draw here: EGL's devices, and which of them is a graphics card.

Calls as in EGL_EXT_device_enumeration, EGL_EXT_device_query and EGL_MESA_device_software; numbers from
`eglext.h`.
"""

from __future__ import annotations

import ctypes
from typing import Any, Final

import attrs

__all__ = ["SOFTWARE", "EglDevice", "egl_devices", "is_software"]

EXTENSIONS, DRM_DEVICE_FILE, RENDERER = 0x3055, 0x3233, 0x335F
MOST: Final = 32

SOFTWARE: Final = ("llvmpipe", "softpipe", "swrast", "software", "swiftshader")
"""Words in the names of drivers that draw on the processor."""


@attrs.frozen
class EglDevice:
    """One device of EGL.

    Attributes:
        index: its place in the list, by which glcontext opens it.
        name: the driver's name for it, or its file, such as `/dev/dri/card0`.
        software: whether it says that it draws on the processor.
    """

    index: int
    name: str
    software: bool

    def __str__(self) -> str:
        return f"EGL device {self.index} ({self.name})"


def is_software(renderer: str) -> bool:
    """Tell whether `renderer`, OpenGL's name for what draws, is a driver on the processor."""
    return any(word in renderer.lower() for word in SOFTWARE)


def egl_devices() -> list[EglDevice]:
    """Return EGL's devices in its own order; none where there is no EGL, or one that lists none."""
    try:
        egl: Any = ctypes.CDLL("libEGL.so.1")
        address = egl.eglGetProcAddress
    except (OSError, AttributeError):
        return []
    address.restype = ctypes.c_void_p
    query, string = address(b"eglQueryDevicesEXT"), address(b"eglQueryDeviceStringEXT")
    if not query:
        return []
    handles, count = (ctypes.c_void_p * MOST)(), ctypes.c_int(0)
    kind = ctypes.CFUNCTYPE(ctypes.c_uint, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    kind(query)(MOST, ctypes.addressof(handles), ctypes.addressof(count))
    told = ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int)(string) if string else _silent
    return [_described(told, i, handles[i]) for i in range(count.value)]


def _silent(handle: Any, name: int) -> bytes | None:
    return None


def _described(told: Any, index: int, handle: Any) -> EglDevice:
    words = (told(handle, EXTENSIONS) or b"").decode("ascii", "replace").split()
    software = "EGL_MESA_device_software" in words
    name = None
    if "EGL_EXT_device_query_name" in words:
        name = told(handle, RENDERER)
    if not name and "EGL_EXT_device_drm" in words:
        name = told(handle, DRM_DEVICE_FILE)
    shown = name.decode("utf-8", "replace") if name else "software" if software else "a graphics card"
    return EglDevice(index, shown, software or is_software(shown))
