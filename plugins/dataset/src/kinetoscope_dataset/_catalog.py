"""Which clips a dataset has: what the documents below `clips/` say, and a shortcut to it.

The documents are the truth. The group `index` repeats them in one object, so that opening costs a
listing and a read, not a read a clip. A clip's name stands for its content, so an entry of the index
can be missing or superfluous, but never wrong; what the listing does not have is passed over, and
what the index does not have is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from kinetoscope_dataset._clip import (
    FORMAT,
    OURS,
    Clip,
    clip_of,
    current,
    document_bytes,
    group_document,
    is_id,
    own_attributes,
    parsed,
)
from kinetoscope_dataset._storage import Storage
from kinetoscope_spec import FormatError

__all__ = ["Catalog", "is_dataset", "read_catalog", "write_index", "write_root"]

ROOT = "zarr.json"
INDEX = "index/zarr.json"
GROUPS = ("clips", "morphs", "skeletons", "licences")
ABSENT = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
BATCH = 1000
"""Documents that are asked for at once."""


@attrs.frozen
class Catalog:
    """What a dataset holds.

    Attributes:
        clips: those that count, sorted by source and place in it.
        stale: names below `clips/` and `morphs/` that do not count: remains of what was broken off.
        clipless: hash and terms of sources without a motion, by source: `(source_hash, beside)`.
        indexed: whether the index says just that.
        broken: of the stale ones, those without a document, which nobody reads.
    """

    clips: tuple[Clip, ...] = ()
    stale: frozenset[str] = frozenset()
    clipless: Mapping[str, tuple[str, str]] = attrs.field(factory=dict)
    indexed: bool = False
    broken: frozenset[str] = frozenset()


def is_dataset(storage: Storage) -> bool:
    """Whether a dataset of ours begins here.

    Raises:
        OSError: nobody can say: the storage does not answer.
    """
    try:
        document = parsed(storage.get(ROOT), ROOT)
        return "version" in own_attributes(document, ROOT)
    except (*ABSENT, FormatError):
        return False


def write_root(storage: Storage) -> None:
    """Begin a dataset; the root comes last, so that what has one is whole."""
    for name in GROUPS:
        storage.put(f"{name}/zarr.json", document_bytes(group_document({})))
    attributes = {OURS: {"format": "motion dataset", "version": FORMAT}}
    storage.put(ROOT, document_bytes(group_document(attributes)))


def check_root(storage: Storage) -> None:
    """Make sure that a dataset which this version reads begins here.

    Raises:
        FormatError: there is none, or a later version of the layout.
    """
    try:
        data = storage.get(ROOT)
    except ABSENT as error:
        raise FormatError(
            "no dataset here", path=storage.url, expected="a Zarr group of Kinetoscope's"
        ) from error
    version = own_attributes(parsed(data, f"{storage.url}/{ROOT}"), f"{storage.url}/{ROOT}").get("version")
    if type(version) is not int or not 1 <= version <= FORMAT:
        raise FormatError(
            f"version {version!r:.40} of the layout", path=storage.url, expected=f"1 to {FORMAT}"
        )


def read_catalog(storage: Storage) -> Catalog:
    """Return what the dataset holds.

    Raises:
        FormatError: there is no dataset, or the description of a clip makes no sense.
    """
    check_root(storage)
    listed = [name for name in storage.names("clips") if is_id(name)]
    indexed, clipless = _read_index(storage)
    known = {name: indexed[name] for name in listed if name in indexed}
    known |= _read_documents(storage, [name for name in listed if name not in known])
    clips = current(list(known.values()))
    names = {clip.id for clip in clips}
    left = {name for name in (*listed, *storage.names("morphs")) if is_id(name)} - names
    indexed_all = names == indexed.keys() and bool(names)
    return Catalog(tuple(clips), frozenset(left), clipless, indexed_all, frozenset(left - known.keys()))


def _read_documents(storage: Storage, names: Sequence[str]) -> dict[str, Clip]:
    found: dict[str, Clip] = {}
    for start in range(0, len(names), BATCH):
        keys = {f"clips/{name}/zarr.json": name for name in names[start : start + BATCH]}
        for key, data in storage.get_many(list(keys)).items():
            path = f"{storage.url}/{key}"
            found[keys[key]] = clip_of(keys[key], parsed(data, path), path)[0]
    return found


def _read_index(storage: Storage) -> tuple[dict[str, Clip], dict[str, tuple[str, str]]]:
    try:
        path = f"{storage.url}/{INDEX}"
        held = own_attributes(parsed(storage.get(INDEX).decode(), path), path)  # the bytes go at once
        documents, clipless = held["clips"], held["clipless"]
        # What JSON makes of an entry takes four times the room of the clip: it goes as the clip comes.
        clips = {name: clip_of(name, documents.pop(name), path)[0] for name in list(documents)}
        return clips, {str(k): (str(a), str(b)) for k, (a, b) in clipless.items()}
    except FileNotFoundError:
        return {}, {}
    except (FormatError, KeyError, TypeError, ValueError, AttributeError):
        return {}, {}  # a shortcut that does not hold: the documents say the same


def write_index(storage: Storage, clips: Sequence[Clip], clipless: Mapping[str, tuple[str, str]]) -> None:
    """Write the shortcut: bytes made clip by clip, since all of it as objects would take four times the room."""
    # Joined by hand, the bytes are those of `document_bytes` for the whole.
    before, after = document_bytes(group_document({OURS: PLACE})).split(document_bytes(PLACE))
    text = bytearray(before + b'{"clips":{')
    for i, clip in enumerate(clips):
        text += b"," * (i > 0) + b'"%s":' % clip.id.encode() + document_bytes(_entry(clip))
    rest = document_bytes({source: list(terms) for source, terms in sorted(clipless.items())})
    text += b'},"clipless":' + rest + b"}" + after
    storage.put(INDEX, bytes(text))


PLACE = "the index"
"""What stands for it while the document around it is made."""


def _entry(clip: Clip) -> dict[str, object]:
    return {"shape": [clip.frames, clip.joints, len(clip.columns)], "attributes": clip.attributes()}
