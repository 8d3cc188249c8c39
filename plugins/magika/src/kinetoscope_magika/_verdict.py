"""From probabilities to an answer, by Magika's rules for its three modes."""

from __future__ import annotations

import attrs
import numpy as np

from kinetoscope_magika._knowledge import content_types, settings
from kinetoscope_spec import Detection

__all__ = ["Guess", "few_bytes", "guess_of", "verdict"]


@attrs.frozen
class Guess:
    """What the network holds for likeliest."""

    label: str
    score: float


def guess_of(probabilities: np.ndarray) -> Guess:
    """Return the likeliest label of `[labels]`; of equals the first."""
    best = int(np.argmax(probabilities))
    return Guess(settings().labels[best], float(min(max(probabilities[best], 0.0), 1.0)))


def verdict(guess: Guess, mode: str) -> Detection:
    """Return the answer for a guess: overwritten by the model's table, or held back below a threshold."""
    label, reason = guess.label, "none"
    if guess.label in settings().overwrite:
        label, reason = settings().overwrite[guess.label], "overwrite-map"
    if guess.score < _threshold(guess.label, mode):
        label = "txt" if content_types()[label].is_text else "unknown"
        reason = "none" if label == guess.label else "low-confidence"
    return described(label, guess.score, mode, "model", reason)


def _threshold(label: str, mode: str) -> float:
    if mode == "best-guess":
        return 0.0
    if mode == "medium-confidence":
        return settings().medium
    return settings().thresholds.get(label, settings().medium)


def few_bytes(content: bytes, mode: str) -> Detection:
    """Return the answer for content too small for the network: text if it is UTF-8."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return described("unknown", 1.0, mode, "size")
    return described("txt", 1.0, mode, "size")


def described(label: str, score: float, mode: str, decided_by: str, reason: str = "none") -> Detection:
    """Return a detection of one of Magika's labels, with what Magika says about it."""
    known = content_types()[label]
    return Detection(
        label,
        known.mime,
        known.group,
        score=score,
        mode=mode,
        decided_by=decided_by,
        overwrite_reason=reason,
        is_text=known.is_text,
    )
