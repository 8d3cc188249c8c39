"""What a host does with shots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from kinetoscope_spec.errors import ConfigError

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from kinetoscope.host import Host
    from kinetoscope.shot.events import Listener
    from kinetoscope.shot.run import Film
    from kinetoscope.shot.settings import Shot

__all__ = ["Shooting"]


class Shooting:
    """Shoots shots and checks them; a host is one of these."""

    def shoot(
        self,
        shot: str | Path | Shot | Mapping[str, Any],
        *,
        out: str | Path | None = None,
        first: str | None = None,
        until: str | None = None,
        providers: Mapping[str, str] | None = None,
        progress: Listener | None = None,
        within: Sequence[str | Path] | None = None,
        workers: int | None = None,
        executor: Executor | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Film:
        """Shoot a shot: go through its stages, write the film and what goes with it. `kinetoscope shoot` is this.

        What earlier runs have made of the same is taken up, and nothing is written where the film goes
        before all of it is there.

        Args:
            shot: a shot file; or what stands in one, a mapping of its tables or a `Shot`, whose paths are
                then read against the current folder.
            out: where the film goes, instead of where the shot says.
            first: the stage from which on all is made again.
            until: the stage after which to stop; no film is written then.
            providers: provider by stage, stronger than the shot.
            progress: told what is done, a `ShotEvent` at a time, from the threads that work; returning
                False cancels. The film is then not written; what finished stages made is kept.
            within: the only folders in which the shot may name files, for shots that others wrote; names
                that are absolute or go up (`..`) are refused as well.
            workers: how many stages that do not depend on each other are worked on at once, in threads; as
                many as there are cores for None. Above 1, so many processes draw ranges of frames, too. The
                film is the same, byte for byte, with any number of them.
            executor: where ranges of frames are drawn instead, `workers` at once as it says itself: processes,
                threads, or a cluster that finds the shot's files under the same paths (the cache below
                `KINETOSCOPE_HOME` among them where something is taken out of a plate), with the same plugins.
                Bytes are the same where renderers find the same driver. It is not closed.
            options: arguments with which workers make their hosts; they must lead to the same providers.

        Raises:
            ConfigError: the shot is wrong, a stage is unknown, a file is missing or outside of `within`,
                or the film would be written over what it is made from.
            FormatError: an input can't be read.
            ProviderNotFound, ProviderUnavailable: a stage has no provider.
            Cancelled: `progress` returned False.
        """
        from kinetoscope.shot.crew import Crew
        from kinetoscope.shot.run import shoot

        return shoot(
            cast("Host", self),
            shot,
            out=out,
            first=first,
            until=until,
            providers=providers,
            progress=progress,
            within=within,
            crew=Crew(executor, workers, options or {}),
        )

    def check_shot(
        self,
        shot: str | Path | Shot | Mapping[str, Any],
        *,
        providers: Mapping[str, str] | None = None,
        within: Sequence[str | Path] | None = None,
    ) -> list[str]:
        """Return all that would keep a shot from being shot, found without any work; see `shoot`."""
        from kinetoscope.shot.plan import check
        from kinetoscope.shot.run import open_store
        from kinetoscope.shot.settings import shot_file

        try:
            host = cast("Host", self)
            return check(host, shot_file(shot, within), open_store(host), providers)
        except ConfigError as error:
            return [str(error)]
