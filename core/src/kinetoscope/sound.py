"""Joining and writing what voices said: only what is marked, and never without saying where it came from."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import wave
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from kinetoscope._version import VERSION
from kinetoscope_spec.errors import ConfigError, KinetoscopeError, ValidationError
from kinetoscope_spec.files import replacing, write_text

if TYPE_CHECKING:
    from kinetoscope.host import Host
    from kinetoscope_spec import Audio, Cue

__all__ = [
    "SIDECAR",
    "WrittenAudio",
    "check_marked",
    "check_suffix",
    "joined",
    "provenance_of",
    "sidecar_of",
    "write_audio",
]

SIDECAR = ".provenance.json"
"""What is added to a sound file's name for that of the record beside it."""


@attrs.frozen
class WrittenAudio:
    """What was written.

    Attributes:
        path, sidecar: the sound, and the record of where it came from.
        seconds, rate: of the sound.
        bytes: size of the sound file.
        watermark: the mark that it carries.
    """

    path: str
    sidecar: str
    seconds: float
    rate: int
    bytes: int
    watermark: str


def joined(host: Host, pieces: Sequence[Audio]) -> Audio:
    """Return the pieces of a stream as one sound, their cues moved to where they are in it.

    The provenance is the last one's, which has the whole account. What is made of nothing but pieces
    that this host marked is marked.

    Raises:
        KinetoscopeError: there are none.
    """
    import numpy as np

    from kinetoscope_spec import Audio

    if not pieces:
        raise KinetoscopeError("the voice gave no sound at all")
    cues: list[Cue] = []
    before = 0
    for piece in pieces:
        shift = before / piece.rate
        cues += [attrs.evolve(cue, start=cue.start + shift, end=cue.end + shift) for cue in piece.cues]
        before += len(piece.samples)
    last = pieces[-1]
    whole = Audio(np.concatenate([piece.samples for piece in pieces]), last.rate, cues, last.provenance)
    marker = host.marker
    return marker.remember(whole) if all(map(marker.knows, pieces)) else whole


def sidecar_of(path: Path) -> Path:
    """Return the name of the record beside a sound file."""
    return path.with_name(path.name + SIDECAR)


def check_suffix(host: Host, path: str | Path) -> None:
    """Find out before anything is spoken whether such a file can be written.

    Raises:
        ConfigError: nothing here writes files of that name; says what is written.
    """
    target = Path(path)
    if target.suffix.lower() == ".wav":
        return
    writer = _writer(host, target)
    known = getattr(writer, "audio_suffixes", None)
    if known is not None and target.suffix.lower() not in known:
        raise ConfigError(f"{target}: suffix {target.suffix!r}, expected one of {', '.join(known)}")


def write_audio(host: Host, path: str | Path, audio: Audio, **options: Any) -> WrittenAudio:
    """Write a marked sound; see `Host.write_audio`."""
    target = Path(path)
    name = check_marked(host, audio)
    record = provenance_of(audio)
    words = {"comment": json.dumps(record, ensure_ascii=True, separators=(",", ":"))}
    sidecar = sidecar_of(target)
    with replacing(target) as temporary:
        if target.suffix.lower() == ".wav" and not options:
            temporary.write_bytes(_wav(audio, words["comment"]))
        else:
            _writer(host, target).write_audio(temporary, audio, metadata=words, **options)
        size, digest = temporary.stat().st_size, _digest(temporary)
        # The record first: a sound never stands there without one.
        told = {"file": target.name, "sha256": digest, "seconds": audio.duration, "rate": audio.rate}
        write_text(sidecar, json.dumps(told | record, indent=2) + "\n")
    return WrittenAudio(str(target), str(sidecar), audio.duration, audio.rate, size, name)


def check_marked(host: Host, audio: Audio) -> str:
    """Return the name of the mark that a sound carries; what it says of itself is not believed.

    Raises:
        ValidationError: no mark was found in it.
    """
    made = audio.provenance
    if made is None or not made.watermark:
        raise ValidationError(
            "this sound is not marked, and is not written; what host.voice() says is, with its provenance"
        )
    marker = host.marker
    name, watermarker = marker.found()
    if marker.knows(audio):
        return name
    verdict = watermarker.verify(audio)
    if not verdict.marked:
        said = verdict.abstained or f"the best of its windows scores {verdict.score:.2f} of 1"
        raise ValidationError(
            f"this sound says it is marked by {made.watermark!r}, but no mark was found in it ({said}); "
            "it is not written"
        )
    return name


def provenance_of(audio: Audio) -> dict[str, Any]:
    """Return where a marked sound came from, as JSON."""
    assert audio.provenance is not None
    made = attrs.asdict(audio.provenance, recurse=False)
    made["details"] = _plain(audio.provenance.details)
    return {"generator": f"kinetoscope {VERSION}", "synthetic": True, "provenance": made}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(held) for key, held in value.items()}
    return [_plain(held) for held in value] if isinstance(value, list | tuple) else value


def _writer(host: Host, target: Path) -> Any:
    """Return a provider of `media` that writes sound."""
    try:
        media = host.provider("media")
    except KinetoscopeError as error:
        raise ConfigError(f"{target}: only .wav can be written here, and nothing else: {error}") from error
    if not hasattr(media, "write_audio"):
        raise ConfigError(f"{target}: the provider of media writes no sound, expected the suffix .wav")
    return media


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _wav(audio: Audio, comment: str) -> bytes:
    """Return a WAV file of 16 bits with a LIST chunk of type INFO (Multimedia Programming Interface 1.0)."""
    import numpy as np

    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(audio.samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(audio.rate)
        file.writeframes(np.rint(audio.samples * 32767).astype("<i2").tobytes())
    info = b"INFO" + _chunk(b"ICMT", comment.encode() + b"\0") + _chunk(b"ISFT", b"Kinetoscope\0")
    whole = stream.getvalue() + _chunk(b"LIST", info)
    return whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:]


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
