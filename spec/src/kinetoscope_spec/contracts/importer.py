"""The contract of the hook `importer`: reading, and writing where a provider writes."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import attrs
import hypothesis
import numpy as np
from hypothesis import strategies as st

from kinetoscope_spec._arrays import Array
from kinetoscope_spec.character import Asset
from kinetoscope_spec.contracts import strategies
from kinetoscope_spec.contracts._bounds import bounded_memory, bounded_time
from kinetoscope_spec.contracts._contract import Contract
from kinetoscope_spec.contracts._law import law, require
from kinetoscope_spec.contracts._oracle import global_matrices, quaternion_angle
from kinetoscope_spec.errors import ContractError, FormatError, ValidationError
from kinetoscope_spec.motion import Motion, Skeleton

__all__ = ["ImporterContract", "Sample"]

SECONDS = 20.0
"""What reading one small file may take: far more than any reader needs, far less than for ever."""

BYTES = 64 << 20
"""What reading one small file may take of memory, besides 4,096 bytes for each byte of it."""

_AXES = {f"{sign}{axis}" for sign in "+-" for axis in "XYZ"}


@attrs.frozen
class Sample:
    """A small file of the format, and what is known to be in it.

    Attributes:
        data: its bytes.
        positions: joint name to where it stands in the first frame of the first motion (the rest
            pose without one), global, metres, Y up; what reading must give to `precision_m`.
        suffix: of the file's name.
        files: name to bytes of what must lie beside it (buffers, textures).
    """

    data: bytes
    positions: Mapping[str, Sequence[float]] = attrs.field(factory=dict)
    suffix: str = ""
    files: Mapping[str, bytes] = attrs.field(factory=dict)


class ImporterContract(Contract):
    """What callers of an importer rely on.

    A provider that writes is fed with what it wrote; one that only reads needs `samples`.

    Attributes:
        suffix: of files it reads, such as `.bvh`.
        samples: small files of the format.
        precision_m: how exactly the format holds positions, metres.
        precision_rad: how exactly it holds rotations, radians.
        keeps_rest: whether it holds the rest pose beside the motion.
        read_options, write_options: what is passed to `read` and `write`.
    """

    hook: ClassVar[str] = "importer"
    mutants: ClassVar[str | None] = "kinetoscope_spec.contracts.mutants.importer:MUTANTS"
    suffix: str = ""
    samples: Sequence[Sample | bytes] = ()
    precision_m: float = 1e-5
    precision_rad: float = 1e-4
    keeps_rest: bool = False
    read_options: Mapping[str, Any] = {}
    write_options: Mapping[str, Any] = {}

    def assets(self) -> st.SearchStrategy[Asset]:
        """Return what the provider can write; narrow it to what the format can hold."""
        return strategies.assets()

    # -- laws

    @law("_files", cost=2)
    def test_reading_is_deterministic(self, file: Sample) -> None:
        """Reading the same file twice gives equal assets."""
        with self._written(file) as path:
            first, second = self._read(path), self._read(path)
        require(first == second, f"two readings of {path.name} differ: {_difference(first, second)}")

    @law("_files", cost=2)
    def test_the_file_is_left_alone(self, file: Sample) -> None:
        """Reading changes neither the file nor what lies beside it."""
        with self._written(file) as path:
            before = _listing(path.parent)
            self._read(path)
            after = _listing(path.parent)
        require(
            before == after, f"the folder held {sorted(before)} and now {sorted(after)}, or bytes changed"
        )

    @law("_files", cost=2)
    def test_assets_are_in_our_units_and_axes(self, file: Sample) -> None:
        """What comes back is a valid `Asset` in metres, Y up, and says what the file's own were."""
        with self._written(file) as path:
            asset = self._read(path)
        for name in ("format", "unit_m", "axes"):
            require(name in asset.metadata, f"metadata has {sorted(asset.metadata)}, expected {name!r} too")
        unit, axes = asset.metadata["unit_m"], str(asset.metadata["axes"])
        require(
            isinstance(unit, int | float) and unit > 0, f"metadata['unit_m'] is {unit!r}, expected metres"
        )
        parts = {axes[i : i + 2] for i in range(0, len(axes), 2)}
        require(
            len(axes) == 6 and parts <= _AXES and len({part[1] for part in parts}) == 3,
            f"metadata['axes'] is {axes!r}, expected right, up and forward such as '+X+Y+Z'",
        )
        self._compare_known(asset, file)

    @law("assets", unless="cannot_write")
    def test_what_is_written_is_read_again(self, asset: Asset) -> None:
        """Writing and then reading gives the same motion, to the format's precision."""
        found = self._again(asset)
        require(found.motions, "the file that was written has no motion when it is read")
        self._compare(asset.motions[0], found.motions[0])
        if self.keeps_rest:
            order = _order(asset.skeleton, found.skeleton)
            off = np.abs(found.skeleton.rest_positions[order] - asset.skeleton.rest_positions).max()
            require(off <= self.precision_m, f"rest positions differ by {off:.3g} m")
            turn = quaternion_angle(found.skeleton.rest_rotations[order], asset.skeleton.rest_rotations).max()
            require(turn <= self.precision_rad, f"rest rotations differ by {turn:.3g} rad")

    @law("_damaged", cost=0.5)
    def test_any_bytes_end_in_an_asset_or_a_format_error(self, data: bytes) -> None:
        """Any bytes end in a valid asset or a `FormatError` that names the file, in bounded time and memory."""
        self._read_bytes(data, f"reading {len(data)} bytes")

    @law("_small_files", cost=10)
    def test_a_cut_file_ends_in_an_asset_or_a_format_error(self, file: Sample) -> None:
        """A file cut off at any byte ends in a valid asset or a `FormatError`."""
        self._read_bytes(file.data, "reading a whole file", file=file)
        stride = max(1, len(file.data) // 512)
        for stop in range(0, len(file.data), stride):
            self._read_bytes(file.data[:stop], f"reading a file cut off at byte {stop}", file=file)

    @law()
    def test_wrong_paths_give_the_right_error(self) -> None:
        """A path that does not exist, a directory, an unreadable file: each is the `OSError` of its kind."""
        with self.folder() as folder:
            missing = folder / f"missing{self.suffix}"
            self._expect(FileNotFoundError, errno.ENOENT, missing, "a path that does not exist")
            directory = folder / f"folder{self.suffix}"
            directory.mkdir()
            self._expect(IsADirectoryError, errno.EISDIR, directory, "a directory")
            locked = folder / f"locked{self.suffix}"
            locked.write_bytes(b"locked")
            locked.chmod(0)
            if not os.access(locked, os.R_OK):  # the superuser may read it all the same
                self._expect(PermissionError, errno.EACCES, locked, "a file without permission")
            locked.chmod(0o600)

    @law("assets", unless="cannot_write")
    def test_names_survive(self, asset: Asset) -> None:
        """Joint names, of whatever letters, come back as they were written, with the same parents."""
        found = self._again(asset).skeleton
        wrote, read = _hierarchy(asset.skeleton), _hierarchy(found)
        require(set(read) == set(wrote), f"wrote the joints {sorted(wrote)}, read {sorted(read)}")
        require(read == wrote, f"wrote the hierarchy {wrote}, read {read}")

    @law("assets", st.randoms(use_true_random=False), unless="cannot_write")
    def test_the_order_of_joints_does_not_matter(self, asset: Asset, random: Any) -> None:
        """The order in which a file lists its joints changes no global position."""
        self._compare_positions(asset.motions[0], self._again(asset).motions[0])
        shuffled = _shuffled(asset, random)
        self._compare_positions(asset.motions[0], self._again(shuffled).motions[0])

    # -- what laws draw, and why some do not apply

    def cannot_write(self) -> str | None:
        """Return why laws of writing do not apply, or None."""
        return None if hasattr(self.subject, "write") else "the provider only reads"

    def _files(self) -> st.SearchStrategy[Sample]:
        known = [_sample(held) for held in self.samples]
        drawn: list[st.SearchStrategy[Sample]] = [st.sampled_from(known)] if known else []
        if self.cannot_write() is None:
            drawn.append(self.assets().map(self._encode))
        if not drawn:
            raise ContractError(
                f"{self.name} has no 'write' and the contract no 'samples': expected one of them, to have "
                "files to read"
            )
        return st.one_of(drawn)

    def _small_files(self) -> st.SearchStrategy[Sample]:
        return self._files().filter(lambda file: len(file.data) <= 1 << 11)

    def _damaged(self) -> st.SearchStrategy[bytes]:
        known = [_sample(held).data for held in self.samples]
        if self.cannot_write() is None:
            known.append(self._encode(_still_asset()).data)
        return strategies.file_bytes(known)

    # -- how they read and write

    def _encode(self, asset: Asset) -> Sample:
        """Return the file that the provider writes of `asset`."""
        with self.folder() as folder:
            path = folder / f"clip{self.suffix}"
            self._write(asset, path)
            left = [other.name for other in folder.iterdir() if other != path]
            return Sample(path.read_bytes(), files={name: (folder / name).read_bytes() for name in left})

    def _write(self, asset: Asset, path: Path) -> None:
        try:
            self.subject.write(asset, path, **self.write_options)
        except ValidationError:
            hypothesis.reject()  # the format can't hold it, and the provider says so

    def _again(self, asset: Asset) -> Asset:
        with self.folder() as folder:
            path = folder / f"clip{self.suffix}"
            self._write(asset, path)
            return self._read(path)

    def _read(self, path: Path) -> Asset:
        asset = self.subject.read(path, **self.read_options)
        require(isinstance(asset, Asset), f"read returned {type(asset).__name__}, expected an Asset")
        valid: Asset = attrs.evolve(asset)  # builds it anew, so that its checks run
        return valid

    @contextmanager
    def _written(self, file: Sample) -> Iterator[Path]:
        with self.folder() as folder:
            for name, data in file.files.items():
                (folder / name).write_bytes(data)
            path = folder / f"clip{file.suffix or self.suffix}"
            path.write_bytes(file.data)
            yield path

    def _read_bytes(self, data: bytes, what: str, *, file: Sample | None = None) -> None:
        held = attrs.evolve(file or Sample(b""), data=data)
        with (
            self._written(held) as path,
            bounded_memory(BYTES + 4096 * len(data), what),
            bounded_time(SECONDS, what),
        ):
            try:
                self._read(path)
            except FormatError as error:
                require(str(path) in str(error), f"the FormatError does not name the file: {error}")

    def _expect(self, kind: type[OSError], number: int, path: Path, what: str) -> None:
        try:
            self.subject.read(path, **self.read_options)
        except OSError as error:
            fits = isinstance(error, kind) or error.errno == number or os.name == "nt"
            require(fits, f"{what} raised {type(error).__name__}: {error}; expected {kind.__name__}")
            require(path.name in str(error), f"the error about {what} does not name it: {error}")
        else:
            raise ContractError(f"{what} was read, expected {kind.__name__}")

    # -- how they compare

    def _compare_known(self, asset: Asset, file: Sample) -> None:
        if not file.positions:
            return
        motion = asset.motions[0] if asset.motions else _rest(asset.skeleton)
        found = global_matrices(motion)[0, :, :3, 3]
        for name, expected in file.positions.items():
            require(name in asset.skeleton.names, f"no joint {name!r} among {asset.skeleton.names}")
            at = found[asset.skeleton.names.index(name)]
            off = np.abs(at - np.asarray(expected)).max()
            require(
                off <= self.precision_m,
                f"joint {name!r} stands at {at.tolist()} m, expected {list(expected)} (metres, Y up)",
            )

    def _compare(self, wrote: Motion, read: Motion) -> None:
        rate = abs(read.framerate - wrote.framerate) / wrote.framerate
        require(rate <= 1e-4, f"wrote {wrote.framerate:g} frames a second, read {read.framerate:g}")
        self._compare_positions(wrote, read)
        order = _order(wrote.skeleton, read.skeleton)
        turn = quaternion_angle(wrote.rotations, read.rotations[:, order])
        require(
            turn <= self.precision_rad,
            f"local rotations differ by {turn.max():.3g} rad, expected at most {self.precision_rad:g}",
        )

    def _compare_positions(self, wrote: Motion, read: Motion) -> None:
        require(
            read.frame_count == wrote.frame_count,
            f"wrote {wrote.frame_count} frames, read {read.frame_count}",
        )
        order = _order(wrote.skeleton, read.skeleton)
        here, there = global_matrices(wrote)[..., :3, 3], global_matrices(read)[..., :3, 3][:, order]
        reach = 1.0 + np.abs(here).max()
        bound = self.precision_m * reach + self.precision_rad * reach
        off = np.abs(here - there)
        require(off <= bound, f"global positions differ by {off.max():.3g} m, expected at most {bound:.3g}")


def _sample(held: Sample | bytes) -> Sample:
    return Sample(held) if isinstance(held, bytes) else held


def _listing(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _difference(a: Asset, b: Asset) -> str:
    names = (field.name for field in attrs.fields(Asset) if getattr(a, field.name) != getattr(b, field.name))
    return ", ".join(names)


def _hierarchy(skeleton: Skeleton) -> dict[str, str | None]:
    names, parents = skeleton.names, skeleton.parents
    return {name: None if parents[i] < 0 else names[parents[i]] for i, name in enumerate(names)}


def _order(wrote: Skeleton, read: Skeleton) -> Array:
    """Return where each joint that was written stands in what was read.

    Names are the business of `names_survive`: where they are lost, nothing can be compared.
    """
    place = {name: i for i, name in enumerate(read.names)}
    if set(place) != set(wrote.names):
        hypothesis.reject()
    return np.array([place[name] for name in wrote.names])


def _rest(skeleton: Skeleton) -> Motion:
    return Motion(
        skeleton,
        skeleton.rest_positions[None],
        skeleton.rest_rotations[None],
        1.0,
        scales=skeleton.rest_scales[None],
    )


def _still_asset() -> Asset:
    skeleton = Skeleton(("hips", "head"), [-1, 0], [[0.0, 1.0, 0.0], [0.0, 0.6, 0.0]])
    motion = Motion(skeleton, skeleton.rest_positions[None], skeleton.rest_rotations[None], 30.0, "still")
    return Asset("still", skeleton, (motion,), metadata={"format": "drawn", "unit_m": 1.0, "axes": "+X+Y+Z"})


def _shuffled(asset: Asset, random: Any) -> Asset:
    """Return the same asset with its joints in another order, parents still before children."""
    skeleton, motion = asset.skeleton, asset.motions[0]
    waiting = list(range(len(skeleton)))
    order: list[int] = []
    placed = {-1}
    while waiting:
        ready = [joint for joint in waiting if int(skeleton.parents[joint]) in placed]
        joint = random.choice(ready)
        order.append(joint)
        placed.add(joint)
        waiting.remove(joint)
    place = {joint: i for i, joint in enumerate(order)} | {-1: -1}
    turned = Skeleton(
        tuple(skeleton.names[joint] for joint in order),
        [place[int(skeleton.parents[joint])] for joint in order],
        skeleton.rest_positions[order],
        skeleton.rest_rotations[order],
        skeleton.rest_scales[order],
    )
    moved = attrs.evolve(
        motion,
        skeleton=turned,
        positions=motion.positions[:, order],
        rotations=motion.rotations[:, order],
        scales=None if motion.scales is None else motion.scales[:, order],
    )
    return attrs.evolve(asset, skeleton=turned, motions=(moved,))
