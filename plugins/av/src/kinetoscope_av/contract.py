"""The contract of the hook `media`: films, sound and pictures, written and read again.

    class TestMine(MediaContract):
        provider = MyMedia()

Needs hypothesis (extra `kinetoscope-spec[contracts]`).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import hypothesis
import numpy as np
from hypothesis import strategies as st

from kinetoscope_av._clips import Clip, FilmKind, clips, decibels, grown_bytes, pictures, tone
from kinetoscope_av._measured import Measured, lights
from kinetoscope_av.hooks import Written
from kinetoscope_spec import Cancelled, ConfigError, ContractError, FormatError, ValidationError, Video
from kinetoscope_spec.contracts import Contract, bounded_time, law, require, strategies

__all__ = ["FilmKind", "MediaContract"]

SECONDS = 30.0
"""What reading a small file may take."""

BYTES = 1 << 30
"""By how much the process may grow when a small file is read, libraries included."""

MP4 = FilmKind(".mp4", even=True)


class MediaContract(Contract):
    """What callers of media rely on.

    Attributes:
        films: the kinds of film that the provider writes, and what each can hold.
        lossless: suffixes of pictures that are kept exactly.
        sound_padding: samples by which sound may be longer than what was written: codecs fill their
            last frame, and not every container says how far.
    """

    hook: ClassVar[str] = "media"
    mutants: ClassVar[str | None] = "kinetoscope_av.contract_mutants:MUTANTS"
    films: Sequence[FilmKind] = (MP4,)
    lossless: Sequence[str] = (".png",)
    sound_padding: int = 2048

    # -- laws of films

    @law(st.data(), cost=2)
    def test_what_is_written_is_opened(self, data: Any) -> None:
        """A film has the frames, the size and the rate that were written, and `Written` says the same."""
        kind, clip = self._drawn(data)
        with self.folder() as folder:
            path = folder / f"film{kind.suffix}"
            written = self._write(path, clip)
            video = self.subject.open(path)
            count = sum(1 for _ in video.frames())
            held = path.stat().st_size
        width, height = kind.size(clip.width, clip.height)
        wanted = (width, height, clip.rate, clip.count)
        found = (video.width, video.height, video.rate, count)
        require(found == wanted, f"wrote width, height, rate and frames {_few(wanted)}, read {_few(found)}")
        require(
            video.frame_count in (None, count),
            f"frame_count is {video.frame_count}, there are {count} frames",
        )
        said = (written.width, written.height, written.rate, written.frames, written.bytes, written.audio)
        wanted_said = (*wanted, held, False)
        require(said == wanted_said, f"Written says {_few(said)}, expected {_few(wanted_said)}")

    @law(st.data(), cost=5)
    def test_pictures_of_a_film_look_the_same(self, data: Any) -> None:
        """At quality `high` each frame looks like the one that was written at its place, upright, in its colours."""
        kind, clip = self._drawn(data, pixels=(32, 64))
        with self.folder() as folder:
            path = folder / f"film{kind.suffix}"
            self._write(path, clip, quality="high")
            frames = list(self.subject.open(path).frames())
        for i, frame in enumerate(frames[: clip.count]):
            like = decibels(clip.frame(i), frame[: clip.height, : clip.width, :3])
            require(
                like >= kind.least_db,
                f"frame {i} comes back at {like:.1f} dB, expected {kind.least_db} or more",
            )

    @law(st.data(), cost=5)
    def test_any_range_is_what_reading_from_the_start_gives(self, data: Any) -> None:
        """`frames(a, b)` gives the very frames that reading from the beginning gives at these places."""
        kind, clip = self._drawn(data, least=20, most=40, pixels=(8, 24))
        with self.folder() as folder:
            path = folder / f"film{kind.suffix}"
            self._write(path, clip)
            video = self.subject.open(path)
            whole = list(video.frames())
            for _ in range(4):
                start = data.draw(st.integers(0, len(whole)), label="start")
                stop = data.draw(st.none() | st.integers(0, len(whole) + 3), label="stop")
                part = list(video.frames(start, stop))
                expected = whole[start:stop]
                require(
                    len(part) == len(expected),
                    f"frames({start}, {stop}) gave {len(part)} of {len(whole)}, expected {len(expected)}",
                )
                wrong = [
                    start + i for i, (a, b) in enumerate(zip(part, expected, strict=True)) if (a != b).any()
                ]
                require(not wrong, f"frames({start}, {stop}) gave other pictures at {wrong}")

    @law(st.data(), cost=5, unless="keeps_no_words")
    def test_metadata_is_kept(self, data: Any) -> None:
        """Title, artist and comment, of whatever letters, come back."""
        kind, clip = self._drawn(data, most=2, of=operator.attrgetter("keys"))
        words = st.text(st.characters(categories=("L", "N", "P", "S"), include_characters=" "), max_size=20)
        texts = words.map(str.strip).filter(bool) | st.sampled_from(("Gehen", "ω ≠ 1", "歩く 🙂"))
        told = data.draw(st.dictionaries(st.sampled_from(kind.keys), texts, min_size=1), label="metadata")
        with self.folder() as folder:
            path = folder / f"film{kind.suffix}"
            self._write(path, clip, metadata=told)
            found = self.subject.metadata(path)
        kept = {key: found.get(key) for key in told}
        require(kept == told, f"wrote the metadata {told}, read {kept}")

    # -- laws of sound

    @law(st.data(), cost=5, unless="is_silent")
    def test_sound_is_kept(self, data: Any) -> None:
        """Sound comes back in time with the pictures, at its rate, with its channels, as like as the codec gives."""
        kind, clip = self._drawn(data, least=12, of=operator.attrgetter("sound_rates"))
        sound = self._tone(data, kind, clip)
        with self.folder() as folder:
            path = folder / f"film{kind.suffix}"
            written = self._write(path, clip, audio=sound)
            back = self.subject.open(path, audio=True).audio
            silent = self.subject.open(path, audio=False).audio
        require(written.audio, "Written says that the film has no sound")
        require(back is not None, "the film has no sound, expected what was written")
        require(silent is None, "audio=False gave sound all the same")
        shapes = (sound.rate, sound.samples.shape[1]), (back.rate, back.samples.shape[1])
        require(shapes[0] == shapes[1], f"wrote sound of rate and channels {shapes[0]}, read {shapes[1]}")
        more = back.duration - sound.duration
        padding = self.sound_padding / sound.rate
        require(
            -0.03 < more < 0.03 + padding,
            f"wrote {sound.duration:.3f} s of sound, read {back.duration:.3f} s",
        )
        heard = min(len(sound.samples), len(back.samples))
        off = float(np.sqrt(np.mean((sound.samples[:heard] - back.samples[:heard]) ** 2)))
        require(off < 0.06, f"the sound is off by {off:.3f} (root mean square), the tone has 0.283")

    @law(st.data(), cost=5, unless="is_silent")
    def test_a_piece_of_sound_is_cut_from_the_whole(self, data: Any) -> None:
        """`read_audio(start, stop)` gives the samples that the whole has between these seconds."""
        kind, clip = self._drawn(data, least=12, of=operator.attrgetter("sound_rates"))
        sound = self._tone(data, kind, clip)
        start = data.draw(st.floats(0.05, sound.duration - 0.1), label="start")
        with self.folder() as folder:
            path = folder / f"film{kind.suffix}"
            self._write(path, clip, audio=sound)
            whole, part = self.subject.read_audio(path), self.subject.read_audio(path, start, start + 0.1)
        if whole is None or part is None:
            hypothesis.reject()  # the business of `sound_is_kept`
        length = len(part.samples) / part.rate
        require(abs(length - 0.1) < 2 / part.rate, f"a tenth of a second was asked for, {length:.4f} s came")
        begin = round(start * whole.rate)
        off = np.abs(whole.samples[begin:][: len(part.samples)] - part.samples[: len(whole.samples) - begin])
        require(off.max(initial=0) < 0.05, f"from {start:.3f} s on, samples are off by up to {off.max():.3f}")

    # -- laws of pictures

    @law(pictures(), st.data())
    def test_pictures_round_trip_exactly(self, image: Any, data: Any) -> None:
        """A picture in a lossless format comes back bit by bit, what is transparent too."""
        suffix = data.draw(st.sampled_from(list(self.lossless)), label="suffix")
        with self.folder() as folder:
            path = folder / f"picture{suffix}"
            self.subject.write_image(path, image)
            back = self.subject.read_image(path)
        require(
            back.shape == image.shape and back.dtype == np.uint8,
            f"wrote uint8 {list(image.shape)}, read {back.dtype} {list(back.shape)}",
        )
        wrong = int((back != image).any(axis=2).sum())
        require(not wrong, f"{wrong} of {image.shape[0] * image.shape[1]} pixels changed")

    # -- laws of light

    @law(lights())
    def test_light_is_what_was_measured(self, light: Measured) -> None:
        """A Radiance picture is read as its mantissas and exponents say, upright whichever way it was scanned."""
        with self.folder() as folder:
            path = folder / "light.hdr"
            path.write_bytes(light.radiance())
            found = self.subject.read_light(path)
        self._compare_light(found, light.upright())

    @law(pictures(), st.data())
    def test_levels_are_read_as_light(self, image: Any, data: Any) -> None:
        """A picture in levels is read as the light that sRGB says they are; white is 1."""
        suffix = data.draw(st.sampled_from(list(self.lossless)), label="suffix")
        with self.folder() as folder:
            path = folder / f"picture{suffix}"
            self.subject.write_image(path, np.ascontiguousarray(image[..., :3]))  # opaque
            found = self.subject.read_light(path)
        level = image[..., :3] / 255
        expected = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
        self._compare_light(found, expected)

    @law("_damaged_lights", cost=0.5)
    def test_any_bytes_end_in_light_or_a_format_error(self, data: bytes) -> None:
        """Any bytes end in finite light or a `FormatError` that names the file, in bounded time and memory."""
        with self.folder() as folder:
            path = folder / "light.hdr"
            path.write_bytes(data)

            def read() -> None:
                found = self.subject.read_light(path)
                require(np.isfinite(found).all(), "read_light returned numbers that are not finite")

            self._bounded(path, f"reading {len(data)} bytes of light", read)

    # -- laws of files

    @law("_damaged_films", cost=0.5)
    def test_any_bytes_end_in_a_film_or_a_format_error(self, file: tuple[str, bytes]) -> None:
        """Any bytes end in a `Video` or a `FormatError` that names the file, in bounded time and memory."""
        self._read_bytes(*file, "reading")

    @law("_film_kinds", cost=25)
    def test_a_cut_film_ends_in_a_film_or_a_format_error(self, kind: FilmKind) -> None:
        """A film cut off anywhere ends in a `Video` of what is left or a `FormatError` that names the file."""
        data = self._sample(kind)
        self._read_bytes(kind.suffix, data, "reading a whole film")
        for stop in range(0, len(data), max(1, len(data) // 40)):
            self._read_bytes(kind.suffix, data[:stop], f"reading a film cut off at byte {stop}")

    @law("_damaged_pictures", cost=0.5)
    def test_any_bytes_end_in_a_picture_or_a_format_error(self, file: tuple[str, bytes]) -> None:
        """Any bytes end in a picture or a `FormatError` that names the file, in bounded time and memory."""
        suffix, data = file
        with self.folder() as folder:
            path = folder / f"picture{suffix}"
            path.write_bytes(data)
            self._bounded(path, f"reading {len(data)} bytes", lambda: self.subject.read_image(path))

    @law("_film_kinds", cost=5)
    def test_reading_leaves_the_file_alone(self, kind: FilmKind) -> None:
        """Opening and reading change neither the file nor what lies beside it."""
        data = self._sample(kind)
        with self.folder() as folder:
            path = folder / f"film{kind.suffix}"
            path.write_bytes(data)
            list(self.subject.open(path).frames())
            self.subject.read_audio(path)
            self.subject.metadata(path)
            left = {entry.name: entry.read_bytes() for entry in folder.iterdir()}
        require(
            left == {path.name: data},
            f"the folder held {path.name!r}, and now {sorted(left)}, or bytes changed",
        )

    @law(st.data(), cost=2)
    def test_a_failed_write_leaves_what_was_there(self, data: Any) -> None:
        """When writing is cancelled or fails, the old file is there as it was, or none, and nothing beside it."""
        kind, clip = self._drawn(data, least=2)
        why = data.draw(st.sampled_from(list(_FAILURES)), label="why")
        at = data.draw(st.integers(0, clip.count - 1), label="at frame")
        before = {f"film{kind.suffix}": b"old"} if data.draw(st.booleans(), label="over an old file") else {}
        frames, options, expected = _FAILURES[why](clip, at)
        with self.folder() as folder:
            for name, old in before.items():
                (folder / name).write_bytes(old)
            try:
                self.subject.write(folder / f"film{kind.suffix}", frames, rate=clip.rate, **options)
            except expected:
                pass
            else:
                raise ContractError(f"{why} at frame {at} was written, expected {expected.__name__}")
            after = {entry.name: entry.read_bytes() for entry in folder.iterdir()}
        require(
            after == before,
            f"after {why} at frame {at} the folder holds {sorted(after)}, before {sorted(before)}, or bytes changed",
        )

    @law(st.sampled_from(("open", "metadata", "read_audio", "read_image", "read_light")), cost=5)
    def test_wrong_paths_give_the_right_error(self, method: str) -> None:
        """A path that does not exist and a directory are an `OSError` that names the path."""
        with self.folder() as folder:
            suffix = self.lossless[0] if method in ("read_image", "read_light") else self.films[0].suffix
            missing, inner = folder / f"missing{suffix}", folder / f"folder{suffix}"
            inner.mkdir()
            for path in (missing, inner):
                try:
                    getattr(self.subject, method)(path)
                except OSError as error:
                    require(
                        path.name in str(error), f"the error of {method} does not name {path.name!r}: {error}"
                    )
                else:
                    raise ContractError(f"{method} read {path.name!r}, expected an OSError")

    @law(st.sampled_from((".mp5", ".xyz", "")), cost=10)
    def test_unknown_suffixes_are_errors(self, suffix: str) -> None:
        """A name with a suffix that no film has is a `ConfigError` that names those there are."""
        clip = Clip(1, 8, 8, Fraction(25))
        with self.folder() as folder:
            try:
                self._write(folder / f"film{suffix}", clip)
            except ConfigError as error:
                known = self.films[0].suffix
                require(known in str(error), f"the error about {suffix!r} does not name {known!r}: {error}")
            else:
                raise ContractError(f"a film was written as {suffix!r}, expected a ConfigError")

    # -- what laws draw, and why some do not apply

    def is_silent(self) -> str | None:
        """Return why laws of sound do not apply, or None."""
        return None if any(kind.sound_rates for kind in self.films) else "its films hold no sound"

    def keeps_no_words(self) -> str | None:
        """Return why the law of metadata does not apply, or None."""
        return None if any(kind.keys for kind in self.films) else "its films hold no metadata"

    def _drawn(
        self,
        data: Any,
        *,
        of: Callable[[FilmKind], Any] = lambda kind: True,
        **limits: Any,
    ) -> tuple[FilmKind, Clip]:
        kind = data.draw(st.sampled_from([kind for kind in self.films if of(kind)]), label="kind")
        return kind, data.draw(clips(kind.rates, **limits), label="clip")

    def _film_kinds(self) -> st.SearchStrategy[FilmKind]:
        return st.sampled_from(list(self.films))

    def _damaged_films(self) -> st.SearchStrategy[tuple[str, bytes]]:
        each = [st.tuples(st.just(k.suffix), strategies.file_bytes([self._sample(k)])) for k in self.films]
        return st.one_of(each)

    def _damaged_pictures(self) -> st.SearchStrategy[tuple[str, bytes]]:
        drawn = []
        with self.folder() as folder:
            for suffix in self.lossless:
                path = folder / f"picture{suffix}"
                self.subject.write_image(path, Clip(1, 12, 8, Fraction(25)).frame(0))
                drawn.append(st.tuples(st.just(suffix), strategies.file_bytes([path.read_bytes()])))
        return st.one_of(drawn)

    def _damaged_lights(self) -> st.SearchStrategy[bytes]:
        return strategies.file_bytes([Measured.plain(8, 2).radiance(), Measured.plain(8, 2).packed()])

    def _compare_light(self, found: Any, expected: Any) -> None:
        require(
            found.shape == expected.shape and found.dtype == np.float32,
            f"light is {found.dtype} {list(found.shape)}, expected float32 {list(expected.shape)}",
        )
        wrong = (np.abs(found - expected) > 1e-4 * (1e-3 + expected)).any(axis=-1)
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise ContractError(
                f"{wrong.sum()} of {wrong.size} pixels are off: ({column}, {row}) is {found[row, column].tolist()}, "
                f"expected {expected[row, column].tolist()}"
            )

    def _tone(self, data: Any, kind: FilmKind, clip: Clip) -> Any:
        channels = data.draw(st.integers(1, 2), label="channels")
        return tone(float(clip.count / clip.rate), data.draw(st.sampled_from(kind.sound_rates)), channels)

    # -- how they write and read

    def _write(self, path: Path, clip: Clip, **options: Any) -> Written:
        made = self.subject.write(path, clip.frames(), rate=clip.rate, **{"quality": "draft", **options})
        require(isinstance(made, Written), f"write returned {type(made).__name__}, expected Written")
        written: Written = made
        return written

    def _sample(self, kind: FilmKind) -> bytes:
        """Return a small film of a kind, with sound where it can hold some."""
        clip = Clip(9, 16, 16, Fraction(25))
        sound = tone(0.36, kind.sound_rates[0], 1) if kind.sound_rates else None
        with self.folder() as folder:
            path = folder / f"film{kind.suffix}"
            self._write(path, clip, audio=sound)
            return path.read_bytes()

    def _read_bytes(self, suffix: str, data: bytes, what: str) -> None:
        def read() -> None:
            video = self.subject.open(path)
            require(isinstance(video, Video), f"open returned {type(video).__name__}, expected a Video")
            for _ in video.frames():
                pass
            self.subject.metadata(path)

        with self.folder() as folder:
            path = folder / f"film{suffix}"
            path.write_bytes(data)
            self._bounded(path, what, read)
            self._bounded(path, f"{what} (sound)", lambda: self.subject.read_audio(path))

    def _bounded(self, path: Path, what: str, read: Callable[[], Any]) -> None:
        with grown_bytes() as grown, bounded_time(SECONDS, what):
            try:
                read()
            except FormatError as error:
                require(str(path) in str(error), f"the FormatError does not name the file: {error}")
            require(grown() <= BYTES, f"{what} took {grown():,} bytes, expected at most {BYTES:,}")


def _cancelled(clip: Clip, at: int) -> tuple[Any, dict[str, Any], type[Exception]]:
    def progress(done: int, total: int, message: str) -> bool:
        return done <= at

    return clip.frames(), {"progress": progress}, Cancelled


def _failing(clip: Clip, at: int) -> tuple[Any, dict[str, Any], type[Exception]]:
    def frames() -> Iterator[Any]:
        for i in range(clip.count):
            if i == at:
                raise ZeroDivisionError("the source of frames failed")
            yield clip.frame(i)

    return frames(), {}, ZeroDivisionError


def _misshapen(clip: Clip, at: int) -> tuple[Any, dict[str, Any], type[Exception]]:
    frames: list[Any] = clip.frames()
    frames[at] = frames[at].astype(np.float64)
    return frames, {}, ValidationError


_FAILURES: dict[str, Callable[[Clip, int], tuple[Any, dict[str, Any], type[Exception]]]] = {
    "cancelling": _cancelled,
    "a source that fails": _failing,
    "a frame of another dtype": _misshapen,
}


def _few(values: Sequence[Any]) -> str:
    return f"({', '.join(str(value) for value in values)})"
