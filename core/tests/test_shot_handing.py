"""What is drawn reaches its workers once, as it was, and nothing of it stays; what was changed is not looked at."""

from __future__ import annotations

import os
import pickle
import stat
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetoscope.shot.handing import Handed, handed
from kinetoscope.shot.store import LEFT_BEHIND_S, Store
from kinetoscope_spec import KinetoscopeError


class Near(ThreadPoolExecutor):
    """An executor whose workers find this machine's files."""

    same_files = True


def bytes_of(given: Handed) -> int:
    """Return how many bytes a call takes with it."""
    return len(pickle.dumps(given))


@given(st.dictionaries(st.text(), st.binary() | st.floats(allow_nan=False)))
def test_it_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, value: dict[str, Any]) -> None:
    folder = tmp_path_factory.mktemp("cache")
    for kind in (Near, ThreadPoolExecutor):
        with kind(1) as executor, handed(value, executor, folder) as sent:
            assert pickle.loads(pickle.dumps(sent)).taken() == value
            assert sent.digest == Handed(sent.digest, pickle.dumps(value)).digest
        assert list(folder.iterdir()) == []


def test_a_call_carries_a_name_where_files_are_the_same_and_all_of_it_elsewhere(tmp_path: Path) -> None:
    sizes = {}
    for kind in (Near, ThreadPoolExecutor):
        for size in (10, 10**6):
            with kind(1) as executor, handed(b"." * size, executor, tmp_path / "cache") as sent:
                sizes[kind, size] = bytes_of(sent)
    assert sizes[Near, 10] == sizes[Near, 10**6] < 1000
    assert sizes[ThreadPoolExecutor, 10**6] > 10**6


def test_nobody_else_may_read_it_and_it_is_gone_when_the_calls_are(tmp_path: Path) -> None:
    for error in (None, ZeroDivisionError()):
        with suppress(ZeroDivisionError), handed("a secret", Near(1), tmp_path) as sent:
            assert isinstance(sent.held, Path)
            assert sent.held.parent.parent == tmp_path
            assert stat.S_IMODE(sent.held.parent.stat().st_mode) & 0o077 == 0
            if error:
                raise error
        assert list(tmp_path.iterdir()) == []
        with pytest.raises(KinetoscopeError, match="can't be read"):
            sent.taken()


class Bomb:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return Path.touch, (self.file,)


def test_what_somebody_else_put_there_is_not_looked_at(tmp_path: Path) -> None:
    mark = tmp_path / "went off"
    pickle.loads(pickle.dumps(Bomb(mark)))
    assert mark.exists()  # it does go off
    mark.unlink()
    with handed("a drawing", Near(1), tmp_path / "cache") as sent:
        assert isinstance(sent.held, Path)
        sent.held.write_bytes(pickle.dumps(Bomb(mark)))
        with pytest.raises(KinetoscopeError, match="was changed on its way"):
            sent.taken()
        with pytest.raises(KinetoscopeError, match="was changed on its way"):
            attrs.evolve(sent, held=pickle.dumps(Bomb(mark))).taken()
    assert not mark.exists()


def test_where_nothing_can_be_written_calls_carry_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with handed("a drawing", Near(1), tmp_path / "file" / "draw") as sent:
        assert isinstance(sent.held, bytes)
        assert sent.taken() == "a drawing"


def test_what_is_in_use_is_not_swept_up(tmp_path: Path) -> None:
    """The cache takes away what was left unfinished a day ago; a film may take longer."""
    with handed("a drawing", Near(1), tmp_path / "draw") as sent:
        assert isinstance(sent.held, Path)
        for used in (True, False):
            os.utime(sent.held.parent, (0, sent.held.stat().st_mtime - 2 * LEFT_BEHIND_S))
            if used:
                sent.keep()
            Store(tmp_path, 10**9).trim()
            assert sent.held.exists() == used


def test_processes_find_it(tmp_path: Path) -> None:
    # A fork would copy a process whose other tests have started threads.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        executor.same_files = True  # type: ignore[attr-defined]
        with handed([1, 2], executor, tmp_path) as sent:
            assert isinstance(sent.held, Path)
            assert executor.submit(Handed.taken, sent).result() == [1, 2]
