"""The tables `[plate]` and `[voice]` of a shot file."""

from __future__ import annotations

from typing import Any

import attrs

from kinetoscope.shot._checks import between
from kinetoscope.toml import WrongValue

__all__ = ["Plate", "Remove", "Voice"]


def _places(length: int, of: str) -> Any:
    def check(instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
        for entry in value:
            if len(entry) not in (length, length + 1):
                raise WrongValue(
                    attribute.name, f"has {list(entry)}, expected {of}, or with a frame after it"
                )
            if len(entry) > length and (entry[length] < 0 or entry[length] != int(entry[length])):
                raise WrongValue(attribute.name, f"has frame {entry[length]:g}, expected 0, 1, ...")

    return check


@attrs.frozen
class Remove:
    """What is taken out of the plate: named by exactly one of a mask, a quadmask, or points and boxes.

    Attributes:
        mask: a film that is bright on it, relative to the shot file.
        quadmask: a quadmask, as `kinetoscope mask` writes one.
        points: places on it, `[[x, y], ...]` px from the top left, `[x, y, frame]` on a later frame.
        without: places that are not on it.
        boxes: around it, `[[left, top, right, bottom], ...]` px, with a frame after it as points.
        noun: what it is called, for segmenters that take text.
        grow: pixels by which the mask reaches further, where something of the thing is left beside it.
        segmenter: who follows it; the host's choice where none is named.
        reasoner: who says what else changes with it (shadow, reflection); nobody where none is named.
    """

    mask: str | None = None
    quadmask: str | None = None
    points: tuple[tuple[float, ...], ...] = attrs.field(default=(), validator=_places(2, "x and y"))
    without: tuple[tuple[float, ...], ...] = attrs.field(default=(), validator=_places(2, "x and y"))
    boxes: tuple[tuple[float, ...], ...] = attrs.field(
        default=(), validator=_places(4, "left, top, right, bottom")
    )
    noun: str = ""
    grow: int = attrs.field(default=0, validator=between(0, 200, "pixels"))
    segmenter: str | None = None
    reasoner: str | None = None

    def __attrs_post_init__(self) -> None:
        prompted = bool(self.points or self.boxes or self.noun)
        if (self.mask is not None) + (self.quadmask is not None) + prompted != 1:
            key = "mask" if self.mask is not None else "quadmask" if self.quadmask is not None else "points"
            raise WrongValue(key, "expected one of mask, quadmask, or points, boxes and noun: just one")

    @property
    def prompted(self) -> bool:
        """Whether a segmenter has to find it."""
        return self.mask is None and self.quadmask is None


@attrs.frozen
class Plate:
    """The film that the performer is put into. Its size, rate and length are those of the result.

    Attributes:
        video: the film, relative to the shot file.
        remove: what is taken out of it; nothing where it is not given.
        inpainter, compositor: providers; the host's choice where none is named.
        prompt: what remains, for inpainters that are told: `an empty table`.
        seed: of inpainters that draw by lot, and of the grain.
        tint: how much of the colour of the plate's light the performer takes on, 0 to 1.
        grain: whether the performer gets the plate's noise.
        shadow: whether the performer throws one on the ground.
    """

    video: str
    remove: Remove | None = None
    inpainter: str | None = None
    compositor: str | None = None
    prompt: str | None = None
    seed: int = attrs.field(default=0, validator=between(0, 2**31 - 1, "a number"))
    tint: float = attrs.field(default=0.5, validator=between(0, 1, "a share"))
    grain: bool = True
    shadow: bool = True


@attrs.frozen
class Voice:
    """What the performer says.

    Attributes:
        script: a file (`.txt`, `.toml`, `.ssml`), relative to the shot file; or
        text: the words themselves.
        provider: who speaks; the host's choice where none is named.
        voice: the voice of speakers that the script gives none.
        language: BCP 47 tag of lines that name none.
        at: seconds of the film at which it begins.
        lipsync: who moves mouth, head and hands to it; the host's choice where none is named, nobody
            for `off`.
    """

    script: str | None = None
    text: str | None = None
    provider: str | None = None
    voice: str | None = None
    language: str | None = None
    at: float = attrs.field(default=0.0, validator=between(0, 3600, "seconds"))
    lipsync: str | None = None

    def __attrs_post_init__(self) -> None:
        if (self.script is None) == (self.text is None):
            raise WrongValue("script" if self.script else "text", "expected either script or text")
