"""`render --ghosts`: past and future poses in films and pictures, and skinning that the command chooses."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from kinetoscope.cli import main

FRAMES = 20
CLIP = (
    "HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\nCHANNELS 3 Xposition Yposition Zposition\nJOINT b\n{\nOFFSET 0 50 0\n"
    f"CHANNELS 0\nEnd Site\n{{\nOFFSET 0 50 0\n}}\n}}\n}}\nMOTION\nFrames: {FRAMES}\nFrame Time: 0.1\n"
) + "".join(f"{10 * i} 50 0\n" for i in range(FRAMES))
"""A post that goes a metre a second along x."""


@pytest.fixture
def render(tmp_path):
    clip = tmp_path / "clip.bvh"
    clip.write_text(CLIP)

    def run(*options):
        out = tmp_path / "out.png"
        asked = ["--size", "192x108", "--quality", "draft", "--provider", "deferred", "--framerate", "10"]
        done = CliRunner().invoke(main, ["render", str(clip), str(out), *asked, *options])
        assert done.exit_code == 0, done.output
        return np.asarray(Image.open(out)).astype(int)

    return run


@pytest.mark.gl
def test_ghosts_stand_on_the_side_that_the_figure_comes_from(render):
    plain = render("--frame", "10")
    past = render("--frame", "10", "--ghosts", "2", "--ghost-spacing", "0.4")
    ahead = render("--frame", "10", "--ghosts-ahead", "2", "--ghost-spacing", "0.4")
    changed = [np.flatnonzero((np.abs(p - plain) > 4).any(axis=-1).any(axis=0)) for p in (past, ahead)]
    middle = plain.shape[1] / 2  # the camera follows the figure, from in front: +x is to the left
    sides = [np.sign(columns.mean() - middle) for columns in changed]
    assert min(len(columns) for columns in changed) > 5
    assert sides[0] == -sides[1] != 0
    np.testing.assert_array_equal(render("--frame", "10", "--ghosts", "0"), plain)


@pytest.mark.gl
def test_the_first_frame_has_no_past(render):
    plain = render("--frame", "0")
    np.testing.assert_array_equal(render("--frame", "0", "--ghosts", "3"), plain)
    assert (render("--frame", "0", "--ghosts-ahead", "1", "--ghost-spacing", "0.5") != plain).any()


@pytest.mark.gl
def test_a_picture_is_the_frame_of_the_film_that_looks_back(render, tmp_path, monkeypatch):
    """With `taa` a frame depends on those before; one that is drawn by itself is drawn after them."""
    from kinetoscope.shot import film

    films, frames = [], film.frames

    def whole(*given, start, stop, **options):
        films.extend(frames(*given, **options))
        return frames(*given, start=start, stop=stop, **options)

    monkeypatch.setattr(film, "frames", whole)
    mixed = render("--frame", "9", "--pass", "taa")
    np.testing.assert_array_equal(mixed, films[9].color[..., :3])
    assert films[9].work["taa.frames_before"] == 9
    monkeypatch.undo()
    assert (mixed != render("--frame", "9")).any()


def test_skinning_is_one_of_two(tmp_path):
    done = CliRunner().invoke(main, ["render", "a.bvh", "b.png", "--skinning", "cubic"])
    assert done.exit_code == 2
    assert "'linear', 'dual-quaternion'" in done.output
