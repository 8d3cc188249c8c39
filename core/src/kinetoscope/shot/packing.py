"""Values between stages in files: NumPy archives without pickles, and JSON."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import Audio, Camera, Cue, Motion, Provenance, Skeleton, Video
from kinetoscope_spec.errors import FormatError

__all__ = [
    "load_audio",
    "load_cameras",
    "load_motion",
    "open_patches",
    "save_audio",
    "save_cameras",
    "save_motion",
    "save_patches",
]

Array = NDArray[Any]


def save_motion(path: Path, motion: Motion) -> None:
    """Write a motion and its skeleton as `.npz`."""
    skeleton = motion.skeleton
    arrays = {name: getattr(skeleton, name) for name in ("parents", *_REST)}
    arrays |= {"positions": motion.positions, "rotations": motion.rotations}
    if motion.scales is not None:
        arrays["scales"] = motion.scales
    arrays |= {f"morph {i}": curve for i, curve in enumerate(motion.morph_weights.values())}
    head = {
        "name": motion.name,
        "framerate": motion.framerate,
        "start_time": motion.start_time,
        "joints": list(skeleton.names),
        "morphs": list(motion.morph_weights),
    }
    _save(path, head, arrays)


_REST = ("rest_positions", "rest_rotations", "rest_scales")


def load_motion(path: Path) -> Motion:
    """Read what `save_motion` wrote."""
    head, arrays = _load(path)
    skeleton = Skeleton(head["joints"], arrays["parents"], *(arrays[name] for name in _REST))
    return Motion(
        skeleton,
        arrays["positions"],
        arrays["rotations"],
        head["framerate"],
        head["name"],
        arrays.get("scales"),
        head["start_time"],
        {name: arrays[f"morph {i}"] for i, name in enumerate(head["morphs"])},
    )


def save_audio(path: Path, audio: Audio) -> None:
    """Write a sound with cues and provenance as `.npz`."""
    made = None if audio.provenance is None else attrs.asdict(audio.provenance, recurse=False)
    if made is not None:
        made["details"] = dict(made["details"])
    head = {"rate": audio.rate, "cues": [attrs.asdict(cue) for cue in audio.cues], "provenance": made}
    _save(path, head, {"samples": audio.samples})


def load_audio(path: Path) -> Audio:
    """Read what `save_audio` wrote."""
    head, arrays = _load(path)
    made = head["provenance"]
    cues = [Cue(**cue) for cue in head["cues"]]
    return Audio(arrays["samples"], head["rate"], cues, None if made is None else Provenance(**made))


def save_cameras(path: Path, cameras: Sequence[Camera], told: dict[str, Any]) -> None:
    """Write the camera of each frame, with JSON of what is known about them."""
    arrays = {
        name: np.array([getattr(camera, name) for camera in cameras])
        for name in ("position", "target", "up", "field_of_view")
    }
    _save(path, told, arrays)


def load_cameras(path: Path) -> tuple[list[Camera], dict[str, Any]]:
    """Read what `save_cameras` wrote."""
    told, arrays = _load(path)
    rows = zip(*(arrays[name] for name in ("position", "target", "up", "field_of_view")), strict=True)
    return [Camera(place, target, up, float(view)) for place, target, up, view in rows], told


def save_patches(path: Path, video: Video, changed: Video) -> int:
    """Write by what `changed` differs from `video`, frame by frame, without loss; return how many frames.

    Much smaller than the film where little is changed, and exact where a codec would not be.
    """
    count = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for was, now in zip(video.frames(), changed.frames(), strict=True):
            off = (was != now).any(axis=2)
            rows, columns = np.flatnonzero(off.any(axis=1)), np.flatnonzero(off.any(axis=0))
            top, bottom = (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, 0)
            left, right = (int(columns[0]), int(columns[-1]) + 1) if len(columns) else (0, 0)
            _member(archive, f"{count}.box", np.array([top, bottom, left, right], np.int64))
            _member(archive, f"{count}.patch", now[top:bottom, left:right])
            count += 1
        # Without a time of its own it would be the present one: the same patches, the same bytes.
        archive.writestr(zipfile.ZipInfo("head.json"), json.dumps({"frames": count}))
    return count


def _member(archive: zipfile.ZipFile, name: str, array: Array) -> None:
    with archive.open(name, "w") as stream:
        np.lib.format.write_array(stream, np.ascontiguousarray(array), allow_pickle=False)


def open_patches(path: Path, video: Video) -> Video:
    """Return `video` with the patches that `save_patches` wrote.

    Raises:
        FormatError: the file is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            frames = int(json.loads(archive.read("head.json"))["frames"])
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise FormatError(f"is no film of patches: {error}", path=path) from error
    return attrs.evolve(video, source=_Patched(path, video), frame_count=frames)


@attrs.frozen(eq=False)
class _Patched:
    path: Path
    video: Video

    def __call__(self, start: int, stop: int | None) -> Iterator[Array]:
        with zipfile.ZipFile(self.path) as archive:
            for i, frame in enumerate(self.video.frames(start, stop), start):
                top, bottom, left, right = (int(side) for side in _array(archive, f"{i}.box"))
                made = frame.copy()
                made[top:bottom, left:right] = _array(archive, f"{i}.patch")
                yield made


def _array(archive: zipfile.ZipFile, name: str) -> Array:
    with archive.open(name) as stream:
        return _read_array(stream)


def _read_array(stream: IO[bytes]) -> Array:
    found: Array = np.lib.format.read_array(stream, allow_pickle=False)
    return found


def _save(path: Path, head: dict[str, Any], arrays: dict[str, Array]) -> None:
    text = np.frombuffer(json.dumps(head).encode(), np.uint8)
    everything: dict[str, Any] = {"head": text, **arrays}
    np.savez(path, **everything)


def _load(path: Path) -> tuple[dict[str, Any], dict[str, Array]]:
    try:
        # np.load leaves a file that is no archive open; ours is closed.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            arrays = {name: held[name] for name in held.files}
    except (zipfile.BadZipFile, EOFError) as error:
        raise FormatError(f"is damaged: {error}", path=path) from error
    return json.loads(arrays.pop("head").tobytes()), arrays
