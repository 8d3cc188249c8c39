"""Pictures, sound, films and programs: the network knows them too, but their headers settle the matter.

Each is looked at beyond its magic, as strictly as its first 4,096 bytes allow, and gets Magika's label;
what does not fit is the network's to tell. Rules take `(head, tail, size)` as the spec's `Signature` asks.
"""

from __future__ import annotations

import struct

from kinetoscope_spec import Signature

__all__ = ["MEDIA"]


def is_elf(head: bytes, tail: bytes, size: int) -> bool:
    """ELF: class, byte order, versions, type, and the header's own size (System V ABI, chapter 4)."""
    if len(head) < 52 or head[4] not in (1, 2) or head[5] not in (1, 2) or head[6] != 1:
        return False
    order, wide = ("<", ">")[head[5] - 1], head[4] == 2
    kind, _, version = struct.unpack_from(order + "HHI", head, 16)
    stated = (
        struct.unpack_from(order + "H", head, 52 if wide else 40)[0] if len(head) >= 54 or not wide else 0
    )
    return (kind <= 4 or kind >= 0xFE00) and version == 1 and stated == (64 if wide else 52) <= size


def is_python_bytecode(head: bytes, tail: bytes, size: int) -> bool:
    """A `.pyc` since Python 3.7: flags (PEP 552), then a marshalled code object."""
    if len(head) < 18 or not 3390 <= int.from_bytes(head[:2], "little") < 5000:
        return False
    flags = int.from_bytes(head[4:8], "little")
    return flags in (0, 1, 3) and head[16:17] in (b"c", b"\xe3")


def is_png(head: bytes, tail: bytes, size: int) -> bool:
    """PNG: IHDR first, with a size, a colour type and its depth (ISO/IEC 15948, 11.2.2)."""
    if len(head) < 33 or head[8:16] != b"\0\0\0\rIHDR":
        return False
    width, height, depth, colour, method, filtering, lacing = struct.unpack_from(">IIBBBBB", head, 16)
    depths = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
    return (
        0 < width < 1 << 31
        and 0 < height < 1 << 31
        and depth in depths.get(colour, ())
        and (method, filtering) == (0, 0)
        and lacing in (0, 1)
    )


def is_jpeg(head: bytes, tail: bytes, size: int) -> bool:
    """JPEG: segments follow each other by their lengths as far as the head goes (ITU-T T.81, B.1.1)."""
    at, seen = 2, 0
    while at + 4 <= len(head) and seen < 8:
        mark, length = head[at + 1], int.from_bytes(head[at + 2 : at + 4], "big")
        if head[at] != 0xFF or not 0xC0 <= mark <= 0xFE or length < 2 or at + 2 + length > size:
            return False
        if mark == 0xDA:
            break  # the picture's data
        at, seen = at + 2 + length, seen + 1
    return seen > 0


def is_gif(head: bytes, tail: bytes, size: int) -> bool:
    """GIF: 87a or 89a, a size, and a block after the colours (GIF89a, appendix A)."""
    if len(head) < 14 or head[4:6] not in (b"7a", b"9a") or not (any(head[6:8]) and any(head[8:10])):
        return False
    at = 13 + (3 << (head[10] & 7) + 1 if head[10] & 0x80 else 0)
    return head[at : at + 1] in (b"!", b",")


def _boxes(head: bytes, size: int) -> bool:
    """Tell whether the first box fits and another follows it (ISO/IEC 14496-12, 4.2)."""
    length = int.from_bytes(head[:4], "big")
    if not 16 <= length <= min(size, 1024) or length % 4:
        return False
    return len(head) < length + 8 or head[length + 4 : length + 8].replace(b" ", b"").isalnum()


def is_mp4(head: bytes, tail: bytes, size: int) -> bool:
    """MP4: the base format's brands or those of MPEG-4."""
    brands = (b"iso", b"mp4", b"avc1", b"dash", b"M4V ")
    return head[8:12].startswith(brands) and _boxes(head, size)


def is_quicktime(head: bytes, tail: bytes, size: int) -> bool:
    """QuickTime, by its brand."""
    return head[8:12] == b"qt  " and _boxes(head, size)


def is_wave(head: bytes, tail: bytes, size: int) -> bool:
    """RIFF of the form WAVE, or its big-endian sister: a chunk that its specification names comes first."""
    first = (b"fmt ", b"JUNK", b"bext", b"LIST", b"fact", b"PAD ", b"iXML", b"id3 ", b"ID3 ", b"cue ")
    return head[8:12] == b"WAVE" and head[12:16] in first


def is_gzip(head: bytes, tail: bytes, size: int) -> bool:
    """Gzip: deflated, no reserved flag, a known system (RFC 1952, 2.3)."""
    return (
        len(head) >= 18 <= size
        and not head[3] & 0xE0
        and head[8] in (0, 2, 4)
        and (head[9] <= 13 or head[9] == 255)
    )


def _media(
    label: str, mime: str, group: str, magic: bytes, rule: str, *ext: str, offset: int = 0
) -> Signature:
    target = f"kinetoscope_magika.media:{rule}"
    return Signature(label, mime, group, magic, offset, target, False, ext or (label,))


MEDIA: tuple[Signature, ...] = (
    _media("elf", "application/x-executable-elf", "executable", b"\x7fELF", "is_elf"),
    _media("png", "image/png", "image", b"\x89PNG\r\n\x1a\n", "is_png"),
    _media("jpeg", "image/jpeg", "image", b"\xff\xd8\xff", "is_jpeg", "jpg", "jpeg"),
    _media("gif", "image/gif", "image", b"GIF8", "is_gif"),
    _media("mp4", "video/mp4", "video", b"ftyp", "is_mp4", offset=4),
    _media("qt", "video/quicktime", "video", b"ftyp", "is_quicktime", "mov", offset=4),
    _media("wav", "audio/x-wav", "audio", b"RIFF", "is_wave"),
    _media("wav", "audio/x-wav", "audio", b"RIFX", "is_wave"),
    _media("gzip", "application/gzip", "archive", b"\x1f\x8b\x08", "is_gzip", "gz", "gzip", "tgz"),
    _media(
        "pythonbytecode",
        "application/x-bytecode.python",
        "executable",
        b"\r\n",
        "is_python_bytecode",
        "pyc",
        "pyo",
        offset=2,
    ),
)
"""Asked after the formats that Magika does not know."""
