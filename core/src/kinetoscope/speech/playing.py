"""Playing speech with what the system has for that."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kinetoscope_spec.errors import ProviderUnavailable

if TYPE_CHECKING:
    from kinetoscope import Host
    from kinetoscope_spec import Audio

__all__ = ["play", "player"]

_PLAYERS: Final = (
    ("pw-play",),
    ("paplay",),
    ("aplay", "-q"),
    ("afplay",),
    ("ffplay", "-nodisp", "-autoexit", "-v", "quiet"),
)
"""PipeWire, PulseAudio, ALSA, macOS, FFmpeg: all of them play WAV."""


def player() -> tuple[str, ...]:
    """Return the words of a command that plays the WAV file named after them; on Windows none is needed.

    Raises:
        ProviderUnavailable: there is none.
    """
    if sys.platform == "win32":
        return ()
    found = next((words for words in _PLAYERS if shutil.which(words[0])), None)
    if found is None:
        names = ", ".join(words[0] for words in _PLAYERS)
        raise ProviderUnavailable(f"nothing here plays sound, expected one of {names}; leave out --play")
    return found


def play(host: Host, audio: Audio) -> None:
    """Play what a voice said, and wait until it is over.

    Raises:
        ProviderUnavailable: there is no player, or it fails: on a machine without loudspeakers, say.
        ValidationError: the sound is not marked.
    """
    words = player()
    with tempfile.TemporaryDirectory(prefix="kinetoscope-play-") as folder:
        path = Path(folder) / "speech.wav"
        host.write_audio(path, audio)
        if sys.platform == "win32":
            import winsound

            winsound.PlaySound(str(path), winsound.SND_FILENAME)
            return
        ran = subprocess.run([*words, str(path)], check=False, capture_output=True, text=True)
    if ran.returncode:
        said = ran.stderr.strip()[:200] or f"status {ran.returncode}"
        raise ProviderUnavailable(f"{words[0]} failed: {said}")
