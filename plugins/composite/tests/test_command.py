"""`kinetoscope solve-camera` on a film on disk."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

import kinetoscope
from kinetoscope.cli import main
from kinetoscope_spec import Video


@pytest.fixture(scope="module")
def film(sphere, tmp_path_factory):
    path = tmp_path_factory.mktemp("plate") / "pan.mp4"
    turns = sphere.turns(np.stack([np.linspace(0, 12, 12), np.zeros(12), np.zeros(12)], axis=1))
    with kinetoscope.Host() as host:
        host.provider("media").write(path, sphere.filmed(turns, np.radians(45)))
    return path


def run(*words, status=0):
    done = CliRunner().invoke(main, ["solve-camera", *map(str, words), "--json"])
    assert done.exit_code == status, done.output
    return json.loads(done.stdout) if status < 2 else done.output


def test_a_film_tells_how_its_camera_turned(film, tmp_path) -> None:
    out = tmp_path / "camera.json"
    data = run(film, out, "--field-of-view", 45, "--height", 2, "--pitch", 10)
    assert (data["frames"], data["still"], data["measured"], data["parallax"]) == (12, False, False, False)
    cameras = json.loads(out.read_text())["cameras"]
    assert len(cameras) == 12
    assert cameras[0]["position"] == [0, 2, 0]
    ways = np.array(
        [np.subtract(camera["target"], camera["position"]) for camera in (cameras[0], cameras[-1])]
    )
    assert np.degrees(np.arcsin(-ways[0, 1])) == pytest.approx(10, abs=1e-4)
    assert np.degrees(np.arccos(ways[0] @ ways[1])) == pytest.approx(12, abs=0.3)


def test_a_mask_over_everything_is_said(film, tmp_path) -> None:
    path = tmp_path / "mask.mkv"
    with kinetoscope.Host() as host:
        host.provider("media").write(path, Video.from_frames(np.full((12, 180, 320, 3), 255, np.uint8), 25))
    data = run(film, tmp_path / "out.json", "--mask", path, status=1)
    assert "the mask covers it" in data["error"]["message"]
    assert not (tmp_path / "out.json").exists()


def test_what_is_read_is_not_written_over(film) -> None:
    before = film.read_bytes()
    assert "name another file" in run(film, film, status=2)
    assert film.read_bytes() == before
