"""Opening an OpenGL context without a display, and saying what is missing when that fails."""

from __future__ import annotations

import sys

import moderngl

from kinetoscope_deferred._llvm import load_triton_first
from kinetoscope_spec.errors import ProviderUnavailable

__all__ = ["open_context"]

_ADVICE = (
    "install a driver with EGL: Debian and Ubuntu `apt-get install libegl1 libgl1 libgl1-mesa-dri`, "
    "Fedora `dnf install mesa-libEGL mesa-libGL mesa-dri-drivers`"
)


def open_context() -> moderngl.Context:
    """Open a context of OpenGL 3.3 core or newer: EGL on Linux, the system's own elsewhere.

    Raises:
        ProviderUnavailable: there is no driver; gives the reason and the packages to install.
    """
    linux = sys.platform.startswith("linux")
    load_triton_first()
    try:
        if linux:
            return moderngl.create_context(standalone=True, backend="egl", require=330)  # type: ignore[arg-type]
        return moderngl.create_context(standalone=True, require=330)
    except Exception as error:  # moderngl and glcontext raise bare Exception
        advice = _ADVICE if linux else "install the graphics driver of the system"
        raise ProviderUnavailable(f"no OpenGL 3.3 context could be opened ({error}); {advice}") from error
