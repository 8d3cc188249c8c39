"""Uploads: read as they come, within bounds, each file straight into its place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any, BinaryIO, Final

import attrs
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from kinetoscope_serve.limits import Limits, Refused
from kinetoscope_serve.names import checked

__all__ = ["Form", "receive"]

MOST_FIELD_BYTES: Final = 1 << 16
MOST_FIELDS: Final = 16
MOST_HEADER_BYTES: Final = 4096


@attrs.define
class Form:
    """What a request brought.

    Attributes:
        fields: values by name.
        files: paths below the folder, by the name that was given, in the order in which they came.
    """

    fields: dict[str, str] = attrs.field(factory=dict)
    files: dict[str, Path] = attrs.field(factory=dict)


async def receive(request: Request, folder: Path, limits: Limits) -> Form:
    """Read a form (`multipart/form-data`) and write its files into `folder`.

    Raises:
        Refused: too large, too many, too slow, not a form, or a name that may not be.
    """
    kind, options = parse_options_header(request.headers.get("Content-Type", ""))
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise Refused(415, "expected a form, multipart/form-data with a boundary")
    declared = request.headers.get("Content-Length", "")
    if declared.isdigit() and int(declared) > limits.upload_bytes:
        raise Refused(
            413, f"the upload has {int(declared):,} bytes, at most {limits.upload_bytes:,} are taken"
        )
    taking = _Taking(folder, limits)
    try:
        parser = MultipartParser(options[b"boundary"], taking.callbacks())  # type: ignore[arg-type]
        async with asyncio.timeout(limits.upload_s), aclosing(_bounded(request, limits)) as stream:
            async for chunk in stream:
                await asyncio.to_thread(parser.write, chunk)
            parser.finalize()
        if not taking.ended:
            raise Refused(400, "the form ends before its last part does")
    except FormParserError as error:
        raise Refused(400, f"the form can't be read: {error}") from None
    except TimeoutError:
        raise Refused(408, f"the upload took longer than {limits.upload_s:g} s") from None
    except ClientDisconnect:
        raise Refused(400, "the upload was broken off") from None
    finally:
        taking.close()
    return taking.form


async def _bounded(request: Request, limits: Limits) -> AsyncGenerator[bytes, None]:
    """Yield the body until there is too much of it, whatever length it declared, or nothing comes."""
    taken = 0
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(limits.stall_s):
                chunk = await anext(stream, None)
        except TimeoutError:
            raise Refused(408, f"nothing of the upload came for {limits.stall_s:g} s") from None
        if chunk is None:
            return
        taken += len(chunk)
        if taken > limits.upload_bytes:
            raise Refused(413, f"the upload is larger than the {limits.upload_bytes:,} bytes that are taken")
        yield chunk


@attrs.define(eq=False)
class _Taking:
    """What the parser calls as parts come."""

    folder: Path
    limits: Limits
    form: Form = attrs.field(factory=Form)
    ended: bool = False
    _header: tuple[bytearray, bytearray] = attrs.field(factory=lambda: (bytearray(), bytearray()))
    _disposition: bytes = b""
    _field: str = ""
    _value: bytearray = attrs.field(factory=bytearray)
    _file: BinaryIO | None = None
    _fields: int = 0

    def callbacks(self) -> dict[str, Any]:
        """Return what `MultipartParser` wants."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._said(self._header[0], data[start:end]),
            "on_header_value": lambda data, start, end: self._said(self._header[1], data[start:end]),
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._all,
        }

    def close(self) -> None:
        """Close the file that was being written."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _begin(self) -> None:
        self._disposition = b""
        self._value = bytearray()

    def _said(self, held: bytearray, data: bytes) -> None:
        if len(held) + len(data) > MOST_HEADER_BYTES:
            raise Refused(431, "a part of the form has too long a header")
        held += data

    def _header_end(self) -> None:
        name, value = self._header
        if bytes(name).lower() == b"content-disposition":
            self._disposition = bytes(value)
        name.clear()
        value.clear()

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        if b"filename" not in options:
            self._fields += 1
            if self._fields > MOST_FIELDS:
                raise Refused(413, f"the form has more than {MOST_FIELDS} fields")
            self._field = _text(options.get(b"name", b""))
            return
        if len(self.form.files) >= self.limits.files:
            raise Refused(413, f"the upload has more than {self.limits.files} files")
        name = _text(options[b"filename"])
        path = checked(name)
        target = self.folder / path
        held = {str(other).casefold() for other in self.form.files}
        if str(path).casefold() in held:
            raise Refused(422, f"{name!r} was uploaded twice")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._file = target.open("xb")
        except (FileExistsError, NotADirectoryError):
            raise Refused(422, f"{name!r} is a file and a folder") from None
        self.form.files[str(path)] = target

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            self._file.write(data[start:end])
            return
        if len(self._value) + end - start > MOST_FIELD_BYTES:
            raise Refused(413, f"the field {self._field!r} is longer than {MOST_FIELD_BYTES:,} bytes")
        self._value += data[start:end]

    def _end(self) -> None:
        if self._file is not None:
            self.close()
        else:
            self.form.fields[self._field] = _text(bytes(self._value))

    def _all(self) -> None:
        self.ended = True


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Refused(422, "a name or field of the form is not UTF-8") from None
