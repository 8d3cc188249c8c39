"""Where a conversion goes, and what becomes of files whose workers die."""

from __future__ import annotations

import errno
import os
import pickle
from concurrent.futures import BrokenExecutor, Executor, Future
from pathlib import Path

import pytest

from kinetoscope import Host
from kinetoscope._detection import by_signature
from kinetoscope.convert import FileReader, Task, convert_all, means_dataset
from kinetoscope_spec import Signature
from kinetoscope_spec.files import replacing


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("full/a.bvh", "old/zarr.json"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("x")
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.bvh").write_text("x")


@pytest.mark.parametrize(
    ("sources", "out", "label", "wanted"),
    [
        (["full"], "new", None, True),
        (["full"], "empty", None, True),
        (["full"], "old", None, True),
        (["full"], "new.zarr", None, True),
        (["full"], "NEW.ZARR", None, True),
        (["full"], "s3://bucket/x", None, True),
        (["full"], "memory://x.glb", None, True),
        (["full"], "new", "bvh", False),
        (["full"], "new", "zarr", True),
        (["full"], "full", "bvh", False),
        (["a.bvh"], "b.glb", None, False),
        (["a.bvh"], "b.zarr", None, True),
        (["a.bvh"], "b.glb", "zarr", True),
        (["a.bvh", "b.bvh"], "new", None, True),
        (["a.bvh"], "new", None, True),
    ],
)
def test_what_is_a_dataset(here, sources, out, label, wanted):
    assert means_dataset([Path(source) for source in sources], out, label) is wanted


@pytest.mark.parametrize(
    ("sources", "out", "told"),
    [
        (["full"], "full", "holds other things"),
        (["a.bvh"], "full", "holds other things"),
        (["full"], "b.glb", "looks like one file"),
        (["a.bvh", "b.bvh"], "c.glb", "looks like one file"),
    ],
)
def test_what_could_be_either_is_asked_about(here, sources, out, told):
    with pytest.raises(ValueError, match=told) as caught:
        means_dataset([Path(source) for source in sources], out, None)
    assert "--to" in str(caught.value)


@pytest.fixture
def toy(shelf):
    body = """
        from pathlib import Path
        from kinetoscope_spec import Asset, Motion, Signature, Skeleton
        class Toy:
            def read(self, path):
                skeleton = Skeleton(("root",), (-1,), [[0, 0, 0]])
                motion = Motion(skeleton, [[[0, 0, 0]]] * 5, [[[0, 0, 0, 1]]] * 5, 30, "hop")
                metadata = {"format": "toy", "unit_m": 1, "axes": "+X+Y+Z"}
                return Asset(Path(path).stem, skeleton, [motion], metadata=metadata)
            def write(self, asset, path):
                Path(path).write_text("TOY")
        Thing.read, Thing.write = Toy.read, Toy.write
    """
    options = "reads=('toy',), writes=('toy',), signatures=(__import__('kinetoscope_spec').Signature('toy', magic=b'TOY'),)"
    shelf.provide("acme-toy", "importer", "toy", options=options, body=body)
    return shelf


class Dying(Executor):
    """Works here; of the files named, the first or every call kills the worker."""

    def __init__(self, names, deaths):
        self.left = dict.fromkeys(names, deaths)
        self.seen = []

    def submit(self, fn, /, *args, **kwargs):
        future, task = Future(), args[1]
        self.seen.append(task)
        if self.left.get(task.source.name, 0) > 0:
            self.left[task.source.name] -= 1
            future.set_exception(BrokenExecutor("it was killed"))
        else:
            future.set_result(fn(*args, **kwargs))
        return future


@pytest.mark.parametrize("deaths", [1, 2])
def test_a_file_whose_worker_dies_is_tried_once_more(toy, tmp_path, monkeypatch, deaths):
    monkeypatch.chdir(tmp_path)
    tasks = []
    for name in ("a.x", "b.x", "c.x"):
        Path(name).write_text("TOY")
        tasks.append(Task(Path(name), Path("out") / name, "toy", picky=False))
    executor = Dying(["b.x"], deaths)
    with Host(allow=["toy"]) as host:
        done = convert_all(host, tasks, executor=executor)
    assert [result.path for result in done] == ["a.x", "b.x", "c.x"], "paths as they were given"
    assert all(task.source.is_absolute() and task.target.is_absolute() for task in executor.seen)
    states = [result.state for result in done]
    assert states == ["converted", "converted" if deaths == 1 else "failed", "converted"]
    assert deaths == 1 or "died, twice: it was killed" in done[1].reason
    assert sorted(os.listdir("out")) == (["a.x", "b.x", "c.x"] if deaths == 1 else ["a.x", "c.x"])


def test_a_reader_crosses_processes_with_its_options(toy, tmp_path):
    path = tmp_path / "a.x"
    path.write_text("TOY")
    with Host(allow=["toy"]) as host:
        reader = pickle.loads(pickle.dumps(FileReader(host, {"allow": ["toy"]})))
    assert len(reader(path).motions) == 1
    path.write_text("text")
    assert reader(path) is None
    blocked = pickle.loads(pickle.dumps(FileReader(reader.host, {"block": ["toy"]})))
    path.write_text("TOY")
    assert blocked(path) is None


class Prepared:
    """An importer that reads from bytes at hand, and notes what it is told."""

    def __init__(self):
        self.told = []

    def read(self, path):
        raise AssertionError("its bytes are at hand")

    def read_bytes(self, data, path):
        self.told.append((data, path))
        return "asset"

    def prepare(self, size):
        self.told.append(size)


def test_a_file_whose_bytes_are_at_hand_is_not_opened(toy, tmp_path, monkeypatch):
    """Not by the detector, nor by an importer that can do without."""
    path = tmp_path / "a.x"  # which is not there
    with Host(allow=["toy"]) as host:
        importer = Prepared()
        reader = FileReader(host).expecting(1000)
        with monkeypatch.context() as patch:
            patch.setattr(host, "importer", lambda **_how: importer)
            assert reader.read_bytes(path, b"text") is None
            assert reader.read_bytes(path, b"TOY") == "asset"
            assert reader.read_bytes(path, b"TOY 2") == "asset"
        assert importer.told == [1000, (b"TOY", path), (b"TOY 2", path)], "told once how much is to come"
        path.write_text("TOY")
        assert FileReader(host).read_bytes(path, b"TOY").name == FileReader(host)(path).name
        assert FileReader(host).read_bytes(path, b"") is None


@pytest.mark.parametrize("size", [1, 4096, 4097, 10_000])
def test_a_signature_sees_the_same_of_a_file_and_of_its_bytes(tmp_path, size):
    seen, data = [], bytes(i % 251 for i in range(size))
    (tmp_path / "a").write_bytes(data)

    def rule(*ends):
        seen.append(ends)
        return True

    told = [by_signature(tmp_path / "a", [Signature("x", rule=rule)], held) for held in (None, data)]
    assert told[0] == told[1]
    assert seen[0] == seen[1] == (data[:4096], data[-4096:], size)


def test_a_signature_whose_rule_fails_does_not_fit(tmp_path):
    def broken(head, tail, size):
        raise ZeroDivisionError

    signatures = (Signature("broken", rule=broken), Signature("absent", rule="no_such_module:rule"))
    assert by_signature(tmp_path, [*signatures, Signature("x", magic=b"x")], b"x").label == "x"


def test_a_worker_has_one_reader(toy):
    """It chooses its importers once, not for every call."""
    with Host(allow=["toy"]) as host:
        reader = FileReader(host, {"allow": ["toy"]}).expecting(7)
        one, other = (pickle.loads(pickle.dumps(reader)) for _ in range(2))
    assert one is other
    assert one._expected == 7


def test_a_full_disk_is_said_with_the_file_that_found_it_full(tmp_path: Path) -> None:
    with (
        pytest.raises(OSError, match=r"No space left on device: .*out\.glb"),
        replacing(tmp_path / "out.glb"),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
