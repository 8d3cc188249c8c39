"""Frames drawn in ranges by workers, kept until the film is whole, passed on in order."""

from __future__ import annotations

import hashlib
import pickle
import shutil
import threading
import zlib
from collections.abc import Generator, Iterable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, Executor
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope.convert import FileReader
from kinetoscope.executors.spreading import spread, workers_of
from kinetoscope.shot.crew import Crew
from kinetoscope.shot.drawing import Drawing, Frames
from kinetoscope.shot.handing import Handed, handed
from kinetoscope.shot.ranges import history_of, ranges
from kinetoscope.shot.stages import source_digest
from kinetoscope.shot.store import Store, key_of
from kinetoscope_spec.errors import Cancelled, ConfigError, KinetoscopeError
from kinetoscope_spec.protocols import Progress

if TYPE_CHECKING:
    from kinetoscope import Host

__all__ = ["Drawn", "digest_of", "film_frames", "packed", "unpacked"]

Array = NDArray[Any]

_FAST = 1
"""Level of zlib: without loss, and quicker than frames are drawn."""
_QUEUED = 2
"""Ranges in flight for each worker."""
SHARE = 4
"""Frames that wait for the rest of their film take this part of the cache at most; what is beyond is drawn again
after a kill."""


@attrs.define(eq=False)
class Drawn:
    """Ranges of frames that are drawn, until the film is whole: a run that is killed goes on behind them.

    Attributes:
        store: where.
        key: of all that decides the frames.
    """

    store: Store
    key: str
    _bytes: dict[int, int] = attrs.field(factory=dict, init=False)

    def any(self) -> bool:
        """Whether a run before has left some."""
        return any(True for _ in self.store.folder.glob(f"draw/{self.key}-*"))

    def read(self, start: int, size: int) -> bytes | None:
        """Return the packed frames of a range of `size` bytes, or None: what is damaged counts as not there."""
        found = self.store.find("draw", self._name(start))
        if found is None:
            return None
        try:
            data = (found / "frames.z").read_bytes()
            if sum(map(len, _inflated(data, 1 << 20))) == size:
                self._bytes[start] = len(data)
                return data
        except (OSError, zlib.error):
            pass
        self.store.drop("draw", self._name(start))
        return None

    def keep(self, start: int, data: bytes) -> None:
        """Keep the packed frames of a range, unless too much is kept already, or there is no room."""
        if sum(self._bytes.values()) + len(data) > self.store.max_bytes // SHARE:
            return
        # The film is made without it, too: a run that is killed then draws the range again.
        with suppress(ConfigError, OSError), self.store.making("draw", self._name(start)) as folder:
            (folder / "frames.z").write_bytes(data)
            self._bytes[start] = len(data)

    def drop(self) -> None:
        """Take all away: the film is whole, or is to be drawn anew."""
        for path in self.store.folder.glob(f"draw/{self.key}-*"):
            shutil.rmtree(path, ignore_errors=True)

    def _name(self, start: int) -> str:
        return f"{self.key}-{start:07d}"


class _Task(NamedTuple):
    """A range to draw, and from what."""

    drawing: Handed
    start: int
    stop: int


def film_frames(
    drawing: Drawing,
    here: Frames,
    host: Host,
    kept: Drawn,
    crew: Crew,
    executor: Executor | None,
    progress: Progress | None = None,
) -> Iterator[Array]:
    """Yield all frames of a film: kept ones, and the others drawn here or in the workers of `executor`.

    Args:
        drawing: what is drawn.
        here: where its frames come from in this process.
        host: whose providers those are.
        kept: ranges that were drawn before, and will be.
        crew: has the options of the workers' hosts.
        executor: where, or None for here.
        progress: told after each range that was drawn elsewhere.

    Raises:
        Cancelled: `progress` returned False; what was drawn is kept.
        KinetoscopeError: a worker died of a range, twice; or it has other plugins.
    """
    if executor is None and not kept.any():
        yield from here(0, drawing.count)
        return
    renderer, output = host.provider("renderer", drawing.by["renderer"][0]), drawing.output
    with renderer.open((8, 8), output.quality, **output.drawing()) as session:
        parts = ranges(drawing.count, history_of(session))
    held = {start: stop for start, stop in parts if _kept(kept, drawing, start, stop) is not None}
    if executor is None:
        yield from _mixed(parts, held, drawing, here, kept)
        return
    told = _Told(progress, drawing.count)
    wanted = [part for part in parts if part[0] not in held]
    reader, shape = FileReader(host, crew.options), (drawing.size[1], drawing.size[0], 3)
    with (
        handed(drawing, executor, kept.store.folder / "draw") as given,
        closing(_elsewhere(wanted, given, reader, executor, told)) as results,
    ):
        for start, stop in parts:
            if start in held:
                data = _kept(kept, drawing, start, stop)
                # Another run may have taken it away since.
                yield from here(start, stop) if data is None else unpacked(data, shape)
            else:
                data = next(results)
                kept.keep(start, data)
                yield from unpacked(data, shape)
            told.done = stop
            told()


def _kept(kept: Drawn, drawing: Drawing, start: int, stop: int) -> bytes | None:
    """Return the packed frames of a range, or None where they are not kept."""
    width, height = drawing.size
    return kept.read(start, (stop - start) * width * height * 3)


def _mixed(
    parts: list[tuple[int, int]], held: Mapping[int, int], drawing: Drawing, here: Frames, kept: Drawn
) -> Iterator[Array]:
    """Yield kept frames, and between them those that are drawn here."""
    width, height = drawing.size
    start = 0
    for first, stop in parts:
        if first in held:
            if start < first:
                yield from here(start, first)
            data = _kept(kept, drawing, first, stop)
            yield from here(first, stop) if data is None else unpacked(data, (height, width, 3))
            start = stop
    if start < drawing.count:
        yield from here(start, drawing.count)


@attrs.define
class _Told:
    """Tells how many frames are done, and passes a cancellation on."""

    progress: Progress | None
    count: int
    done: int = 0

    def __call__(self) -> None:
        if self.progress is not None and self.progress(self.done, self.count, "rendering") is False:
            raise Cancelled(f"cancelled after {self.done} of {self.count} frames")


def _elsewhere(
    parts: list[tuple[int, int]], drawing: Handed, read: FileReader, executor: Executor, told: _Told
) -> Generator[bytes, None, None]:
    """Yield the packed frames of ranges, drawn by workers."""
    tasks = [_Task(drawing, start, stop) for start, stop in parts]
    ahead = _QUEUED * workers_of(executor)
    results = spread(executor, _draw, read, tasks, queued=_QUEUED, ahead=ahead, meanwhile=told)
    with closing(results):
        for task, result in zip(tasks, results, strict=True):
            if isinstance(result, BrokenExecutor):
                raise KinetoscopeError(
                    f"the worker that drew frames {task.start} to {task.stop - 1} died, twice: {result}"
                ) from result
            drawing.keep()
            yield result


def digest_of(drawing: Drawing) -> str:
    """Return a key of all that decides a drawing's frames, for those that were not made from a shot file.

    That is the code of spec and core, too: a film must not begin as one version draws it, and end as another.
    """
    code = source_digest("kinetoscope_spec"), source_digest("kinetoscope")
    return key_of(*code, hashlib.sha256(pickle.dumps(drawing)).hexdigest())


_here = threading.local()
"""What this thread drew last, opened: its poses, its plate, and what was measured in that."""


def _draw(read: FileReader, task: _Task) -> bytes:
    """Draw a range, in a worker; return its frames packed."""
    asked = task.drawing.digest, read.host
    known: tuple[tuple[str, Host], Frames] | None = getattr(_here, "opened", None)
    if known is None or known[0][0] != asked[0] or known[0][1] is not asked[1]:
        drawing: Drawing = task.drawing.taken()
        known = _here.opened = asked, drawing.open(read.host)
    return packed(known[1](task.start, task.stop))


def packed(frames: Iterable[Array]) -> bytes:
    """Return frames, `uint8 [H, W, 3]`, in few bytes, without loss."""
    deflate = zlib.compressobj(_FAST)
    parts = [deflate.compress(np.ascontiguousarray(frame[..., :3]).data) for frame in frames]
    return b"".join([*parts, deflate.flush()])


def unpacked(data: bytes, shape: tuple[int, int, int]) -> Iterator[Array]:
    """Yield the frames `[H, W, 3]` that `packed` was given, one in memory at a time."""
    for frame in _inflated(data, int(np.prod(shape))):
        yield np.frombuffer(frame, np.uint8).reshape(shape)


def _inflated(data: bytes, size: int) -> Iterator[bytes]:
    """Yield what `data` holds in pieces of `size` bytes, the last one of what is left.

    Raises:
        zlib.error: it is damaged.
    """
    inflate = zlib.decompressobj()
    pending, piece = data, b""
    while not inflate.eof:
        more = inflate.decompress(pending, size - len(piece))
        pending = inflate.unconsumed_tail
        if not more and not pending and not inflate.eof:
            raise zlib.error("it ends too early")
        piece += more
        if len(piece) == size:
            yield piece
            piece = b""
    if piece:
        yield piece
