"""The process in which eSpeak NG runs: requests come in on standard input, samples and events go out.

It is run as a script by an interpreter without site packages, and imports nothing but the standard
library. Where there is a fork, the library is loaded once and every session is a fork of that: it begins
with the same state, and may crash without taking more than itself. Elsewhere the library is loaded anew
for each session, and a crash ends this process; `_library` starts another one.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import struct
import sys
import tempfile
from contextlib import suppress
from typing import Any

# The names and numbers below are those of espeak-ng/speak_lib.h, version 1.52.
RATE = 22_050
_SYNCHRONOUS, _BUFFER_MS = 2, 60
_PHONEME_EVENTS, _PHONEME_IPA, _DONT_EXIT = 0x1, 0x2, 0x8000
_UTF8, _SSML, _PHONEMES = 0x1, 0x10, 0x100
_LIST_TERMINATED, _WORD, _PHONEME = 0, 1, 7
_VOLUME = 2
_SEED = 1
_LONGEST_PATH = 120
"""The library keeps the path of its data in 160 bytes and adds names of files to it."""

_LENGTHS = struct.Struct("<II")
"""Before each message: the bytes of its JSON and of the samples behind it."""


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class Library:
    """eSpeak NG as it is after loading."""

    def __init__(self, library: str, data: str) -> None:
        self._chunks: list[bytes] = []
        self._events: list[tuple[int, str | int]] = []
        self._callback = _Callback(self._receive)  # kept: the library calls it as long as it is loaded
        self._library: Any = ctypes.CDLL(library)
        self._library.espeak_Synth.argtypes = (
            ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_uint,
            ctypes.c_void_p, ctypes.c_void_p,
        )  # fmt: skip
        options = _PHONEME_EVENTS | _PHONEME_IPA | _DONT_EXIT
        folder = os.fsencode(os.path.dirname(data))
        self.rate = self._library.espeak_Initialize(_SYNCHRONOUS, _BUFFER_MS, folder, options)
        if self.rate == RATE:
            # The noise of breathy voices is drawn by chance, which starts with the time of day.
            self._library.espeak_ng_SetRandSeed(ctypes.c_long(_SEED))
            self._library.espeak_SetSynthCallback(self._callback)

    def answer(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Speak a request; return what there is to say of it, and the samples, 16 bits each."""
        self._chunks, self._events = [], []
        if status := self._library.espeak_SetVoiceByName(request["voice"].encode()):
            return {"status": status, "voice": False}, b""
        self._library.espeak_SetParameter(_VOLUME, request["volume"], 0)
        flags = _UTF8 | _SSML | (_PHONEMES if request["phonemes"] else 0)
        held = request["ssml"].encode() + b"\0"
        status = self._library.espeak_Synth(held, len(held), 0, 1, 0, flags, None, None)
        return {"status": status, "voice": True, "events": self._events}, b"".join(self._chunks)

    def _receive(self, samples: Any, count: int, events: Any) -> int:
        if count > 0 and samples:
            self._chunks.append(ctypes.string_at(samples, 2 * count))
        i = 0
        while events[i].type != _LIST_TERMINATED:
            event = events[i]
            if event.type == _WORD:
                self._events.append((event.sample, event.text_position - 1))
            elif event.type == _PHONEME:
                # Eight bytes, without a zero at their end if all are used.
                raw = ctypes.string_at(ctypes.addressof(event.id), 8).split(b"\0")[0]
                self._events.append((event.sample, raw.decode("utf-8", "ignore")))
            i += 1
        return 0

    def close(self) -> None:
        """Free what the library holds, and the library."""
        import _ctypes

        self._library.espeak_Terminate()
        unload = getattr(_ctypes, "dlclose", None) or _ctypes.FreeLibrary
        unload(self._library._handle)


def receive(source: int) -> tuple[dict[str, Any], bytes]:
    """Return the next message from a file descriptor, and the samples behind it.

    Raises:
        EOFError: there is no more.
    """
    lengths = _LENGTHS.unpack(_exactly(source, _LENGTHS.size))
    message: dict[str, Any] = json.loads(_exactly(source, lengths[0]))
    return message, _exactly(source, lengths[1])


def _exactly(source: int, count: int) -> bytes:
    pieces = []
    while count:
        piece = os.read(source, min(count, 1 << 20))
        if not piece:
            raise EOFError
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)


def write(target: int, message: dict[str, Any], samples: bytes = b"") -> None:
    """Send a message."""
    body = json.dumps(message, separators=(",", ":")).encode()
    view = memoryview(_LENGTHS.pack(len(body), len(samples)) + body + samples)
    while view:
        view = view[os.write(target, view) :]


def session(library: Library, first: dict[str, Any], source: int, target: int) -> None:
    """Answer requests until one says that it is the end."""
    request = first
    while "ssml" in request:
        write(target, *library.answer(request))
        request, _ = receive(source)


def _forked(library: Library, first: dict[str, Any], source: int, target: int) -> None:
    """Hold a session in a fork, and tell how it died if it did."""
    child = os.fork()
    if not child:
        status = 1
        try:
            _bounded(first["seconds"])
            session(library, first, source, target)
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    if status:
        write(target, {"died": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0})


def _bounded(seconds: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))


def main(path: str, data: str) -> None:
    """Hold sessions until nobody asks for more."""
    if hasattr(signal, "SIGINT"):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is for those who ask
    source, target = os.dup(0), os.dup(1)
    silent = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):  # what the library prints is no answer
        os.dup2(silent, standard)
    with tempfile.TemporaryDirectory(prefix="kinetoscope-espeak-") if _is_far(data) else _Nothing() as folder:
        if folder:
            shortened = os.path.join(folder, os.path.basename(data))
            os.symlink(data, shortened)
            data = shortened
        _serve(path, data, source, target)


def _is_far(data: str) -> bool:
    return os.name == "posix" and len(os.fsencode(data)) > _LONGEST_PATH


class _Nothing:
    def __enter__(self) -> str:
        return ""

    def __exit__(self, *_: object) -> None: ...


def _serve(path: str, data: str, source: int, target: int) -> None:
    try:
        library = Library(path, data)
    except OSError as error:
        write(target, {"failed": str(error)})
        return
    write(target, {"rate": library.rate})
    with suppress(EOFError):
        while True:
            request, _ = receive(source)
            if "ssml" not in request:
                continue
            if hasattr(os, "fork"):
                _forked(library, request, source, target)
                continue
            session(library, request, source, target)
            library.close()  # its state would be heard in the next session
            library = Library(path, data)


if __name__ == "__main__":
    main(*sys.argv[1:3])
