"""Letters as strokes: what debug drawing writes with, on any renderer and without a font file.

Drawn for this module, on a field of small whole numbers: capitals are six units high and stand on the line
at 2, small letters reach up to 6, tails down to 0.
"""

from __future__ import annotations

import unicodedata

import numpy as np

from kinetoscope_spec._arrays import Array

__all__ = ["CAPITAL", "LINE", "lettering"]

CAPITAL = 6.0
"""Units from the line that letters stand on to the top of capitals."""
LINE = 11.0
"""Units from one line to the next."""

_BASE = 2
_GAP = 2
"""Units between letters."""
_SPACE = 2
"""Width of a space."""

# Each stroke is a row of points, each point two digits, x and y: "022842,1434" goes from (0, 2) to (2, 8) to (4, 2).
_LETTERS = """
! 0804,0202                    " 0806,2826                 # 1218,3238,0444,0646
$ 473818070615354443321203,2921 % 0248,0818160608,3444423234 & 420607182837360403122244
' 0806                         ( 18060412                  ) 08161402
* 2824,0745,0547               + 0545,2723                 , 1301
- 0535                         . 0202                      / 0248
0 030718384743321203,1436      1 071812,0222               2 07183847460242
3 084826364543321203           4 32380444                  5 480806364543321203
6 4738180703123243443505       7 084812                    8 15060718384746351504031232434435
9 0312324347381807061545       : 0505,0202                 ; 1515,1301
< 370533                       = 0646,0444                 > 073503
? 07183847462524,2222          @ 46262444,4644536467581807031252
A 022842,1434                  B 02083847463505,3544433202 C 4738180703123243
D 02083847433202               E 48080242,0535             F 480802,0535
G 47381807031232434525         H 0208,4248,0545            I 0828,0222,1812
J 4843321203                   K 0208,4804,1542            L 080242
M 0208254842                   N 02084248                  O 030718384743321203
P 02083847463505               Q 030718384743321203,2442   R 02083847463505,2542
S 473818070615354443321203     T 0848,2822                 U 080312324348
V 082248                       W 0812375268                X 0248,0842
Y 082548,2522                  Z 08480242                  [ 18080212
\\ 0842                         ] 08181202                  ^ 062846
_ 0141                         ` 0817                      a 3632,3526160503122233
b 0802,0516263533221203        c 3526160503122233          d 3832,3526160503122233
e 04343526160503122233         f 38281712,0626             g 3631201001,3526160503122233
h 0802,0516263532              i 0602,0808                 j 161100,1818
k 0802,3603,1432               l 080312                    m 0602,05162522,25364542
n 0602,0516263532              o 051626353322120305        p 0600,0516263533221203
q 3630,3526160503122233        r 0602,051626               s 3616051424332202
t 18132232,0626                u 0603122233,3632           v 062246
w 0612253246                   x 0236,0632                 y 0622,4610
z 06360232                     { 28171605141322            | 0901
} 08171625141302               ~ 04152435
"""


def _strokes(code: str) -> Array:
    """Return the segments `[S, 2, 2]` of a letter, on its line; a dot is one without length."""
    found = []
    for stroke in code.split(","):
        points = np.array([[int(x), int(y) - _BASE] for x, y in zip(stroke[::2], stroke[1::2], strict=True)])
        found.append(np.stack([points[:-1], points[1:]], axis=1))
    return np.concatenate(found).astype(np.float64)


_KNOWN = dict(zip(_LETTERS.split()[::2], map(_strokes, _LETTERS.split()[1::2]), strict=True))
_UNKNOWN = _strokes("0208484202")
"""A box stands for what there is no letter for."""


def lettering(text: str) -> Array:
    """Return the strokes of `text`, `[S, 2, 2]` in units, from point to point.

    Lines are centred at x = 0, and the last one stands at y = 0. Letters with marks lose these, others than
    those of ASCII appear as boxes.
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    lines, found = plain.split("\n"), [np.zeros((0, 2, 2))]
    for number, line in enumerate(lines):
        strokes, width = _line(line)
        found.append(strokes + np.array([-0.5 * width, LINE * (len(lines) - 1 - number)]))
    return np.concatenate(found)


def _line(text: str) -> tuple[Array, float]:
    """Return the strokes of a line that begins at x = 0, and how wide it is."""
    found, x = [np.zeros((0, 2, 2))], 0.0
    for letter in text:
        if letter == " ":
            x += _SPACE + _GAP
            continue
        strokes = _KNOWN.get(letter, _UNKNOWN)
        found.append(strokes + np.array([x, 0.0]))
        x += float(strokes[..., 0].max()) + _GAP
    return np.concatenate(found), max(x - _GAP, 0.0)
