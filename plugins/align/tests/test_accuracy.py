"""How far off the times are, on speech of eSpeak NG whose own times are exact to the sample."""

from __future__ import annotations

import numpy as np
import pytest
from hearing import TEXT, bare, off, onsets, said, spoken, words
from scipy.signal import resample_poly

from kinetoscope_align.aligner import EstimateAligner, SphinxAligner
from kinetoscope_spec import Audio, Line, Script

VOICES = ("neutral", "f2", "f4", "whisper")


@pytest.mark.parametrize("voice", VOICES)
def test_forced_alignment_is_near_the_voices_own_times(voice: str) -> None:
    """Measured over these voices: median 6 to 12 ms, 90 % within 33 to 40 ms."""
    audio, script = said(voice=voice)
    found = SphinxAligner().align(bare(audio), script)
    assert {cue.source for cue in words(found)} == {"aligned"}
    apart = off(found, audio)
    assert np.median(apart) <= 0.015
    assert np.quantile(apart, 0.9) <= 0.05


@pytest.mark.parametrize("voice", VOICES)
def test_estimates_are_near_the_voices_own_times(voice: str) -> None:
    """Measured over these voices: median 25 to 55 ms, 90 % within 0.09 to 0.18 s."""
    audio, script = said(voice=voice)
    found = EstimateAligner().align(bare(audio), script)
    assert {cue.source for cue in words(found)} == {"estimated"}
    apart = off(found, audio)
    assert np.median(apart) <= 0.07
    assert np.quantile(apart, 0.9) <= 0.2


@pytest.mark.parametrize(("text", "language"), [
    ("Das Wetter ist heute schön, und wir gehen am Fluss entlang. Niemand weiß, wohin der alte Mann ging.", "de"),
    ("Погода сегодня прекрасная, и мы гуляем вдоль реки. Никто не знает, куда ушёл старик.", "ru"),
    ("Il fait beau aujourd'hui, et nous marchons le long de la rivière. Personne ne sait où il est allé.", "fr"),
])  # fmt: skip
def test_other_languages_are_estimated(text: str, language: str) -> None:
    audio, script = said(text, language=language)
    found = SphinxAligner().align(bare(audio), script)
    assert {cue.source for cue in words(found)} == {"estimated"}
    assert np.median(off(found, audio)) <= 0.1


def test_native_words_begin_with_their_energy() -> None:
    """After each silence a native word begins within 20 ms of the sound."""
    audio, script = said("pat, moon, seven, open, river, lamp, yellow, zoo, fish, garden.")
    found = SphinxAligner().align(audio, script)
    assert [c.source for c in words(found)] == ["native"] * 10
    starts = np.array([cue.start for cue in words(found)])
    heard = onsets(audio)
    nearest = np.abs(heard[:, None] - starts[None]).min(axis=1)
    assert (nearest < 0.1).sum() >= 8  # the others are closures inside a word
    assert nearest[nearest < 0.1].max() <= 0.02


def test_loudness_and_rate_leave_words_where_they_are() -> None:
    audio, script = said(TEXT[: TEXT.index("She")])
    base = SphinxAligner().align(bare(audio), script)
    for gain, rate in ((0.1, audio.rate), (1.0, 48_000), (0.3, 16_000), (1.0, 44_100)):
        samples = np.clip(gain * resample_poly(audio.samples[:, 0].astype(float), rate, audio.rate), -1, 1)
        moved = off(SphinxAligner().align(Audio(samples[:, None], rate), script), base)
        assert moved.max() <= 1 / 24, (gain, rate)


def test_long_speech_goes_through_windows() -> None:
    """Over 75 s in windows of 30: as near as in one piece, and nothing is lost at the seams."""
    audio, script = said(" ".join([TEXT, TEXT, "It was the year 1984, or 3.5 years after 42 others."] * 2))
    assert audio.duration > 75
    found = SphinxAligner().align(bare(audio), script)
    apart = off(found, audio)
    assert sum(cue.source == "aligned" for cue in words(found)) > 0.95 * len(apart)
    assert np.median(apart) <= 0.015
    assert np.quantile(apart, 0.95) <= 0.12


def test_english_lines_are_found_between_others() -> None:
    lines = (
        Line("Good morning, my name is Robert and I live in London."),
        Line("Guten Morgen, ich heiße Robert und wohne in Berlin.", language="de"),
        Line("Tomorrow we will take the train to the mountains."),
    )
    script = Script(lines, language="en-US")
    audio = spoken(script)
    found = SphinxAligner().align(bare(audio), script)
    sources = [cue.source for cue in words(found)]
    assert sources == ["aligned"] * 11 + ["estimated"] * 9 + ["aligned"] * 9
    assert np.median(off(found, audio)) <= 0.05


@pytest.mark.parametrize("kind", ["noise", "tone", "other words"])
def test_what_does_not_say_it_is_estimated(kind: str) -> None:
    rng = np.random.default_rng(0)
    at = np.arange(32_000) / 16_000
    script = Script.of("The weather is lovely today and we walk along the river")
    if kind == "other words":
        audio = bare(said("Yes.")[0])
    else:
        samples = rng.normal(0, 0.1, 32_000) if kind == "noise" else 0.5 * np.sin(2 * np.pi * 440 * at)
        audio = Audio(np.clip(samples, -1, 1)[:, None], 16_000)
    found = SphinxAligner().align(audio, script)
    assert len(words(found)) == 11
    if kind != "tone":  # held a tone may pass for voiced sounds
        assert {cue.source for cue in words(found)} == {"estimated"}
