"""The hook that this distribution brings: `system`, with its protocol and contract.

Implement it in a distribution of your own: a module with

    @hookimpl
    def system() -> Sequence[Provider]: ...

in the entry-point group `kinetoscope.system`. Importing this module loads nothing but the spec's
hook markers; what a system is made of (`component`, `column`, `Transform`, ...), `System` and
`SystemContract` are imported when they are first named.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from kinetoscope_spec import Hook, Provider, hookimpl, hookspec

if TYPE_CHECKING:
    from kinetoscope_stage._component import Numbers, column, component, reference
    from kinetoscope_stage.contract import SystemContract
    from kinetoscope_stage.protocol import System
    from kinetoscope_stage.transforms import GlobalTransform, Transform
    from kinetoscope_stage.view import View
    from kinetoscope_stage.world import Parent

__all__ = [
    "HOOKS",
    "GlobalTransform",
    "Numbers",
    "Parent",
    "System",
    "SystemContract",
    "Transform",
    "View",
    "addhooks",
    "column",
    "component",
    "reference",
    "system",
]


@hookspec
def system() -> Sequence[Provider]:  # type: ignore[empty-body]
    """What moves the entities of a stage: see `System`."""


HOOKS: Final = (
    Hook(
        "system",
        "what moves the entities of a stage",
        "kinetoscope_stage.hooks:System",
        "kinetoscope_stage.hooks:SystemContract",
    ),
)


@hookimpl
def addhooks() -> Sequence[object]:
    """Make the hook `system` known: this module is its specification."""
    return [sys.modules[__name__]]


_HOMES = {
    "System": "protocol",
    "SystemContract": "contract",
    **dict.fromkeys(("Numbers", "column", "component", "reference"), "_component"),
    **dict.fromkeys(("GlobalTransform", "Transform"), "transforms"),
    "View": "view",
    "Parent": "world",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"kinetoscope_stage.{_HOMES[name]}"), name)
