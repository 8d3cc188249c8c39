"""What a URI in a glTF refers to: data in the URI itself, or a file beside the glTF and nowhere else."""

from __future__ import annotations

import base64
import binascii
import re
import stat
from pathlib import Path
from urllib.parse import unquote, unquote_to_bytes

from kinetoscope_spec import FormatError

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_DATA = re.compile(r"data:[^,]{0,200}?(;base64)?,", re.IGNORECASE)


class Missing(Exception):
    """The file that a URI refers to is not there."""


class Files:
    """Reads what URIs refer to, confined to the folder of the glTF at `path`.

    `size` adds up the bytes of the files read so far, which bound what may be made of them.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self.path = path
        self.max_bytes = max_bytes
        self.size = 0
        self._read: dict[Path, bytes] = {}

    def load(self, uri: str, where: str) -> bytes:
        """Return the bytes that `uri`, which stands at `where`, refers to.

        Raises:
            FormatError: it is no data URI that can be decoded and no file in the glTF's folder.
            Missing: there is no such file.
        """
        if uri[:5].lower() == "data:":
            return self._decoded(uri, where)
        return self._file(self._confined(uri, where), where)

    def _refuse(self, where: str, message: str, expected: str) -> FormatError:
        return FormatError(f"{where} {message}", path=self.path, expected=expected)

    def _decoded(self, uri: str, where: str) -> bytes:
        match = _DATA.match(uri)
        if match is None:
            raise self._refuse(where, f"is {uri[:60]!r}", "data:TYPE;base64,DATA")
        body = uri[match.end() :]
        if not match[1]:
            return unquote_to_bytes(body)
        try:
            return base64.b64decode(unquote(body) if "%" in body else body, validate=True)
        except (binascii.Error, ValueError) as error:
            raise self._refuse(where, f"holds data that is not base64: {error}", "base64") from None

    def _confined(self, uri: str, where: str) -> Path:
        name = unquote(uri)
        shown = f"is {uri[:100]!r}"
        if _SCHEME.match(name) or name.startswith(("/", "\\")) or "\0" in name:
            raise self._refuse(where, shown, "data, or the relative path of a file in the glTF's folder")
        folder = self.path.parent.resolve()
        try:
            found = (folder / name.replace("\\", "/")).resolve()
        except (OSError, RuntimeError):  # a loop of symbolic links
            raise self._refuse(where, shown, "a file in the glTF's folder") from None
        if folder not in found.parents:
            raise self._refuse(where, f"{shown}, which leaves the folder", "a file in the glTF's folder")
        return found

    def _file(self, found: Path, where: str) -> bytes:
        if found not in self._read:
            try:
                status = found.stat()
                if not stat.S_ISREG(status.st_mode):
                    raise self._refuse(where, f"refers to {found.name!r}", "a regular file")
                if status.st_size + self.size > self.max_bytes:
                    raise self._refuse(
                        where,
                        f"refers to {found.name!r} of {status.st_size:,} bytes",
                        f"at most max_bytes={self.max_bytes:,} in all",
                    )
                with found.open("rb") as file:
                    self._read[found] = file.read(status.st_size)
            except OSError as error:
                raise Missing(f"{found.name}: {error.strerror or error}") from None
            self.size += status.st_size
        return self._read[found]
