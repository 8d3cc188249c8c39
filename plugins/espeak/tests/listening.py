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
    heard = audio.samples[np.abs(audio.samples) > 0.01 * np.abs(audio.samples).max()]
    return float(10 * np.log10(np.mean(heard.astype(float) ** 2)))


def pitch(audio: Audio) -> np.ndarray:
    """Return the fundamental frequency, Hz, of each voiced 46 ms, by autocorrelation."""
    samples, rate = audio.samples[:, 0].astype(float), audio.rate
    size, low, high = 1024, round(rate / 500), round(rate / 60)
    found = []
    for start in range(0, len(samples) - size, size // 2):
        part = samples[start : start + size] - samples[start : start + size].mean()
        if np.sqrt(np.mean(part**2)) < 0.3 * np.sqrt(np.mean(samples**2)):
            continue
        spectrum = np.abs(np.fft.rfft(part, 2 * size)) ** 2
        alike = np.fft.irfft(spectrum)[: high + 1] / (size - np.arange(high + 1))
        alike /= alike[0]
        peaks, _ = find_peaks(alike[low:high], height=max(0.5, 0.9 * alike[low:high].max()))
        if len(peaks):  # the first of those that are nearly the highest: later ones are its multiples
            found.append(rate / (low + peaks[0]))
    return np.array(found)
