"""From what the client raised or returned to audio, or to one of our errors.

The client's exceptions hold the request, and with it the key; what is made here holds words alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from kinetoscope_gemini._key import Key
from kinetoscope_gemini.errors import (
    Blocked,
    ConnectionFault,
    GeminiError,
    KeyRefused,
    NoAnswer,
    NoAudio,
    QuotaExhausted,
    RateLimited,
    RequestRefused,
    ServerFault,
    UnknownModel,
)

__all__ = ["Blob", "answer_of", "blobs_of", "fault_of", "finish_of", "problem_of", "usage_of"]

Blob = tuple[bytes, str | None]
"""Bytes of audio and their MIME type."""

_BLOCKING: Final = frozenset(
    (
        "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY", "MODEL_ARMOR",
        "JAILBREAK", "ESCALATION", "LANGUAGE",
    )
)  # fmt: skip
_LONGEST: Final = 300
"""Letters of a server's message that are passed on."""

_UNREADABLE: Final = frozenset(
    ("JSONDecodeError", "ValidationError", "UnknownApiResponseError", "DecodingError")
)
_REFUSED: Final = frozenset(("ConnectError", "ClientConnectorError", "ProxyError"))
_SLOW: Final = frozenset(
    ("ReadTimeout", "ConnectTimeout", "WriteTimeout", "PoolTimeout", "TimeoutError", "ServerTimeoutError")
)


def fault_of(error: Exception, key: Key) -> GeminiError:
    """Return our error for what the client raised."""
    if hasattr(error, "code") and hasattr(error, "details") and hasattr(error, "status"):
        return _of_status(error, key)
    # by name: the client's HTTP library has changed twice, and its errors are not the client's
    names = {kind.__name__ for kind in type(error).__mro__}
    said = key.taken_out(" ".join(str(error).split()))[:_LONGEST]
    if names & _UNREADABLE:
        return NoAudio(f"Gemini's answer can't be read ({type(error).__name__})", reason="UNREADABLE")
    if names & _SLOW:
        return ConnectionFault("Gemini did not answer within the time limit (timeout_s)", reason="TIMEOUT")
    if names & _REFUSED:
        return ConnectionFault(f"Gemini can't be reached: {said}", reason="UNREACHABLE")
    if names & {"TransportError", "NetworkError", "ClientError", "OSError", "RemoteProtocolError"}:
        return ConnectionFault(f"the connection to Gemini broke: {said}", reason="CUT")
    return GeminiError(f"Gemini's client failed with {type(error).__name__}: {said}")


def _of_status(error: Any, key: Key) -> GeminiError:
    status = int(error.code or 0)
    details = _details(error.details)
    said = key.taken_out(" ".join(re.sub(r"<[^>]*>", " ", str(error.message or "")).split()))[:_LONGEST]
    known: dict[str, Any] = {"status": status or None, "reason": _word(error.status)}
    told = f"{status} {known['reason'] or ''}".strip() + (f": {said}" if said else "")
    if status in (401, 403) or any(d.get("reason") == "API_KEY_INVALID" for d in details):
        return KeyRefused(f"Gemini refuses the key ({told}); see https://aistudio.google.com/apikey", **known)
    if status == 404:
        return UnknownModel(f"Gemini does not know the model, or not in this API version ({told})", **known)
    if status == 429:
        wait = _retry_delay(details, error)
        if any("perday" in quota.lower() for quota in _quotas(details)):
            return QuotaExhausted(f"the day's quota is used up ({told}); it was not sent again", **known)
        return RateLimited(f"too many requests ({told})", retry_after_s=wait, **known)
    if status == 408 or status >= 500:
        return ServerFault(f"Gemini failed ({told})", retry_after_s=_retry_delay(details, error), **known)
    return RequestRefused(f"Gemini refuses the request ({told})", **known)


def _details(body: Any) -> list[Mapping[str, Any]]:
    """Return `error.details` of an answer, whatever shape it has."""
    if isinstance(body, list) and body:
        body = body[0]
    held = body.get("error", body) if isinstance(body, Mapping) else {}
    details = held.get("details") if isinstance(held, Mapping) else None
    return [d for d in details if isinstance(d, Mapping)] if isinstance(details, list) else []


def _word(status: Any) -> str | None:
    return status if isinstance(status, str) and re.fullmatch(r"[A-Z_]{1,60}", status) else None


def _quotas(details: list[Mapping[str, Any]]) -> Iterator[str]:
    for detail in details:
        for violation in detail.get("violations") or ():
            if isinstance(violation, Mapping):
                yield str(violation.get("quotaId", ""))


def _retry_delay(details: list[Mapping[str, Any]], error: Any) -> float | None:
    """Return the wait that is asked for: RetryInfo's, else that of the header Retry-After, in seconds."""
    for detail in details:
        match = re.fullmatch(r"(\d+(?:\.\d+)?)s", str(detail.get("retryDelay", "")))
        if match:
            return float(match.group(1))
    headers = getattr(getattr(error, "response", None), "headers", None)
    held = headers.get("retry-after") if headers is not None else None
    return float(held) if held and re.fullmatch(r"\d+(\.\d+)?", held) else None


def blobs_of(response: Any) -> list[Blob]:
    """Return the audio of an answer, or of one event of a stream."""
    found: list[Blob] = []
    for candidate in (response.candidates or ())[:1]:
        held = [part.inline_data for part in (candidate.content.parts if candidate.content else None) or ()]
        found += [(blob.data, blob.mime_type) for blob in held if blob is not None and blob.data]
    return found


def finish_of(response: Any) -> str | None:
    """Return the reason for which it ended (`STOP`), or None while it has not."""
    for candidate in (response.candidates or ())[:1]:
        reason = candidate.finish_reason
        if reason is not None:
            name = str(getattr(reason, "value", reason))
            return None if name == "FINISH_REASON_UNSPECIFIED" else name
    return None


def problem_of(response: Any, *, finish: str | None, has_audio: bool) -> GeminiError | None:
    """Return what is wrong with an answer that came with status 200, or None."""
    block = getattr(response.prompt_feedback, "block_reason", None) if response is not None else None
    if block is not None:
        name = str(getattr(block, "value", block))
        return Blocked(f"Gemini's filter refuses the text ({name})", status=200, reason=name)
    if finish in _BLOCKING:
        message = getattr((response.candidates or (None,))[0], "finish_message", None) or ""
        said = f"{finish}: {' '.join(message.split())[:_LONGEST]}" if message else finish
        return Blocked(f"Gemini's filter ended the speech ({said})", status=200, reason=finish)
    if finish not in (None, "STOP"):
        part = "only a part of the" if has_audio else "no"
        return NoAudio(f"Gemini ended with {finish} and gave {part} audio", status=200, reason=finish)
    if has_audio:
        return None
    if response is None or not response.candidates:
        return NoAudio("Gemini's answer is empty", status=200, reason="EMPTY")
    if _has_text(response):
        return NoAudio("Gemini answered with text in place of audio", status=200, reason="TEXT")
    return NoAudio("Gemini's answer holds no audio", status=200, reason="EMPTY")


def answer_of(response: Any) -> tuple[str, GeminiError | None]:
    """Return the text of an answer that was to be JSON, or what is wrong with it."""
    finish = finish_of(response)
    block = getattr(response.prompt_feedback, "block_reason", None)
    if block is not None or finish in _BLOCKING:
        name = str(getattr(block, "value", block) if block is not None else finish)
        return "", Blocked(
            f"Gemini's filter refuses the video or the answer ({name})", status=200, reason=name
        )
    if finish not in (None, "STOP"):
        return "", NoAnswer(f"Gemini ended with {finish} before the answer did", status=200, reason=finish)
    content = response.candidates[0].content if response.candidates else None
    parts = (content.parts if content else None) or ()
    text = "".join(part.text for part in parts if part.text and not part.thought)
    if "{" not in text or "}" not in text:
        return "", NoAnswer("Gemini's answer holds no JSON", status=200, reason="TEXT" if text else "EMPTY")
    return text, None


def _has_text(response: Any) -> bool:
    content = response.candidates[0].content
    return any(part.text for part in (content.parts if content else None) or ())


def usage_of(response: Any) -> tuple[int, int]:
    """Return the tokens that an answer says it took: in and out."""
    usage = response.usage_metadata
    if usage is None:
        return 0, 0
    return int(usage.prompt_token_count or 0), int(usage.candidates_token_count or 0)
