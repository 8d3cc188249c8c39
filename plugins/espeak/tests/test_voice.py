"""The voice as a whole: the same samples every time, from any thread; voices, languages, lexicon."""

from __future__ import annotations

import hashlib
import locale
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from listening import TEXT, VOICE, loudness, pitch, said

from kinetoscope_espeak._languages import TAGS, language_name, voice_of
from kinetoscope_espeak._lexicon import mnemonics
from kinetoscope_espeak._library import loaded
from kinetoscope_espeak._voices import TIMBRES
from kinetoscope_spec import Line, Script, ValidationError

CAST = Script(
    (
        Line("[whispers] Is *anybody* there? [short pause] [curious] Hello?", "Ann"),
        Line("[excited] Ja! [laughs] [pause 0.7s] [fast] Ich bin hier. [rate 80%] Wirklich.", "Bob", "de"),
        Line("[melancholic] Il pleut [sigh] sur la ville. [mark rain] [volume -3dB] Toujours.", "Cleo", "fr"),
        Line(
            "[robotic] [slow] Eso [emphasis] es todo. [long pause] [pitch 120%] [range 50%] Adiós.",
            "Ann",
            "es",
        ),
        Line(
            "[newscast] And *that* is the news [clears throat] [style: like a tired owl] tonight.",
            "Bob",
            "en-GB",
        ),
    ),
    {"Ann": "f2", "Bob": "m3"},
    "en-US",
    {"news": "gnus", "todo": "/ˈtoðo/"},
)


def digest(audio) -> str:
    return hashlib.sha256(audio.samples.tobytes() + repr(audio.cues).encode()).hexdigest()


def test_a_script_of_three_speakers_four_languages_and_twenty_tags_plays_and_is_reported() -> None:
    audio = VOICE.speak(CAST)
    told = {row["tag"]: row["how"] for row in audio.provenance.details["tags"]}
    assert len(told) >= 20
    assert told["like a tired owl"] == "unsupported"
    assert told["laughs"] == told["excited"] == "approximated"
    assert told["pause 0.7s"] == "native"
    assert audio.provenance.voice == "f2, m3, neutral"
    assert audio.duration > 10


def test_the_same_script_gives_the_same_bytes_whatever_went_before() -> None:
    first = digest(VOICE.speak(CAST))
    said("Something else altogether, in between.", "f5")
    assert digest(VOICE.speak(CAST)) == first


def test_threads_do_not_disturb_each_other() -> None:
    scripts = [
        Script.of(f"{TEXT} {i}", voices={"narrator": name}) for i, name in enumerate(list(TIMBRES)[:8])
    ]
    alone = [digest(VOICE.speak(script)) for script in scripts]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            assert [digest(audio) for audio in pool.map(VOICE.speak, scripts)] == alone


def test_another_process_gives_the_same_bytes() -> None:
    code = (
        "import hashlib; from kinetoscope_espeak.voice import EspeakVoice; from kinetoscope_spec import Script;"
        "audio = EspeakVoice().speak(Script.of('Breathe in, breathe out.', voices={'narrator': 'f5'}));"
        "print(hashlib.sha256(audio.samples.tobytes()).hexdigest())"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    here = VOICE.speak(Script.of("Breathe in, breathe out.", voices={"narrator": "f5"}))
    assert ran.stdout.strip() == hashlib.sha256(here.samples.tobytes()).hexdigest()


def test_the_locale_of_the_process_stays() -> None:
    before = locale.setlocale(locale.LC_CTYPE)
    locale.setlocale(locale.LC_CTYPE, "C")
    try:
        said("Hello")
        assert locale.setlocale(locale.LC_CTYPE) == "C"
    finally:
        locale.setlocale(locale.LC_CTYPE, before)


def test_speaking_often_keeps_no_memory() -> None:
    resource = pytest.importorskip("resource")
    for _ in range(20):
        said("warm up")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(150):
        said("hello again")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 4096  # KiB


@pytest.mark.parametrize("name", TIMBRES)
def test_every_voice_is_as_its_table_says(name: str) -> None:
    audio = said(TEXT, name)
    held = TIMBRES[name]
    assert loudness(audio) == pytest.approx(loudness(said(TEXT)), abs=2.5)
    assert np.abs(audio.samples).max() < 0.99
    if name in (
        "neutral",
        "f1",
        "f2",
        "f3",
        "f4",
        "m1",
        "m3",
        "david",
        "annie",
        "belinda",
        "shelby",
        "steph",
    ):
        assert np.median(pitch(audio)) == pytest.approx(held.pitch_hz, rel=0.12)


def test_no_voice_asks_for_a_table_that_the_library_lacks() -> None:
    """Variants with `intonation 10` crash it; version 1.52 has eight tables."""
    import espeakng_loader

    folder = Path(espeakng_loader.get_data_path()) / "voices" / "!v"
    for held in TIMBRES.values():
        text = (folder / held.variant).read_text() if held.variant else ""
        assert all(
            0 <= int(number) < 8 for number in re.findall(r"^intonation\s+(-?\d+)", text, re.MULTILINE)
        )


def test_no_two_voices_are_the_same() -> None:
    assert len({digest(said("one two", name)) for name in TIMBRES}) == len(TIMBRES)


def test_every_language_is_spoken() -> None:
    heard = {}
    for tag in dict.fromkeys((voice_of(tag), tag) for tag in TAGS):
        audio = said("mama 3", language=tag[1])
        assert np.abs(audio.samples).max() > 0.02, tag
        heard[tag[0]] = audio
    assert len(heard) > 130
    assert len(TAGS) > 200
    assert language_name("de-AT") == "German"


def test_languages_are_found_whatever_their_capitals() -> None:
    assert voice_of("EN-us") == voice_of("en-US") == voice_of("en")
    with pytest.raises(ValidationError, match="'de'"):
        voice_of("dee")


@pytest.mark.parametrize(
    ("voice", "ipa"),
    [
        ("gmw/en-US", "təmɑːtoʊ"),
        ("gmw/en", "ʃɪp"),
        ("gmw/de", "ʃpraːxə"),
        ("roa/fr", "bɔ̃ʒuʁ"),
        ("roa/es", "kasa"),
    ],
)
def test_ipa_comes_back_as_it_went_in(voice: str, ipa: str) -> None:
    with loaded() as library:
        spoken = library.speak(f"<speak>[[{mnemonics(ipa, voice)}]] </speak>", voice, phonemes=True)
    heard = "".join(event.ipa for event in spoken.events if event.kind == "phoneme")
    alike = str.maketrans({"ˈ": "", "ˌ": "", "ɾ": "t", "ʁ": "r", "ː": ""})
    assert heard.translate(alike).replace("ɾ", "r") in (
        ipa.translate(alike),
        ipa.translate(alike).replace("r", "t"),
    )


def test_the_lexicon_changes_the_sound_but_not_the_word() -> None:
    plain = said("a tomato now")
    for told in ("/təˈmɑːtəʊ/", "potato"):
        other = said("a tomato now", lexicon={"tomato": told})
        assert [cue.value for cue in other.cues if cue.kind == "word"] == ["a", "tomato", "now"]
        assert digest(other) != digest(plain)
    alias, real = said("a tomato now", lexicon={"tomato": "potato"}), said("a potato now")
    assert np.array_equal(alias.samples, real.samples)
    sounds = [
        cue.value for cue in said("tomato", lexicon={"tomato": "/təˈmɑːtəʊ/"}).cues if cue.kind == "phoneme"
    ]
    assert sounds[2:4] == ["m", "ɑː"]


def test_unknown_options_are_errors() -> None:
    with pytest.raises(ValidationError, match="speed"):
        VOICE.speak(Script.of("hello"), speed=2)


def test_streams_begin_before_the_end() -> None:
    script = Script(tuple(Line(f"{TEXT}.") for _ in range(5)))
    pieces = VOICE.stream(script)
    first = next(pieces)
    assert first.duration < 5
    assert len(list(pieces)) == 4
