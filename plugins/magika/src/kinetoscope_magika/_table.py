"""The open table of signatures: the importers' own first, then ours."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from importlib import import_module

import attrs

from kinetoscope_magika._source import Ends
from kinetoscope_spec import Signature

__all__ = ["Match", "Table"]

_LOG = logging.getLogger("kinetoscope.magika")
_LOG.addHandler(logging.NullHandler())  # nothing is printed unless the application sets logging up

Rule = Callable[[bytes, bytes, int], bool]


@attrs.frozen
class Match:
    """The signature that fits, and how it was found: by `signature` or by `rule`."""

    signature: Signature
    decided_by: str


class Table:
    """Signatures in the order in which they are asked: those with a magic before mere rules.

    A text's rule sees the text without what stands blank before it. A rule that fails is no
    match: one plugin's mistake does not take detection down.
    """

    def __init__(self, signatures: Iterable[Signature]) -> None:
        everyone = tuple(signatures)
        self.signatures = everyone
        self._strong = [s for s in everyone if s.magic]
        self._rules = [s for s in everyone if not s.magic]
        self._plausible: dict[tuple[bytes, bytes], list[Signature]] = {}
        self._loaded: dict[str, Rule | None] = {}
        self.labels = frozenset(s.label for s in everyone)

    def match(self, ends: Ends) -> Match | None:
        """Return the first signature that fits."""
        for signature in self._plausible_for(ends):
            if self._fits(signature, ends):
                return Match(signature, "signature")
        for signature in self._rules:
            if self._fits(signature, ends):
                return Match(signature, "rule")
        return None

    def _plausible_for(self, ends: Ends) -> list[Signature]:
        """Return those with a magic that the first byte does not rule out, in order: a few of many."""
        first = ends.head[:1], ends.text[:1]
        held = self._plausible.get(first)
        if held is None:
            held = [s for s in self._strong if s.offset or s.magic[:1] == first[s.is_text]]
            self._plausible[first] = held
        return held

    def _fits(self, signature: Signature, ends: Ends) -> bool:
        head = ends.text if signature.is_text else ends.head
        if signature.magic and not head.startswith(signature.magic, signature.offset):
            return False
        if signature.rule is None:
            return True
        rule = self._rule(signature.rule)
        try:
            return rule is not None and bool(rule(head, ends.tail, ends.size))
        except Exception as error:  # noqa: BLE001 - a stranger's rule may raise anything
            _LOG.warning("the rule for %r failed: %r", signature.label, error)
            return False

    def _rule(self, rule: str | Rule) -> Rule | None:
        if not isinstance(rule, str):
            return rule
        if rule not in self._loaded:
            module, _, name = rule.partition(":")
            try:
                self._loaded[rule] = getattr(import_module(module), name)
            except Exception as error:  # noqa: BLE001 - a stranger's module may raise anything
                _LOG.warning("the rule %r can't be loaded: %r", rule, error)
                self._loaded[rule] = None
        return self._loaded[rule]
