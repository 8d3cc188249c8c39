"""Datasets made on purpose: whatever the documents say, it ends in a `FormatError`, and nothing leaves the folder."""

from __future__ import annotations

import json
import tracemalloc

import pytest

from kinetoscope_dataset import Dataset
from kinetoscope_spec import FormatError


@pytest.fixture
def data(tmp_path, make):
    held = Dataset.create(tmp_path / "d").add(make(1, 100), licence="x")
    (tmp_path / "d" / "index" / "zarr.json").unlink()
    return held


def changed(path, change):
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def said(document):
    return document["attributes"]["kinetoscope"]


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(shape=[10**12, 3, 7]),
        lambda d: d.update(shape=[100, 10**9, 7]),
        lambda d: d.update(shape=[100, 3]),
        lambda d: d.update(shape=None),
        lambda d: d.update(shape=[100, 3, 10]),
        lambda d: d.update(attributes=[]),
        lambda d: said(d).update(framerate=-1),
        lambda d: said(d).update(framerate=float("nan")),
        lambda d: said(d).update(framerate="fast"),
        lambda d: said(d).update(framerate=True),
        lambda d: said(d).update(skeleton="../../../etc"),
        lambda d: said(d).update(licence="../x"),
        lambda d: said(d).update(index=5),
        lambda d: said(d).update(count=10**9),
        lambda d: said(d).update(scaled=True),
        lambda d: said(d).update(morphs=["a"]),
        lambda d: said(d).pop("source"),
        lambda d: said(d).update(skeleton="0" * 32),
        lambda d: d.update(codecs=[{"name": "bytes"}]),
        lambda d: d.update(
            shape=[10**12, 3, 7], codecs=[{"name": "bytes", "configuration": {"endian": "little"}}]
        ),
        lambda d: d.update(chunk_grid={"name": "regular", "configuration": {"chunk_shape": [10**12, 3, 7]}}),
    ],
)
def test_a_document_of_a_clip(data, tmp_path, change):
    path = tmp_path / "d" / "clips" / data.clips[0].id / "zarr.json"
    changed(path, change)
    tracemalloc.start()
    try:
        with pytest.raises((FormatError, IndexError)) as caught:
            Dataset.open(tmp_path / "d")[0]
        if caught.type is IndexError:
            assert "count" in path.read_text()  # a source that is not whole is not there
        assert tracemalloc.get_traced_memory()[1] < 100 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "text", ["", "[", "[" * 100_000, "7", "null", '{"attributes": {"kinetoscope": 3}}', "\x00\xff"]
)
@pytest.mark.parametrize("what", ["zarr.json", "clips/{clip}/zarr.json", "skeletons/{skeleton}/zarr.json"])
def test_a_document_that_is_none(data, tmp_path, what, text):
    clip = data.clips[0]
    (tmp_path / "d" / what.format(clip=clip.id, skeleton=clip.skeleton)).write_text(text)
    with pytest.raises(FormatError):
        Dataset.open(tmp_path / "d")[0]


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.update(parents=[0, 1, 2]),
        lambda s: s.update(parents=[-1, 0]),
        lambda s: s.update(parents=[10**30] * 3),
        lambda s: s.update(names=["a", "a", "b"]),
        lambda s: s.update(names=7),
        lambda s: s.update(rest_positions=[[1, 2], 3]),
        lambda s: s.update(rest_positions={"a": 1}),
        lambda s: s.pop("rest_scales"),
    ],
)
def test_a_document_of_a_skeleton(data, tmp_path, change):
    path = tmp_path / "d" / "skeletons" / data.clips[0].skeleton / "zarr.json"
    changed(path, lambda d: change(said(d)))
    with pytest.raises(FormatError, match="skeleton"):
        Dataset.open(tmp_path / "d")[0]


def test_other_names_below_clips_are_passed_over(data, tmp_path):
    for name in ("..hidden", "A" * 32, "zz", "0" * 31):
        (tmp_path / "d" / "clips" / name).mkdir()
    (tmp_path / "d" / "clips" / ("0" * 32)).mkdir()  # a clip that was never finished
    assert len(Dataset.open(tmp_path / "d")) == 1
