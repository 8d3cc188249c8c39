"""The contract of voices with few, short scripts: every request to the real service is paid for."""

from __future__ import annotations

from hypothesis import strategies as st

from kinetoscope_spec.contracts import VoiceContract
from kinetoscope_spec.voice import Line, Script

__all__ = ["GeminiContract"]

SCRIPTS = (
    Script.of("Two words."),
    Script((Line("[whispers] Are you there?"), Line("Ja, hier.", "Ann", "de")), {"Ann": "Puck"}),
)


class GeminiContract(VoiceContract):
    """All laws, on two scripts, each asked for once and then taken from the cache: some two cents in all."""

    def scripts(self) -> st.SearchStrategy[Script]:
        """Return two short scripts: one voice, and two with a tag and another language."""
        return st.sampled_from(SCRIPTS)
