"""The hook that this distribution brings: `render_pass`, steps of a frame that are not the renderer's own.

Implement it in a distribution of your own: a module with

    @hookimpl
    def render_pass() -> Sequence[Provider]: ...

in the entry-point group `kinetoscope.render_pass`, and shaders in your package. Importing this module
loads nothing but the spec's hook markers; what `__all__` names besides is imported when it is first named.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from kinetoscope_spec import Hook, Provider, hookimpl, hookspec

if TYPE_CHECKING:
    from kinetoscope_deferred.contract import RenderPassContract
    from kinetoscope_deferred.device import Device, uniforms
    from kinetoscope_deferred.passes.base import set_camera
    from kinetoscope_deferred.quality import Quality
    from kinetoscope_deferred.render_pass import RenderPass, ScreenPass
    from kinetoscope_deferred.view import View

__all__ = [
    "HOOKS",
    "Device",
    "Quality",
    "RenderPass",
    "RenderPassContract",
    "ScreenPass",
    "View",
    "addhooks",
    "render_pass",
    "set_camera",
    "uniforms",
]


@hookspec
def render_pass() -> Sequence[Provider]:  # type: ignore[empty-body]
    """A step of a frame of the renderer `deferred`: see `RenderPass`."""


HOOKS: Final = (
    Hook(
        "render_pass",
        "steps of a frame of the deferred renderer",
        "kinetoscope_deferred.hooks:RenderPass",
        "kinetoscope_deferred.hooks:RenderPassContract",
    ),
)


@hookimpl
def addhooks() -> Sequence[object]:
    """Make the hook `render_pass` known: this module is its specification."""
    return [sys.modules[__name__]]


_HOMES = {
    **dict.fromkeys(("RenderPass", "ScreenPass"), "render_pass"),
    **dict.fromkeys(("Device", "uniforms"), "device"),
    "Quality": "quality",
    "RenderPassContract": "contract",
    "View": "view",
    "set_camera": "passes.base",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"kinetoscope_deferred.{_HOMES[name]}"), name)
