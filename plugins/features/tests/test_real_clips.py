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
def walks(host):
    folder = Path(DATA) / "bvh" / "bandai-namco-1"
    files = sorted(folder.glob("*_walk*.bvh"))
    assert files
    return [host.open(path).motions[0] for path in files]


def test_a_foot_in_contact_hardly_moves_and_feet_take_turns(walks):
    speeds, turns = [], []
    for clip in walks:
        body = Body.of(clip.skeleton)
        touching = FootContacts().compute(clip).astype(bool)
        feet = body.foot_positions(np.asarray(clip.global_transforms()[0], np.float64))
        speed = np.linalg.norm(kinematics.velocities(feet, clip.framerate), axis=-1)
        speeds.append(np.quantile(speed[touching], 0.6827))
        begins = np.argwhere(touching[1:] & ~touching[:-1])
        order = begins[np.argsort(begins[:, 0], kind="stable"), 1]
        turns.append((np.diff(order) != 0).mean() if len(order) > 1 else 1.0)
        phase = FootPhase().compute(clip)
        assert np.allclose(np.hypot(phase[:, 0], phase[:, 1]), 1.0)
    # Toes roll off while they stand in brisk walks: those are the fifth of the clips that is quicker.
    assert (np.array(speeds) < 0.05).mean() > 0.75
    assert np.median(speeds) < 0.04
    assert np.mean(turns) > 0.99


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
