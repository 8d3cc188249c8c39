"""A character whose skeleton is not the clips': the motion is put on it, where the shot file says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

from kinetoscope import Host
from kinetoscope.shot.run import shoot
from kinetoscope_samples.recipes import write_mocap
from kinetoscope_spec import Asset, ConfigError, Skeleton
from kinetoscope_spec.body import capsule_character
from kinetoscope_spec.motion import rest_motion

SHOT = """\
[performer]
mocap = ["mocap"]
path = [[3.0, 10.0], [1.5, 9.5]]
speed = 1.2
model = "motion-matching"
seconds = 2
character = "{character}"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KINETOSCOPE_HOME", str(tmp_path / "home"))
    write_mocap(tmp_path / "mocap", names=("walk-straight",))
    return tmp_path


def written(host: Host, folder: Path, rename: Any, size: float = 1.0) -> str:
    """The clips' own body, as a character of another size whose joints are called otherwise."""
    motion = host.open(next((folder / "mocap").iterdir())).motions[0]
    given = motion.skeleton
    skeleton = attrs.evolve(
        given, names=[rename(name) for name in given.names], rest_positions=size * given.rest_positions
    )
    grown = attrs.evolve(motion, skeleton=skeleton, positions=size * motion.positions)
    body = capsule_character(skeleton, motion=grown)
    file = folder / "hero.glb"
    rest = rest_motion(skeleton)
    host.writer("glb").write(Asset("hero", skeleton, (rest,), body.meshes, body.materials), file)
    return file.name


def shot(folder: Path, character: str) -> Path:
    file = folder / "shot.toml"
    file.write_text(SHOT.format(character=character))
    return file


def kept(folder: Path, stage: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    (file,) = (folder / "home" / "cache" / "shots" / stage).glob("*/motion.npz")
    with np.load(file) as held:
        arrays = dict(held)
    return json.loads(bytes(arrays.pop("head"))), arrays


def test_it_walks_where_the_planted_motion_walked(folder: Path) -> None:
    """A taller body under Mixamo's names: its hips go where the clips' body's went, in metres."""
    with Host() as host:
        file = shot(folder, written(host, folder, lambda name: f"mixamorig:{name}", 1.2))
        film = shoot(host, file, until="retarget")
    stage = film.stages[-1]
    assert (stage["name"], stage["provider"], stage["cached"]) == ("retarget", "anatomic", False)
    head, moved = kept(folder, "retarget")
    was_head, was = kept(folder, "plant")
    assert head["framerate"] == was_head["framerate"]
    hips = [h["joints"].index(n) for h, n in ((head, "mixamorig:Hips"), (was_head, "Hips"))]
    ours, theirs = (_ground(a, i) for a, i in zip((moved, was), hips, strict=True))
    assert np.abs(ours - theirs).max() < 0.02
    assert np.abs(ours[0] - [3.0, 10.0]).max() < 0.3
    assert np.linalg.norm(ours[-1] - ours[0]) > 1.0


def _ground(arrays: dict[str, np.ndarray], joint: int) -> np.ndarray:
    """World x and z of a joint whose ancestors stand at the origin unturned."""
    found = arrays["positions"][:, joint]
    while (joint := int(arrays["parents"][joint])) >= 0:
        assert np.allclose(arrays["rotations"][:, joint], [0, 0, 0, 1])
        found = found + arrays["positions"][:, joint]
    return found[:, [0, 2]]


def test_a_body_of_the_clips_names_needs_nobody(folder: Path) -> None:
    with Host() as host:
        film = shoot(host, shot(folder, written(host, folder, lambda name: name)), until="retarget")
    assert "retarget" not in [stage["name"] for stage in film.stages]


def test_what_has_no_such_body_is_refused_before_the_training(folder: Path) -> None:
    told: list[str] = []
    with Host() as host:
        skeleton = Skeleton(["box"], [-1], np.zeros((1, 3)))
        rest = rest_motion(skeleton)
        body = capsule_character(skeleton)
        asset = Asset("box", skeleton, (rest,), body.meshes, body.materials)
        host.writer("glb").write(asset, folder / "box.glb")
        with pytest.raises(ConfigError, match=r"shot\.toml:7: performer\.character.*other joints"):
            shoot(host, shot(folder, "box.glb"), progress=lambda event: told.append(event.message))
    assert not any("step" in text for text in told)
    assert not (folder / "home" / "cache" / "shots" / "train").exists()


def test_a_retargeter_that_is_not_there_is_said(folder: Path) -> None:
    with Host(block=["kinetoscope-retarget"]) as host:
        file = shot(folder, written(host, folder, lambda name: f"Bip01 {name}"))
        with pytest.raises(ConfigError, match="other joints"):
            shoot(host, file)
