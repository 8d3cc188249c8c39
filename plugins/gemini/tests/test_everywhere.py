"""One script on every model: three speakers, four languages, twenty tags; and the page that users read."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from gemini_loopback import Loopback

from kinetoscope_spec import Line, Script

TAGS = (
    "excited", "whispers", "sighs", "laughs", "short pause", "long pause", "pause 1.5s", "sarcastic", "shouting",
    "very slow", "fast", "clears throat", "like a pirate", "gasp", "crying", "tired", "applause", "neutral",
    "emphasis", "overlap: mm-hmm",
)  # fmt: skip
SPOKEN = (
    ("Ann", "en", "Here I am."),
    ("Bob", "de", "Da bin ich."),
    ("Eva", "fr", "Me voilà."),
    ("Ann", "ja", "はい。"),
)
LINES = [
    Line(f"[{tag}] {SPOKEN[i % 4][2]}", SPOKEN[i % 4][0], SPOKEN[i % 4][1]) for i, tag in enumerate(TAGS)
]
SCRIPT = Script(LINES, {"Ann": "Zephyr", "Bob": "Charon", "Eva": "Leda"})
UNSUPPORTED = {
    "gemini-3.8-flash-tts": {"applause"},
    "gemini-3.1-flash-tts-preview": {"overlap: mm-hmm"},
    "gemini-2.5-flash-preview-tts": {"applause", "overlap: mm-hmm", "gasp", "crying"},
}


@pytest.mark.parametrize("model", UNSUPPORTED)
def test_one_script_plays_on_every_model_and_the_report_says_what_was_lost(
    model: str, make: Any, server: Loopback
) -> None:
    voice = make(model=model, parallel=4)
    audio = voice.speak(SCRIPT)
    told = {entry["tag"]: entry for entry in audio.provenance.details["tags"]}
    assert list(told) == list(TAGS)
    assert {tag for tag, entry in told.items() if entry["how"] == "unsupported"} == UNSUPPORTED[model]
    assert all(entry["how"] == "native" or entry["note"] for entry in told.values())
    assert all(voice.treatment(tag).how == entry["how"] for tag, entry in told.items())
    expected = [word.strip(".。") for line in LINES for word in line.text.partition("] ")[2].split()]
    assert [cue.value for cue in audio.cues] == expected


def test_the_example_of_the_readme_runs(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("kinetoscope")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url)
    page = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    held: dict[str, Any] = {}
    exec(compile(code, "README.md", "exec"), held)  # the page's own code
    assert held["audio"].provenance.voice == "Zephyr, Charon, Leda"
    assert held["piece"].samples.size
    assert os.environ["GEMINI_API_KEY"] not in repr(held["audio"].provenance)
