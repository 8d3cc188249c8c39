"""The outline of an object in one picture: GrabCut (Rother, Kolmogorov and Blake 2004) from what is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from kinetoscope_propagate._membrane import spread
from kinetoscope_propagate._views import box_of
from kinetoscope_quadmask.hooks import Prompts

__all__ = ["contrast", "first_mask", "refined", "without"]

Array = NDArray[Any]

SMALL = 256
"""Pixels along the longer side of the pictures in which the extent of an object is looked for."""

EXTENTS = (0.03, 0.06, 0.11, 0.19, 0.32)
"""How far an object may reach beyond the places that were clicked on, of the longer side of the picture."""

CLICK = 1
"""Pixels around a click that are on the object (or not) for sure."""

CLEAR = 12.0
"""Of L*a*b* distance across an outline: as much leaves no doubt of it."""

DARKEST, PALEST, HUE = 0.25, 0.9, 12.0
"""A shadow leaves so much of the ground's light at least, at most, and its hue, up to so many levels of a* and b*."""

LEAST = 0.1
"""Of a mask: less is no shadow, and less is no object."""

MARGIN, BAND = 12, 0.06
"""Pixels around an object by which its surroundings are known; and the part of its size in which its outline may be off."""


def first_mask(picture: Array, prompts: Prompts) -> Array:
    """Return bool `[H, W]`: the object in a picture `uint8 [H, W, 3]` by the prompts on it.

    Masks are taken as they are, and points cut or add what lies by them. A box holds the object and is
    filled by it on the whole. Points alone leave open how far the object reaches: several extents are tried,
    and the one is taken whose outline is clearest and changes least with the extent.
    """
    shape = picture.shape[:2]
    inside, outside = (_places(prompts, shape, positive) for positive in (True, False))
    if prompts.masks:
        hinted = np.any([hint.mask > 0 for hint in prompts.masks], axis=0)
        return np.asarray((hinted | (inside > 0)) & (outside == 0))
    way = _by_boxes if prompts.boxes else _by_points
    made = without(picture, way(picture, prompts, inside, outside), prompts)
    return np.asarray((made | (inside > 0)) & (outside == 0))


def refined(picture: Array, prior: Array, *, iterations: int = 2, known: Array | None = None) -> Array:
    """Return a mask bool `[H, W]` near `prior` whose outline follows the picture's.

    What lies deep inside or far outside stays as it is. Where the result has little to do with `prior`, the
    colours don't tell the object from what is around it, and `prior` is returned. `known`, bool `[H, W]`,
    is what has a colour of the object's: nothing else is added to it.
    """
    if not prior.any() or prior.all():
        return prior
    size = float(np.sqrt(prior.sum()))
    band = int(np.clip(round(BAND * size), 2, 12))
    box = box_of(prior, band + MARGIN)
    near = prior[box].astype(np.uint8)
    trimap = np.where(near > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    trimap[_eroded(near, band) > 0] = cv2.GC_FGD
    trimap[_dilated(near, band) == 0] = cv2.GC_BGD
    if known is not None:
        trimap[(near == 0) & ~known[box]] = cv2.GC_BGD
    made = _cut(picture[box], trimap, iterations)
    if made is None:
        return prior
    both, either = float((made & prior[box]).sum()), float((made | prior[box]).sum())
    if both < 0.7 * either:
        return prior
    whole = np.zeros_like(prior)
    whole[box] = made
    return whole


def without(picture: Array, prior: Array, prompts: Prompts) -> Array:
    """Return the mask `prior`, bool `[H, W]`, without what clicks say is not on the object, nor what is like it."""
    outside = _places(prompts, prior.shape, positive=False)
    reach = max(CLICK, int(0.1 * np.sqrt(prior.sum())))
    around = prior & (_dilated(outside, reach) > 0)
    if not around.any():
        return np.asarray(prior & (outside == 0))
    trimap = np.where(prior, cv2.GC_PR_FGD, cv2.GC_BGD).astype(np.uint8)
    trimap[around] = cv2.GC_BGD
    box = box_of(prior, 0)
    made = _cut(picture[box], trimap[box], 3)
    whole = prior & ~around
    if made is not None:
        whole[box] &= _solid(made, None)
    return np.asarray(whole)


def contrast(picture: Array, mask: Array) -> float:
    """Return the mean L*a*b* distance between what is just inside an outline and outside, `CLEAR` at most; 0 without one."""
    if not mask.any():
        return 0.0
    box = box_of(mask, 6)
    near = mask[box].astype(np.uint8)
    edge = (_dilated(near, 1) > 0) & (near == 0)
    if not edge.any():
        return 0.0
    lab = cv2.cvtColor(np.ascontiguousarray(picture[box]), cv2.COLOR_RGB2LAB).astype(np.float32)
    means = []
    for held in (near, 1 - near):
        weight = held.astype(np.float32)
        total = cv2.blur(weight, (5, 5))
        means.append(cv2.blur(lab * weight[..., None], (5, 5)) / np.maximum(total, 1e-6)[..., None])
    apart = np.linalg.norm(means[0] - means[1], axis=2)[edge]
    return float(np.minimum(apart, CLEAR).mean())


def _by_boxes(picture: Array, prompts: Prompts, inside: Array, outside: Array) -> Array:
    trimap = np.full(picture.shape[:2], cv2.GC_BGD, np.uint8)
    for box in prompts.boxes:
        left, top = max(int(box.left), 0), max(int(box.top), 0)
        trimap[top : int(np.ceil(box.bottom)), left : int(np.ceil(box.right))] = cv2.GC_PR_FGD
    full = trimap == cv2.GC_PR_FGD
    trimap[inside > 0], trimap[outside > 0] = cv2.GC_FGD, cv2.GC_BGD
    area = box_of(full, max(MARGIN, int(0.25 * np.sqrt(full.sum()))))
    made = _cut(picture[area], trimap[area], 5)
    whole = np.zeros(full.shape, bool)
    if made is not None:
        whole[area] = _solid(made, None if not inside.any() else inside[area])
    # Colours that can't be told apart leave little or nothing of the box: the box itself is more than that.
    return whole if whole.sum() > 0.2 * full.sum() else full & (outside == 0)


def _by_points(picture: Array, prompts: Prompts, inside: Array, outside: Array) -> Array:
    scale = min(1.0, SMALL / max(picture.shape[:2]))
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    by, against = (
        (cv2.resize(held.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0).astype(np.uint8)
        for held in (inside, outside)
    )
    hull = _hull(by)
    found: list[Array] = []
    for extent in EXTENTS:
        made = _extended(small, hull, by, against, max(2.0, extent * max(size)))
        if made is not None and made.any():
            found.append(made)
    if not found:
        return np.asarray(inside > 0)
    best = found[int(np.argmax(_merits(small, found)))]
    prior = cv2.resize(best.astype(np.uint8), picture.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0
    made = refined(picture, np.asarray(prior), iterations=3) if scale < 1 else best
    return _unshaded(picture, made, inside)


def _unshaded(picture: Array, mask: Array, inside: Array) -> Array:
    """Return a mask without the shadow that the object throws beside it: the ground there with less light.

    A mask of which the clicks are as dark ground, too, or nearly all is, stays as it is.
    """
    box = box_of(mask, MARGIN) if mask.any() else None
    if box is None:
        return mask
    lab = cv2.cvtColor(np.ascontiguousarray(picture[box]), cv2.COLOR_RGB2LAB).astype(np.float32)
    near = mask[box]
    ground = spread(lab, _dilated(near.astype(np.uint8), 2) == 0)
    share = lab[..., 0] / np.maximum(ground[..., 0], 1)
    hue = np.abs(lab[..., 1:] - ground[..., 1:]).max(axis=2)
    dark = near & (share > DARKEST) & (share < PALEST) & (hue < HUE)
    dark = cv2.morphologyEx(dark.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    kept = near & (_dilated(dark, 1) == 0)
    clicked = inside[box] > 0
    if dark.sum() < LEAST * near.sum() or (clicked & near & ~kept).any() or kept.sum() < LEAST * near.sum():
        return mask
    whole = np.zeros_like(mask)
    # What the shadow's soft edge took of the object comes back.
    kept = _dilated(_solid(kept, clicked).astype(np.uint8), 1) > 0
    whole[box] = kept & near & (dark == 0)
    return whole


def _extended(picture: Array, hull: Array, by: Array, against: Array, reach: float) -> Array | None:
    """Return what is cut out where the object reaches about `reach` px beyond the hull of the clicks."""
    away = cv2.distanceTransform(1 - hull, cv2.DIST_L2, 5)
    trimap = np.full(hull.shape, cv2.GC_BGD, np.uint8)
    trimap[away <= 2.2 * reach] = cv2.GC_PR_BGD
    trimap[away <= reach] = cv2.GC_PR_FGD
    trimap[by > 0], trimap[against > 0] = cv2.GC_FGD, cv2.GC_BGD
    box = box_of(away <= 2.2 * reach, max(4, int(reach)))
    made = _cut(picture[box], trimap[box], 5)
    if made is None:
        return None
    whole = np.zeros(hull.shape, bool)
    whole[box] = _solid(made, by[box])
    return whole


def _merits(picture: Array, found: Sequence[Array]) -> list[float]:
    """Return how good outlines are: clear, and about the same for the extents next to theirs."""
    merits = []
    for i, mask in enumerate(found):
        alike = [_iou(mask, found[j]) for j in (i - 1, i + 1) if 0 <= j < len(found)]
        merits.append(contrast(picture, mask) * (0.5 + max(alike, default=0.5)))
    return merits


def _cut(picture: Array, trimap: Array, iterations: int) -> Array | None:
    """Return what GrabCut takes for the object, or None where one of the two has no pixel to learn from."""
    front = np.isin(trimap, (cv2.GC_FGD, cv2.GC_PR_FGD))
    if front.sum() < 8 or (~front).sum() < 8:
        return None
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    held = trimap.copy()
    cv2.grabCut(np.ascontiguousarray(picture), held, None, *models, iterations, cv2.GC_INIT_WITH_MASK)
    return np.asarray(np.isin(held, (cv2.GC_FGD, cv2.GC_PR_FGD)))


def _solid(mask: Array, by: Array | None) -> Array:
    """Return the pieces of a mask that hold a click (the largest where there is none), small holes filled."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count < 2:
        return mask
    kept = (
        np.unique(labels[by > 0])
        if by is not None
        else np.array([1 + np.argmax(stats[1:, cv2.CC_STAT_AREA])])
    )
    solid = np.isin(labels, kept[kept > 0])
    count, labels, stats, _ = cv2.connectedComponentsWithStats((~solid).astype(np.uint8), connectivity=4)
    tiny = 1 + np.flatnonzero(stats[1:, cv2.CC_STAT_AREA] < 0.02 * solid.sum())
    return np.asarray(solid | np.isin(labels, tiny))


def _places(prompts: Prompts, shape: tuple[int, ...], positive: bool) -> Array:
    """Return `uint8 [H, W]`, 1 around the clicks of a kind."""
    made = np.zeros(shape[:2], np.uint8)
    for point in prompts.points:
        if point.positive == positive:
            x, y = int(point.x), int(point.y)
            made[max(y - CLICK, 0) : y + CLICK + 1, max(x - CLICK, 0) : x + CLICK + 1] = 1
    return made


def _hull(by: Array) -> Array:
    made = np.zeros_like(by)
    places = cv2.findNonZero(by)
    if places is not None:
        cv2.fillConvexPoly(made, cv2.convexHull(places), 1)
    return made


def _iou(one: Array, other: Array) -> float:
    return float((one & other).sum() / max(1, (one | other).sum()))


def _dilated(mask: Array, by: int) -> Array:
    return np.asarray(cv2.dilate(mask, np.ones((2 * by + 1, 2 * by + 1), np.uint8)))


def _eroded(mask: Array, by: int) -> Array:
    # What leaves the picture goes on beyond its border: there is no outline there.
    return np.asarray(
        cv2.erode(mask, np.ones((2 * by + 1, 2 * by + 1), np.uint8), borderType=cv2.BORDER_REPLICATE)
    )
