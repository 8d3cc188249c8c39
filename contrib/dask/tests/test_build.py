"""A training set built on a cluster is, file by file, the one built here."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

import kinetoscope
from kinetoscope.cli import main
from kinetoscope_spec import Asset, Motion, Skeleton, rotation

SPEC = """
framerate = 30
mirror = true
seed = 3
warps = [0.9]

[[inputs]]
feature = "joint-positions"

[[outputs]]
feature = "joint-velocities"
offsets_s = [0.1, 0.2]
"""


NAMES = (
    "Hips", "Head", "LeftUpLeg", "LeftLeg", "LeftFoot", "RightUpLeg", "RightLeg", "RightFoot",
    "LeftArm", "LeftHand", "RightArm", "RightHand",
)  # fmt: skip
PARENTS = (-1, 0, 0, 2, 3, 0, 5, 6, 0, 8, 0, 10)
LEG = [[0, -0.45, 0], [0, -0.45, 0]]
ARMS = [[0.2, 0.4, 0], [0.5, 0, 0], [-0.2, 0.4, 0], [-0.5, 0, 0]]
REST = np.array([[0, 1, 0], [0, 0.5, 0], [0.1, 0, 0], *LEG, [-0.1, 0, 0], *LEG, *ARMS])


@pytest.fixture
def takes(tmp_path):
    """Seventy takes of a body that twitches about: more than two shards hold."""
    folder = tmp_path / "takes"
    folder.mkdir()
    skeleton = Skeleton(NAMES, PARENTS, REST)
    random = np.random.default_rng(0)
    with kinetoscope.Host() as host:
        for i in range(70):
            positions = np.repeat(skeleton.rest_positions[None], 40, axis=0)
            positions[:, 0] += np.cumsum(0.01 * random.normal(size=(40, 3)), axis=0)
            angles = np.cumsum(0.05 * random.normal(size=(40, len(NAMES), 3)), axis=0)
            turns = rotation.from_rotation_vector(angles)
            clip = Motion(skeleton, positions, turns, 30.0, name=f"walk_{i:02}")
            host.importer("bvh").write(Asset(clip.name, skeleton, (clip,)), folder / f"{clip.name}.bvh")
    return folder


def built(*words):
    done = CliRunner().invoke(main, ["dataset", "build", *map(str, words), "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_built_on_a_cluster(cluster, takes, tmp_path):
    spec = tmp_path / "features.toml"
    spec.write_text(SPEC)
    here = built(takes, tmp_path / "here", "--spec", spec)
    address = cluster.scheduler_address.removeprefix("tcp://")
    there = built(takes, tmp_path / "there", "--spec", spec, "--executor", f"dask://{address}")
    assert len(files(tmp_path / "there")) > 3, (
        "more than one shard, so that both workers have something to do"
    )
    assert files(tmp_path / "here") == files(tmp_path / "there")
    said = ("windows", "columns", "clips", "frames", "failed")
    assert [here[name] for name in said] == [there[name] for name in said]
