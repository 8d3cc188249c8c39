"""What the tests hear: levels, onsets and pitch, by means that share nothing with the plugin."""

from __future__ import annotations

import numpy as np
from scipy.signal import find_peaks

from kinetoscope_espeak.voice import EspeakVoice
from kinetoscope_spec import Audio, Script

VOICE = EspeakVoice()
TEXT = "The weather is lovely today and we walk along the river"


def said(text: str, voice: str = "neutral", language: str = "en-US", **more: object) -> Audio:
    return VOICE.speak(Script.of(text, voices={"narrator": voice}, language=language, **more))


def level(audio: Audio, step_s: float = 0.001) -> np.ndarray:
    """Return the greatest amplitude in each step."""
    edges = np.round(np.arange(0, audio.duration, step_s) * audio.rate).astype(int)
    return np.maximum.reduceat(np.abs(audio.samples[:, 0]), edges)


def spans(audio: Audio, *, quiet: float = 0.02, gap_s: float = 0.06) -> list[tuple[float, float]]:
    """Return from when to when there is sound, where silences of `gap_s` part it."""
    heard = np.flatnonzero(level(audio) > quiet * np.abs(audio.samples).max())
    cuts = np.flatnonzero(np.diff(heard) > 1000 * gap_s)
    begins, ends = heard[np.r_[0, cuts + 1]], heard[np.r_[cuts, len(heard) - 1]] + 1
    return [(a / 1000, b / 1000) for a, b in zip(begins, ends, strict=True)]


def loudness(audio: Audio) -> float:
    """Return the RMS in dB of what is not silent."""
    heard = audio.samples[np.abs(audio.samples) > 0.001]
    return float(10 * np.log10(np.mean(heard.astype(float) ** 2)))


def pitch(audio: Audio) -> np.ndarray:
    """Return the fundamental frequency, Hz, of each voiced 40 ms, by the cepstrum."""
    samples, rate = audio.samples[:, 0].astype(float), audio.rate
    size = 1024
    found = []
    for start in range(0, len(samples) - size, size // 2):
        part = samples[start : start + size] * np.hanning(size)
        if np.sqrt(np.mean(part**2)) < 0.15 * np.sqrt(np.mean(samples**2)):
            continue
        cepstrum = np.fft.irfft(np.log(np.abs(np.fft.rfft(part, 4096)) + 1e-6))
        low, high = int(rate / 500), int(rate / 60)
        peaks, told = find_peaks(cepstrum[low:high], height=0.12)
        if len(peaks):
            found.append(rate / (low + peaks[told["peak_heights"].argmax()]))
    return np.array(found)
