"""Providers with one thing wrong: what shows that a law has teeth.

A mutant wraps a provider that passes and breaks one promise of it. `kinetoscope check NAME
--mutants` runs every law against its mutants, made of the provider that is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs

__all__ = ["Mutant", "Wrapper", "mutant"]


@attrs.frozen
class Mutant:
    """One thing wrong.

    Attributes:
        law: the law that it breaks.
        summary: what is wrong, in words.
        wrap: makes a mutant of a provider that passes.
    """

    law: str
    summary: str
    wrap: Callable[[Any], Any]


class Wrapper:
    """Base of mutants: does what `real` does until a subclass does one thing otherwise."""

    def __init__(self, real: Any) -> None:
        self.real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


def mutant(collected: list[Mutant], law: str) -> Callable[[type[Wrapper]], type[Wrapper]]:
    """Add a `Wrapper` class, whose docstring says what is wrong, to the mutants of a contract."""

    def add(kind: type[Wrapper]) -> type[Wrapper]:
        collected.append(Mutant(law, " ".join((kind.__doc__ or kind.__name__).split()), kind))
        return kind

    return add


def laws_without(mutants: Sequence[Mutant], laws: Sequence[str]) -> list[str]:
    """Return the laws that no mutant breaks."""
    covered = {mutant.law for mutant in mutants}
    return [law for law in laws if law not in covered]
