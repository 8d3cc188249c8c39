"""What can go wrong between us and Gemini, each with what was seen and what to do.

None of these holds the client's own exception, request or response: those carry the key in a header.
"""

from __future__ import annotations

from typing import ClassVar

from kinetoscope_spec.errors import KinetoscopeError, ProviderUnavailable

__all__ = [
    "Blocked",
    "BudgetExceeded",
    "ConnectionFault",
    "GeminiError",
    "KeyRefused",
    "NoAnswer",
    "NoAudio",
    "QuotaExhausted",
    "RateLimited",
    "RequestRefused",
    "ServerFault",
    "UnknownModel",
]


class GeminiError(KinetoscopeError):
    """Gemini did not do what it was asked for.

    Attributes:
        status: HTTP status, or None where there was none.
        reason: Gemini's own word for it (`RESOURCE_EXHAUSTED`, `PROHIBITED_CONTENT`, `OTHER`), or None.
        retry_after_s: how long Gemini asked us to wait, or None.
        retried: whether sending the same again may help.
    """

    retried: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        reason: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.retry_after_s = retry_after_s

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions are rebuilt from `args` alone; ours carry more, and workers send them home.
        return _rebuild, (type(self), str(self), self.status, self.reason, self.retry_after_s)


def _rebuild(
    kind: type[GeminiError], message: str, status: int | None, reason: str | None, wait: float | None
) -> GeminiError:
    return kind(message, status=status, reason=reason, retry_after_s=wait)


class KeyRefused(GeminiError, ProviderUnavailable):
    """The key is wrong, expired, or not allowed to use this model."""


class RequestRefused(GeminiError):
    """Gemini calls the request wrong; the same request will be wrong again."""


class UnknownModel(GeminiError):
    """There is no such model, or not in this version of the API."""


class Blocked(GeminiError):
    """Gemini's filters refused the text or the speech; `reason` is theirs."""


class QuotaExhausted(GeminiError):
    """The quota of the day is used up: waiting minutes does not help."""


class BudgetExceeded(GeminiError):
    """Speaking on would cost more than the budget; what was not sent has cost nothing."""


class RateLimited(GeminiError):
    """Too many requests in a short time."""

    retried = True


class ServerFault(GeminiError):
    """Gemini failed by itself (HTTP 408 or 5xx): common, random, and usually gone the next time."""

    retried = True


class NoAudio(GeminiError):
    """The answer came, without (all of) its audio: text, nothing, `OTHER`, something unreadable."""

    retried = True


class NoAnswer(GeminiError):
    """The answer came without what was asked for: cut off, empty, or no JSON."""

    retried = True


class ConnectionFault(GeminiError):
    """The connection was refused or cut, or nothing came within the time limit."""

    retried = True
