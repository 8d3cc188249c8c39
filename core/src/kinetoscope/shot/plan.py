"""What shooting a shot will take: stages, providers, time and memory, and what is missing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from kinetoscope.home import home
from kinetoscope.shot import plates, settings, speech
from kinetoscope.shot.acting import action_files
from kinetoscope.shot.job import Job
from kinetoscope.shot.layers import SAMPLES
from kinetoscope.shot.outputs import Outputs, check_providers
from kinetoscope.shot.pace import Pace
from kinetoscope.shot.stages import Stages
from kinetoscope.shot.steps import Step, asks, check_choices, steps_of
from kinetoscope.shot.store import Store
from kinetoscope.shot.surroundings import environment_file, light_of
from kinetoscope_spec import Path as GroundPath
from kinetoscope_spec.errors import KinetoscopeError

if TYPE_CHECKING:
    from kinetoscope import Host

__all__ = ["Planned", "Work", "check", "expected_s", "plan", "remember", "work_of"]

_WALK_M_S = 1.2
_RECORD = "shots.json"

RATES = {
    "inpaint": 1.6,
    "camera": 0.11,
    "import": 0.06,
    "train": 0.034,
    "generate": 1.1,
    "plant": 0.07,
    "retarget": 0.02,
    "speak": 0.08,
    "align": 0.02,
    "lipsync": 0.01,
    "render": 0.42,
    "composite": 0.12,
    "encode": 0.17,
}
"""Seconds for each unit of `Work`, by the default providers on one core of an EPYC of 2.4 GHz."""

MEMORY_MB = {"train": 1200.0, "inpaint": 900.0, "render": 900.0, "speak": 700.0, "align": 400.0}
"""What the process takes in a stage at most, measured with the same; 300 in the others."""


@attrs.frozen
class Work:
    """How much there is to do.

    Attributes:
        frames: of the film.
        seconds: of the film.
        megapixels: of a frame.
        pictures: that are drawn for one frame.
        clips: to learn from.
        steps: of the training.
        words: to speak.
    """

    frames: int
    seconds: float
    megapixels: float
    pictures: int
    clips: int
    steps: int
    words: int

    def units(self, stage: str) -> float:
        """Return how much a stage has to do, in the unit that its time grows with."""
        area = self.frames * self.megapixels
        return {
            "inpaint": area,
            "camera": area,
            "composite": area,
            "encode": area,
            "render": area * self.pictures,
            "import": self.clips,
            "train": self.steps,
            "generate": self.seconds,
            "plant": self.seconds,
            "retarget": self.seconds,
            "lipsync": self.seconds,
            "speak": self.words,
            "align": self.words,
        }.get(stage, 0.0)


@attrs.frozen
class Planned:
    """One stage of a plan.

    Attributes:
        name, does: the stage.
        provider, distribution, licence: by whom; None where nobody can.
        why: why that one.
        missing: what it lacks and how to get it, or None.
        seconds, memory_mb: what it will take, if nothing of it is kept already.
        measured: whether that comes from runs on this machine, or from ours.
        kept: how many results of the stage lie in the cache.
    """

    name: str
    does: str
    provider: str | None
    distribution: str | None
    licence: str | None
    why: str
    missing: str | None
    seconds: float
    memory_mb: float
    measured: bool
    kept: int


def plan(
    host: Host, shot_file: settings.ShotFile, store: Store, providers: Mapping[str, str] | None = None
) -> list[Planned]:
    """Return the stages of a shot without doing any.

    Raises:
        ConfigError: an input is missing.
    """
    choices = providers or {}
    check_choices(choices)
    job = Job(Stages(host), shot_file, store, choices)
    work, record = work_of(job), _record()
    entries = [entry.stage for entry in store.entries()]
    return [
        _planned(host, step, shot_file.shot, choices, work, record, entries.count(step.name))
        for step in steps_of(shot_file.shot)
    ]


def _planned(
    host: Host,
    step: Step,
    shot: settings.Shot,
    choices: Mapping[str, str],
    work: Work,
    record: Mapping[str, Any],
    kept: int,
) -> Planned:
    name, why, missing, info = None, "core does it", None, None
    if step.hook is not None and not asks(step, shot):
        why = "the shot file names a mask"
    elif step.hook == "importer":
        why = "chosen for each file by what it is"
    elif step.hook is not None:
        named = choices.get(step.name, step.named(shot))
        try:
            told = host.explain(step.hook, name=named)
            name, why = told.chosen, told.why
            info = next((c.info for c in told.candidates if c.info.name == told.chosen), None)
            host.provider(step.hook, named)
        except KinetoscopeError as error:
            missing = str(error)
    known = record.get(f"{step.name}/{name}") or record.get(f"{step.name}/None") or {}
    rate = known.get("rate", RATES.get(step.name, 0.0))
    return Planned(
        step.name,
        step.does,
        name,
        info.distribution if info else None,
        info.provider.licence if info and info.provider else None,
        why,
        (f"{missing} (the shot goes on without it)" if step.optional else missing) if missing else None,
        round(rate * work.units(step.name), 1),
        known.get("memory_mb", MEMORY_MB.get(step.name, 300.0)),
        bool(known),
        kept,
    )


def work_of(job: Job) -> Work:
    """Return how much a run has to do."""
    shot = job.shot
    length = GroundPath(np.asarray(shot.performer.path)).length
    pace = Pace.of(shot.performer.speed or _WALK_M_S, None, shot.performer.action)
    seconds = shot.performer.seconds or pace.seconds(length)
    rate, size = shot.output.framerate, shot.output.size
    frames, pictures = round(seconds * rate), 1
    if shot.plate is not None:
        path = job.shot_file.path(shot.plate.video, "plate", "video")
        film = job.host.provider("media", shot.output.media).open(path)
        size, rate = (film.width, film.height), float(film.rate)
        frames = film.frame_count or frames
        seconds = frames / rate
        samples = SAMPLES[shot.output.quality] if shot.output.shutter else 1
        still = shot.camera.kind == "fixed"
        pictures = samples + (1 if still else 2) * shot.plate.shadow
    words = len(speech.read_words(job).text.split()) if shot.voice else 0
    steps = int(shot.performer.training.steps or 2400)
    area = size[0] * size[1] / 1e6
    return Work(frames, seconds, area, pictures, len(job.shot_file.clips().files), steps, words)


def expected_s(job: Job) -> dict[str, float]:
    """Return the seconds that each stage of a run is expected to take: for progress, not for promises."""
    work = work_of(job)
    expected = {
        step.name: RATES.get(step.name, 0.0) * work.units(step.name) + 0.1 for step in steps_of(job.shot)
    }
    # Frames are drawn and composited while they are encoded.
    for inside in ("render", "composite"):
        expected["encode"] += expected.pop(inside, 0.0)
    return expected


def remember(stages: list[dict[str, Any]], work: Work) -> None:
    """Keep what a run's stages took, for the plans to come; a cached one says nothing of that."""
    from kinetoscope_spec.files import write_text

    record = dict(_record())
    for stage in stages:
        units = work.units(stage["name"])
        if stage["cached"] or units <= 0 or not stage["seconds"]:
            continue
        held = {"rate": stage["seconds"] / units, "memory_mb": stage["memory_mb"]}
        record[f"{stage['name']}/{stage['provider']}"] = held
    try:
        write_text(home() / _RECORD, json.dumps(record, indent=1))
    except OSError:
        return  # plans are none the worse for it than they were


def _record() -> Mapping[str, Any]:
    try:
        held = json.loads((home() / _RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return {key: value for key, value in held.items() if _sound(value)} if isinstance(held, dict) else {}


def _surroundings(job: Job) -> list[Path]:
    """Return the picture of the surroundings, if the shot names one; it can be read."""
    path = environment_file(job.shot_file)
    if path is None:
        return []
    light_of(job.host.provider("media", job.shot.output.media), path, job.shot.light)
    return [path]


def _sound(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(value.get(key), int | float) for key in ("rate", "memory_mb")
    )


def check(
    host: Host,
    shot_file: settings.ShotFile,
    store: Store,
    providers: Mapping[str, str] | None = None,
) -> list[str]:
    """Return all that would keep a shot from being shot, found without any work."""
    from kinetoscope.shot.run import ground_path

    problems: list[str] = []
    job = Job(Stages(host), shot_file, store, providers or {})
    asked = shot_file.shot
    inputs: list[Path] = [shot_file.document.path]
    character = asked.performer.character
    for attempt in (
        lambda: ground_path(shot_file) and None,
        lambda: inputs.extend(shot_file.clips().files),
        lambda: inputs.extend(plates.plate_files(job)),
        lambda: inputs.extend(action_files(shot_file)),
        lambda: inputs.extend(_surroundings(job)),
        lambda: inputs.append(shot_file.path(character, "performer", "character")) if character else None,
        lambda: speech.read_words(job) and None if asked.voice else None,
        lambda: Outputs.beside(shot_file.film).check(inputs, shot_file.place("output", "file")),
        lambda: check_choices(job.choices),
        lambda: check_providers(host, shot_file, job.choices),
    ):
        try:
            attempt()
        except (KinetoscopeError, OSError) as error:
            problems.append(str(error))
    return problems
