"""Shards against zarr-python, which shares no code with ours: each reads what the other writes."""

from __future__ import annotations

import contextlib
import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, ShardingCodec, TransposeCodec

from kinetoscope_dataset._shards import (
    CHUNK,
    SHARD,
    Layout,
    array_document,
    decode,
    encode,
    layout_for,
    layout_of,
)
from kinetoscope_dataset._storage import LocalStorage
from kinetoscope_spec import FormatError

settings.register_profile("dataset", deadline=None, max_examples=30)
FRAMES = st.sampled_from((1, 2, 63, 64, 65, 127, 128, 129, 200, 5 * CHUNK))


def values(frames, rest, seed):
    return np.random.default_rng(seed).normal(size=(frames, *rest)).astype(np.float32)


def store(folder, array, layout):
    names = ("frame", "joint", "column")[: array.ndim]
    document = array_document(layout, {"a": 1}, names)
    (folder / "zarr.json").write_text(json.dumps(document))
    for key, data in encode([array], layout):
        (folder / key).write_bytes(data)
    return document


@settings(deadline=None)
@given(
    FRAMES,
    st.sampled_from([(3, 7), (1, 10), (22, 7), (4,), (1,)]),
    st.integers(0, 99),
    st.sampled_from((64, 128, SHARD)),
)
def test_zarr_reads_what_is_written(frames, rest, seed, shard):
    held = values(frames, rest, seed)
    layout = layout_for(held.shape)
    layout = Layout(layout.shape, layout.chunk, min(layout.shard, shard))
    with tempfile.TemporaryDirectory() as name:
        document = store(Path(name), held, layout)
        array = zarr.open_array(name, mode="r")
        assert array.shape == held.shape
        assert array.dtype == np.float32
        assert array.chunks == (CHUNK, *rest)
        assert array.attrs["a"] == 1
        np.testing.assert_array_equal(array[:], held)
        assert layout_of(document) == layout


@settings(deadline=None)
@given(FRAMES, st.sampled_from([(3, 7), (2,)]), st.integers(0, 99), st.data())
def test_what_zarr_writes_is_read(frames, rest, seed, data):
    held = values(frames, rest, seed)
    layout = layout_for(held.shape)
    order = (*range(1, held.ndim), 0)
    inner = [
        TransposeCodec(order=order),
        BytesCodec(),
        BloscCodec(cname="lz4", clevel=5, shuffle="shuffle", typesize=4),
        Crc32cCodec(),
    ]
    with tempfile.TemporaryDirectory() as name:
        array = zarr.create_array(
            name,
            shape=held.shape,
            dtype="float32",
            chunks=(layout.shard, *rest),
            serializer=ShardingCodec(chunk_shape=(CHUNK, *rest), codecs=inner),
            compressors=None,
            filters=None,
            chunk_key_encoding={"name": "default", "separator": "."},
        )
        array[:] = held
        assert layout_of(json.loads((Path(name) / "zarr.json").read_text())) == layout
        start = data.draw(st.integers(0, frames - 1))
        stop = data.draw(st.integers(start + 1, frames))
        found = decode(LocalStorage(Path(name)).get, layout, start, stop, name)
        np.testing.assert_array_equal(found, held[start:stop])


@settings(deadline=None)
@given(st.sampled_from((1, 64, 65, 300)), st.data())
def test_any_window_of_any_shard(frames, data):
    held = values(frames, (2, 7), frames)
    layout = Layout(held.shape, CHUNK, 2 * CHUNK)
    shards = dict(encode([held], layout))

    def read(key, start, stop):
        return shards[key][slice(start, stop)]

    start = data.draw(st.integers(0, frames - 1))
    stop = data.draw(st.integers(start + 1, frames))
    np.testing.assert_array_equal(decode(read, layout, start, stop, "x"), held[start:stop])


def test_a_clip_of_several_shards():
    held = values(SHARD + 70, (1, 7), 0)
    layout = layout_for(held.shape)
    shards = dict(encode([held], layout))
    assert sorted(shards) == ["c.0.0.0", "c.1.0.0"]

    def read(key, start, stop):
        return shards[key][slice(start, stop)]

    np.testing.assert_array_equal(
        decode(read, layout, SHARD - 3, SHARD + 3, "x"), held[SHARD - 3 : SHARD + 3]
    )


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 255), st.sampled_from(("change", "cut", "grow")))
def test_a_damaged_shard_is_never_read_as_something_else(place, change, kind):
    held = values(100, (2, 7), 1)
    layout = layout_for(held.shape)
    data = bytearray(dict(encode([held], layout))["c.0.0.0"])
    place %= len(data)
    if kind == "change":
        data[place] ^= change
    elif kind == "cut":
        del data[place:]
    else:
        data[place:place] = b"x"
    damaged = bytes(data)

    def read(_key, start, stop):
        return damaged[slice(start, stop)]

    with contextlib.ExitStack() as stack:
        if kind != "grow":  # a byte between chunks that no chunk claims does no harm
            stack.enter_context(pytest.raises(FormatError, match=r"somewhere/clip/c\.0\.0\.0"))
        found = _none_or(lambda: decode(read, layout, 0, 100, "somewhere/clip"), kind == "grow")
        assert found is None or np.array_equal(found, held)


def _none_or(call, may_fail):
    """Return what a call gives, or None where it may end in a FormatError and does."""
    try:
        return call()
    except FormatError:
        if may_fail:
            return None
        raise


def test_another_layout_is_told_apart():
    document = array_document(layout_for((10, 2, 7)), {}, ("f", "j", "c"))
    assert layout_of(document) is not None
    for change in (
        {"data_type": "float64"},
        {"codecs": []},
        {"shape": [10, -2, 7]},
        {"chunk_grid": None},
        {"chunk_key_encoding": {"name": "v2"}},
    ):
        assert layout_of({**document, **change}) is None


def test_a_missing_shard_is_an_error():
    def read(_key, _start, _stop):
        raise FileNotFoundError

    with pytest.raises(FormatError, match="missing"):
        decode(read, layout_for((10, 2, 7)), 0, 10, "x")


@pytest.mark.parametrize("rest", [(1, 7), (22, 7), (200, 10), (1,)])
def test_what_compresses_best_is_within_the_bound(rest):
    held = np.zeros((300, *rest), np.float32)
    layout = layout_for(held.shape)
    shards = dict(encode([held], layout))
    found = decode(lambda key, start, stop: shards[key][slice(start, stop)], layout, 0, 300, "x")
    np.testing.assert_array_equal(found, held)
