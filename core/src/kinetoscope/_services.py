"""What a provider that declared `needs` may ask of the host: those hooks and nothing more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kinetoscope_spec.errors import PluginError
from kinetoscope_spec.provider import Provider, Signature

if TYPE_CHECKING:
    from kinetoscope.host import Host

__all__ = ["HostServices"]


class HostServices:
    """The `Services` of one provider."""

    def __init__(self, host: Host, provider: Provider) -> None:
        self._host = host
        self._name = provider.name
        self._needs = frozenset(provider.needs)

    def provider(self, hook: str, name: str | None = None) -> Any:
        """Return a provider of one of the hooks that were declared."""
        self._check(hook)
        return self._host.provider(hook, name)

    def signatures(self) -> Sequence[Signature]:
        """Return the signatures of all importers."""
        self._check("signatures")
        return self._host.signatures()

    def _check(self, need: str) -> None:
        if need not in self._needs:
            declared = ", ".join(sorted(self._needs))
            raise PluginError(f"{self._name!r} asked the host for {need!r} but declared needs=({declared})")
