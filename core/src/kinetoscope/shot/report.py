"""What a run says of itself, as facts; `page` puts them on a page for people."""

from __future__ import annotations

from typing import Any

import attrs

from kinetoscope.shot.filming import Kept
from kinetoscope.shot.job import Job
from kinetoscope.shot.learn import Learned
from kinetoscope.shot.mocap import Clips, hash_file
from kinetoscope.shot.outputs import Outputs
from kinetoscope.shot.plates import Backdrop
from kinetoscope.shot.speech import Spoken
from kinetoscope.shot.surroundings import environment_file

__all__ = ["facts"]


def facts(
    job: Job,
    clips: Clips,
    learned: Learned,
    figures: dict[str, Any],
    outputs: Outputs,
    backdrop: Backdrop | None,
    spoken: Spoken | None,
    kept: Kept,
) -> dict[str, Any]:
    """Return all that is known of a run, ready for JSON."""
    licences = sorted({source["licence"] for source in clips.sources if source["licence"]})
    made = spoken.audio.provenance if spoken else None
    around = environment_file(job.shot_file)
    return {
        "film": outputs.film.name,
        "page": outputs.page.name,
        "motion": outputs.motion.name,
        "unplanted": outputs.unplanted.name,
        "shot": attrs.asdict(job.shot),
        "stages": job.stages.to_json(),
        "figures": figures,
        "losses": learned.record["losses"],
        "perplexity": learned.record["perplexity"],
        "inputs": list(clips.sources),
        "plate": None if backdrop is None else backdrop.source,
        "environment": None if around is None else {"path": str(around), "sha256": hash_file(around)},
        "voice": None
        if spoken is None or made is None
        else {
            "seconds": spoken.audio.duration,
            "provider": made.provider,
            "watermark": made.watermark,
            "created": made.created,
        },
        "seconds": kept.seconds,
        "frames": kept.frames,
        "licences": licences,
        "warnings": [*clips.warnings, *job.warnings],
    }
