"""Nothing that a voice says leaves a host unmarked, by whatever road."""

from __future__ import annotations

import asyncio
import json
import logging
import pickle
import wave
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinetoscope import Host, _marking
from kinetoscope._marking import Marker, Marks, Session
from kinetoscope_spec import Audio, Cue, Hook, Provenance, Provider, Script, hookimpl, hookspec
from kinetoscope_spec.errors import ConfigError, PluginError, ProviderUnavailable, ValidationError
from kinetoscope_spec.voice import VoiceInfo

RATE = 1000
MARK = 0.125
"""The mark of these tests: a sample that is marked is larger by it."""


class Adding:
    """A watermarker that lags behind by `lag` samples."""

    lag = 300

    def open(self, rate: int, channels: int) -> Any:
        return AddingSession(self.lag, channels)

    def mark(self, audio: Audio) -> Audio:
        return attrs.evolve(audio, samples=audio.samples + MARK)

    def verify(self, audio: Audio, *, search: bool = True) -> Any:
        return Verdict(bool((audio.samples >= MARK).all()))


@attrs.frozen
class Verdict:
    marked: bool
    score: float = 0.0
    abstained: str = ""


class AddingSession:
    def __init__(self, lag: int, channels: int) -> None:
        self.lag = lag
        self.held = np.zeros((0, channels), np.float32)

    def push(self, samples: np.ndarray) -> np.ndarray:
        self.held = np.concatenate([self.held, samples + MARK])
        ready = max(0, len(self.held) - self.lag)
        given, self.held = self.held[:ready], self.held[ready:]
        return given

    def finish(self) -> np.ndarray:
        return self.held


class Plain:
    """A voice that gives pieces it was told; `made` is their provenance."""

    pieces: Sequence[Audio] = ()
    closed = False

    def voices(self) -> Sequence[VoiceInfo]:
        return [VoiceInfo("only", ("en",), RATE)]

    def stream(self, script: Script) -> Iterator[Audio]:
        try:
            yield from self.pieces
        finally:
            type(self).closed = True

    def speak(self, script: Script) -> Audio:
        """Speak it all."""
        return joined(self.pieces)

    async def aspeak(self, script: Script) -> Audio:
        return joined(self.pieces)

    async def astream(self, script: Script) -> AsyncIterator[Audio]:
        for piece in self.pieces:
            yield piece


def joined(pieces: Sequence[Audio]) -> Audio:
    cues, before = [], 0.0
    for piece in pieces:
        cues += [attrs.evolve(c, start=c.start + before, end=c.end + before) for c in piece.cues]
        before += piece.duration
    return Audio(np.concatenate([p.samples for p in pieces]), RATE, cues, pieces[0].provenance)


def piece(count: int, *cues: tuple[int, int], made: Provenance | None = None) -> Audio:
    samples = np.linspace(0, 0.5, count, dtype=np.float32)[:, None]
    held = [Cue("word", f"w{i}", a / RATE, b / RATE) for i, (a, b) in enumerate(cues)]
    return Audio(samples, RATE, held, made)


class Embedded:
    @hookimpl
    def voice(self) -> Sequence[Provider]:
        return [Provider("plain", "a voice of the tests", load=Plain, languages=("en",))]


class Brings:
    """Brings a hook `watermarker` as the plugin does, and fills it."""

    @hookimpl
    def addhooks(self) -> Sequence[object]:
        return [hooks]


class hooks:
    HOOKS = (Hook("watermarker", "marks", "kinetoscope_spec.protocols:Voice"),)

    @staticmethod
    @hookspec
    def watermarker() -> Sequence[Provider]:  # type: ignore[empty-body]
        """Return markers."""


class Fills:
    @hookimpl
    def watermarker(self) -> Sequence[Provider]:
        return [Provider("adding", "adds", load=Adding)]


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    made = Provenance("plain", voice="only", watermark="SynthID", details={"region": "eu"})
    monkeypatch.setattr(Plain, "pieces", (piece(800, (0, 200), (350, 700), made=made), piece(900, (0, 900))))
    with Host(plugins=[Brings(), Fills(), Embedded()], autoload=False) as host:
        yield host


SCRIPT = Script.of("some words")


def _as_it_is(audio: Audio, script: Script) -> Audio:
    return audio


def roads(voice: Any) -> dict[str, Callable[[], Audio]]:
    async def gathered() -> Audio:
        return joined([held async for held in voice.astream(SCRIPT)])

    return {
        "speak": lambda: voice.speak(SCRIPT),
        "stream": lambda: joined(list(voice.stream(SCRIPT))),
        "aspeak": lambda: asyncio.run(voice.aspeak(SCRIPT)),
        "astream": lambda: asyncio.run(gathered()),
        "another process": lambda: pickle.loads(pickle.dumps(voice)).speak(SCRIPT),
    }


@pytest.mark.parametrize("road", ["speak", "stream", "aspeak", "astream", "another process"])
def test_every_road_is_marked(host: Host, road: str) -> None:
    audio = roads(host.voice("plain"))[road]()
    expected = joined(Plain.pieces)
    np.testing.assert_array_equal(audio.samples, expected.samples + np.float32(MARK))
    assert [cue.value for cue in audio.cues] == [cue.value for cue in expected.cues]
    for got, cue in zip(audio.cues, expected.cues, strict=True):
        assert (got.start, got.end) == (pytest.approx(cue.start), pytest.approx(cue.end))
    made = audio.provenance
    assert made is not None
    assert made.watermark == "adding"
    assert made.details == {"region": "eu", "voice_watermark": "SynthID"}
    assert made.text_sha256 is not None
    assert made.created is not None


def test_a_voice_keeps_its_class_and_words(host: Host) -> None:
    voice = host.voice("plain")
    assert isinstance(voice, Plain)
    assert voice.speak.__doc__ == "Speak it all."
    assert voice.voices()[0].name == "only"


def test_without_a_marker_no_voice_speaks() -> None:
    with Host(plugins=[Embedded()], autoload=False) as host:
        voice = host.voice("plain")
        for road, speak in roads(voice).items():
            with pytest.raises(ProviderUnavailable, match="pip install kinetoscope-perth") as caught:
                speak()
            assert road == "another process" or "in voice 'plain' of embedded" in caught.value.__notes__


def test_a_stream_that_is_left_is_closed(host: Host) -> None:
    Plain.closed = False
    stream = host.voice("plain").stream(SCRIPT)
    next(stream)
    stream.close()
    assert Plain.closed


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 700), st.lists(st.integers(0, 700), max_size=8)), min_size=1, max_size=6
    ),
    st.integers(0, 900),
)
def test_pieces_hold_whole_cues_and_all_samples(drawn: list[tuple[int, list[int]]], lag: int) -> None:
    marker = Adding()
    marker.lag = lag
    pieces = []
    for count, places in drawn:
        ends = sorted(place for place in places if place <= count)
        pieces.append(piece(count, *zip(ends[::2], ends[1::2], strict=False)))
    session = Session(Marks("plain", "", Marker(lambda: ("adding", marker)), _as_it_is), SCRIPT)
    given_out = [out for held in pieces for out in session.push(held)] + list(session.finish())
    whole = joined(pieces)
    samples = np.concatenate([out.samples for out in given_out]) if given_out else np.zeros((0, 1))
    np.testing.assert_array_equal(
        samples, whole.samples + np.float32(MARK) if len(whole.samples) else samples
    )
    if given_out:
        cues = joined(given_out).cues
        assert [cue.value for cue in cues] == [cue.value for cue in whole.cues]
        for got, cue in zip(cues, whole.cues, strict=True):
            assert abs(got.start - cue.start) < 1e-9
            assert abs(got.end - cue.end) < 1e-9


def test_a_marker_that_loses_samples_is_told(host: Host) -> None:
    class Loses(Adding):
        def open(self, rate: int, channels: int) -> Any:
            session = AddingSession(0, channels)
            session.finish = lambda: session.held[:0]  # type: ignore[method-assign]
            session.push = lambda samples: samples[1:]  # type: ignore[method-assign]
            return session

    session = Session(Marks("plain", "", Marker(lambda: ("loses", Loses())), _as_it_is), SCRIPT)
    session.push(piece(100))
    with pytest.raises(PluginError, match="returned 99 samples of 100"):
        session.finish()


def test_a_voice_that_changes_its_rate_is_told(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    other = attrs.evolve(piece(100), rate=2000)
    monkeypatch.setattr(Plain, "pieces", (piece(100), other))
    with pytest.raises(PluginError, match="1 channels at 1000 Hz to 1 at 2000 Hz") as caught:
        list(host.voice("plain").stream(SCRIPT))
    assert "in voice 'plain' of embedded" in caught.value.__notes__


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_marking, "REMEMBERED", 8)
    marker = Marker(lambda: ("adding", Adding()))
    sounds = [marker.remember(piece(10 + i)) for i in range(100)]
    assert all(map(marker.knows, sounds[-8:]))
    assert sum(map(marker.knows, sounds)) <= 16


def test_a_piece_says_what_is_known_at_its_end(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """A voice's account grows from piece to piece; the last one's is whole."""
    made = [Provenance("plain", details={"requests": i}) for i in range(3)]
    monkeypatch.setattr(Plain, "pieces", [piece(200, made=held) for held in made])
    given_out = list(host.voice("plain").stream(SCRIPT))
    assert given_out[-1].provenance.details["requests"] == 2
    counts = [held.provenance.details["requests"] for held in given_out]
    assert counts == sorted(counts)


# -- writing


def test_what_is_said_is_written_with_its_origin(host: Host, tmp_path: Path) -> None:
    audio = host.voice("plain").speak(SCRIPT)
    written = host.write_audio(tmp_path / "said.wav", audio)
    with wave.open(written.path, "rb") as file:
        assert (file.getframerate(), file.getnframes()) == (RATE, len(audio.samples))
    record = json.loads(Path(written.sidecar).read_text())
    assert record["provenance"]["watermark"] == written.watermark == "adding"
    assert record["synthetic"] is True
    embedded = Path(written.path).read_bytes().partition(b"ICMT")[2][4:].partition(b"\0")[0]
    assert json.loads(embedded)["provenance"] == record["provenance"]


@pytest.mark.parametrize("claim", [None, Provenance("plain"), Provenance("plain", watermark="adding")])
def test_what_is_not_marked_is_not_written(host: Host, tmp_path: Path, claim: Provenance | None) -> None:
    with pytest.raises(ValidationError, match="is not written"):
        host.write_audio(tmp_path / "said.wav", attrs.evolve(piece(500), provenance=claim))
    assert list(tmp_path.iterdir()) == []


def test_marked_sound_that_was_cut_is_written(host: Host, tmp_path: Path) -> None:
    audio = host.voice("plain").speak(SCRIPT)
    cut = attrs.evolve(audio, samples=audio.samples[100:400], cues=())
    assert host.write_audio(tmp_path / "cut.wav", cut).seconds == pytest.approx(0.3)


def test_other_formats_need_media(host: Host, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"only \.wav"):
        host.write_audio(tmp_path / "said.flac", host.voice("plain").speak(SCRIPT))
    assert list(tmp_path.iterdir()) == []


# -- what a voice does not say of its words, the host's aligner finds


class Halves:
    """An aligner that gives each word the same time; one that was told to fail does."""

    fails = False

    def align(self, audio: Audio, script: Script) -> Audio:
        if self.fails:
            raise RuntimeError("no model")
        words = script.text.split()
        times = np.linspace(0, audio.duration, len(words) + 1)
        cues = [Cue("word", word, a, b) for word, a, b in zip(words, times, times[1:], strict=False)]
        return attrs.evolve(audio, cues=cues)


class aligner_hooks:
    HOOKS = (Hook("aligner", "finds words", "kinetoscope_spec.protocols:Voice"),)

    @staticmethod
    @hookspec
    def aligner() -> Sequence[Provider]:  # type: ignore[empty-body]
        """Return aligners."""


class Aligns:
    @hookimpl
    def addhooks(self) -> Sequence[object]:
        return [aligner_hooks]

    @hookimpl
    def aligner(self) -> Sequence[Provider]:
        return [Provider("halves", "halves", load=Halves)]


@pytest.fixture
def aligning(monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    monkeypatch.setattr(Plain, "pieces", (piece(800),))
    with Host(plugins=[Brings(), Fills(), Embedded(), Aligns()], autoload=False) as host:
        yield host


def spans(audio: Audio) -> list[tuple[Any, ...]]:
    return [(cue.value, cue.start, cue.end) for cue in audio.cues]


def test_words_of_a_voice_that_gives_none_are_found(aligning: Host) -> None:
    voice = aligning.voice("plain")
    halves = [("some", 0.0, 0.4), ("words", 0.4, 0.8)]
    assert spans(voice.speak(SCRIPT)) == halves
    assert spans(asyncio.run(voice.aspeak(SCRIPT))) == halves
    assert spans(pickle.loads(pickle.dumps(voice)).speak(SCRIPT)) == halves
    assert not any(spans(held) for held in voice.stream(SCRIPT)), "what a piece says is not known"


def test_what_a_voice_says_itself_is_left_alone(aligning: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Plain, "pieces", (piece(800, (100, 300)),))
    assert spans(aligning.voice("plain").speak(SCRIPT)) == [("w0", 100 / RATE, 300 / RATE)]


def test_speech_is_not_lost_by_an_aligner_that_fails(
    aligning: Host, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Halves, "fails", True)
    with caplog.at_level(logging.WARNING, "kinetoscope"):
        audio = aligning.voice("plain").speak(SCRIPT)
    assert (len(audio.samples), spans(audio)) == (800, [])
    assert "the aligner failed: RuntimeError: no model" in caplog.text


def test_without_an_aligner_a_voice_speaks_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Plain, "pieces", (piece(800),))
    with Host(plugins=[Brings(), Fills(), Embedded()], autoload=False) as host:
        assert spans(host.voice("plain").speak(SCRIPT)) == []
