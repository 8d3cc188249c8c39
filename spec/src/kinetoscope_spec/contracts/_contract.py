"""The base of contracts: a class with laws, a provider, and what it leaves out."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, ClassVar, Self

from kinetoscope_spec.contracts._law import Law
from kinetoscope_spec.errors import ContractError, nearest

if TYPE_CHECKING:
    from kinetoscope_spec.contracts.mutants import Mutant

__all__ = ["Contract"]


class Contract:
    """What callers of one hook's providers rely on, as laws. Subclass it and set `provider`:

        class TestMine(ImporterContract):
            provider = MyImporter()

    Attributes:
        hook: the hook whose providers it judges.
        provider: the provider, or the class that makes one when it is called.
        name: what failures call it; its class's name unless set.
        omits: laws that do not apply, with the reason: `{"names_survive": "..."}`, or the sequence
            of `"law: reason"` of `Provider.omits`.
        mutants: `"module:NAME"` of the mutants that show the laws have teeth, or None.
        unfelt: mutants, by their summaries, that change nothing in what this provider returns, so that no
            law can notice them, with the reason.
    """

    hook: ClassVar[str] = ""
    provider: Any = None
    name: str = ""
    omits: Mapping[str, str] | Sequence[str] = ()
    mutants: ClassVar[str | None] = None
    unfelt: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def laws(cls) -> tuple[Law, ...]:
        """Return the laws in the order of their definition, a base's first."""
        found: dict[str, Law] = {}
        for base in reversed(cls.__mro__):
            for name, held in vars(base).items():
                if isinstance(getattr(held, "law", None), Law):
                    found[name] = held.law
                elif name in found:
                    del found[name]
        return tuple(found.values())

    @classmethod
    def of(cls, provider: Any, **attributes: Any) -> Self:
        """Return this contract over another provider, with these attributes set."""
        made = type(cls.__name__, (cls,), {"provider": provider, **attributes})
        instance: Self = made()
        return instance

    @classmethod
    def known_mutants(cls) -> tuple[Mutant, ...]:
        """Return the mutants that this contract is to catch, importing them now."""
        if cls.mutants is None:
            return ()
        held: Sequence[Mutant] = resolve_name(cls.mutants)
        unknown = set(cls.unfelt) - {mutant.summary for mutant in held}
        if unknown:
            raise ContractError(
                f"{cls.__name__} says of {sorted(unknown)} that it is unfelt, which is no mutant"
            )
        return tuple(mutant for mutant in held if mutant.summary not in cls.unfelt)

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "__init__" in cls.__dict__:
            raise TypeError(f"{cls.__name__} has an __init__, and test runners pass such classes over")
        held = cls.__dict__.get("provider")
        if not cls.__dict__.get("name") and held is not None:
            cls.name = held.__name__ if isinstance(held, type) else type(held).__name__

    @property
    def subject(self) -> Any:
        """The provider that is judged, made on first use where `provider` is a class."""
        held = type(self).provider
        return _made(held) if isinstance(held, type) else self.provider

    def left_out(self) -> dict[str, str]:
        """Return what `omits` says: law to reason.

        Raises:
            ContractError: a reason is missing, or there is no such law.
        """
        omitted = _omitted(self.omits)
        known = [held.name for held in self.laws()]
        for name in omitted:
            if name not in known:
                raise ContractError(f"{self.name} omits {name!r}, which is no law{nearest(name, known)}")
        return omitted

    def why_not(self, law: Law) -> str | None:
        """Return why `law` does not apply to this provider, or None."""
        omitted = self.left_out()
        if law.name in omitted:
            return omitted[law.name]
        reason: str | None = getattr(self, law.unless)() if law.unless else None
        return reason

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Make an empty folder that is gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="kinetoscope-", ignore_cleanup_errors=True) as name:
            yield Path(name)


@lru_cache(maxsize=64)
def _made(kind: type) -> Any:
    return kind()


def _omitted(omits: Mapping[str, str] | Sequence[str]) -> dict[str, str]:
    """Return law to reason; a law left out without a reason is refused.

    Raises:
        ContractError: an entry has no reason.
    """
    pairs = omits.items() if isinstance(omits, Mapping) else (entry.partition(":")[::2] for entry in omits)
    found = {name.strip(): reason.strip() for name, reason in pairs}
    for name, reason in found.items():
        if not reason:
            raise ContractError(f"{name!r} is left out without a reason, expected 'law: reason'")
    return found
