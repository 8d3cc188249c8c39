"""Audio tags: the catalogue of what they mean in numbers, and what a provider makes of each."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

import attrs

from kinetoscope_spec.errors import ValidationError, nearest

__all__ = [
    "CATEGORIES",
    "QUALITIES",
    "Effect",
    "Tag",
    "Treatment",
    "catalogue",
    "find_tag",
    "sources",
    "spelling",
]

CATEGORIES: Final = (
    "emotion",
    "delivery",
    "pace",
    "pitch",
    "range",
    "volume",
    "emphasis",
    "pause",
    "sound",
    "persona",
    "control",
    "mark",
    "free text",
)
"""What tags are about. The last two are not in the catalogue: `[mark NAME]` and `[style: WORDS]`."""

QUALITIES: Final = (
    "", "announcer", "breathy", "child", "creaky", "deep", "demonic", "old man", "old woman", "robotic",
    "whisper",
)  # fmt: skip
"""How the voice itself may sound; empty is as it always does."""

LIMITS: Final = MappingProxyType({"rate": (0.25, 4.0), "pitch": (0.5, 2.0), "range": (0.0, 3.0)})
_LASTING = ("emotion", "delivery", "pace", "pitch", "range", "volume", "persona", "free text")
LOUDEST_DB, SOFTEST_DB = 6.0, -20.0
LONGEST_PAUSE_S = 60.0


@attrs.frozen
class Effect:
    """What a tag does, in numbers that count against the same voice speaking plainly.

    Attributes:
        rate: factor of the speed of speech.
        pitch: factor of the mean of the fundamental frequency.
        range: factor of how far the pitch moves about its mean; 0 is monotone.
        volume: dB.
        quality: one of `QUALITIES`.
        pause: seconds of silence at the tag.
        emphasis: of the next word: -1 reduced, 1 moderate, 2 strong.
        sound: a human sound at the tag, spelt as one would say it.
    """

    rate: float = 1.0
    pitch: float = 1.0
    range: float = 1.0
    volume: float = 0.0
    quality: str = attrs.field(default="", validator=attrs.validators.in_(QUALITIES))
    pause: float = 0.0
    emphasis: int = attrs.field(default=0, validator=attrs.validators.in_((-1, 0, 1, 2)))
    sound: str = ""

    def __attrs_post_init__(self) -> None:
        for name, (least, most) in LIMITS.items():
            if not least <= getattr(self, name) <= most:
                raise ValidationError(
                    f"Effect.{name} is {getattr(self, name):g}, expected {least:g} to {most:g}"
                )
        if not SOFTEST_DB <= self.volume <= LOUDEST_DB:
            raise ValidationError(
                f"Effect.volume is {self.volume:g} dB, expected {SOFTEST_DB:g} to {LOUDEST_DB:g}"
            )
        if not 0 <= self.pause <= LONGEST_PAUSE_S:
            raise ValidationError(f"Effect.pause is {self.pause:g} s, expected 0 to {LONGEST_PAUSE_S:g}")

    def then(self, other: Effect) -> Effect:
        """Return both at once: factors multiplied, dB added, kept within what an effect may hold."""
        factors = {
            name: min(max(getattr(self, name) * getattr(other, name), least), most)
            for name, (least, most) in LIMITS.items()
        }
        volume = min(max(self.volume + other.volume, SOFTEST_DB), LOUDEST_DB)
        quality, emphasis = other.quality or self.quality, other.emphasis or self.emphasis
        return Effect(**factors, volume=volume, quality=quality, emphasis=emphasis)


@attrs.frozen
class Tag:
    """An audio tag.

    Attributes:
        name: as it stands in the catalogue, without brackets.
        category: one of `CATEGORIES`. A tag takes the place of the one before it in its category.
        effect: what it does.
        source: who takes it, a key of `sources()`.
        same: the tag that it is another word for, or None.
    """

    name: str
    category: str = attrs.field(validator=attrs.validators.in_(CATEGORIES))
    effect: Effect
    source: str
    same: str | None = None

    @property
    def lasts(self) -> bool:
        """Whether it colours what follows, up to the end of the line; others act where they stand."""
        return self.category in _LASTING


@attrs.frozen
class Treatment:
    """What a provider does with a tag.

    Attributes:
        tag: its name.
        how: `native` (it is what the tag says), `approximated` (by other means) or `unsupported` (nothing).
        note: by which means, or why not.
    """

    tag: str
    how: str = attrs.field(validator=attrs.validators.in_(("native", "approximated", "unsupported")))
    note: str = ""


def spelling(name: str) -> str:
    """Return the form by which tags are compared: in lower case, a space for a hyphen or underscore."""
    return re.sub(r"(?<=\S)[-_\s](?=\S)", " ", name.strip()).casefold()


@lru_cache(maxsize=1)
def _table() -> tuple[Mapping[str, str], Mapping[str, Tag]]:
    held: dict[str, Any] = tomllib.loads(
        files("kinetoscope_spec.script").joinpath("catalogue.toml").read_text("utf-8")
    )
    told: dict[str, str] = held.pop("sources")
    rows = {name: (category, row) for category, rows in held.items() for name, row in rows.items()}
    found = {}
    for name, (category, row) in rows.items():
        same = row.get("same")
        _, real = rows[same] if same else (category, row)
        numbers = {key: value for key, value in real.items() if key not in ("same", "from")}
        found[name] = Tag(name, category, Effect(**numbers), row["from"], same)
    return MappingProxyType(told), MappingProxyType(found)


def catalogue() -> Mapping[str, Tag]:
    """Return all tags of the catalogue by name, category by category."""
    return _table()[1]


def sources() -> Mapping[str, str]:
    """Return the titles of what the tags were taken from, by the keys that `Tag.source` holds."""
    return _table()[0]


@lru_cache(maxsize=1)
def _by_spelling() -> Mapping[str, Tag]:
    return {spelling(tag.name): tag for tag in catalogue().values()}


def find_tag(text: str) -> Tag:
    """Return what the words between a tag's brackets mean.

    That is a tag of the catalogue (capitals, hyphens and spaces do not matter); one with a number
    (`pause 1.5s`, `rate 120%`, `pitch -10%`, `range 50%`, `volume -6dB`); `mark NAME`;
    `style: ANY WORDS`; or several words that are nowhere near a tag of the catalogue, which are free
    text too. Free text has no effect of its own: it is for providers that take directions in words.

    Raises:
        ValidationError: nothing of these; names the nearest tag.
    """
    held = _by_spelling().get(spelling(text))
    return held or _numbered(text) or _worded(text)


_NUMBERED = re.compile(
    r"(pause|rate|pitch|range|volume)\s*:?\s*([+-]?\d{1,6}(?:\.\d{1,6})?)\s*(%|ms|s|secs?|seconds?|db)",
    re.IGNORECASE,
)


def _numbered(text: str) -> Tag | None:
    match = _NUMBERED.fullmatch(text.strip())
    if match is None:
        return None
    kind, number, unit = match[1].lower(), match[2], match[3].lower()
    wanted = {"pause": ("s", "ms"), "volume": ("db",)}.get(kind, ("%",))
    unit = "s" if unit.startswith("s") else unit
    if unit not in wanted:
        raise ValidationError(f"tag [{text}] has the unit {match[3]!r}, expected {' or '.join(wanted)}")
    value = float(number) / {"ms": 1000, "%": 100}.get(unit, 1)
    if unit == "%" and number[0] in "+-":
        value += 1
    try:
        return Tag(text.strip(), "pace" if kind == "rate" else kind, Effect(**{kind: value}), "ssml")  # type: ignore[arg-type]
    except ValidationError as error:
        raise ValidationError(f"tag [{text}]: {error}") from None


def _worded(text: str) -> Tag:
    if match := re.fullmatch(r"mark\s+(\S.*)", text.strip(), re.IGNORECASE | re.DOTALL):
        return Tag(" ".join(match[1].split()), "mark", Effect(), "ssml")
    if match := re.fullmatch(r"style\s*:\s*(\S.*)", text.strip(), re.IGNORECASE | re.DOTALL):
        return Tag(" ".join(match[1].split()), "free text", Effect(), "free text")
    words = spelling(text)
    if " " in words and not any(_slips(words, known) for known in _by_spelling()):
        return Tag(" ".join(text.split()), "free text", Effect(), "free text")
    raise ValidationError(
        f"unknown audio tag {text!r}{nearest(words, list(_by_spelling()))}; the catalogue has {_some()} and "
        f"{len(catalogue()) - 8} more; words of your own are written "
        f"[style: {text.strip() or 'slowly, as if asleep'}]"
    )


def _some() -> str:
    return ", ".join(repr(name) for name in list(catalogue())[:: len(catalogue()) // 8][:8])


def _slips(word: str, known: str, most: int = 2) -> bool:
    """Tell whether `word` is `known` but for up to `most` letters lost, doubled, wrong or swapped."""
    if abs(len(word) - len(known)) > most:
        return False
    # Optimal string alignment, one row after the other (Damerau 1964).
    before: list[int] = []
    row = list(range(len(known) + 1))
    for i, letter in enumerate(word, 1):
        older, before, row = before, row, [i]
        for j, other in enumerate(known, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == known[j - 2] and word[i - 2] == other:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1] <= most
