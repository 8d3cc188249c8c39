"""Getting one chunk spoken: from the cache, or by as many requests as faults make necessary."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any, Final

import attrs
import numpy as np

from kinetoscope_gemini._cache import Cache, Kept, key_of
from kinetoscope_gemini._client import Client
from kinetoscope_gemini._cost import Ledger, estimated_tokens
from kinetoscope_gemini._faults import Blob, blobs_of, fault_of, finish_of, problem_of, usage_of
from kinetoscope_gemini._live import BlobDecoder
from kinetoscope_gemini._models import TOKENS_PER_SECOND, Model
from kinetoscope_gemini._plan import Chunk
from kinetoscope_gemini._requests import request_of
from kinetoscope_gemini._settings import ReasonerSettings, Settings
from kinetoscope_gemini._sound import RATE, SILENT, Samples, decoded, frame_levels, resampled
from kinetoscope_gemini.direction import Direction
from kinetoscope_gemini.errors import Blocked, GeminiError, NoAudio
from kinetoscope_spec import FormatError

__all__ = ["Job", "Taker", "wait_s"]

_DOUBTFUL: Final = frozenset(("PROHIBITED_CONTENT", "BLOCKED_REASON_UNSPECIFIED"))
"""What filters say of vague prompts, too: worth one more try, asked more plainly."""


@attrs.frozen
class Job:
    """A chunk and all that shapes its request."""

    index: int
    chunk: Chunk
    model: Model
    direction: Direction
    ipa: Mapping[str, str]
    take: int

    def request(self, *, preamble: bool = False) -> dict[str, Any]:
        """Return the request's body."""
        return request_of(self.chunk, self.model, self.direction, self.ipa, preamble=preamble)

    def key(self) -> str:
        """Return the name of its answer in the cache."""
        return key_of(self.model.id, self.request(), self.take)

    def tokens(self) -> tuple[int, int]:
        """Return about how many tokens it takes, in and out."""
        return estimated_tokens(self.request(), self.chunk.seconds)


def wait_s(fault: GeminiError, attempt: int, settings: Settings | ReasonerSettings) -> float | None:
    """Return how long to wait before the next attempt after the `attempt`-th (from 1), or None to give up.

    What Gemini asks for (RetryInfo) is honoured: never less, and nothing where it is out of patience.
    """
    if not fault.retried or attempt >= settings.attempts:
        return None
    own = settings.first_wait_s * 2.0 ** (attempt - 1) * random.uniform(1.0, 1.5)  # noqa: S311 - jitter
    asked = fault.retry_after_s or 0.0
    if asked > settings.patience_s:
        return None
    return max(asked, min(own, settings.patience_s))


class Taker:
    """Speaks the chunks of one call, at most so many at once."""

    def __init__(
        self, client: Callable[[], Client], cache: Cache | None, settings: Settings, ledger: Ledger
    ) -> None:
        self._client, self._cache, self._settings, self.ledger = client, cache, settings, ledger
        self.parallel = settings.parallel
        self._slots = asyncio.Semaphore(settings.parallel)

    async def kept(self, job: Job) -> Kept | None:
        """Return what the cache holds of a chunk."""
        if self._cache is None:
            return None
        kept = await asyncio.to_thread(self._cache.get, job.key())
        self.ledger.cached += kept is not None
        return kept

    async def whole(self, job: Job) -> Kept:
        """Return a chunk's audio, all of it at once.

        Raises:
            GeminiError: the fault that was not retried, or the last of those that were.
        """
        kept = await self.kept(job)
        if kept is not None:
            return kept
        async with self._slots:
            attempt, plainly = 1, False
            while True:
                self.ledger.promise(job.index, job.tokens)
                samples, fault = await self._once(job, plainly=plainly)
                if fault is None:
                    return await self._keep(job, samples)
                plainly = await self._before_next(job, fault, attempt, plainly=plainly)
                attempt += 1

    async def live(self, job: Job) -> AsyncGenerator[Samples | Kept, None]:
        """Yield a chunk's samples as they come, and at last the `Kept` of them all.

        What fails before the first sample is retried; what fails later can't be, for the next take would
        not go on where this one broke off.

        Raises:
            GeminiError: as `whole`; where samples had come, it says how many seconds.
        """
        async with self._slots:
            attempt, plainly = 1, False
            while True:
                self.ledger.promise(job.index, job.tokens)
                outcome = _Outcome(speaks=bool(job.chunk.words))
                async with aclosing(self._events(job, outcome, plainly=plainly)) as events:
                    async for samples in events:
                        yield samples
                fault = outcome.fault
                if fault is None:
                    yield await self._keep(job, np.concatenate(outcome.given))
                    return
                if outcome.begun:
                    raise _broken_off(fault, sum(map(len, outcome.given)) / RATE)
                plainly = await self._before_next(job, fault, attempt, plainly=plainly)
                attempt += 1

    async def _once(self, job: Job, *, plainly: bool) -> tuple[Samples, GeminiError | None]:
        """Send one request. Faults are returned: raising here would chain the client's exception to them."""
        client = self._client()
        self.ledger.requests += 1
        try:
            response = await client.generate(job.model.id, job.request(preamble=plainly))
        except Exception as error:  # noqa: BLE001 - every one of them becomes one of ours
            return _nothing(), fault_of(error, client.key)
        blobs = blobs_of(response)
        problem = problem_of(response, finish=finish_of(response), has_audio=bool(blobs))
        samples, problem = (_nothing(), problem) if problem else _heard(blobs, job)
        self.ledger.spend(job.index, _usage(usage_of(response), len(samples), job))
        return samples, problem

    async def _events(self, job: Job, outcome: _Outcome, *, plainly: bool) -> AsyncGenerator[Samples, None]:
        """Send one request and yield its samples as they come; how it ended is left in `outcome`."""
        client = self._client()
        self.ledger.requests += 1
        try:
            stream = await client.stream(job.model.id, job.request(preamble=plainly))
            async with aclosing(stream) as events:
                async for event in events:
                    for samples in outcome.take(event):
                        yield samples
            for samples in outcome.rest():
                yield samples
        except FormatError as error:
            outcome.fault = _unreadable(error)
        except Exception as error:  # noqa: BLE001 - every one of them becomes one of ours
            outcome.fault = fault_of(error, client.key)
        self.ledger.spend(job.index, _usage(outcome.usage, sum(map(len, outcome.given)), job))
        outcome.fault = outcome.fault or outcome.problem()

    async def _before_next(self, job: Job, fault: GeminiError, attempt: int, *, plainly: bool) -> bool:
        """Wait, or raise the fault where nothing is sent again; return whether to ask more plainly.

        Filters take vague prompts amiss: one more try, asked plainly, and their second word is final.
        """
        doubtful = isinstance(fault, Blocked) and fault.reason in _DOUBTFUL and job.model.dialect != "3.8"
        if doubtful and not plainly and attempt < self._settings.attempts:
            self.ledger.retries += 1
            return True
        wait = wait_s(fault, attempt, self._settings)
        if wait is None:
            if attempt > 1:
                fault.add_note(f"gemini: it was sent {attempt} times")
            raise fault
        self.ledger.retries += 1
        await asyncio.sleep(wait)
        return plainly

    async def _keep(self, job: Job, samples: Samples) -> Kept:
        kept = Kept(samples, RATE, datetime.now(UTC).isoformat(timespec="seconds"))
        if self._cache is not None:
            await asyncio.to_thread(self._cache.put, job.key(), kept)
        return kept


class _Outcome:
    """What came of one streamed request so far.

    Attributes:
        given: all samples that came.
        begun: whether something was heard in them; before that none is given out, for the request may
            have to be sent again.
        fault: how it failed, or None.
        usage: tokens, in and out.
    """

    def __init__(self, *, speaks: bool) -> None:
        self.given: list[Samples] = []
        self.begun = False
        self.fault: GeminiError | None = None
        self.usage = (0, 0)
        self._speaks = speaks
        self._finish: str | None = None
        self._last: Any = None
        self._decoder = BlobDecoder()

    def take(self, event: Any) -> Iterator[Samples]:
        """Yield the samples of one event.

        Raises:
            FormatError: they are in no format that is known.
        """
        self._last = event
        self._finish = finish_of(event) or self._finish
        self.usage = max(self.usage, usage_of(event))
        for data, mime in blobs_of(event):
            yield from self._some(self._decoder.push(data, mime))

    def rest(self) -> Iterator[Samples]:
        """Yield what can be decoded only at the end."""
        yield from self._some(self._decoder.finish())
        if self.given and not self.begun and not self._speaks:
            yield np.concatenate(self.given)

    def _some(self, samples: Samples) -> Iterator[Samples]:
        if not len(samples):
            return
        self.given.append(_sixteen_bits(samples))
        if self.begun:
            yield self.given[-1]
        elif _is_heard(held := np.concatenate(self.given)):
            self.begun = True
            yield held

    def problem(self) -> GeminiError | None:
        """Return what is wrong with how the stream ended, or None."""
        found = problem_of(self._last, finish=self._finish, has_audio=bool(self.given))
        if found is None and self._finish is None:
            return NoAudio("the stream ended before the speech did", status=200, reason="CUT")
        if found is None and self._speaks and not self.begun:
            return _silent()
        return found


def _heard(blobs: list[Blob], job: Job) -> tuple[Samples, GeminiError | None]:
    """Decode an answer's audio to 24 kHz and 16 bits."""
    try:
        pieces = [decoded(data, mime) for data, mime in blobs]
    except FormatError as error:
        return _nothing(), _unreadable(error)
    samples = np.concatenate([resampled(piece, rate, RATE) for piece, rate in pieces])
    if job.chunk.words and not _is_heard(samples):
        return samples, _silent()
    return _sixteen_bits(samples), None


def _is_heard(samples: Samples) -> bool:
    return bool((frame_levels(samples, RATE) > SILENT).any())


def _silent() -> NoAudio:
    return NoAudio("Gemini's audio is silent", status=200, reason="SILENT")


def _sixteen_bits(samples: Samples) -> Samples:
    """Round to what the cache holds, so that what is spoken anew and what was kept are equal."""
    steps = np.rint(samples * np.float32(32768)).clip(-32768, 32767)
    return np.asarray(steps / 32768, np.float32)


def _usage(told: tuple[int, int], count: int, job: Job) -> tuple[int, int]:
    """Return the tokens that an answer told, or where it told none those of the samples that came."""
    if any(told) or not count:
        return told
    return job.tokens()[0], round(count / RATE * TOKENS_PER_SECOND)


def _unreadable(error: FormatError) -> NoAudio:
    return NoAudio(f"Gemini's audio can't be read: {error}", status=200, reason="UNREADABLE")


def _broken_off(fault: GeminiError, seconds: float) -> GeminiError:
    return type(fault)(
        f"{fault}; {seconds:.1f} s of it had been given out, and a stream can't take them back (speak() can)",
        status=fault.status,
        reason=fault.reason,
        retry_after_s=fault.retry_after_s,
    )


def _nothing() -> Samples:
    return np.zeros(0, np.float32)
