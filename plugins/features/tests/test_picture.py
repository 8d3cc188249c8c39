"""The picture of a clip shows what its features say."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kinetoscope_features.standing import FootContacts
from kinetoscope_spec.errors import ProviderUnavailable, ValidationError

pytest.importorskip("matplotlib", reason="the extra `plot` is not installed")
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def clip(walkers):
    return walkers.walk(speed=0.0, gait="stepping", frames=150, name="stepping_01")


def panels(clip):
    from kinetoscope_features.picture import drawn

    return {axes.get_label(): axes for axes in drawn(clip).axes}


def test_bars_are_the_contacts_runs(clip):
    shown = panels(clip)["contacts"].collections
    touching = FootContacts().compute(clip)
    for foot, bars in enumerate(shown):
        spans = np.array([path.get_extents().intervalx for path in bars.get_paths()])
        inside = (spans[:, :1] < np.arange(150) / 30) & (np.arange(150) / 30 < spans[:, 1:])
        np.testing.assert_array_equal(inside.any(axis=0), touching[:, foot].astype(bool))
    assert len(shown) == 2


def test_speeds_are_thick_where_a_foot_stands(clip):
    axes = panels(clip)["speeds"]
    thick = [line.get_ydata() for line in axes.lines if line.get_linewidth() > 2]
    np.testing.assert_array_equal(~np.isnan(np.transpose(thick)), FootContacts().compute(clip).astype(bool))
    assert "at 1 sigma" in axes.get_title(loc="left")


def test_arrows_point_along_the_way(walkers):
    """On the page too, whose x axis runs to the left."""
    from matplotlib.quiver import Quiver

    from kinetoscope_features.picture import drawn

    figure = drawn(walkers.walk(speed=1.2, turn_rate=0.5, frames=150, name="walk_01"))
    figure.draw_without_rendering()
    (arrows,) = (found for axes in figure.axes for found in axes.findobj(Quiver))
    way = arrows.get_offset_transform().transform(arrows.get_offsets())
    ahead = np.array([path.vertices.max(axis=0) + path.vertices.min(axis=0) for path in arrows.get_paths()])
    steps = np.diff(way, axis=0)
    assert (np.sum(ahead[:-1] * steps, axis=1) > 0).all()


@pytest.mark.parametrize("frames", [1, 2])
def test_the_shortest_clips_are_drawn_too(walkers, frames, tmp_path):
    from kinetoscope_features.picture import drawn

    drawn(walkers.walk(frames=frames)).savefig(tmp_path / "short.png", dpi=30)
    assert (tmp_path / "short.png").read_bytes().startswith(PNG)


def test_without_matplotlib_the_error_says_what_to_install(clip, monkeypatch):
    import sys

    from kinetoscope_features.picture import drawn

    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ProviderUnavailable, match=r"features\[plot\]"):
        drawn(clip)


def test_the_command_writes_a_picture_of_a_file(clip, tmp_path):
    kinetoscope = pytest.importorskip("kinetoscope", reason="the host reads the file")
    testing = pytest.importorskip("click.testing")
    from kinetoscope_features.plot import command
    from kinetoscope_spec import Asset

    with kinetoscope.Host() as host:
        path, out = tmp_path / "clip.bvh", tmp_path / "pictures" / "clip.png"
        host.writer("bvh").write(Asset(clip.name, clip.skeleton, (clip,)), path)
        arguments = ["plot", str(path), "--out", str(out), "--json"]
        said = testing.CliRunner().invoke(command, arguments, obj=host)
        assert said.exit_code == 0, said.output
        assert json.loads(said.stdout)["frames"] == 150
        assert out.read_bytes().startswith(PNG)
        assert [file.name for file in out.parent.iterdir()] == ["clip.png"]
        wrong = testing.CliRunner().invoke(command, [*arguments, "--index", "3"], obj=host)
        assert "no number 3" in str(wrong.exception)
        itself = testing.CliRunner().invoke(command, ["plot", str(path), "--out", str(path)], obj=host)
        assert "is the clip itself" in itself.output
        drawing = ["plot", str(path), "--out", str(tmp_path / "clip.svg")]
        assert "name it .png" in testing.CliRunner().invoke(command, drawing, obj=host).output
        assert path.stat().st_size


def test_a_skeleton_without_legs_is_refused(clip):
    from kinetoscope_features.picture import drawn
    from kinetoscope_spec import Motion, Skeleton

    stick = Skeleton(["a", "b"], [-1, 0], np.zeros((2, 3)))
    with pytest.raises(ValidationError, match="no joint with the role"):
        drawn(Motion(stick, np.zeros((3, 2, 3)), np.tile([0.0, 0, 0, 1], (3, 2, 1)), 30.0, name="stick"))


def test_a_training_set_is_drawn_with_its_counts_and_ranges(walkers, tmp_path):
    from kinetoscope_features.basic import JointPositions, RootTrajectory
    from kinetoscope_features.build import build
    from kinetoscope_features.labels import Labels
    from kinetoscope_features.recipe import recipe_of
    from kinetoscope_features.report import counted, drawn_set
    from kinetoscope_features.sources import Clips
    from kinetoscope_features.store import TrainingStore

    clips = [
        walkers.walk(speed=0.5 + 0.1 * i, frames=40, name=f"walk_{label}_{i:02}")
        for i, label in enumerate(["old", "old", "new", "new", "new", "new"])
    ]
    known = {"labels": Labels(), "joint-positions": JointPositions(), "root-trajectory": RootTrajectory()}
    said = {"mirror": True, "validation": 0.34, "inputs": [{"feature": "labels"}, {"feature": "root-trajectory"}],
            "outputs": [{"feature": "joint-positions", "offsets_s": [0.1, 0.2]}]}  # fmt: skip
    build(Clips(clips), tmp_path / "set", recipe_of(said), known.__getitem__)
    store = TrainingStore(tmp_path / "set")
    assert counted(store) == {"new": (3 * 34, 34), "old": (34, 34)}
    both = [
        store.windows(np.arange(len(store)), mirrored=np.full(len(store), side)) for side in (False, True)
    ]
    for side, held in zip(("inputs", "outputs"), zip(*both, strict=True), strict=True):
        rows = np.concatenate(held)
        low, high = store.ranges(side)
        # Of all frames that some window sees, at any of its times.
        assert (low <= rows.min(axis=0) + 1e-6).all()
        assert (high >= rows.max(axis=0) - 1e-6).all()
        assert low.min() >= rows.min() - 0.1
        np.testing.assert_array_equal(store.dead(side), rows.std(axis=0, dtype=np.float64) < 1e-4)
    figure = drawn_set(store)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[0] == "136 windows for training, 68 for validation"
    assert any(title.startswith("outputs: joint_position\n84 columns") for title in titles)
    bars = [patch.get_height() for patch in figure.axes[1].patches]
    assert sum(bars) == len(store) * 2


def test_a_picture_that_cannot_be_written_whole_is_not_there(clip, tmp_path, monkeypatch):
    from pathlib import Path

    from kinetoscope_features.picture import drawn, written

    def full(path, data):
        with path.open("wb") as file:
            file.write(data[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match=r"walk\.png"):
        written(drawn(clip), tmp_path / "walk.png")
    assert list(tmp_path.iterdir()) == []


def test_a_notebook_shows_it(clip):
    """As a cell's value, once the notebook shows figures in line."""
    shell = pytest.importorskip("IPython.core.interactiveshell", reason="IPython is not installed")
    tools = pytest.importorskip("IPython.core.pylabtools")
    from kinetoscope_features.picture import drawn

    held = shell.InteractiveShell()
    tools.select_figure_formats(held, {"png"})
    shown, _ = held.display_formatter.format(drawn(clip))
    assert shown["image/png"]
