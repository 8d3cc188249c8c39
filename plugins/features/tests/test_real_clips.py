"""On real mocap: feet in contact stand still, they take turns, and the command makes a training set."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from kinetoscope_features.body import Body
from kinetoscope_features.standing import FootContacts, FootPhase
from kinetoscope_features.store import TrainingStore
from kinetoscope_spec import kinematics

DATA = os.environ.get("KINETOSCOPE_DATA")
pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(DATA is None, reason="KINETOSCOPE_DATA is not set"),
]


@pytest.fixture(scope="module")
def host():
    kinetoscope = pytest.importorskip("kinetoscope", reason="the host reads the BVH files")
    with kinetoscope.Host() as held:
        yield held


@pytest.fixture(scope="module")
def clips(host):
    """All clips of Bandai Namco's first set, by what is done in them."""
    found = {}
    for path in sorted((Path(DATA) / "bvh" / "bandai-namco-1").glob("dataset-1_*.bvh")):
        found.setdefault(path.stem.split("_")[1], []).append(host.open(path).motions[0])
    assert found
    return found


def speeds_in_contact(clips):
    """Return the speeds, m/s, of all feet in all frames in which they are said to stand."""
    found = []
    for clip in clips:
        touching = FootContacts().compute(clip).astype(bool)
        feet = Body.of(clip.skeleton).foot_positions(np.asarray(clip.global_transforms()[0], np.float64))
        speed = np.linalg.norm(kinematics.velocities(feet, clip.framerate), axis=-1)
        found.append(speed[touching])
    return np.concatenate(found)


def turns_taken(clips):
    """Return how often the foot that touches down is not the one that touched down before, 0 to 1."""
    turns = []
    for clip in clips:
        touching = FootContacts().compute(clip).astype(bool)
        begins = np.argwhere(touching[1:] & ~touching[:-1])
        order = begins[np.argsort(begins[:, 0], kind="stable"), 1]
        turns += (np.diff(order) != 0).tolist()
    return np.mean(turns)


@pytest.mark.parametrize("kind", ["walk", "walk-back", "walk-left", "walk-right"])
def test_on_walks_feet_in_contact_stand_and_take_turns(clips, kind):
    assert np.quantile(speeds_in_contact(clips[kind]), 0.6827) < 0.05
    assert turns_taken(clips[kind]) > 0.98
    for clip in clips[kind]:
        phase = FootPhase().compute(clip)
        assert np.allclose(np.hypot(phase[:, 0], phase[:, 1]), 1.0)


# Thresholds were chosen looking at the walks; none of these had a say in it.
@pytest.mark.parametrize("kind", ["bow", "bye", "byebye", "call", "guide", "kick", "respond", "slash"])
def test_so_do_feet_in_clips_that_thresholds_were_not_chosen_on(clips, kind):
    assert np.quantile(speeds_in_contact(clips[kind]), 0.6827) < 0.05


@pytest.mark.parametrize("kind", ["run", "dash"])
def test_runners_feet_take_turns(clips, kind):
    assert turns_taken(clips[kind]) > 0.98


def test_the_command_builds_goes_on_and_reads_datasets(host, tmp_path):
    click = pytest.importorskip("click.testing")
    from kinetoscope_features.command import command

    spec = tmp_path / "features.toml"
    spec.write_text(
        'mirror = true\n[[inputs]]\nfeature = "joint-positions"\n[[inputs]]\nfeature = "labels"\n'
        '[[outputs]]\nfeature = "joint-rotations"\noffsets_s = [0.1, 0.6]\n'
    )
    folder = tmp_path / "clips"
    folder.mkdir()
    for file in sorted((Path(DATA) / "bvh" / "bandai-namco-1").glob("*_walk_*.bvh"))[:6]:
        (folder / file.name).symlink_to(file)
    arguments = ["build", str(folder), str(tmp_path / "out"), "--spec", str(spec), "--json"]
    said = [click.CliRunner().invoke(command, arguments, obj=host) for _ in range(2)]
    assert [result.exit_code for result in said] == [0, 0], said[0].output
    first, second = (json.loads(result.stdout) for result in said)
    assert {"windows", "columns", "clips", "frames", "seconds"} <= set(first)
    assert {k: v for k, v in first.items() if k != "seconds"} == {
        k: v for k, v in second.items() if k != "seconds"
    }
    store = TrainingStore(tmp_path / "out")
    assert first["windows"] == len(store) + store.count(training=False)
    assert store.training_set().inputs.shape[1] == first["columns"][0]
