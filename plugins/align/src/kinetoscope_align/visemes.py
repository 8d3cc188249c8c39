"""Shapes of the mouth: the 15 visemes of Oculus, and the blend shapes of ARKit that make them.

Which sound has which shape follows its place and manner of articulation, so that any IPA has one; for
English sounds it is the table of Meta's reference for viseme blend shapes (sil, PP, FF, TH, DD, kk, CH,
SS, nn, RR, aa, E, ih, oh, ou).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kinetoscope_align._phones import pieces

__all__ = ["ARKIT", "JAW_OPEN", "VISEMES", "arkit_weights", "visemes_of"]

VISEMES: Final = ("sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "ih", "oh", "ou")
"""The visemes of Oculus, in their order."""

_SOUNDS: Final = {
    "PP": "pbmɓʙɸβ",
    "FF": "fvɱʋ",
    "TH": "θð",
    "DD": "tdʈɖɗ",
    "kk": "kɡgqɢŋɴxɣχʁɠcɟçʝħʕ",
    "CH": "ʃʒʂʐɕʑʧʤʨʥ",
    "SS": "sz",
    "nn": "nlɲɳɫɭʎɬɮʟ",
    "RR": "ɹrɾɻʀɽɚɝ",
    "aa": "aɑɒæɐʌɶ",
    "E": "eɛɜəɘɞ",
    "ih": "iɪɨjᵻ",
    "oh": "oɔɤɵœø",
    "ou": "uʊwʉɯyʏɥʍ",
}
_SHAPES: Final = {sound: viseme for viseme, sounds in _SOUNDS.items() for sound in sounds} | {
    "tʃ": "CH", "dʒ": "CH", "tɕ": "CH", "dʑ": "CH", "tʂ": "CH", "dʐ": "CH", "ts": "SS", "dz": "SS", "pf": "FF",
}  # fmt: skip
_SHAPELESS: Final = "hɦʔ"
"""What is made in the throat: the mouth stands as for what follows."""


def visemes_of(ipa: str) -> list[str]:
    """Return the visemes of a phoneme in IPA, two for a diphthong, none for one without a shape (h, ʔ)."""
    found: list[str] = []
    for piece in pieces(ipa):
        shapes = (
            [_SHAPES[piece]]
            if piece in _SHAPES
            else [_SHAPES.get(c, "") for c in piece if c not in _SHAPELESS]
        )
        found += [shape for shape in shapes if shape and (not found or found[-1] != shape)]
    return found


JAW_OPEN: Final = {
    "sil": 0.0, "PP": 0.0, "FF": 0.06, "TH": 0.14, "DD": 0.14, "kk": 0.2, "CH": 0.12, "SS": 0.06, "nn": 0.16,
    "RR": 0.18, "aa": 0.7, "E": 0.42, "ih": 0.26, "oh": 0.5, "ou": 0.24,
}  # fmt: skip
"""How far the jaw is open, 0 to 1: open, mid and close vowels, then consonants, closed for p, b, m."""

_PAIRED: Final = ("mouthStretch", "mouthSmile", "mouthLowerDown", "mouthUpperUp", "mouthPress", "mouthDimple")
_POSES: Final[Mapping[str, Mapping[str, float]]] = {
    "sil": {},
    "PP": {"mouthClose": 0.05, "mouthPress": 0.5, "mouthRollLower": 0.35, "mouthRollUpper": 0.3},
    "FF": {"mouthRollLower": 0.55, "mouthUpperUp": 0.35, "mouthShrugUpper": 0.15},
    "TH": {"tongueOut": 0.35, "mouthLowerDown": 0.2, "mouthUpperUp": 0.15},
    "DD": {"mouthLowerDown": 0.25, "mouthUpperUp": 0.15, "mouthStretch": 0.1},
    "kk": {"mouthLowerDown": 0.2, "mouthUpperUp": 0.15, "mouthStretch": 0.1},
    "CH": {"mouthFunnel": 0.6, "mouthPucker": 0.3, "mouthShrugUpper": 0.1},
    "SS": {"mouthStretch": 0.3, "mouthSmile": 0.2, "mouthLowerDown": 0.35, "mouthUpperUp": 0.2},
    "nn": {"mouthLowerDown": 0.25, "mouthUpperUp": 0.1, "mouthDimple": 0.1},
    "RR": {"mouthFunnel": 0.4, "mouthPucker": 0.2},
    "aa": {"mouthLowerDown": 0.35, "mouthUpperUp": 0.2},
    "E": {"mouthStretch": 0.3, "mouthSmile": 0.15, "mouthLowerDown": 0.3, "mouthUpperUp": 0.2},
    "ih": {"mouthSmile": 0.35, "mouthStretch": 0.3, "mouthLowerDown": 0.25, "mouthUpperUp": 0.15},
    "oh": {"mouthFunnel": 0.6, "mouthPucker": 0.15},
    "ou": {"mouthPucker": 0.75, "mouthFunnel": 0.35},
}
"""Without the jaw; pairs stand for left and right. Rounded, spread, pressed: what phonetics says of each."""


def _sides(name: str) -> tuple[str, ...]:
    return (f"{name}Left", f"{name}Right") if name in _PAIRED else (name,)


ARKIT: Final[Mapping[str, Mapping[str, float]]] = {
    viseme: {side: weight for name, weight in pose.items() for side in _sides(name)}
    | ({"jawOpen": JAW_OPEN[viseme]} if JAW_OPEN[viseme] else {})
    for viseme, pose in _POSES.items()
}
"""Weights, 0 to 1, of ARKit's blend shapes (`ARFaceAnchor.BlendShapeLocation`) by viseme."""


def arkit_weights(
    curves: Mapping[str, Sequence[float] | NDArray[np.float64]],
) -> dict[str, NDArray[np.float64]]:
    """Return curves of ARKit's blend shapes for curves of visemes, all `[T]`: linear, so in-betweens too."""
    names = dict.fromkeys(name for pose in ARKIT.values() for name in pose)
    size = len(next(iter(curves.values()), ()))
    found = {name: np.zeros(size) for name in names}
    for viseme, curve in curves.items():
        for name, weight in ARKIT.get(viseme, {}).items():
            found[name] = found[name] + weight * np.asarray(curve, np.float64)
    return found
