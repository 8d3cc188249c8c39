"""The hook that this distribution brings: `acme_thing`, whose providers change motions.

Anybody can bring another provider of it: a module with

    @hookimpl
    def acme_thing() -> Sequence[Provider]: ...

in the entry-point group `kinetoscope.acme_thing`. This module imports nothing but the spec's hook
markers, so that naming the hook costs nothing; the contract is imported when it is asked for.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from kinetoscope_spec import Hook, Provider, hookimpl, hookspec

if TYPE_CHECKING:
    from kinetoscope_spec import Motion

__all__ = ["HOOKS", "AcmeThing", "acme_thing", "addhooks"]


@runtime_checkable
class AcmeThing(Protocol):
    """Changes motions. The skeleton, the frames and the framerate stay as they are."""

    def apply(self, motion: Motion, *, amount: float = 1.0) -> Motion:
        """Return the motion, changed by `amount`: from 0, not at all, to 1, wholly.

        Raises:
            ValidationError: an amount that is not from 0 to 1.
        """
        ...


@hookspec
def acme_thing() -> Sequence[Provider]:  # type: ignore[empty-body]
    """Changes of motions: see `AcmeThing`."""


HOOKS: Final = (
    Hook(
        "acme_thing",
        "changes of motions",
        "acme_thing.hooks:AcmeThing",
        "acme_thing.contract:AcmeThingContract",
    ),
)


@hookimpl
def addhooks() -> Sequence[object]:
    """Make the hook known: this module is its specification."""
    return [sys.modules[__name__]]
