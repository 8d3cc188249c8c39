"""The contract of the hook `detector`: an answer for any bytes and any path, never by the name."""

from __future__ import annotations

import io
import itertools
import math
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

import hypothesis
from hypothesis import strategies as st

from kinetoscope_spec.contracts import strategies
from kinetoscope_spec.contracts._bounds import bounded_memory, bounded_time
from kinetoscope_spec.contracts._contract import Contract
from kinetoscope_spec.contracts._law import law, require
from kinetoscope_spec.detection import MODES, Detection
from kinetoscope_spec.errors import ConfigError, ContractError

__all__ = ["DetectorContract"]

SECONDS = 20.0
"""What looking at one file may take: far more than any detector needs, far less than for ever."""

PIPE_S = 5.0
"""After so long a detector that waits for a pipe's writer is let go, and has broken the law."""

BYTES = 64 << 20
"""What looking at one file may take of memory, whatever its size."""

LARGE = 256 << 20
"""Bytes of a file that must not be read whole; it has a hole in its middle and takes no room."""

REFUSALS = ("unknown", "txt")
"""What a stricter mode may say in place of a label."""

CONTENTS = (
    b"",
    b"x",
    b"plain words\n" * 20,
    "Wörter, 言葉, слова\n".encode("utf-16"),
    b'{"asset": {"version": "2.0"}, "nodes": []}\n',
    b"import sys\n\n\ndef main() -> int:\n    print(sys.argv)\n    return 0\n" * 4,
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0\x90wS\xde",
    b"PK\3\4\x14\0\0\0\0\0" + bytes(20) + b"a.txt",
    b"\x7fELF\2\1\1" + bytes(57),
    b"HIERARCHY\nROOT Hips\n{\n\tOFFSET 0 0 0\n\tCHANNELS 3 Zrotation Xrotation Yrotation\n}\nMOTION\n",
    bytes(range(256)) * 40,
    b" " * 5000 + b"#!/bin/sh\necho behind blanks\n",
)
"""Content of many kinds, some of it larger than what detectors look at."""

NAMES = ("a.bvh", "b.png", "c.exe", "d.txt", "no suffix", ".hidden", "ünï 言葉.json", "x" * 200)
ODD_NAMES = ("line\nbreak.bvh", "tab\there", "no utf-8 \udcff\udc80.txt", "-rf", "*?")
"""Names that files may have and that break who prints, splits or encodes them."""

MIDDLES = (b"\0", b"words and more words\n", b"PK\3\4", bytes(range(256)), b"\x7fELF\2\1\1\0")
"""What is put where a detector with a `window` does not look."""

AHEAD = 5000
"""Paths that `detect_each` must not have taken before its first answer: fewer are its own affair."""

MISTAKEN_MODES = ("high-confidance", "HIGH-CONFIDENCE", "strict", "", "0.9")

Found = tuple[str, str, str, float, bool]


class DetectorContract(Contract):
    """What callers of a detector rely on.

    Attributes:
        samples: content besides the kit's own that detection is tried on, whole and damaged.
        known: label to files that must be given it, in every mode.
        window: how many bytes it looks at at each end of a file, blanks in front not counted; None if
            it may look anywhere.
    """

    hook: ClassVar[str] = "detector"
    mutants: ClassVar[str | None] = "kinetoscope_spec.contracts.mutants.detector:MUTANTS"
    samples: Sequence[bytes] = ()
    known: Mapping[str, Sequence[bytes]] = {}
    window: int | None = None

    def contents(self) -> st.SearchStrategy[bytes]:
        """Return content to detect: samples, whole and damaged, and runs about the size of a window."""
        held = (*CONTENTS, *self.samples, *(data for files in self.known.values() for data in files))
        size = st.sampled_from((0, 1, 7, 8, 1024, 4095, 4096, 4097, 9000))
        runs = st.builds(lambda n, piece: (piece * n)[:n], size, st.binary(min_size=1, max_size=16))
        return st.one_of(st.sampled_from(held), strategies.file_bytes(held), runs)

    # -- laws

    @law("contents", st.sampled_from(MODES), cost=0.5)
    def test_any_bytes_have_an_answer(self, data: bytes, mode: str) -> None:
        """Any bytes end in a `Detection` in the mode that was asked for, in bounded time and memory."""
        what = f"detecting {len(data)} bytes"
        with bounded_memory(BYTES, what), bounded_time(SECONDS, what):
            found = self.subject.detect(data, mode)
        require(isinstance(found, Detection), f"detect returned {type(found).__name__}, expected a Detection")
        require(found.error is None, f"bytes were read with the error {found.error!r}, expected None")
        require(found.mode == mode, f"asked in mode {mode!r}, the answer says {found.mode!r}")

    @law(st.sampled_from(MODES), cost=5)
    def test_any_path_has_an_answer(self, mode: str) -> None:
        """What can't be read is `unknown` and says why in `error`; what is no file has a label or an error.

        Neither raises, and nothing is waited for: not the writer of a pipe either. A file that can be
        read is read whatever its name holds: line breaks, or bytes that are no UTF-8.
        """
        with self.folder() as folder:
            for odd in _oddly_named(folder):
                found = self.subject.detect(odd, mode)
                require(found.error is None, f"{_short(odd)} can be read, but has the error {found.error!r}")
                require(found.path == str(odd), f"the answer for {_short(odd)} names {found.path!r}")
            for path in _unreadable(folder):
                found = self.subject.detect(path, mode)
                require(bool(found.error), f"{_short(path)} can't be read, expected the reason in `error`")
                require(
                    found.label == "unknown",
                    f"{_short(path)} can't be read but is called {found.label!r}, expected 'unknown'",
                )
                require(found.path == str(path), f"the answer for {_short(path)} names {found.path!r}")
            for path in _no_files(folder):
                with _never_waiting(path):
                    found = self.subject.detect(path, mode)
                require(
                    found.error or found.label != "unknown",
                    f"{_short(path)} is no file but 'unknown', expected a label or an error",
                )

    @law("contents", "contents", st.sampled_from(MODES))
    def test_detection_is_deterministic(self, data: bytes, between: bytes, mode: str) -> None:
        """The same bytes give an equal `Detection`, whatever was asked between."""
        first = self._detect(data, mode)
        self._detect(between, mode)
        again = self._detect(data, mode)
        require(first == again, f"first {first}, then {again}")

    @law(st.data(), st.sampled_from(MODES), cost=2)
    def test_a_batch_equals_its_files_one_by_one(self, data: Any, mode: str) -> None:
        """`detect_many` answers for every path, in order, as `detect` does; a bad path loses none of the others."""
        contents = data.draw(st.lists(self.contents(), min_size=1, max_size=4), label="files")
        with self.folder() as folder:
            paths = [_written(folder / str(i), content) for i, content in enumerate(contents)]
            asked = data.draw(st.permutations([*paths, *paths[:1], folder / "missing"]), label="paths")
            many = self.subject.detect_many(iter(asked), mode)
            require(len(many) == len(asked), f"{len(asked)} paths were asked about, {len(many)} answered")
            for i, (path, found) in enumerate(zip(asked, many, strict=True)):
                where = f"answer {i} of the batch, for {path.name!r},"
                require(found.path == str(path), f"{where} names {found.path!r}: the order is not kept")
                if path.name == "missing":
                    require(found.error, f"{where} has no error, expected why it can't be read")
                else:
                    alone = self._detect(path, mode)
                    require(_what(found) == _what(alone), f"{where} is {_said(found)}, alone {_said(alone)}")

    @law(st.data(), st.sampled_from(MODES), cost=10, unless="never_streams")
    def test_answers_come_as_they_are_found(self, data: Any, mode: str) -> None:
        """`detect_each`, where there is one, yields what `detect_many` returns, and takes no path long before.

        Its paths may have no end.
        """
        contents = data.draw(st.lists(self.contents(), min_size=1, max_size=3), label="files")
        with self.folder() as folder:
            paths = [_written(folder / str(i), content) for i, content in enumerate(contents)]
            asked = [*paths, folder / "missing", *paths[:1]]
            each = list(self.subject.detect_each(iter(asked), mode))
            many = self.subject.detect_many(asked, mode)
            said = [
                [(found.path, bool(found.error), _what(found)) for found in ones] for ones in (each, many)
            ]
            require(said[0] == said[1], f"detect_each says {said[0]}, detect_many {said[1]}")
            taken = itertools.count()
            first = next(iter(self.subject.detect_each(_counted(paths[0], taken), mode)))
            require(first.path == str(paths[0]), f"the first answer names {first.path!r}, not the first path")
            many_taken = next(taken)
            require(
                many_taken < AHEAD,
                f"{many_taken} paths were taken before the first answer, expected fewer than {AHEAD}",
            )

    @law("contents", st.sampled_from(MODES))
    def test_labels_are_declared(self, data: bytes, mode: str) -> None:
        """Every label that is given is among `labels()`."""
        declared = set(self.subject.labels())
        with self.folder() as folder:
            given = [self._detect(source, mode) for source in (data, b"", folder, folder / "missing")]
        for found in given:
            require(
                found.label in declared,
                f"the label {found.label!r} is not among the {len(declared)} declared",
            )

    @law("contents", st.sampled_from(MODES))
    def test_scores_are_plain_numbers_from_0_to_1(self, data: bytes, mode: str) -> None:
        """The score is a Python number, as JSON can hold, from 0 to 1."""
        score = self._detect(data, mode).score
        require(type(score) in (int, float), f"the score is a {type(score).__name__}, expected a float")
        require(math.isfinite(score) and 0 <= score <= 1, f"the score is {score}, expected 0 to 1")

    @law("contents")
    def test_stricter_modes_only_refuse(self, data: bytes) -> None:
        """From one mode to a stricter one a label stays, or becomes `unknown` or `txt`; none appears."""
        labels = [self._detect(data, mode).label for mode in MODES]
        for i in range(1, len(MODES)):
            require(
                labels[i] in (labels[i - 1], *REFUSALS),
                f"{MODES[i - 1]!r} says {labels[i - 1]!r} and the stricter {MODES[i]!r} says {labels[i]!r}, "
                f"expected the same or one of {REFUSALS}",
            )

    @law(st.sampled_from(MISTAKEN_MODES), cost=10)
    def test_unknown_modes_are_refused(self, mode: str) -> None:
        """A mode that is none of `MODES` is a `ConfigError` that names those there are."""
        for call, source in ((self.subject.detect, b"words"), (self.subject.detect_many, [])):
            try:
                found = call(source, mode)
            except ConfigError as error:
                missing = [known for known in MODES if known not in str(error)]
                require(not missing, f"the error about mode {mode!r} does not name {missing}: {error}")
            else:
                given = found if isinstance(found, list) else _said(found)
                raise ContractError(f"mode {mode!r} was answered with {given}, expected a ConfigError")

    @law("contents", st.sampled_from(MODES), cost=2)
    def test_the_name_never_matters(self, data: bytes, mode: str) -> None:
        """The same bytes are the same under every file name."""
        with self.folder() as folder:
            plain = self._detect(_written(folder / "0", data), mode)
            for name in NAMES:
                found = self._detect(_written(folder / name, data), mode)
                require(
                    _what(found) == _what(plain),
                    f"named {_short(name)} it is {_said(found)}, named '0' it is {_said(plain)}",
                )

    @law("contents", "contents", st.permutations(MIDDLES), cost=2, unless="looks_anywhere")
    def test_the_middle_never_matters(self, front: bytes, back: bytes, middles: list[bytes]) -> None:
        """Beyond its `window` at each end a file's content changes nothing."""
        size = self.window or 0
        front, back = (front + b"#" * size)[:size], (b"#" * size + back)[-size:]
        if not front.strip():
            hypothesis.reject()  # what follows blanks may be looked at
        one, other = (front + (middle * 5 * size)[: 5 * size] + back for middle in middles[:2])
        found, again = self._detect(one, MODES[-1]), self._detect(other, MODES[-1])
        require(
            _what(found) == _what(again),
            f"around {middles[0][:8]!r} it is {_said(found)}, around {middles[1][:8]!r} it is {_said(again)}",
        )

    @law("contents", st.integers(0, 9000), st.sampled_from(MODES))
    def test_path_bytes_and_stream_agree(self, data: bytes, place: int, mode: str) -> None:
        """A path, its bytes, and a stream over them, wherever it stands, are answered alike."""
        expected = self._detect(data, mode)
        with self.folder() as folder:
            path = _written(folder / "0", data)
            with path.open("rb") as opened:
                stream = io.BytesIO(data)
                stream.seek(min(place, len(data)))
                sources = {"Path": path, "str": str(path), "stream": stream, "open file": opened}
                for name, source in sources.items():
                    found = self._detect(source, mode)
                    require(
                        _what(found) == _what(expected),
                        f"as bytes it is {_said(expected)}, as {name} it is {_said(found)}",
                    )

    @law("contents", st.integers(0, 9000))
    def test_a_stream_keeps_its_place(self, data: bytes, place: int) -> None:
        """A stream stands afterwards where it stood before, and is still open."""
        stream = io.BytesIO(data)
        stream.seek(min(place, len(data)))
        before = stream.tell()
        self._detect(stream, MODES[-1])
        require(not stream.closed, "the stream was closed")
        require(stream.tell() == before, f"the stream stood at {before} and now at {stream.tell()}")

    @law("contents", cost=2)
    def test_the_file_is_left_alone(self, data: bytes) -> None:
        """Detection changes neither the file nor what lies beside it."""
        with self.folder() as folder:
            path = _written(folder / "0", data)
            self._detect(path, MODES[-1])
            left = {entry.name: entry.read_bytes() for entry in folder.iterdir()}
        require(
            left == {"0": data}, f"the folder held one file, '0', and now {sorted(left)}, or bytes changed"
        )

    @law("contents", cost=25)
    def test_memory_does_not_grow_with_the_file(self, data: bytes) -> None:
        """Looking at a file of 256 MiB takes no more than looking at a small one."""
        self._detect(data, MODES[-1])  # what is loaded once is not counted
        with self.folder() as folder:
            path = _written(folder / "0", data)
            try:
                os.truncate(path, LARGE)
            except OSError:
                hypothesis.reject()  # no room, and no holes in this file system's files
            what = f"detecting a file of {LARGE >> 20} MiB"
            with bounded_memory(BYTES, what), bounded_time(SECONDS, what):
                self._detect(path, MODES[-1])

    @law("_known_files", st.sampled_from(MODES), unless="knows_nothing")
    def test_known_files_are_told(self, file: tuple[str, bytes], mode: str) -> None:
        """Files that the contract names are given their label."""
        label, data = file
        found = self._detect(data, mode)
        require(
            found.label == label,
            f"{data[:24]!r}... is called {found.label!r} in mode {mode!r}, expected {label!r}",
        )

    # -- what laws draw, and why some do not apply

    def knows_nothing(self) -> str | None:
        """Return why no file has a label that is known beforehand, or None."""
        return None if self.known else "the contract names no known files"

    def looks_anywhere(self) -> str | None:
        """Return why a file's middle may matter, or None."""
        return "the contract names no window" if self.window is None else None

    def never_streams(self) -> str | None:
        """Return why there are no answers one by one, or None."""
        return None if hasattr(self.subject, "detect_each") else "the detector has no detect_each"

    def _known_files(self) -> st.SearchStrategy[tuple[str, bytes]]:
        return st.sampled_from([(label, data) for label, files in self.known.items() for data in files])

    def _detect(self, source: Any, mode: str) -> Detection:
        """Ask; what is raised is the business of `any_bytes_have_an_answer` and `any_path_has_an_answer`."""
        try:
            found: Detection = self.subject.detect(source, mode)
        except Exception:  # noqa: BLE001 - a stranger's code may raise anything
            hypothesis.reject()
        return found


def _what(found: Detection) -> Found:
    """Return what a detection says of content, without how it was asked."""
    return found.label, found.mime, found.group, found.score, found.is_text


def _said(found: Detection) -> str:
    return f"{found.label!r} ({found.group}, {found.mime}, score {found.score})"


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _short(path: str | Path) -> str:
    name = Path(path).name
    return repr(name if len(name) < 40 else f"{name[:12]}... ({len(name)} letters)")


def _counted(path: Path, taken: Iterator[int]) -> Iterator[Path]:
    """Yield a path as often as it is asked for, up to a number that nobody should ask for."""
    while next(taken) < AHEAD:
        yield path


def _oddly_named(folder: Path) -> Iterator[Path]:
    for name in ODD_NAMES:
        with suppress(OSError, ValueError):  # not every system has such names
            yield _written(folder / name, b"plain words\n" * 20)


def _unreadable(folder: Path) -> Iterator[str | Path]:
    yield folder / "missing.png"
    yield str(folder / "missing" / "further")
    yield folder / ("long" * 1500)
    yield str(folder / "nul\0byte")
    loop, dangling, locked = folder / "loop", folder / "dangling", folder / "locked"
    with suppress(OSError):  # not every system lets everyone make links
        loop.symlink_to(loop)
        dangling.symlink_to(folder / "missing.png")
        yield loop
        yield dangling
    locked.write_bytes(b"locked")
    locked.chmod(0)
    if not os.access(locked, os.R_OK):  # the superuser may read it all the same
        yield locked
    locked.chmod(0o600)


def _no_files(folder: Path) -> Iterator[Path]:
    inner = folder / "folder.png"
    inner.mkdir()
    yield inner
    if hasattr(os, "mkfifo"):
        pipe = folder / "pipe.png"
        os.mkfifo(pipe)
        yield pipe


@contextmanager
def _never_waiting(path: Path) -> Iterator[None]:
    """Break the law if the block waits for a writer to `path`; be that writer, so that it ends."""
    waited = threading.Event()

    def let_go() -> None:
        waited.set()
        with suppress(OSError):  # nobody waits for a writer: it is something else that takes long
            os.close(os.open(path, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0)))

    watch = threading.Timer(PIPE_S, let_go)
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()
        watch.join()
    require(not waited.is_set(), f"{path.name!r}, a pipe without a writer or a folder, was waited for")
