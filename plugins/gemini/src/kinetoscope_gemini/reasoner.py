"""The provider `gemini` of the hook `reasoner`: what changes in a video when an object is taken out."""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Waited
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

from kinetoscope_gemini import _sight
from kinetoscope_gemini._client import Client
from kinetoscope_gemini._faults import answer_of, fault_of
from kinetoscope_gemini._key import find_key
from kinetoscope_gemini._loop import LoopThread
from kinetoscope_gemini._question import SCHEMA, SYSTEM, question
from kinetoscope_gemini._settings import ReasonerSettings
from kinetoscope_gemini._takes import wait_s
from kinetoscope_gemini.errors import GeminiError, NoAnswer, RequestRefused
from kinetoscope_spec import Cancelled, Mask, Progress, ProviderNotFound, ValidationError, Video

if TYPE_CHECKING:
    from kinetoscope_quadmask.hooks import Grid, Reasoning

__all__ = ["GeminiReasoner"]

TICK_S: Final = 0.2
"""How often progress is told, and may cancel, while an answer is awaited."""


class GeminiReasoner:
    """Asks a vision model of Gemini's. Making one costs nothing: no import, no connection.

    It is shown frames with a grid over them, the object in red, and, where a provider of `media` is at
    hand, the whole film: inline while it is small, uploaded (and deleted afterwards) where it is not. Its
    answer is held to a schema, and read as one that may be wrong.

    The arguments are `media`, a provider or None, and those of `ReasonerSettings`. Raises the errors of
    `kinetoscope_gemini.errors` beside what the hook's protocol says.
    """

    def __init__(self, media: Any = None, **settings: Any) -> None:
        self.settings = ReasonerSettings.of(settings)
        self._media = media
        self._loop = LoopThread()
        self._client: Client | None = None
        self._process = 0
        self._lock = threading.Lock()

    def reason(
        self,
        video: Video,
        mask: Mask,
        *,
        instruction: str = "",
        grid: Grid | None = None,
        progress: Progress | None = None,
    ) -> Reasoning:
        """Return what changes in `video` without what `mask` covers. Where it covers nothing, nobody is asked."""
        from kinetoscope_quadmask.hooks import Grid, Reasoning, check_fit, read_analysis

        check_fit(mask, video)
        grid = grid or Grid.over(video.width, video.height)
        count = video.frame_count or sum(1 for _ in video.frames())
        best, covered, masked = _sight.best_frame(mask)
        if masked != count:
            raise ValidationError(f"the mask has {masked} frames, the video {count}")
        if not covered:
            return Reasoning(grid)
        _tell(progress, 0, "looking at the video")
        text = question(grid, count, float(video.rate), (video.width, video.height), instruction)
        parts = self._pictures(video, mask, grid, count, best, text)
        film, warnings = self._film(video)
        answer, more = self._asked(parts, film, progress)
        made = read_analysis(answer, video, count, grid=grid)
        _tell(progress, 100, "answered")
        return attrs.evolve(made, warnings=(*warnings, *more, *made.warnings))

    def close(self) -> None:
        """Close connections and end the thread; reasoning again opens them again."""
        with self._lock:
            client, self._client = self._client, None
        if self._loop.running:
            if client is not None and self._process == os.getpid():
                self._loop.submit(client.close()).result()
            self._loop.stop()

    # -- what is shown

    def _pictures(
        self, video: Video, mask: Mask, grid: Grid, count: int, best: int, text: str
    ) -> list[dict[str, Any]]:
        places = _sight.shown_places(count, self.settings.frames)
        parts: list[dict[str, Any]] = []
        for place, label in zip(places, _sight.frame_labels(places, count), strict=True):
            parts += [{"text": label}, _jpeg(_sight.shown_frame(video, grid, place))]
        parts += [
            {"text": f"TARGET: frame {best}, the object to be removed is red:"},
            _jpeg(_sight.shown_frame(video, grid, best, mask)),
        ]
        return [*parts, {"text": text}]

    def _film(self, video: Video) -> tuple[bytes | None, list[str]]:
        """Return the film as MP4, small, or None with the reason."""
        media = _provider(self._media)
        if media is None or not self.settings.film:
            return None, []
        size = _sight.film_size(video)
        with tempfile.TemporaryDirectory(prefix="kinetoscope-") as folder:
            path = Path(folder) / "film.mp4"
            plain = attrs.evolve(video, audio=None)
            media.write(path, plain, size=size, quality="draft")
            if path.stat().st_size > self.settings.upload_mb * 1e6:
                told = (
                    f"the film has {path.stat().st_size / 1e6:.0f} MB even when small: only frames were sent"
                )
                return None, [told]
            return path.read_bytes(), []

    # -- how it is asked

    def _asked(
        self, parts: list[dict[str, Any]], film: bytes | None, progress: Progress | None
    ) -> tuple[str, list[str]]:
        work = self._loop.submit(self._answered(parts, film))
        return _awaited(work, progress)

    async def _answered(self, parts: list[dict[str, Any]], film: bytes | None) -> tuple[str, list[str]]:
        """Return the text of an answer that holds JSON.

        Raises:
            GeminiError: the fault that was not retried, or the last of those that were.
        """
        warnings: list[str] = []
        attempt = 1
        while True:
            answer, fault = await self._once(parts, film)
            if fault is None:
                return answer, warnings
            if isinstance(fault, RequestRefused) and film is not None:
                film = None  # some models and accounts take no video: frames will do
                warnings.append(f"the film was refused, only frames were sent: {fault}")
                continue
            wait = wait_s(fault, attempt, self.settings)
            if wait is None:
                if attempt > 1:
                    fault.add_note(f"gemini: it was sent {attempt} times")
                raise fault
            attempt += 1
            await asyncio.sleep(wait)

    async def _once(self, parts: list[dict[str, Any]], film: bytes | None) -> tuple[str, GeminiError | None]:
        """Send one request. Faults are returned: raising here would chain the client's exception to them."""
        client = self._connected()
        name: str | None = None
        try:
            shown = list(parts)
            if film is not None and len(film) <= self.settings.inline_mb * 1e6:
                shown.insert(0, {"inline_data": {"mime_type": "video/mp4", "data": film}})
            elif film is not None:
                name, uri = await client.upload(film, "video/mp4")
                shown.insert(0, {"file_data": {"mime_type": "video/mp4", "file_uri": uri}})
            response = await client.generate(self.settings.model, _request(shown))
        except GeminiError as fault:
            return "", fault
        except Exception as error:  # noqa: BLE001 - every one of them becomes one of ours
            return "", _unread(fault_of(error, client.key))
        finally:
            if name is not None:
                await client.delete(name)
        return answer_of(response)

    def _connected(self) -> Client:
        with self._lock:
            if self._client is None or self._process != os.getpid():
                self._client = Client(find_key(keyring=self.settings.keyring), self.settings)
                self._process = os.getpid()
            return self._client


def _request(parts: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "contents": [{"role": "user", "parts": parts}],
        "config": {
            "system_instruction": SYSTEM,
            "response_mime_type": "application/json",
            "response_schema": SCHEMA,
            "seed": 0,
        },
    }


def _jpeg(data: bytes) -> dict[str, Any]:
    return {"inline_data": {"mime_type": "image/jpeg", "data": data}}


def _unread(fault: GeminiError) -> GeminiError:
    """Return a fault of the voice's reading as one of ours: an answer in no JSON has no audio to miss."""
    if fault.reason == "UNREADABLE":
        return NoAnswer(str(fault), status=fault.status, reason=fault.reason)
    return fault


def _awaited(work: Future[tuple[str, list[str]]], progress: Progress | None) -> tuple[str, list[str]]:
    """Wait for an answer; whoever is told of progress may cancel in the meantime."""
    told = 10
    try:
        while True:
            try:
                return work.result(timeout=None if progress is None else TICK_S)
            except Waited:
                if work.done():
                    raise
                told = min(told + 1, 99)
                _tell(progress, told, "waiting for Gemini")
    except BaseException:
        work.cancel()
        raise


def _tell(progress: Progress | None, done: int, message: str) -> None:
    if progress is not None and progress(done, 100, message) is False:
        raise Cancelled(f"cancelled while {message}")


def _provider(media: Any) -> Any:
    """Return the provider of media, which the host may hand over as services."""
    if media is None or not hasattr(media, "provider"):
        return media
    try:
        return media.provider("media")
    except ProviderNotFound:
        return None
