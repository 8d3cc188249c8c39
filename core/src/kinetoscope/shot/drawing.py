"""What is drawn, as values that any process can draw from: the performer alone, or over a plate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope.shot import film, settings
from kinetoscope.shot.job import identity, values_of
from kinetoscope.shot.layers import Clocked, Layers
from kinetoscope.shot.marks import Marks
from kinetoscope.shot.stages import Stage, Stages
from kinetoscope.shot.surroundings import Surroundings
from kinetoscope_spec import Camera, Character, Frame, Motion, Path, Video
from kinetoscope_spec.errors import ConfigError
from kinetoscope_spec.ghosts import Ghosts
from kinetoscope_spec.protocols import Progress

if TYPE_CHECKING:
    from kinetoscope import Host

__all__ = ["Alone", "Beside", "Drawing", "Frames", "Over", "widths"]

Array = NDArray[Any]

Frames = Callable[[int, int | None], Iterator[Array]]
"""Yields frames `start` to `stop` (not included; None for all that are left), `uint8 [H, W, 3]`."""


@attrs.frozen(eq=False)
class Alone:
    """A performer on the stage that films without a plate have.

    It can be pickled; providers are named, and found where it is drawn.

    Attributes:
        by: of each hook, the provider's name and who that is, with a hash of its source.
        output, light: as the shot file says.
        character: who is seen.
        motions: of the film's framerate; each moves a figure of its own.
        views: the camera of each frame.
        path: shown on the ground, or None.
        ghosts: of each figure, or None.
        marks: what is drawn beside them, or None.
        around: what lights them beside the sun, or instead of it, or None.
    """

    by: dict[str, tuple[str, str]]
    output: settings.Output
    light: settings.Light
    character: Character
    motions: Sequence[Motion]
    views: list[Camera]
    path: Path | None = None
    ghosts: Ghosts | None = None
    marks: Marks | None = None
    around: Surroundings | None = None

    @property
    def count(self) -> int:
        """Frames of the film."""
        return len(self.views)

    @property
    def size(self) -> tuple[int, int]:
        """Of a frame, (width, height) px."""
        return self.output.size

    def open(self, host: Host, progress: Progress | None = None) -> Frames:
        """Return where its frames come from, with the providers of `host`.

        Raises:
            ConfigError: these are others than those it was made with.
        """
        renderer = _same(host, self.by)["renderer"]
        poses = [m.global_matrices() for m in self.motions]
        return lambda start, stop: (
            frame.color[..., :3] for frame in self.frames(renderer, (), progress, start, stop, poses=poses)
        )

    def frames(
        self,
        renderer: Any,
        buffers: Sequence[str] = (),
        progress: Progress | None = None,
        start: int = 0,
        stop: int | None = None,
        *,
        poses: Sequence[Array] | None = None,
    ) -> Iterator[Frame]:
        """Yield frames `start` to `stop` (not included) with `buffers`, drawn by `renderer`; see `film.frames`."""
        return film.frames(
            renderer,
            self.output,
            self.light,
            self.character,
            self.motions,
            self.views,
            path=self.path,
            buffers=buffers,
            progress=progress,
            start=start,
            stop=stop,
            poses=poses,
            ghosts=self.ghosts,
            marks=self.marks,
            around=self.around,
        )


@attrs.frozen(eq=False)
class Beside:
    """Several performers in one picture, each in a part of its own, from left to right.

    Attributes:
        panes: what is drawn in each part; all have as many views and are as high.
        output: as the film has it; the widths of the panes make up its width.
    """

    panes: tuple[Alone, ...]
    output: settings.Output

    @property
    def by(self) -> dict[str, tuple[str, str]]:
        """See `Alone`."""
        return self.panes[0].by

    @property
    def count(self) -> int:
        """Frames of the film."""
        return self.panes[0].count

    @property
    def size(self) -> tuple[int, int]:
        """Of a frame, (width, height) px."""
        return self.output.size

    def open(self, host: Host, progress: Progress | None = None) -> Frames:
        """Return where its frames come from; see `Alone.open`. Progress is that of the last pane."""
        opened = [pane.open(host) for pane in self.panes[:-1]]
        opened.append(self.panes[-1].open(host, progress))

        def frames(start: int, stop: int | None) -> Iterator[Array]:
            for parts in zip(*(one(start, stop) for one in opened), strict=True):
                yield np.concatenate(parts, axis=1)

        return frames


def widths(width: int, count: int) -> list[int]:
    """Return how wide each of `count` panes of a picture is: the same, but for pixels that are left over."""
    return [width // count + (i < width % count) for i in range(count)]


@attrs.frozen(eq=False)
class Over:
    """A performer over a plate.

    Attributes:
        by: see `Alone`.
        plate: the film below, without its sound.
        given: what the shot file says of it.
        output, light: as the shot file says.
        character, motion: who is seen, from the plate's first frame on.
        views: the camera of each frame.
        around: see `Alone`.
    """

    by: dict[str, tuple[str, str]]
    plate: Video
    given: settings.Plate
    output: settings.Output
    light: settings.Light
    character: Character
    motion: Motion
    views: list[Camera]
    around: Surroundings | None = None

    @property
    def count(self) -> int:
        """Frames of the film."""
        return len(self.views)

    @property
    def size(self) -> tuple[int, int]:
        """Of a frame, (width, height) px."""
        return self.plate.width, self.plate.height

    def open(self, host: Host, progress: Progress | None = None) -> Frames:
        """Return where its frames come from; see `Alone.open`."""
        return self.clocked(host, progress)[0]

    def clocked(self, host: Host, progress: Progress | None = None) -> tuple[Frames, Clocked]:
        """Return where its frames come from, and the layers, which know how long they took to draw."""
        providers = _same(host, self.by)
        layers = Clocked(
            Layers(
                values_of(host, "compositor").Layer,
                providers["renderer"],
                self.size,
                self.output,
                self.light,
                self.given.shadow,
                self.character,
                self.motion,
                self.views,
                float(self.plate.rate),
                progress,
                self.around,
            )
        )
        given = self.given
        made: Video = providers["compositor"].composite(
            self.plate, layers, tint=given.tint, grain=given.grain, seed=given.seed
        )
        return lambda start, stop: (frame[..., :3] for frame in made.frames(start, stop)), layers


Drawing = Alone | Over | Beside
"""What is drawn."""


def _same(host: Host, by: dict[str, tuple[str, str]]) -> dict[str, Any]:
    """Return the providers that are named, by hook.

    Raises:
        ConfigError: one has another version or source here.
    """
    found = {}
    for hook, (name, who) in by.items():
        stage = Stage(hook)
        found[hook] = Stages(host).provider(stage, hook, name)
        if identity(stage) != who:
            raise ConfigError(
                f"a worker has the {hook} {identity(stage)}, where the film is made it is {who}; install the same"
            )
    return found
