"""A whole performance: its chunks spoken side by side, matched in loudness, joined in order."""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import numpy as np

from kinetoscope_gemini._cache import Kept
from kinetoscope_gemini._cues import LiveCues, Piece, word_cues
from kinetoscope_gemini._joining import Joiner
from kinetoscope_gemini._plan import Plan
from kinetoscope_gemini._sound import RATE, Samples, level, matching_gain
from kinetoscope_gemini._takes import Job, Taker
from kinetoscope_spec import Audio, Provenance, Script

__all__ = ["Performance"]


class Performance:
    """One call of `speak` or `stream`."""

    def __init__(self, script: Script, plan: Plan, jobs: Sequence[Job], taker: Taker) -> None:
        self._script, self._plan, self._jobs, self._taker = script, plan, jobs, taker
        self._joiner = Joiner()
        self._levels: dict[tuple[str, ...], float] = {}
        self._created = ""

    async def pieces(self, *, live: bool) -> AsyncGenerator[Audio, None]:
        """Yield the speech, chunk by chunk, or with `live` the first of them while it is made."""
        waiting = deque(self._jobs)
        under_way: deque[tuple[Job, asyncio.Task[Kept]]] = deque()
        try:
            if live and _can_stream(waiting[0]):
                job = waiting.popleft()
                kept = await self._taker.kept(job)
                self._ahead(waiting, under_way, less=kept is None)
                is_last = not under_way
                if kept is not None:
                    yield self._audio(self._joined(job, kept, is_last=is_last))
                else:
                    async with aclosing(self._live(job, is_last=is_last)) as pieces:
                        async for piece in pieces:
                            yield self._audio(piece)
            while waiting or under_way:
                self._ahead(waiting, under_way)
                job, task = under_way[0]
                kept = await task
                under_way.popleft()
                self._ahead(waiting, under_way)
                yield self._audio(self._joined(job, kept, is_last=not under_way))
        finally:
            for _, task in under_way:
                task.cancel()
            await asyncio.gather(*(task for _, task in under_way), return_exceptions=True)

    def _ahead(
        self, waiting: deque[Job], under_way: deque[tuple[Job, asyncio.Task[Kept]]], *, less: int = 0
    ) -> None:
        """Keep as many requests under way as are allowed, and no more answers in memory than that."""
        while waiting and len(under_way) < max(1, self._taker.parallel - less):
            job = waiting.popleft()
            under_way.append((job, asyncio.create_task(self._taker.whole(job))))

    def _joined(self, job: Job, kept: Kept, *, is_last: bool) -> Piece:
        """Bring a chunk to the level of those before it that are meant to be as loud, and join it on."""
        chunk, samples = job.chunk, kept.samples
        self._created = max(self._created, kept.created)
        found = level(samples, RATE)
        gain = matching_gain(samples, found, self._levels.setdefault(chunk.moods, found))
        before = self._joiner.given
        self._joiner.begin(chunk.gap_s)
        out = [self._joiner.push(samples, gain=gain, last=True)]
        if is_last:
            out.append(self._joiner.finish(self._plan.tail_s))
        cues = word_cues(chunk.words, samples, self._joiner.origin - before)
        return Piece(np.concatenate(out), tuple(cues))

    async def _live(self, job: Job, *, is_last: bool) -> AsyncGenerator[Piece, None]:
        cuer = LiveCues(job.chunk.words)
        self._joiner.begin(job.chunk.gap_s)
        async with aclosing(self._taker.live(job)) as source:
            async for came in source:
                if isinstance(came, Kept):
                    self._levels[job.chunk.moods] = level(came.samples, RATE)
                    self._created = came.created
                    piece = cuer.finish(self._rest(is_last=is_last))
                else:
                    piece = cuer.push(self._joiner.push(came))
                if piece is not None:
                    yield piece

    def _rest(self, *, is_last: bool) -> Samples:
        out = self._joiner.push(np.zeros(0, np.float32), last=True)
        return np.concatenate([out, self._joiner.finish(self._plan.tail_s)]) if is_last else out

    def _audio(self, piece: Piece) -> Audio:
        return Audio(piece.samples[:, None], RATE, piece.cues, self.provenance())

    def provenance(self) -> Provenance:
        """Return who spoke, with the account so far and what became of tags and lexicon."""
        model = self._jobs[0].model
        details: dict[str, Any] = {"usage": self._taker.ledger.told(), "synthid": model.synthid}
        report = self._plan.report
        told = {"tags": report.tags(), "lexicon": report.lexicon(), "direction": self._left_out()}
        details |= {name: entries for name, entries in told.items() if entries}
        return Provenance(
            "gemini",
            model.id,
            ", ".join(self._plan.voices),
            hashlib.sha256(self._script.text.encode()).hexdigest(),
            self._created or datetime.now(UTC).isoformat(timespec="seconds"),
            details=details,
        )

    def _left_out(self) -> list[dict[str, str]]:
        """Return what the model has no place for of the direction."""
        job = self._jobs[0]
        if job.model.dialect != "3.8":
            return []
        lost = [name for name in ("profile", "scene", "accent", "context") if getattr(job.direction, name)]
        found = [{"part": name, "how": "unsupported"} for name in lost]
        regions = sorted({job.chunk.accent for job in self._jobs if job.chunk.accent})
        return found + [{"part": f"accent of {region}", "how": "unsupported"} for region in regions]


def _can_stream(job: Job) -> bool:
    return job.model.streams and job.chunk.seconds <= job.model.live_s
