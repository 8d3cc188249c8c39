"""What is drawn can be spoken, reaches the awkward; and how the kit tells words and cues."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

from kinetoscope_spec import Audio, ContractError, Cue, Script
from kinetoscope_spec.contracts._speech import joined, require_alike, through_wav, uncovered, words_of
from kinetoscope_spec.contracts.strategies._voice import (
    ANYBODY,
    SPEAKERS,
    audios,
    cues,
    scripts,
    texts,
    voice_infos,
)

FINDING = settings(
    max_examples=3000, database=None, derandomize=True, suppress_health_check=list(HealthCheck), deadline=None
)


def finds(strategy: st.SearchStrategy[Any], condition: Callable[[Any], bool]) -> Any:
    return find(strategy, condition, settings=FINDING)


@given(scripts())
@settings(max_examples=100, deadline=None)
def test_scripts_are_what_their_voices_can_speak(script: Script) -> None:
    named = {voice.name: voice for voice in ANYBODY}
    assert words_of(script.text)
    for line in script.lines:
        voice = named[script.voices[line.speaker]] if line.speaker in script.voices else ANYBODY[0]
        assert (line.language or script.language) in voice.languages
        tags = [piece.partition("]")[0] for piece in line.text.split("[")[1:] if "]" in piece]
        assert set(tags) <= set(voice.tags or ())


AWKWARD_SCRIPTS: dict[str, Callable[[Script], bool]] = {
    "one letter": lambda s: len(s.text) == 1,
    "a long line": lambda s: len(words_of(s.text)) > 99,
    "a line without words": lambda s: any(not words_of(line.text) for line in s.lines),
    "several speakers": lambda s: len({line.speaker for line in s.lines}) > 1,
    "several voices": lambda s: len(set(s.voices.values())) > 1,
    "words written without spaces": lambda s: "日本語" in s.text,
    "marks of their own": lambda s: "o\u0308" in s.text,
    "audio tags": lambda s: "[whispers]" in s.text,
    "a lexicon": lambda s: bool(s.lexicon),
    "lines in other languages": lambda s: any(line.language not in (None, s.language) for line in s.lines),
}
AWKWARD_AUDIOS: dict[str, Callable[[Audio], bool]] = {
    "no sample": lambda a: len(a.samples) == 0,
    "one sample": lambda a: len(a.samples) == 1,
    "silent": lambda a: len(a.samples) > 9 and not a.samples.any(),
    "stereo": lambda a: a.samples.shape[1] == 2,
    "full scale": lambda a: len(a.samples) > 9 and bool((np.abs(a.samples) == 1).all()),
    "cues": lambda a: len(a.cues) > 2,
}


@pytest.mark.parametrize("what", AWKWARD_SCRIPTS)
def test_scripts_reach(what: str) -> None:
    assert AWKWARD_SCRIPTS[what](finds(scripts(), AWKWARD_SCRIPTS[what]))


@pytest.mark.parametrize("what", AWKWARD_AUDIOS)
def test_audios_reach(what: str) -> None:
    assert AWKWARD_AUDIOS[what](finds(audios(), AWKWARD_AUDIOS[what]))


def test_scripts_shrink_to_one_word() -> None:
    script = finds(scripts(), lambda _: True)
    assert (script.text, script.voices, script.lines[0].speaker) == ("a", {}, SPEAKERS[0])


@given(voice_infos().flatmap(lambda info: texts(info.tags or ())), st.floats(0, 9).flatmap(cues))
@settings(max_examples=30, deadline=None)
def test_texts_have_words_and_cues_an_order(text: str, held: tuple[Cue, ...]) -> None:
    assert words_of(text)
    assert [cue.start for cue in held] == sorted(cue.start for cue in held)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't — well-known; 3.14!", ["Don't", "well-known", "3.14"]),
        ("[whispers] “Hello,” (she said)[short pause]softly", ["Hello", "she", "said", "softly"]),
        ("half [a tag", ["half", "a", "tag"]),
        ("]odd[ ]brackets[", ["odd", "brackets"]),
        ("o\u0308ffnen हिन्दी 日本語。", ["o\u0308ffnen", "हिन्दी", "日本語"]),
        ("... — 🙂 _ “”", []),
        ("", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("words", "cued", "wrong"),
    [
        (["two", "words"], ["two", "words"], None),
        (["日本語", "ok"], ["日本", "語", "ok"], None),
        ([], [], None),
        (["two", "words"], ["two"], "end before the word 'words'"),
        (["two"], ["two", "more"], "go on with 'more'"),
        (["don't"], ["don", "'t"], "where 'don't' is to be|cues say 'don'"),
        (["日本語"], ["日本", "go"], "日本go"),
        (["two", "words"], ["words", "two"], "'two' is to be"),
    ],
)
def test_cues_that_cover_words(words: list[str], cued: list[str], wrong: str | None) -> None:
    found = uncovered(words, cued)
    assert found is None if wrong is None else found is not None
    if wrong is not None:
        with pytest.raises(ContractError, match=wrong):
            raise ContractError(found)


def test_pieces_are_joined_with_their_cues_moved() -> None:
    pieces = [Audio(np.full((80, 1), level), 8000, [Cue("word", "a", 0, 0.005)]) for level in (0.1, 0.2)]
    whole = joined(pieces)
    assert whole.samples[:, 0].tolist() == pytest.approx([0.1] * 80 + [0.2] * 80)
    places = [place for cue in whole.cues for place in (cue.start, cue.end)]
    assert places == pytest.approx([0, 0.005, 0.01, 0.015])
    with pytest.raises(ContractError, match="rates"):
        joined([pieces[0], Audio(pieces[0].samples, 16000)])


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (Audio(np.zeros((80, 1)), 8000, [Cue("word", "a", 0, 0.005)]), "differ by up to 0.1"),
        (Audio(np.full((81, 1), 0.1), 8000, [Cue("word", "a", 0, 0.005)]), r"\[80, 1\] and \[81, 1\]"),
        (Audio(np.full((80, 1), 0.1), 16000, [Cue("word", "a", 0, 0.005)]), "8000 samples a second"),
        (Audio(np.full((80, 1), 0.1), 8000), "has the cues"),
        (Audio(np.full((80, 1), 0.1), 8000, [Cue("word", "a", 0.001, 0.005)]), "0.0010 s apart"),
    ],
)
def test_speech_that_is_not_alike_is_told(other: Audio, says: str) -> None:
    one = Audio(np.full((80, 1), 0.1), 8000, [Cue("word", "a", 0, 0.005)])
    require_alike("one", one, "one", one)
    with pytest.raises(ContractError, match=says):
        require_alike("one", one, "other", other)


@given(audios())
@settings(max_examples=30, deadline=None)
def test_a_wav_file_keeps_sound_to_half_a_step(audio: Audio) -> None:
    kept = through_wav(audio)
    assert (kept.rate, kept.samples.shape) == (audio.rate, audio.samples.shape)
    assert np.abs(kept.samples - audio.samples).max(initial=0) <= 0.5001 / 32767
