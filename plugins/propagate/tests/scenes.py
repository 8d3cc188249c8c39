"""Films whose background is known: a thing moves over it, and what it hides is to be found."""

from __future__ import annotations

import warnings
from fractions import Fraction
from typing import Any

import attrs
import cv2
import numpy as np

Array = Any


@attrs.frozen(eq=False)
class Scene:
    """A film, what its mask covers, and the film without the thing: `uint8 [T, H, W, 3]`, bool `[T, H, W]`."""

    film: Array
    covered: Array
    truth: Array


KINDS = ("still", "pan", "hand", "parallax", "shadow", "exposure", "passers-by", "tripod", "cast")
"""`passers-by`: a locked camera, light that drifts, and somebody whom no mask covers goes the other way; `tripod`:
a camera that sways by fractions of a pixel; `cast`: a shadow that runs ahead, which the mask does not cover."""

HARD = ("parallax", "shadow", "cast")
"""Those in which the plainest plate is said to fail: near and far move against each other, or shadows are cast."""


def wall(random: np.random.Generator, shape: tuple[int, int]) -> Array:
    """Return a picture of blotches of several sizes and a few edges, `float32 [H, W, 3]`."""
    whole = np.zeros((*shape, 3), np.float32)
    for blur in (1.0, 3.0, 9.0, 27.0):
        octave = cv2.GaussianBlur(random.normal(size=(*shape, 3)).astype(np.float32), (0, 0), blur)
        whole += octave / octave.std()
    picture = 120 + 22 * whole
    for _ in range(shape[0] * shape[1] // 6000):
        at, size = random.integers(0, shape[::-1]), random.integers(6, 40, 2)
        colour = random.uniform(30, 220, 3)
        cv2.rectangle(picture, at.tolist(), (at + size).tolist(), colour.tolist(), -1)
    return picture


def scene(
    kind: str, seed: int, *, size: tuple[int, int] = (336, 192), frames: int = 32, noise: float = 1.5
) -> Scene:
    """Return a scene of a kind; `size` is (width, height)."""
    random = np.random.default_rng((KINDS.index(kind), seed))
    width, height = size
    far, near = (wall(random, (2 * height, 3 * width)) for _ in range(2))
    thing = wall(random, (height, width))
    radius = height // 6
    way = random.uniform(0.75, 0.95)
    film, covered, truth = [], [], []
    sway = random.uniform(0, 2 * np.pi, 3)
    for t in np.linspace(0, 1, frames):
        x, y, turn = 0.0, 0.0, 0.0
        if kind in ("pan", "parallax", "exposure"):
            x = 0.45 * width * t
        if kind == "hand":
            x, y = 6 * np.sin(5 * t + sway[0]), 4 * np.sin(7 * t + sway[1])
            turn = np.radians(1.5) * np.sin(4 * t + sway[2])
        if kind == "tripod":
            x, y = 0.4 * np.sin(17 * t + sway[0]), 0.3 * np.sin(23 * t + sway[1])
        how = cv2.INTER_CUBIC if kind == "tripod" else cv2.INTER_LINEAR
        behind = _shown(far, (width, height), x, y, turn, how)
        if kind == "parallax":
            ground = _shown(near, (width, height), 1.9 * x, y, turn)
            behind[int(0.6 * height) :] = ground[int(0.6 * height) :]
        if kind == "exposure":
            behind = behind * (0.85 + 0.3 * t)
        if kind == "passers-by":
            behind = behind * (0.95 + 0.1 * t)
            at = int(width * (1 - 1.1 * t)), int((0.3 + 0.2 * np.sin(9 * t)) * height)
            cv2.ellipse(behind, at, (height // 9, height // 5), 0, 0, 360, (40, 60, 190), -1)
        centre = (width * (0.05 + way * t), 0.5 * height + 0.1 * height * np.sin(6 * t))
        v, u = np.mgrid[:height, :width] + 0.5
        disc = (u - centre[0]) ** 2 + (v - centre[1]) ** 2 < radius**2
        with_it = behind.copy()
        hidden = disc
        if kind in ("shadow", "cast"):
            shade = ((u - centre[0] - radius) / (1.3 * radius)) ** 2 + (
                (v - centre[1] - radius) / (0.5 * radius)
            ) ** 2
            dark = 1 - 0.5 * np.clip(1.5 - shade, 0, 1)
            with_it *= dark[..., None]
            hidden = disc | (dark < 0.995) if kind == "shadow" else disc
        with_it[disc] = thing[disc]
        with_it += random.normal(scale=noise, size=with_it.shape)
        film.append(np.rint(with_it).clip(0, 255).astype(np.uint8))
        covered.append(cv2.dilate(hidden.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0)
        if kind == "cast":  # what is not covered stays as it is, shadow and all
            behind = np.where(covered[-1][..., None], behind, film[-1])
        truth.append(np.rint(behind).clip(0, 255).astype(np.uint8))
    return Scene(np.stack(film), np.stack(covered), np.stack(truth))


def _shown(
    picture: Array, size: tuple[int, int], x: float, y: float, turn: float, how: int = cv2.INTER_LINEAR
) -> Array:
    """Return what is seen of a wall from (x, y) beyond its middle, leaning by `turn` rad."""
    width, height = size
    cosine, sine = np.cos(turn), np.sin(turn)
    middle = np.array([0.9 * width + x, height + y])
    matrix = np.array([[cosine, -sine, 0], [sine, cosine, 0]])
    matrix[:, 2] = middle - matrix[:, :2] @ [width / 2, height / 2]
    flags = how | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(picture, matrix, size, flags=flags, borderMode=cv2.BORDER_REFLECT)


def scores(made: Array, scene: Scene) -> dict[str, float]:
    """Return PSNR, dB, and SSIM inside the hole, and flicker: how much the error changes from frame to frame, levels."""
    off = made.astype(np.float64) - scene.truth
    inside = off[scene.covered]
    both = scene.covered[1:] & scene.covered[:-1]
    alike = [ssim(*held)[hole] for *held, hole in zip(made, scene.truth, scene.covered, strict=True)]
    return {
        "psnr": float(10 * np.log10(255**2 / np.mean(inside**2))),
        "ssim": float(np.concatenate(alike).mean()),
        "flicker": float(np.abs(np.diff(off, axis=0)[both]).mean()),
    }


def ssim(one: Array, other: Array) -> Array:
    """Return the structural similarity `[H, W]` of two pictures in grey (Wang et al. 2004, deviation of 1.5 px)."""
    a, b = (cv2.cvtColor(held, cv2.COLOR_RGB2GRAY).astype(np.float64) for held in (one, other))

    def mean(held: Array) -> Array:
        return cv2.GaussianBlur(held, (11, 11), 1.5)

    middle, there = mean(a), mean(b)
    spread, that = mean(a * a) - middle**2, mean(b * b) - there**2
    common = mean(a * b) - middle * there
    light, detail = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    alike = (2 * middle * there + light) * (2 * common + detail)
    return np.asarray(alike / ((middle**2 + there**2 + light) * (spread + that + detail)))


# -- peers, as somebody would write them in an afternoon


def telea(scene: Scene) -> Array:
    return np.stack(
        [
            cv2.inpaint(f, m.astype(np.uint8), 5, cv2.INPAINT_TELEA)
            for f, m in zip(scene.film, scene.covered, strict=True)
        ]
    )


def navier_stokes(scene: Scene) -> Array:
    return np.stack(
        [
            cv2.inpaint(f, m.astype(np.uint8), 5, cv2.INPAINT_NS)
            for f, m in zip(scene.film, scene.covered, strict=True)
        ]
    )


def temporal_median(scene: Scene) -> Array:
    held = np.where(scene.covered[..., None], np.nan, scene.film)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of pixels that are always covered
        median = np.nan_to_num(np.nanmedian(held, axis=0), nan=128)
    return np.where(scene.covered[..., None], np.rint(median).astype(np.uint8), scene.film)


def five_nearest(scene: Scene) -> Array:
    """Return the median of the five nearest views of each pixel, aligned by homographies of whole frames."""
    film, covered = scene.film, scene.covered
    places = [np.eye(3)]
    for before, now, mask in zip(film, film[1:], covered[1:], strict=False):
        a, b = (cv2.cvtColor(held, cv2.COLOR_RGB2GRAY) for held in (now, before))
        free = 255 - 255 * cv2.dilate(mask.astype(np.uint8), np.ones((11, 11), np.uint8))
        corners = cv2.goodFeaturesToTrack(a, 600, 0.005, 5, mask=free)
        moved, found, _ = cv2.calcOpticalFlowPyrLK(a, b, corners, None)
        kept = found.ravel() == 1
        cv2.setRNGSeed(0)
        matrix, _ = cv2.findHomography(corners[kept], moved[kept], cv2.RANSAC, 1.0)
        places.append(places[-1] @ matrix)
    made = film.copy()
    size = film.shape[2], film.shape[1]
    flags = cv2.WARP_INVERSE_MAP
    for t in range(len(film)):
        views, shown = [], []
        for s in sorted((s for s in range(len(film)) if s != t), key=lambda s: abs(s - t)):
            matrix = np.linalg.inv(places[s]) @ places[t]
            views.append(
                cv2.warpPerspective(film[s], matrix, size, flags=flags | cv2.INTER_LINEAR)[covered[t]]
            )
            clear = 255 - 255 * cv2.dilate(covered[s].astype(np.uint8), np.ones((7, 7), np.uint8))
            shown.append(
                cv2.warpPerspective(clear, matrix, size, flags=flags | cv2.INTER_NEAREST)[covered[t]] == 255
            )
        valid = np.stack(shown)
        valid &= np.cumsum(valid, axis=0) <= 5
        held = np.where(valid[..., None], np.stack(views).astype(float), np.nan)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            answer = np.nanmedian(held, axis=0)
        left = np.zeros(covered[t].shape, np.uint8)
        left[covered[t]] = np.isnan(answer).any(axis=1)
        made[t][covered[t]] = np.rint(np.nan_to_num(answer)).astype(np.uint8)
        made[t] = cv2.inpaint(made[t], left, 5, cv2.INPAINT_TELEA)
    return made


def removelogo(scene: Scene) -> Array:
    """Return what ffmpeg's filter makes with all that is ever covered as the logo: it takes one picture."""
    import tempfile
    from pathlib import Path

    import av

    height, width = scene.film.shape[1:3]
    with tempfile.TemporaryDirectory() as folder:
        logo = Path(folder) / "logo.pgm"
        cv2.imwrite(str(logo), scene.covered.any(axis=0).astype(np.uint8) * 255)
        graph = av.filter.Graph()
        graph.threads = 1
        source = graph.add_buffer(width=width, height=height, format="yuv420p", time_base=Fraction(1, 25))
        graph.link_nodes(
            source, graph.add("removelogo", f"filename={logo}"), graph.add("buffersink")
        ).configure()
        made = []
        for number, picture in enumerate(scene.film):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            graph.push(frame)
            made.append(graph.pull().to_ndarray(format="rgb24"))
    return np.where(scene.covered[..., None], np.stack(made), scene.film)


PEERS = {
    "telea": telea,
    "navier-stokes": navier_stokes,
    "removelogo": removelogo,
    "temporal median": temporal_median,
    "five nearest": five_nearest,
}
