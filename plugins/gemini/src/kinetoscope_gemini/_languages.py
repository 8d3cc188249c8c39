"""The languages of each generation of models, as BCP 47 tags, and how one is asked for."""

from __future__ import annotations

import re
from typing import Final

from kinetoscope_spec import ValidationError
from kinetoscope_spec.errors import nearest

__all__ = ["FLASH_38", "LITE_38", "SPEECH_25", "SPEECH_31", "code_for", "resolve"]


def _codes(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_LOCALES_25: Final = {
    tag.partition("-")[0]: tag
    for tag in _codes(
        "en-US ar-EG bn-BD de-DE es-US fr-FR hi-IN id-ID it-IT ja-JP ko-KR mr-IN nl-NL pl-PL pt-BR ro-RO "
        "ru-RU ta-IN te-IN th-TH tr-TR uk-UA vi-VN"
    )
}
"""Language to the locale that the 2.5 models are documented with (en-IN is spoken too, as `en`)."""

SPEECH_25: Final = tuple(_LOCALES_25)

SPEECH_31: Final = _codes(
    "en ar bn nl fr de hi id it ja ko mr pl pt ro ru es ta te th tr uk vi af sq am hy az eu be bg my ca ceb "
    "cmn zh hr cs da et fil fi gl ka el gu ht he hu is jv kn kok lo la lv lt lb mk mai mg ms ml mn ne nb nn "
    "or ps fa pa sr sd si sk sl sw sv ur"
)
"""The 78 codes of the 3.1 guide with the region left out, and `zh`, by which most people mean `cmn`."""

LITE_38: Final = _codes(
    "en ace af ak am hy as awa ban bn bjn eu be bho bs bug bg yue ca ceb ckb hne cmn zh hr cs da nl arz et "
    "fil fr gl lg ka de el gu ht khk ha he hi hu is ilo id fa it ja jv kam kn ks kk km ki rw kg ko ky lo ln "
    "mk mag mai ml mt mni mr min lus ne fuv azj az nso uz uzn nb nn ny or prs pl pt pa ro ru sat sr si sk azb "
    "ps pbt es ar arb lv lvs zsm ms ta te als sq tr vi uk ur"
)
"""Codes for the names that the 3.8 guide lists: the guide itself gives no codes."""

FLASH_38: Final = (
    *LITE_38,
    *_codes("ba bem my crh dyu dz fi gn ig kab ltg lt lb oc pag sd sl so st sw ss sv tg th ti ug"),
)
"""The same, with what the Lite model does not speak."""

_ALIASES: Final = {"zh": "cmn", "no": "nb", "iw": "he", "in": "id", "tl": "fil", "jw": "jv", "ji": "yi"}
_REGION = re.compile(
    r"([A-Za-z]{2,3})(?:-(?:Latn|Cyrl|Arab|Deva|Hans|Hant|Jpan|Kore|Mong|Olck|Beng))?(?:-(?:[A-Za-z]{2}|[0-9]{3}))?"
)


def resolve(tag: str, known: tuple[str, ...]) -> str:
    """Return which of `known` the tag `tag` asks for; regions and scripts are not told apart.

    Raises:
        ValidationError: none; names the nearest.
    """
    match = _REGION.fullmatch(tag)
    base = match.group(1).lower() if match else ""
    for candidate in (base, _ALIASES.get(base, "")):
        if candidate in known:
            return candidate
    hint = nearest(tag, known) or f"; it speaks {', '.join(known[:8])} and {len(known) - 8} more"
    raise ValidationError(f"unknown language {tag!r}, expected a BCP 47 tag of a language it speaks{hint}")


def code_for(language: str, known: tuple[str, ...]) -> str | None:
    """Return what goes into `languageCode`, or None where no code is documented.

    An undocumented code makes the server fail with status 500, while without any the language is
    detected from the text.
    """
    if known is SPEECH_25:
        return _LOCALES_25[language]
    base = _ALIASES.get(language, language)
    return base if base in SPEECH_31 else None
