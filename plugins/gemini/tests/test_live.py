"""The real service, where there is a key: a few short requests, less than a US cent in all."""

import numpy as np
import pytest
from gemini_loopback import REAL_KEY

from kinetoscope_gemini.provider import GeminiVoice
from kinetoscope_spec import Line, Script

pytestmark = pytest.mark.skipif(not REAL_KEY, reason="needs GEMINI_API_KEY, and pays with it")

DIALOGUE = Script(
    (Line("[excited] Is anybody there?", "Ann"), Line("[whispers] Only me.", "Bob")), {"Bob": "Puck"}
)


@pytest.mark.parametrize("model", ["gemini-3.8-flash-lite-tts", "gemini-3.1-flash-tts-preview"])
def test_gemini_speaks(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", REAL_KEY)
    voice = GeminiVoice(model=model, budget_usd=0.01)
    try:
        audio = voice.speak(DIALOGUE)
        assert 1.5 < audio.duration < 15
        assert np.abs(audio.samples).max() > 0.05
        assert [cue.value for cue in audio.cues] == ["Is", "anybody", "there", "Only", "me"]
        assert audio.provenance.details["usage"]["usd"] < 0.01
        pieces = list(voice.stream(Script.of("Streamed, piece by piece.")))
        assert sum(piece.duration for piece in pieces) > 0.8
    finally:
        voice.close()
