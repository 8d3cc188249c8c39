"""What reading one file may take: memory in proportion to its size, and warnings that stay few."""

from __future__ import annotations

from kinetoscope_glb._uri import Files
from kinetoscope_spec import FormatError

FEW_BYTES = 32 * 1024**2
"""Arrays and objects of so many bytes may be made from a file of any size."""

BYTES_PER_BYTE = 64
"""They may take so many bytes more for each byte of the file (and of the files it refers to)."""

COMPRESSED = 8
"""A file with compressed meshes (Draco, meshopt) may take so many times as much for each byte."""

NODE_BYTES, MATERIAL_BYTES, INSTANCE_BYTES, SCENE_BYTES = 512, 1024, 1536, 256
"""What one of these takes as an object, measured: `{}` in the JSON is enough to ask for one."""


class Budget:
    """Counts the bytes of what is made, so that a small file can't ask for much.

    `compressed` is set by whoever is about to unpack something.
    """

    def __init__(self, files: Files, size: int) -> None:
        self._files = files
        self._size = size
        self.taken = 0
        self.compressed = False

    @property
    def size(self) -> int:
        """Bytes of the file and of those it refers to, as far as they were read."""
        return self._size + self._files.size

    @property
    def most(self) -> int:
        """Bytes that may be taken in all."""
        return FEW_BYTES + BYTES_PER_BYTE * self.size * (COMPRESSED if self.compressed else 1)

    def take(self, count: int, what: str, advice: str = "") -> None:
        """Count `count` bytes more, for `what`.

        Raises:
            FormatError: that is more than a file of this size may ask for.
        """
        self.taken += count
        if self.taken > self.most:
            raise FormatError(
                f"{what} would take {count:,} bytes of memory, {self.taken:,} with what was read before",
                path=self._files.path,
                expected=f"at most {self.most:,} for a file of {self.size:,} bytes{advice}",
            )


class Warnings:
    """Collects warnings; of one kind the first few are kept and the rest counted."""

    KEPT = 3

    def __init__(self) -> None:
        self._found: dict[str, list[str]] = {}
        self._more: dict[str, int] = {}

    def add(self, kind: str, text: str) -> None:
        """Add one sentence; those of one `kind` say the same about different places."""
        found = self._found.setdefault(kind, [])
        if text in found:
            return
        if len(found) < self.KEPT:
            found.append(text)
        else:
            self._more[kind] = self._more.get(kind, 0) + 1

    def sentences(self) -> tuple[str, ...]:
        """Return what was collected, in order."""
        texts = []
        for kind, found in self._found.items():
            more = self._more.get(kind, 0)
            texts += [*found[:-1], f"{found[-1]} (and {more} more of this kind)" if more else found[-1]]
        return tuple(texts)
