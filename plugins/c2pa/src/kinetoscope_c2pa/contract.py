"""The laws of the hook `credentials`, to be run on any provider of it.

    class TestMine(CredentialsContract):
        provider = MyCredentials()

Needs hypothesis (extra `contracts`).
"""

from __future__ import annotations

import tempfile
import wave
from pathlib import Path
from typing import Any, ClassVar

import attrs
import numpy as np
from hypothesis import strategies as st

from kinetoscope_c2pa.protocol import SOURCES, Claim, Made
from kinetoscope_spec.contracts import Contract, law, require

__all__ = ["CredentialsContract"]

_WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=40)
_STEPS = st.builds(Made, _WORDS, st.one_of(st.just(""), _WORDS), st.sampled_from(("", *SOURCES)))
_CLAIMS = st.builds(
    Claim,
    _WORDS,
    st.tuples(_WORDS, _WORDS),
    st.sampled_from(SOURCES),
    st.lists(_STEPS, max_size=4).map(tuple),
)
_SOUNDS = st.binary(min_size=64, max_size=512).map(lambda held: held[: len(held) // 2 * 2])


class CredentialsContract(Contract):
    """What callers rely on; tried on sounds, which everybody can write and read."""

    hook: ClassVar[str] = "credentials"
    mutants: ClassVar[str | None] = "kinetoscope_c2pa.contract_mutants:MUTANTS"

    @law(_SOUNDS, _CLAIMS)
    def test_what_is_signed_is_read_again(self, sound: bytes, claim: Claim) -> None:
        """Title, source and steps come back as they were given, intact, and so does an ingredient's name."""
        with tempfile.TemporaryDirectory() as folder:
            part = _written(Path(folder) / "part.wav", sound)
            told = self._signed(Path(folder), sound, attrs.evolve(claim, ingredients=(part,)))
        require(told is not None, "a signed file says nothing")
        for name in ("title", "source", "steps"):
            there, here = getattr(claim, name), getattr(told, name)
            require(here == there, f"{name} is {here!r}, expected {there!r}")
        require(told.ingredients == ("part.wav",), f"ingredients are {told.ingredients}")
        require(told.intact, f"what was just signed is not intact: {told.problems}")
        require(all(word in told.generator for word in claim.generator), f"generator is {told.generator!r}")

    @law(_SOUNDS, _CLAIMS)
    def test_what_is_heard_stays_as_it_is(self, sound: bytes, claim: Claim) -> None:
        """A signed sound has the samples that it had, and the file that was read is untouched."""
        with tempfile.TemporaryDirectory() as folder:
            self._signed(Path(folder), sound, claim)
            for name in ("signed.wav", "sound.wav"):
                with wave.open(str(Path(folder) / name)) as held:
                    same = held.readframes(held.getnframes()) == sound
                require(same, f"{name} has other samples than the sound that was signed")

    @law(_SOUNDS, _CLAIMS)
    def test_a_signer_stays_who_it_is(self, sound: bytes, claim: Claim) -> None:
        """What tells one certificate from another is words, and the same before and after a signing."""
        with tempfile.TemporaryDirectory() as folder:
            before = self.subject.signer()
            self._signed(Path(folder), sound, claim)
        require(isinstance(before, str) and before, f"the signer is {before!r}, expected words")
        after = self.subject.signer()
        require(before == after, f"the signer is {after!r} after a signing, {before!r} before")

    @law(_SOUNDS, _CLAIMS, st.integers(0, 2**16))
    def test_a_change_is_noticed(self, sound: bytes, claim: Claim, place: int) -> None:
        """A sample that is changed after the signing breaks it."""
        with tempfile.TemporaryDirectory() as folder:
            self._signed(Path(folder), sound, claim)
            file = Path(folder) / "signed.wav"
            held = bytearray(file.read_bytes())
            start = bytes(held).index(b"data") + 8
            held[start + place % len(sound)] ^= 1
            file.write_bytes(held)
            told = self.subject.read(file)
        require(told is not None and not told.intact, "a changed sample passes for intact")

    @law(_SOUNDS)
    def test_who_says_nothing_says_nothing(self, sound: bytes) -> None:
        """A file that nobody signed has no statement."""
        with tempfile.TemporaryDirectory() as folder:
            told = self.subject.read(_written(Path(folder) / "sound.wav", sound))
        require(told is None, f"a file that nobody signed says {told}")

    def _signed(self, folder: Path, sound: bytes, claim: Claim) -> Any:
        source, out = _written(folder / "sound.wav", sound), folder / "signed.wav"
        require(self.subject.signs(source), "sounds (.wav) can't be signed, on which these laws are tried")
        self.subject.sign(source, out, claim)
        return self.subject.read(out)


def _written(path: Path, sound: bytes) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(np.frombuffer(sound, "<i2").tobytes())
    return path
