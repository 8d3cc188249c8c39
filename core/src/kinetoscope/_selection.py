"""Choosing one provider: by name, else by configuration, else by capability and order. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from kinetoscope._rows import Row
from kinetoscope.config import Choice
from kinetoscope.infos import Candidate, Explanation
from kinetoscope_spec.provider import Provider

__all__ = ["capabilities", "choose"]


def capabilities(provider: Provider, *, writing: bool = False) -> tuple[str, ...]:
    """Return the words that a provider may be asked for by: labels, languages, devices."""
    return provider.writes if writing else (*provider.reads, *provider.languages, *provider.devices)


def choose(
    hook: str,
    rows: Sequence[Row],
    *,
    name: str | None = None,
    choice: Choice | None = None,
    wanted: str | None = None,
    writing: bool = False,
    detected: str | None = None,
) -> tuple[Row | None, Explanation]:
    """Return the row to use, and why; the order of `rows` does not matter.

    Where `name` is given, the row of that name is returned whatever its state, so that the caller can
    say what is wrong with it.
    """
    ranked = sorted(rows, key=lambda row: _rank(row, wanted, writing))
    default = choice.default if choice else None
    refusals = {id(row): _refusal(row, wanted, writing) for row in ranked}
    able = [row for row in ranked if not refusals[id(row)]]
    if name is not None:
        chosen = _named(ranked, name)
        why = "asked for by name" if chosen else f"no {hook} has the name {name!r}"
    elif default is not None and (_named(able, default) or not wanted):
        chosen = _named(ranked, default)
        why = (
            "named in the configuration"
            if chosen
            else f"the configuration names {default!r}, which is not here"
        )
    else:
        chosen = able[0] if able else None
        why = _why(chosen, able, wanted, writing)
    ordered = sorted(ranked, key=lambda row: row is not chosen)
    candidates = tuple(
        Candidate(
            row.info(), row is chosen, why if row is chosen else refusals[id(row)] or _passed_over(row, name)
        )
        for row in ordered
    )
    return chosen, Explanation(
        hook, name or wanted, chosen.name if chosen else None, why, candidates, detected
    )


def _rank(row: Row, wanted: str | None, writing: bool) -> tuple[int, int, str, str]:
    """Order by what the provider asks for, then how well it fits, then name; never by installation."""
    provider = row.provider
    if provider is None:
        return 2, 0, row.name, row.distribution
    words = capabilities(provider, writing=writing)
    place = words.index(wanted) if wanted in words else 0
    return -provider.order, place, row.name, row.distribution


def _named(rows: Sequence[Row], name: str) -> Row | None:
    same = [row for row in rows if row.name == name]
    # Blocked rows come last: of two that share a name, the one that may be used is meant.
    return min(same, key=lambda row: bool(row.blocked), default=None)


def _refusal(row: Row, wanted: str | None, writing: bool) -> str:
    """Return why a row can't be chosen by capability, or an empty string."""
    state, reason = row.state()
    if state in ("blocked", "broken", "unavailable"):
        return f"{state}: {reason}"
    if row.provider is None:
        return "not loaded"
    if wanted is not None and wanted not in capabilities(row.provider, writing=writing):
        held = row.provider
        # Devices are left out of the list where there is something more telling.
        known = (
            ", ".join((held.writes if writing else held.reads or held.languages or held.devices)[:12])
            or "nothing"
        )
        return f"does not {'write' if writing else 'take'} {wanted!r} (but {known})"
    return ""


def _why(chosen: Row | None, able: Sequence[Row], wanted: str | None, writing: bool) -> str:
    if chosen is None:
        return (
            f"none that is available {'writes' if writing else 'takes'} {wanted!r}"
            if wanted
            else "none is available"
        )
    verb = f"{'writes' if writing else 'takes'} {wanted!r}" if wanted else "is available"
    if len(able) == 1:
        return f"the only one that {verb}"
    order = chosen.provider.order if chosen.provider else 0
    return f"{verb}, and comes first by {'its own order' if order == 1 else 'order and name'}"


def _passed_over(row: Row, name: str | None) -> str:
    if name is not None:
        return "another one was asked for by name"
    order = row.provider.order if row.provider else 0
    return "asks to be tried last" if order == -1 else "would do, but comes later in the order"
