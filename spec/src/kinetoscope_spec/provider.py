"""What a plugin says about itself: providers, and the signatures by which files are known."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import attrs

from kinetoscope_spec.errors import ValidationError

__all__ = ["Provider", "Services", "Signature"]

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


def _name(instance: object, attribute: attrs.Attribute[str], value: str) -> None:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValidationError(
            f"{type(instance).__name__}.{attribute.name} is {value!r}, expected lower-case letters, "
            "digits, '-', '_' or '.', beginning with a letter or digit"
        )


def _target(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if callable(value) or (isinstance(value, str) and _TARGET.fullmatch(value)):
        return
    raise ValidationError(
        f"{type(instance).__name__}.{attribute.name} is {value!r}, expected 'module:Class' or a callable"
    )


def _words(value: Sequence[str]) -> tuple[str, ...]:
    if isinstance(value, str):
        raise ValidationError(f"expected a sequence of words such as ({value!r},), got the string {value!r}")
    return tuple(value)


@attrs.frozen
class Signature:
    """How a detector knows one content type without its file's name.

    Either `magic` stands at byte `offset`, or `rule`, `"module:function"`, returns True for
    `(head, tail, size)`: the first and last 4,096 bytes (fewer in a smaller file) and the size in
    bytes. With both, the rule is asked only where the magic fits: a magic of two bytes is easily
    met by chance, a validated header is not.
    """

    label: str = attrs.field(validator=_name)
    mime: str = "application/octet-stream"
    group: str = "unknown"
    magic: bytes = b""
    offset: int = 0
    rule: str | Callable[[bytes, bytes, int], bool] | None = attrs.field(
        default=None, validator=attrs.validators.optional(_target)
    )
    is_text: bool = False
    extensions: tuple[str, ...] = attrs.field(default=(), converter=_words)

    def __attrs_post_init__(self) -> None:
        if not self.magic and self.rule is None:
            raise ValidationError(f"signature of {self.label!r} has neither magic nor rule")


def _signatures(value: Sequence[Signature]) -> tuple[Signature, ...]:
    return tuple(value)


@attrs.frozen
class Provider:
    """One thing that a plugin provides under a hook. Building it must cost nothing.

    Attributes:
        name: what users type; unique under its hook, equal to the entry point's name.
        summary: one line for lists.
        load: `"module:Class"`, imported and called when the provider is first used; or the class.
        reads: labels of the content types that an importer (or media) reads, best first.
        writes: labels that it writes.
        signatures: how detectors know the content types it brings.
        languages: BCP 47 tags that a voice speaks.
        devices: where it runs, best first: `cpu`, `cuda`, `mps`, `egl`, `network`.
        licence: SPDX expression of what the provider runs (code and weights).
        needs: hooks whose providers it asks the host for, and `signatures`; with any of them
            `load` is called with one argument, `Services`.
        requires: what must be there before it can work: `module:torch`, `env:GEMINI_API_KEY`,
            `library:libEGL.so.1`, `weights:FILE` (below the folder of the host's weights); of two with
            ` | ` between them one will do.
        omits: laws of the contract that do not apply, each `law: reason`.
        contract: `"module:Class"` of the contract that proves this provider, a subclass of its
            hook's with what that needs to know: sample files, what the format holds. None: the hook's.
        order: -1 to be tried last, 1 to be tried first, when capability alone decides.
    """

    name: str = attrs.field(validator=_name)
    summary: str
    load: str | Callable[..., Any] = attrs.field(validator=_target)
    reads: tuple[str, ...] = attrs.field(default=(), converter=_words, kw_only=True)
    writes: tuple[str, ...] = attrs.field(default=(), converter=_words, kw_only=True)
    signatures: tuple[Signature, ...] = attrs.field(default=(), converter=_signatures, kw_only=True)
    languages: tuple[str, ...] = attrs.field(default=(), converter=_words, kw_only=True)
    devices: tuple[str, ...] = attrs.field(default=("cpu",), converter=_words, kw_only=True)
    licence: str = attrs.field(default="Apache-2.0", kw_only=True)
    needs: tuple[str, ...] = attrs.field(default=(), converter=_words, kw_only=True)
    requires: tuple[str, ...] = attrs.field(default=(), converter=_words, kw_only=True)
    omits: tuple[str, ...] = attrs.field(default=(), converter=_words, kw_only=True)
    contract: str | None = attrs.field(
        default=None, kw_only=True, validator=attrs.validators.optional(_target)
    )
    order: int = attrs.field(default=0, kw_only=True, validator=attrs.validators.in_((-1, 0, 1)))


class Services(Protocol):
    """What the host hands to a provider that declared `needs`: those hooks and nothing more."""

    def provider(self, hook: str, name: str | None = None) -> Any:
        """Return the provider of `hook` by name, or the one the host would choose.

        Raises:
            ProviderNotFound: there is none of that name.
            PluginError: `hook` is not among the provider's `needs`.
        """
        ...

    def signatures(self) -> Sequence[Signature]:
        """Return the signatures that all importers of the host bring."""
        ...
