"""The camera is that of the background, whatever else moves and however much there is to see on it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from kinetoscope_propagate._camera import Camera

HEIGHT, WIDTH, FRAMES = 180, 320, 16


def wall(random: np.random.Generator) -> np.ndarray:
    """Return a faint wall: blotches of a few grey levels, larger than the frame."""
    rough = random.uniform(110, 140, (HEIGHT // 6, WIDTH // 3)).astype(np.float32)
    return cv2.resize(rough, (2 * WIDTH, 2 * HEIGHT), interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("pan", [0.0, 2.5])
def test_a_thing_with_more_corners_that_passes_by_does_not_take_the_camera_along(
    pan: float, seed: int
) -> None:
    random = np.random.default_rng(seed)
    behind, thing = wall(random), random.integers(0, 255, (HEIGHT, WIDTH)).astype(np.float32)
    thing = cv2.GaussianBlur(thing, (0, 0), 1.5)
    camera = Camera()
    for t in range(FRAMES):
        window = np.array([[1.0, 0, 40 + pan * t], [0, 1, 40]])
        picture = cv2.warpAffine(
            behind, window, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        )
        edge = int(WIDTH - 13 * t)  # the thing comes in from the right, at last over two thirds of the frame
        if edge < WIDTH:
            picture[:, edge:] = thing[:, : WIDTH - edge]
        picture += random.normal(0, 0.7, picture.shape)
        grey = picture.clip(0, 255).astype(np.uint8)
        place = camera.follow(grey, np.zeros(grey.shape, bool), grey.shape)
        corners = np.array([[[0.0, 0], [WIDTH, 0], [0, HEIGHT], [WIDTH, HEIGHT]]])
        moved = cv2.perspectiveTransform(corners, place)[0] - corners[0]
        assert np.abs(moved - [pan * t, 0]).max() < (2.0 if pan else 1e-9), t
