"""What the host sees of the plugin, what importing it costs, words, numbers, TextGrids and the command."""

from __future__ import annotations

import json
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from kinetoscope import Host
from kinetoscope.cli import main
from kinetoscope_align._letters import english_sounds, rough_sounds
from kinetoscope_align._numbers import number_words
from kinetoscope_align._phones import arpabet, pieces
from kinetoscope_align._words import spoken_words
from kinetoscope_align.aligner import SphinxAligner
from kinetoscope_align.hooks import Aligner
from kinetoscope_align.plainspeech import say
from kinetoscope_align.textgrid import textgrid
from kinetoscope_spec import Audio, Cue, Script


def test_importing_is_light() -> None:
    code = (
        "import sys, kinetoscope_align, kinetoscope_align.hooks, "
        "kinetoscope_align.command; kinetoscope_align.providers();"
        "assert not {'numpy', 'scipy', 'pocketsphinx'} & set(sys.modules), sys.modules.keys()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_host_takes_forced_alignment_first() -> None:
    with Host() as host:
        assert {provider.name for provider in host.providers("aligner")} == {"sphinx", "estimate"}
        said = say([["moon"]])
        assert isinstance(SphinxAligner(), Aligner)
        aligned = host.provider("aligner").align(said.audio, said.script)
        assert {cue.source for cue in aligned.cues if cue.kind == "word"} == {"aligned"}


@pytest.mark.parametrize(("text", "said"), [
    ("0", "zero"), ("42", "forty two"), ("1999", "one thousand nine hundred ninety nine"), ("3.14", "three point one four"),
    ("1,000,000", "one million"), ("2nd", "second"), ("20th", "twentieth"), ("21st", "twenty first"),
    ("007", "zero zero seven"),
])  # fmt: skip
def test_numbers_are_read(text: str, said: str) -> None:
    assert number_words(text) == said.split()


@pytest.mark.parametrize("text", ["1.2.3", "x", "", "٣", "1,00", "²"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert number_words(text) is None


@pytest.mark.parametrize(("word", "sounds"), [
    ("zib", "Z IH B"), ("shate", "SH EY T"), ("knoop", "N UW P"), ("pright", "P R AY T"), ("flaunch", "F L AO N CH"),
    ("thribble", "TH R IH B AH L"), ("xqzt", "EH K S K Y UW Z IY T IY"),
])  # fmt: skip
def test_words_that_no_dictionary_has_are_sounded_out(word: str, sounds: str) -> None:
    assert english_sounds(word) == sounds.split()


@pytest.mark.parametrize(("word", "sounds"), [
    ("мир", "miɹ"), ("日本", "tantan"), ("かな", "kana"), ("schön", "stson"), ("नाम", "nama"),
])  # fmt: skip
def test_every_script_has_rough_sounds(word: str, sounds: str) -> None:
    found = rough_sounds(word)
    assert "".join(found).replace("tʃ", "ts") == sounds


def test_a_lexicon_is_followed() -> None:
    script = Script.of("tomato NASA 42%", lexicon={"tomato": "/təˈmɑːtəʊ/", "NASA": "nassa"})
    words = spoken_words(script)
    assert [word.text for word in words] == ["tomato", "NASA", "42"]
    assert words[0].parts[0].sounds == ("T", "AH", "M", "AA", "T", "OW")
    assert words[1].sounds[0] == "n"
    assert [part.name for part in words[2].parts] == ["forty", "two"]


def test_ipa_of_any_language_is_near_some_english_sound() -> None:
    assert list(pieces("ˈt͡ʃaɪ̯nã")) == ["tʃ", "aɪ", "n", "a"]
    assert arpabet("ˈʁœyʒ") == ["HH", "EH", "IY", "ZH"]


def test_a_textgrid_covers_the_sound() -> None:
    """As Praat's manual has it: tiers of intervals without gaps, quotes doubled."""
    cues = [Cue("word", 'so "so"', 0.1, 0.3), Cue("word", "b", 0.3, 0.3), Cue("word", "c", 0.5, 1.0)]
    lines = [line.strip() for line in textgrid(Audio(np.zeros((8000, 1)), 8000, cues)).splitlines()]
    assert 'text = "so ""so"""' in lines
    edges = [float(line.split("=")[1]) for line in lines if line.startswith("xm")][4:]
    assert edges == [0, 0.1, 0.1, 0.3, 0.3, 0.5, 0.5, 1.0]


@pytest.fixture
def recording(tmp_path: Path) -> tuple[Path, Path]:
    said = say([["yellow", "moon"], ["river", "fish"]])
    audio, script = tmp_path / "said.wav", tmp_path / "said.txt"
    with wave.open(str(audio), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(said.audio.rate)
        file.writeframes(np.rint(said.audio.samples * 32767).astype("<i2").tobytes())
    script.write_text("Yellow moon. River fish.\n")
    return audio, script


@pytest.mark.parametrize(("suffix", "holds"), [
    (".json", '"viseme"'), (".srt", "-->"), (".vtt", "WEBVTT"), (".TextGrid", "IntervalTier"),
])  # fmt: skip
def test_the_command_writes(recording: tuple[Path, Path], suffix: str, holds: str) -> None:
    audio, script = recording
    out = audio.with_name(f"out{suffix}")
    done = CliRunner().invoke(main, ["align", str(audio), str(script), str(out), "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["words"] == 4
    assert told["sources"] == {"aligned": 4}
    assert holds in out.read_text()
    assert sorted(path.name for path in out.parent.iterdir()) == sorted({"said.wav", "said.txt", out.name})


def test_the_command_writes_curves(recording: tuple[Path, Path]) -> None:
    audio, script = recording
    out = audio.with_name("out.json")
    done = CliRunner().invoke(main, ["align", str(audio), str(script), str(out), "--framerate", "25"])
    assert done.exit_code == 0, done.output
    told = json.loads(out.read_text())
    assert told["framerate"] == 25
    assert {len(curve) for curve in told["visemes"].values()} == {int(np.ceil(told["seconds"] * 25)) + 1}
    assert max(told["arkit"]["jawOpen"]) > 0.3


@pytest.mark.parametrize(("out", "said"), [
    ("out.mp4", "expected a name that ends in"), ("nowhere/out.json", "there is no folder"), ("said.txt", "expected"),
])  # fmt: skip
def test_the_command_refuses(recording: tuple[Path, Path], out: str, said: str) -> None:
    audio, script = recording
    done = CliRunner().invoke(main, ["align", str(audio), str(script), str(audio.parent / out)])
    assert done.exit_code == 2
    assert said in done.stderr
    assert script.read_text() == "Yellow moon. River fish.\n"


def test_a_recording_without_its_words_fails_clearly(recording: tuple[Path, Path]) -> None:
    audio, script = recording
    out = audio.with_name("out.json")
    script.write_text("# nothing but a comment\n...\n")
    done = CliRunner().invoke(main, ["align", str(audio), str(script), str(out)])
    assert done.exit_code == 1
    assert not out.exists()


def test_what_is_spoken_has_visemes(tmp_path: Path) -> None:
    """`kinetoscope speak --cues` asks the aligner for what the voice does not give."""
    pytest.importorskip("kinetoscope_espeak", reason="kinetoscope-espeak is not installed")
    pytest.importorskip("espeakng_loader", reason="eSpeak NG is not installed")
    script, out = tmp_path / "said.txt", tmp_path / "said.wav"
    script.write_text("The river is wide.\n")
    done = CliRunner().invoke(main, ["speak", str(script), str(out), "--provider", "espeak", "--cues"])
    assert done.exit_code == 0, done.output
    cues = json.loads((tmp_path / "said.cues.json").read_text())["cues"]
    assert {cue["kind"] for cue in cues} == {"sentence", "word", "phoneme", "viseme"}
    assert {cue["source"] for cue in cues if cue["kind"] == "word"} == {"native"}
