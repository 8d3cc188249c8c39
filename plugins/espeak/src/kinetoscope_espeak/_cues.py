"""Where words and phonemes are, from the library's events."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

import attrs

from kinetoscope_espeak._library import Event

__all__ = ["Placed", "Timeline", "timeline"]


@attrs.frozen
class Placed:
    """Something from a sample to another.

    Attributes:
        value: the phoneme, or the word's number in its call as a text.
        start, end: samples.
        known: whether the library said so; else it was shared out by the number of letters.
        after_silence: whether nothing is heard right before it.
    """

    value: str
    start: int
    end: int
    known: bool = True
    after_silence: bool = False


@attrs.frozen
class Timeline:
    """What is where in one call.

    Attributes:
        words: by number; None where the library was silent about a word and its neighbours.
        phonemes: in order, silence left out.
    """

    words: tuple[Placed | None, ...]
    phonemes: tuple[Placed, ...]


def timeline(
    events: Sequence[Event], places: Sequence[tuple[int, int]], letters: Sequence[int], length: int
) -> Timeline:
    """Return where the words at `places` of the text and the phonemes are in `length` samples.

    A word begins at its first phoneme: the library's event of a word after a pause comes with the
    silence before a stop consonant. It ends with its last one.
    """
    sounding, owners = _phonemes(events, places, length)
    found: list[Placed | None] = [None] * len(places)
    before = 0
    for phoneme, owner in zip(sounding, owners, strict=True):
        if owner is not None:
            held = found[owner]
            silence = before == 0 or phoneme.start > before
            begun = held or Placed(str(owner), phoneme.start, phoneme.end, after_silence=silence)
            found[owner] = attrs.evolve(begun, end=phoneme.end)
        before = phoneme.end
    return Timeline(tuple(_shared(found, letters, sounding)), tuple(sounding))


def _phonemes(
    events: Sequence[Event], places: Sequence[tuple[int, int]], length: int
) -> tuple[list[Placed], list[int | None]]:
    """Return the phonemes that sound, and the number of the word that each belongs to, if any."""
    begins = [begin for begin, _ in places]
    # "(en)" tells that the language changes; it takes no time.
    events = [event for event in events if not event.ipa.startswith("(")]
    ends = [length] * len(events)  # where the next phoneme begins
    for i in range(len(events) - 1, 0, -1):
        ends[i - 1] = events[i].sample if events[i].kind == "phoneme" else ends[i]
    sounding: list[Placed] = []
    owners: list[int | None] = []
    owner: int | None = None
    for i, event in enumerate(events):
        if event.kind == "word":
            number = bisect_right(begins, event.place) - 1
            # Only forward: inside numbers the library points back and about.
            inside = number >= 0 and event.place < places[number][1] and number >= (owner or 0)
            owner = (
                number if inside else owner if owner is not None and event.place < places[owner][1] else None
            )
        elif event.ipa:
            end = min(ends[i], length)
            if end > event.sample:
                sounding.append(Placed(event.ipa.lstrip("ˈˌ"), event.sample, end))
                owners.append(owner)
    return sounding, owners


def _shared(
    found: Sequence[Placed | None], letters: Sequence[int], phonemes: Sequence[Placed]
) -> list[Placed | None]:
    """Give words without a place a share of the neighbour's that they were spoken with ("of the" is one)."""
    shared = list(found)
    number = 0
    while number < len(found):
        if found[number] is not None:
            number += 1
            continue
        stop = number
        while stop < len(found) and found[stop] is None:
            stop += 1
        first = number - 1 if number and shared[number - 1] is not None else number
        last = stop if first < number or stop == len(found) else stop + 1
        whole = shared[first] if first < number else (found[stop] if stop < len(found) else None)
        if whole is not None:
            shared[first:last] = _split(whole, letters[first:last], first, phonemes)
        number = stop
    return shared


def _split(
    whole: Placed, letters: Sequence[int], first: int, phonemes: Sequence[Placed]
) -> list[Placed | None]:
    """Cut a span by numbers of letters, at beginnings of phonemes where there are enough of them."""
    inside = [p.start for p in phonemes if whole.start < p.start < whole.end]
    cuts = [whole.start]
    total, so_far = sum(letters), 0
    for i, count in enumerate(letters[:-1]):
        so_far += count
        wanted = whole.start + (whole.end - whole.start) * so_far / total
        left = len(letters) - 2 - i
        free = [at for at in inside if at > cuts[-1]]
        free = free[: len(free) - left] if len(free) > left else []
        cuts.append(min(free, key=lambda at: abs(at - wanted)) if free else max(round(wanted), cuts[-1]))
    cuts.append(whole.end)
    return [Placed(str(first + i), a, b, known=False) for i, (a, b) in enumerate(pairwise(cuts))]
