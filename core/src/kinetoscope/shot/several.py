"""Several shots at once: here, one after the other, or spread over the workers of an executor."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from kinetoscope.convert import FileReader
from kinetoscope.executors.spreading import spread
from kinetoscope.shot.settings import read_shot
from kinetoscope.shot.steps import STEPS, check_choices, check_stage
from kinetoscope_spec.errors import Cancelled, ConfigError, KinetoscopeError

if TYPE_CHECKING:
    from kinetoscope import Host
    from kinetoscope_spec import Progress

__all__ = ["Outcome", "Take", "shoot_all", "takes"]


class Take(NamedTuple):
    """One shot file, absolute, and how it is shot; see `Host.shoot`."""

    shot: Path
    out: Path | None = None
    first: str | None = None
    until: str | None = None
    providers: Mapping[str, str] | None = None
    workers: int | None = None


class Outcome(NamedTuple):
    """What became of a shot: its film and report, None where none was asked for; or why it failed.

    With its stages and warnings, as `Film` has them.
    """

    shot: str
    film: str | None = None
    report: str | None = None
    seconds: float = 0.0
    reason: str = ""
    stages: Sequence[Mapping[str, Any]] = ()
    warnings: Sequence[str] = ()


def takes(
    shots: Sequence[Path],
    folder: Path | None,
    *,
    first: str | None = None,
    until: str | None = None,
    providers: Mapping[str, str] | None = None,
    workers: int | None = None,
) -> list[Take]:
    """Return how each shot is shot: its film goes where it says, or into `folder`, called as the shot file.

    For one shot `folder` is its film, unless there is a folder of that name.

    `workers` is how many stages of each work at once: 1 where several shots do.

    A shot that can't be read is among them: it fails by itself, and the others are shot.

    Raises:
        ConfigError: two shots would write the same film, or what goes beside it; `folder` is a file; or a
            stage that is named is none.
    """
    check_choices(providers or {})
    for stage, option in ((first, "--from"), (until, "--until")):
        if stage is not None:
            check_stage(stage, option)
    alone = folder is not None and len(shots) == 1 and not folder.is_dir()
    if folder is not None and folder.exists() and not folder.is_dir() and not alone:
        raise ConfigError(
            f"{folder} is a file, expected a folder for the films of {len(shots)} shots", place="--out"
        )
    found, films = [], dict[Path, Path]()
    for shot in shots:
        out = None
        try:
            told = read_shot(shot)
            if alone and folder is not None:
                out = folder.absolute()
            elif folder is not None:
                out = folder.absolute() / f"{shot.stem}{Path(told.shot.output.file).suffix}"
            name = (out or told.film).resolve().with_suffix("")  # so is what goes beside the film called, too
        except (KinetoscopeError, OSError):
            name = shot.resolve()
        if name in films:
            raise ConfigError(f"{films[name]} and {shot} would both be shot to {name}; give them other names")
        films[name] = shot
        found.append(Take(shot.absolute(), out, first, until, providers, workers))
    return found


def shoot_all(
    host: Host,
    wanted: Sequence[Take],
    *,
    executor: Executor | None = None,
    options: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> list[Outcome]:
    """Shoot all, in order, here or in the workers of `executor`; these make their hosts with `options`.

    A shot that fails does not stop the others.

    Raises:
        Cancelled: `progress`, which is told how many shots are done, returned False.
        ProviderNotFound, ProviderUnavailable: a provider that was chosen for all of them; none is shot then.
    """
    for stage, name in {pair for take in wanted for pair in (take.providers or {}).items()}:
        hook = next(step.hook for step in STEPS if step.name == stage)
        host.provider(str(hook), name)
    done = []
    with closing(_outcomes(FileReader(host, options), wanted, executor)) as outcomes:
        for outcome in outcomes:
            done.append(outcome)
            if progress is not None and progress(len(done), len(wanted), outcome.shot) is False:
                raise Cancelled(f"cancelled after {len(done)} of {len(wanted)} shots")
    return done


def _outcomes(
    reader: FileReader, wanted: Sequence[Take], executor: Executor | None
) -> Generator[Outcome, None, None]:
    if executor is None:
        for take in wanted:
            yield _shoot_one(reader, take)
        return
    with closing(spread(executor, _shoot_one, reader, wanted, queued=1)) as results:
        for take, result in zip(wanted, results, strict=True):
            if isinstance(result, Outcome):
                yield result
            else:
                yield Outcome(str(take.shot), reason=f"the worker that shot it died, twice: {result}")


def _shoot_one(reader: FileReader, take: Take) -> Outcome:
    """Shoot one; it never raises for what is wrong with it."""
    began, shot = time.perf_counter(), str(take.shot)
    try:
        film = reader.host.shoot(
            take.shot,
            out=take.out,
            first=take.first,
            until=take.until,
            providers=take.providers,
            workers=take.workers,
        )
    except (KinetoscopeError, OSError) as error:
        return Outcome(shot, seconds=_since(began), reason=" ".join(str(error).split()))
    except Exception as error:  # noqa: BLE001 - a defect in one provider must not stop the other shots
        notes = " ".join(getattr(error, "__notes__", ()))
        return Outcome(shot, seconds=_since(began), reason=f"{type(error).__name__}: {error} {notes}".strip())
    files = _text(film.film), _text(film.page)
    return Outcome(shot, *files, _since(began), stages=film.stages, warnings=film.warnings)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _since(began: float) -> float:
    return round(time.perf_counter() - began, 3)
