"""Speech end to end: one script on every voice, marked by the host, written, found again."""

from __future__ import annotations

import importlib
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from kinetoscope import Host
from kinetoscope.cli import main
from kinetoscope_espeak.voice import EspeakVoice
from kinetoscope_spec import Line, Script
from kinetoscope_spec.script import tags_of, write_text

ROOT = Path(__file__).parents[1]
GEMINI = ROOT / "plugins" / "gemini" / "tests"
PAGE = ROOT / "docs" / "pages" / "how-to" / "give-a-character-a-voice.md"
TAGS = (
    "excited", "whispers", "sighs", "laughs", "short pause", "long pause", "pause 1.5s", "sarcastic", "shouting",
    "very slow", "fast", "clears throat", "style: like a pirate", "gasp", "crying", "tired", "rate 80%",
    "pitch +10%", "volume -3dB", "mark door",
)  # fmt: skip
SAID = (
    ("Ann", "en-US", "Here I am at last."),
    ("Bob", "de", "Da bin ich wieder."),
    ("Eva", "fr", "Me voilà enfin."),
    ("Ann", "es", "Aquí estoy otra vez."),
)
LINES = tuple(
    Line(f"[{tag}] {text}", speaker, language)
    for i, tag in enumerate(TAGS)
    for speaker, language, text in [SAID[i % 4]]
)
CASTS = {
    "espeak": {"Ann": "f2", "Bob": "m3", "Eva": "annie"},
    "gemini": {"Ann": "Zephyr", "Bob": "Charon", "Eva": "Leda"},
}


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KINETOSCOPE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Gemini's loopback server, and a key for it."""
    monkeypatch.syspath_prepend(str(GEMINI))
    loopback = importlib.import_module("gemini_loopback")
    for name in ("GOOGLE_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI"):
        monkeypatch.delenv(name, raising=False)
    with loopback.Loopback() as running:
        monkeypatch.setenv("GEMINI_API_KEY", loopback.KEY)
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", running.url)
        running.key = loopback.KEY
        yield running


def run(*words: object, status: int = 0) -> Result:
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == status, (result.output, result.stderr, result.exception)
    return result


@pytest.mark.parametrize("provider", CASTS)
def test_three_speakers_four_languages_and_twenty_tags_play_on_every_voice(
    provider: str, server: Any, tmp_path: Path
) -> None:
    script = Script(LINES, CASTS[provider], "en-US")
    (tmp_path / "play.txt").write_text(write_text(script), encoding="utf-8")
    out = tmp_path / "play.wav"
    data = json.loads(
        run("speak", "play.txt", out, "--provider", provider, "--srt", "--vtt", "--cues", "--json").stdout
    )
    assert (data["provider"], data["watermark"]) == (provider, "perth")
    # every tag is accounted for, and what is not as asked says why
    assert [row["tag"] for row in data["tags"]] == [tag.name for tag in tags_of(script)]
    assert len(data["tags"]) == 20
    assert {row["how"] for row in data["tags"]} <= {"native", "approximated", "unsupported"}
    assert all(row["note"] for row in data["tags"] if row["how"] != "native")
    assert sum(row["how"] == "unsupported" for row in data["tags"]) <= 2
    # every word is heard, in order
    words = [cue["value"] for cue in data["cues"] if cue["kind"] == "word"]
    assert words == [word.strip(".") for _, _, text in (SAID * 5) for word in text.split()]
    files = {Path(path).name for path in data["files"]}
    assert files == {"play.wav", "play.wav.provenance.json", "play.srt", "play.vtt", "play.cues.json"}
    assert (tmp_path / "play.vtt").read_text().count("<v Eva>") >= 5
    told = json.loads(run("verify", out, "--json").stdout)
    assert told["marked"]
    assert told["score"] > 0.9
    assert told["provenance"]["provider"] == provider
    assert told["sidecar"]["matches"]
    # the key is nowhere: neither in what was written, nor in the cache
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or server.key.encode() not in path.read_bytes()


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3", ".opus"])
def test_what_is_written_is_found_to_be_marked_in_every_format(suffix: str, tmp_path: Path) -> None:
    with Host() as host:
        audio = host.voice("espeak").speak(Script.of("Where were you when the lights went out? In the dark."))
        written = host.write_audio(tmp_path / f"said{suffix}", audio)
        read = host.provider("media").read_audio(written.path)
        assert host.provider("watermarker").verify(read).marked
        assert read.duration == pytest.approx(audio.duration, abs=0.1)
        made = json.loads(host.provider("media").metadata(written.path)["comment"])["provenance"]
    assert (made["provider"], made["watermark"]) == ("espeak", "perth")
    told = json.loads(run("verify", written.path, "--json").stdout)
    assert told["provenance"]["text_sha256"] == audio.provenance.text_sha256
    assert told["sidecar"]["matches"]


def test_a_stream_is_marked_in_blocks_however_small_its_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Marking by the piece would be slow and the pieces too short to tell the mark in."""
    whole = EspeakVoice().speak(Script.of("Nine men went to mow. " * 6))

    def crumbs(_self: object, _script: Script, **_options: object) -> Iterator[Any]:
        size = whole.rate // 20
        for at in range(0, len(whole.samples), size):
            yield type(whole)(whole.samples[at : at + size], whole.rate, (), whole.provenance)

    with Host() as host:
        marked = host.voice("espeak").speak(Script.of("Nine men went to mow. " * 6))
        monkeypatch.setattr(EspeakVoice, "stream", crumbs)
    with Host() as host:
        pieces = list(host.voice("espeak").stream(Script.of("Nine men went to mow. " * 6)))
        assert all(0.7 <= piece.duration <= 1.3 for piece in pieces[:-1])
        assert all(host.marker.knows(piece) for piece in pieces)
    np.testing.assert_array_equal(np.concatenate([piece.samples for piece in pieces]), marked.samples)


def test_what_a_voice_offers_besides_goes_through_the_hosts_stand_in(server: Any) -> None:
    with Host() as host:
        voice = host.voice("gemini")
        assert voice.estimate(Script.of("One, two, three.")).requests == 1
        assert voice.treatment("whispers").how == "native"
        assert voice.settings.base_url is None or isinstance(voice.settings.base_url, str)
        voice.close()
        espeak = host.voice("espeak")
        assert espeak.treatment(tags_of(Script.of("[laughs] ha"))[0]).how == "approximated"
        espeak.speak(Script.of("ha"))
        espeak.close()
        assert espeak.speak(Script.of("ha")).duration > 0  # it begins anew
    assert not server.seen


def commands() -> list[str]:
    """Return the commands of the how-to page that need no key."""
    text = PAGE.read_text(encoding="utf-8")
    lines = [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    return [line for line in lines if line.startswith("kinetoscope ") and "gemini" not in line]


def test_the_commands_of_the_how_to_page_run(tmp_path: Path) -> None:
    (play,) = re.findall(r'```text title="play.txt"\n(.*?)```', PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "play.txt").write_text(play, encoding="utf-8")
    assert len(commands()) >= 7
    for line in commands():
        run(*shlex.split(line)[1:])
    made = {path.name for path in tmp_path.glob("play.*")}
    assert {"play.wav", "play.flac", "play.mp3", "play.srt", "play.vtt", "play.cues.json"} <= made
