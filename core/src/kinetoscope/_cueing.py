"""Cues for voices that give none: the host's aligner finds them in what was said."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kinetoscope._proxy import target_of

if TYPE_CHECKING:
    from kinetoscope_spec import Audio, Script

__all__ = ["Cueing"]

_LOG = logging.getLogger("kinetoscope")


class Cueing:
    """Fills in the cues of speech that has none of words.

    Args:
        find: returns the aligner, or None where there is none; called when it is first needed.
    """

    def __init__(self, find: Callable[[], Any]) -> None:
        self._find = find
        self._held: tuple[Any] | None = None

    def __call__(self, audio: Audio, script: Script) -> Audio:
        """Return the same sound with cues of words; as it is if it has some, or nothing here finds any.

        What a voice says of its words itself is left alone, be it native or reckoned.
        """
        if any(cue.kind == "word" for cue in audio.cues) or not len(audio.samples):
            return audio
        aligner = self._aligner()
        if aligner is None:
            return audio
        try:
            cued: Audio = aligner.align(audio, script)
        except Exception as error:  # noqa: BLE001 - what was said, and perhaps paid for, is not lost by it
            _LOG.warning("no cues: the aligner failed: %s: %s", type(error).__name__, error)
            return audio
        return cued

    def _aligner(self) -> Any:
        if self._held is None:
            self._held = (self._find(),)
        return self._held[0]

    def __getstate__(self) -> dict[str, Any]:
        # In another process there is no host to ask: the aligner itself goes along.
        aligner = self._aligner()
        return {"_held": (None if aligner is None else target_of(aligner),)}
