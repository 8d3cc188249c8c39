"""The stage `sign`: what in the film was synthesised is signed into the film itself."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from kinetoscope._version import VERSION
from kinetoscope.shot.job import Job, values_of
from kinetoscope.shot.mocap import hash_file
from kinetoscope.shot.plates import Backdrop
from kinetoscope_spec.errors import KinetoscopeError

__all__ = ["signed"]

TRAINED, COMPUTED, COMPOSITE = (
    "trainedAlgorithmicMedia",
    "algorithmicMedia",
    "compositeWithTrainedAlgorithmicMedia",
)
"""What came from a trained model, what from rules, and what from the former and a camera: the words of the
IPTC NewsCodes vocabulary http://cv.iptc.org/newscodes/digitalsourcetype."""

# Whether an inpainter or a voice was trained, or goes by rules, is not known here: `by` says who it was.
_SYNTHESISES = {
    "inpaint": ("something was taken out of the plate, and what is behind it filled in", ""),
    "generate": ("a performance was generated", TRAINED),
    "speak": ("speech was synthesised and marked", ""),
    "render": ("the performer was drawn", COMPUTED),
    "composite": ("the performer was put over the plate", ""),
}


def signed(job: Job, film: Path, out: Path, backdrop: Backdrop | None) -> None:
    """Write `film` to `out` with a signed statement, or as it is where nothing here can sign."""
    with job.stage("sign") as stage:
        try:
            credentials = job.provider(stage, "credentials")
        except KinetoscopeError as error:
            if "sign" in job.choices:
                raise
            stage.why = "nobody signs"
            job.warnings.append(f"the film does not say that it is synthetic: {error}")
            shutil.copyfile(film, out)
            return
        if not credentials.signs(out):
            stage.why = f"a {out.suffix} file has no place for it"
            job.warnings.append(f"the film does not say that it is synthetic: {stage.why}")
            shutil.copyfile(film, out)
            return
        values = values_of(job.host, "credentials")
        claim = values.Claim(
            job.shot.name,
            ("kinetoscope", VERSION),
            TRAINED if backdrop is None else COMPOSITE,
            tuple(values.Made(*told) for told in _steps(job)),
            _seen(job, credentials, backdrop),
        )
        name = f"film{out.suffix.lower()}"
        named = [[path.name, hash_file(path)] for path in claim.ingredients]
        said = attrs.asdict(attrs.evolve(claim, ingredients=()))
        # A signature is another one each time: kept, so that what was done already gives the same file.
        kept, _ = job.kept(
            stage,
            [hash_file(film), name, said, named, credentials.signer()],
            lambda folder: credentials.sign(film, folder / name, claim),
            lambda folder: (folder / name).resolve(strict=True),
        )
        shutil.copyfile(kept, out)
        stage.details["source"] = claim.source


def _steps(job: Job) -> Iterator[tuple[str, str, str]]:
    """Yield what was synthesised, by whom, and of what kind that is."""
    for stage in job.stages.in_order():
        if stage.name in _SYNTHESISES:
            what, source = _SYNTHESISES[stage.name]
            words = (stage.provider, stage.distribution, stage.version)
            yield what, " ".join(word for word in words if word), source


def _seen(job: Job, credentials: Any, backdrop: Backdrop | None) -> tuple[Path, ...]:
    """Return the plate's file, where it can be named."""
    if backdrop is None:
        return ()
    path = Path(backdrop.source["path"])
    return (path,) if credentials.signs(path) else ()
