"""The deferred renderer: OpenGL 3.3 core through moderngl, headless on EGL.

Importing this package costs nothing; `kinetoscope_deferred.renderer` brings moderngl and NumPy.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["providers", "render_passes"]

# moderngl opens its context through EGL on Linux and through the system's own OpenGL elsewhere. Where
# EGL is not, the OSMesa in the wheel lavavu-osmesa, whose module is lavavu, does.
_LIBRARIES = (
    ("library:libEGL.so.1 | module:lavavu", "library:libGL.so.1 | module:lavavu")
    if sys.platform.startswith("linux")
    else ()
)


@hookimpl(specname="renderer")
def providers() -> Sequence[Provider]:
    """Offer the deferred renderer under the name `deferred`."""
    return [
        Provider(
            "deferred",
            "Deferred renderer on OpenGL 3.3 (GPU or Mesa software, no display needed)",
            contract="kinetoscope_spec.contracts.gbuffer:DeferredContract",
            load="kinetoscope_deferred.renderer:DeferredRenderer",
            devices=("egl", "cpu"),
            needs=("render_pass",),
            requires=("module:moderngl", *_LIBRARIES),
        )
    ]


@hookimpl(specname="render_pass")
def render_passes() -> Sequence[Provider]:
    """Offer the pass `outline`."""
    return [
        Provider(
            "outline",
            "Dark lines around things and along folds",
            load="kinetoscope_deferred.passes.outline:outline",
            devices=("egl", "cpu"),
            requires=("module:moderngl", *_LIBRARIES),
        )
    ]
