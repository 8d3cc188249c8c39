"""Where a shot's files go, and what must be so before hours of work are put into them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from kinetoscope.shot.settings import ShotFile
from kinetoscope.shot.steps import asks, steps_of
from kinetoscope_spec.errors import ConfigError

if TYPE_CHECKING:
    from kinetoscope import Host

__all__ = ["Outputs", "check_providers", "refuse_overwriting"]


@attrs.frozen
class Outputs:
    """The files that a shot writes.

    Attributes:
        film: the film.
        report: the JSON report.
        page: the report for people, HTML.
        motion, unplanted: the performance planted and as generated, BVH.
    """

    film: Path
    report: Path
    page: Path
    motion: Path
    unplanted: Path

    @classmethod
    def beside(cls, film: Path) -> Outputs:
        """Return the names that go with `film`."""
        return cls(
            film,
            film.with_suffix(".report.json"),
            film.with_suffix(".report.html"),
            film.with_suffix(".bvh"),
            film.with_suffix(".unplanted.bvh"),
        )

    def check(self, inputs: Iterable[Path], place: str) -> None:
        """Refuse what would end in a loss.

        Raises:
            ConfigError: a file would replace an input, a folder stands in its place, or its folder
                can't be written.
        """
        for path in attrs.astuple(self):
            refuse_overwriting(path, inputs, place)
        folder = self.film.absolute().parent
        while not folder.exists():
            folder = folder.parent
        if not folder.is_dir() or not os.access(folder, os.W_OK):
            raise ConfigError(
                f"{self.film} can't be written: {folder} is no folder one may write to", place=place
            )


def refuse_overwriting(path: Path, inputs: Iterable[Path], place: str | None = None) -> None:
    """Refuse to write to `path` where one of the `inputs` lies.

    Raises:
        ConfigError: it is one of them, or a folder.
    """
    if path.is_dir():
        raise ConfigError(f"{path} is a folder, expected the name of a file", place=place)
    if path.resolve() in {given.resolve() for given in inputs}:
        raise ConfigError(
            f"{path} would be written over, which is read from; choose another name", place=place
        )


def check_providers(host: Host, shot_file: ShotFile, choices: Mapping[str, str]) -> None:
    """Find every provider that the shot needs before the first of them works.

    Args:
        choices: providers by stage, stronger than the shot file.

    Raises:
        ProviderNotFound, ProviderUnavailable, PluginError: there is none, or it lacks something.
        ConfigError: no media provider writes films of that suffix.
    """
    shot = shot_file.shot
    for step in steps_of(shot):
        named = choices.get(step.name, step.named(shot))
        if asks(step, shot) and step.hook not in (None, "importer") and (named or not step.optional):
            host.provider(step.hook, named)
    if shot.voice is not None:
        host.marker.found()
    media = choices.get("encode", shot.output.media)
    suffix = Path(shot.output.file).suffix.removeprefix(".").lower()
    chosen = host.explain("media", name=media).chosen
    writes = next(
        info.provider.writes for info in host.providers("media") if info.name == chosen and info.provider
    )
    if writes and suffix not in writes:
        raise ConfigError(
            f"no film is written as .{suffix}; {chosen} writes {', '.join(writes)}",
            place=shot_file.place("output", "file"),
        )
