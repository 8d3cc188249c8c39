"""Motions made for tests, files that hold them, and a storage that dies on request."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from kinetoscope_dataset._storage import LocalStorage
from kinetoscope_spec import Asset, FormatError, Motion, Skeleton


def motion(seed: int, frames: int = 5, joints: int = 3, name: str = "walk", **extra: object) -> Motion:
    """Return a motion of a chain; even seeds share a skeleton, and so do odd ones."""
    rng = np.random.default_rng(seed)
    rest = [[0.0, 0.1 + seed % 2, 0.0]] * joints
    skeleton = Skeleton(tuple(f"j{i}" for i in range(joints)), np.arange(joints) - 1, rest)
    turns = rng.normal(size=(frames, joints, 4))
    turns /= np.linalg.norm(turns, axis=-1, keepdims=True)
    positions = rng.normal(size=(frames, joints, 3)).astype(np.float32)
    return Motion(skeleton, positions, turns.astype(np.float32), 30.0, name, **extra)


class Files:
    """A folder of files whose bytes are `seed` or `seed count` (as many motions), read by this very object."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.read: list[str] = []

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def motions(self, text: str) -> tuple[Motion, ...]:
        seed, count = (int(word) for word in (*text.split(), "1")[:2])
        return tuple(motion(seed, 3 + i, name=f"take {i}") for i in range(count))

    def __call__(self, path: Path) -> Asset | None:
        text = path.read_text()
        self.read.append(path.relative_to(self.root).as_posix())
        if text == "text":
            return None
        if text == "damaged":
            raise FormatError("is damaged", path=path, line=3)
        if text == "defect":
            raise ZeroDivisionError("oh")
        held = self.motions(text)
        skeleton = held[0].skeleton if held else motion(0).skeleton
        metadata = {"format": "drawn", "unit_m": 1.0, "axes": "+X+Y+Z"}
        return Asset(path.name, skeleton, held, metadata=metadata)


class Died(BaseException):
    """The process is gone: nothing catches it."""


class DyingStorage(LocalStorage):
    """A folder whose process dies at the n-th write or removal, before it or when it is half done."""

    def __init__(self, root: Path, at: int, half: bool) -> None:
        super().__init__(root)
        self.left, self.half = at, half

    def _step(self) -> bool:
        self.left -= 1
        if self.left < 0:
            raise Died
        return self.left == 0

    def put(self, key: str, data: bytes, *, unseen: bool = False) -> None:
        if self._step():
            if self.half:
                target = self.root / key
                target.parent.mkdir(parents=True, exist_ok=True)
                written = target if unseen else target.with_name(f".{target.name}.partial")
                written.write_bytes(data[: len(data) // 2])
            raise Died
        super().put(key, data, unseen=unseen)

    def remove(self, prefix: str) -> None:
        if self._step():
            if self.half:
                for path in sorted((self.root / prefix).rglob("*"))[:1]:
                    path.unlink() if path.is_file() else None
            raise Died
        super().remove(prefix)


class FailingStorage(LocalStorage):
    """A folder whose n-th operation, whichever it is, fails as a full disk or a lost network does."""

    class Full(OSError):
        """What it fails with."""

    def __init__(self, root: Path, at: int) -> None:
        super().__init__(root)
        self.left, self.calls = at, 0

    def _step(self) -> None:
        self.left, self.calls = self.left - 1, self.calls + 1
        if self.left == 0:
            raise self.Full(28, "no space left, or nobody there")

    def get(self, key: str, start: int | None = None, stop: int | None = None) -> bytes:
        self._step()
        return super().get(key, start, stop)

    def get_many(self, keys: Sequence[str]) -> dict[str, bytes]:
        self._step()
        return super().get_many(keys)

    def put(self, key: str, data: bytes, *, unseen: bool = False) -> None:
        self._step()
        super().put(key, data, unseen=unseen)

    def names(self, prefix: str = "") -> list[str]:
        self._step()
        return super().names(prefix)

    def remove(self, prefix: str) -> None:
        self._step()
        super().remove(prefix)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "files")


@pytest.fixture
def make() -> Callable[..., Motion]:
    return motion


@pytest.fixture
def dying() -> type[DyingStorage]:
    return DyingStorage


@pytest.fixture
def failing() -> type[FailingStorage]:
    return FailingStorage


@pytest.fixture
def died() -> type[BaseException]:
    return Died


@pytest.fixture
def tree() -> Callable[[Path], dict[str, bytes]]:
    """Return the bytes of every file below a folder."""

    def held(folder: Path) -> dict[str, bytes]:
        paths: Sequence[Path] = [path for path in folder.rglob("*") if path.is_file()]
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(paths)}

    return held


@pytest.fixture
def count() -> itertools.count[int]:
    return itertools.count()
