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

from kinetoscope import Host
from kinetoscope.cli import main
from kinetoscope.sound import joined
from kinetoscope.speech import playing
from kinetoscope_spec import Audio, Cue, KinetoscopeError, Line, Provenance, Script, ValidationError
from kinetoscope_spec.contracts._speech import words_of
from kinetoscope_spec.contracts.strategies._voice import scripts
from kinetoscope_spec.script import plain_text
from kinetoscope_spec.script.captions import LONGEST_S, ROW_LETTERS, ROWS, captions, srt, vtt

VOICE = """
    import numpy as np
    from kinetoscope_spec import Audio, Cue, Provenance, Provider, ValidationError, VoiceInfo, hookimpl
    from kinetoscope_spec.script import Treatment, plain_text, tags_of, words

    class Toy:
        '''Hums a word in 0.2 s.'''
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
                yield Audio(tone[:, None], 8000, cues, Provenance("toy", "hum", "low"))
        def speak(self, script):
            raise AssertionError("a voice that says the same each time is streamed, so that the bar moves")
    @hookimpl
    def voice():
        return [Provider("toy", "hums", load=Toy, languages=("en",))]
"""

MARKER = """
    import sys
    from types import SimpleNamespace
    from kinetoscope_spec import Hook, Provider, hookimpl, hookspec

    HOOKS = (Hook("watermarker", "marks", "kinetoscope_spec.protocols:Voice"),)

    @hookspec
    def watermarker():
        "Return markers."

    @hookimpl
    def addhooks():
        return [sys.modules[__name__]]

    class Halving:
        "A mark that these tests can see: all is half as loud."
        def open(self, rate, channels):
            return SimpleNamespace(push=lambda samples: samples / 2, finish=lambda: samples_of(channels))
        def verify(self, audio, *, search=True):
            marked = bool(abs(audio.samples).max(initial=0) <= 0.25)
            return SimpleNamespace(marked=marked, score=0.0, abstained="")

    def samples_of(channels):
        import numpy as np
        return np.zeros((0, channels), np.float32)
"""

FILLS = """
    from kinetoscope_spec import Provider, hookimpl

    @hookimpl
    def watermarker():
        return [Provider("toy-mark", "halves", load="acme_mark:Halving")]
"""

PLAY = """
@language en
Ann: [excited] Hello there. [pause 1s] How are you?
Bob (de-DE): Gut <danke> & [laughs] selbst!
"""


TOY = ("--allow", "toy", "--allow", "acme-mark")


@pytest.fixture
def run(shelf):
    def run(*words, status=0, **options):
        result = CliRunner().invoke(main, [str(word) for word in words], **options)
        assert result.exit_code == status, (result.output, result.stderr, result.exception)
        return result

    return run


@pytest.fixture
def marker(shelf):
    entries = {"kinetoscope": {"mark": "acme_mark"}, "kinetoscope.watermarker": {"toy-mark": "acme_fills"}}
    shelf.add("acme-mark", entries, {"acme_mark": MARKER, "acme_fills": FILLS})


@pytest.fixture
def toy(shelf, marker):
    shelf.add("acme-hum", {"kinetoscope.voice": {"toy": "acme_hum"}}, {"acme_hum": VOICE})
    return shelf


def test_speak_writes_speech_captions_and_cues(run, toy, tmp_path):
    (tmp_path / "play.txt").write_text(PLAY)
    out = tmp_path / "made" / "play.wav"
    only = run(*TOY, "speak", tmp_path / "play.txt", out, "--srt", "--vtt", "--cues", "--json").stdout
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
        loudest = np.abs(np.frombuffer(file.readframes(file.getnframes()), "<i2")).max() / 32767
    assert loudest == pytest.approx(0.25, abs=1e-3)  # the mark of these tests
    assert "Ann: Hello there." in out.with_suffix(".srt").read_text()
    assert "<v Bob>Gut &lt;danke&gt; &amp; selbst!</v>" in out.with_suffix(".vtt").read_text()
    assert json.loads(out.with_suffix(".cues.json").read_text())["cues"] == data["cues"]
    assert sorted(data["files"]) == sorted(str(path) for path in out.parent.iterdir())
    record = json.loads((out.parent / "play.wav.provenance.json").read_text())
    assert record["provenance"]["watermark"] == "toy-mark"


def test_speak_reads_standard_input_and_takes_options(run, toy, tmp_path):
    out = tmp_path / "a.wav"
    words = (*TOY, "speak", "-", out, "--voice", "high", "--provider", "toy")
    assert "by toy" in run(*words, input="hello").stdout
    run(*TOY, "speak", "-", out, "--voice", "shrill", input="hello", status=1)


def test_without_a_marker_nothing_is_spoken_or_written(run, shelf, tmp_path):
    shelf.add("acme-hum", {"kinetoscope.voice": {"toy": "acme_hum"}}, {"acme_hum": VOICE})
    result = run("--allow", "toy", "speak", "-", tmp_path / "a.wav", "--srt", input="hello", status=1)
    assert "pip install kinetoscope-perth" in result.stderr
    assert list(tmp_path.glob("a.*")) == []


def test_no_option_leaves_the_mark_out(run, toy):
    said = run(*TOY, "speak", "--help").stdout
    assert sorted(set(re.findall(r"--[a-z-]+", said))) == [
        "--cues", "--help", "--json", "--language", "--play", "--provider", "--srt", "--voice", "--vtt",
    ]  # fmt: skip


def test_speech_is_played_by_what_the_system_has(run, toy, tmp_path, monkeypatch):
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    words = (*TOY, "speak", "-", tmp_path / "a.wav", "--play")
    result = run(*words, input="hello", status=1)
    assert "pw-play" in result.stderr
    assert not (tmp_path / "a.wav").exists()  # found out before anything was spoken
    kept = tmp_path / "heard.wav"
    (folder / "aplay").write_text(f"#!/bin/sh\n[ $1 = -q ] && /bin/cp $2 {kept}\n")
    (folder / "aplay").chmod(0o755)
    run(*words, input="hello")
    assert kept.read_bytes()[:4] == b"RIFF"
    (folder / "aplay").write_text("#!/bin/sh\necho no sound card >&2; exit 3\n")
    assert "aplay failed: no sound card" in run(*words, input="hello", status=1).stderr
    assert (tmp_path / "a.wav").exists()  # written all the same
    assert playing.player() == ("aplay", "-q")


def test_what_is_wrong_is_found_before_the_work(run, toy, tmp_path):
    (tmp_path / "play.txt").write_text("hello")
    said = run(*TOY, "speak", tmp_path / "play.txt", tmp_path / "a.xyz", status=1).stderr
    assert ".wav" in said
    run(*TOY, "speak", tmp_path / "play.txt", tmp_path / "play.txt", status=1)
    (tmp_path / "bad.txt").write_text("@langage de\nhello")
    said = run(*TOY, "speak", tmp_path / "bad.txt", tmp_path / "a.wav", status=1).stderr
    assert "bad.txt:1" in said
    (tmp_path / "bad.txt").write_text("[wispers] hello")
    said = run(*TOY, "speak", tmp_path / "bad.txt", tmp_path / "a.wav", status=1).stderr
    assert "whispers" in said
    assert not (tmp_path / "a.wav").exists()


def test_voices_are_listed_and_chosen_by_language(run, toy):
    data = json.loads(run(*TOY, "voices", "--json").stdout)
    assert [(row["provider"], row["name"]) for row in data["voices"]] == [("toy", "low"), ("toy", "high")]
    data = json.loads(run(*TOY, "voices", "--language", "DE", "--json").stdout)
    assert [row["name"] for row in data["voices"]] == ["low"]
    assert "hums" in run(*TOY, "voices").stdout


def test_tags_are_listed_with_what_voices_make_of_them(run, toy):
    data = json.loads(run(*TOY, "tags", "--json").stdout)
    assert len(data["tags"]) > 300
    assert all(set(row["providers"]) == {"toy"} and row["source"] for row in data["tags"])
    text = run(*TOY, "tags", "pause 1.5s", "[laughs]").stdout
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


def test_pieces_are_joined_with_their_cues(toy, tmp_path) -> None:
    piece = Audio(np.full((500, 1), 0.25), 1000, [Cue("word", "a", 0.1, 0.5)], Provenance("x"))
    with Host(allow=["toy", "acme-mark"]) as host:
        whole = joined(host, [piece, piece])
        assert whole.duration == 1
        assert [(cue.start, cue.end) for cue in whole.cues] == [(0.1, 0.5), (0.6, 1.0)]
        with pytest.raises(KinetoscopeError, match="no sound"):
            joined(host, [])


def test_what_is_joined_of_marked_pieces_is_known_to_be_marked(toy, tmp_path) -> None:
    with Host(allow=["toy", "acme-mark"]) as host:
        pieces = list(host.voice("toy").stream(Script((Line("one two"), Line("three")))))
        whole = joined(host, pieces)
        assert len(pieces) > 1
        assert host.marker.knows(whole)
        foreign = Audio(pieces[0].samples * 4, 8000, (), pieces[0].provenance)
        assert not host.marker.knows(joined(host, [pieces[0], foreign]))
        with pytest.raises(ValidationError, match="no mark was found"):
            host.write_audio(tmp_path / "a.wav", joined(host, [pieces[0], foreign]))
        assert host.write_audio(tmp_path / "b.wav", whole).watermark == "toy-mark"
