"""The hooks that this distribution brings: `aligner` and `lipsync`, with their protocols and contracts.

Implement it in a distribution of your own without the acoustic model's weight: a module with

    @hookimpl
    def aligner() -> Sequence[Provider]: ...

in the entry-point group `kinetoscope.aligner`, and likewise for `lipsync`. Importing this module loads
nothing but the spec's hook markers; protocols and contracts are imported when they are first named.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from kinetoscope_spec import Hook, Provider, hookimpl, hookspec

if TYPE_CHECKING:
    from kinetoscope_align.contract import AlignerContract
    from kinetoscope_align.lipsync_contract import LipSyncContract
    from kinetoscope_align.protocol import Aligner, LipSync

__all__ = [
    "HOOKS",
    "Aligner",
    "AlignerContract",
    "LipSync",
    "LipSyncContract",
    "addhooks",
    "aligner",
    "lipsync",
]


@hookspec
def aligner() -> Sequence[Provider]:  # type: ignore[empty-body]
    """When words, phonemes and visemes are in speech: see `Aligner`."""


@hookspec
def lipsync() -> Sequence[Provider]:  # type: ignore[empty-body]
    """Mouth, head and hands that move with speech: see `LipSync`."""


HOOKS: Final = (
    Hook(
        "aligner",
        "when words, phonemes and visemes are in speech",
        "kinetoscope_align.hooks:Aligner",
        "kinetoscope_align.hooks:AlignerContract",
    ),
    Hook(
        "lipsync",
        "mouth, head and hands that move with speech",
        "kinetoscope_align.hooks:LipSync",
        "kinetoscope_align.hooks:LipSyncContract",
    ),
)


@hookimpl
def addhooks() -> Sequence[object]:
    """Make the hooks known: this module is its specification."""
    return [sys.modules[__name__]]


_HOMES = {
    "Aligner": "protocol",
    "AlignerContract": "contract",
    "LipSync": "protocol",
    "LipSyncContract": "lipsync_contract",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"kinetoscope_align.{_HOMES[name]}"), name)
