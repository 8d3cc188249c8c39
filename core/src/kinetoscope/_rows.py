"""The host's table of providers: one row a provider, from entry points or handed over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import attrs

from kinetoscope._commands import CORE
from kinetoscope.config import Config
from kinetoscope.discovery import COMMANDS, Entry, is_used, normalised
from kinetoscope.infos import ProviderInfo
from kinetoscope.record import Outcome, key
from kinetoscope.requirements import unmet

if TYPE_CHECKING:
    from kinetoscope_spec.provider import Provider

__all__ = ["EMBEDDED", "Row", "row_of", "settle"]

EMBEDDED = "embedded"
FIRST_PARTY = "kinetoscope-"


@attrs.define(eq=False)
class Row:
    """What the host knows of one provider.

    `blocked` and `broken` hold reasons, empty where it is neither. `conflict` says who else has the
    name; whoever asks for it is told. `recorded` is what became of it in an earlier process.
    """

    hook: str
    name: str
    distribution: str
    version: str
    entry: Entry | None = None
    provider: Provider | None = None
    loaded: bool = False
    blocked: str = ""
    broken: str = ""
    conflict: str = ""
    error: BaseException | None = None
    recorded: Outcome | None = None

    @property
    def first_party(self) -> bool:
        """Whether it comes from this project."""
        return normalised(self.distribution).startswith(FIRST_PARTY)

    @property
    def source(self) -> str:
        """Its distribution and version, as errors name them."""
        return f"{self.distribution} {self.version}".rstrip()

    @property
    def key(self) -> str:
        """Its name in the record."""
        return key(self.hook, self.name, self.distribution, self.version)

    def missing(self) -> list[str]:
        """Return what it requires and is not there; from the record, where it is not loaded."""
        if self.provider is not None:
            return unmet(self.provider.requires)
        return unmet(self.recorded.requires) if self.recorded else []

    def state(self) -> tuple[str, str]:
        """Return its state and the reason for it."""
        if self.blocked:
            return "blocked", self.blocked
        if self.broken:
            return "broken", self.broken
        if not self.loaded and self.recorded and self.recorded.broken:
            return "broken", f"{self.recorded.broken} (when last loaded)"
        missing = self.missing()
        if missing:
            return "unavailable", f"missing {', '.join(missing)}"
        return ("loaded" if self.loaded else "available"), ""

    def info(self) -> ProviderInfo:
        """Return the row as lists show it."""
        state, reason = self.state()
        return ProviderInfo(
            self.name, self.hook, self.distribution, self.version, state, reason, self.provider
        )


def row_of(entry: Entry, config: Config) -> Row:
    """Return the row of an entry point: blocked or broken already, where that shows without import."""
    row = Row(entry.hook, entry.name, entry.distribution, entry.version, entry)
    if not is_used(entry, block=config.block, allow=None):
        row.blocked = "blocked by configuration"
    elif not is_used(entry, block=(), allow=config.allow):
        row.blocked = "not on the list of allowed plugins"
    elif entry.group == COMMANDS and entry.name in CORE:
        row.blocked = f"kinetoscope itself has a command {entry.name!r}"
    elif entry.problem:
        row.broken = entry.problem
    return row


def settle(rows: Sequence[Row], config: Config) -> None:
    """Decide who has each name of one hook that several distributions use.

    Configuration decides (`providers.<hook>.<name> = "distribution"`). Without it, nobody has the
    name: a stranger's plugin is blocked, ours says so when it is asked for.
    """
    for name in {row.name for row in rows}:
        same = [row for row in rows if row.name == name and not (row.blocked or row.broken)]
        choice = config.providers.get(rows[0].hook)
        owner = choice.owners.get(name) if choice else None
        if owner is not None:
            _give(same, owner)
        elif len(same) > 1:
            _contest(same)


def _give(rows: Iterable[Row], owner: str) -> None:
    for row in rows:
        if normalised(row.distribution) != normalised(owner):
            row.blocked = f"configuration gives the name {row.name!r} to {owner}"


def _contest(rows: list[Row]) -> None:
    rows.sort(key=lambda row: (not row.first_party, row.distribution))
    first = rows[0]
    text = (
        f"{first.hook} {first.name!r} is offered by {' and by '.join(row.source for row in rows)}; "
        f'say which one is meant: providers.{first.hook}.{first.name} = "{rows[-1].distribution}"'
    )
    for row in rows:
        row.conflict = text
        if row is not first or not row.first_party:
            row.blocked = text
