"""Scripts as SSML 1.1, for engines that read nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

from kinetoscope_spec.errors import ValidationError
from kinetoscope_spec.script.steps import Said, Step, steps, words
from kinetoscope_spec.script.tags import Effect
from kinetoscope_spec.voice import Line, Script

__all__ = ["write_ssml"]

_LEVELS = {-1: "reduced", 1: "moderate", 2: "strong"}
_NEVER = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to write (section 2.2)."""


def write_ssml(script: Script) -> str:
    """Return a script as SSML: words, pauses, marks, emphasis, prosody, languages, voices, pronunciation.

    SSML has no words for sounds (`[laughs]`), the voice's quality (`[whispers]`) and directions in free
    text: what they do to rate, pitch, range and volume is written, the rest is left out. A speaker
    becomes the name of its voice.

    Raises:
        ValidationError: a tag is unknown.
    """
    head = (
        '<speak version="1.1" xmlns="http://www.w3.org/2001/10/synthesis"'
        f" xml:lang={_quoted(script.language)}>"
    )
    return "\n".join(
        [
            "<?xml version='1.0' encoding='UTF-8'?>",
            head,
            *(_line(line, script) for line in script.lines),
            "</speak>",
            "",
        ]
    )


def _line(line: Line, script: Script) -> str:
    said = "".join(_step(step, script.lexicon) for step in steps(line.text))
    voice = script.voices.get(line.speaker)
    if voice is not None:
        said = f"<voice name={_quoted(voice)}>{said}</voice>"
    language = "" if line.language is None else f" xml:lang={_quoted(line.language)}"
    return f"<p{language}>{said}</p>"


def _step(step: Step, lexicon: Mapping[str, str]) -> str:
    if isinstance(step, Said):
        return _wrapped(_words(step.text, lexicon), step.effect)
    if step.tag.category == "mark":
        return f"<mark name={_quoted(step.tag.name)}/>"
    return f'<break time="{round(1000 * step.tag.effect.pause)}ms"/>' if step.tag.effect.pause else ""


def _words(text: str, lexicon: Mapping[str, str]) -> str:
    parts, place = [], 0
    for word in words(text) if lexicon else ():
        told = lexicon.get(word.text)
        if told is None:
            continue
        parts.append(_escaped(text[place : word.start]))
        if len(told) > 2 and told.startswith("/") and told.endswith("/"):
            parts.append(f'<phoneme alphabet="ipa" ph={_quoted(told[1:-1])}>{_escaped(word.text)}</phoneme>')
        else:
            parts.append(f"<sub alias={_quoted(told)}>{_escaped(word.text)}</sub>")
        place = word.end
    return "".join([*parts, _escaped(text[place:])])


def _wrapped(text: str, effect: Effect) -> str:
    if not text.strip():
        return text
    if effect.emphasis:
        text = f'<emphasis level="{_LEVELS[effect.emphasis]}">{text}</emphasis>'
    asked = [f'{key}="{100 * value:.4g}%"' for key in ("rate",) if (value := getattr(effect, key)) != 1]
    # A change is signed: an unsigned per cent is one of the rate only (section 3.2.4).
    asked += [
        f'{key}="{100 * value - 100:+.4g}%"'
        for key in ("pitch", "range")
        if (value := getattr(effect, key)) != 1
    ]
    asked += [f'volume="{effect.volume:+.4g}dB"'] if effect.volume else []
    return f"<prosody {' '.join(asked)}>{text}</prosody>" if asked else text


def _escaped(text: str) -> str:
    return escape(_NEVER.sub(" ", text))


def _quoted(text: str) -> str:
    if _NEVER.search(text):
        raise ValidationError(f"{text!r} holds what XML can't write")
    return quoteattr(text)
