"""Importers with one thing wrong."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from kinetoscope_spec.character import Asset
from kinetoscope_spec.contracts.mutants import Mutant, Wrapper, mutant
from kinetoscope_spec.errors import FormatError

__all__ = ["MUTANTS"]

MUTANTS: list[Mutant] = []


class _Reads(Wrapper):
    """An importer whose assets are changed after reading."""

    def read(self, path: str | Path, **options: Any) -> Asset:
        return self.changed(self.real.read(path, **options), Path(path))

    def changed(self, asset: Asset, path: Path) -> Asset:
        return asset


@mutant(MUTANTS, "reading_is_deterministic")
class Counts(_Reads):
    """names each asset anew at every reading"""

    numbers = itertools.count()

    def changed(self, asset: Asset, path: Path) -> Asset:
        return attrs.evolve(asset, name=f"{asset.name}-{next(self.numbers)}")


@mutant(MUTANTS, "the_file_is_left_alone")
class Indexes(_Reads):
    """leaves an index file beside what it reads"""

    def changed(self, asset: Asset, path: Path) -> Asset:
        path.with_suffix(".index").write_bytes(b"index")
        return asset


@mutant(MUTANTS, "assets_are_in_our_units_and_axes")
class Mute(_Reads):
    """does not say the file's unit"""

    def changed(self, asset: Asset, path: Path) -> Asset:
        held = {name: value for name, value in asset.metadata.items() if name != "unit_m"}
        return attrs.evolve(asset, metadata=held)


@mutant(MUTANTS, "what_is_written_is_read_again")
class Hurries(_Reads):
    """reads a framerate that is one percent off"""

    def changed(self, asset: Asset, path: Path) -> Asset:
        motions = [attrs.evolve(motion, framerate=motion.framerate * 1.01) for motion in asset.motions]
        return attrs.evolve(asset, motions=motions)


class _Knows(Wrapper):
    """An importer that remembers the files that it could read."""

    def __init__(self, real: Any) -> None:
        super().__init__(real)
        self.known: set[bytes] = set()

    def read(self, path: str | Path, **options: Any) -> Asset:
        try:
            asset: Asset = self.real.read(path, **options)
        except FormatError as error:
            data = Path(path).read_bytes()
            self.refused(
                error, cut=any(len(held) > len(data) and held.startswith(data) for held in self.known)
            )
            raise
        self.known.add(Path(path).read_bytes())
        return asset

    def refused(self, error: FormatError, *, cut: bool) -> None:
        raise NotImplementedError  # pragma: no cover - both mutants have their own


@mutant(MUTANTS, "any_bytes_end_in_an_asset_or_a_format_error")
class Leaks(_Knows):
    """lets a ValueError through where the bytes are not those of any file"""

    def refused(self, error: FormatError, *, cut: bool) -> None:
        if not cut:
            raise ValueError("invalid literal") from error


@mutant(MUTANTS, "a_cut_file_ends_in_an_asset_or_a_format_error")
class Overruns(_Knows):
    """lets an IndexError through where a good file ends too early"""

    def refused(self, error: FormatError, *, cut: bool) -> None:
        if cut:
            raise IndexError("index out of range") from error


@mutant(MUTANTS, "wrong_paths_give_the_right_error")
class Guesses(Wrapper):
    """says FormatError, and no OSError, of a file that is not there"""

    def read(self, path: str | Path, **options: Any) -> Asset:
        try:
            asset: Asset = self.real.read(path, **options)
        except OSError as error:
            raise FormatError("can't be read", path=path) from error
        return asset


@mutant(MUTANTS, "names_survive")
class Renames(_Reads):
    """puts question marks for the letters that ASCII does not have"""

    def changed(self, asset: Asset, path: Path) -> Asset:
        names = [name.encode("ascii", "replace").decode() for name in asset.skeleton.names]
        if len(set(names)) < len(names):
            return asset
        skeleton = attrs.evolve(asset.skeleton, names=names)
        motions = [attrs.evolve(motion, skeleton=skeleton) for motion in asset.motions]
        return attrs.evolve(asset, skeleton=skeleton, motions=motions)


@mutant(MUTANTS, "the_order_of_joints_does_not_matter")
class Remembers(Wrapper):
    """gives the joints of a skeleton the order in which it first met them, and not their data"""

    def __init__(self, real: Any) -> None:
        super().__init__(real)
        self.orders: dict[bytes, tuple[str, ...]] = {}

    def write(self, asset: Asset, path: str | Path, **options: Any) -> None:
        skeleton = asset.skeleton
        same = np.sort(skeleton.rest_positions.ravel()).tobytes() + repr(sorted(skeleton.names)).encode()
        skeleton = attrs.evolve(skeleton, names=self.orders.setdefault(same, skeleton.names))
        motions = [attrs.evolve(motion, skeleton=skeleton) for motion in asset.motions]
        self.real.write(attrs.evolve(asset, skeleton=skeleton, motions=motions), path, **options)
