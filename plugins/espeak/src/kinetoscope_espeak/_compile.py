"""A line's steps as calls of the library: SSML with the places of the words in it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import attrs

from kinetoscope_espeak._prosody import attributes
from kinetoscope_espeak._voices import Timbre, quality_of
from kinetoscope_spec.script import Effect, Said, Sounded, Step, words

__all__ = ["Atom", "Call", "Marked", "Silence", "atoms", "ssml_of"]

_LEVELS: Final = {-1: "reduced", 1: "moderate", 2: "strong"}
_ENDS, _HALTS = ".!?…。！？।", ",;:–—、，；："
_GAP_S, _HALT_S, _END_S, _SOUND_GAP_S = 0.03, 0.15, 0.3, 0.08
"""Silence between two calls of one line: within a phrase, after a comma, after a sentence, about a sound."""


@attrs.frozen
class Call:
    """What the library says in one go.

    Attributes:
        said: texts, each with its effect.
        timbre: whose sound.
        pitch: factor that keeps the speaker's pitch in another timbre.
        sound: the tag that this is the sound of, or empty.
    """

    said: tuple[Said, ...]
    timbre: Timbre
    pitch: float = 1.0
    sound: str = ""


@attrs.frozen
class Silence:
    """Seconds of silence; `asked` where a tag says so, else as long as one takes a breath."""

    seconds: float
    asked: bool = False


@attrs.frozen
class Marked:
    """A mark between two words, of which `before` stand before it in the line."""

    name: str
    before: int


Atom = Call | Silence | Marked


def atoms(steps: Sequence[Step], own: Timbre) -> list[Atom]:
    """Return a line's steps as calls, silences and marks in order.

    A call goes on until there is a pause, a sound or another timbre. Of silences side by side, those that
    were asked for are added and the others left out.
    """
    found: list[Atom] = []
    goes_on: int | None = None  # where the call stands that may go on
    count = 0
    for step in steps:
        if isinstance(step, Said):
            timbre, pitch = quality_of(own, step.effect.quality)
            last = None if goes_on is None else found[goes_on]
            if (
                isinstance(last, Call)
                and goes_on is not None
                and (last.timbre, last.pitch) == (timbre, pitch)
            ):
                found[goes_on] = attrs.evolve(last, said=(*last.said, step))
            else:
                goes_on = len(found)
                found.append(Call((step,), timbre, pitch))
            count += len(words(step.text))
        elif step.tag.category == "mark":
            found.append(Marked(step.tag.name, count))
        else:
            pause = Silence(step.tag.effect.pause, asked=True)
            found.append(pause if step.tag.category == "pause" else _sound(step, own))
            goes_on = None
    return _spaced([atom for atom in found if not isinstance(atom, Call) or _is_heard(atom)])


def _sound(step: Sounded, own: Timbre) -> Call:
    effect = step.effect.then(step.tag.effect)
    timbre, pitch = quality_of(own, effect.quality)
    return Call((Said(step.tag.effect.sound, effect),), timbre, pitch, step.tag.name)


def _is_heard(call: Call) -> bool:
    """Tell whether anything would be said: punctuation alone is not, an emoji is."""
    text = "".join(said.text for said in call.said)
    return any(unicodedata.category(c) in _HEARD or unicodedata.category(c)[0] in "LN" for c in text)


_HEARD = ("So", "Sm", "Sc")


def _spaced(found: Sequence[Atom]) -> list[Atom]:
    """Put a breath between calls that have no pause between them."""
    spaced: list[Atom] = []
    before: Call | None = None
    for atom in found:
        if isinstance(atom, Silence):
            before = None
        elif isinstance(atom, Call):
            if before is not None:
                spaced.append(Silence(_breath(before, atom)))
            before = atom
        spaced.append(atom)
    return spaced


def _breath(before: Call, after: Call) -> float:
    if before.sound or after.sound:
        return _SOUND_GAP_S
    text = "".join(said.text for said in before.said).rstrip().rstrip("\"'”’»)*")
    return _END_S if text[-1:] in _ENDS else _HALT_S if text[-1:] in _HALTS else _GAP_S


@attrs.frozen
class Ssml:
    """SSML for one call.

    Attributes:
        text: what is passed to the library.
        places: of each word, from and to where it stands in `text`.
        phonemes: whether there are mnemonics in it.
    """

    text: str
    places: tuple[tuple[int, int], ...]
    phonemes: bool


def ssml_of(
    call: Call,
    lexicon: Mapping[str, str],
    mnemonics: Callable[[str], str],
    *,
    instead: Mapping[int, str] | None = None,
    ends: bool = True,
    breath: int = 240,
    bare: bool = False,
) -> Ssml:
    """Return a call as SSML.

    Args:
        call: it.
        lexicon: word to alias, or IPA between slashes.
        mnemonics: turns IPA into the library's.
        instead: what is to be said, as in the lexicon, for words by their number in the call.
        ends: whether the sentence ends here; else its melody goes on.
        breath: after how many letters without punctuation a comma is put: the library holds no more than
            1,000 phonemes of one clause, and drops the rest of it.
        bare: leave out what stands between words and halts no speech: strange signs can silence a word.
    """
    parts, phonemes = ["<speak>"], False
    places: list[tuple[int, int]] = []
    length = len(parts[0])
    since = 0

    def add(text: str) -> None:
        nonlocal length
        parts.append(text)
        length += len(text)

    for said in call.said:
        begin, end = _elements(said.effect, call.pitch)
        add(begin)
        place = 0
        for word in words(said.text):
            between = _plain(said.text[place : word.start]) if bare else said.text[place : word.start]
            since = 0 if any(c in _ENDS + _HALTS for c in between) else since + _phonemes(word.text)
            if since > breath and between[:1].isspace():
                add(",")
                since = _phonemes(word.text)
            add(_escaped(between))
            text, is_ipa = _spoken(word.text, len(places), lexicon, instead or {}, mnemonics)
            phonemes = phonemes or is_ipa
            before = length
            add(text)
            places.append((before, length))
            # After `]]` the library would read the next `<` aloud.
            add(" " if is_ipa else "")
            place = word.end
        add(_escaped(_plain(said.text[place:]) if bare else said.text[place:]))
        add(end)
    if not ends and "".join(said.text for said in call.said).rstrip()[-1:] not in _ENDS + _HALTS:
        add(",")
    add(" </speak>")
    return Ssml("".join(parts), tuple(places), phonemes)


def _plain(between: str) -> str:
    return "".join(c if c in _ENDS + _HALTS else " " for c in between)


def _phonemes(word: str) -> int:
    """Return about how many phonemes a word has; digits and signs for syllables are words themselves."""
    return sum(5 if unicodedata.category(c) in ("Lo", "Nd", "No", "Nl") else 1 for c in word)


def _elements(effect: Effect, pitch: float) -> tuple[str, str]:
    asked = " ".join(f'{key}="{value}"' for key, value in attributes(effect, pitch).items())
    begin, end = (f"<prosody {asked}>", "</prosody>") if asked else ("", "")
    if effect.emphasis:
        begin, end = f'{begin}<emphasis level="{_LEVELS[effect.emphasis]}">', f"</emphasis>{end}"
    return begin, end


def _spoken(
    word: str,
    number: int,
    lexicon: Mapping[str, str],
    instead: Mapping[int, str],
    mnemonics: Callable[[str], str],
) -> tuple[str, bool]:
    told = instead.get(number) or lexicon.get(word, lexicon.get(word.casefold(), word))
    if len(told) > 2 and told.startswith("/") and told.endswith("/"):
        if held := mnemonics(told[1:-1]):
            return f" [[{held}]]", True  # right behind a quotation mark it would not be heard
        return _escaped(word), False
    return _escaped(told if any(c.isalnum() for c in told) else word), False


def _escaped(text: str) -> str:
    text = re.sub(r"[\x00-\x20\x7f-\x9f\u2028\u2029\ud800-\udfff]", " ", text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"\[(?=\[)|\](?=\])", r"\g<0> ", text)
