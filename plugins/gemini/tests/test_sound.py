"""Decoding, level and joining: by other decoders, by analytic tones, by laws."""

import io
import math
import wave
from itertools import pairwise

import av
import numpy as np
import pytest
from gemini_speech import RATE, spoken
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope_gemini._joining import Joiner
from kinetoscope_gemini._live import BlobDecoder
from kinetoscope_gemini._sound import audible, decoded, level, matching_gain, resampled
from kinetoscope_spec import FormatError

SPEECH = np.frombuffer(spoken([("kore", "", "Some words are said here, and more")]), "<i2")


def wav(values: np.ndarray, *, rate: int = 24000, width: int = 2) -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(values.shape[1] if values.ndim > 1 else 1)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(values.tobytes())
    return stream.getvalue()


def test_wav_and_raw_pcm_are_told_apart_by_their_bytes() -> None:
    expected = SPEECH / 32768
    for data, mime in (
        (wav(SPEECH), "audio/wav"),
        (wav(SPEECH), "audio/L16;codec=pcm;rate=24000"),  # the bytes count
        (SPEECH.tobytes(), "audio/L16;codec=pcm;rate=24000"),
        (SPEECH.tobytes(), "audio/l16; rate=24000; channels=1"),
        (SPEECH.tobytes(), None),
    ):
        samples, rate = decoded(data, mime)
        assert rate == 24000
        assert np.abs(samples - expected).max() < 1e-7


def test_rates_and_channels_are_read_from_the_answer() -> None:
    assert decoded(SPEECH.tobytes(), "audio/L16;rate=16000")[1] == 16000
    assert decoded(wav(SPEECH, rate=8000), None)[1] == 8000
    stereo = np.stack([SPEECH, -SPEECH], axis=1)
    assert np.abs(decoded(wav(stereo), None)[0]).max() == 0


@pytest.mark.parametrize(("name", "mime"), [("pcm_mulaw", "audio/mulaw"), ("pcm_alaw", "audio/x-alaw")])
def test_g711_is_decoded_as_ffmpeg_does(name: str, mime: str) -> None:
    codes = bytes(range(256))
    codec = av.CodecContext.create(name, "r")
    codec.sample_rate, codec.layout = 8000, "mono"
    frames = [*codec.decode(av.Packet(codes)), *codec.decode(None)]
    expected = np.concatenate([frame.to_ndarray().ravel() for frame in frames])
    samples, rate = decoded(codes, mime)
    assert rate == 8000
    assert np.array_equal(np.rint(samples * 32768), expected)


def test_wide_wavs_and_lengths_that_were_not_known() -> None:
    wide = (SPEECH.astype("<i4") << 16).astype("<i4")
    assert np.abs(decoded(wav(wide, width=4), None)[0] - SPEECH / 32768).max() < 1e-7
    data = bytearray(wav(SPEECH))
    data[40:44] = b"\xff\xff\xff\xff"
    assert len(decoded(bytes(data), None)[0]) == len(SPEECH)


@pytest.mark.parametrize(
    ("data", "mime", "said"),
    [
        (b"ID3\x04" + bytes(50), "audio/mpeg", "MP3"),
        (b"OggS" + bytes(50), "audio/ogg", "Ogg"),
        (bytes(50), "video/mp4", "video/mp4"),
        (b"RIFF" + bytes(60), "audio/wav", "no format or no data"),
        (wav(SPEECH)[:-100], "audio/wav", "100 bytes early"),
        (bytes(50), "audio/L16;rate=1", "rate"),
    ],
)
def test_what_can_not_be_decoded_is_named(data: bytes, mime: str, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        decoded(data, mime)


@given(st.binary(max_size=200), st.sampled_from([None, "audio/wav", "audio/L16;rate=24000", "audio/mulaw"]))
def test_any_bytes_are_samples_or_a_format_error(data: bytes, mime: str | None) -> None:
    for held in (data, wav(SPEECH)[:44] + data, b"RIFF" + data):
        try:
            samples, rate = decoded(held, mime)
        except FormatError:
            continue
        assert samples.dtype == np.float32
        assert np.abs(samples).max(initial=0) <= 1
        assert 4000 <= rate <= 192000


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000])
def test_resampling_keeps_a_tone(rate: int) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)
    found = resampled(tone.astype(np.float32), rate, 24000)
    assert len(found) == 24000
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(24000) / 24000)
    assert np.abs(found - expected)[2000:-2000].max() < 1e-3


@given(st.lists(st.integers(1, 4000), max_size=12), st.sampled_from([1, 2]))
def test_a_stream_may_be_cut_anywhere(cuts: list[int], channels: int) -> None:
    data = SPEECH[: len(SPEECH) // 2 * 2].tobytes()
    mime = f"audio/L16;rate=24000;channels={channels}"
    places = [0, *np.minimum(np.cumsum(cuts), len(data)).tolist(), len(data)]
    decoder = BlobDecoder()
    found = np.concatenate([decoder.push(data[a:b], mime) for a, b in pairwise(places)] + [decoder.finish()])
    assert np.array_equal(found, decoded(data, mime)[0])


def test_level_does_not_depend_on_pauses_and_gain_has_bounds() -> None:
    speech = (SPEECH / 32768).astype(np.float32)
    padded = np.concatenate([np.zeros(48000, np.float32), speech, np.zeros(48000, np.float32)])
    assert abs(20 * math.log10(level(padded, RATE) / level(speech, RATE))) < 0.2
    reference = level(speech, RATE)
    for factor in (0.6, 0.9, 1.4):
        gain = matching_gain(speech * np.float32(factor), reference * factor, reference)
        assert abs(20 * math.log10(gain * factor)) < 0.1
    assert matching_gain(speech, reference / 20, reference) == pytest.approx(10 ** (6 / 20))
    assert matching_gain(speech, reference, reference / 100) == pytest.approx(10 ** (-6 / 20))
    loud = speech / np.abs(speech).max() * np.float32(0.9)
    assert np.abs(loud * matching_gain(loud, level(loud, RATE), 2 * level(loud, RATE))).max() <= 0.981


def chunk(lead_s: float, tail_s: float) -> np.ndarray:
    tone = 0.3 * np.sin(2 * np.pi * 300 * np.arange(RATE // 2) / RATE)
    parts = [np.zeros(round(lead_s * RATE)), tone, np.zeros(round(tail_s * RATE))]
    return np.concatenate(parts).astype(np.float32)


SILENCES = st.sampled_from([0.0, 0.02, 0.1, 0.4, 1.0, 3.0])


def sounding(samples: np.ndarray) -> list[tuple[int, int]]:
    """Return where sound begins and ends, to a frame."""
    heard = np.flatnonzero(np.abs(samples) > 0.01)
    breaks = np.flatnonzero(np.diff(heard) > 0.1 * RATE)
    return list(zip(heard[np.r_[0, breaks + 1]], heard[np.r_[breaks, -1]], strict=True))


@given(st.lists(st.tuples(SILENCES, SILENCES), min_size=2, max_size=4))
def test_pauses_between_requests_are_natural(silences: list[tuple[float, float]]) -> None:
    joiner = Joiner()
    out = []
    for lead_s, tail_s in silences:
        joiner.begin(0)
        out.append(joiner.push(chunk(lead_s, tail_s), last=True))
    out.append(joiner.finish(0))
    spans = sounding(np.concatenate(out))
    assert len(spans) == len(silences)
    for (_, tail), (lead, _), one, two in zip(silences, silences[1:], spans, spans[1:], strict=False):
        gap = (two[0] - one[1]) / RATE
        assert abs(gap - min(max(tail + lead, 0.15), 0.7)) <= 0.045


@given(SILENCES, SILENCES, st.sampled_from([0.05, 0.5, 2.0]))
def test_pauses_in_seconds_are_exact(tail_s: float, lead_s: float, gap_s: float) -> None:
    joiner = Joiner()
    joiner.begin(0)
    out = [joiner.push(chunk(0, tail_s), last=True)]
    joiner.begin(gap_s)
    out += [joiner.push(chunk(lead_s, 0.5), last=True), joiner.finish(1.25)]
    sound = np.concatenate(out)
    heard = np.flatnonzero(np.abs(sound) > 0.002)
    widest = int(np.diff(heard).max()) / RATE
    assert abs(max(widest, 0.05) - gap_s) <= 0.02, "an exact pause is within 20 ms"
    assert abs((len(sound) - heard[-1]) / RATE - 1.25) <= 0.02


@given(st.lists(st.integers(1, 9000), max_size=8), SILENCES, SILENCES)
def test_joining_does_not_depend_on_the_pieces(cuts: list[int], lead_s: float, tail_s: float) -> None:
    samples = chunk(lead_s, tail_s)
    places = [0, *np.minimum(np.cumsum(cuts), len(samples)).tolist(), len(samples)]
    found = []
    for pieces in ([(0, len(samples))], list(pairwise(places))):
        joiner = Joiner()
        out = []
        for gap_s in (0.0, 0.3):
            joiner.begin(gap_s)
            out += [joiner.push(samples[a:b], last=i == len(pieces) - 1) for i, (a, b) in enumerate(pieces)]
        found.append(np.concatenate([*out, joiner.finish(0)]))
    assert np.array_equal(*found)


def test_silence_is_not_heard() -> None:
    assert not audible(np.zeros(5000, np.float32), RATE).any()
    assert not audible(np.full(5000, 1e-4, np.float32), RATE).any()
    assert level(np.zeros(0, np.float32), RATE) == 0
