"""What proves the provider `av`: the contract of its hook, told what each kind of film holds."""

from __future__ import annotations

from fractions import Fraction

from kinetoscope_av.contract import FilmKind, MediaContract
from kinetoscope_av.provider import AvMedia

__all__ = ["AvContract"]

AAC = (8000, 22050, 44100, 48000)
CENTISECONDS = (Fraction(10), Fraction(20), Fraction(25), Fraction(50))


class AvContract(MediaContract):
    """H.264, VP9 and 256 colours; Opus has one rate, GIF neither sound nor words."""

    provider = AvMedia
    name = "av"
    films = (
        FilmKind(".mp4", even=True, sound_rates=AAC),
        FilmKind(".mov", even=True, sound_rates=AAC),
        FilmKind(".mkv", even=True, sound_rates=AAC),
        FilmKind(".webm"),
        FilmKind(".gif", 26.0, rates=CENTISECONDS, sound_rates=(), keys=()),
    )
