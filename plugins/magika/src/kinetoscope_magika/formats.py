"""Formats that Magika does not know or misjudges, each validated beyond its magic.

Rules take `(head, tail, size)` as the spec's `Signature` asks. Importers that own one of these
formats bring signatures of their own, which are asked first.
"""

from __future__ import annotations

import re
import struct

from kinetoscope_spec import Signature

__all__ = ["FORMATS"]


def _u32(data: bytes, offset: int, big: bool = False) -> int:
    piece = data[offset : offset + 4]
    return int.from_bytes(piece, "big" if big else "little") if len(piece) == 4 else -1


def is_npy(head: bytes, tail: bytes, size: int) -> bool:
    """NumPy's format.py: version 1 to 3, a dict literal as header."""
    if len(head) < 12 or head[6] not in (1, 2, 3) or head[7] != 0:
        return False
    start = 10 if head[6] == 1 else 12
    length = int.from_bytes(head[8:start], "little")
    return start + length <= size and head[start : start + 1] == b"{" and b"descr" in head[start:]


def _first_member(head: bytes) -> tuple[bytes, int]:
    """Return name and method of a zip's first member (APPNOTE 4.3.7); an empty name where there is none."""
    if len(head) < 30:
        return b"", -1
    length = struct.unpack_from("<H", head, 26)[0]
    return head[30 : 30 + length], struct.unpack_from("<H", head, 8)[0]


def is_npz(head: bytes, tail: bytes, size: int) -> bool:
    """A zip whose first member is an array."""
    return _first_member(head)[0].endswith(b".npy")


def is_usdz(head: bytes, tail: bytes, size: int) -> bool:
    """A zip whose first member is a USD layer, stored and not deflated."""
    name, method = _first_member(head)
    return method == 0 and name.lower().endswith((b".usd", b".usda", b".usdc"))


def is_glb(head: bytes, tail: bytes, size: int) -> bool:
    """Binary glTF: version 1 or 2, a length within the file, JSON first (glTF 2.0, section 4.4)."""
    version, length = _u32(head, 4), _u32(head, 8)
    if version == 1:
        return 20 <= length <= size and _u32(head, 16) == 0
    return version == 2 and 20 <= length <= size and head[16:20] == b"JSON"


def is_gltf(head: bytes, tail: bytes, size: int) -> bool:
    """JSON with an asset's version and one of glTF's arrays."""
    if not head.startswith(b"{"):
        return False
    both = head + tail
    arrays = (b'"accessors"', b'"scenes"', b'"meshes"', b'"nodes"', b'"buffers"')
    return re.search(rb'"asset"\s*:\s*\{[^{}]*"version"\s*:', both) is not None and any(
        a in both for a in arrays
    )


def is_safetensors(head: bytes, tail: bytes, size: int) -> bool:
    """A JSON header of tensors whose length fits the file."""
    if len(head) < 10:
        return False
    length = int.from_bytes(head[:8], "little")
    if not 2 <= length <= size - 8 or head[8:9] != b"{":
        return False
    text = head[8 : 8 + length]
    return text.rstrip(b" ") == b"{}" or (
        b'"' in text[:8] and (b'"data_offsets"' in text or b'"__metadata__"' in text)
    )


def is_fbx_binary(head: bytes, tail: bytes, size: int) -> bool:
    """Binary FBX of either byte order: byte 22 says which, then follows the version."""
    return len(head) >= 27 and head[22] in (0, 1) and 2000 <= _u32(head, 23, big=head[22] == 1) < 10000


def is_fbx_ascii(head: bytes, tail: bytes, size: int) -> bool:
    """Text that begins with FBX's comment or header node."""
    return head.startswith((b"; FBX ", b"FBXHeaderExtension:")) or (
        head.startswith(b";") and b"\nFBXHeaderExtension:" in head
    )


def is_usdc(head: bytes, tail: bytes, size: int) -> bool:
    """USD's crate: version 0.x and a table of contents within the file."""
    return len(head) >= 24 and head[8] == 0 and 0 < int.from_bytes(head[16:24], "little") < size


def is_exr(head: bytes, tail: bytes, size: int) -> bool:
    """OpenEXR: version 2, no unknown flag, then an attribute's name (OpenEXR file layout)."""
    flags = _u32(head, 4) >> 8
    return (
        len(head) > 8
        and head[4] == 2
        and not flags & ~0x1E
        and re.match(rb"[\w. -]{1,255}\0", head[8:]) is not None
    )


def is_hdr(head: bytes, tail: bytes, size: int) -> bool:
    """Radiance: its variables name the format."""
    return b"\nFORMAT=32-bit_rle_" in head


def is_zstd(head: bytes, tail: bytes, size: int) -> bool:
    """Zstandard: the frame's reserved bit is clear, and a block follows (RFC 8878, 3.1.1)."""
    return size >= 9 and len(head) > 4 and not head[4] & 0x08


def is_ply(head: bytes, tail: bytes, size: int) -> bool:
    """PLY: the format line follows, with comments between at most."""
    return (
        re.match(rb"ply\r?\n(comment[^\n]*\n|obj_info[^\n]*\n)*format (ascii|binary_\w+_endian) 1\.0", head)
        is not None
    )


_OBJ_LINE = re.compile(
    rb"(#.*|(v|vn|vt|vp)( +-?[\d.eE+-]+){1,7}|(f|l|p)( +[\d/-]+)+|(o|g|s|usemtl|mtllib)\b.*|)\s*"
)


def is_obj(head: bytes, tail: bytes, size: int) -> bool:
    """Wavefront OBJ: nothing but its statements, three vertices at least."""
    lines = head.split(b"\n")
    if size > len(head):
        lines = lines[:-1]
    return all(map(_OBJ_LINE.fullmatch, lines)) and sum(line.startswith(b"v ") for line in lines) >= 3


def is_c3d(head: bytes, tail: bytes, size: int) -> bool:
    """C3D: the second byte is 0x50; the parameter block's fourth says the processor (c3d.org manual)."""
    start = (head[0] - 1) * 512 if len(head) > 512 and head[1] == 0x50 and head[0] >= 2 else -1
    return 0 < start < len(head) - 4 and start < size and head[start + 3] in (84, 85, 86)


def is_acclaim_skeleton(head: bytes, tail: bytes, size: int) -> bool:
    """Acclaim ASF: its sections by name."""
    return (
        re.search(rb"(?m)^:(version|name)\b", head) is not None
        and re.search(rb"(?m)^:(root|units)\b", head) is not None
    )


def is_acclaim_motion(head: bytes, tail: bytes, size: int) -> bool:
    """Acclaim AMC: its flags, then frame 1 and the root's numbers."""
    return re.search(rb"(?m)^:(FULLY-SPECIFIED|DEGREES)\s", head) is not None and b"root " in head


def is_pe(head: bytes, tail: bytes, size: int) -> bool:
    """A Windows program: the header that MZ points to is there."""
    at = _u32(head, 60)
    return 0 < at < len(head) - 4 and head[at : at + 4] == b"PE\0\0"


def is_avi(head: bytes, tail: bytes, size: int) -> bool:
    """A RIFF of the form AVI."""
    return head[8:12] == b"AVI " and head[12:16] == b"LIST"


def is_blend(head: bytes, tail: bytes, size: int) -> bool:
    """Blender: pointer size and byte order, or the newer header with its own length."""
    return re.match(rb"BLENDER([-_][vV]\d{3}|\d\d-\d\dv\d{4})", head) is not None


def is_lfs_pointer(head: bytes, tail: bytes, size: int) -> bool:
    """What Git leaves in place of a large file."""
    return size < 1024 and b"\noid sha256:" in head


def _known(
    label: str,
    mime: str,
    group: str,
    magic: bytes = b"",
    rule: str | None = None,
    *ext: str,
    text: bool = False,
) -> Signature:
    target = f"kinetoscope_magika.formats:{rule}" if rule else None
    return Signature(label, mime, group, magic, 0, target, text, ext or (label,))


_ZIP, _LFS = b"PK\x03\x04", b"version https://git-lfs.github.com/spec/"

FORMATS: tuple[Signature, ...] = (
    _known("npy", "application/octet-stream", "archive", b"\x93NUMPY", "is_npy"),
    _known("npz", "application/octet-stream", "archive", _ZIP, "is_npz"),
    _known("usdz", "model/vnd.usdz+zip", "scene", _ZIP, "is_usdz"),
    _known("glb", "model/gltf-binary", "animation", b"glTF", "is_glb", "glb", "vrm"),
    _known("fbx", "application/x-fbx", "animation", b"Kaydara FBX Binary  \0\x1a", "is_fbx_binary"),
    _known("usdc", "model/vnd.usd", "scene", b"PXR-USDC", "is_usdc", "usdc", "usd"),
    _known("exr", "image/x-exr", "image", b"\x76\x2f\x31\x01", "is_exr"),
    _known("abc", "application/x-alembic", "animation", b"Ogawa\xff\0\1"),
    _known("blend", "application/x-blender", "scene", b"BLENDER", "is_blend"),
    _known("pebin", "application/vnd.microsoft.portable-executable", "executable", b"MZ", "is_pe", "exe", "dll"),
    _known("avi", "video/x-msvideo", "video", b"RIFF", "is_avi"),
    _known("zstd", "application/zstd", "archive", b"\x28\xb5\x2f\xfd", "is_zstd", "zst", "zstd"),
    _known("safetensors", "application/octet-stream", "archive", b"", "is_safetensors"),
    _known("c3d", "application/x-c3d", "animation", b"", "is_c3d"),
    _known("usda", "model/vnd.usda", "scene", b"#usda 1.", None, "usda", "usd", text=True),
    _known("hdr", "image/vnd.radiance", "image", b"#?RADIANCE\n", "is_hdr"),
    _known("ply", "model/x-ply", "mesh", b"ply", "is_ply"),
    _known("git-lfs-pointer", "text/plain", "text", _LFS, "is_lfs_pointer", text=True),
    _known("fbx", "application/x-fbx", "animation", b"", "is_fbx_ascii", text=True),
    _known("gltf", "model/gltf+json", "animation", b"", "is_gltf", text=True),
    _known("acclaim-asf", "text/x-acclaim-asf", "animation", b"", "is_acclaim_skeleton", "asf", text=True),
    _known("acclaim-amc", "text/x-acclaim-amc", "animation", b"", "is_acclaim_motion", "amc", text=True),
    _known("obj", "model/obj", "mesh", b"", "is_obj", text=True),
)  # fmt: skip
"""Our own table, those with a magic first."""
