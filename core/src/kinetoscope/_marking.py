"""What stands between a voice and its callers: nothing that it says leaves the host unmarked.

The voice does not mark, and can't leave it out: its methods are wrapped when the host builds it. A
sound is marked as one, however it is cut into pieces, so that a stream is what is spoken. The network
looks ahead a little; a piece is handed out when it is marked, cut where no cue is under way.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, closing, nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from kinetoscope._proxy import annotate, target_of
from kinetoscope_spec.errors import PluginError

if TYPE_CHECKING:
    from kinetoscope_spec import Audio, Cue, Provenance, Script

__all__ = ["MARKED", "Marker", "Marks"]

MARKED = ("speak", "stream", "aspeak", "astream")
"""The methods of a voice that give sound."""

REMEMBERED = 1 << 16
"""Sounds that a host knows to be marked, at least; those before are looked through when they are written."""

Call = Callable[..., Any]


class Marker:
    """The watermarker of a host, and what it has marked.

    Args:
        find: returns the watermarker's name and the watermarker; called when a voice first speaks.
    """

    def __init__(self, find: Callable[[], tuple[str, Any]]) -> None:
        self._find = find
        self._held: tuple[str, Any] | None = None
        self._digests: set[bytes] = set()
        self._before: set[bytes] = set()

    def found(self) -> tuple[str, Any]:
        """Return the watermarker's name, and the watermarker."""
        if self._held is None:
            self._held = self._find()
        return self._held

    def remember(self, audio: Audio) -> Audio:
        """Keep in mind that this very sound is marked."""
        if len(self._digests) >= REMEMBERED:  # a host that streams for days
            self._before, self._digests = self._digests, set()
        self._digests.add(_digest(audio))
        return audio

    def knows(self, audio: Audio) -> bool:
        """Whether this very sound, to the bit, was marked here."""
        digest = _digest(audio)
        return digest in self._digests or digest in self._before

    def __getstate__(self) -> dict[str, Any]:
        # In another process there is no host to ask: the watermarker itself goes along.
        name, marker = self.found()
        return {"_held": (name, target_of(marker)), "_digests": set(), "_before": set()}


def _digest(audio: Audio) -> bytes:
    digest = hashlib.blake2b(f"{audio.rate} {audio.samples.shape}".encode(), digest_size=16)
    digest.update(audio.samples.tobytes())
    return digest.digest()


class Marks:
    """Wraps the methods of one voice so that their sound is marked.

    Args:
        voice: the provider's name, for its provenance where it gives none.
        note: what is added to exceptions.
        marker: what marks.
        cued: returns a sound of a script with cues of its words where the voice gives none. Of a stream
            nobody knows what a piece says: its cues are the voice's own.
    """

    def __init__(self, voice: str, note: str, marker: Marker, cued: Callable[[Audio, Script], Audio]) -> None:
        self.voice = voice
        self.note = note
        self.marker = marker
        self.cued = cued

    def __call__(self, name: str, call: Call) -> Call:
        """Return the method `name` of the voice, marking; others as they are."""
        if name not in MARKED:
            return call
        marking: Call = getattr(self, f"_{name}")(call)
        return functools.update_wrapper(marking, call)

    def _speak(self, call: Call) -> Call:
        def speak(script: Script, *args: Any, **options: Any) -> Audio:
            self.marker.found()  # before the voice takes time, or money
            return self._whole(call(script, *args, **options), script)

        return speak

    def _aspeak(self, call: Call) -> Call:
        async def aspeak(script: Script, *args: Any, **options: Any) -> Audio:
            await asyncio.to_thread(self.marker.found)
            audio = await call(script, *args, **options)
            return await asyncio.to_thread(self._whole, audio, script)

        return aspeak

    def _stream(self, call: Call) -> Call:
        def marked(pieces: Any, script: Script) -> Iterator[Audio]:
            session = Session(self, script)
            try:
                with closing(pieces) if hasattr(pieces, "close") else nullcontext():
                    for piece in pieces:
                        yield from session.push(piece)
                yield from session.finish()
            except Exception as error:
                annotate(error, self.note)
                raise

        def stream(script: Script, *args: Any, **options: Any) -> Iterator[Audio]:
            self.marker.found()
            return marked(iter(call(script, *args, **options)), script)

        def lazily(script: Script, *args: Any, **options: Any) -> Iterator[Audio]:
            yield from stream(script, *args, **options)

        # A generator function stays one: what is traced of it is its whole run.
        return lazily if inspect.isgeneratorfunction(call) else stream

    def _astream(self, call: Call) -> Call:
        async def astream(script: Script, *args: Any, **options: Any) -> AsyncIterator[Audio]:
            await asyncio.to_thread(self.marker.found)
            session = Session(self, script)
            pieces = call(script, *args, **options)
            if inspect.iscoroutine(pieces):
                pieces = await pieces
            async with aclosing(pieces) if hasattr(pieces, "aclose") else nullcontext():
                async for piece in pieces:
                    for marked in await asyncio.to_thread(session.push, piece):
                        yield marked
            for marked in await asyncio.to_thread(session.finish):
                yield marked

        return astream

    def _whole(self, audio: Audio, script: Script) -> Audio:
        import attrs

        audio = self.cued(audio, script)
        session = Session(self, script)
        session.push(audio, whole=True)
        (marked,) = session.finish(whole=True)
        # As one sound it keeps its cues as they are.
        return attrs.evolve(marked, cues=audio.cues)

    def provenance(self, given: Provenance | None, script: Script, name: str) -> Provenance:
        """Return what is known of the sound's origin, with the mark, and without gaps that can be filled."""
        import attrs

        from kinetoscope_spec import Provenance

        made = given or Provenance(self.voice)
        details = dict(made.details)
        if made.watermark and made.watermark != name:
            details["voice_watermark"] = made.watermark  # one of its own, which the host can't verify
        return attrs.evolve(
            made,
            provider=made.provider or self.voice,
            text_sha256=made.text_sha256 or hashlib.sha256(script.text.encode()).hexdigest(),
            created=made.created or datetime.now(UTC).isoformat(timespec="seconds"),
            watermark=name,
            details=details,
        )


class Session:
    """One sound on its way through the watermarker."""

    def __init__(self, marks: Marks, script: Script) -> None:
        self._marks = marks
        self._script = script
        self._name, self._marker = marks.marker.found()
        self._marking: Any = None
        self._rate = 0
        self._taken = self._given = 0  # samples, from the voice and to the caller
        self._ready: list[Any] = []
        self._cues: list[tuple[int, Cue]] = []  # with the sample at which their piece began
        self._origins: list[tuple[int, Provenance]] = []

    def push(self, piece: Audio, *, whole: bool = False) -> Sequence[Audio]:
        """Take a piece from the voice and return those that are marked, none with `whole`."""
        samples = piece.samples
        if self._marking is None:
            self._rate, self._channels = piece.rate, samples.shape[1]
            self._marking = self._marker.open(piece.rate, samples.shape[1])
        elif (piece.rate, samples.shape[1]) != (self._rate, self._channels):
            raise PluginError(
                f"the voice changed from {self._channels} channels at {self._rate} Hz to {samples.shape[1]} at "
                f"{piece.rate} Hz within a stream, expected all pieces alike"
            )
        self._origins.append(
            (self._taken, self._marks.provenance(piece.provenance, self._script, self._name))
        )
        self._cues += [(self._taken, cue) for cue in piece.cues] if not whole else []
        self._taken += len(samples)
        self._ready.append(self._marking.push(samples))
        return [] if whole else self._pieces(last=False)

    def finish(self, *, whole: bool = False) -> Sequence[Audio]:
        """Return the rest, in one piece."""
        if self._marking is None:
            return []
        self._ready.append(self._marking.finish())
        ready = sum(len(samples) for samples in self._ready)
        if ready != self._taken - self._given:
            raise PluginError(
                f"the watermarker {self._name!r} returned {self._given + ready} samples of {self._taken}"
            )
        return self._pieces(last=True, empty=whole)

    def _pieces(self, *, last: bool, empty: bool = False) -> Sequence[Audio]:
        """Return what is ready as one piece, up to where no cue is under way."""
        import numpy as np

        from kinetoscope_spec import Audio

        ready = self._given + sum(len(samples) for samples in self._ready)
        cut = ready if last else self._cut(ready)
        if cut <= self._given and not empty:
            return []
        samples = np.concatenate(self._ready)
        count = cut - self._given
        passed = len(self._cues) if last else self._passed(cut)
        cues = self._moved(passed)
        # What is last in it: a voice that keeps an account has the fullest there.
        origin = next((made for at, made in reversed(self._origins) if at < cut), self._origins[0][1])
        audio = Audio(samples[:count], self._rate, cues, origin)
        self._cues = self._cues[passed:]
        self._ready = [samples[count:]]
        self._given = cut
        begun = sum(at <= cut for at, _ in self._origins)
        self._origins = self._origins[begun - 1 :]
        return [self._marks.marker.remember(audio)]

    def _moved(self, count: int) -> list[Cue]:
        """Return the first cues that are left, as they stand in the next piece."""
        import attrs

        moved = []
        for at, cue in self._cues[:count]:
            shift = (at - self._given) / self._rate
            start, end = max(0.0, cue.start + shift), max(0.0, cue.end + shift)
            moved.append(attrs.evolve(cue, start=start, end=end) if shift else cue)
        return moved

    def _spans(self) -> list[tuple[int, int]]:
        """Return from which sample to which each cue goes; they are ordered by start."""
        return [
            (
                min(self._taken, at + round(cue.start * self._rate)),
                min(self._taken, at + round(cue.end * self._rate)),
            )
            for at, cue in self._cues
        ]

    def _passed(self, cut: int) -> int:
        """Return how many cues belong before a cut: those of a moment at the cut too, no sample may follow."""
        count = 0
        for start, end in self._spans():
            if start > cut or end > cut:
                break
            count += 1
        return count

    def _cut(self, ready: int) -> int:
        """Return the last sample up to `ready` at which no cue is under way."""
        cut = ready
        for start, end in reversed(self._spans()):  # what begins later can't come into the way
            if start < cut < end:
                cut = start
        return cut
