"""eSpeak NG by ctypes: one call in, samples and events out, nothing remembered in between.

The library keeps its state in globals, and the state that one text leaves behind changes the samples of
the next; initialising it again does not help. So every call gets the library freshly loaded, from a copy
of its file that no other thread uses meanwhile: some 7 ms with its dictionary, after which the same text
gives the same bytes, and threads speak side by side.
"""

from __future__ import annotations

import atexit
import ctypes
import locale
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec.errors import ProviderUnavailable

__all__ = ["RATE", "Event", "Loaded", "Spoken", "loaded"]

RATE: Final = 22_050
"""Samples per second of every voice (speak_lib.h: the value that `espeak_Initialize` returns)."""

# The names and numbers below are those of espeak-ng/speak_lib.h, version 1.52.
_RETRIEVAL, _BUFFER_MS = 1, 60
_PHONEME_EVENTS, _PHONEME_IPA, _DONT_EXIT = 0x1, 0x2, 0x8000
_UTF8, _SSML, _PHONEMES = 0x1, 0x10, 0x100
_LIST_TERMINATED, _WORD, _PHONEME = 0, 1, 7
_VOLUME = 2
_SEED = 1
_LONGEST_PATH = 120
"""The library keeps the path of its data in 160 bytes and adds names of files to it."""


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


@attrs.frozen
class Event:
    """Something at a sample: the beginning of a word or of a phoneme.

    Attributes:
        kind: `word` or `phoneme`.
        sample: where.
        place: of a word, where it stands in the text that was passed in, from 0.
        ipa: of a phoneme; empty for silence.
    """

    kind: str
    sample: int
    place: int = 0
    ipa: str = ""


@attrs.frozen(eq=False)
class Spoken:
    """What one call gave.

    Attributes:
        samples: float32 `[N]` in [-1, 1).
        events: in order.
    """

    samples: NDArray[np.float32]
    events: tuple[Event, ...]


class Loaded:
    """The library as it is after loading. Not for two threads at once."""

    def __init__(self, library: Any, data: Path) -> None:
        self._library = library
        self._chunks: list[NDArray[np.int16]] = []
        self._events: list[Event] = []
        self._failure: BaseException | None = None
        self._callback = _Callback(self._receive)  # kept: the library calls it as long as it is loaded
        library.espeak_Synth.argtypes = (
            ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_uint,
            ctypes.c_void_p, ctypes.c_void_p,
        )  # fmt: skip
        options = _PHONEME_EVENTS | _PHONEME_IPA | _DONT_EXIT
        rate = library.espeak_Initialize(_RETRIEVAL + 1, _BUFFER_MS, os.fsencode(data.parent), options)
        if rate != RATE:
            raise ProviderUnavailable(
                f"eSpeak NG did not start with the data in {data} (it returned {rate}, expected {RATE}); "
                "reinstall espeakng-loader"
            )
        # The noise of breathy voices is drawn by chance, which starts with the time of day.
        library.espeak_ng_SetRandSeed(ctypes.c_long(_SEED))
        library.espeak_SetSynthCallback(self._callback)

    def speak(self, ssml: str, voice: str, *, volume: int = 100, phonemes: bool = False) -> Spoken:
        """Speak `ssml` with the library's voice of that name (`en-us`, `en-us+f3`).

        `volume` is in per cent of the library's own; with `phonemes`, `[[...]]` holds its mnemonics.

        Raises:
            ProviderUnavailable: the library has no such voice or fails.
        """
        self._chunks, self._events, self._failure = [], [], None
        if status := self._library.espeak_SetVoiceByName(voice.encode()):
            raise ProviderUnavailable(f"eSpeak NG has no voice {voice!r} (status {status})")
        self._library.espeak_SetParameter(_VOLUME, volume, 0)
        flags = _UTF8 | _SSML | (_PHONEMES if phonemes else 0)
        held = ssml.encode() + b"\0"
        status = self._library.espeak_Synth(held, len(held), 0, 1, 0, flags, None, None)
        if self._failure is not None:
            raise self._failure
        if status:
            raise ProviderUnavailable(f"eSpeak NG failed (status {status}) at {ssml[:80]!r}")
        samples = np.concatenate(self._chunks) if self._chunks else np.zeros(0, np.int16)
        return Spoken(samples.astype(np.float32) / np.float32(32768), tuple(self._events))

    def _receive(self, samples: Any, count: int, events: Any) -> int:
        try:
            if count > 0 and samples:
                self._chunks.append(np.ctypeslib.as_array(samples, (count,)).copy())
            i = 0
            while events[i].type != _LIST_TERMINATED:
                self._note(events[i])
                i += 1
        except BaseException as error:  # noqa: BLE001 - no exception may cross the library's frames
            self._failure = error
            return 1
        return 0

    def _note(self, event: Any) -> None:
        if event.type == _WORD:
            self._events.append(Event("word", event.sample, event.text_position - 1))
        elif event.type == _PHONEME:
            # Eight bytes, without a zero at their end if all are used.
            raw = ctypes.string_at(ctypes.addressof(event.id), 8).split(b"\0")[0]
            self._events.append(Event("phoneme", event.sample, 0, raw.decode("utf-8", "ignore")))

    def close(self) -> None:
        """Free what the library holds."""
        self._library.espeak_Terminate()


_lock = threading.Lock()
_starting = threading.Lock()
_free: list[Path] = []


@lru_cache(maxsize=1)
def _home() -> tuple[Path, Path, Path]:
    """Return the library's file, its data, and a folder for copies that goes when the process does."""
    try:
        import espeakng_loader  # type: ignore[import-untyped] # it has no annotations
    except ImportError as error:
        raise ProviderUnavailable("espeakng-loader is not installed; pip install espeakng-loader") from error
    library, data = Path(espeakng_loader.get_library_path()), Path(espeakng_loader.get_data_path())
    if not library.is_file():
        raise ProviderUnavailable(f"espeakng-loader has no library for this system ({library} is missing)")
    folder = Path(tempfile.mkdtemp(prefix="kinetoscope-espeak-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if len(os.fsencode(data)) > _LONGEST_PATH and os.name == "posix":
        (folder / data.name).symlink_to(data)
        data = folder / data.name
    return library, data, folder


def _copy() -> Path:
    """Return a copy of the library's file that nobody has loaded."""
    library, _, folder = _home()
    with _lock:
        if _free and _free[-1].exists():
            return _free.pop()
        descriptor, name = tempfile.mkstemp(suffix=library.suffix, dir=folder)
    os.close(descriptor)
    shutil.copyfile(library, name)
    os.chmod(name, 0o700)
    return Path(name)


@contextmanager
def loaded() -> Iterator[Loaded]:
    """Yield the library, freshly loaded.

    Raises:
        ProviderUnavailable: it can't be loaded here; says why.
    """
    _, data, _ = _home()
    copy = _copy()
    try:
        library = ctypes.CDLL(str(copy))
    except OSError as error:
        raise ProviderUnavailable(f"eSpeak NG can't be loaded: {error}") from error
    try:
        with _starting, _locale_kept():
            held = Loaded(library, data)
        try:
            yield held
        finally:
            held.close()
    finally:
        _unload(library)
        if sys.platform != "darwin":  # there an unloaded library may stay, with its state
            with _lock:
                _free.append(copy)


def _unload(library: Any) -> None:
    import _ctypes

    unload = getattr(_ctypes, "dlclose", None) or _ctypes.FreeLibrary  # type: ignore[attr-defined]
    unload(library._handle)


@contextmanager
def _locale_kept() -> Iterator[None]:
    """Undo what the library does to the process: it sets the locale of characters when it starts."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        yield
    finally:
        if locale.setlocale(locale.LC_CTYPE) != before:
            locale.setlocale(locale.LC_CTYPE, before)
