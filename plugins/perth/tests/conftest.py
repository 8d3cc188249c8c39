"""Speech that the tests synthesise: eSpeak NG where it is installed, babble everywhere."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import numpy as np
import pytest

from kinetoscope_spec import Audio

Say = Callable[[str, str], Audio]

RETRIEVAL, MONO_HZ = 2, 22050


@pytest.fixture(scope="session")
def say() -> Say:
    """Return what speaks a text in a voice of eSpeak NG: the tests' own few lines, not the plugin's."""
    loader = pytest.importorskip("espeakng_loader", reason="eSpeak NG is not installed")
    library = ctypes.CDLL(str(loader.get_library_path()))
    pieces: list[np.ndarray] = []

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
    def take(samples: object, count: int, _events: object) -> int:
        if samples and count > 0:
            pieces.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    assert library.espeak_Initialize(RETRIEVAL, 0, str(loader.get_data_path()).encode(), 0) == MONO_HZ
    library.espeak_SetSynthCallback(take)

    def speak(text: str, voice: str) -> Audio:
        pieces.clear()
        assert library.espeak_SetVoiceByName(voice.encode()) == 0, voice
        told = text.encode()
        library.espeak_Synth(told, ctypes.c_size_t(len(told) + 1), 0, 0, 0, 1, None, None)
        library.espeak_Synchronize()
        return Audio((np.concatenate(pieces) / 32768)[:, None], MONO_HZ)

    speak.callback = take  # type: ignore[attr-defined] # the library calls it for as long as it lives
    return speak
