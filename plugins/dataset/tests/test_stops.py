"""The process may die at any write: what a reader then finds, and what the next run makes of it."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from kinetoscope_dataset import Dataset
from kinetoscope_dataset._convert import convert
from kinetoscope_dataset._storage import LocalStorage

OLD = {"a": "1", "b": "2 2", "deep/a": "3", "gone": "4 3"}
NEW = {"a": "1", "b": "5 3", "deep/a": "6", "new": "8 2"}


def versions(files, held):
    """Return what a reader may see of each source: the positions of its clips."""
    return {name: tuple(m.positions.tobytes() for m in files.motions(text)) for name, text in held.items()}


def seen(where):
    found = {}
    data = Dataset.open(where)
    for clip, motion in zip(data.clips, data, strict=True):
        found[clip.source] = (*found.get(clip.source, ()), motion.positions.tobytes())
    return found


def run(files, storage):
    return convert([files.root], storage, read=files, prune=True)


@pytest.mark.parametrize("half", [False, True])
def test_a_first_run_that_dies_at_any_write(files, dying, died, tree, tmp_path, count, half):
    files.write(NEW)
    run(files, LocalStorage(tmp_path / "whole"))
    whole, possible = tree(tmp_path / "whole"), versions(files, NEW)
    most = 0
    for n in count:
        where = tmp_path / f"n{n}"
        try:
            run(files, dying(where, n, half))
            break
        except died:
            pass
        if (where / "zarr.json").exists():
            held = seen(where)
            assert all(possible[name] == clips for name, clips in held.items())
            assert len(held) >= most, "what was stored before is lost"
            most = len(held)
        files.read.clear()
        report = run(files, LocalStorage(where))
        assert report.failed == ()
        assert len(files.read) <= len(NEW) - most
        assert tree(where) == whole
    assert n > 20
    assert most == len(NEW)


@pytest.mark.parametrize("half", [False, True])
def test_a_renewal_that_dies_at_any_write(files, dying, died, tree, tmp_path, count, half):
    def renewed(where, storage):
        for name in OLD:
            (files.root / name).unlink(missing_ok=True)
        for path in files.root.rglob("*"):
            assert path.is_dir() or path.name in ("new", "a", "b")
        files.write(OLD)
        (files.root / "new").unlink(missing_ok=True)
        run(files, LocalStorage(where))
        (files.root / "gone").unlink()
        files.write(NEW)
        run(files, storage)

    renewed(tmp_path / "whole", LocalStorage(tmp_path / "whole"))
    whole, old, new = tree(tmp_path / "whole"), versions(files, OLD), versions(files, NEW)
    for n in count:
        where = tmp_path / f"n{n}"
        try:
            renewed(where, dying(where, n, half))
            break
        except died:
            pass
        held = seen(where)
        assert held.keys() >= {"a", "b", "deep/a"}, "a source that is being renewed is never missing"
        for name, clips in held.items():
            assert clips in (old.get(name), new.get(name)), name
        run(files, LocalStorage(where))
        assert tree(where) == whole
    assert n > 12


def test_any_operation_of_the_storage_that_fails_is_told_and_made_up_for(
    files, failing, tree, tmp_path, count
):
    """Reads, listings, writes, removals: the run stops with the storage's error, the next one ends well."""

    def prepared(where):
        for path in [path for path in files.root.rglob("*") if path.is_file()]:
            path.unlink()
        files.write(OLD)
        run(files, LocalStorage(where))
        (files.root / "gone").unlink()
        files.write(NEW)

    prepared(tmp_path / "whole")
    run(files, LocalStorage(tmp_path / "whole"))
    whole, old, new = tree(tmp_path / "whole"), versions(files, OLD), versions(files, NEW)
    for n in itertools.islice(count, 1, None):
        where = tmp_path / f"n{n}"
        prepared(where)
        storage = failing(where, n)
        with contextlib.suppress(failing.Full):
            assert run(files, storage).failed == ()
        held = seen(where)
        assert held.keys() >= {"a", "b", "deep/a"}
        assert all(clips in (old.get(name), new.get(name)) for name, clips in held.items())
        assert run(files, LocalStorage(where)).failed == ()
        assert tree(where) == whole
        if storage.calls < n:
            break
    assert n > 25


def test_files_without_a_motion_are_remembered_before_the_end(
    files, dying, died, tree, tmp_path, monkeypatch
):
    monkeypatch.setattr("kinetoscope_dataset._writer.UNSAVED", 2)
    files.write({f"{i}": "1 0" for i in range(8)})
    with pytest.raises(died):
        run(files, dying(tmp_path / "data", 8, half=True))  # five documents, then the index again and again
    assert len(files.read) == 6
    files.read.clear()
    report = run(files, LocalStorage(tmp_path / "data"))
    assert (report.unchanged, report.skipped, len(files.read)) == (4, 4, 4)
    run(files, LocalStorage(tmp_path / "whole"))
    assert tree(tmp_path / "data") == tree(tmp_path / "whole")


CODE = """
    import sys, time
    from pathlib import Path
    from kinetoscope_dataset.provider import ZarrDatasets
    from kinetoscope_dataset._storage import LocalStorage
    from kinetoscope_spec import Asset, Motion, Skeleton
    import numpy as np
    put = LocalStorage.put
    def slow(self, key, data, **how):
        time.sleep(0.004)
        put(self, key, data, **how)
    LocalStorage.put = slow
    def read(path):
        seed = int(path.read_text())
        skeleton = Skeleton(("a", "b"), (-1, 0), [[0, 0, 0], [0, 1, 0]])
        positions = np.random.default_rng(seed).normal(size=(700, 2, 3)).astype(np.float32)
        motion = Motion(skeleton, positions, np.tile(np.float32([0, 0, 0, 1]), (700, 2, 1)), 30, path.name)
        return Asset(path.name, skeleton, (motion,))
    report = ZarrDatasets().convert([sys.argv[1]], sys.argv[2], read=read)
    print(report.converted, report.unchanged)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="sends SIGKILL")
def test_kill_9_again_and_again(files, tree, tmp_path):
    files.write({f"{i}": f"{i}" for i in range(60)})
    words = [sys.executable, "-c", textwrap.dedent(CODE), str(files.root)]
    subprocess.run([*words, str(tmp_path / "whole")], check=True, capture_output=True)
    where, seen_before, kills = tmp_path / "killed", 0, 0
    while True:
        process = subprocess.Popen([*words, str(where)], stdout=subprocess.PIPE, text=True)
        wanted = seen_before + 15
        while process.poll() is None and len(list(where.glob("clips/*/zarr.json"))) < wanted:
            time.sleep(0.01)
        if process.poll() is not None:
            break
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        kills += 1
        documents = len(list(where.glob("clips/*/zarr.json")))
        assert len(Dataset.open(where)) == documents >= wanted, "what was stored is there"
        seen_before = documents
        assert all(motion.frame_count == 700 for motion in Dataset.open(where))
    told = process.communicate()[0].split()
    assert kills >= 3
    assert told == [str(60 - seen_before), str(seen_before)], "the last run did what was missing"
    left = {name: data for name, data in tree(where).items() if not name.endswith(".partial")}
    assert left == tree(tmp_path / "whole")


def test_one_writer_at_a_time(files, tmp_path):
    pytest.importorskip("fcntl")
    files.write({"a": "1"})
    storage = LocalStorage(tmp_path / "data")
    with storage.locked():
        code = "import sys; from kinetoscope_dataset import Dataset; Dataset.create(sys.argv[1])"
        done = subprocess.run(
            [sys.executable, "-c", code, storage.url], capture_output=True, text=True, check=False
        )
    assert "another process" in done.stderr
    assert Path(storage.url).is_dir()
    assert run(files, storage).converted == 1
