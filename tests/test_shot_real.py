"""A shot of real things: a filmed plate, a published character, recorded walks, two languages.

The plate is a window that pans over a film whose camera stood still, so what is behind the ball, and how
far the picture moved between two frames, is known without any of our code.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from scipy.ndimage import binary_dilation, binary_opening

from kinetoscope import Host
from kinetoscope.shot.run import Film, shoot
from kinetoscope_spec import Video

DATA = Path(os.environ.get("KINETOSCOPE_DATA", ""))
BALL = DATA / "video" / "moving_ball"
WALKS = DATA / "bvh" / "bandai-namco-1"
GENO = DATA / "characters" / "geno.glb"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.gl,
    pytest.mark.realdata,
    pytest.mark.skipif(
        not all(path.exists() for path in (BALL, WALKS, GENO)),
        reason="KINETOSCOPE_DATA is not set, or has no moving ball, no walks or no Geno",
    ),
]

WHOLE, WINDOW = (640, 360), (320, 180)
FRAMES, PAN_PX = 14, 3
GONE = 39
"""A frame in which the ball has left what the window shows."""
CORNER = (60, 60)
"""Left and top of the window in the first frame, px of the whole picture."""

SHOT = """\
[performer]
mocap = ["{walks}/dataset-1_walk_normal_001.bvh", "{walks}/dataset-1_walk_normal_002.bvh"]
path = [[0.5, 12.0], [-1.5, 12.0]]
speed = 1.2
seconds = 0.5
model = "motion-matching"
character = "{geno}"
[plate]
video = "plate.mp4"
[plate.remove]
mask = "ball.mp4"
[voice]
script = "words.txt"
[camera]
height = 6.0
pitch = 26.5
field_of_view = 20.6
[light]
azimuth = 270
[output]
file = "real.mp4"
quality = "draft"
"""


def corner(frame: int) -> tuple[int, int]:
    return CORNER[0] + PAN_PX * frame, CORNER[1]


def read(path: Path, stop: int) -> list[np.ndarray]:
    found = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            small = frame.reformat(*WHOLE, format="rgb24", interpolation="AREA")
            found.append(small.to_ndarray())
            if len(found) == stop:
                break
    return found


def panned(pictures: list[np.ndarray]) -> np.ndarray:
    """The window over each picture, panning."""
    width, height = WINDOW
    windows = [(picture, *corner(i)) for i, picture in enumerate(pictures)]
    return np.stack([picture[y : y + height, x : x + width] for picture, x, y in windows])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KINETOSCOPE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def given() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The plate, where the ball is, and the plate as it looks once the ball has rolled away."""
    film = read(BALL / "input_video.mp4", GONE + 1)
    off = [np.abs(picture.astype(int) - film[GONE]).max(axis=-1) > 20 for picture in film[:FRAMES]]
    ball = [binary_dilation(binary_opening(seen), iterations=6) for seen in off]
    masks = [(255 * seen).astype(np.uint8)[..., None].repeat(3, 2) for seen in ball]
    return panned(film[:FRAMES]), panned(masks), panned([film[GONE]] * FRAMES)


@pytest.fixture(scope="module")
def film(
    tmp_path_factory: pytest.TempPathFactory, home: Path, given: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> Film:
    folder = tmp_path_factory.mktemp("real")
    plate, mask, _ = given
    (folder / "words.txt").write_text("@language en-GB\n\nHello.\n(de): Und weiter!\n", encoding="utf-8")
    (folder / "shot.toml").write_text(SHOT.format(walks=WALKS, geno=GENO), encoding="utf-8")
    with Host() as host:
        media = host.provider("media")
        for name, pictures in (("plate", plate), ("ball", mask)):
            video = Video(*WINDOW, Fraction(12), lambda a, b, held=pictures: iter(held[a:b]), FRAMES)
            media.write(folder / f"{name}.mp4", video, quality="high")
        return shoot(host, folder / "shot.toml")


@pytest.fixture(scope="module")
def shown(film: Film) -> np.ndarray:
    with av.open(str(film.film)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def performer(shown: np.ndarray, clean: np.ndarray) -> np.ndarray:
    """Where the film is brighter than the empty plate: Geno is white, his shadow dark."""
    return (shown.astype(int) - clean).min(axis=-1) > 35


def test_every_stage_had_a_provider(film: Film) -> None:
    done = {stage["name"]: stage["provider"] for stage in film.stages}
    assert done["retarget"] == "anatomic"
    assert {"inpaint", "camera", "speak", "lipsync", "composite"} <= set(done)


def test_the_ball_is_gone(shown: np.ndarray, given: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    plate, mask, clean = given
    ball = (mask[..., 0] > 128) & ~performer(shown, clean)
    was, now = (np.abs(picture.astype(int) - clean)[ball].mean() for picture in (plate, shown))
    assert was > 25
    assert now < 0.4 * was


def test_who_stands_on_the_ground_moves_with_it(
    shown: np.ndarray, given: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> None:
    """After half a second the performer stands: then the figure goes as far as the table does, frame by frame."""
    seen = performer(shown, given[2])
    share = seen.mean(axis=(1, 2))
    assert ((share > 0.002) & (share < 0.1)).all()
    places = np.array([np.argwhere(frame).mean(axis=0)[::-1] for frame in seen[8:]])
    moved = np.diff(places, axis=0)
    assert abs(moved[:, 0].mean() + PAN_PX) < 0.3
    assert np.abs(moved[:, 1]).mean() < 0.4


def test_it_is_heard(film: Film) -> None:
    with av.open(str(film.film)) as container:
        sound = np.concatenate([frame.to_ndarray().ravel() for frame in container.decode(audio=0)])
    assert np.sqrt(np.mean(sound**2)) > 0.01
