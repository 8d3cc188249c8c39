"""`speak`, `voices` and `tags`, and the captions that are written beside speech."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
import wave

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope.cli import main
from kinetoscope.speech.captions import LONGEST_S, ROW_LETTERS, ROWS, captions, srt, vtt
from kinetoscope.speech.sound import joined, write_sound
from kinetoscope_spec import Audio, Cue, KinetoscopeError, Line, Provenance, Script, ValidationError
from kinetoscope_spec.contracts._speech import words_of
from kinetoscope_spec.contracts.strategies._voice import scripts
from kinetoscope_spec.errors import ConfigError
from kinetoscope_spec.script import plain_text

VOICE = """
    import numpy as np
    from kinetoscope_spec import Audio, Cue, Provenance, Provider, ValidationError, VoiceInfo, hookimpl
    from kinetoscope_spec.script import Treatment, plain_text, tags_of, words

    class Toy:
        '''Hums a word in 0.2 s; the marker of these tests says that it was marked.'''
        mark = "toy-mark"
        def voices(self):
            return [VoiceInfo("low", ("en", "de-DE"), 8000, None, "hums"), VoiceInfo("high", ("en",), 8000, None)]
        def treatment(self, tag):
            return Treatment(tag.name, "native" if tag.category == "pause" else "unsupported", "hums on")
        def stream(self, script):
            tags_of(script)
            for line in script.lines:
                if script.voices.get(line.speaker, "low") not in ("low", "high"):
                    raise ValidationError("unknown voice, there are low, high")
                held = words(plain_text(line.text))
                cues = [Cue("word", word.text, 0.2 * i, 0.2 * i + 0.15) for i, word in enumerate(held)]
                tone = 0.5 * np.sin(np.arange(1600 * max(len(held), 1)) / 8)
                yield Audio(tone[:, None], 8000, cues, Provenance("toy", "hum", "low", watermark=self.mark))
        def speak(self, script):
            from kinetoscope.speech.sound import joined
            return joined(list(self.stream(script)))
    @hookimpl
    def voice():
        return [Provider("toy", "hums", load=Toy, languages=("en",))]
"""

PLAY = """
@language en
Ann: [excited] Hello there. [pause 1s] How are you?
Bob (de-DE): Gut <danke> & [laughs] selbst!
"""


@pytest.fixture
def run(shelf):
    def run(*words, status=0, **options):
        result = CliRunner().invoke(main, [str(word) for word in words], **options)
        assert result.exit_code == status, (result.output, result.stderr, result.exception)
        return result

    return run


@pytest.fixture
def toy(shelf):
    shelf.add("acme-hum", {"kinetoscope.voice": {"toy": "acme_hum"}}, {"acme_hum": VOICE})
    return shelf


def test_speak_writes_speech_captions_and_cues(run, toy, tmp_path):
    (tmp_path / "play.txt").write_text(PLAY)
    out = tmp_path / "made" / "play.wav"
    only = run(
        "--allow", "toy", "speak", tmp_path / "play.txt", out, "--srt", "--vtt", "--cues", "--json"
    ).stdout
    data = json.loads(only)
    assert only.count("\n") == 1
    assert (data["provider"], data["watermark"], data["rate"]) == ("toy", "toy-mark", 8000)
    assert data["seconds"] == pytest.approx(0.2 * 8)
    assert [cue["value"] for cue in data["cues"]] == [
        "Hello",
        "there",
        "How",
        "are",
        "you",
        "Gut",
        "danke",
        "selbst",
    ]
    assert {row["tag"]: row["how"] for row in data["tags"]} == {
        "excited": "unsupported", "pause 1s": "native", "laughs": "unsupported",
    }  # fmt: skip
    with wave.open(str(out)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000)
        assert file.getnframes() == 8000 * data["seconds"]
    assert "Ann: Hello there." in out.with_suffix(".srt").read_text()
    assert "<v Bob>Gut &lt;danke&gt; &amp; selbst!</v>" in out.with_suffix(".vtt").read_text()
    assert json.loads(out.with_suffix(".cues.json").read_text())["cues"] == data["cues"]
    assert sorted(data["files"]) == sorted(str(path) for path in out.parent.iterdir())


def test_speak_reads_standard_input_and_takes_options(run, toy, tmp_path):
    out = tmp_path / "a.wav"
    words = ("--allow", "toy", "speak", "-", out, "--voice", "high", "--provider", "toy")
    assert "by toy" in run(*words, input="hello").stdout
    run("--allow", "toy", "speak", "-", out, "--voice", "shrill", input="hello", status=1)


def test_what_is_not_marked_is_not_written(run, toy, tmp_path):
    module = toy.folder / "acme_hum.py"
    module.write_text(module.read_text().replace('mark = "toy-mark"', "mark = None"))
    sys.modules.pop("acme_hum", None)
    result = run("--allow", "toy", "speak", "-", tmp_path / "a.wav", "--srt", input="hello", status=1)
    assert "no watermark" in result.stderr
    assert list(tmp_path.glob("a.*")) == []


def test_what_is_wrong_is_found_before_the_work(run, toy, tmp_path):
    (tmp_path / "play.txt").write_text("hello")
    said = run("--allow", "toy", "speak", tmp_path / "play.txt", tmp_path / "a.xyz", status=1).stderr
    assert ".wav" in said
    run("--allow", "toy", "speak", tmp_path / "play.txt", tmp_path / "play.txt", status=1)
    (tmp_path / "bad.txt").write_text("@langage de\nhello")
    said = run("--allow", "toy", "speak", tmp_path / "bad.txt", tmp_path / "a.wav", status=1).stderr
    assert "bad.txt:1" in said
    (tmp_path / "bad.txt").write_text("[wispers] hello")
    said = run("--allow", "toy", "speak", tmp_path / "bad.txt", tmp_path / "a.wav", status=1).stderr
    assert "whispers" in said
    assert not (tmp_path / "a.wav").exists()


def test_voices_are_listed_and_chosen_by_language(run, toy):
    data = json.loads(run("--allow", "toy", "voices", "--json").stdout)
    assert [(row["provider"], row["name"]) for row in data["voices"]] == [("toy", "low"), ("toy", "high")]
    data = json.loads(run("--allow", "toy", "voices", "--language", "DE", "--json").stdout)
    assert [row["name"] for row in data["voices"]] == ["low"]
    assert "hums" in run("--allow", "toy", "voices").stdout


def test_tags_are_listed_with_what_voices_make_of_them(run, toy):
    data = json.loads(run("--allow", "toy", "tags", "--json").stdout)
    assert len(data["tags"]) > 300
    assert all(set(row["providers"]) == {"toy"} and row["source"] for row in data["tags"])
    text = run("--allow", "toy", "tags", "pause 1.5s", "[laughs]").stdout
    assert re.search(r"pause 1.5s +pause +pause 1.5 s +native", text)
    assert re.search(r"laughs +sound +same as laugh +unsupported", text)
    assert "did you mean" in run("tags", "wispers", status=2).stderr
    assert "emotion" in run("tags", "--category", "emotio", status=2).stderr
    assert all(
        row["category"] == "pace"
        for row in json.loads(run("tags", "--category", "pace", "--json").stdout)["tags"]
    )


def test_commands_load_nothing_until_they_run():
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "kinetoscope", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "kinetoscope.speech" not in ran.stderr
    assert "kinetoscope_spec.script" not in ran.stderr


# -- captions


def spoken(script: Script, *, word_s: float = 0.3, pause_s: float = 0.05) -> Audio:
    """Return silence with a cue for each word."""
    cues, at = [], 0.0
    for line in script.lines:
        for word in words_of(line.text):
            cues.append(Cue("word", word, at, at + word_s))
            at += word_s + pause_s
    return Audio(np.zeros((int(at * 1000) + 100, 1)), 1000, cues)


@given(scripts(), st.floats(0.05, 1.5), st.floats(0, 2))
def test_captions_hold_every_word_in_time(script: Script, word_s: float, pause_s: float) -> None:
    audio = spoken(script, word_s=word_s, pause_s=pause_s)
    held = captions(script, audio)
    said = [word for caption in held for word in words_of(caption.text)]
    assert said == [word for line in script.lines for word in words_of(plain_text(line.text))]
    assert all(a.end <= b.start + 1e-9 for a, b in itertools.pairwise(held))
    for caption in held:
        assert 0 <= caption.start <= caption.end <= audio.duration + 1e-9
        assert caption.end - caption.start < max(LONGEST_S, word_s) + 1
        rows = caption.text.split("\n")
        assert len(rows) <= ROWS
        assert all(len(row) <= ROW_LETTERS or len(words_of(row)) == 1 for row in rows)


def test_captions_end_with_sentences_and_at_silences() -> None:
    script = Script.of("One two three four. Five six seven eight")
    assert [caption.text for caption in captions(script, spoken(script))] == [
        "One two three four.",
        "Five six seven eight",
    ]
    assert len(captions(script, spoken(script, pause_s=1.2))) == 8


def test_cues_of_another_script_are_an_error() -> None:
    for other in ("one three", "one", "one two three"):
        with pytest.raises(ValidationError):
            captions(Script.of("one two"), spoken(Script.of(other)))


def test_words_in_several_cues_are_one() -> None:
    cues = [Cue("word", "日本", 0, 0.2), Cue("word", "語", 0.2, 0.5)]
    (caption,) = captions(Script.of("日本語。"), Audio(np.zeros((1000, 1)), 1000, cues))
    assert (caption.text, caption.start) == ("日本語。", 0)


def test_times_are_written_as_the_formats_want_them() -> None:
    script = Script((Line("a", "A"), Line("b <i>", "B")))
    audio = Audio(
        np.zeros((8000, 1)),
        1,
        [Cue("word", "a", 3661.0425, 3662), Cue("word", "b", 7000, 7001), Cue("word", "i", 7001, 7002)],
    )
    held = captions(script, audio)
    assert srt(held).startswith("1\n01:01:01,042 --> 01:01:02,500\nA: a\n\n2\n01:56:40,000 --> ")
    assert vtt(held).startswith("WEBVTT\n\n01:01:01.042 --> 01:01:02.500\n<v A>a</v>\n\n01:56:40.000")
    assert "<v B>b &lt;i&gt;</v>" in vtt(held)


# -- sound


def test_pieces_are_joined_with_their_cues() -> None:
    piece = Audio(np.full((500, 1), 0.25), 1000, [Cue("word", "a", 0.1, 0.5)], Provenance("x"))
    whole = joined([piece, piece])
    assert whole.duration == 1
    assert [(cue.start, cue.end) for cue in whole.cues] == [(0.1, 0.5), (0.6, 1.0)]
    with pytest.raises(KinetoscopeError):
        joined([])


@given(st.integers(0, 200), st.sampled_from([1, 2]), st.integers(0, 99))
def test_a_wav_file_holds_the_samples_to_16_bits(
    tmp_path_factory, count: int, channels: int, seed: int
) -> None:
    samples = np.random.default_rng(seed).uniform(-1, 1, (count, channels))
    path = tmp_path_factory.mktemp("wav") / "a.wav"
    write_sound(path, Audio(samples, 8000, (), Provenance("x", watermark="y")))
    with wave.open(str(path)) as file:
        read = np.frombuffer(file.readframes(count), "<i2").reshape(-1, channels) / 32767
    assert np.abs(read - samples).max(initial=0) < 1 / 32767


def test_other_formats_take_a_provider_that_writes_them(tmp_path) -> None:
    audio = Audio(np.zeros((10, 1)), 8000, (), Provenance("x", watermark="y"))

    class Media:
        def write_audio(self, path, audio):
            path.write_text("sound")

    write_sound(tmp_path / "a.flac", audio, Media())
    assert (tmp_path / "a.flac").read_text() == "sound"
    for media in (None, object()):
        with pytest.raises(ConfigError, match=r"\.wav"):
            write_sound(tmp_path / "b.flac", audio, media)
    with pytest.raises(KinetoscopeError, match="watermark"):
        write_sound(tmp_path / "c.wav", Audio(np.zeros((10, 1)), 8000))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.flac"]
