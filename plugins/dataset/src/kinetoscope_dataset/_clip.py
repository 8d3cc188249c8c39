"""What is known of a stored clip without reading its frames, and the documents that say it."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import attrs
import numpy as np

from kinetoscope_dataset._shards import Layout, layout_of
from kinetoscope_spec import FormatError, Motion, Skeleton, ValidationError

__all__ = ["COLUMNS", "FORMAT", "Clip", "clip_of", "document_bytes", "parsed", "skeleton_of"]

FORMAT: Final = 1
"""The version of the layout, which the root's attributes state."""

OURS: Final = "kinetoscope"
"""The attribute under which everything of ours stands."""

COLUMNS: Final = ("px", "py", "pz", "qx", "qy", "qz", "qw", "sx", "sy", "sz")
"""The numbers of a joint in a frame: position m, rotation xyzw, and scale where the clip has it."""

_ID = re.compile(r"[0-9a-f]{32}")


def _texts(given: Iterable[str]) -> tuple[str, ...]:
    return tuple(map(_shared, given))  # JSON has lists


def _shared(given: str) -> str:
    return sys.intern(given)  # one string for all clips that say the same


@attrs.frozen
class Clip:
    """One clip of a dataset.

    Attributes:
        id: its name in the dataset, from source and content.
        name: the motion's own name.
        source: the file it came from, relative to the folder that was converted, with `/`.
        index: which of its source's clips it is.
        count: how many clips its source has.
        revision: how often its source had been stored before.
        source_hash: `sha256:…` of the source's bytes, or of the numbers of a motion that was added.
        skeleton: id of the skeleton.
        joints: J.
        frames: T.
        framerate: frames per second.
        start_time: seconds of the first frame on the source's own time axis.
        scaled: whether joints have scales.
        morphs: names of its morph channels.
        licence: id of the licence text, or empty.
        beside: id of the licence text that was found beside the source, or empty.
        format: what the source was, such as `bvh`.
        warnings: what its importer guessed, repaired or left out.
    """

    id: str
    name: str
    source: str
    index: int
    count: int
    revision: int
    source_hash: str
    skeleton: str = attrs.field(converter=_shared)
    joints: int
    frames: int
    framerate: float
    start_time: float = 0.0
    scaled: bool = False
    morphs: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    licence: str = attrs.field(default="", converter=_shared)
    beside: str = attrs.field(default="", converter=_shared)
    format: str = attrs.field(default="", converter=_shared)
    warnings: tuple[str, ...] = attrs.field(default=(), converter=_texts)

    @property
    def duration(self) -> float:
        """Seconds from the first frame to the last."""
        return (self.frames - 1) / self.framerate

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the last dimension of its array."""
        return COLUMNS if self.scaled else COLUMNS[:7]

    def attributes(self) -> dict[str, Any]:
        """Return what its document states; the shape of the array says the rest."""
        return {OURS: {**{name: getattr(self, name) for name in _STATED}, "columns": list(self.columns)}}


_STATED = tuple(field.name for field in attrs.fields(Clip) if field.name not in ("id", "joints", "frames"))
_KINDS: Mapping[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
}


def is_id(text: object) -> bool:
    """Whether `text` may name an object: what else stands there never becomes part of a key."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def digest(*parts: str | bytes) -> str:
    """Return an id of 128 bits for `parts`, whichever way they could be run together."""
    held = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        held.update(len(data).to_bytes(8, "little"))
        held.update(data)
    return held.hexdigest()


def document_bytes(document: object) -> bytes:
    """Return a document as the JSON that is stored: the same document gives the same bytes."""
    return json.dumps(document, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode()


def parsed(data: bytes | str, path: object) -> dict[str, Any]:
    """Return the JSON object in `data`.

    Raises:
        FormatError: there is none.
    """
    try:
        held = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"no JSON: {error}", path=path) from error
    if not isinstance(held, dict):
        raise FormatError(f"JSON holds {type(held).__name__}", path=path, expected="an object")
    return held


def group_document(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `zarr.json` of a group."""
    return {"zarr_format": 3, "node_type": "group", "attributes": dict(attributes)}


def own_attributes(document: Mapping[str, Any], path: object) -> dict[str, Any]:
    """Return what a document's attributes say under our name.

    Raises:
        FormatError: they say nothing.
    """
    attributes = document.get("attributes")
    held = attributes.get(OURS) if isinstance(attributes, dict) else None
    if not isinstance(held, dict):
        raise FormatError(f"no attribute {OURS!r}", path=path, expected="a dataset of Kinetoscope")
    return held


def clip_of(name: str, document: Mapping[str, Any], path: object) -> tuple[Clip, Layout | None]:
    """Return the clip that a document describes, and its layout (None: not one of ours).

    Raises:
        FormatError: something in it is missing or no value of its kind.
    """
    held = own_attributes(document, path)
    shape = document.get("shape")
    width = 10 if held.get("scaled") is True else 7
    if not (
        isinstance(shape, list)
        and len(shape) == 3
        and all(type(n) is int and n > 0 for n in shape)
        and shape[2] == width
    ):
        raise FormatError(f"shape is {shape!r:.80}", path=path, expected=f"[frames, joints, {width}]")
    given = {**held, "id": name, "frames": shape[0], "joints": shape[1]}
    return _clip_from(given, path), layout_of(document)


def _clip_from(given: Mapping[str, Any], path: object) -> Clip:
    values: dict[str, Any] = {}
    for field in attrs.fields(Clip):
        if field.name not in given:
            if field.default is attrs.NOTHING:
                raise FormatError(f"{field.name!r} is missing", path=path)
            continue
        value = given[field.name]
        if not _fits(str(field.type), value):
            raise FormatError(f"{field.name!r} is {value!r:.80}", path=path, expected=str(field.type))
        values[field.name] = value
    clip = Clip(**values)
    wrong = next((n for n in ("id", "skeleton") if not is_id(values[n])), None)
    wrong = wrong or next(
        (n for n in ("licence", "beside") if getattr(clip, n) and not is_id(getattr(clip, n))), None
    )
    if wrong:
        raise FormatError(f"{wrong!r} is {values[wrong]!r:.80}", path=path, expected="32 hexadecimal digits")
    if not (
        0 <= clip.index < clip.count
        and clip.framerate > 0
        and np.isfinite([clip.framerate, clip.start_time]).all()
    ):
        raise FormatError("index, count, framerate or start time are out of range", path=path)
    return clip


def _fits(kind: str, value: object) -> bool:
    if kind.startswith("tuple"):
        return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
    return isinstance(value, _KINDS[kind]) and (kind == "bool" or not isinstance(value, bool))


def skeleton_document(skeleton: Skeleton) -> dict[str, Any]:
    """Return the document of a skeleton: its numbers in full, so that it is the same when it is read."""
    return group_document(
        {
            OURS: {
                "names": list(skeleton.names),
                "parents": skeleton.parents.tolist(),
                "rest_positions": skeleton.rest_positions.tolist(),
                "rest_rotations": skeleton.rest_rotations.tolist(),
                "rest_scales": skeleton.rest_scales.tolist(),
            }
        }
    )


def skeleton_of(document: Mapping[str, Any], path: object) -> Skeleton:
    """Return the skeleton that a document describes.

    Raises:
        FormatError: it describes none.
    """
    held = own_attributes(document, path)
    try:
        rest = (np.asarray(held[f"rest_{name}"], np.float64) for name in ("positions", "rotations", "scales"))
        return Skeleton(tuple(held["names"]), np.asarray(held["parents"], np.int64), *rest)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise FormatError(f"no skeleton: {error}", path=path) from error


def motion_of(clip: Clip, skeleton: Skeleton, frames: Any, weights: Any, start: int, path: object) -> Motion:
    """Return frames of a clip as a `Motion`.

    Raises:
        FormatError: the numbers make none.
    """
    curves = {} if weights is None else {name: weights[:, i] for i, name in enumerate(clip.morphs)}
    try:
        return Motion(
            skeleton,
            frames[..., :3],
            frames[..., 3:7],
            clip.framerate,
            clip.name,
            scales=frames[..., 7:] if clip.scaled else None,
            start_time=clip.start_time + start / clip.framerate,
            morph_weights=curves,
        )
    except ValidationError as error:
        raise FormatError(str(error), path=path) from error


def current(clips: Sequence[Clip]) -> list[Clip]:
    """Return the clips that count, by source and place in it: a source is there whole or not at all.

    Of a source that was stored several times the last one that is whole counts: where storing it
    anew was broken off, that is the one before.
    """
    sets: dict[tuple[str, int, str], dict[int, Clip]] = {}
    for clip in clips:
        sets.setdefault((clip.source, clip.revision, clip.source_hash), {})[clip.index] = clip
    best: dict[str, tuple[int, str, dict[int, Clip]]] = {}
    for (source, revision, hashed), members in sets.items():
        counts = {clip.count for clip in members.values()}
        if counts == {len(members)} and best.get(source, (-1, ""))[:2] < (revision, hashed):
            best[source] = revision, hashed, members
    return [best[source][2][i] for source in sorted(best) for i in sorted(best[source][2])]
