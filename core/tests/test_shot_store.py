"""What stages keep: there whole or not at all, within a limit, and read again as it was."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kinetoscope.shot.packing import (
    load_audio,
    load_cameras,
    load_motion,
    open_patches,
    save_audio,
    save_cameras,
    save_motion,
    save_patches,
)
from kinetoscope.shot.store import Store, key_of
from kinetoscope_spec import Audio, Camera, Cancelled, Cue, FormatError, Motion, Provenance, Skeleton, Video


def fill(store: Store, stage: str, key: str, size: int = 100, used: float | None = None) -> None:
    with store.making(stage, key) as folder:
        (folder / "held").write_bytes(bytes(size))
    if used is not None:
        os.utime(store.path(stage, key), (used, used))


def names(store: Store) -> list[str]:
    return [entry.key for entry in store.entries()]


def test_an_entry_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    store = Store(tmp_path, 1000)

    def broken(folder: Path) -> None:
        (folder / "held").write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.kept("speak", "a", broken, lambda folder: None)
    assert store.find("speak", "a") is None
    assert list((tmp_path / "speak").iterdir()) == []
    fill(store, "speak", "a")
    assert store.find("speak", "a") == tmp_path / "speak" / "a"


def test_the_longest_unused_goes_first_and_what_a_run_uses_stays(tmp_path: Path) -> None:
    roomy = Store(tmp_path, 10_000)
    for i, key in enumerate("abcd"):
        fill(roomy, "render", key, 100, used=1000.0 + i)
    run = Store(tmp_path, 250)
    assert run.find("render", "a") is not None  # used now, and by this run
    run.trim()
    assert sorted(names(run)) == ["a", "d"]
    fill(run, "render", "big", 400)
    assert sorted(names(run)) == ["a", "big"]  # beyond the limit, but in use


def test_what_a_killed_run_left_is_swept_after_a_day_and_is_no_entry(tmp_path: Path) -> None:
    store = Store(tmp_path, 1000)
    fill(store, "train", "a")
    fresh, old = tmp_path / "train" / ".b-fresh", tmp_path / "train" / ".c-old"
    for folder in (fresh, old):
        folder.mkdir()
    past = time.time() - 2 * 86_400
    os.utime(old, (past, past))
    store.trim()
    assert fresh.is_dir()
    assert not old.exists()
    assert names(store) == ["a"]
    assert [entry.key for entry in store.clear()] == ["a"]
    assert not fresh.exists()


def test_a_stage_is_cleared_alone(tmp_path: Path) -> None:
    store = Store(tmp_path, 1000)
    fill(store, "train", "a")
    fill(store, "speak", "b")
    store.clear("train")
    assert names(store) == ["b"]


def test_what_can_not_be_read_is_made_again(tmp_path: Path) -> None:
    store, made = Store(tmp_path, 1000), []

    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "number").write_text("42")

    def load(folder: Path) -> int:
        return int((folder / "number").read_text())

    assert store.kept("plant", "a", make, load) == (42, False)
    assert store.kept("plant", "a", make, load) == (42, True)
    (tmp_path / "plant" / "a" / "number").write_text("forty-two")
    assert store.kept("plant", "a", make, load) == (42, False)
    assert store.kept("plant", "a", make, load, fresh=True) == (42, False)
    assert len(made) == 3


def test_of_several_who_want_the_same_one_makes_it(tmp_path: Path) -> None:
    made = []

    def make(folder: Path) -> None:
        made.append(folder)
        time.sleep(0.05)
        (folder / "number").write_text("42")

    def run(_: int) -> tuple[int, bool]:
        return Store(tmp_path, 10**6).kept(
            "train", "a", make, lambda folder: int((folder / "number").read_text())
        )

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(run, range(4))) == [(42, False), (42, True), (42, True), (42, True)]
    assert len(made) == 1
    store = Store(tmp_path, 10**6)
    store.clear()
    assert list(tmp_path.glob("*/*")) == []


def test_made_anew_by_one_and_read_by_others_it_is_always_there(tmp_path: Path) -> None:
    """`--from` in two runs at once, and a third that only reads: nobody meets half of it, or nothing."""

    def make(folder: Path) -> None:
        for name in "ab":
            (folder / name).write_text("42")

    def load(folder: Path) -> int:
        return sum(int((folder / name).read_text()) for name in "ab")

    def run(fresh: bool) -> set[int]:
        found = set()
        for _ in range(150):
            found.add(Store(tmp_path, 10**6).kept("plant", "a", make, load, fresh=fresh)[0])
        return found

    with ThreadPoolExecutor(4) as threads:
        assert set().union(*threads.map(run, [True, True, False, False])) == {84}
    assert [path.name for path in (tmp_path / "plant").iterdir()] == ["a"]


def test_what_is_made_anew_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    store = Store(tmp_path, 10**6)
    fill(store, "train", "a")

    def broken(folder: Path) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.kept("train", "a", broken, lambda folder: None, fresh=True)
    assert store.find("train", "a") is not None


CLAIM = """
import sys, time
from pathlib import Path
from kinetoscope.shot.store import Store
def make(folder):
    print("at it", flush=True)
    time.sleep(600)
Store(Path(sys.argv[1]), 10**6).kept("train", "a", make, lambda folder: None)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="sends SIGKILL")
def test_who_waits_can_be_cancelled_and_goes_on_when_the_other_is_killed(tmp_path: Path) -> None:
    def make(folder: Path) -> None:
        (folder / "number").write_text("42")

    def cancel() -> None:
        raise Cancelled("enough")

    def kill() -> None:
        process.kill()

    with subprocess.Popen(
        [sys.executable, "-c", CLAIM, tmp_path], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "at it\n"
        store = Store(tmp_path, 10**6)
        with pytest.raises(Cancelled):
            store.kept("train", "a", make, lambda folder: None, waiting=cancel)
        assert store.find("train", "a") is None
        text, cached = store.kept("train", "a", make, lambda f: (f / "number").read_text(), waiting=kill)
    assert (text, cached) == ("42", False)


def test_what_somebody_makes_is_not_taken_away_for_room(tmp_path: Path) -> None:
    roomy = Store(tmp_path, 10_000)
    fill(roomy, "render", "a", 100, used=1000.0)
    fill(roomy, "render", "b", 100, used=1001.0)

    def make(folder: Path) -> None:
        other.trim()
        assert names(other) == ["a"]  # older than b, and claimed

    other = Store(tmp_path, 150)
    roomy.kept("render", "a", make, lambda folder: None, fresh=True)


@pytest.mark.skipif(sys.platform == "win32", reason="another call locks files there")
@pytest.mark.parametrize("refusal", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_where_no_files_can_be_locked_it_goes_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: int
) -> None:
    """Network file systems without a lock service."""
    roomy = Store(tmp_path, 10_000)
    fill(roomy, "render", "old", 100, used=1000.0)

    def flock(*_: object) -> None:
        raise OSError(refusal, os.strerror(refusal))

    monkeypatch.setattr("fcntl.flock", flock)
    store = Store(tmp_path, 150)

    def make(folder: Path) -> None:
        (folder / "held").write_bytes(bytes(100))

    def enough() -> None:
        raise AssertionError("nobody is waited for")

    for cached in (False, True):
        assert store.kept("render", "new", make, lambda f: len((f / "held").read_bytes()), waiting=enough) == (
            100, cached,
        )  # fmt: skip
    assert names(store) == ["new"]
    assert [entry.key for entry in store.clear()] == ["new"]


@pytest.mark.skipif(sys.platform == "win32", reason="another call locks files there")
def test_an_entry_whose_lock_is_somebody_elses_stays_and_the_work_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roomy = Store(tmp_path, 10_000)
    fill(roomy, "render", "theirs", 100, used=1000.0)
    opened = os.open

    def denied(path: object, *args: Any, **options: Any) -> int:
        if str(path).endswith("render-theirs"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("os.open", denied)
    fill(store := Store(tmp_path, 150), "render", "new")
    assert names(store) == ["theirs", "new"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON, JSON)
def test_keys_are_those_of_values(a: object, b: object) -> None:
    import json

    same = json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)
    assert (key_of(a) == key_of(b)) == same


def test_a_motion_comes_back_as_it_was(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    skeleton = Skeleton(["a", "b", "c"], [-1, 0, 1], rng.normal(size=(3, 3)))
    turns = rng.normal(size=(4, 3, 4))
    motion = Motion(
        skeleton,
        rng.normal(size=(4, 3, 3)),
        turns / np.linalg.norm(turns, axis=-1, keepdims=True),
        29.97,
        "walk",
        rng.uniform(0.5, 2, (4, 3, 3)),
        1.5,
        {"jawOpen": rng.uniform(size=4), "smile/left": rng.uniform(size=4)},
    )
    save_motion(tmp_path / "motion.npz", motion)
    back = load_motion(tmp_path / "motion.npz")
    assert (back.name, back.framerate, back.start_time) == ("walk", 29.97, 1.5)
    assert back.skeleton.names == skeleton.names
    for name in ("positions", "rotations", "scales"):
        assert np.array_equal(getattr(back, name), getattr(motion, name))
    assert {k: v.tolist() for k, v in back.morph_weights.items()} == {
        k: v.tolist() for k, v in motion.morph_weights.items()
    }


def test_a_sound_and_cameras_come_back_as_they_were(tmp_path: Path) -> None:
    made = Provenance("espeak", voice="en", watermark="perth", details={"a": 1})
    cues = [Cue("word", "hello", 0.0, 0.4), Cue("viseme", "aa", 0.1, 0.2, source="aligned")]
    audio = Audio(np.linspace(-1, 1, 22_050, dtype=np.float32)[:, None], 22_050, cues, made)
    save_audio(tmp_path / "audio.npz", audio)
    back = load_audio(tmp_path / "audio.npz")
    assert np.array_equal(back.samples, audio.samples)
    assert (back.rate, back.cues, back.provenance) == (audio.rate, audio.cues, made)
    cameras = [Camera([0, 1, i], [0, 0, -5], [0, 1, 0], 0.7) for i in (3, 4)]
    save_cameras(tmp_path / "cameras.npz", cameras, {"still": False})
    again, told = load_cameras(tmp_path / "cameras.npz")
    assert told == {"still": False}
    assert [list(c.position) for c in again] == [[0, 1, 3], [0, 1, 4]]


FILMS = arrays(np.uint8, st.tuples(st.integers(1, 3), st.integers(1, 8), st.integers(1, 8), st.just(3)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(FILMS, st.randoms(use_true_random=False))
def test_patches_are_the_film_exactly(tmp_path: Path, film: np.ndarray, random: object) -> None:
    changed = film.copy()
    rows = random.randint(0, film.shape[1])  # type: ignore[attr-defined]
    changed[:, :rows] ^= 7

    def video(frames: np.ndarray) -> Video:
        return Video(film.shape[2], film.shape[1], 25, lambda a, b: iter(frames[a:b]), len(frames))

    assert save_patches(tmp_path / "clean.zip", video(film), video(changed)) == len(film)
    back = open_patches(tmp_path / "clean.zip", video(film))
    assert np.array_equal(np.stack(list(back.frames())), changed)
    assert np.array_equal(np.stack(list(back.frames(len(film) - 1))), changed[-1:])


def test_damaged_files_are_format_errors(tmp_path: Path) -> None:
    path = tmp_path / "damaged"
    path.write_bytes(b"PK\x03\x04 and nothing else")
    with pytest.raises(FormatError, match="damaged"):
        load_motion(path)
    with pytest.raises(FormatError, match="damaged"):
        open_patches(path, Video(2, 2, 25, lambda a, b: iter(()), 0))
