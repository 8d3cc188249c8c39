"""Shooting a shot: every stage, one film, one report."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from kinetoscope.home import home
from kinetoscope.shot import events, measure, perform, plan, plates, report, settings, speech
from kinetoscope.shot.acting import act, action_files, check_actions
from kinetoscope.shot.branches import Branch, run
from kinetoscope.shot.cast import Cast, cast, check_cast
from kinetoscope.shot.crew import Crew
from kinetoscope.shot.filming import film_kept
from kinetoscope.shot.job import Job
from kinetoscope.shot.learn import Learned, Recipe, learn
from kinetoscope.shot.mocap import Clips, read_clips
from kinetoscope.shot.outputs import Outputs, check_providers
from kinetoscope.shot.packing import load_motion, save_motion
from kinetoscope.shot.page import page
from kinetoscope.shot.signing import signed
from kinetoscope.shot.stages import Stages
from kinetoscope.shot.steps import check_choices, check_stage, from_on, steps_of
from kinetoscope.shot.store import Store
from kinetoscope.shot.surroundings import environment_file, light_of
from kinetoscope.shot.waiting import attended
from kinetoscope_spec import Asset, Motion
from kinetoscope_spec import Path as GroundPath
from kinetoscope_spec.errors import ConfigError, ValidationError
from kinetoscope_spec.files import replacing, write_text

if TYPE_CHECKING:
    from kinetoscope import Host

__all__ = ["Film", "open_store", "shoot"]


@attrs.frozen
class Film:
    """What a shot leaves behind; files are None for a run that ended before the film.

    Attributes:
        film: the MP4.
        report: the JSON report beside it.
        page: the same for people, HTML.
        motion, unplanted: the performance planted and as generated, as BVH files.
        figures: what the report says of the performance.
        stages: what was done, by whom, why, how long.
        warnings: what is to be known of it.
    """

    film: Path | None
    report: Path | None
    page: Path | None
    motion: Path | None
    unplanted: Path | None
    figures: dict[str, Any]
    stages: list[dict[str, Any]]
    warnings: list[str]


class _UntilReached(Exception):
    """The stage that the run was to end with is done."""


def open_store(host: Host) -> Store:
    """Return what runs keep for later ones, below `KINETOSCOPE_HOME`."""
    return Store(home() / "cache" / "shots", host.config.cache_bytes)


def shoot(
    host: Host,
    shot: settings.ShotFile | settings.Shot | Mapping[str, Any] | str | Path,
    *,
    out: str | Path | None = None,
    first: str | None = None,
    until: str | None = None,
    providers: Mapping[str, str] | None = None,
    progress: events.Listener | None = None,
    within: Sequence[str | Path] | None = None,
    crew: Crew | None = None,
) -> Film:
    """Go through all stages that the shot has, and write film, motion and report: see `Host.shoot`."""
    shot_file = settings.shot_file(shot, within)
    if out is not None:
        output = attrs.evolve(shot_file.shot.output, file=str(out))
        shot = attrs.evolve(shot_file.shot, output=output)
        shot_file = attrs.evolve(shot_file, shot=shot, out=Path(out).absolute())
    check_choices(providers or {})
    _check_until(shot_file.shot, until)
    job = Job(Stages(host), shot_file, open_store(host), providers or {}, from_on(first), crew=crew or Crew())
    return _Run(job, until, progress).film()


def _check_until(shot: settings.Shot, until: str | None) -> None:
    if until is None:
        return
    check_stage(until, "--until")
    if until not in [step.name for step in steps_of(shot)]:
        raise ConfigError(f"this shot has no stage {until!r}", place="--until")


@attrs.define
class _Run:
    """The stages, side by side where they do not depend on each other."""

    job: Job
    until: str | None
    listener: events.Listener | None
    figures: dict[str, Any] = attrs.field(factory=dict, init=False)

    def film(self) -> Film:
        job = self.job
        outputs = Outputs.beside(job.shot_file.film)
        path, listing = _preflight(job, outputs)
        alone = job.shot.plate is None and job.shot.voice is None
        at_once = 1 if alone or self.until is not None else job.crew.at_once
        if self.listener is not None:
            job.stages.teller = events.Teller(self.listener, plan.expected_s(job))
        elif at_once > 1:
            job.stages.teller = events.Teller(None, {})  # stages that work side by side must be made to end
        try:
            made = self._made(listing, path, at_once)
            clips, learned, seen, generated, planted, figures = made["performer"]
            spoken, shown, key = self._spoken(made["voice"], seen)
            backdrop, views = made["clean"], made["camera"]
            kept = film_kept(job, shown, seen.character, path, backdrop, views, spoken, [key, seen.key])
            self._passed("render", "composite", "encode")
        except _UntilReached:
            return Film(None, None, None, None, None, self.figures, job.stages.to_json(), job.warnings)
        with ExitStack() as files:
            # All names or none: a film never stands there without what belongs to it.
            film_file = files.enter_context(replacing(outputs.film))
            signed(job, kept.file, film_file, backdrop)
            _write_motions(job, outputs, planted, generated)
            facts = report.facts(job, clips, learned, figures, outputs, backdrop, spoken, kept)
            write_text(outputs.report, json.dumps(facts, indent=2))
            write_text(outputs.page, page(facts, kept.pictures, spoken))
        plan.remember(facts["stages"], plan.work_of(job))
        return Film(
            outputs.film,
            outputs.report,
            outputs.page,
            outputs.motion,
            outputs.unplanted,
            figures,
            facts["stages"],
            facts["warnings"],
        )

    def _passed(self, *stages: str) -> None:
        """End the run if one of these stages was to be the last."""
        if self.until in stages:
            raise _UntilReached

    def _made(self, listing: settings.Listing, path: GroundPath, at_once: int) -> dict[str, Any]:
        """Return the clean plate, its camera, the performer and the voice, none of which needs the others.

        The plate is opened before: how long it is limits the performance.
        """
        opened = plates.open_plate(self.job) if self.job.shot.plate is not None else None
        self._passed(*(("plate",) if opened else ()))
        branches: dict[str, Branch] = {"mask": Branch(lambda job: self._masked(job, opened))}
        branches["clean"] = Branch(self._clean, ("mask",))
        branches["camera"] = Branch(self._camera, ("mask",))
        branches["performer"] = Branch(lambda job: self._performer(job, listing, path, opened))
        branches["voice"] = Branch(self._voice)
        teller = self.job.stages.teller
        stop = (lambda: None) if teller is None else teller.stop
        # Each has warnings of its own, put one after the other: the report is the same, whoever is first.
        jobs = {name: self.job.branch() for name in branches}
        bound = {
            name: Branch(partial(branch.work, jobs[name]), branch.after) for name, branch in branches.items()
        }
        try:
            return run(bound, at_once, stop)
        finally:
            for held in jobs.values():
                self.job.warnings.extend(held.warnings)

    def _masked(self, job: Job, opened: plates.Backdrop | None) -> plates.Backdrop | None:
        """Return the plate with the mask of what is taken out, if anything is."""
        if opened is None or job.shot.plate is None or job.shot.plate.remove is None:
            return opened
        masked = plates.masked(job, opened)
        self._passed("mask")
        return masked

    def _clean(self, job: Job, masked: plates.Backdrop | None) -> plates.Backdrop | None:
        if masked is None or masked.mask is None:
            return masked
        clean = plates.clean(job, masked)
        self._passed("inpaint")
        return clean

    def _camera(self, job: Job, masked: plates.Backdrop | None) -> Any:
        """Return the plate's cameras with their key; None without a plate, or where the shot says its own."""
        views = None
        if masked is not None and job.shot.camera.kind != "fixed":
            views = plates.camera(job, masked)
        if masked is not None:
            self._passed("camera")
        return views

    def _performer(
        self, job: Job, listing: settings.Listing, path: GroundPath, plate: plates.Backdrop | None
    ) -> tuple[Clips, Learned, Cast, Motion, Motion, dict[str, Any]]:
        """Return clips, what was learned, who is seen, the motion as generated and planted, and figures."""
        clips, learned, recipe = self._learned(job, listing)
        generated, planted, key = self._performed(job, clips, learned, recipe, path, plate)
        self.figures = measure.judge(
            generated,
            planted,
            path=path,
            limits=learned.limits,
            rest_m=learned.rest_m,
            training=learned.gaits,
        )
        seen = cast(job, planted, key)
        self._passed("retarget")
        return clips, learned, seen, generated, planted, self.figures

    def _voice(self, job: Job) -> speech.Spoken | None:
        """Return what is said."""
        if job.shot.voice is None:
            return None
        spoken = speech.speak(job)
        self._passed("speak")
        spoken = speech.align(job, spoken)
        self._passed("align")
        return spoken

    def _learned(self, job: Job, listing: settings.Listing) -> tuple[Clips, Learned, str]:
        """Return the clips, what was learned from them, and the key of that."""
        clips = _import(job, listing)
        check_cast(job, clips.motions[0])
        check_actions(job, clips)
        self._passed("import")
        performer, choices = job.shot.performer, job.choices
        learned = learn(
            job.stages,
            clips,
            model=choices.get("train", performer.model),
            feature=choices.get("features", performer.feature),
            options=performer.options,
            seed=performer.seed,
            budget=performer.training.budget(),
            store=job.store,
            progress=job.progress,
            fresh="train" in job.fresh,
        )
        recipe = Recipe(**learned.record["recipe"]).key()
        self._passed("features", "train")
        return clips, learned, recipe

    def _performed(
        self,
        job: Job,
        clips: Clips,
        learned: Learned,
        recipe: str,
        path: GroundPath,
        backdrop: plates.Backdrop | None,
    ) -> tuple[Motion, Motion, str]:
        """Return the motion as generated and as planted, and the key of the latter."""
        longest = None if backdrop is None else backdrop.frames / float(backdrop.plate.rate)
        generated, key = act(job, clips, learned, recipe, path, longest)
        self._passed("generate")
        planted, key = _plant(job, generated, learned, key)
        self._passed("plant")
        return generated, planted, key

    def _spoken(self, spoken: speech.Spoken | None, seen: Cast) -> tuple[speech.Spoken | None, Motion, Any]:
        """Return what is said, the motion that goes with it, and the key of that."""
        job = self.job
        if spoken is None or job.shot.voice is None or job.shot.voice.lipsync == speech.OFF:
            return spoken, seen.motion, seen.key
        shown, key = speech.lipsync(job, seen.motion, seen.character, spoken, seen.key)
        self._passed("lipsync")
        return spoken, shown, key


def _preflight(job: Job, outputs: Outputs) -> tuple[GroundPath, settings.Listing]:
    """Find out before the work whatever can be found out before it."""
    shot_file = job.shot_file
    path, listing = ground_path(shot_file), shot_file.clips()
    inputs = [*listing.files, shot_file.document.path, *plates.plate_files(job)]
    if shot_file.shot.performer.character:
        inputs.append(shot_file.path(shot_file.shot.performer.character, "performer", "character"))
    if shot_file.shot.voice is not None:
        speech.read_words(job)
        if shot_file.shot.voice.script:
            inputs.append(shot_file.path(shot_file.shot.voice.script, "voice", "script"))
    inputs += action_files(shot_file)
    if (around := environment_file(shot_file)) is not None:
        light_of(job.host.provider("media", shot_file.shot.output.media), around, shot_file.shot.light)
        inputs.append(around)
    outputs.check(inputs, shot_file.place("output", "file"))
    check_providers(job.host, shot_file, job.choices)
    return path, listing


def ground_path(shot_file: settings.ShotFile) -> GroundPath:
    """Return the path along which the performer walks.

    Raises:
        ConfigError: it is none.
    """
    try:
        return GroundPath(np.asarray(shot_file.shot.performer.path))
    except ValidationError as error:
        raise ConfigError(str(error), place=shot_file.place("performer", "path")) from None


def _import(job: Job, listing: settings.Listing) -> Clips:
    with job.stage("import") as stage:
        clips = read_clips(job.host, listing, job.progress)
        job.stages.note_importer(stage, Path(clips.sources[0]["path"]))
        stage.details |= {"files": len(clips.sources), "motions": len(clips.motions)}
    try:
        perform.named_clips(clips.motions, job.shot.performer.start)
    except ConfigError as error:
        raise ConfigError(str(error), place=job.shot_file.place("performer", "start")) from None
    return clips


def _plant(job: Job, motion: Motion, learned: Learned, made_of: str) -> tuple[Motion, str]:
    with job.stage("plant") as stage:
        solver = job.provider(stage, "solver", job.shot.performer.solver)

        def make(folder: Path) -> None:
            save_motion(folder / "motion.npz", attended(planted, job.progress, "planting feet"))

        def planted() -> Motion:
            contacts = measure.contact_frames(motion, learned.rest_m)
            planting = solver.plant(motion, contacts=contacts, ground_m=learned.rest_m, limits=learned.limits)
            held: Motion = planting.motion
            return held

        return job.kept(stage, made_of, make, lambda folder: load_motion(folder / "motion.npz"))


def _write_motions(job: Job, outputs: Outputs, planted: Motion, generated: Motion) -> None:
    with job.stage("write motion") as stage:
        importer = job.stages.writer(stage, "bvh")
        for motion, path in ((planted, outputs.motion), (generated, outputs.unplanted)):
            importer.write(Asset(path.stem, motion.skeleton, (motion,)), path, unit=1.0)
