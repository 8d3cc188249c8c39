"""The stages that let a performer speak: the voice, the times of its words, the moves that go with it."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope.shot.job import Job
from kinetoscope.shot.packing import load_audio, load_motion, save_audio, save_motion
from kinetoscope.shot.settings import Voice
from kinetoscope.shot.waiting import attended
from kinetoscope.sound import check_marked
from kinetoscope_spec import Audio, Character, Motion, Script
from kinetoscope_spec.errors import ConfigError, KinetoscopeError, ValidationError

__all__ = ["OFF", "Spoken", "align", "laid_over", "lipsync", "read_words", "speak"]

OFF = "off"
SHORT_S = 1.0
"""Marks are found in any sound that is as long; in shorter ones perhaps."""

Array = NDArray[Any]


@attrs.frozen
class Spoken:
    """What is said.

    Attributes:
        audio: marked, with cues.
        script: the words.
        key: of the store.
    """

    audio: Audio
    script: Script
    key: str


def read_words(job: Job) -> Script:
    """Read what the shot's `[voice]` is to say.

    Raises:
        ConfigError: there is no such file.
        FormatError: it is no script.
        ValidationError: an audio tag in it is unknown.
    """
    from kinetoscope_spec.script import parse_text, read_script, tags_of

    given = _voice(job)
    if given.script is not None:
        told = read_script(job.shot_file.path(given.script, "voice", "script"))
        tags_of(told)  # an unknown one is said before the work
    else:
        try:
            told = parse_text(given.text or "")
            tags_of(told)
        except ValidationError as error:
            raise ConfigError(str(error), place=job.shot_file.place("voice", "text")) from None
    if given.voice is not None:
        others = {line.speaker: given.voice for line in told.lines}
        told = attrs.evolve(told, voices={**others, **told.voices})
    return attrs.evolve(told, language=given.language) if given.language else told


def _voice(job: Job) -> Voice:
    given = job.shot.voice
    assert given is not None  # the stages of speech run for shots with a voice
    return given


def speak(job: Job) -> Spoken:
    """Speak the words, marked."""
    script = read_words(job)
    with job.stage("speak") as stage:
        voice = job.provider(stage, "voice", _voice(job).provider)
        marker, _ = job.host.marker.found()
        parts = [attrs.asdict(line) for line in script.lines], dict(script.voices), script.language
        audio, key = job.kept(
            stage,
            [*parts, dict(script.lexicon), marker],
            lambda folder: save_audio(folder / "speech.npz", voice.speak(script)),
            lambda folder: _provable(job, load_audio(folder / "speech.npz")),
        )
        stage.details |= {"seconds": audio.duration, "watermark": marker}
    return Spoken(audio, script, key)


def _provable(job: Job, audio: Audio) -> Audio:
    """Return a kept sound; one that is too short for its mark to be found is spoken again by who has to know.

    Raises:
        ValidationError: nothing shows that it is marked.
    """
    if audio.duration < SHORT_S:
        check_marked(job.host, audio)
    return audio


def align(job: Job, spoken: Spoken) -> Spoken:
    """Find when each word and viseme is said; without an aligner the voice's own cues are what there is."""
    with job.stage("align") as stage:
        try:
            aligner = job.provider(stage, "aligner")
        except KinetoscopeError as error:
            if "align" in job.choices:
                raise
            stage.why = "the voice's own cues"
            job.warnings.append(f"nothing here aligns speech: {error}")
            return spoken

        def aligned() -> Audio:
            found: Audio = aligner.align(spoken.audio, spoken.script)
            return found

        audio, key = job.kept(
            stage,
            spoken.key,
            lambda folder: save_audio(folder / "speech.npz", attended(aligned, job.progress, "aligning")),
            lambda folder: load_audio(folder / "speech.npz"),
        )
        stage.details["cues"] = len(audio.cues)
    return attrs.evolve(spoken, audio=audio, key=key)


def lipsync(
    job: Job, motion: Motion, character: Character, spoken: Spoken, made_of: list[Any]
) -> tuple[Motion, str]:
    """Let mouth, head and hands move with the voice; `made_of` is what decides motion and character."""
    given = _voice(job)
    with job.stage("lipsync") as stage:
        try:
            mover = job.provider(stage, "lipsync", given.lipsync)
        except KinetoscopeError as error:
            if given.lipsync or "lipsync" in job.choices:
                raise
            stage.why = "nobody moves with the voice"
            job.warnings.append(f"the performer does not move with the voice: {error}")
            return motion, job.key(made_of)
        moved, key = job.kept(
            stage,
            [*made_of, spoken.key, given.at, job.shot.performer.seed],
            lambda folder: save_motion(
                folder / "motion.npz",
                mover.move(motion, character, spoken.audio, at=given.at, seed=job.shot.performer.seed),
            ),
            lambda folder: load_motion(folder / "motion.npz"),
        )
        stage.details["morphs"] = sorted(moved.morph_weights)
    return moved, key


def laid_over(speech: Audio, at: float, seconds: float, below: Audio | None) -> tuple[Audio, float]:
    """Return the sound of a film of `seconds`, and how many seconds of speech had no room in it.

    What `below` (the plate's own sound) holds is heard with it where rates agree; it is left out where not.
    """
    count = round(seconds * speech.rate)
    channels = speech.samples.shape[1]
    whole: Array = np.zeros((count, channels), np.float32)
    if below is not None and below.rate == speech.rate:
        held = below.samples[:count].mean(axis=1, keepdims=True)
        whole[: len(held)] += held
    start = min(round(at * speech.rate), count)
    part = speech.samples[: count - start]
    whole[start : start + len(part)] += part
    lost = (len(speech.samples) - len(part)) / speech.rate
    return Audio(whole.clip(-1, 1), speech.rate, (), speech.provenance), lost
