"""Where clips come from: what of a folder counts, and by what a shard knows it again."""

from __future__ import annotations

import os
import pickle

import numpy as np
import pytest

import kinetoscope
from kinetoscope_features.build import build
from kinetoscope_features.recipe import Entry, Recipe
from kinetoscope_features.sources import source_of
from kinetoscope_spec import Asset
from kinetoscope_spec.errors import ConfigError

RECIPE = Recipe(
    inputs=(Entry("joint-positions"),), outputs=(Entry("joint-velocities", offsets_s=(0.1,)),), framerate=30.0
)


@pytest.fixture(scope="module")
def host():
    with kinetoscope.Host() as held:
        yield held


@pytest.fixture
def takes(tmp_path, walkers, host):
    folder = tmp_path / "takes"
    folder.mkdir()
    for i in range(3):
        clip = walkers.walk(speed=0.5 + i, frames=40, name=f"walk_{i}")
        host.importer("bvh").write(Asset(clip.name, clip.skeleton, (clip,)), folder / f"walk_{i}.bvh")
    return folder


def shards(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_take_that_is_damaged_beyond_recognition_is_told(takes, host, tmp_path):
    (takes / "garbage.bvh").write_bytes(np.random.default_rng(0).bytes(3000))
    (takes / "empty.BVH").touch()
    (takes / "biped.sample.toml").write_bytes(np.random.default_rng(1).bytes(300))
    (takes / "notes.txt").write_text("walks of a tuesday")
    np.savez(takes / "stats.npz", mean=np.ones(3))  # named as a motion may be, and another thing for sure
    report = build(source_of(str(takes), host), tmp_path / "out", RECIPE, host.feature)
    assert report.clips == 3
    assert sorted(name for name, _ in report.failed) == ["biped.sample", "empty", "garbage"]
    assert all("no importer reads" in reason for _, reason in report.failed)


def test_a_copy_elsewhere_and_later_is_known_again(takes, host, tmp_path):
    source = source_of(str(takes), host)
    copy = tmp_path / "elsewhere" / "takes"
    copy.mkdir(parents=True)
    for path in takes.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
        os.utime(copy / path.name, (1, 1))
    other = source_of(str(copy), host)
    assert other.items == source.items
    for where, held in ((tmp_path / "a", source), (tmp_path / "b", other)):
        build(held, where, RECIPE, host.feature)
    assert shards(tmp_path / "a") == shards(tmp_path / "b")


def test_other_bytes_of_one_size_and_time_are_another_item(takes, host):
    path = takes / "walk_0.bvh"
    before, times = source_of(str(takes), host).items, path.stat()
    text = path.read_bytes()
    path.write_bytes(text.replace(b"OFFSET 0", b"OFFSET 1", 1) if b"OFFSET 0" in text else text[::-1])
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    after = source_of(str(takes), host).items
    assert [a == b for a, b in zip(before, after, strict=True)] == [False, True, True]


def test_a_worker_has_the_items_that_were_found_here(takes, host):
    source = source_of(str(takes), host)
    (takes / "walk_1.bvh").unlink()
    there = pickle.loads(pickle.dumps(source))
    assert there.items == source.items


def test_nothing_to_read_is_an_error(host, tmp_path):
    (tmp_path / "notes.txt").write_text("walks of a tuesday")
    with pytest.raises(ConfigError, match="holds no file that an importer reads"):
        source_of(str(tmp_path), host)
