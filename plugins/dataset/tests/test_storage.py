"""Objects in folders and in fsspec's file systems: whole or not at all, and inside their folder."""

from __future__ import annotations

import os
import pickle

import fsspec
import pytest

from kinetoscope_dataset._storage import LocalStorage, storage_at
from kinetoscope_spec import ConfigError


@pytest.fixture(params=["folder", "file url", "memory"])
def storage(request, tmp_path):
    if request.param == "memory":
        yield storage_at(f"memory://{tmp_path.name}/x/")
        fsspec.filesystem("memory").store.clear()
        return
    folder = tmp_path / "a b%20ü"
    yield storage_at(folder if request.param == "folder" else folder.as_uri())


def test_what_is_put_is_got(storage):
    storage.put("a/b/c", b"0123456789")
    storage.put("a/b/c", b"abcdefghij")
    assert storage.get("a/b/c") == b"abcdefghij"
    assert storage.get("a/b/c", 2, 5) == b"cde"
    assert storage.get("a/b/c", 2) == b"cdefghij"
    assert storage.get("a/b/c", -3) == b"hij"
    assert storage.get("a/b/c", -30) == b"abcdefghij"
    assert storage.get("a/b/c", 8, 30) == b"ij"
    assert storage.get_many(["a/b/c", "a/b/d", "x/y"]) == {"a/b/c": b"abcdefghij"}
    assert storage.get_many([]) == {}
    with pytest.raises(FileNotFoundError):
        storage.get("a/b/d")


def test_names_and_removal(storage):
    assert storage.names() == []
    for key in ("a/2", "a/1", "b", "a/sub/deep"):
        storage.put(key, b"")
    assert storage.names() == ["a", "b"]
    assert storage.names("a") == ["1", "2", "sub"]
    assert storage.names("nowhere") == []
    for key in ("a/sub", "b", "b", "nowhere"):
        storage.remove(key)
    assert (storage.names(), storage.names("a")) == (["a"], ["1", "2"])


def test_it_pickles(storage):
    storage.put("a", b"1")
    assert pickle.loads(pickle.dumps(storage)).get("a") == b"1"


@pytest.mark.parametrize("what", ["replace", "open"])
def test_an_object_whose_writing_fails_stays_as_it_was(tmp_path, monkeypatch, what):
    storage = LocalStorage(tmp_path)
    storage.put("a", b"old")

    def fail(*_args, **_options):
        raise OSError(28, "no space left")

    with monkeypatch.context() as patch:
        if what == "replace":
            patch.setattr(os, "replace", fail)
        else:
            patch.setattr("builtins.open", fail)
        with pytest.raises(OSError, match="no space"):
            storage.put("a", b"new")
    assert storage.get("a") == b"old"
    assert storage.names() == ["a"]


def test_urls_that_nobody_knows():
    with pytest.raises(ConfigError, match="nosuch://x"):
        storage_at("nosuch://x")
