"""Credentials with one thing wrong: what shows that the laws of `CredentialsContract` have teeth."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import attrs

from kinetoscope_c2pa.protocol import Claim, Statement
from kinetoscope_spec.contracts import Mutant, Wrapper, mutant

__all__ = ["MUTANTS"]

MUTANTS: list[Mutant] = []
_NUMBERS = count()


@mutant(MUTANTS, "what_is_signed_is_read_again")
class ForgetsASource(Wrapper):
    """says of the whole that it was filmed"""

    def read(self, path: Path) -> Statement | None:
        told: Statement | None = self.real.read(path)
        return told and attrs.evolve(told, source="digitalCapture" if told.intact else told.source)


@mutant(MUTANTS, "what_is_heard_stays_as_it_is")
class TurnsDown(Wrapper):
    """clears a bit of the samples before it signs them"""

    def sign(self, source: Path, out: Path, claim: Claim) -> None:
        held = bytearray(source.read_bytes())
        held[-1] ^= 1
        softer = source.with_name(f"softer{source.suffix}")
        softer.write_bytes(held)
        self.real.sign(softer, out, claim)


@mutant(MUTANTS, "a_signer_stays_who_it_is")
class Renames(Wrapper):
    """tells its signer by a number that is another each time"""

    def signer(self) -> str:
        return f"{self.real.signer()} {next(_NUMBERS)}"


@mutant(MUTANTS, "a_change_is_noticed")
class BelievesAll(Wrapper):
    """takes every statement for intact"""

    def read(self, path: Path) -> Statement | None:
        told: Statement | None = self.real.read(path)
        return told and attrs.evolve(told, intact=True)


@mutant(MUTANTS, "who_says_nothing_says_nothing")
class SpeaksForOthers(Wrapper):
    """has an empty statement for files that nobody signed"""

    def read(self, path: Path) -> Statement | None:
        told: Statement | None = self.real.read(path)
        return told or Statement("", "", "", (), (), "", intact=False, trusted=False)
