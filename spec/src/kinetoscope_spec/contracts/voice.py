"""The contract of the hook `voice`: audible speech with cues, provenance, and errors that help."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, ClassVar

import hypothesis
import numpy as np
from hypothesis import strategies as st

from kinetoscope_spec._arrays import Array
from kinetoscope_spec.contracts._bounds import bounded_time
from kinetoscope_spec.contracts._contract import Contract
from kinetoscope_spec.contracts._law import law, require
from kinetoscope_spec.contracts._speech import (
    ALIKE,
    few,
    joined,
    require_alike,
    shapes,
    through_wav,
    uncovered,
    words_of,
)
from kinetoscope_spec.contracts.strategies._voice import scripts
from kinetoscope_spec.errors import ContractError, ValidationError
from kinetoscope_spec.voice import Audio, Line, Script, VoiceInfo

__all__ = ["VoiceContract"]

SECONDS = 120.0
"""What speaking one script may take."""

SHORT = 300
"""Letters of the longest script that laws speak several times over."""

FULL = 0.999
"""From here on a sample is at full scale."""

WORDLESS = ("...", "[{tag}]", "—\n?!", " 🙂 ", "“”", "- [{tag}] -")
SENTENCE = "The quick brown fox jumps over the lazy dog and then it sleeps for a while."


class VoiceContract(Contract):
    """What callers of a voice rely on.

    Attributes:
        marker: what finds the watermark that the voice is to carry, by `verify(audio).marked`; None
            where it is to carry none.
        options: what is passed to `speak` and its kin.
    """

    hook: ClassVar[str] = "voice"
    mutants: ClassVar[str | None] = "kinetoscope_spec.contracts.mutants.voice:MUTANTS"
    marker: Any = None
    options: dict[str, Any] = {}  # noqa: RUF012 - read, never written

    def scripts(self) -> st.SearchStrategy[Script]:
        """Return scripts to speak; narrow them to what the provider's voices can."""
        return scripts(self._voices())

    def short_scripts(self) -> st.SearchStrategy[Script]:
        """Return those of `scripts` that take little time, for what a long line would show no better."""
        return self.scripts().filter(_is_short)

    # -- laws

    @law()
    def test_voices_have_names_of_their_own(self) -> None:
        """`voices()` gives at least one `VoiceInfo`, each with another name, the same ones each time."""
        voices = list(self.subject.voices())
        strange = [type(voice).__name__ for voice in voices if not isinstance(voice, VoiceInfo)]
        require(voices and not strange, f"voices() gave {strange or 'nothing'}, expected VoiceInfo")
        names = [voice.name for voice in voices]
        require(len(set(names)) == len(names), f"the names {names} are not one for each voice")
        require(voices == list(self.subject.voices()), "voices() gave other voices when asked again")

    @law("scripts")
    def test_any_words_are_spoken(self, script: Script) -> None:
        """Any script with a word in it becomes audio, not clipped, in bounded time."""
        with bounded_time(SECONDS, f"speaking {len(script.text)} letters"):
            audio = self.subject.speak(script, **self.options)
        require(isinstance(audio, Audio), f"speak returned {type(audio).__name__}, expected Audio")
        require(len(audio.samples), f"speaking {script.text!r} gave no sample")
        clipped = float((np.abs(audio.samples) >= FULL).mean())
        require(clipped < 0.01, f"{clipped:.0%} of the samples are at full scale, expected less than 1 %")

    @law("short_scripts", cost=2)
    def test_the_rate_is_declared(self, script: Script) -> None:
        """The audio has the highest rate that the voices that speak declare."""
        rates = [voice.rate for voice in self._cast(script)]
        audio = self._speak(script)
        require(audio.rate == max(rates), f"the audio's rate is {audio.rate}, its voices declare {rates}")

    @law("scripts")
    def test_words_have_cues_in_order(self, script: Script) -> None:
        """The cues of kind `word` are the words of the text, in order, as they are written."""
        words = [word for line in script.lines for word in words_of(line.text)]
        found = [cue.value for cue in self._speak(script).cues if cue.kind == "word"]
        wrong = uncovered(words, found)
        require(wrong is None, f"{wrong}; the words are {few(words)}, the cues {few(found)}")

    @law("scripts", cost=2)
    def test_words_sound_where_their_cues_are(self, script: Script) -> None:
        """Between start and end of a word's cue there is sound."""
        audio = self._speak(script)
        loudest = float(np.abs(audio.samples).max(initial=0))
        for cue in audio.cues:
            if cue.kind == "word":
                first, last = round(cue.start * audio.rate), round(cue.end * audio.rate)
                heard = float(np.abs(audio.samples[first:last]).max(initial=0))
                require(
                    heard > 0.01 * loudest,
                    f"from {cue.start:.3f} to {cue.end:.3f} s, where {cue.value!r} is to be, the level is "
                    f"{heard:.2g}, in all {loudest:.2g}",
                )

    @law("short_scripts", cost=2, unless="has_one_voice")
    def test_voices_sound_different(self, script: Script) -> None:
        """The same words in another voice are other samples."""
        heard: list[tuple[str, Array]] = []
        for voice in list({voice.name: voice for voice in self._voices()}.values())[:4]:
            line = Line(" ".join(words_of(script.text)), "narrator", voice.languages[0])
            audio = self._speak(Script((line,), {"narrator": voice.name}, voice.languages[0]))
            for name, samples in heard:
                same = samples.shape == audio.samples.shape and np.abs(samples - audio.samples).max() <= ALIKE
                require(
                    not same, f"voices {name!r} and {voice.name!r} say {line.text[:40]!r} with equal samples"
                )
            heard.append((voice.name, audio.samples))

    @law("short_scripts", cost=2)
    def test_every_output_has_provenance(self, script: Script) -> None:
        """Audio, and each piece of a stream, says who made it, when, and the hash of the whole text."""
        text = "\n".join(line.text for line in script.lines)
        expected = hashlib.sha256(text.encode()).hexdigest()
        pieces = [("the audio", self._speak(script))]
        pieces += [(f"piece {i} of the stream", piece) for i, piece in enumerate(self._stream(script))]
        for what, audio in pieces:
            made = audio.provenance
            if made is None or not made.provider:
                raise ContractError(f"{what} does not say by whom it was made")
            require(
                made.text_sha256 == expected,
                f"{what} has text_sha256 {made.text_sha256!r}, expected {expected!r}: SHA-256 of the lines' "
                "texts, joined by line feeds, in UTF-8",
            )
            require(_is_utc(made.created), f"{what} was created {made.created!r}, expected ISO 8601 in UTC")

    @law("_mistaken_voices", cost=2)
    def test_unknown_voices_are_errors(self, script: Script) -> None:
        """A voice that the provider does not have is a `ValidationError` that names the nearest it has."""
        wrong = next(iter(script.voices.values()))
        self._expect(script, "voice", wrong, [voice.name for voice in self._voices()])

    @law("_mistaken_languages", cost=2)
    def test_unknown_languages_are_errors(self, script: Script) -> None:
        """A language that no voice speaks is a `ValidationError` that names the nearest that is spoken."""
        wrong = script.lines[0].language or script.language
        self._expect(script, "language", wrong, [tag for voice in self._voices() for tag in voice.languages])

    @law("_mistaken_tags", cost=2, unless="takes_any_tag")
    def test_unknown_tags_are_errors(self, script: Script) -> None:
        """An audio tag that the voice does not know is a `ValidationError` that names the nearest it does."""
        wrong = script.lines[0].text.partition("[")[2].partition("]")[0]
        self._expect(script, "tag", wrong, self._voices()[0].tags or ())

    @law("_wordless", cost=2)
    def test_no_words_are_an_error(self, script: Script) -> None:
        """A script without a word, of punctuation and audio tags alone, is a `ValidationError`."""
        self._refused(script, f"{script.text!r}, in which there is no word,")

    @law("short_scripts", unless="is_not_deterministic")
    def test_speaking_is_deterministic(self, script: Script) -> None:
        """The same script gives the same samples and cues."""
        first, again = self._speak(script), self._speak(script)
        require(first.samples.shape == again.samples.shape, f"{shapes(first, again)} when spoken again")
        off = float(np.abs(first.samples - again.samples).max(initial=0))
        require(off == 0, f"spoken again, samples differ by up to {off:.2g}")
        require(first.cues == again.cues, "spoken again, the cues differ")

    @law("scripts", unless="is_not_deterministic")
    def test_a_stream_is_what_is_spoken(self, script: Script) -> None:
        """The pieces of a stream, put together, are the samples and cues of the speech."""
        pieces = self._stream(script)
        empty = [i for i, piece in enumerate(pieces) if not len(piece.samples)]
        require(pieces and not empty, f"the stream has {len(pieces)} pieces, of which {empty} are empty")
        require_alike("the stream", joined(pieces), "the speech", self._speak(script))

    @law("short_scripts", cost=2, unless="is_not_deterministic")
    def test_async_twins_are_the_same(self, script: Script) -> None:
        """`aspeak` gives what `speak` does and `astream` what `stream` does."""
        spoken = _run(lambda: self._quiet(self.subject.aspeak, script))
        require_alike("aspeak", spoken, "speak", self._speak(script))
        pieces = _run(lambda: _gathered(self.subject.astream(script, **self.options)))
        require_alike("astream", joined(pieces), "stream", joined(self._stream(script)))

    @law("short_scripts", cost=5)
    def test_async_twins_let_the_loop_go_on(self, script: Script) -> None:
        """While `aspeak` and `astream` work, the event loop does other things."""
        turns = _run(lambda: _turns(self._quiet(self.subject.aspeak, script)))
        require(turns > 0, "the event loop had no turn before aspeak was done, expected it not to be held up")
        turns = _run(lambda: _turns(_gathered(self.subject.astream(script, **self.options))))
        require(
            turns > 0, "the event loop had no turn before astream was done, expected it not to be held up"
        )

    @law(st.integers(1, 3), cost=10, unless="has_no_marker")
    def test_the_watermark_survives_the_file(self, repeats: int) -> None:
        """The watermark of what is spoken is found again in a WAV file of 16 bits, and only there."""
        language = self._voices()[0].languages[0]
        audio = self._speak(Script.of(" ".join([SENTENCE] * repeats), language=language))
        found = self.marker.verify(through_wav(audio))
        require(found.marked, f"no watermark in {audio.duration:.1f} s of speech after a WAV file of 16 bits")
        noise = np.random.default_rng(repeats).normal(0, 0.1, audio.samples.shape).clip(-1, 1)
        require(
            not self.marker.verify(Audio(noise, audio.rate)).marked, "a watermark was found in mere noise"
        )

    # -- what laws draw, and why some do not apply

    def has_one_voice(self) -> str | None:
        """Return why voices can't be compared, or None."""
        return "the provider has one voice" if len({voice.name for voice in self._voices()}) < 2 else None

    def takes_any_tag(self) -> str | None:
        """Return why no audio tag is unknown, or None."""
        return "the voice takes any audio tag" if self._voices()[0].tags is None else None

    def is_not_deterministic(self) -> str | None:
        """Return why speaking twice can't be compared, or None."""
        drawn = [voice.name for voice in self._voices() if not voice.deterministic]
        return f"not deterministic, it says: {', '.join(drawn)}" if drawn else None

    def has_no_marker(self) -> str | None:
        """Return why no watermark is looked for, or None."""
        return None if self.marker is not None else "no watermark is put in"

    def _mistaken_voices(self) -> st.SearchStrategy[Script]:
        first = self._voices()[0]
        names = _mistaken([voice.name for voice in self._voices()])
        return names.map(
            lambda name: Script.of("some words", voices={"narrator": name}, language=first.languages[0])
        )

    def _mistaken_languages(self) -> st.SearchStrategy[Script]:
        tags = _mistaken([tag for voice in self._voices() for tag in voice.languages])
        right = self._voices()[0].languages[0]
        whole = tags.map(lambda tag: Script.of("some words", language=tag))
        return st.one_of(
            whole, tags.map(lambda tag: Script((Line("some words", language=tag),), language=right))
        )

    def _mistaken_tags(self) -> st.SearchStrategy[Script]:
        first = self._voices()[0]
        tags = _mistaken(first.tags or ("whispers",))
        return tags.map(lambda tag: Script.of(f"some [{tag}] words", language=first.languages[0]))

    def _wordless(self) -> st.SearchStrategy[Script]:
        first = self._voices()[0]
        tag = first.tags[0] if first.tags else None
        texts = [text.format(tag=tag) for text in WORDLESS if tag or "{tag}" not in text]
        return st.lists(st.sampled_from(texts), min_size=1, max_size=2).map(
            lambda held: Script(tuple(Line(text) for text in held), language=first.languages[0])
        )

    # -- how they speak

    def _voices(self) -> list[VoiceInfo]:
        voices: list[VoiceInfo] = list(self.subject.voices())
        if not voices:
            raise ContractError(f"{self.name} has no voice, expected voices() to give at least one")
        return voices

    def _cast(self, script: Script) -> list[VoiceInfo]:
        """Return the voices that speak a word of the script."""
        named = {voice.name: voice for voice in self._voices()}
        default = self._voices()[0]
        speakers = [line.speaker for line in script.lines if words_of(line.text)]
        return [named[script.voices[name]] if name in script.voices else default for name in speakers]

    def _speak(self, script: Script) -> Audio:
        """Speak; what is raised is the business of `any_words_are_spoken`."""
        try:
            audio: Audio = self.subject.speak(script, **self.options)
        except Exception:  # noqa: BLE001 - a stranger's code may raise anything
            hypothesis.reject()
        return audio

    def _stream(self, script: Script) -> list[Audio]:
        return list(self.subject.stream(script, **self.options))

    async def _quiet(self, speak: Callable[..., Coroutine[Any, Any, Audio]], script: Script) -> Audio:
        return await speak(script, **self.options)

    def _refused(self, script: Script, what: str) -> list[ValidationError]:
        """Return the errors with which speaking and streaming refuse a script."""
        errors = []
        calls = {
            "speak": self.subject.speak,
            "stream": lambda *args, **kw: list(self.subject.stream(*args, **kw)),
        }
        for name, call in calls.items():
            try:
                call(script, **self.options)
            except ValidationError as error:
                errors.append(error)
            else:
                raise ContractError(f"{name} took {what} expected a ValidationError")
        return errors

    def _expect(self, script: Script, kind: str, wrong: str, known: Sequence[str]) -> None:
        for error in self._refused(script, f"the unknown {kind} {wrong!r},"):
            said = str(error)
            require(wrong in said, f"the error does not name the {kind} {wrong!r}: {said}")
            rest = said.replace(wrong, "")
            require(
                not known or any(name in rest for name in known),
                f"the error about the {kind} {wrong!r} names none that is known (such as {few(known)}): {said}",
            )


def _mistaken(known: Sequence[str]) -> st.SearchStrategy[str]:
    """Draw what is nearly one of `known`: a letter is lost, doubled or swapped with the next."""

    def slip(name: str, at: int, kind: str) -> str:
        at %= len(name)
        if kind == "lost" and len(name) > 3:
            return name[:at] + name[at + 1 :]
        if kind == "swapped" and len(name) > 3:
            return name[:at] + name[at : at + 2][::-1] + name[at + 2 :]
        return name[: at + 1] + name[at:]

    slips = st.sampled_from(("doubled", "lost", "swapped"))
    drawn = st.builds(slip, st.sampled_from(list(known)), st.integers(0, 30), slips)
    folded = {name.casefold() for name in known}
    return drawn.filter(lambda name: name.casefold() not in folded)


def _is_short(script: Script) -> bool:
    return len(script.text) <= SHORT


def _is_utc(created: str | None) -> bool:
    try:
        return created is not None and datetime.fromisoformat(created).utcoffset() == timedelta(0)
    except ValueError:
        return False


def _run(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run a coroutine in a loop of its own, in a thread of its own: one may be running in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(work())).result()


async def _gathered(pieces: AsyncIterator[Audio]) -> list[Audio]:
    return [piece async for piece in pieces]


async def _turns(work: Coroutine[Any, Any, Any]) -> int:
    """Return how often the loop came round while `work` was under way."""
    count = 0

    async def tick() -> None:
        nonlocal count
        while True:
            await asyncio.sleep(0)
            count += 1

    ticking = asyncio.ensure_future(tick())
    try:
        await work
        return count
    finally:
        ticking.cancel()
