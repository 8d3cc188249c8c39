"""Folders into datasets: names, changes, failures, terms, workers."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kinetoscope_dataset import Dataset
from kinetoscope_dataset._clip import digest
from kinetoscope_dataset._convert import convert
from kinetoscope_dataset._licence import Licences
from kinetoscope_dataset._storage import LocalStorage, storage_at
from kinetoscope_dataset._work import _hashed
from kinetoscope_spec import Asset, Cancelled, ConfigError, FormatError


@pytest.fixture
def out(tmp_path):
    return LocalStorage(tmp_path / "out")


def run(files, out, **options):
    return convert([files.root], out, read=files, **options)


def sources(out):
    return [clip.source for clip in Dataset.open(out.url).clips]


def test_files_of_one_stem_and_names_of_any_letters(files, out):
    names = ["a/walk.bvh", "b/walk.bvh", "b/walk.glb", "ü 走/é.bvh", "quote'\"#?*%.bvh", "..walk", "x/...y/z"]
    files.write({name: str(i) for i, name in enumerate(names)})
    assert run(files, out).converted == len(names)
    assert sources(out) == sorted(names)


@pytest.mark.skipif(os.name == "nt", reason="names are bytes on Linux")
def test_a_name_that_is_no_text(files, out):
    files.write({"a": "1"})
    try:
        (files.root / "a").rename(files.root / os.fsdecode(b"latin-\xe9"))
    except OSError:
        pytest.skip("this file system wants names to be text")
    assert run(files, out).converted == 1
    assert sources(out) == [os.fsdecode(b"latin-\xe9")]
    assert run(files, out).unchanged == 1


@pytest.mark.parametrize("name", ["../../etc/passwd", "/abs", "a/../../b", "..", "C:\\x", "nul\0"])
def test_names_inside_files_lead_nowhere(out, tmp_path, make, name):
    before = sorted(path.name for path in tmp_path.iterdir())
    data = Dataset.create(out.url).add(make(1, name=name, morph_weights={name: [0.0] * 5}), source=name)
    assert data[0].name == name
    assert data.clips[0].source == name
    assert sorted({*before, "out"}) == sorted(path.name for path in tmp_path.iterdir())


def test_what_fails_is_told_and_tried_again(files, out):
    files.write({"a": "1", "b": "damaged", "c": "defect", "d": "text", "e": "2"})
    for _ in range(2):
        report = run(files, out)
        assert [os.path.basename(path) for path, _ in report.failed] == ["b", "c"]
        assert "is damaged" in report.failed[0][1]
        assert "ZeroDivisionError: oh" in report.failed[1][1]
        assert report.skipped == 1
        assert sources(out) == ["a", "e"]
    files.write({"b": "3"})
    report = run(files, out)
    assert (report.converted, report.unchanged, len(report.failed)) == (1, 2, 1)


def test_a_file_that_is_damaged_later_keeps_its_clips(files, out):
    files.write({"a": "1"})
    run(files, out)
    files.write({"a": "damaged"})
    assert len(run(files, out).failed) == 1
    assert sources(out) == ["a"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser reads everything")
def test_an_unreadable_file_is_told(files, out):
    files.write({"a": "1", "b": "2"})
    (files.root / "a").chmod(0)
    assert "ermission" in run(files, out).failed[0][1]


def test_a_file_that_may_not_be_opened_is_told(files, out, monkeypatch):
    """The same for the superuser, whom permissions do not stop."""
    files.write({"a": "1", "b": "2"})
    opened = Path.open

    def guarded(path, *args, **options):
        if path.name == "a":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *args, **options)

    monkeypatch.setattr(Path, "open", guarded)
    assert "ermission denied" in run(files, out).failed[0][1]
    assert sources(out) == ["b"]


def test_a_file_that_goes_while_at_work_is_told(files, out):
    files.write({"a": "1", "b": "2"})

    def progress(done, _total, _message):
        (files.root / "b").unlink(missing_ok=True)

    report = run(files, out, progress=progress)
    assert [os.path.basename(path) for path, _ in report.failed] == ["b"]
    assert sources(out) == ["a"]


@pytest.mark.parametrize("closed", ["sub", "."])
def test_a_folder_that_cant_be_listed_is_told_and_nothing_of_it_pruned(files, out, monkeypatch, closed):
    files.write({"a": "1", "sub/b": "2", "sub/deep/c": "3", "subway/d": "4"})
    run(files, out)
    scan, place = os.scandir, os.path.normpath(files.root / closed)

    def guarded(path):
        if not isinstance(path, int) and os.path.normpath(path) == place:
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return scan(path)

    (files.root / "subway" / "d").unlink()
    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", guarded)
        report = run(files, out, prune=True)
    assert [(os.path.normpath(path), reason) for path, reason in report.failed] == [
        (place, "can't be listed: Permission denied")
    ]
    assert report.vanished == (("subway/d",) if closed == "sub" else ())
    assert sources(out) == ["a", "sub/b", "sub/deep/c", *(["subway/d"] if closed == "." else [])]


def test_a_source_that_is_not_there_prunes_nothing(files, out):
    files.write({"a": "1"})
    run(files, out)
    with pytest.raises(ConfigError, match="missing is not there"):
        convert([files.root / "missing"], out, read=files, prune=True)
    assert sources(out) == ["a"]


def test_same_size_and_time_but_other_bytes_is_a_change(files, out):
    files.write({"a": "1"})
    os.utime(files.root / "a", (1, 1))
    run(files, out)
    files.write({"a": "2"})
    os.utime(files.root / "a", (1, 1))
    assert run(files, out).converted == 1


def test_a_file_without_a_motion_is_not_read_again(files, out):
    files.write({"a": "1 0", "b": "1"})
    assert (run(files, out).skipped, run(files, out).unchanged) == (1, 2)
    assert files.read == ["a", "b"]
    files.write({"a": "2 1", "b": "1 0"})
    assert run(files, out).converted == 1
    assert sources(out) == ["a"]


def test_a_dataset_inside_the_folder_is_no_source(files, tmp_path):
    files.write({"a": "1"})
    out = LocalStorage(files.root / "out.zarr")
    assert run(files, out).converted == 1
    report = run(files, out)
    assert (report.unchanged, report.skipped, report.failed) == (1, 0, ())


def test_links_to_folders_are_not_followed(files, out):
    files.write({"deep/a": "1"})
    (files.root / "deep" / "loop").symlink_to(files.root)
    assert run(files, out).converted == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="makes links and a pipe")
def test_what_can_not_be_read_is_counted_and_nothing_of_it_pruned(files, out):
    """A link may lead to a disk that is not there today; a pipe is never opened: that might wait for ever."""
    files.write({"a": "1", "linked": "2"})
    run(files, out)
    (files.root / "linked").unlink()
    (files.root / "linked").symlink_to("nowhere")
    (files.root / "loop").symlink_to("loop")
    os.mkfifo(files.root / "pipe")
    report = run(files, out, prune=True)
    why = "is a link that leads nowhere"
    assert report.failed == ((str(files.root / "linked"), why), (str(files.root / "loop"), why))
    assert (report.unchanged, report.skipped, report.vanished) == (1, 1, ())
    assert sources(out) == ["a", "linked"]
    assert convert([files.root / "pipe"], out, read=files).skipped == 1


def test_what_is_stored_is_what_was_hashed(files, out, monkeypatch):
    """A file is read once: what is written to it meanwhile makes no clip under another's hash."""

    class AtOnce:
        def __call__(self, path):
            raise AssertionError("it was to be read from the bytes at hand")

        def read_bytes(self, path, data):
            held = files.motions(data.decode())
            return Asset(path.name, held[0].skeleton, held, metadata={"unit_m": 1.0, "axes": "+X+Y+Z"})

    def hashed(path):
        found = _hashed(path)
        path.write_text("4 2")
        return found

    monkeypatch.setattr("kinetoscope_dataset._work._hashed", hashed)
    files.write({"a": "3"})
    assert convert([files.root], out, read=AtOnce()).clips == 1
    data = Dataset.open(out.url)
    assert data.clips[0].source_hash == f"sha256:{hashlib.sha256(b'3').hexdigest()}"
    assert np.array_equal(data[0].positions, files.motions("3")[0].positions)


@pytest.mark.parametrize("most", [0, 5, 1 << 20])
def test_hashes_are_those_of_the_bytes_however_they_are_read(tmp_path, monkeypatch, most):
    monkeypatch.setattr("kinetoscope_dataset._work.AT_ONCE", most)
    monkeypatch.setattr("kinetoscope_dataset._work.BLOCK", 3)
    path = tmp_path / "a"
    for size in (0, 1, 4, 5, 6, 7, 100):
        path.write_bytes(bytes(range(size)))
        data, hashed = _hashed(path)
        assert hashed == f"sha256:{hashlib.sha256(bytes(range(size))).hexdigest()}"
        assert data == (bytes(range(size)) if size <= most else None)


def test_the_reader_is_told_what_to_expect(files, out):
    told = []

    def expecting(size):
        told.append(size)
        return files

    files.write({"a": "1" + " " * 999, "b": "2" + " " * 999})
    read = type("Reader", (), {"__call__": files.__call__, "expecting": staticmethod(expecting)})()
    convert([files.root], out, read=read)
    with ThreadPoolExecutor(2) as executor:
        files.write({"c": "3" + " " * 999})
        convert([files.root], out, read=read, executor=executor, workers=2)
    assert told == [2000, 500], "bytes that are new, for each worker"


def test_two_files_of_one_name(files, out, tmp_path):
    files.write({"x/a": "1", "y/a": "2"})
    with pytest.raises(ConfigError, match="both be called 'a'"):
        convert([files.root / "x", files.root / "y"], out, read=files)
    assert not (tmp_path / "out").exists()


def test_terms_beside_files_and_above(files, out):
    files.write({"a": "1", "sub/b": "2", "sub/deep/c": "3", "LICENSE.txt": " ours ", "sub/Licence": "theirs"})
    assert run(files, out).converted == 3
    data = Dataset.open(out.url)
    assert [data.licence(i) for i in range(3)] == ["ours", "theirs", "theirs"]
    files.write({"sub/Licence": "changed"})
    assert run(files, out).converted == 2
    data = Dataset.open(out.url)
    assert [data.licence(i) for i in range(3)] == ["ours", "changed", "changed"]
    assert run(files, out, licence="all").converted == 3
    assert Dataset.open(out.url).licence(0) == "all"


def test_terms_outside_the_folder_are_not_looked_for(tmp_path):
    root = tmp_path / "takes"
    (root / "walks").mkdir(parents=True)
    (tmp_path / "LICENSE").write_text("somebody else's")
    assert Licences(root).beside(root / "walks" / "a.bvh") == ""
    (root / "LICENSE").write_text("CC0")
    assert Licences(root).beside(root / "walks" / "a.bvh") == "CC0"


@given(st.lists(st.text(max_size=3), min_size=1, max_size=4))
def test_an_id_tells_parts_apart_that_read_the_same_in_a_row(parts):
    for i in range(len(parts) - 1):
        joined = [*parts[:i], parts[i] + parts[i + 1], "", *parts[i + 2 :]]
        assert (digest(*joined) == digest(*parts)) == (joined == parts)


def test_cancelled_keeps_what_is_there(files, out):
    files.write({f"{i}": "1" for i in range(5)})
    with pytest.raises(Cancelled, match="2 of 5"):
        run(files, out, progress=lambda done, _total, _message: done < 2)
    assert sources(out) == ["0", "1"]
    assert run(files, out).unchanged == 2


def test_a_url(files):
    files.write({"a": "1", "b/c": "2 2"})
    out = storage_at("memory://bucket/deep/walks")
    assert run(files, out).clips == 3
    assert run(files, out).unchanged == 2
    (files.root / "a").unlink()
    assert run(files, out, prune=True).pruned == 1
    assert len(Dataset.open("memory://bucket/deep/walks")) == 2
    with pytest.raises(FormatError):
        Dataset.open("memory://bucket/deep")


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_sequence_of_runs_ends_as_one(files, tree, tmp_path_factory, data):
    """Whatever came before: after a run that prunes, the clips are those of the files that are there."""
    root = tmp_path_factory.mktemp("any")
    files.root = root / "files"
    names, texts = st.sampled_from(("a", "b", "c/a", "d")), st.sampled_from(("1", "2 2", "3 0", "damaged"))
    held = {}
    for _ in range(data.draw(st.integers(1, 4))):
        held = data.draw(st.dictionaries(names, texts))
        for name in ("a", "b", "c/a", "d"):
            (files.root / name).unlink(missing_ok=True)
        files.root.mkdir(exist_ok=True)
        files.write({name: text for name, text in held.items() if text != "damaged"})
        run(files, LocalStorage(root / "out"), prune=True)
    wanted = [
        (name, motion.positions.tobytes())
        for name in sorted(held)
        if held[name] != "damaged"
        for motion in files.motions(held[name])
    ]
    data_ = Dataset.open(root / "out")
    found = [
        (clip.source, motion.positions.tobytes()) for clip, motion in zip(data_.clips, data_, strict=True)
    ]
    assert found == wanted
    documents = {name.split("/")[1] for name in tree(root / "out") if name.startswith("clips/")}
    assert documents - {"zarr.json"} == {clip.id for clip in data_.clips}, "nothing is left over"


class Fragile(Executor):
    """Threads, one of which dies of the file `bad`, and takes along what is at hand."""

    def __init__(self, always):
        self.pool, self.always, self.deaths = ThreadPoolExecutor(2), always, 0

    def submit(self, fn, /, *args, **kwargs):
        (task,) = args[0]  # of so few files none is asked for together with another
        if task.source == "bad" and (self.always or not self.deaths):
            self.deaths += 1
            future = Future()
            future.set_exception(BrokenExecutor("dead"))
            return future
        if self.deaths == 1 and task.source == "next" and not kwargs:
            self.deaths += 1
            raise BrokenExecutor("still dead")
        return self.pool.submit(fn, *args, **kwargs)


class Counted(ThreadPoolExecutor):
    """Threads that note which files they are asked for together."""

    def __init__(self):
        super().__init__(2)
        self.asked = []

    def submit(self, fn, /, *args, **kwargs):
        self.asked.append([task.source for task in args[0]])
        return super().submit(fn, *args, **kwargs)


def test_small_files_are_asked_for_together(files, out):
    files.write({f"{i:03}": "1" for i in range(150)})
    with Counted() as executor:
        assert run(files, out, executor=executor, workers=2).converted == 150
    assert max(map(len, executor.asked)) == 16
    assert sorted(source for batch in executor.asked for source in batch) == sources(out)
    (files.root / "000").write_text("1" + " " * (3 << 20))
    with Counted() as executor:
        run(files, out, executor=executor, workers=2)
    assert executor.asked[0] == ["000"], "a large file goes alone"


class Once(Counted):
    """Dies of the first call for several files, as a pool does: all of them are suspects."""

    def submit(self, fn, /, *args, **kwargs):
        if len(args[0]) > 1 and not self.asked:
            self.asked.append([])
            future = Future()
            future.set_exception(BrokenExecutor("dead"))
            return future
        return super().submit(fn, *args, **kwargs)


def test_files_whose_worker_died_are_tried_again_one_by_one(files, out):
    files.write({f"{i:03}": "1" for i in range(80)})
    with Once() as executor:
        assert run(files, out, executor=executor, workers=2).converted == 80
    assert all(len(batch) == 1 for batch in executor.asked[-8:])


@pytest.mark.parametrize("always", [False, True])
def test_a_worker_that_dies(files, out, always):
    files.write({"a": "1", "bad": "2", "next": "3", "z": "4"})
    report = run(files, out, executor=Fragile(always), workers=2)
    assert [os.path.basename(path) for path, _ in report.failed] == (["bad"] if always else [])
    assert sources(out) == ["a", "next", "z"] if always else ["a", "bad", "next", "z"]


def test_few_files_are_in_flight(files, out, monkeypatch):
    files.write({f"{i:02}": "1" for i in range(40)})
    flying = set()
    most = 0

    class Counting(ThreadPoolExecutor):
        def submit(self, fn, /, *args, **kwargs):
            nonlocal most
            future = super().submit(fn, *args, **kwargs)
            flying.add(future)
            most = max(most, sum(not f.done() for f in flying))
            return future

    with Counting(2) as executor:
        assert run(files, out, executor=executor, workers=2).converted == 40
        assert most <= 4
        monkeypatch.setattr("kinetoscope_dataset._convert.BYTES_IN_FLIGHT", 1)
        most = 0
        files.write({f"{i:02}": "2" for i in range(40)})
        assert run(files, out, executor=executor, workers=2).converted == 40
        assert most == 1


class Near(ThreadPoolExecutor):
    """Threads that say what processes of this machine say, and note what comes back from them."""

    same_files = True

    def __init__(self):
        super().__init__(2)
        self.futures = []

    def submit(self, fn, /, *args, **kwargs):
        self.futures.append(super().submit(fn, *args, **kwargs))
        return self.futures[-1]


def test_workers_of_this_machine_write_the_frames_themselves(files, out, tree, tmp_path):
    files.write({f"{i:02}": f"{i}" for i in range(30)})
    run(files, LocalStorage(tmp_path / "alone"))
    with Near() as executor:
        run(files, out, executor=executor, workers=2)
    assert tree(out.root) == tree(tmp_path / "alone")
    back = [held for future in executor.futures for outcome in future.result() for held in outcome.packed]
    assert len(back) == 30
    assert not any(held.objects for held in back)


def test_a_disk_that_is_full_for_a_worker_stops_the_run(files, out, monkeypatch):
    files.write({f"{i:02}": "1" for i in range(30)})
    put = LocalStorage.put

    def full(self, key, data, **how):
        if self._shared:
            raise OSError(28, "no space left", key)
        put(self, key, data, **how)

    monkeypatch.setattr(LocalStorage, "put", full)
    with Near() as executor, pytest.raises(OSError, match="no space left"):
        run(files, out, executor=executor, workers=2)
    monkeypatch.undo()
    assert run(files, out).converted == 30, "nothing counts whose frames are not there"


def test_workers_write_beside_one_another(tmp_path):
    behind, ahead = LocalStorage(tmp_path), LocalStorage(tmp_path).for_workers()
    ahead.put("clips/a", b"whole")
    (tmp_path / "clips" / ".a.partial").write_bytes(b"wh")
    ahead.put("clips/a", b"again")
    assert behind.get("clips/a") == b"again"
    assert (tmp_path / "clips" / ".a.partial").read_bytes() == b"wh", "another's work is left alone"
