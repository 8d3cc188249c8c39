"""The hook that this distribution brings: `watermarker`, with its protocol, values and contract.

Implement it in a distribution of your own without the network's weight: a module with

    @hookimpl
    def watermarker() -> Sequence[Provider]: ...

in the entry-point group `kinetoscope.watermarker`. Importing this module loads nothing but the
spec's hook markers; what `__all__` names besides is imported when it is first named.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from kinetoscope_spec import Hook, Provider, hookimpl, hookspec

if TYPE_CHECKING:
    from kinetoscope_perth.contract import WatermarkerContract
    from kinetoscope_perth.protocol import Marking, Verdict, Watermarker, Window

__all__ = [
    "HOOKS",
    "Marking",
    "Verdict",
    "Watermarker",
    "WatermarkerContract",
    "Window",
    "addhooks",
    "watermarker",
]


@hookspec
def watermarker() -> Sequence[Provider]:  # type: ignore[empty-body]
    """Marks in sound that nobody hears and that are found again: see `Watermarker`."""


HOOKS: Final = (
    Hook(
        "watermarker",
        "marks in sound that nobody hears",
        "kinetoscope_perth.hooks:Watermarker",
        "kinetoscope_perth.hooks:WatermarkerContract",
    ),
)


@hookimpl
def addhooks() -> Sequence[object]:
    """Make the hook `watermarker` known: this module is its specification."""
    return [sys.modules[__name__]]


_HOMES = {
    **dict.fromkeys(("Marking", "Verdict", "Watermarker", "Window"), "protocol"),
    "WatermarkerContract": "contract",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"kinetoscope_perth.{_HOMES[name]}"), name)
