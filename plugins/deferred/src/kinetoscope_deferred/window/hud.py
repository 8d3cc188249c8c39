"""What is written over the picture: the timeline, what was picked, the help."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from kinetoscope_deferred.window.player import BAR_PX, HELP, Player

__all__ = ["overlay", "words"]

_INK, _DIM, _BACK, _MARK = (235, 238, 245, 255), (150, 156, 168, 255), (14, 16, 20, 176), (255, 176, 64, 255)
_LINE_PX = 17
_FONT = ImageFont.load_default(13)


def words(player: Player, told: str) -> tuple[str, str]:
    """Return what stands on the bar to the left and to the right; `told` is the shell's own message."""
    clip = player.clips[player.focus]
    sign = ">" if player.playing else "||"
    left = f"{sign} {player.time:6.2f} / {player.end:.2f} s   frame {clip.frame(player.time)}   x{player.speed:g}"
    right = told or player.picked or f"{clip.name}   {player.views[player.focus].mode}   h: help"
    return left, right


def overlay(player: Player, told: str = "") -> NDArray[np.uint8]:
    """Return `uint8 [H, W, 4]`, premultiplied, top row first: as wide as the window, as high as what is on it."""
    width = player.size[0]
    lines = [*HELP.splitlines(), "", _passes(player)] if player.helping else []
    rows = len(lines) * _LINE_PX + (14 if lines else 0)
    image = Image.new("RGBA", (width, BAR_PX + rows), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    if lines:
        draw.rectangle((0, 0, width, rows), _BACK)
        for i, line in enumerate(lines):
            for cell, x in _cells(line):
                draw.text((12 + x, 6 + i * _LINE_PX), cell, _INK, font=_FONT)
    draw.rectangle((0, rows, width, rows + BAR_PX), _BACK)
    at = round((width - 1) * (player.time / player.end if player.end > 0 else 0.0))
    draw.rectangle((0, rows, at, rows + 3), _MARK)
    left, right = words(player, told)
    draw.text((12, rows + 8), left, _INK, font=_FONT)
    draw.text((width - 12 - draw.textlength(right, font=_FONT), rows + 8), right, _DIM, font=_FONT)
    rgba = np.asarray(image).astype(np.uint16)
    rgba[..., :3] = rgba[..., :3] * rgba[..., 3:] // 255
    return rgba.astype(np.uint8)


def _cells(line: str) -> list[tuple[str, int]]:
    """Return the columns of a line of the help, and how many pixels from the left each begins."""
    if line not in HELP:
        return [(line, 0)]
    return [(line[a:b].strip(), x) for a, b, x in ((0, 12, 0), (12, 35, 90), (35, 46, 260), (46, None, 350))]


def _passes(player: Player) -> str:
    return "   ".join(
        f"{i + 1} {name}{'' if name in player.on else ' (off)'}" for i, name in enumerate(player.passes[:9])
    )
