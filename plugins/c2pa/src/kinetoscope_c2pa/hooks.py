"""The hook that this distribution brings: `credentials`, with its protocol, values and contract.

Implement it in a distribution of your own: a module with

    @hookimpl
    def credentials() -> Sequence[Provider]: ...

in the entry-point group `kinetoscope.credentials`. Importing this module loads nothing but the spec's
hook markers; the protocol, its values and the contract are imported when they are first named.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from kinetoscope_spec import Hook, Provider, hookimpl, hookspec

if TYPE_CHECKING:
    from kinetoscope_c2pa.contract import CredentialsContract
    from kinetoscope_c2pa.protocol import Claim, Credentials, Made, Statement

__all__ = [
    "HOOKS",
    "Claim",
    "Credentials",
    "CredentialsContract",
    "Made",
    "Statement",
    "addhooks",
    "credentials",
]


@hookspec
def credentials() -> Sequence[Provider]:  # type: ignore[empty-body]
    """Signed statements in files of how they came about: see `Credentials`."""


HOOKS: Final = (
    Hook(
        "credentials",
        "signed statements in files of how they came about",
        "kinetoscope_c2pa.hooks:Credentials",
        "kinetoscope_c2pa.hooks:CredentialsContract",
    ),
)


@hookimpl
def addhooks() -> Sequence[object]:
    """Make the hook `credentials` known: this module is its specification."""
    return [sys.modules[__name__]]


_HOMES = {
    **dict.fromkeys(("Claim", "Credentials", "Made", "Statement"), "protocol"),
    "CredentialsContract": "contract",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"kinetoscope_c2pa.{_HOMES[name]}"), name)
