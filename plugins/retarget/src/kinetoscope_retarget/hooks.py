"""The hook that this distribution brings: `retargeter`, with its protocol, values and contract.

Implement it in a distribution of your own: a module with

    @hookimpl
    def retargeter() -> Sequence[Provider]: ...

in the entry-point group `kinetoscope.retargeter`. Importing this module loads nothing but the spec's
hook markers; the protocol, its values and the contract are imported when they are first named.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from kinetoscope_spec import Hook, Provider, hookimpl, hookspec

if TYPE_CHECKING:
    from kinetoscope_retarget.contract import RetargeterContract
    from kinetoscope_retarget.protocol import LeftOut, Match, MirrorPair, Pair, Pairs, Retargeter

__all__ = [
    "HOOKS",
    "LeftOut",
    "Match",
    "MirrorPair",
    "Pair",
    "Pairs",
    "Retargeter",
    "RetargeterContract",
    "addhooks",
    "retargeter",
]


@hookspec
def retargeter() -> Sequence[Provider]:  # type: ignore[empty-body]
    """Motions of one skeleton on another: see `Retargeter`."""


HOOKS: Final = (
    Hook(
        "retargeter",
        "motions of one skeleton on another",
        "kinetoscope_retarget.hooks:Retargeter",
        "kinetoscope_retarget.hooks:RetargeterContract",
    ),
)


@hookimpl
def addhooks() -> Sequence[object]:
    """Make the hook `retargeter` known: this module is its specification."""
    return [sys.modules[__name__]]


_HOMES = {
    **dict.fromkeys(("LeftOut", "Match", "MirrorPair", "Pair", "Pairs", "Retargeter"), "protocol"),
    "RetargeterContract": "contract",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"kinetoscope_retarget.{_HOMES[name]}"), name)
