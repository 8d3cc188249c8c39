"""Scripts as plain text, written the way one writes dialogue."""

from __future__ import annotations

import re
from collections.abc import Iterable

import attrs

from kinetoscope_spec.errors import FormatError, ValidationError, nearest
from kinetoscope_spec.voice import Line, Script

__all__ = ["parse_text", "write_text"]

_SPEAKER = re.compile(
    r"(?P<name>[^\W_][\w .'’-]{0,39}?)?\s*(?:\((?P<language>[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*)\))?:(?=\s|$)"
)
_SETTING = re.compile(r"@(\w+)\s*(.*)")
_NARRATOR = "narrator"


@attrs.define
class _Draft:
    """A script while its text is read."""

    language: str = "en"
    voices: dict[str, str] = attrs.field(factory=dict)
    speakers: list[str] = attrs.field(factory=list)
    lexicon: dict[str, str] = attrs.field(factory=dict)
    lines: list[Line] = attrs.field(factory=list)


def parse_text(text: str, *, path: object = None) -> Script:
    """Read a script from plain text.

        @language en-GB
        @voice Ann = f2
        @speaker Bob
        @say tomato = /təˈmɑːtəʊ/
        # a remark

        Ann: [whispers] Is *anybody* there?
        Bob (de): [short pause] Ja, ich.

        What stands in a paragraph without a name is the narrator's.

    A line without a name, right below another, goes on with it. `\\` in front of a line takes what
    follows as words, whatever it looks like; alone it is an empty line. Where speakers are declared, by
    `@voice` or `@speaker`, only their names count; where none are, up to three words of which each begins
    with a capital (or a letter that has no case).

    Raises:
        FormatError: a setting is wrong, or no words are said; names the line.
    """
    draft = _Draft()
    rows = re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff"))
    settings = [
        (number, match) for number, row in enumerate(rows, 1) if (match := _SETTING.fullmatch(row.strip()))
    ]
    for number, match in settings:
        _set(draft, match[1], match[2].strip(), path, number)
    goes_on = False
    for number, row in enumerate(rows, 1):
        words = row.strip()
        if not words or words.startswith(("#", "@")):
            goes_on = goes_on and words.startswith("#")
            continue
        _add(draft, words, goes_on, path, number)
        goes_on = True
    try:
        return Script(draft.lines, draft.voices, draft.language, draft.lexicon)
    except ValidationError as error:
        raise FormatError(str(error), path=path) from None


def _set(draft: _Draft, key: str, value: str, path: object, number: int) -> None:
    left, right = (part.strip() for part in value.partition("=")[::2])
    if key == "language" and value:
        draft.language = value
    elif key == "speaker" and value:
        draft.speakers.append(value)
    elif key == "voice" and left and right:
        draft.voices[left] = right
        draft.speakers.append(left)
    elif key == "say" and left and right:
        draft.lexicon[left] = right
    elif key in _SETTINGS:
        raise FormatError(f"@{key} {value!r} is not whole", path=path, line=number, expected=_SETTINGS[key])
    else:
        known = nearest(key, list(_SETTINGS)) or f"; there are {', '.join(_SETTINGS)}"
        raise FormatError(f"unknown setting @{key}{known}", path=path, line=number)


_SETTINGS = {
    "language": "@language TAG",
    "voice": "@voice SPEAKER = VOICE",
    "speaker": "@speaker NAME",
    "say": "@say WORD = ALIAS or /IPA/",
}


def _add(draft: _Draft, words: str, goes_on: bool, path: object, number: int) -> None:
    match = None if words.startswith("\\") else _SPEAKER.match(words)
    name = " ".join((match["name"] or "").split()) if match else ""
    if match and (name or match["language"]) and _is_speaker(draft, name, path, number):
        text = _unescaped(words[match.end() :].strip())
        draft.lines.append(Line(text, name or _NARRATOR, match["language"]))
    elif goes_on and draft.lines:
        last = draft.lines[-1]
        draft.lines[-1] = attrs.evolve(last, text=f"{last.text}\n{_unescaped(words)}")
    else:
        draft.lines.append(Line(_unescaped(words)))


def _unescaped(words: str) -> str:
    return words[1:].lstrip() if words.startswith("\\") else words


def _is_speaker(draft: _Draft, name: str, path: object, number: int) -> bool:
    if name in ("", _NARRATOR) or name in draft.speakers:
        return True
    looks = len(name.split()) <= 3 and not any(word[0].islower() for word in name.split())
    if looks and draft.speakers and (near := nearest(name, draft.speakers)):
        raise FormatError(f"no speaker {name!r}{near} (\\ in front makes it words)", path=path, line=number)
    return looks and not draft.speakers


def write_text(script: Script) -> str:
    """Return a script as plain text; reading it gives the script again.

    White space at the ends of what is said and runs of it at its line ends are not kept.

    Raises:
        ValidationError: a speaker's or voice's name or a lexicon's word can't be written in this form;
            `write_toml` can write any.
    """
    head = [f"@language {_one_line('language', script.language)}"]
    silent = [
        name for name in dict.fromkeys(line.speaker for line in script.lines) if name not in script.voices
    ]
    head += [
        f"@voice {_key('speaker', name)} = {_one_line('voice', voice)}"
        for name, voice in script.voices.items()
    ]
    head += [f"@speaker {_key('speaker', name)}" for name in silent if name != _NARRATOR]
    head += [
        f"@say {_key('word', word)} = {_one_line('alias', alias)}" for word, alias in script.lexicon.items()
    ]
    return "\n".join([*head, "", *_written(script.lines)]) + "\n"


def _written(lines: Iterable[Line]) -> list[str]:
    rows: list[str] = []
    for line in lines:
        begins = "narrator" if line.speaker == _NARRATOR else _name(line.speaker)
        said = [part.strip() for part in re.split(r"\r\n|\r|\n", line.text)]
        language = "" if line.language is None else f" ({line.language})"
        if (match := _SPEAKER.fullmatch(f"{begins}{language}:")) is None or match[
            "language"
        ] != line.language:
            raise ValidationError(
                f"language {line.language!r} can't stand in plain text; write the script as TOML"
            )
        rows.append(f"{begins}{language}: {_escaped(said[0], first=True)}".rstrip())
        rows += [_escaped(part) for part in said[1:]]
        rows.append("")
    return rows


def _escaped(words: str, *, first: bool = False) -> str:
    looks = words.startswith(("#", "@", "\\")) or _SPEAKER.match(words) is not None
    return "\\" + words if (looks and not first) or words.startswith("\\") or not (words or first) else words


def _name(name: str) -> str:
    match = _SPEAKER.fullmatch(f"{name}:")
    if match is None or " ".join((match["name"] or "").split()) != name:
        raise ValidationError(f"speaker {name!r} can't stand in plain text; write the script as TOML")
    return name


def _key(kind: str, text: str) -> str:
    if "=" in text:
        raise ValidationError(f"{kind} {text!r} can't stand in plain text; write the script as TOML")
    return _one_line(kind, text) if kind != "speaker" else _name(text)


def _one_line(kind: str, text: str) -> str:
    if not text or text != text.strip() or re.search(r"[\r\n]", text):
        raise ValidationError(f"{kind} {text!r} can't stand in plain text; write the script as TOML")
    return text
