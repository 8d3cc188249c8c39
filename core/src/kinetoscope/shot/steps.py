"""The stages of a shot: their order, which shots have them, and by which hook each is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs

from kinetoscope.shot.settings import Shot
from kinetoscope_spec.errors import ConfigError, nearest

__all__ = ["STEPS", "Step", "asks", "check_choices", "check_stage", "from_on", "steps_of"]


def _always(_shot: Shot) -> bool:
    return True


def _nobody(_shot: Shot) -> str | None:
    return None


@attrs.frozen
class Step:
    """One stage.

    Attributes:
        name: as reports and options call it.
        hook: whose provider does it, or None.
        does: one line for people.
        wanted: which shots have it.
        named: the provider that a shot file names.
        optional: a shot goes on without it where there is no provider.
        kept: whether what it makes is kept for the next run.
    """

    name: str
    hook: str | None
    does: str
    wanted: Callable[[Shot], bool] = _always
    named: Callable[[Shot], str | None] = _nobody
    optional: bool = False
    kept: bool = True


def _plate(shot: Shot) -> bool:
    return shot.plate is not None


def _removes(shot: Shot) -> bool:
    return shot.plate is not None and shot.plate.remove is not None


def _solves(shot: Shot) -> bool:
    return _plate(shot) and shot.camera.kind in (None, "plate")


def _speaks(shot: Shot) -> bool:
    return shot.voice is not None


def _moves_with_speech(shot: Shot) -> bool:
    return shot.voice is not None and shot.voice.lipsync != "off"


def _segmenter(shot: Shot) -> str | None:
    return shot.plate.remove.segmenter if shot.plate and shot.plate.remove else None


def _prompted(shot: Shot) -> bool:
    return bool(shot.plate and shot.plate.remove and shot.plate.remove.prompted)


def _media(shot: Shot) -> str | None:
    return shot.output.media


def _compositor(shot: Shot) -> str | None:
    return shot.plate.compositor if shot.plate else None


STEPS = (
    Step("plate", "media", "opens the plate", _plate, _media, kept=False),
    Step("mask", "segmenter", "finds what is taken out", _removes, _segmenter),
    Step(
        "inpaint",
        "inpainter",
        "takes it out",
        _removes,
        lambda shot: shot.plate.inpainter if shot.plate else None,
    ),
    Step("camera", "compositor", "finds the plate's camera", _solves, _compositor),
    Step("import", "importer", "reads the clips", kept=False),
    Step(
        "features", "feature", "turns clips into rows", named=lambda shot: shot.performer.feature, kept=False
    ),
    Step("train", "model", "learns from them", named=lambda shot: shot.performer.model),
    Step("generate", None, "lets the performer walk along the path"),
    Step("plant", "solver", "keeps feet where they stand", named=lambda shot: shot.performer.solver),
    Step(
        "retarget",
        "retargeter",
        "puts the motion on the character's skeleton, if it is another",
        lambda shot: shot.performer.character is not None,
        lambda shot: shot.performer.retargeter,
        optional=True,
    ),
    Step(
        "speak",
        "voice",
        "speaks, marked",
        _speaks,
        lambda shot: shot.voice.provider if shot.voice else None,
    ),
    Step("align", "aligner", "finds words and visemes in the sound", _speaks, optional=True),
    Step(
        "lipsync",
        "lipsync",
        "moves mouth, head and hands with the voice",
        _moves_with_speech,
        lambda shot: shot.voice.lipsync if shot.voice else None,
        optional=True,
    ),
    Step("render", "renderer", "draws the performer", named=lambda shot: shot.output.renderer, kept=False),
    Step("composite", "compositor", "puts the performer over the plate", _plate, _compositor, kept=False),
    Step("encode", "media", "writes the film", named=_media),
    Step("write motion", "importer", "writes the performance as BVH", kept=False),
)
"""All stages, in the order in which they run."""

NAMES = tuple(step.name for step in STEPS)


def steps_of(shot: Shot) -> list[Step]:
    """Return the stages that a shot has, in order."""
    return [step for step in STEPS if step.wanted(shot)]


def asks(step: Step, shot: Shot) -> bool:
    """Whether a provider is asked for in this shot: a mask in a file needs no segmenter."""
    return step.hook is not None and (step.name != "mask" or _prompted(shot))


def check_stage(name: str, option: str) -> None:
    """Raise `ConfigError` unless there is a stage of that name; names the nearest."""
    if name not in NAMES:
        hint = nearest(name, NAMES) or f"; there are {', '.join(NAMES)}"
        raise ConfigError(f"no stage is called {name!r}{hint}", place=option)


def check_choices(choices: Mapping[str, str]) -> None:
    """Raise `ConfigError` where a stage is unknown, or has no provider to choose."""
    for name in choices:
        check_stage(name, "--provider")
        if name in ("import", "write motion") or not next(step.hook for step in STEPS if step.name == name):
            raise ConfigError(f"stage {name!r} has no provider to choose", place="--provider")


def from_on(first: str | None) -> frozenset[str]:
    """Return the names of a stage and all after it; none for None."""
    if first is None:
        return frozenset()
    check_stage(first, "--from")
    return frozenset(NAMES[NAMES.index(first) :])
