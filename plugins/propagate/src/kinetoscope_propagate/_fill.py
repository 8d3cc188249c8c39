"""One frame's hole, filled from the frames around it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_propagate import _vote
from kinetoscope_propagate._guess import Guess
from kinetoscope_propagate._light import relit
from kinetoscope_propagate._rim import light_at, spread_over
from kinetoscope_propagate._shrink import BLOCK, doubt, shrunk
from kinetoscope_propagate._unseen import completed, wider
from kinetoscope_propagate._views import EDGE, Held, Sight, box_of, seen_from

__all__ = ["Filled", "filled", "preferred"]

Array = NDArray[Any]

RIM = 12
"""Pixels around a hole by which answers are judged and matched."""

MOST_VIEWS, ENOUGH, MORE = 24, 6, 6
"""Views of a hole, and of a pixel, after which no more are looked for; and those of a hole that are taken besides,
of what none of the others shows."""

SURE = 25.0
"""Levels by which the two answers have to differ for one of them to be taken alone."""

MOST_STILL, VIEW_BYTES = 60, 256 << 20
"""Views where the camera stands still, which cost no warping; and what views may take in memory, wherever the
camera is, unless that is less than `ENOUGH` of them."""

PART = 1 << 16
"""Pixels on which is voted at a time: a vote takes several times the memory of its views."""

NEAR = 12
"""Frames on either side that are all looked at; of those farther off, ever fewer."""


@attrs.frozen(eq=False)
class Filled:
    """A frame without its hole.

    Attributes:
        frame: `uint8 [H, W, C]`.
        hidden: pixels that were covered.
        guessed: of them, those that no frame shows.
    """

    frame: Array
    hidden: int
    guessed: int


def preferred(number: int, held: Iterable[int], *, still: bool) -> list[int]:
    """Return other frames in the order in which they are asked: near ones first, then ever fewer.

    All of them where the camera stands `still`: then each is as good as the next.
    """
    away = sorted(
        (other for other in held if other != number), key=lambda other: (abs(other - number), other)
    )
    if still:
        return away
    far, last = [], float(NEAR)
    for other in away:
        distance = abs(other - number)
        if distance <= NEAR or distance >= 1.25 * last or distance == last:
            far.append(other)
            last = max(last, float(distance))
    return far


def filled(target: Held, window: Sequence[Held], done: Held | None, guess: Guess) -> Filled:
    """Return the frame of `target` without its hole.

    Args:
        target: the frame.
        window: frames that may show what is hidden.
        done: a frame that has been filled before, whose guesses are carried on.
        guess: fills what no frame shows.
    """
    if not target.hole.any():
        return Filled(target.frame, 0, 0)
    sight = Sight(target, box_of(target.hole))
    box, hole = sight.box, sight.hole
    still = all(np.allclose(other.place, target.place, atol=1e-9) for other in window)
    # Right beside the hole something of the thing may still show: nothing is judged or matched there.
    rim = wider(hole, RIM) & ~wider(hole, EDGE)
    sight.wanted = wider(hole, RIM) if still else hole | rim
    pixels = np.flatnonzero(sight.wanted)
    inside = hole.ravel()[pixels]
    by_number = {held.number: held for held in window}
    others = [by_number[other] for other in preferred(target.number, by_number, still=still)]
    known = target.frame[box].reshape(-1, target.frame.shape[2])[pixels].astype(np.float32)
    most = max(ENOUGH, min(MOST_STILL if still else MOST_VIEWS + MORE, VIEW_BYTES // known.nbytes))
    colours, valid, when = _gathered(sight, others, pixels, inside, (most, most if still else ENOUGH))
    if still:
        answer = _plate(sight, pixels, (colours, valid, when), most, _noise(window))
        answer[~inside & ~rim.ravel()[pixels]] = np.nan
    else:
        answer = _answer(colours, valid, np.abs(when), known, inside, (hole.shape, pixels))
    unseen = np.asarray(np.isnan(answer).any(axis=1))
    guessed = int((unseen & inside).sum())
    answer = answer + light_at(answer, known, inside, unseen, (hole.shape, pixels))
    picture = target.frame[box].astype(np.float32)
    flat = picture.reshape(-1, known.shape[1])
    chosen = inside & ~unseen
    flat[pixels[chosen]] = answer[chosen]
    made = np.rint(picture).clip(0, 255).astype(np.uint8)
    if guessed:
        left = np.zeros(hole.size, bool)
        left[pixels[inside & unseen]] = True
        made = completed(made, left.reshape(hole.shape), sight, done, guess)
    frame = target.frame.copy()
    frame[box][hole] = made[hole]
    return Filled(frame, int(hole.sum()), guessed)


def _noise(window: Sequence[Held]) -> float:
    """Return the noise of frames, levels: their mean, so that it does not jump from frame to frame."""
    told = [held.noise for held in window if not np.isnan(held.noise)]
    return float(np.mean(told)) if told else 0.0


def _plate(sight: Sight, pixels: Array, views: tuple[Array, Array, Array], most: int, noise: float) -> Array:
    """Return the colours `[N, C]` of pixels before a camera that stands still; those in the hole without noise.

    What is noise there, all around says, too, as all frames know it, this one among them: so nothing of that
    changes from frame to frame. What the rim is asked for, the frame itself does not tell.
    """
    colours, valid, when = views
    answer = _voted(_vote.steady, colours, valid, when, noise)
    if noise == 0:
        return answer
    box, hole, size = sight.box, sight.hole, answer.shape[1]
    inside = hole.ravel()[pixels]
    near = wider(hole, BLOCK - 1).ravel()[pixels]  # what shares a block with something in the hole
    shows = near & (sight.target.shows[box].ravel()[pixels] == 255)
    plate, error = answer.copy(), doubt(colours, valid, answer, noise)
    if shows.any():
        # In place of the farthest view, where memory bounds them.
        colours, valid, when = (held[: most - 1] for held in (colours, valid, when))
        own = sight.picture.reshape(-1, size)[pixels[shows]].T.astype(np.float32)
        seen = np.pad(valid[:, shows], ((0, 1), (0, 0)), constant_values=True)
        every = np.concatenate([colours[..., shows], own[None]]), seen
        plate[shows] = _voted(_vote.steady, *every, np.append(when, 0), noise)
        error[shows] = doubt(*every, plate[shows], noise)
    picture, errors = np.full((2, hole.size, size), np.nan, np.float32)
    picture[pixels], errors[pixels] = plate, error
    shape = (*hole.shape, size)
    made = shrunk(picture.reshape(shape), errors.reshape(shape), hole, (box[0].start, box[1].start))
    answer[inside] = made[hole]
    return answer


def _gathered(
    sight: Sight, others: Sequence[Held], pixels: Array, inside: Array, bounds: tuple[int, int]
) -> tuple[Array, Array, Array]:
    """Return what views show at some pixels of the box: `[V, C, N]`, whether `[V, N]`, and frames after it `[V]`."""
    most, enough = bounds
    # Memory that is not written to is not taken.
    colours = np.empty((most, sight.picture.shape[2], len(pixels)), np.float32)
    valid = np.empty((most, len(pixels)), bool)
    when: list[int] = []
    count = np.zeros(int(inside.sum()), int)
    for other in others:
        views = len(when)
        if views == most or (len(count) and count.min() >= enough):
            break
        scarce = views >= MOST_VIEWS and enough < most
        if scarce and count.min(initial=1) > 0:
            break
        view = seen_from(sight, other)
        if view is None:
            continue
        picture, shown = view
        visible = shown.take(pixels)
        # Those near by may all hide the same: what is left of the places is for what lies beyond them.
        if scarce and not (visible[inside] & (count == 0)).any():
            continue
        seen = picture.reshape(-1, picture.shape[2]).take(pixels, axis=0)
        colours[views] = relit(seen, other.light, sight.target.light).T
        valid[views] = visible
        when.append(other.number - sight.target.number)
        count += valid[views][inside]
    if not when:
        return np.zeros_like(colours[:1]), np.zeros_like(valid[:1]), np.zeros(1, int)
    return colours[: len(when)], valid[: len(when)], np.array(when)


def _voted(vote: Callable[..., Array], colours: Array, valid: Array, *told: Any) -> Array:
    """Return what a vote says of all pixels, `PART` at a time: it hears each by itself."""
    parts = [slice(start, start + PART) for start in range(0, len(valid[0]), PART)]
    return np.concatenate([vote(colours[..., part], valid[:, part], *told) for part in parts])


def _answer(
    colours: Array,
    valid: Array,
    away: Array,
    known: Array,
    inside: Array,
    where: tuple[tuple[int, ...], Array],
) -> Array:
    """Return the colours `[N, C]` of all pixels: by the nearest views or by all, as either knows the rim."""
    first = np.where(valid.any(axis=0), away[valid.argmax(axis=0)], 0)[inside]
    gap = int(np.median(first)) if len(first) else 0
    # The rim is judged by views as far off as those that the hole has to do with.
    fair = valid & (inside | (away >= gap)[:, None])
    near, all_of_them = _voted(_vote.nearest, colours, fair), _voted(_vote.agreed, colours, fair)
    off = [_vote.apart(answer, known) for answer in (near, all_of_them)]
    told = ~inside & ~np.isnan(off[0]) & ~np.isnan(off[1])
    if not told.any():
        return near
    spread_off = [spread_over(np.where(told, held, 0)[:, None], told, where)[:, 0] for held in off]
    share = (spread_off[0] ** 2 + 1e-3) / (spread_off[0] ** 2 + spread_off[1] ** 2 + 2e-3)
    share = np.where(_vote.apart(near, all_of_them) > SURE, np.rint(share), share)
    return np.asarray(near * (1 - share[:, None]) + all_of_them * share[:, None])
