"""The hook that this distribution brings: `compositor`, with its protocol, values and contract.

Implement it in a distribution of your own: a module with

    @hookimpl
    def compositor() -> Sequence[Provider]: ...

in the entry-point group `kinetoscope.compositor`. Importing this module loads nothing but the spec's
hook markers; the protocol, its values and the contract are imported when they are first named.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from kinetoscope_spec import Hook, Provider, hookimpl, hookspec

if TYPE_CHECKING:
    from kinetoscope_composite.contract import CompositorContract
    from kinetoscope_composite.layer import Layer
    from kinetoscope_composite.protocol import CameraSolve, Compositor

__all__ = ["HOOKS", "CameraSolve", "Compositor", "CompositorContract", "Layer", "addhooks", "compositor"]


@hookspec
def compositor() -> Sequence[Provider]:  # type: ignore[empty-body]
    """Pictures put over plates: see `Compositor`."""


HOOKS: Final = (
    Hook(
        "compositor",
        "pictures put over plates",
        "kinetoscope_composite.hooks:Compositor",
        "kinetoscope_composite.hooks:CompositorContract",
    ),
)


@hookimpl
def addhooks() -> Sequence[object]:
    """Make the hook `compositor` known: this module is its specification."""
    return [sys.modules[__name__]]


_HOMES = {
    **dict.fromkeys(("CameraSolve", "Compositor"), "protocol"),
    "CompositorContract": "contract",
    "Layer": "layer",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"kinetoscope_composite.{_HOMES[name]}"), name)
