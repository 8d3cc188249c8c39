"""Pictures, sound, films and programs: told by headers, as the network tells them, or left to it."""

from __future__ import annotations

import gzip
import io
import struct
import sys
import sysconfig
import wave
import zlib
from collections.abc import Callable
from importlib.util import cache_from_source
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope_magika import media
from kinetoscope_magika._knowledge import content_types
from kinetoscope_magika.detect import MagikaDetector

DETECTOR, NETWORK = MagikaDetector(), MagikaDetector(formats=())


def elf(
    bits: int = 64, order: str = "<", kind: int = 3, version: int = 1, stated: int | None = None
) -> bytes:
    """An ELF header as the ABI lays it out, and nothing behind it but zeros."""
    own = 64 if bits == 64 else 52
    address = "Q" if bits == 64 else "I"
    head = b"\x7fELF" + bytes([bits // 32, 1 if order == "<" else 2, 1, 0]) + bytes(8)
    head += struct.pack(order + "HHI" + 3 * address, kind, 62, version, 0, own, 0)
    return head + struct.pack(order + "IHHHHHH", 0, stated or own, 56, 0, 64, 0, 0) + bytes(200)


def png(width: int = 3, depth: int = 8, colour: int = 2, length: int = 13) -> bytes:
    body = struct.pack(">IIBBBBB", width, 2, depth, colour, 0, 0, 0)
    chunk = struct.pack(">I", length) + b"IHDR" + body + struct.pack(">I", zlib.crc32(b"IHDR" + body))
    return b"\x89PNG\r\n\x1a\n" + chunk + bytes(60)


_TABLE = b"\xff\xdb\0\x43" + bytes(65)


def jpeg(length: int = 16, after: bytes = _TABLE + b"\xff\xda\0\x0c") -> bytes:
    return b"\xff\xd8\xff\xe0" + struct.pack(">H", length) + b"JFIF\0\1\1\0\0\1\0\1\0\0" + after + bytes(600)


def gif(colours: int = 1, block: bytes = b",") -> bytes:
    return b"GIF89a\3\0\2\0" + bytes([0x80 | (colours - 1), 0, 0]) + bytes(3 << colours) + block + bytes(60)


def film(brand: bytes = b"isom", length: int = 24, after: bytes = b"moov") -> bytes:
    return struct.pack(">I", length) + b"ftyp" + brand + bytes(4) + b"isommp42" + bytes(4) + after + bytes(90)


def sound() -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(bytes(400))
    return stream.getvalue()


def bytecode() -> bytes:
    return Path(cache_from_source(struct.__file__)).read_bytes()


WHOLE: dict[str, Callable[[], list[bytes]]] = {
    "elf": lambda: [elf(), elf(32, ">"), elf(32, kind=1), Path(sys.executable).resolve().read_bytes()],
    "png": lambda: [png(), png(colour=3, depth=1), png(colour=6, depth=16)],
    "jpeg": lambda: [jpeg(), jpeg(after=b"\xff\xda\0\x0c")],
    "gif": lambda: [gif(), gif(8, b"!"), b"GIF87a\1\0\1\0\0\0\0," + bytes(40)],
    "mp4": lambda: [film(), film(b"mp42"), film(b"iso6"), film(b"M4V ")],
    "qt": lambda: [film(b"qt  ")],
    "wav": lambda: [sound(), b"RIFX" + sound()[4:], sound()[:12] + b"JUNK" + bytes(40)],
    "gzip": lambda: [gzip.compress(b"words" * 20)],
    "pythonbytecode": lambda: [bytecode()],
}

LIES = {
    "elf": [
        *(elf(kind=9), elf(version=2), elf(stated=63), elf()[:52]),
        *(b"\x7fELF is a format\n" * 9, elf()[:4] + b"\3" + elf()[5:]),
    ],
    "png": [png(0), png(depth=3), png(colour=5), png(length=14), b"\x89PNG\r\n\x1a\n" + b"words " * 30],
    "jpeg": [jpeg(1), jpeg(60_000), jpeg(after=b"\0\0\0\0"), b"\xff\xd8\xff words " * 9],
    "gif": [gif(block=b"x"), b"GIF89a\0\0\2\0\0\0\0," + bytes(40), b"GIF88a" + gif()[6:], b"GIF8 and words" * 9],
    "mp4": [film(b"none"), film(length=1 << 30), film(length=9), film(length=26), film(after=b"\0\0\0\0")],
    "qt": [film(b"qt  ", length=1 << 30), film(b"qtxx")],
    "wav": [sound()[:8] + b"WAVX" + sound()[12:], sound()[:12] + b"\0\0\0\0" + bytes(40)],
    "gzip": [b"\x1f\x8b\x08\xe0" + bytes(30), b"\x1f\x8b\x08\0\0\0\0\0\7\3" + bytes(30), b"\x1f\x8b\x08\0\0"],
    "pythonbytecode": [
        b"\x42\x0d\r\n" + bytes(30),
        b"ab\r\n" + bytes(12) + b"\xe3" + bytes(40),
        b"\x42\x0d\r\n\7\0\0\0" + bytes(8) + b"c" + bytes(40),
    ],
}  # fmt: skip


@pytest.mark.parametrize("label", WHOLE)
def test_whole_files_are_known(label: str) -> None:
    for data in WHOLE[label]():
        found = DETECTOR.detect(data)
        assert (found.label, found.decided_by, found.score) == (label, "signature", 1)


@pytest.mark.parametrize(("label", "data"), [(k, d) for k, v in LIES.items() for d in v])
def test_lies_are_left_to_the_network(label: str, data: bytes) -> None:
    assert DETECTOR.detect(data).decided_by in ("model", "size")


def test_every_format_has_both() -> None:
    assert {s.label for s in media.MEDIA} == set(WHOLE) == set(LIES)


@pytest.mark.parametrize("signature", media.MEDIA, ids=lambda s: f"{s.label}-{s.offset}")
def test_what_is_said_of_them_is_what_magika_says(signature: object) -> None:
    known = content_types()[signature.label]  # type: ignore[attr-defined]
    assert (signature.mime, signature.group) == (known.mime, known.group)  # type: ignore[attr-defined]
    assert not known.is_text
    assert set(signature.extensions) <= set(known.extensions)  # type: ignore[attr-defined]


def test_this_pythons_own_files_are_what_the_network_holds_them_for() -> None:
    """The network would have said the same: a signature only saves asking it.

    Sound is not compared: small test files of it the network takes for pictures.
    """
    roots = [sysconfig.get_path("stdlib"), sysconfig.get_path("platlib")]
    for suffix in ("so", "pyc", "png", "gif", "gz"):
        paths = sorted(path for root in roots for path in Path(root).rglob(f"*.{suffix}"))
        for path in paths[:: max(1, len(paths) // 5)]:
            found = DETECTOR.detect(path)
            if found.decided_by == "signature":
                assert found.label == NETWORK.detect(path).label, path


RULES = [getattr(media, name) for name in dir(media) if name.startswith("is_")]


@given(head=st.binary(max_size=70), size=st.integers(0, 1 << 63), label=st.sampled_from(sorted(WHOLE)))
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rules_are_total(rule: Callable[..., bool], head: bytes, size: int, label: str) -> None:
    """They are asked where the magic fits, of as few bytes as that takes."""
    magics = [s for s in media.MEDIA if str(s.rule).endswith(f":{rule.__name__}")]
    for s in magics:
        start = bytes(s.offset) + s.magic
        assert rule(start + head, head, max(size, len(start + head))) in (True, False)
    whole = WHOLE[label]()[0]
    for cut in (whole[: len(head)], whole[: len(head)] + head):
        if any(cut.startswith(s.magic, s.offset) for s in magics):
            assert rule(cut, cut, len(cut)) in (True, False)
