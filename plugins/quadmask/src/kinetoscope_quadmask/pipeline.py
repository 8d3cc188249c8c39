"""From a video and prompts to a quadmask, in four stages that leave their outputs in a folder.

`segment` follows what is to be taken out, `reason` asks what changes with it, `locate` finds what was
named in the video, `combine` puts it together. The files have the names and values of VOID's own pipeline
(`black_mask.mp4`, `vlm_analysis.json`, `grey_mask.mp4`, `quadmask_0.mp4`, `prompt.json`), so that either's
tools can look at the other's. `black_mask.mp4` is dark where the object is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs

from kinetoscope_quadmask import _combining, _steps
from kinetoscope_quadmask._folder import INFO, QUADMASK
from kinetoscope_quadmask._grid import Grid
from kinetoscope_quadmask._stages import Stage, Stages, digest_of, frames_digest
from kinetoscope_quadmask.files import read_quadmask
from kinetoscope_quadmask.prompting import prompts_json
from kinetoscope_quadmask.prompts import Doubt, Prompts
from kinetoscope_quadmask.reasoning import Reasoning
from kinetoscope_quadmask.streams import check_fit
from kinetoscope_spec import Cancelled, Mask, Progress, Quadmask, ValidationError, Video

__all__ = ["MaskPipeline", "Masked"]

STEPS = 1000
"""Of each stage, as `progress` counts them."""


@attrs.frozen(eq=False)
class Masked:
    """What the pipeline made.

    Attributes:
        quadmask: the result, read from `folder / "quadmask_0.mp4"`.
        reasoning: what the reasoner said.
        doubts: where the segmenter asks for more prompts.
        stages: what was done, and what was there already.
        warnings: what was repaired in answers, or could not be located.
        folder: where all of it lies.
    """

    quadmask: Quadmask
    reasoning: Reasoning
    doubts: tuple[Doubt, ...]
    stages: tuple[Stage, ...]
    warnings: tuple[str, ...]
    folder: Path


class MaskPipeline:
    """Makes quadmasks with a segmenter and a reasoner.

    Args:
        media: provider of the hook `media`, for the files.
        segmenter: provider of the hook `segmenter`; None where a mask is given and nothing is to be located.
        reasoner: provider of the hook `reasoner`; None for masks of the object alone.
        names: what to call the two in the record; another name makes a stage anew.
    """

    def __init__(
        self, media: Any, segmenter: Any = None, reasoner: Any = None, *, names: tuple[str, str] = ("", "")
    ) -> None:
        self.media = media
        self.segmenter = segmenter
        self.reasoner = reasoner
        self.names = (names[0] or _name(segmenter), names[1] or _name(reasoner))

    def run(
        self,
        video: Video,
        objects: Sequence[Prompts] = (),
        *,
        folder: str | Path,
        mask: Mask | None = None,
        instruction: str = "",
        grid: Grid | None = None,
        first_frame: bool = True,
        identity: str | None = None,
        fresh: bool = False,
        progress: Progress | None = None,
    ) -> Masked:
        """Make the quadmask of what `objects` prompts for, or of what `mask` covers (255 inside).

        Outputs of earlier runs in `folder` are taken where they were made of the same; edit one by hand,
        and what follows is made of the edited one.

        Args:
            first_frame: keep the first frame free of affected regions, as VOID expects.
            identity: a name for the video's content, such as a file's hash, which saves reading it all.
            fresh: make everything again.

        Raises:
            ValidationError: prompts or mask don't fit the video, or nothing was found.
            Cancelled: `progress` returned False. What was finished is there for the next run.
        """
        if bool(objects) == (mask is not None):
            raise ValidationError("expected either prompts of objects or a mask, one of the two")
        if mask is not None:
            check_fit(mask, video)
        work = _Work(
            self, video, Stages(Path(folder), fresh=fresh), progress, identity or frames_digest(video)
        )
        with _made(work.stages.folder):
            doubts = work.segment(objects, mask, instruction)
            reasoning = work.reason(instruction, grid)
            located, warnings = work.locate(reasoning)
            work.combine(reasoning, located, first_frame=first_frame)
        return Masked(
            read_quadmask(self.media, work.path(QUADMASK), like=video),
            reasoning,
            doubts,
            tuple(work.stages.stages),
            (*reasoning.warnings, *warnings),
            work.stages.folder,
        )


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Make a folder; where work fails before anything is in it, it goes again."""
    new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        if new and not any(folder.iterdir()):
            folder.rmdir()
        raise


@attrs.define
class _Work:
    """One run of the pipeline."""

    pipeline: MaskPipeline
    video: Video
    stages: Stages
    progress: Progress | None
    identity: str

    def path(self, name: str) -> Path:
        return self.stages.folder / name

    def segment(self, objects: Sequence[Prompts], mask: Mask | None, instruction: str) -> tuple[Doubt, ...]:
        name = self.pipeline.names[0] if mask is None else ""
        told = prompts_json(objects)
        hints = [[hashlib.sha256(hint.mask.tobytes()).hexdigest() for hint in held.masks] for held in objects]
        given = None if mask is None else frames_digest(mask)
        key = digest_of(self.identity, told, hints, given, name)
        if not self.stages.stands("segment", key, name):
            files = _steps.segment(
                self.pipeline.media,
                self.pipeline.segmenter,
                self.video,
                objects,
                mask,
                self.stages.folder,
                instruction,
                self._part(0, "segmenting"),
            )
            self.stages.finish("segment", key, files, name)
        return _steps.read_doubts(self.path(INFO))

    def reason(self, instruction: str, grid: Grid | None) -> Reasoning:
        grid = grid or Grid.over(self.video.width, self.video.height)
        name = self.pipeline.names[1]
        key = digest_of(self.stages.digest("segment"), instruction, [grid.rows, grid.cols], name)
        if not self.stages.stands("reason", key, name):
            black = _steps.read_black(self.pipeline.media, self.stages.folder, self.video)
            made = _steps.reason(
                self.pipeline.reasoner, self.video, black, instruction, grid, self._part(1, "reasoning")
            )
            files = _steps.write_reasoning(self.pipeline.media, self.stages.folder, made)
            self.stages.finish("reason", key, files, name)
        return _steps.read_reasoning(self.pipeline.media, self.stages.folder, self.video)

    def locate(self, reasoning: Reasoning) -> tuple[_combining.Located, tuple[str, ...]]:
        name = self.pipeline.names[0]
        key = digest_of(self.stages.digest("reason"), name, self.identity)
        if not self.stages.stands("locate", key, name):
            files = _combining.locate(
                self.pipeline.media,
                self.pipeline.segmenter,
                self.video,
                reasoning,
                self.stages.folder,
                self._part(2, "locating what was named"),
            )
            self.stages.finish("locate", key, files, name)
        return _combining.read_located(self.pipeline.media, self.stages.folder, self.video, reasoning)

    def combine(self, reasoning: Reasoning, located: _combining.Located, *, first_frame: bool) -> None:
        key = digest_of(self.stages.digest("segment", "reason", "locate"), first_frame)
        if not self.stages.stands("combine", key):
            black = _steps.read_black(self.pipeline.media, self.stages.folder, self.video)
            files = _combining.combine(
                self.pipeline.media,
                self.stages.folder,
                black,
                reasoning,
                located,
                first_frame=first_frame,
                progress=self._part(3, "combining"),
            )
            self.stages.finish("combine", key, files)

    def _part(self, index: int, title: str) -> Callable[[int, int, str], bool | None] | None:
        """Return the progress of one of the four stages."""
        listen = self.progress
        if listen is None:
            return None

        def told(done: int, total: int, message: str) -> bool | None:
            share = min(done / total, 1.0) if total > 0 else 0.0
            answer = listen(index * STEPS + int(share * STEPS), 4 * STEPS, message or title)
            if answer is False:
                raise Cancelled(f"cancelled while {title}")
            return answer

        told(0, 1, title)
        return told


def _name(provider: Any) -> str:
    return "" if provider is None else type(provider).__name__
