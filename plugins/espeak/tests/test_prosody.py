"""Prosody is real: what tags say is what is measured in the sound."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from listening import TEXT, loudness, pitch, said, spans

from kinetoscope_espeak._prosody import reached
from kinetoscope_espeak._tags import treatment
from kinetoscope_spec.script import catalogue, find_tag

CAST = [("neutral", "en-US"), ("f3", "en-GB"), ("m3", "de"), ("neutral", "es")]
NUMBERS = [tag for tag in catalogue().values() if tag.same is None and tag.lasts and not tag.effect.quality]


def length(text, voice="neutral", language="en-US"):
    found = spans(said(text, voice, language), gap_s=10)
    return found[0][1] - found[0][0]


@pytest.mark.parametrize(("voice", "language"), CAST)
@pytest.mark.parametrize("rate", [50, 75, 130, 200, 300])
def test_the_rate_is_as_asked(rate: int, voice: str, language: str) -> None:
    plain = length(TEXT, voice, language)
    assert plain / length(f"[rate {rate}%] {TEXT}", voice, language) == pytest.approx(rate / 100, rel=0.15)


@pytest.mark.parametrize(("voice", "language"), CAST)
@pytest.mark.parametrize("percent", [75, 90, 125, 150])
def test_the_pitch_is_as_asked(percent: int, voice: str, language: str) -> None:
    plain, other = (
        np.median(pitch(said(text, voice, language))) for text in (TEXT, f"[pitch {percent}%] {TEXT}")
    )
    assert other / plain == pytest.approx(percent / 100, rel=0.08)


@pytest.mark.parametrize("decibels", [-12, -6, -3, 3, 6])
def test_the_volume_is_as_asked(decibels: int) -> None:
    plain, other = said(TEXT), said(f"[volume {decibels}dB] {TEXT}")
    assert loudness(other) - loudness(plain) == pytest.approx(decibels, abs=1)
    assert np.abs(other.samples).max() < 1


def test_the_range_is_as_asked() -> None:
    widths = []
    for percent in (20, 100, 180):
        heard = pitch(said(f"[range {percent}%] {TEXT}?", "f3"))
        widths.append(np.subtract(*np.percentile(heard, [85, 15])) / np.median(heard))
    assert widths[0] < 0.7 * widths[1] < 0.7 * widths[2]


@pytest.mark.parametrize(
    "tag", ["fast", "sad", "excited", "panicked", "solemn", "monotone", "allegro", "high pitch"]
)
def test_tags_do_what_the_catalogue_says(tag: str) -> None:
    effect = catalogue()[tag].effect
    plain, other = said(TEXT), said(f"[{tag}] {TEXT}")
    times = [spans(audio, gap_s=10)[0] for audio in (plain, other)]
    rate = (times[0][1] - times[0][0]) / (times[1][1] - times[1][0])
    assert rate == pytest.approx(effect.rate, rel=0.1)
    assert np.median(pitch(other)) / np.median(pitch(plain)) == pytest.approx(effect.pitch, rel=0.1)
    assert loudness(other) - loudness(plain) == pytest.approx(effect.volume, abs=1.2)


@pytest.mark.parametrize(
    ("tag", "seconds"),
    [("short pause", 0.25), ("long pause", 1.0), ("pause 1.73s", 1.73), ("beat", 0.2), ("pause 80ms", 0.08)],
)
@pytest.mark.parametrize("text", ["Stop {} and go.", "[fast] Look! {} Nothing.", "[sad] Well, {} hm"])
@pytest.mark.parametrize("voice", ["neutral", "f2", "whisper"])
def test_pauses_are_exact(tag: str, seconds: float, text: str, voice: str) -> None:
    heard = spans(said(text.format(f"[{tag}]"), voice), gap_s=seconds - 0.03, quiet=0.006)
    assert len(heard) == 2
    assert heard[1][0] - heard[0][1] == pytest.approx(seconds, abs=0.02)


def test_pauses_between_lines_are_exact() -> None:
    from listening import VOICE

    from kinetoscope_spec import Line, Script

    script = Script((Line("One [pause 0.9s]"), Line("two"), Line("[pause 0.6s] three")), language="en-US")
    heard = spans(VOICE.speak(script), gap_s=0.2, quiet=0.006)
    gaps = [b[0] - a[1] for a, b in itertools.pairwise(heard)]
    assert gaps == pytest.approx([0.9, 0.6], abs=0.02)


def test_emphasis_is_heard_on_its_word_alone() -> None:
    plain, other = said("the weather is lovely today"), said("the weather is **lovely** today")
    words = [[cue for cue in audio.cues if cue.kind == "word"] for audio in (plain, other)]
    lasts = [[cue.end - cue.start for cue in cues] for cues in words]
    assert lasts[1][3] > 1.05 * lasts[0][3]
    assert lasts[1][1] == pytest.approx(lasts[0][1], rel=0.15)


def test_whispering_has_no_pitch() -> None:
    voiced, whispered = pitch(said(TEXT)), pitch(said(f"[whispers] {TEXT}"))
    assert len(whispered) < 0.4 * len(voiced)


@pytest.mark.parametrize("voice", ["neutral", "f3"])
@pytest.mark.parametrize("tag", ["crying", "trembling", "flirty"])
def test_what_colours_a_voice_keeps_its_pitch(tag: str, voice: str) -> None:
    plain, other = (np.median(pitch(said(text, voice))) for text in (TEXT, f"[{tag}] {TEXT}"))
    assert other / plain == pytest.approx(catalogue()[tag].effect.pitch, rel=0.2)


def test_no_two_tags_sound_the_same_unless_the_catalogue_says_so() -> None:
    heard: dict[bytes, str] = {}
    for tag in catalogue().values():
        if tag.same is not None:
            continue
        samples = said(f"one [{tag.name}] two").samples.tobytes()
        assert samples not in heard or {tag.category, catalogue()[heard[samples]].category} <= {
            "control", "pace", "pitch", "range", "volume",
        }, (tag.name, heard[samples])  # fmt: skip
        heard.setdefault(samples, tag.name)
    # The tags that set a category back are alike where there is nothing to set back.
    plain = [
        tag for tag in catalogue().values() if tag.same is None and tag.effect == find_tag("neutral").effect
    ]
    assert len(heard) == sum(tag.same is None for tag in catalogue().values()) - len(plain) + 1


def test_another_word_for_a_tag_sounds_the_same() -> None:
    for tag in catalogue().values():
        if tag.same is not None:
            one, other = (said(f"one [{name}] two").samples for name in (tag.name, tag.same))
            assert np.array_equal(one, other), tag.name


def test_the_report_tells_what_is_done() -> None:
    told = {tag.name: treatment(tag).how for tag in catalogue().values()}
    assert (
        told["fast"]
        == told["short pause"]
        == told["whispers"]
        == told["emphasis"]
        == told["neutral"]
        == "native"
    )
    assert told["excited"] == told["laughs"] == told["robotic"] == "approximated"
    assert treatment(find_tag("style: as if asleep")).how == "unsupported"
    assert treatment(find_tag("rate 25%")).how == "approximated"
    assert sum(reached(tag.effect) for tag in NUMBERS) > 0.9 * len(NUMBERS)
