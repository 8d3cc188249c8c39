"""The errors that Kinetoscope and its plugins raise; each says what, where, what was expected."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

__all__ = [
    "Cancelled",
    "ConfigError",
    "ContractError",
    "FormatError",
    "KinetoscopeError",
    "PluginError",
    "ProviderNotFound",
    "ProviderUnavailable",
    "ValidationError",
]


class KinetoscopeError(Exception):
    """Root of every error that Kinetoscope raises on purpose."""


class ValidationError(KinetoscopeError, ValueError):
    """A value type was built from something that breaks its invariants."""


class ConfigError(KinetoscopeError):
    """A configuration or shot file is wrong; `place` says where (`shot.toml:12: camera.fov`)."""

    def __init__(self, message: str, *, place: str | None = None) -> None:
        super().__init__(f"{place}: {message}" if place else message)
        self.place = place


class FormatError(KinetoscopeError):
    """A file is not what its reader expects.

    `path` names the file (None for bytes), `line` (from 1) or `offset` (bytes from the start) the
    place in it, as far as they are known; `expected` says what should have stood there.
    """

    def __init__(
        self,
        message: str,
        *,
        path: object = None,
        line: int | None = None,
        offset: int | None = None,
        expected: str | None = None,
    ) -> None:
        place = "" if path is None else str(path)
        if line is not None:
            place += f":{line}" if place else f"line {line}"
        elif offset is not None:
            place += f" at byte {offset}" if place else f"byte {offset}"
        text = f"{place}: {message}" if place else message
        super().__init__(f"{text} (expected {expected})" if expected else text)
        self._arguments = (message, path, line, offset, expected)
        self.path = path
        self.line = line
        self.offset = offset
        self.expected = expected

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions are rebuilt from `args` alone; ours carry more, and workers send them home.
        return _rebuild_format_error, (type(self), self._arguments)


def _rebuild_format_error(
    kind: type[FormatError], arguments: tuple[str, object, int | None, int | None, str | None]
) -> FormatError:
    message, path, line, offset, expected = arguments
    return kind(message, path=path, line=line, offset=offset, expected=expected)


class PluginError(KinetoscopeError):
    """A plugin could not be imported, targets another spec, or misspells a hook."""


class ProviderNotFound(KinetoscopeError, LookupError):
    """No provider has the name or the capability that was asked for."""


class ProviderUnavailable(KinetoscopeError):
    """A provider is installed but lacks weights, a key, a driver or a library; says which."""


class ContractError(KinetoscopeError, AssertionError):
    """A provider broke a law of its hook's contract; `law` names it where it is known."""

    law: str | None = None


class Cancelled(KinetoscopeError):
    """A progress callback returned False."""


def nearest(word: str, known: Sequence[str]) -> str:
    """Return `; did you mean 'x'?` for the known words nearest to `word`, or an empty string."""
    close = get_close_matches(word, known, n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(repr(name) for name in close)}?" if close else ""
