"""The hook that this distribution brings: `aligner`, with its protocol and contract.

Implement it in a distribution of your own without the acoustic model's weight: a module with

    @hookimpl
    def aligner() -> Sequence[Provider]: ...

in the entry-point group `kinetoscope.aligner`. Importing this module loads nothing but the spec's
hook markers; `Aligner` and `AlignerContract` are imported when they are first named.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from kinetoscope_spec import Hook, Provider, hookimpl, hookspec

if TYPE_CHECKING:
    from kinetoscope_align.contract import AlignerContract
    from kinetoscope_align.protocol import Aligner

__all__ = ["HOOKS", "Aligner", "AlignerContract", "addhooks", "aligner"]


@hookspec
def aligner() -> Sequence[Provider]:  # type: ignore[empty-body]
    """When words, phonemes and visemes are in speech: see `Aligner`."""


HOOKS: Final = (
    Hook(
        "aligner",
        "when words, phonemes and visemes are in speech",
        "kinetoscope_align.hooks:Aligner",
        "kinetoscope_align.hooks:AlignerContract",
    ),
)


@hookimpl
def addhooks() -> Sequence[object]:
    """Make the hook `aligner` known: this module is its specification."""
    return [sys.modules[__name__]]


_HOMES = {"Aligner": "protocol", "AlignerContract": "contract"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"kinetoscope_align.{_HOMES[name]}"), name)
