"""Many files: in order, on threads, ahead by a chunk at most; the same answers as one by one."""

from __future__ import annotations

import asyncio
import io
import random
import zipfile
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kinetoscope_magika import detect as module
from kinetoscope_magika._fastnet import NumpyNetwork
from kinetoscope_magika.detect import MagikaDetector, OnnxDetector
from kinetoscope_spec import ConfigError

COMPILED = MagikaDetector(network=NumpyNetwork(compiled=True))
PLAIN = MagikaDetector(network=NumpyNetwork(compiled=False))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Text, noise, an array in a zip, nothing, and what is not there."""
    folder = tmp_path_factory.mktemp("files")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.npy", b"x")
    contents = [
        Path(__file__).read_bytes(),
        random.Random(1).randbytes(5000),
        stream.getvalue(),
        b"",
        b"word",
    ]
    contents += [random.Random(i).randbytes(30) * 50 for i in range(20)]
    for i, content in enumerate(contents):
        (folder / str(i)).write_bytes(content)
    return [*sorted(folder.iterdir()), folder / "missing", folder]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chosen=st.lists(st.integers(0, 26), max_size=60), jobs=st.integers(1, 4), audit=st.booleans())
def test_threads_change_neither_answers_nor_order(
    files: list[Path], chosen: list[int], jobs: int, audit: bool
) -> None:
    paths = [files[i] for i in chosen]
    one_by_one = [PLAIN.detect(path, audit=audit) for path in paths]
    assert COMPILED.detect_many(paths, audit=audit, jobs=jobs) == one_by_one
    assert [found.path for found in one_by_one] == [str(path) for path in paths]


def test_paths_are_read_ahead_by_a_chunk_at_most(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CHUNK", 5)
    taken = 0

    def endless() -> Iterator[Path]:
        nonlocal taken
        for i in count():
            taken += 1
            yield files[i % len(files)]

    found = list(islice(PLAIN.detect_each(endless()), 12))
    assert [item.path for item in found] == [str(files[i]) for i in range(12)]
    assert taken == 15


def test_a_caller_may_ask_between_two_answers(files: list[Path]) -> None:
    """Nothing is locked while an answer is out."""
    for found in PLAIN.detect_each(files[:4]):
        assert PLAIN.detect(str(found.path)) == found


def test_a_wrong_mode_is_told_before_the_first_answer_is_asked_for() -> None:
    with pytest.raises(ConfigError):
        PLAIN.detect_each([], "strict")


def test_the_async_twins_answer_alike(files: list[Path]) -> None:
    async def both() -> None:
        assert await PLAIN.adetect(files[0], "best-guess") == PLAIN.detect(files[0], "best-guess")
        assert await PLAIN.adetect_many(files, audit=True) == PLAIN.detect_many(files, audit=True)

    asyncio.run(both())


def test_the_reference_takes_many_too(files: list[Path]) -> None:
    reference = OnnxDetector()
    for ours, theirs in zip(COMPILED.detect_many(files), reference.detect_many(files, jobs=2), strict=True):
        assert ours.label == theirs.label
        assert abs(ours.score - theirs.score) < 4e-3


def test_extensions_are_the_packages_and_the_signatures() -> None:
    table = PLAIN.extensions()
    assert table["fbx"] == {"fbx"}
    assert "glb" in table["vrm"]
    assert "python" in table["py"]
    assert all(key == key.lower() and not key.startswith(".") for key in table)
    assert {label for labels in table.values() for label in labels} <= PLAIN.labels()
