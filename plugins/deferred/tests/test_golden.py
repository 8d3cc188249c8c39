"""Pictures as they were when somebody had looked at them: the last line, behind laws and oracles.

What is a different picture was measured between drivers: on processors, pictures of one scene are within
45 dB of each other and at most two pixels in a hundred are off by more than three levels, where bodies
have no outline; graphics cards round in other places.
"""

from __future__ import annotations

import os
import subprocess
import sys

import golden_pictures
import numpy as np
import pytest
from golden_pictures import FOLDER, SCENES
from PIL import Image

from kinetoscope_deferred.devices import is_software
from kinetoscope_spec import ProviderUnavailable

pytestmark = pytest.mark.gl
LEAST_DB = {True: 45.0, False: 35.0}
"""On a processor, and on a graphics card."""
MOST_OFF = {True: 0.02, False: 0.1}


@pytest.fixture(scope="module")
def frames():
    """Frames by scene, each with its driver."""
    try:
        return {name: golden_pictures.drawn(name) for name in SCENES}
    except ProviderUnavailable as error:
        pytest.skip(f"no OpenGL driver: {error}")


def inside(ids):
    """Return where no neighbour is of another body."""
    edge = np.zeros(ids.shape, bool)
    for axis in (0, 1):
        step = np.diff(ids.astype(int), axis=axis) != 0
        for side in ((1, 0), (0, 1)):
            edge |= np.pad(step, [side if a == axis else (0, 0) for a in (0, 1)])
    return ~edge


def golden(name, folder=FOLDER):
    return np.asarray(Image.open(folder / f"{name}.png").convert("RGB"), float)


def compare(name, picture, ids, software=True):
    off = np.abs(picture[..., :3].astype(float) - golden(name))[inside(ids)]
    decibels = 20 * np.log10(255 / max(np.sqrt(np.mean(off**2)), 1e-9))
    share = np.mean(off.max(axis=-1) > 3)
    assert decibels >= LEAST_DB[software], f"{name}: {decibels:.1f} dB; `make golden` draws it anew"
    assert share <= MOST_OFF[software], f"{name}: {share:.1%} of the pixels; `make golden` draws it anew"


@pytest.mark.parametrize("name", SCENES)
def test_a_scene_looks_as_it_did(frames, name):
    frame, driver = frames[name]
    compare(name, frame.color, frame.buffers["id"], is_software(driver))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="softpipe is chosen by a variable of Mesa's")
def test_another_driver_draws_the_same(frames, tmp_path):
    """Softpipe, which shares no code generator with llvmpipe and comes with it."""
    if not is_software(next(iter(frames.values()))[1]):
        pytest.skip("a graphics card draws here")
    done = subprocess.run(
        [sys.executable, golden_pictures.__file__, str(tmp_path)],
        env=os.environ | {"GALLIUM_DRIVER": "softpipe"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "softpipe" in done.stdout
    for name, (frame, _) in frames.items():
        compare(name, golden(name, tmp_path), frame.buffers["id"])


@pytest.mark.parametrize("change", ["darker", "shifted", "plain"])
def test_a_picture_that_is_not_the_same_is_noticed(change):
    """The bounds see light that is a twentieth too dim, a picture a pixel off, and a thing that is missing."""
    picture, ids = golden("still-life"), np.zeros((90, 160), int)
    changed = picture.copy()
    if change == "darker":
        changed *= 0.95
    elif change == "shifted":
        changed = np.roll(picture, 1, axis=1)
    else:
        changed[35:62, 40:66] = picture[30, 20]
    with pytest.raises(AssertionError, match="make golden"):
        compare("still-life", changed, ids)
