"""Media with one thing wrong: what shows that the laws of `MediaContract` have teeth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from kinetoscope_spec import Audio, FormatError, Video
from kinetoscope_spec.contracts import Mutant, Wrapper, mutant

__all__ = ["MUTANTS"]

MUTANTS: list[Mutant] = []


class _Opens(Wrapper):
    """Media whose films are changed when they are opened."""

    def open(self, path: str | Path, **options: Any) -> Video:
        return self.changed(self.real.open(path, **options))

    def changed(self, video: Video) -> Video:
        raise NotImplementedError  # pragma: no cover - every mutant has its own


@mutant(MUTANTS, "what_is_written_is_opened")
class Loses(_Opens):
    """loses the last frame, which the decoder still holds"""

    def changed(self, video: Video) -> Video:
        real, last = video.source, (video.frame_count or 1) - 1

        def source(start: int, stop: int | None) -> Iterator[Any]:
            return real(start, last if stop is None else min(stop, last))

        return attrs.evolve(video, source=source, frame_count=last, timestamps=None)


@mutant(MUTANTS, "what_is_written_is_opened")
class Overrates(_Opens):
    """says a frame a second too many"""

    def changed(self, video: Video) -> Video:
        return attrs.evolve(video, rate=video.rate + 1)


@mutant(MUTANTS, "pictures_of_a_film_look_the_same")
class Swaps(_Opens):
    """takes red for blue"""

    def changed(self, video: Video) -> Video:
        real = video.source

        def source(start: int, stop: int | None) -> Iterator[Any]:
            for frame in real(start, stop):
                yield np.concatenate([frame[..., 2::-1], frame[..., 3:]], axis=2)

        return attrs.evolve(video, source=source)


@mutant(MUTANTS, "any_range_is_what_reading_from_the_start_gives")
class Overshoots(_Opens):
    """begins one frame late wherever it does not begin at the beginning"""

    def changed(self, video: Video) -> Video:
        real = video.source

        def source(start: int, stop: int | None) -> Iterator[Any]:
            late = 1 if start else 0
            return real(start + late, None if stop is None else stop + late)

        return attrs.evolve(video, source=source)


@mutant(MUTANTS, "metadata_is_kept")
class Ascii(Wrapper):
    """puts question marks for the letters that ASCII does not have"""

    def metadata(self, path: str | Path) -> Mapping[str, str]:
        held = self.real.metadata(path)
        return {key: text.encode("ascii", "replace").decode() for key, text in held.items()}


@mutant(MUTANTS, "sound_is_kept")
class Delays(_Opens):
    """leaves in the silence that the encoder puts before the sound"""

    def changed(self, video: Video) -> Video:
        if video.audio is None:
            return video
        sound = video.audio
        samples = np.concatenate([np.zeros((1024, sound.samples.shape[1])), sound.samples])[
            : len(sound.samples)
        ]
        return attrs.evolve(video, audio=attrs.evolve(sound, samples=samples))


@mutant(MUTANTS, "a_piece_of_sound_is_cut_from_the_whole")
class FromTheStart(Wrapper):
    """gives as much sound as was asked for, but from the beginning"""

    def read_audio(self, path: str | Path, start: float = 0.0, stop: float | None = None) -> Audio | None:
        audio: Audio | None = self.real.read_audio(path, 0.0, None if stop is None else stop - start)
        return audio


@mutant(MUTANTS, "pictures_round_trip_exactly")
class Premultiplies(Wrapper):
    """loses the colours of transparent pixels"""

    def write_image(self, path: str | Path, image: Any, **options: Any) -> None:
        if image.shape[2] == 4:
            image = np.where(image[..., 3:] == 0, np.uint8(0), image)
        self.real.write_image(path, image, **options)


class _Knows(Wrapper):
    """Media that remember the films that they could open."""

    def __init__(self, real: Any) -> None:
        super().__init__(real)
        self.known: set[bytes] = set()

    def open(self, path: str | Path, **options: Any) -> Video:
        data = Path(path).read_bytes() if Path(path).is_file() else None
        try:
            video: Video = self.real.open(path, **options)
        except FormatError as error:
            if data is not None:
                self.refused(
                    error, any(len(held) > len(data) and held.startswith(data) for held in self.known)
                )
            raise
        self.known.add(data or b"")
        return video

    def refused(self, error: FormatError, cut: bool) -> None:
        raise NotImplementedError  # pragma: no cover - both mutants have their own


@mutant(MUTANTS, "any_bytes_end_in_a_film_or_a_format_error")
class Leaks(_Knows):
    """lets the library's own error through where the bytes are no film's"""

    def refused(self, error: FormatError, cut: bool) -> None:
        if not cut:
            raise ValueError("Invalid data found when processing input") from error


@mutant(MUTANTS, "a_cut_film_ends_in_a_film_or_a_format_error")
class Overruns(_Knows):
    """lets an EOFError through where a good film ends too early, for the tenth time

    One or two cut films are among the bytes of the other law.
    """

    def __init__(self, real: Any) -> None:
        super().__init__(real)
        self.cuts = 0

    def refused(self, error: FormatError, cut: bool) -> None:
        self.cuts += cut
        if cut and self.cuts >= 10:
            raise EOFError("end of file") from error


@mutant(MUTANTS, "any_bytes_end_in_a_picture_or_a_format_error")
class LeaksPictures(Wrapper):
    """does not say which file is no picture"""

    def read_image(self, path: str | Path) -> Any:
        try:
            return self.real.read_image(path)
        except FormatError as error:
            if isinstance(error, OSError):
                raise
            raise FormatError("cannot identify image file") from error


@mutant(MUTANTS, "reading_leaves_the_file_alone")
class Indexes(_Opens):
    """leaves an index file beside the film"""

    def open(self, path: str | Path, **options: Any) -> Video:
        video = super().open(path, **options)
        Path(f"{path}.index").write_bytes(b"index")
        return video

    def changed(self, video: Video) -> Video:
        return video


@mutant(MUTANTS, "a_failed_write_leaves_what_was_there")
class Begins(Wrapper):
    """opens the file for writing before it has the first frame"""

    def write(self, path: str | Path, frames: Any, **options: Any) -> Any:
        if Path(path).suffix in (".mp5", ".xyz", ""):
            return self.real.write(path, frames, **options)
        Path(path).write_bytes(b"")
        return self.real.write(path, frames, **options)


@mutant(MUTANTS, "wrong_paths_give_the_right_error")
class Vague(Wrapper):
    """says of a path that does not exist that its format is wrong, and no OSError"""

    def metadata(self, path: str | Path) -> Mapping[str, str]:
        if not Path(path).exists():
            raise FormatError("can't be read", path=path)
        held: Mapping[str, str] = self.real.metadata(path)
        return held


@mutant(MUTANTS, "unknown_suffixes_are_errors")
class Assumes(Wrapper):
    """writes MP4 whatever the suffix"""

    def write(self, path: str | Path, frames: Any, **options: Any) -> Any:
        try:
            return self.real.write(path, frames, **options)
        except Exception:
            if Path(path).suffix not in (".mp5", ".xyz", ""):
                raise
            return self.real.write(Path(path).with_suffix(".mp4"), frames, **options)


@mutant(MUTANTS, "light_is_what_was_measured")
class Clips(Wrapper):
    """takes light for levels, and cuts it off at white"""

    def read_light(self, path: str | Path) -> Any:
        return np.minimum(self.real.read_light(path), np.float32(1))


@mutant(MUTANTS, "light_is_what_was_measured")
class AsScanned(Wrapper):
    """leaves pictures as they were scanned, upside down where that was from the bottom up"""

    def read_light(self, path: str | Path) -> Any:
        light = self.real.read_light(path)
        return light[::-1] if b"+Y" in Path(path).read_bytes()[:200] else light


@mutant(MUTANTS, "levels_are_read_as_light")
class Levels(Wrapper):
    """takes levels for light"""

    def read_light(self, path: str | Path) -> Any:
        light = self.real.read_light(path)
        if Path(path).suffix == ".hdr":
            return light
        return (self.real.read_image(path)[..., :3] / 255).astype(np.float32)


@mutant(MUTANTS, "any_bytes_end_in_light_or_a_format_error")
class Anonymous(Wrapper):
    """does not say which file holds no light"""

    def read_light(self, path: str | Path) -> Any:
        try:
            return self.real.read_light(path)
        except OSError:
            raise
        except FormatError as error:
            raise FormatError("holds no light") from error
