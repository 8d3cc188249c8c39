"""Opening an OpenGL context without a display: on what, why on that, and what is missing where none opens.

The order: graphics cards that EGL lists, then its software drivers (Mesa), then OSMesa where its wheel
is installed. Elsewhere than on Linux it is the system's own OpenGL.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

import attrs
import moderngl

from kinetoscope_deferred._llvm import load_triton_first
from kinetoscope_deferred._osmesa import WHEEL, OsmesaContext, find_library
from kinetoscope_deferred.devices import EglDevice, egl_devices, is_software
from kinetoscope_spec.errors import ConfigError, ProviderUnavailable

__all__ = ["VARIABLE", "Opened", "described", "open_context"]

VARIABLE: Final = "KINETOSCOPE_GL_DEVICE"
"""Environment variable that says what to draw on where nothing else does."""

_WISHES: Final = "gpu, cpu, osmesa, or egl:N such as egl:0"
_ADVICE: Final = (
    "install a driver with EGL: Debian and Ubuntu `apt-get install libegl1 libgl1 libgl1-mesa-dri`, "
    "Fedora `dnf install mesa-libEGL mesa-libGL mesa-dri-drivers`; or on x86-64 Linux `pip install "
    f"'kinetoscope-deferred[osmesa]'` ({WHEEL}, software, LGPL-3)"
)


@attrs.frozen(eq=False)
class Opened:
    """A context, what draws it and why that."""

    context: moderngl.Context
    why: str


@attrs.frozen(eq=False)
class _Try:
    """One thing that may give a context; `card` if it says it is a graphics card."""

    name: str
    open: Callable[[], moderngl.Context]
    card: bool = False


def open_context(device: str | None = None) -> Opened:
    """Open a context of OpenGL 3.3 core or newer on what is best, or on what is asked for.

    Args:
        device: `gpu` (a graphics card), `cpu` (a software driver), `osmesa`, `egl:N` (the device of
            that number); None for the environment's `KINETOSCOPE_GL_DEVICE`, or the best there is.

    Raises:
        ConfigError: `device` is none of these.
        ProviderUnavailable: nothing opens; says what was tried, and the packages to install.
    """
    wish = device or os.environ.get(VARIABLE) or None
    if wish is not None and not re.fullmatch(r"gpu|cpu|osmesa|egl:\d+", wish):
        raise ConfigError(f"{'device' if device else VARIABLE} is {wish!r}, expected {_WISHES}")
    load_triton_first()
    tried: list[str] = []
    for attempt in _attempts(wish):
        try:
            context = attempt.open()
        except Exception as error:  # noqa: BLE001 - moderngl and glcontext raise bare Exception
            tried.append(f"{attempt.name}: {error}")
            continue
        renderer = str(context.info["GL_RENDERER"])
        if attempt.card and is_software(renderer):
            # The card's driver is missing, and a software driver stands in: others may be better.
            tried.append(f"{attempt.name}: only {renderer}")
            context.release()
            continue
        return Opened(context, _why(described(context), attempt.name, wish, tried))
    raise _nothing(wish, tried)


def described(context: moderngl.Context) -> str:
    """Return what draws: renderer, vendor and version as OpenGL tells them."""
    told = context.info
    return f"{told['GL_RENDERER']} by {told['GL_VENDOR']}, OpenGL {told['GL_VERSION']}"


def _why(drawn_by: str, name: str, wish: str | None, tried: list[str]) -> str:
    if wish is not None:
        return f"{drawn_by}: {name}, as asked for by {wish!r}"
    if tried:
        return f"{drawn_by}: {name}, after {'; '.join(tried)}"
    return f"{drawn_by}: {name}"


def _attempts(wish: str | None) -> Iterator[_Try]:
    if not sys.platform.startswith("linux"):
        yield _Try("the system's OpenGL", lambda: moderngl.create_context(standalone=True, require=330))
        return
    if wish != "osmesa":
        yield from _egl_attempts(wish)
    if wish in (None, "cpu", "osmesa"):
        yield _Try(f"OSMesa of {WHEEL}", _open_osmesa)


def _egl_attempts(wish: str | None) -> Iterator[_Try]:
    devices = egl_devices()
    cards = [device for device in devices if not device.software]
    if wish and wish.startswith("egl:"):
        number = int(wish.removeprefix("egl:"))
        held = next((device for device in devices if device.index == number), None)
        # A number that EGL does not list is tried all the same: it says best what is wrong.
        yield _egl(
            held or EglDevice(number, f"not among the {len(devices)} that EGL lists", True), card=False
        )
        return
    if wish in (None, "gpu"):
        for device in cards:
            yield _egl(device, card=True)
    if wish in (None, "cpu"):
        software = [device for device in devices if device.software]
        # An old EGL lists nothing, and a card without its driver draws by software: the first one, then.
        for device in software or [EglDevice(0, "the first", True)]:
            yield _egl(device, card=False, note="" if cards or wish else "; EGL lists no graphics card")


def _egl(device: EglDevice, *, card: bool, note: str = "") -> _Try:
    def opened() -> moderngl.Context:
        settings: Any = {"backend": "egl", "device_index": device.index}
        return moderngl.create_context(standalone=True, require=330, **settings)

    return _Try(f"{device}{note}", opened, card)


def _open_osmesa() -> moderngl.Context:
    settings: Any = {"context": OsmesaContext(find_library())}
    return moderngl.create_context(standalone=True, require=330, **settings)


def _nothing(wish: str | None, tried: list[str]) -> ProviderUnavailable:
    asked = "" if wish is None else f" on {wish!r}"
    reasons = "; ".join(tried) or "EGL lists no graphics card"
    if wish == "gpu":
        return ProviderUnavailable(
            f"no OpenGL 3.3 context could be opened{asked} ({reasons}); install the card's own driver, "
            "or take another device"
        )
    if isinstance(wish, str) and wish.startswith("egl:"):
        listed = ", ".join(map(str, egl_devices())) or "none"
        return ProviderUnavailable(
            f"no OpenGL 3.3 context could be opened{asked} ({reasons}); EGL lists {listed}"
        )
    linux = sys.platform.startswith("linux")
    advice = _ADVICE if linux else "install the graphics driver of the system"
    return ProviderUnavailable(f"no OpenGL 3.3 context could be opened{asked} ({reasons}); {advice}")
