"""The provider `gemini` of the hook `voice`."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from typing import Any

import attrs
import numpy as np

from kinetoscope_gemini._cache import Cache
from kinetoscope_gemini._client import Client
from kinetoscope_gemini._cost import Estimate, Ledger
from kinetoscope_gemini._key import find_key
from kinetoscope_gemini._loop import LoopThread
from kinetoscope_gemini._models import Model, model_of
from kinetoscope_gemini._performance import Performance
from kinetoscope_gemini._plan import plan_of
from kinetoscope_gemini._settings import Settings, between
from kinetoscope_gemini._sound import RATE
from kinetoscope_gemini._tags import compiled
from kinetoscope_gemini._takes import Job, Taker
from kinetoscope_gemini._voices import CHARACTERS
from kinetoscope_gemini.direction import Direction
from kinetoscope_gemini.errors import BudgetExceeded
from kinetoscope_spec import Audio, Cue, Script, ValidationError
from kinetoscope_spec.errors import Cancelled, nearest
from kinetoscope_spec.script import Tag, Treatment
from kinetoscope_spec.voice import VoiceInfo

__all__ = ["GeminiVoice"]

Progress = Callable[[int, int, str], Any]


def _direction(value: Direction | Mapping[str, Any] | None) -> Direction:
    return Direction.of(value)


@attrs.frozen(kw_only=True)
class _Options:
    """What `speak` and its kin take beside the script."""

    model: str = attrs.field(validator=attrs.validators.instance_of(str))
    budget_usd: float | None = attrs.field(validator=attrs.validators.optional(between(0, 1e6)))
    direction: Direction = attrs.field(default=None, converter=_direction)
    take: int = attrs.field(default=0, validator=attrs.validators.instance_of(int))
    progress: Progress | None = None


class GeminiVoice:
    """Speaks scripts with Gemini's speech models. Making one costs nothing: no import, no connection.

    The arguments are those of `Settings`. `speak`, `stream` and their async twins take the options

    - `model`: id of another speech model than the settings name
    - `direction`: a `Direction`, or a table with its fields
    - `budget_usd`: the most that this call may cost
    - `take`: another whole number is another take of the same script
    - `progress`: `progress(done, total, message)`, called as requests are done; False cancels

    and raise, beside what the hook's protocol says, the errors of `kinetoscope_gemini.errors`.
    """

    def __init__(self, **settings: Any) -> None:
        self.settings = Settings.of(settings)
        self._loop = LoopThread()
        self._client: Client | None = None
        self._process = 0
        self._lock = threading.Lock()
        held = self.settings
        self._cache = Cache(held.cache_folder, round(held.cache_mb * 1e6)) if held.cache else None

    def voices(self) -> Sequence[VoiceInfo]:
        """Return the 30 prebuilt voices, `Kore` first; each speaks every language of the model."""
        model = model_of(self.settings.model)
        same = self.settings.cache and not self.settings.live
        return [
            VoiceInfo(name, model.languages, RATE, None, character, deterministic=same)
            for name, character in CHARACTERS.items()
        ]

    def speak(self, script: Script, **options: Any) -> Audio:
        """Speak all of it."""
        chosen = self._options(options)
        jobs, performance = self._prepare(script, chosen)
        if chosen.progress is None:  # one hop to the other thread, not one for each request
            return _joined(self._loop.run(_gathered(performance.pieces(live=False))))
        pieces = self._loop.iterate(performance.pieces(live=False))
        return _joined(list(_counted(pieces, len(jobs), chosen.progress)))

    def stream(self, script: Script, **options: Any) -> Iterator[Audio]:
        """Speak it piece by piece; what is wrong with the script is said at once."""
        chosen = self._options(options)
        jobs, performance = self._prepare(script, chosen)
        pieces = self._loop.iterate(performance.pieces(live=self.settings.live))
        return _counted(pieces, len(jobs), chosen.progress)

    async def aspeak(self, script: Script, **options: Any) -> Audio:
        """Speak all of it without holding up the event loop; cancelling ends the requests."""
        chosen = self._options(options)
        jobs, performance = await asyncio.to_thread(self._prepare, script, chosen)
        pieces = self._loop.aiterate(performance.pieces(live=False))
        async with aclosing(_acounted(pieces, len(jobs), chosen.progress)) as counted:
            return _joined([piece async for piece in counted])

    async def astream(self, script: Script, **options: Any) -> AsyncIterator[Audio]:
        """Speak it piece by piece without holding up the event loop."""
        chosen = self._options(options)
        jobs, performance = await asyncio.to_thread(self._prepare, script, chosen)
        pieces = self._loop.aiterate(performance.pieces(live=self.settings.live))
        async with aclosing(_acounted(pieces, len(jobs), chosen.progress)) as counted:
            async for piece in counted:
                yield piece

    def estimate(self, script: Script, **options: Any) -> Estimate:
        """Return what speaking a script would take. Nothing is sent, and no key is needed."""
        chosen = self._options(options)
        model = model_of(chosen.model)
        return _estimated(self._jobs(script, model, chosen)[1], self._cache, model)

    def treatment(self, tag: Tag | str) -> Treatment:
        """Return what is done with an audio tag of the catalogue, or with any words."""
        name, category = (tag, "") if isinstance(tag, str) else (tag.name, tag.category)
        prefix = {"mark": "mark ", "free text": "style: "}.get(category, "")
        effect = compiled(prefix + name, model_of(self.settings.model).dialect)
        return Treatment(name, effect.how, effect.note)

    def close(self) -> None:
        """Close connections and end the thread; speaking again opens them again."""
        with self._lock:  # let go before waiting: a request that begins needs it
            client, self._client = self._client, None
        if self._loop.running:
            if client is not None and self._process == os.getpid():
                self._loop.submit(client.close()).result()
            self._loop.stop()

    # -- how it is done

    def _options(self, options: Mapping[str, Any]) -> _Options:
        known = [field.name for field in attrs.fields(_Options)]
        for name in options:
            if name not in known:
                raise ValidationError(
                    f"gemini has no option {name!r}, expected one of {', '.join(known)}{nearest(name, known)}"
                )
        try:
            return _Options(
                **{"model": self.settings.model, "budget_usd": self.settings.budget_usd, **options}
            )
        except TypeError as error:
            raise ValidationError(f"gemini's options: {error}") from None

    def _jobs(self, script: Script, model: Model, chosen: _Options) -> tuple[Any, list[Job]]:
        plan = plan_of(script, model, self.settings.chunk_s)
        ipa = plan.report.ipa
        return plan, [
            Job(i, chunk, model, chosen.direction, ipa, chosen.take) for i, chunk in enumerate(plan.chunks)
        ]

    def _prepare(self, script: Script, chosen: _Options) -> tuple[list[Job], Performance]:
        """Plan a performance, and make sure that it fits the budget.

        Raises:
            ValidationError: something is wrong with the script.
            BudgetExceeded: all of it would cost more than the budget.
        """
        model = model_of(chosen.model)
        plan, jobs = self._jobs(script, model, chosen)
        ledger = Ledger(model, chosen.budget_usd)
        if chosen.budget_usd is not None:
            found = _estimated(jobs, self._cache, model)
            if found.usd is not None and found.usd > chosen.budget_usd:
                raise BudgetExceeded(
                    f"{found.requests} requests for about {found.seconds:.0f} s of speech would cost about "
                    f"{found.usd:.4f} USD, the budget is {chosen.budget_usd:g} USD; nothing was sent"
                )
        return jobs, Performance(
            script, plan, jobs, Taker(self._connected, self._cache, self.settings, ledger)
        )

    def _connected(self) -> Client:
        """Return the client, built by the first request that is really sent: the cache needs no key."""
        with self._lock:
            if self._client is None or self._process != os.getpid():
                self._client, self._process = (
                    Client(find_key(keyring=self.settings.keyring), self.settings),
                    os.getpid(),
                )
            return self._client


def _estimated(jobs: Sequence[Job], cache: Cache | None, model: Model) -> Estimate:
    new = [job for job in jobs if cache is None or not cache.holds(job.key())]
    tokens = [job.tokens() for job in new]
    tokens_in, tokens_out = (sum(side) for side in zip(*tokens, strict=True)) if tokens else (0, 0)
    seconds = sum(job.chunk.seconds for job in jobs)
    usd = model.usd(tokens_in, tokens_out)
    return Estimate(len(new), len(jobs) - len(new), seconds, tokens_in, tokens_out, usd)


async def _gathered(pieces: AsyncGenerator[Audio, None]) -> list[Audio]:
    return [piece async for piece in pieces]


def _counted(
    pieces: Generator[Audio, None, None], total: int, progress: Progress | None
) -> Generator[Audio, None, None]:
    with closing(pieces):
        for piece in pieces:
            _tell(piece, total, progress)
            yield piece


async def _acounted(
    pieces: AsyncGenerator[Audio, None], total: int, progress: Progress | None
) -> AsyncGenerator[Audio, None]:
    async with aclosing(pieces):
        async for piece in pieces:
            _tell(piece, total, progress)
            yield piece


def _tell(piece: Audio, total: int, progress: Progress | None) -> None:
    """Tell how many requests are done: those sent once, or found in the cache."""
    if progress is None or piece.provenance is None:
        return
    usage = piece.provenance.details["usage"]
    done = min(total, usage["requests"] - usage["retries"] + usage["cached"])
    if progress(done, total, f"{usage['requests']} sent, {usage['cached']} from the cache") is False:
        raise Cancelled(f"cancelled after {done} of {total} requests")


def _joined(pieces: Sequence[Audio]) -> Audio:
    """Return pieces as one audio with the last one's provenance, which has the whole account."""
    cues: list[Cue] = []
    before = 0.0
    for piece in pieces:
        cues += [attrs.evolve(c, start=c.start + before, end=c.end + before) for c in piece.cues]
        before += piece.duration
    return Audio(np.concatenate([piece.samples for piece in pieces]), RATE, cues, pieces[-1].provenance)
