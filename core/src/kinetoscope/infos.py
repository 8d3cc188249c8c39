"""What the host tells about providers: rows of lists, why one was chosen, what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from kinetoscope_spec.provider import Provider

__all__ = ["STATES", "Candidate", "Diagnostic", "Explanation", "ProviderInfo", "Timing"]

STATES = ("available", "loaded", "unavailable", "blocked", "broken")


@attrs.frozen
class ProviderInfo:
    """One provider as lists show it.

    Attributes:
        name: what users type.
        hook: the hook it fills.
        distribution: what was installed, or `embedded`.
        version: the distribution's.
        state: one of `STATES`: `available` is installed and not imported by this host, `loaded` is
            imported, `unavailable` lacks weights, a key, a driver or a library.
        reason: why it is unavailable, blocked or broken; empty otherwise.
        provider: what the plugin said about it, once it is loaded.
    """

    name: str
    hook: str
    distribution: str
    version: str
    state: str
    reason: str = ""
    provider: Provider | None = attrs.field(default=None, repr=False)

    def as_dict(self) -> dict[str, Any]:
        """Return the fields that `kinetoscope plugins --json` prints."""
        fields = ("name", "hook", "distribution", "version", "state", "reason")
        return {field: getattr(self, field) for field in fields}


@attrs.frozen
class Candidate:
    """One provider in a choice, and why it was taken or passed over."""

    info: ProviderInfo
    chosen: bool
    reason: str

    def __str__(self) -> str:
        mark = "*" if self.chosen else " "
        return f"{mark} {self.info.name} ({self.info.distribution} {self.info.version}): {self.reason}"


@attrs.frozen
class Explanation:
    """Which provider of a hook would be used, and why.

    Attributes:
        hook: the hook that was asked for.
        wanted: what it was asked for with: a label, a language, a name; None for anything.
        chosen: the provider's name, or None.
        why: one sentence.
        candidates: every provider of the hook, the chosen one first.
        detected: what the detector said of the file, if one was given.
    """

    hook: str
    wanted: str | None
    chosen: str | None
    why: str
    candidates: tuple[Candidate, ...] = ()
    detected: str | None = None

    def __str__(self) -> str:
        lines = [f"{self.hook}: {self.chosen or 'none'}, {self.why}"]
        if self.detected:
            lines.append(f"detected: {self.detected}")
        return "\n".join((*lines, *(str(candidate) for candidate in self.candidates)))


@attrs.frozen
class Diagnostic:
    """One thing that is not as it should be, and where it comes from."""

    plugin: str
    hook: str
    distribution: str
    version: str
    state: str
    reason: str
    error: BaseException | None = attrs.field(default=None, repr=False, eq=False)

    def __str__(self) -> str:
        return f"{self.hook} {self.plugin!r} of {self.distribution} {self.version} is {self.state}: {self.reason}"


@attrs.frozen
class Timing:
    """How often one operation of a provider was called through the host, and for how long in all."""

    hook: str
    provider: str
    operation: str
    calls: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.seconds:9.3f} s  {self.calls:6d} x  {self.hook} {self.provider}: {self.operation}"
