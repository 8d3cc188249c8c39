"""Scripts with words of many writings, the voices that speak them, and sound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from hypothesis import strategies as st

from kinetoscope_spec.voice import Audio, Cue, Line, Script, VoiceInfo

__all__ = ["audios", "cues", "scripts", "texts", "voice_infos"]

WORDS = (
    "a", "I", "walk", "Don't", "well-known", "naïve", "Straße", "ZEBRA", "3.14", "42", "слово", "Ελλάδα",
    "日本語", "你好", "हिन्दी", "مرحبا", "o\u0308ffnen", "pneumonoultramicroscopicsilicovolcanoconiosis",
)  # fmt: skip
"""One letter, apostrophe and hyphen inside, numbers, writings without spaces, marks of their own, long."""

LONG = " ".join(WORDS[i % 8] for i in range(100)) + "."

BREAKS = (" ", " ", " ", ", ", ". ", "! ", " - ", " — ", "... ", "\n", " (", ") ", " “", "” ", "; 🙂 ")
SPEAKERS = ("narrator", "Ann", "Jörg", "話者")

ANYBODY = (
    VoiceInfo("low", ("en", "de"), 16000, ("whispers",)),
    VoiceInfo("high", ("en-GB", "ja"), 24000, ("whispers", "short pause")),
)


def _words() -> st.SearchStrategy[str]:
    letters = st.text(st.characters(categories=("Lu", "Ll", "Lo", "Nd")), min_size=1, max_size=6)
    return st.one_of(st.sampled_from(WORDS), letters)


@st.composite
def texts(draw: st.DrawFn, tags: Sequence[str] = (), *, most: int = 6) -> str:
    """Text of 1 to `most` words with punctuation and, where there are `tags`, audio tags between them."""
    breaks = st.sampled_from(BREAKS)
    tag = st.sampled_from([f" [{name}] " for name in tags]) if tags else breaks
    begin = draw(st.sampled_from(("", "", "“", "… ", "] ")))
    parts = [begin, draw(_words())]
    for _ in range(draw(st.integers(0, most - 1))):
        parts += [draw(st.one_of(breaks, breaks, tag)), draw(_words())]
    return "".join([*parts, draw(st.sampled_from(("", ".", "?", "!”", " ", " [")))])


@st.composite
def scripts(draw: st.DrawFn, voices: Sequence[VoiceInfo] = ANYBODY, *, most: int = 6) -> Script:
    """Scripts of 1 to 3 lines that `voices` can speak: their languages, their tags, several speakers.

    A speaker without a voice of its own has the first. Every script has a word; one in ten has a
    line of a hundred words, one in ten a line without any.
    """
    speakers = draw(st.lists(st.sampled_from(SPEAKERS), min_size=1, max_size=3, unique=True))
    cast = {name: draw(st.sampled_from(voices)) for name in speakers if draw(st.booleans())}
    language = draw(st.sampled_from(voices[0].languages))
    lines = []
    for name in draw(st.lists(st.sampled_from(speakers), min_size=1, max_size=3)):
        info = cast.get(name, voices[0])
        spoken: list[str | None] = [*info.languages]
        if language in info.languages:
            spoken.insert(0, None)
        text = draw(texts(("whispers",) if info.tags is None else info.tags, most=most))
        lines.append(Line(text, name, draw(st.sampled_from(spoken))))
    more = {8: "...", 9: LONG}.get(draw(st.integers(0, 9)))
    if more:
        lines.append(attrs.evolve(lines[0], text=more))
    aliases = st.sampled_from(("alias", "/təˈmɑː/"))
    lexicon = draw(st.dictionaries(st.sampled_from(WORDS[:8]), aliases, max_size=2))
    return Script(lines, {name: info.name for name, info in cast.items()}, language, lexicon)


def voice_infos() -> st.SearchStrategy[VoiceInfo]:
    """What providers say of voices: one language and several, any audio tag and none."""
    languages = st.lists(
        st.sampled_from(("en", "en-GB", "de", "ja", "zh-Hant")), min_size=1, max_size=3, unique=True
    )
    names = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=8)
    tags = st.one_of(st.none(), st.just(()), st.just(("whispers", "short pause")))
    return st.builds(VoiceInfo, names, languages, st.sampled_from((8000, 16000, 22050, 48000)), tags)


@st.composite
def cues(draw: st.DrawFn, duration: float, *, most: int = 4) -> tuple[Cue, ...]:
    """Cues of every kind, ordered, inside `duration` seconds; some without length."""
    places = draw(st.lists(st.floats(0, duration), max_size=2 * most))
    places = sorted(places)[: len(places) // 2 * 2]
    kinds = st.sampled_from(("word", "phoneme", "viseme", "sentence", "mark"))
    pairs = zip(places[::2], places[1::2], strict=True)
    return tuple(Cue(draw(kinds), draw(st.sampled_from(WORDS)), start, end) for start, end in pairs)


@st.composite
def audios(draw: st.DrawFn, *, channels: Sequence[int] = (1, 2), most: int = 4000) -> Audio:
    """Sound: none at all, one sample, silent, full scale, noise and tones; mono and stereo; with cues."""
    rate = draw(st.sampled_from((8000, 16000, 22050, 44100, 48000)))
    count = draw(st.one_of(st.sampled_from((0, 1, 2)), st.integers(0, most)))
    shape = (count, draw(st.sampled_from(channels)))
    kind = draw(st.sampled_from(("silent", "full", "tone", "noise")))
    return Audio(_samples(kind, shape, rate, draw(st.integers(0, 99))), rate, draw(cues(count / rate)))


def _samples(kind: str, shape: tuple[int, int], rate: int, seed: int) -> Any:
    if kind == "noise":
        return np.random.default_rng(seed).uniform(-1, 1, shape)
    place = np.arange(shape[0])
    tone = 0.5 * np.sin(place / rate * 2 * np.pi * (220 + 10 * seed))
    heard = {"silent": np.zeros(shape[0]), "full": np.where(place % 2, -1.0, 1.0), "tone": tone}[kind]
    return np.repeat(heard[:, None], shape[1], axis=1)
