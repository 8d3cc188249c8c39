"""The key: from the environment or the system's keyring, and nowhere else; it prints as `[key]`.

The keyring is asked only where the settings say so: it may open a window, or wait for a daemon.
"""

from __future__ import annotations

import os
import re
from typing import Final

from kinetoscope_spec.errors import ProviderUnavailable

__all__ = ["VARIABLES", "Key", "find_key", "redacted"]

VARIABLES: Final = ("GEMINI_API_KEY", "GOOGLE_API_KEY")
_SERVICE: Final = ("kinetoscope", "gemini")
_LOOKS_LIKE_KEY: Final = re.compile(r"AIza[0-9A-Za-z_\-]{20,}|(?<=key=)[^\s&\"']+")


class Key:
    """A key that does not show itself; `reveal()` is called where the client is built, nowhere else."""

    __slots__ = ("_held",)

    def __init__(self, held: str) -> None:
        self._held = held

    def reveal(self) -> str:
        """Return the key itself."""
        return self._held

    def __repr__(self) -> str:
        return "[key]"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a key is not pickled")

    def taken_out(self, text: str) -> str:
        """Return `text` with the key replaced by `[key]`."""
        return redacted(text.replace(self._held, "[key]"))


def redacted(text: str) -> str:
    """Return `text` with what looks like a key of Google's replaced by `[key]`."""
    return _LOOKS_LIKE_KEY.sub("[key]", text)


def find_key(*, keyring: bool) -> Key:
    """Return the key: that of the environment, else with `keyring` that of the system's keyring.

    Raises:
        ProviderUnavailable: there is none; says where it is looked for.
    """
    for name in VARIABLES:
        held = os.environ.get(name, "").strip()
        if held:
            return Key(held)
    held = _from_keyring() if keyring else ""
    if held:
        return Key(held)
    raise ProviderUnavailable(
        f"Gemini needs a key and there is none: set {VARIABLES[0]}, or with the keyring package run "
        f"`keyring set {' '.join(_SERVICE)}` and set keyring = true in [plugins.gemini] "
        "(keys: https://aistudio.google.com/apikey)"
    )


def _from_keyring() -> str:
    try:
        import keyring  # type: ignore[import-not-found, unused-ignore] # an extra
    except ImportError:
        return ""
    try:
        return (keyring.get_password(*_SERVICE) or "").strip()
    except Exception:  # noqa: BLE001 - a locked or missing keyring is a machine without a key
        return ""
