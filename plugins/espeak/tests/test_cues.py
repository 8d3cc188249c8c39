"""Cues: where words are is where they are heard."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from listening import VOICE, level, said, spans

from kinetoscope_spec import Line, Script

LIST = [
    "pat",
    "bob",
    "dog",
    "cat",
    "apple",
    "open",
    "see",
    "zoo",
    "shoe",
    "you",
    "man",
    "lamp",
    "red",
    "go",
    "the",
    "ham",
    "chip",
    "jump",
    "van",
    "fan",
    "win",
]


def kinds(audio, kind):
    return [cue for cue in audio.cues if cue.kind == kind]


@pytest.mark.parametrize(
    ("voice", "language"), [("neutral", "en-US"), ("f3", "de"), ("m1", "fr"), ("victor", "it")]
)
@pytest.mark.parametrize("rate", [60, 100, 180])
def test_words_begin_where_the_energy_does(voice: str, language: str, rate: int) -> None:
    """After a pause of its own, each word's cue begins within 20 ms of its energy, and ends with it."""
    text = f"[rate {rate}%] " + " [pause 0.3s] ".join(LIST)
    audio = said(text, voice, language)
    cues, heard = kinds(audio, "word"), spans(audio, quiet=0.006, gap_s=0.25)
    assert [cue.value for cue in cues] == LIST
    assert len(heard) == len(LIST)
    for cue, (start, end) in zip(cues, heard, strict=True):
        assert cue.start == pytest.approx(start, abs=0.02), cue.value
        assert end - 0.13 < cue.end < end + 0.01, cue.value  # some voices have an echo


@pytest.mark.parametrize("rate", [60, 100])
def test_words_within_a_sentence_begin_where_the_energy_does(rate: int) -> None:
    """In one call of the library: commas leave silences by which onsets can be told."""
    audio = said(f"[rate {rate}%] " + ", ".join(LIST))
    cues = kinds(audio, "word")
    off = []
    for start, _ in spans(audio, quiet=0.006, gap_s=0.12):
        off.append(min((abs(cue.start - start), cue.value) for cue in cues))
    assert len(off) >= len(LIST)
    near = [apart for apart, _ in off if apart < 0.1]  # a closure inside a word is no onset
    assert len(near) >= len(LIST)
    assert max(near) < 0.02, off


def test_phonemes_tile_the_sound() -> None:
    audio = said("The quick brown fox jumps over the lazy dog.")
    phonemes = kinds(audio, "phoneme")
    assert "".join(cue.value for cue in phonemes) == "ðəkwɪkbɹaʊnfɑːksdʒʌmpsoʊvɚðəleɪzidɑːɡ"
    assert all(a.end <= b.start + 1e-9 for a, b in itertools.pairwise(phonemes))
    assert sum(cue.end - cue.start for cue in phonemes) > 0.85 * audio.duration
    loud = level(audio)
    for cue in phonemes:
        assert loud[int(1000 * cue.start) : int(1000 * cue.end) + 1].max() > 0, cue


def test_words_spoken_as_one_share_their_time() -> None:
    cues = kinds(said("I've got the house of the man"), "word")
    assert [cue.value for cue in cues] == ["I've", "got", "the", "house", "of", "the", "man"]
    assert all(a.end <= b.start + 1e-9 for a, b in itertools.pairwise(cues))
    assert [cue.source for cue in cues] == ["native"] * 4 + ["estimated"] * 2 + ["native"]
    assert all(cue.end - cue.start > 0.02 for cue in cues)


def test_sentences_and_marks() -> None:
    audio = said("Hello there. Dr. e.g. [mark a] Smith! [mark b] [pause 1s] And [mark c] more [laughs] 3.14")
    words = kinds(audio, "word")
    sentences = kinds(audio, "sentence")
    assert [cue.value for cue in sentences] == ["Hello there.", "Dr.", "e.g.", "Smith!", "And more 3.14"]
    assert (sentences[0].start, sentences[0].end) == (words[0].start, words[1].end)
    marks = {cue.value: cue for cue in kinds(audio, "mark")}
    assert marks["a"].start == words[4].start
    assert marks["b"].start == words[4].end
    assert marks["c"].start == words[6].start
    assert words[6].end < marks["laughs"].start < marks["laughs"].end < words[7].start


@pytest.mark.parametrize("word", ["𝟘𝟙", "\U00030512", "ᬅ", "x\u0301y", "42", "R&D", "a<b", "[[x", "日本語"])
@pytest.mark.parametrize("language", ["en-US", "ja", "cv", "ar", "cmn"])
def test_whatever_is_written_is_heard(word: str, language: str) -> None:
    audio = said(f"a {word} b", language=language)
    cues = kinds(audio, "word")
    assert len(cues) == 3
    held = audio.samples[round(cues[1].start * audio.rate) : round(cues[1].end * audio.rate)]
    assert np.abs(held).max() > 0.02


def test_the_cues_of_many_lines_are_in_order() -> None:
    lines = tuple(
        Line(f"line {i} [laughs] is [pause 0.1s] here", language=tag)
        for i, tag in enumerate(("en", "de", "fr"))
    )
    audio = VOICE.speak(Script(lines))
    starts = [cue.start for cue in audio.cues]
    assert starts == sorted(starts)
    assert [cue.value for cue in kinds(audio, "sentence")] == [f"line {i} is here" for i in range(3)]


@pytest.mark.parametrize("before", ["", "“", "(", "a ", "…", "'"])
@pytest.mark.parametrize("after", ["", "”", ")", " b", "!", "<"])
def test_pronunciations_are_heard_whatever_stands_about_them(before: str, after: str) -> None:
    audio = said(f"{before}Don't{after}", lexicon={"Don't": "/təˈmɑː/"})
    assert "".join(cue.value for cue in kinds(audio, "phoneme")).count("təmɑː") == 1


@pytest.mark.parametrize("language", ["cv", "en-US", "ja", "ru"])
@pytest.mark.parametrize("word", ["Don't well-known ZEBRA", "日本語 слово", "12345 naïve"])
def test_nothing_of_a_very_long_clause_is_dropped(language: str, word: str) -> None:
    text = " ".join([word] * 30)
    audio = said(text, language=language)
    cues = kinds(audio, "word")
    assert len(cues) == len(text.split())
    lasts = np.array([cue.end - cue.start for cue in cues]).reshape(30, -1)
    assert (lasts > 0.3 * np.median(lasts, axis=0)).all()
