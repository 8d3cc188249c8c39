"""The contract of reasoners with what a vision model can't promise left out."""

from __future__ import annotations

from kinetoscope_quadmask.hooks import ReasonerContract

__all__ = ["GeminiReasonerContract"]


class GeminiReasonerContract(ReasonerContract):
    """All laws but one. Every example is a request that is paid for: run it with few."""

    omits = {  # noqa: RUF012 - as the base declares it
        "the_same_video_gives_the_same_answer": "a vision model may answer otherwise when it is asked again"
    }
