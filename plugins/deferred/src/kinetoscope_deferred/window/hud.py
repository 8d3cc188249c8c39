"""What is written over the picture: the timeline, what was picked, the help."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from kinetoscope_deferred.window.player import HELP, Player

__all__ = ["overlay", "words"]

_INK, _DIM, _BACK, _MARK = (235, 238, 245, 255), (150, 156, 168, 255), (14, 16, 20, 176), (255, 176, 64, 255)
_LINE_PX, _MARGIN_PX, _TEXT_PX = 17, 12, 13
"""In points, as all of the layout is."""


@lru_cache(maxsize=4)
def _font(pixels: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(pixels)


def words(player: Player, told: str) -> tuple[str, str]:
    """Return what stands on the bar to the left and to the right; `told` is the shell's own message."""
    clip = player.clips[player.focus]
    sign = ">" if player.playing else "||"
    left = f"{sign} {player.time:6.2f} / {player.end:.2f} s   frame {clip.frame(player.time)}   x{player.speed:g}"
    right = told or player.picked or f"{clip.name}   {player.views[player.focus].mode}   h: help"
    return left, right


def overlay(player: Player, told: str = "") -> NDArray[np.uint8]:
    """Return `uint8 [H, W, 4]`, premultiplied, top row first: as wide as the window, as high as what is on it."""
    width, scale, font = player.size[0], player.scale, _font(_TEXT_PX * player.scale)
    lines = [*HELP.splitlines(), "", _passes(player)] if player.helping else []
    rows = round((len(lines) * _LINE_PX + (14 if lines else 0)) * scale)
    image = Image.new("RGBA", (width, player.bar + rows), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    margin = _MARGIN_PX * scale
    if lines:
        draw.rectangle((0, 0, width, rows), _BACK)
        for i, line in enumerate(lines):
            for cell, x in _cells(line):
                draw.text((margin + x * scale, (6 + i * _LINE_PX) * scale), cell, _INK, font=font)
    draw.rectangle((0, rows, width, rows + player.bar), _BACK)
    at = round((width - 1) * (player.time / player.end if player.end > 0 else 0.0))
    draw.rectangle((0, rows, at, rows + round(3 * scale)), _MARK)
    left, right = words(player, told)
    draw.text((margin, rows + 8 * scale), left, _INK, font=font)
    beside = width - margin - draw.textlength(right, font=font)
    draw.text((beside, rows + 8 * scale), right, _DIM, font=font)
    rgba = np.asarray(image).astype(np.uint16)
    rgba[..., :3] = rgba[..., :3] * rgba[..., 3:] // 255
    return rgba.astype(np.uint8)


def _cells(line: str) -> list[tuple[str, int]]:
    """Return the columns of a line of the help, and how many points from the left each begins."""
    if line not in HELP:
        return [(line, 0)]
    return [(line[a:b].strip(), x) for a, b, x in ((0, 12, 0), (12, 35, 90), (35, 46, 260), (46, None, 350))]


def _passes(player: Player) -> str:
    return "   ".join(
        f"{i + 1} {name}{'' if name in player.on else ' (off)'}" for i, name in enumerate(player.passes[:9])
    )
