"""From an asset to the objects that are stored: what workers do, away from the store."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_dataset._clip import Clip, digest, document_bytes, skeleton_document
from kinetoscope_dataset._clip import group_document as group
from kinetoscope_dataset._shards import array_document, encode, layout_for
from kinetoscope_spec import Motion, Skeleton, ValidationError

__all__ = ["Packed", "pack", "pack_all", "terms_id"]

MOST_SKELETONS = 32
"""So many documents of skeletons are kept at hand."""

MOST_LICENCES = 16
"""So many documents of licences are kept at hand."""

MOST_WARNINGS = 20
"""So many of an importer's warnings are kept with a clip."""


@attrs.frozen
class Packed:
    """A clip, ready to be stored.

    Attributes:
        clip: what is known of it.
        shared: objects that other clips may have too, by key: skeletons and licence texts.
        objects: its own objects, by key.
        document: the key and bytes of its document, which makes it visible: to be written last.
    """

    clip: Clip
    shared: Mapping[str, bytes]
    objects: Mapping[str, bytes]
    document: tuple[str, bytes]


@attrs.frozen
class Origin:
    """Where motions come from, and under which terms.

    Attributes:
        source: the name of the file in the dataset.
        source_hash: of its bytes.
        revision: how often the source was stored before.
        licence: the licence's text, or empty.
        beside: the text that was found beside the file, or empty.
        format: what the file was.
        warnings: of its importer.
    """

    source: str
    source_hash: str
    revision: int = 0
    licence: str = ""
    beside: str = ""
    format: str = ""
    warnings: tuple[str, ...] = ()


def pack_all(motions: Sequence[Motion], origin: Origin) -> Iterator[Packed]:
    """Yield what is to be stored of each motion of one source."""
    for index, motion in enumerate(motions):
        yield pack(motion, origin, index, len(motions))


def pack(motion: Motion, origin: Origin, index: int = 0, count: int = 1) -> Packed:
    """Return what is to be stored of a motion.

    Raises:
        ValidationError: a number does not fit into float32.
    """
    shared: dict[str, bytes] = {}
    skeleton, described = _skeleton(motion.skeleton)
    licence, beside = (_licence(text, shared) for text in (origin.licence, origin.beside))
    clip = Clip(
        id=digest(origin.source, origin.source_hash, str(origin.revision), beside, str(index)),
        name=motion.name,
        source=origin.source,
        index=index,
        count=count,
        revision=origin.revision,
        source_hash=origin.source_hash,
        skeleton=skeleton,
        joints=len(motion.skeleton),
        frames=motion.frame_count,
        framerate=motion.framerate,
        start_time=motion.start_time,
        scaled=motion.scales is not None,
        morphs=tuple(motion.morph_weights),
        licence=licence,
        beside=beside,
        format=origin.format,
        warnings=tuple(text[:500] for text in origin.warnings[:MOST_WARNINGS]),
    )
    shared[f"skeletons/{skeleton}/zarr.json"] = described
    objects: dict[str, bytes] = {}
    if clip.morphs:
        curves = np.stack(list(motion.morph_weights.values()), axis=1)
        curves = _float32(curves, motion.name)
        document = _array(f"morphs/{clip.id}", [curves], {}, ("frame", "morph"), objects)
        objects[f"morphs/{clip.id}/zarr.json"] = document
    parts = [motion.positions, motion.rotations, *([] if motion.scales is None else [motion.scales])]
    parts = [_float32(part, motion.name) for part in parts]
    document = _array(f"clips/{clip.id}", parts, clip.attributes(), ("frame", "joint", "column"), objects)
    return Packed(clip, shared, objects, (f"clips/{clip.id}/zarr.json", document))


def _array(
    at: str,
    parts: Sequence[NDArray[Any]],
    attributes: Mapping[str, object],
    names: tuple[str, ...],
    objects: dict[str, bytes],
) -> bytes:
    """Add the shards of an array to `objects` and return its document."""
    width = sum(part.shape[-1] for part in parts)
    layout = layout_for((*parts[0].shape[:-1], width))
    objects |= {f"{at}/{key}": data for key, data in encode(parts, layout)}
    return document_bytes(array_document(layout, attributes, names))


def _float32(values: NDArray[Any], name: str) -> NDArray[Any]:
    if values.dtype == np.float32:
        return values
    with np.errstate(over="ignore"):
        narrow = values.astype(np.float32)
    if not np.isfinite(narrow).all():
        raise ValidationError(f"motion {name!r} holds numbers beyond the range of float32")
    return narrow


_lock = threading.Lock()
_skeletons: dict[tuple[object, ...], tuple[str, bytes]] = {}
"""The ids and documents of skeletons packed last: the takes of a folder share a few, and writing numbers is slow."""


def _skeleton(skeleton: Skeleton) -> tuple[str, bytes]:
    """Return the id and the document of a skeleton."""
    rest = (skeleton.rest_positions, skeleton.rest_rotations, skeleton.rest_scales)
    key = (skeleton.names, *(array.tobytes() for array in (skeleton.parents, *rest)))
    with _lock:
        held = _skeletons.pop(key, None)
        if held is None:
            document = document_bytes(skeleton_document(skeleton))
            held = digest(document), document
        _skeletons[key] = held
        if len(_skeletons) > MOST_SKELETONS:
            del _skeletons[next(iter(_skeletons))]
    return held


def _licence(text: str, shared: dict[str, bytes]) -> str:
    if not text:
        return ""
    name = terms_id(text)
    shared[f"licences/{name}/zarr.json"] = _licence_document(text)
    return name


@lru_cache(maxsize=MOST_LICENCES)
def terms_id(text: str) -> str:
    """Return the id of a licence's text; empty where there is none."""
    return digest(text) if text else ""


@lru_cache(maxsize=MOST_LICENCES)
def _licence_document(text: str) -> bytes:
    return document_bytes(group({"kinetoscope": {"text": text}}))
