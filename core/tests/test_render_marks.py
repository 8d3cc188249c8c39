"""`render --show` and `--split`: what is drawn beside figures, and several files in one picture."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from kinetoscope.cli import main
from kinetoscope.shot.marks import LEAST_NAME_PX, NAME_PX, fitting
from kinetoscope_spec.annotations import text_width


def clip(frames):
    """Return a post that goes a metre a second along x."""
    head = "HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\nCHANNELS 3 Xposition Yposition Zposition\nJOINT b\n{\nOFFSET 0 50 0\n"
    tail = f"CHANNELS 0\nEnd Site\n{{\nOFFSET 0 50 0\n}}\n}}\n}}\nMOTION\nFrames: {frames}\nFrame Time: 0.1\n"
    return head + tail + "".join(f"{10 * i} 0 0\n" for i in range(frames))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    (folder / "long.bvh").write_text(clip(20))
    (folder / "short.bvh").write_text(clip(8))
    return folder


def call(folder, names, out, *options):
    asked = ["--quality", "draft", "--provider", "deferred", "--framerate", "10", *options]
    return CliRunner().invoke(
        main, ["render", *(str(folder / name) for name in names), str(folder / out), *asked]
    )


@pytest.fixture
def render(folder):
    def run(*options, names=("long.bvh",), size="192x108"):
        done = call(folder, names, "out.png", "--size", size, *options)
        assert done.exit_code == 0, done.output
        return np.asarray(Image.open(folder / "out.png")).astype(int)

    return run


@pytest.mark.gl
def test_ways_lie_on_the_side_that_the_figure_comes_from_and_goes_to(render):
    plain = render("--frame", "10")
    columns = {
        kind: np.flatnonzero((np.abs(render("--frame", "10", "--show", *kind) - plain) > 20).any(axis=(0, 2)))
        for kind in (("past",), ("ahead",), ("past", "--span", "0.3"))
    }
    middle = plain.shape[1] / 2
    past, ahead, short = (np.sign(each.mean() - middle) for each in columns.values())
    assert past == short == -ahead != 0
    assert 2 < len(columns["past", "--span", "0.3"]) < len(columns["past",])


@pytest.mark.gl
def test_without_a_body_bones_are_seen(render):
    plain, bare, bones = (render(*options) for options in ((), ("--bare",), ("--bare", "--show", "bones")))
    assert (np.abs(plain - bare) > 20).any(axis=-1).sum() > 200
    seen = (np.abs(bones - bare) > 20).any(axis=-1)
    assert 20 < seen.sum() < 400
    assert (np.abs(np.flatnonzero(seen.any(axis=0)) - plain.shape[1] / 2) < 8).all()  # an upright line


@pytest.mark.gl
def test_files_side_by_side_are_the_pictures_of_each(render):
    both = render("--split", "--frame", "15", names=("long.bvh", "short.bvh"), size="193x108")
    first = render("--show", "name", "--frame", "15", size="97x108")
    waits = render("--show", "name", "--frame", "7", names=("short.bvh",), size="96x108")
    np.testing.assert_array_equal(both, np.concatenate([first, waits], axis=1))
    assert (render("--frame", "15", size="97x108") != first).any()


@pytest.mark.gl
def test_a_film_of_several_lasts_as_long_as_the_longest(folder):
    done = call(folder, ["short.bvh", "long.bvh"], "out.mp4", "--size", "96x64", "--split", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["frames"] == 20
    from kinetoscope import Host

    with Host() as host:
        film = host.provider("media").open(folder / "out.mp4")
        assert (film.width, film.height, film.frame_count) == (96, 64, 20)


@pytest.mark.parametrize(
    ("out", "options", "said"),
    [
        ("out.png", (), "2 files, expected one, or --split"),
        ("out.exr", ("--split",), "another suffix than .exr"),
        ("out.png", ("--split", "--size", "30x30"), "a --size of 16 or more for each"),
        ("out.png", ("--show", "shadow"), "'bones', 'axes'"),
    ],
)
def test_what_can_not_be_shown_is_said(folder, out, options, said):
    done = call(folder, ["long.bvh", "short.bvh"], out, *options)
    assert done.exit_code == 2
    assert said in " ".join(done.output.split())


@pytest.mark.parametrize("width", [32, 97, 240, 1280])
@pytest.mark.parametrize("name", ["a", "dataset-1_walk_old_001.bvh", "x" * 90])
def test_names_fit(name, width):
    text, pixels = fitting(name, width)
    assert text.replace("\n", "") == name
    assert text_width(text) * pixels <= width
    assert LEAST_NAME_PX <= pixels <= NAME_PX
    assert fitting("a.bvh", 1280) == ("a.bvh", NAME_PX)
