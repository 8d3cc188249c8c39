"""The dataset as a library: a sequence of motions, in folders and wherever fsspec goes."""

from __future__ import annotations

import json
import multiprocessing
import pickle
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from unittest import mock

import attrs
import fsspec
import numpy as np
import pytest
import zarr

from kinetoscope_dataset import Dataset
from kinetoscope_dataset._catalog import Catalog, read_catalog, write_index
from kinetoscope_dataset._clip import document_bytes
from kinetoscope_dataset._storage import storage_at
from kinetoscope_spec import ConfigError, FormatError, KinetoscopeError, ValidationError


@pytest.fixture(params=["folder", "memory"])
def where(request, tmp_path):
    if request.param == "folder":
        yield str(tmp_path / "walks.zarr")
        return
    yield f"memory://{tmp_path.name}/walks"
    fsspec.filesystem("memory").store.clear()


def test_what_is_added_is_there(where, make):
    one, two = make(1, 70), make(2, 200, joints=4, name="run")
    data = Dataset.create(where).add(one, source="a/walk.bvh", licence="mine", format="bvh")
    assert len(data) == 1
    data = data.add(two)
    assert [clip.source for clip in data.clips] == ["a/walk.bvh", "run"]
    assert data[0] == one
    assert data[-1] == two
    assert list(data) == [one, two]
    assert [data.licence(0), data.licence(1)] == ["mine", ""]
    assert Dataset.open(where) == data
    clip = data.clips[0]
    assert (clip.frames, clip.joints, clip.framerate, clip.name, clip.format) == (70, 3, 30.0, "walk", "bvh")
    assert clip.duration == 69 / 30
    assert data.clips[0].skeleton != data.clips[1].skeleton
    assert set(data.skeletons) == {clip.skeleton for clip in data.clips}
    with pytest.raises(IndexError):
        data[2]


def test_scales_and_morphs(where, make):
    rng = np.random.default_rng(0)
    curves = {"smile": rng.random(90).astype(np.float32), "ü/..": rng.random(90).astype(np.float32)}
    scales = rng.uniform(0.5, 2, (90, 3, 3)).astype(np.float32)
    held = make(3, 90, scales=scales, morph_weights=curves, start_time=1.5)
    data = Dataset.create(where).add(held)
    assert data[0] == held
    assert data.window(0, 10, 80) == held.slice(10, 80)
    assert data.clips[0].morphs == ("smile", "ü/..")


def test_adding_twice_changes_nothing_and_other_numbers_replace(where, make):
    data = Dataset.create(where).add(make(1), source="x")
    again = data.add(make(1), source="x")
    assert again == data
    changed = data.add(make(2), make(4), source="x")
    assert [motion.positions.tobytes() for motion in changed] == [
        make(seed).positions.tobytes() for seed in (2, 4)
    ]
    with pytest.raises(FormatError, match=r"missing|gone"):
        data[0]
    with pytest.raises(ValidationError, match="at least one"):
        data.add()


def test_what_is_replaced_leaves_nothing_behind(tmp_path, make):
    folder = tmp_path / "d"

    def kept(group: str) -> int:
        return len([path for path in (folder / group).glob("*") if path.is_dir()])

    data = Dataset.create(folder).add(make(1, morph_weights={"smile": np.ones(5, np.float32)}), source="x")
    assert (kept("clips"), kept("morphs")) == (1, 1)
    data = data.add(make(2), source="x")
    assert (kept("clips"), kept("morphs"), len(data)) == (1, 0, 1)


def test_windows_count_as_slices_do(where, make):
    held = make(5, 300)
    data = Dataset.create(where).add(held)
    for start, stop in ((0, None), (0, 1), (63, 65), (100, 299), (-10, None), (250, 1000), (64, 128)):
        assert data.window(0, start, stop) == held.slice(start, stop)
    with pytest.raises(ValueError, match="no frame"):
        data.window(0, 20, 20)


def test_a_window_reads_little(tmp_path, make, monkeypatch):
    data = Dataset.create(tmp_path / "d").add(make(1, 6400, joints=20))
    sizes = []
    get = data._storage.get
    monkeypatch.setattr(data._storage, "get", lambda *part: sizes.append(len(held := get(*part))) or held)
    data.window(0, 3000, 3040)
    assert sum(sizes) < 6400 * 20 * 7 * 4 / 30


def test_find_and_slices(where, make):
    data = Dataset.create(where)
    for name in ("walk fast", "run", "walk slow", "Walk"):
        data = data.add(make(1, name=name), source=f"deep/{name}.bvh")
    assert [clip.name for clip in data.find("walk*").clips] == ["walk fast", "walk slow"]
    assert len(data.find("deep/run.*")) == 1
    assert len(data.find("*")[1:3]) == 2
    assert isinstance(data[1:3], Dataset)
    assert len(data.where(framerate=30.0)) == 4
    assert len(data.where(skeleton="0" * 32)) == 0
    assert data.find("walk*").find("*slow")[0].name == "walk slow"


def test_equal_skeletons_are_stored_once_and_are_one_object(tmp_path, make):
    data = Dataset.create(tmp_path / "d")
    for seed in (2, 4, 6, 1):
        data = data.add(make(seed, name=f"m{seed}"))
    assert len(list((tmp_path / "d" / "skeletons").glob("*/zarr.json"))) == 2
    motions = list(data)
    assert len({id(motion.skeleton) for motion in motions}) == 2


def test_it_pickles_and_crosses_processes(tmp_path, make):
    data = Dataset.create(tmp_path / "d").add(make(1)).add(make(2, name="b"))
    assert pickle.loads(pickle.dumps(data)) == data
    assert pickle.loads(pickle.dumps(data.find("b")))[0] == make(2, name="b")
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        (found,) = pool.map(partial(Dataset.__getitem__, data), [1])
    assert found == data[1]


def test_threads_share_it(where, make):
    data = Dataset.create(where)
    for i in range(8):
        data = data.add(make(i, 100, name=f"m{i}"))
    fresh = Dataset.open(where)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(fresh.__getitem__, list(range(8)) * 5))
    assert found == list(data) * 5


def test_zarr_alone_reads_it(tmp_path, make):
    held = make(1, 150)
    data = Dataset.create(tmp_path / "d").add(held, licence="CC0")
    group = zarr.open_group(str(tmp_path / "d"), mode="r")
    assert sorted(group.group_keys()) == ["clips", "index", "licences", "morphs", "skeletons"]
    (name,) = group["clips"].array_keys()
    array = group[f"clips/{name}"]
    said = array.attrs["kinetoscope"]
    assert said["columns"] == ["px", "py", "pz", "qx", "qy", "qz", "qw"]
    np.testing.assert_array_equal(array[20:90, :, 0:3], held.positions[20:90])
    np.testing.assert_array_equal(array[:, :, 3:7], held.rotations)
    skeleton = group[f"skeletons/{said['skeleton']}"].attrs["kinetoscope"]
    assert tuple(skeleton["names"]) == held.skeleton.names
    assert group[f"licences/{said['licence']}"].attrs["kinetoscope"]["text"] == "CC0"
    assert array.metadata.dimension_names == ("frame", "joint", "column")
    assert group["index"].attrs["kinetoscope"]["clips"][name]["attributes"]["kinetoscope"] == said
    assert data.zarr()[f"clips/{name}"].shape == (150, 3, 7)


def test_another_layout_is_read_through_zarr(tmp_path, make):
    held = make(1, 150)
    data = Dataset.create(tmp_path / "d").add(held)
    name = data.clips[0].id
    group = zarr.open_group(str(tmp_path / "d"), mode="r+")
    attributes, values = dict(group[f"clips/{name}"].attrs), group[f"clips/{name}"][:]
    array = group["clips"].create_array(
        name, shape=values.shape, dtype="float32", chunks=(50, 3, 7), overwrite=True
    )
    array[:] = values
    array.attrs.update(attributes)
    assert Dataset.open(tmp_path / "d").window(0, 10, 120) == held.slice(10, 120)


def test_without_the_index_it_is_the_same(tmp_path, make):
    data = Dataset.create(tmp_path / "d").add(make(1)).add(make(2, name="b"))
    index = tmp_path / "d" / "index" / "zarr.json"
    for content in (None, "{}", "no json", '{"attributes": {"kinetoscope": {"clips": 7, "clipless": {}}}}'):
        index.unlink() if content is None else index.write_text(content)
        assert Dataset.open(tmp_path / "d") == data


def test_numbers_beyond_float32_are_refused(tmp_path, make):
    held = make(1)
    big = held.positions.astype(np.float64)
    big[0, 0, 0] = 1e300
    import attrs

    data = Dataset.create(tmp_path / "d")
    with pytest.raises(ValidationError, match="float32"):
        data.add(attrs.evolve(held, positions=big))
    assert len(Dataset.open(tmp_path / "d")) == 0


def test_what_is_no_dataset(tmp_path, make):
    with pytest.raises(FormatError, match="no dataset"):
        Dataset.open(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
    (tmp_path / "file").write_text("x")
    with pytest.raises(FormatError, match="no dataset"):
        Dataset.open(tmp_path / "file")
    zarr.create_group(str(tmp_path / "z"))
    with pytest.raises(FormatError, match="kinetoscope"):
        Dataset.open(tmp_path / "z")
    with pytest.raises(KinetoscopeError, match="is no dataset"):
        Dataset.create(tmp_path / "z")
    with pytest.raises(ConfigError, match="nosuch"):
        Dataset.open("nosuch://x/y")
    with pytest.raises(FormatError, match="no dataset"):
        Dataset.open("memory://nowhere/at/all")


def test_a_later_version_is_refused(tmp_path):
    Dataset.create(tmp_path / "d")
    root = tmp_path / "d" / "zarr.json"
    document = json.loads(root.read_text())
    document["attributes"]["kinetoscope"]["version"] = 99
    root.write_text(json.dumps(document))
    with pytest.raises(FormatError, match="version 99"):
        Dataset.open(tmp_path / "d")


def test_iterating_holds_one_clip(tmp_path, make):
    import tracemalloc

    data = Dataset.create(tmp_path / "d")
    for i in range(12):
        data = data.add(make(i, 3000, joints=30, name=f"m{i}"))
    data = Dataset.open(tmp_path / "d")
    one = 3000 * 30 * 7 * 4
    tracemalloc.start()
    for motion in data:
        assert motion.frame_count == 3000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * one


def test_the_index_takes_little_room(tmp_path, make):
    """It is written and read entry by entry: what it takes goes by the clips, not by all of JSON's objects."""
    first = Dataset.create(tmp_path / "d").add(make(1)).clips[0]
    clips = [attrs.evolve(first, id=f"{i:032x}", source=f"{i}") for i in range(2000)]
    storage = storage_at(tmp_path / "d")
    tracemalloc.start()
    try:
        write_index(storage, clips, {"ü": ("sha256:0", "")})
        assert tracemalloc.get_traced_memory()[1] < 2000 * 2000
        size = (tmp_path / "d" / "index" / "zarr.json").stat().st_size
        tracemalloc.reset_peak()
        with mock.patch.object(storage, "names", return_value=[clip.id for clip in clips]):
            held = read_catalog(storage)
        assert tracemalloc.get_traced_memory()[1] < 2000 * 3000 + size
    finally:
        tracemalloc.stop()
    assert held == Catalog(
        tuple(sorted(clips, key=lambda c: c.source)), frozenset(), {"ü": ("sha256:0", "")}, True
    )
    document = json.loads((tmp_path / "d" / "index" / "zarr.json").read_bytes())
    assert document_bytes(document) == (tmp_path / "d" / "index" / "zarr.json").read_bytes()
    assert len({id(clip.skeleton) for clip in held.clips}) == 1
