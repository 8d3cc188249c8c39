"""The stages of a plate: what is taken out, the clean plate, the camera."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from kinetoscope.shot.job import Job, identity, values_of
from kinetoscope.shot.mocap import hash_file
from kinetoscope.shot.packing import load_cameras, open_patches, save_cameras, save_patches
from kinetoscope.shot.settings import Plate, Remove
from kinetoscope_spec import Camera, Mask, Video
from kinetoscope_spec.errors import ConfigError, FormatError, ValidationError

__all__ = ["Backdrop", "camera", "clean", "masked", "open_plate", "plate_files"]

HEIGHT_M = 1.6
"""Of a camera that a person holds, over the ground."""
MAX_FRAMES = 1_000_000
GUESSED = {
    "smooth": " of smooth colours",
    "exemplar": " of patches of what is around",
    "both": " of patches of what is around, in part of smooth colours",
}
"""How an inpainter that says it made up what no frame shows."""
MUCH = 0.25
"""Share of a plate that is seldom meant to be taken out: a segmenter has followed what is around the object."""


@attrs.frozen(eq=False)
class Backdrop:
    """A plate on its way through the stages.

    Attributes:
        plate: the film as it was shot.
        key: of all that decided `video`.
        video: the film as it is shown: without what was taken out.
        mask: what was taken out, or None.
        frames: how many there are.
        source: the file, its hash and size, for the report.
    """

    plate: Video
    key: str
    video: Video
    frames: int
    source: dict[str, Any]
    mask: Mask | None = None


def _given(job: Job) -> Plate:
    given = job.shot.plate
    assert given is not None  # these stages run for shots with a plate
    return given


def plate_files(job: Job) -> list[Path]:
    """Return the files that the plate and the camera are read from.

    Raises:
        ConfigError: one is not there.
    """
    given, files = job.shot.plate, []
    if given is not None:
        files.append(job.shot_file.path(given.video, "plate", "video"))
        named = {key: getattr(given.remove, key, None) for key in ("mask", "quadmask")}
        files += [job.shot_file.path(name, "plate", "remove", key) for key, name in named.items() if name]
    if job.shot.camera.file is not None:
        files.append(job.shot_file.path(job.shot.camera.file, "camera", "file"))
    return files


def open_plate(job: Job) -> Backdrop:
    """Open the plate.

    Raises:
        FormatError: it is no film.
        ConfigError: a still picture, which has no time to perform in.
    """
    path = job.shot_file.path(_given(job).video, "plate", "video")
    with job.stage("plate") as stage:
        media = job.provider(stage, "media", job.shot.output.media)
        plate: Video = media.open(path)
        count = plate.frame_count
        if count is None:
            count = sum(1 for _ in plate.frames(0, MAX_FRAMES))
        if count < 2:
            raise ConfigError(
                f"{path} has {count} frames, expected at least 2", place=job.shot_file.place("plate", "video")
            )
        source = {
            "path": str(path),
            "sha256": hash_file(path),
            "size": [plate.width, plate.height],
            "rate": float(plate.rate),
            "frames": count,
        }
        key = job.key("plate", source["sha256"], identity(stage))
        stage.details |= {name: source[name] for name in ("size", "rate", "frames")}
    return Backdrop(plate, key, plate, count, source)


def masked(job: Job, backdrop: Backdrop) -> Backdrop:
    """Find what is to be taken out: read its mask, or let a segmenter follow it."""
    given = _given(job).remove
    assert given is not None
    values = values_of(job.host, "segmenter")
    media = job.host.provider("media", job.shot.output.media)
    with job.stage("mask") as stage:
        if given.prompted:
            mask, key = _followed(job, stage, given, backdrop, values, media)
        else:
            name = given.mask or given.quadmask or ""
            path = job.shot_file.path(name, "plate", "remove", "mask" if given.mask else "quadmask")
            read = values.read_mask if given.mask else values.read_quadmask
            try:
                mask = read(media, path, like=attrs.evolve(backdrop.plate, frame_count=backdrop.frames))
            except ValidationError as error:
                raise ConfigError(str(error), place=job.shot_file.place("plate", "remove")) from None
            stage.provider, stage.why = "file", f"the shot file names {name}"
            key = hash_file(path)
    decided = [backdrop.key, key, bool(given.quadmask), given.grow]
    return attrs.evolve(backdrop, mask=values.grown(mask, given.grow), key=job.key("mask", *decided))


def _followed(
    job: Job, stage: Any, given: Remove, backdrop: Backdrop, values: Any, media: Any
) -> tuple[Mask, str]:
    segmenter = job.provider(stage, "segmenter", given.segmenter)
    reasoner = job.host.provider("reasoner", given.reasoner) if given.reasoner else None
    inpainter = job.host.provider("inpainter", job.choices.get("inpaint", _given(job).inpainter))
    alone = not getattr(inpainter, "whole_first_frame", True)
    places = [(point, True) for point in given.points] + [(point, False) for point in given.without]
    points = [values.Point(p[0], p[1], int(p[2]) if len(p) > 2 else 0, on) for p, on in places]
    boxes = [values.Box(*b[:4], int(b[4]) if len(b) > 4 else 0) for b in given.boxes]
    try:
        prompts = values.Prompts(points, boxes, noun=given.noun)
        prompts.check(backdrop.plate, segmenter.takes)
    except ValidationError as error:
        raise ConfigError(str(error), place=job.shot_file.place("plate", "remove")) from None

    def make(folder: Path) -> None:
        names = (str(stage.provider), given.reasoner or "")
        made = values.MaskPipeline(media, segmenter, reasoner, names=names).run(
            backdrop.plate,
            [prompts],
            folder=folder,
            first_frame=alone,
            identity=backdrop.key,
            progress=job.progress,
        )
        told = [f"frame {doubt.frame}: {doubt.reason}" for doubt in made.doubts]
        (folder / "told.json").write_text(json.dumps([*made.warnings, *told]), encoding="utf-8")

    def load(folder: Path) -> tuple[Mask, list[str]]:
        told = json.loads((folder / "told.json").read_text(encoding="utf-8"))
        return values.read_quadmask(media, folder / "quadmask_0.mp4", like=backdrop.plate), told

    # What was followed is let grow afterwards: by how much changes nothing of this.
    asked = {key: value for key, value in attrs.asdict(given).items() if key not in ("segmenter", "grow")}
    # An entry whose quadmask is damaged is made, and read, again: what it says is said once it has been read.
    (mask, told), key = job.kept(stage, [backdrop.key, asked, alone], make, load)
    job.warnings.extend(told)
    return mask, key


def clean(job: Job, backdrop: Backdrop) -> Backdrop:
    """Take out what the mask covers."""
    given = _given(job)
    with job.stage("inpaint") as stage:
        inpainter = job.provider(stage, "inpainter", given.inpainter)

        def make(folder: Path) -> None:
            made = inpainter.inpaint(
                backdrop.plate, backdrop.mask, prompt=given.prompt, seed=given.seed, progress=job.progress
            )
            save_patches(folder / "clean.zip", backdrop.plate, made)
            report = getattr(made.source, "report", None)
            told = {} if report is None else attrs.asdict(report)
            (folder / "told.json").write_text(json.dumps(told), encoding="utf-8")

        def load(folder: Path) -> tuple[Video, dict[str, Any]]:
            told = json.loads((folder / "told.json").read_text(encoding="utf-8"))
            return open_patches(folder / "clean.zip", backdrop.plate), told

        (video, told), key = job.kept(stage, [backdrop.key, given.prompt, given.seed], make, load)
        stage.details |= {name: value for name, value in told.items() if name != "holes"}
    if told.get("guessed"):
        share = told["guessed"] / max(told["hidden"], 1)
        way = GUESSED.get(told.get("guess", ""), "")
        job.warnings.append(
            f"{share:.0%} of what was taken out is seen in no other frame: it is a guess{way}"
        )
    area = backdrop.plate.width * backdrop.plate.height * backdrop.frames
    if told.get("hidden", 0) > MUCH * area:
        job.warnings.append(
            f"{told['hidden'] / area:.0%} of the plate was taken out: look whether the mask holds what was "
            "meant; a box around it, or plate.remove.without, says more than one point"
        )
    return attrs.evolve(backdrop, video=video, key=key)


def camera(job: Job, backdrop: Backdrop) -> tuple[list[Camera], str]:
    """Return the camera of each frame, as the plate, the shot file or a file says, and its key."""
    given = job.shot.camera
    fov = None if given.field_of_view is None else float(np.radians(given.field_of_view))
    height = HEIGHT_M if given.height is None else given.height
    with job.stage("camera") as stage:
        if given.kind == "file":
            cameras = _read_cameras(job, backdrop.frames)
            stage.provider, stage.why = "file", f"the shot file names {given.file}"
            return cameras, job.key([[c.position, c.target, c.up, c.field_of_view] for c in cameras])
        compositor = job.provider(stage, "compositor", _given(job).compositor)

        def make(folder: Path) -> None:
            solved = compositor.solve(
                backdrop.plate, mask=_covering(backdrop.mask), field_of_view=fov, progress=job.progress
            )
            angles = {"pitch": np.radians(given.pitch), "roll": np.radians(given.roll)}
            cameras = [
                solved.camera(i, height_m=height, **{name: float(angle) for name, angle in angles.items()})
                for i in range(len(solved))
            ]
            told = {name: getattr(solved, name) for name in ("measured", "still", "error_px", "parallax")}
            save_cameras(folder / "cameras.npz", cameras, told)

        asked = [backdrop.source["sha256"], backdrop.mask is not None and backdrop.key]
        (cameras, told), key = job.kept(
            stage,
            [*asked, fov, height, given.pitch, given.roll],
            make,
            lambda folder: load_cameras(folder / "cameras.npz"),
        )
        stage.details |= told | {"field_of_view_deg": float(np.degrees(cameras[0].field_of_view))}
    if told["parallax"]:
        job.warnings.append(
            "the plate's camera did more than turn: the performer may slide against the ground"
        )
    if fov is None and not told["measured"]:
        job.warnings.append(
            "the plate does not tell its field of view: "
            f"{np.degrees(cameras[0].field_of_view):.0f} degrees were taken; camera.field_of_view says it"
        )
    return cameras, key


def _covering(mask: Mask | None) -> Mask | None:
    """Return a plain mask: of a quadmask, what is not to be kept."""
    if mask is None or type(mask) is Mask:
        return mask

    def source(start: int, stop: int | None) -> Any:
        for frame in mask.frames(start, stop):
            yield np.where(frame != 255, np.uint8(255), np.uint8(0))

    return Mask(mask.width, mask.height, mask.rate, source, mask.frame_count, mask.timestamps)


def _read_cameras(job: Job, frames: int) -> list[Camera]:
    """Read the cameras that `kinetoscope solve-camera` wrote, or that were made otherwise.

    Raises:
        FormatError: it is not such a file, or has fewer cameras than there are frames.
    """
    path = job.shot_file.path(job.shot.camera.file or "", "camera", "file")
    try:
        held = json.loads(path.read_bytes())
        fov = float(np.radians(float(held["field_of_view_deg"])))
        cameras = [Camera(row["position"], row["target"], row["up"], fov) for row in held["cameras"][:frames]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise FormatError(
            f"holds no cameras: {type(error).__name__}: {error}",
            path=path,
            expected='{"field_of_view_deg": 40, "cameras": [{"position", "target", "up"}, ...]}',
        ) from error
    if len(cameras) < frames:
        raise FormatError(f"has {len(cameras)} cameras, the plate {frames} frames", path=path)
    return cameras
