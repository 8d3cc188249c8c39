"""Training a model on clips, or taking up what was trained before on the same ones."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from kinetoscope.shot import measure
from kinetoscope.shot.mocap import Clips
from kinetoscope.shot.stages import Stage, Stages, source_digest
from kinetoscope.shot.store import Store
from kinetoscope.shot.waiting import asking
from kinetoscope_spec import SPEC_VERSION, Fitted, JointLimits, Locomotion
from kinetoscope_spec.errors import ConfigError, FormatError, ProviderUnavailable
from kinetoscope_spec.protocols import Progress

if TYPE_CHECKING:
    from kinetoscope import Host

__all__ = ["Learned", "Recipe", "is_checkpoint", "learn", "load_checkpoint", "save_checkpoint"]

_MODEL_FILE = "model.safetensors"
_RECORD_FILE = "checkpoint.json"
_MAX_RECORD_BYTES = 16 << 20


@attrs.frozen
class Recipe:
    """All that decides what a training gives: the key of the cache is a hash of it.

    Attributes:
        clips: hash of the clips' contents.
        model, feature: provider, distribution and version of each.
        options: options of the feature.
        model_options: options of the model.
        seed: of the training.
        budget: limits of the training.
    """

    clips: str
    model: str
    feature: str
    options: dict[str, Any]
    seed: int
    budget: dict[str, float] | None
    model_options: dict[str, Any] = attrs.field(factory=dict)

    def key(self) -> str:
        """Return the hash under which the cache keeps the result."""
        # Limits, gaits and rest heights are measured by the spec and by core: their code counts too.
        measured_by = [source_digest("kinetoscope_spec"), source_digest("kinetoscope")]
        text = json.dumps([SPEC_VERSION, measured_by, attrs.asdict(self)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


@attrs.frozen
class Learned:
    """A trained model with what is needed to perform with it.

    Attributes:
        fitted: the model.
        feature: the feature it was trained on.
        limits: range of joint angles in the clips.
        rest_m: height at which toes rest in the clips, m.
        gaits: of each clip.
        record: what the checkpoint says of itself.
    """

    fitted: Fitted
    feature: Locomotion
    limits: JointLimits
    rest_m: float
    gaits: tuple[measure.Gait, ...]
    record: dict[str, Any]

    @property
    def framerate(self) -> float:
        """Frames a second that the feature plays; 30 where it has no say."""
        return float(getattr(self.feature, "framerate", 30.0))

    def ready(self) -> Learned:
        """Return this with a model that is asked by its own `predictor()`, where it has one.

        That answers the same to rounding and takes a moment to make: worth it from some hundred
        questions on. Where what it needs is not installed, the model itself is asked.
        """
        if not hasattr(self.fitted, "predictor"):
            return self
        try:
            return attrs.evolve(self, fitted=self.fitted.predictor())
        except ProviderUnavailable:
            return self


def learn(
    stages: Stages,
    clips: Clips,
    *,
    model: str | None,
    feature: str | None,
    options: dict[str, Any],
    seed: int,
    budget: dict[str, float] | None,
    store: Store,
    progress: Progress | None = None,
    model_options: dict[str, Any] | None = None,
    working: dict[str, Any] | None = None,
    fresh: bool = False,
) -> Learned:
    """Train on `clips`, or load what the same recipe gave before.

    `model_options` are the model's, and so are those of `working`, which say where it works and leave the
    result as it is. `fresh` trains again.

    Raises:
        Cancelled: `progress` returned False.
        ConfigError: the feature can't be played, or the model takes no options.
    """
    with stages.stage("features") as stage:
        maker = stages.provider(stage, "feature", feature)
        if not isinstance(maker, Locomotion):
            raise ConfigError(
                f"feature {stage.provider!r} describes motion but can't play it, expected one that a "
                "character can be driven with, such as 'locomotion'"
            )
        maker = maker.configured(**options)
        feature_id, named = _identity(stage), str(stage.provider)
    with stages.stage("train") as stage:
        trainer = stages.provider(stage, "model", model)
        asked = dict(model_options or {})
        trainer = _configured(trainer, str(stage.provider), {**asked, **(working or {})})
        recipe = Recipe(clips.digest(), _identity(stage), feature_id, options, seed, budget, asked)
        stage.details["checkpoint"] = str(store.path("train", recipe.key()))

        def make(folder: Path) -> None:
            rows = maker.training_set(clips.motions, progress=progress)
            fitted = trainer.fit(rows, seed=seed, budget=budget, progress=progress)
            save_checkpoint(folder, fitted, _record(stage, named, recipe, clips, rows.metadata, fitted))

        learned, stage.cached = store.kept(
            "train",
            recipe.key(),
            make,
            lambda folder: load_checkpoint(stages.host, folder),
            fresh=fresh,
            waiting=asking(progress, "train"),
        )
        return learned


def _configured(trainer: Any, name: str, options: dict[str, Any]) -> Any:
    """Return the model with these options, itself where there are none."""
    if not options:
        return trainer
    if not hasattr(trainer, "configured"):
        raise ConfigError(f"model {name!r} takes no options, but {', '.join(map(repr, options))} is given")
    return trainer.configured(**options)


def _identity(stage: Stage) -> str:
    return f"{stage.provider} ({stage.distribution} {stage.version}, {stage.source})"


def _record(
    stage: Stage, feature: str, recipe: Recipe, clips: Clips, metadata: Any, fitted: Fitted
) -> dict[str, Any]:
    rest = measure.rest_height(clips.motions)
    gaits = [measure.gait(motion, measure.contact_frames(motion, rest)) for motion in clips.motions]
    limits = JointLimits.of(clips.motions)
    return {
        "spec": SPEC_VERSION,
        "model": stage.provider,
        "recipe": attrs.asdict(recipe),
        "feature": feature,
        "sources": list(clips.sources),
        "limits": {key: np.asarray(value).tolist() for key, value in attrs.asdict(limits).items()},
        "joints": list(clips.motions[0].skeleton.names),
        "toe_rest_height_m": rest,
        "gaits": [attrs.asdict(gait) for gait in gaits],
        "losses": getattr(fitted, "losses", None),
        "perplexity": getattr(fitted, "perplexity", None),
        "training_set": dict(metadata),
    }


def save_checkpoint(folder: Path, fitted: Fitted, record: dict[str, Any]) -> None:
    """Write the model and its record into an existing `folder`."""
    fitted.save(folder / _MODEL_FILE)
    (folder / _RECORD_FILE).write_text(json.dumps(record, default=_plain), encoding="utf-8")


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no place in a checkpoint's record")


def is_checkpoint(folder: Path) -> bool:
    """Tell whether `folder` is one that `save_checkpoint` wrote, by what lies in it."""
    return (folder / _RECORD_FILE).is_file()


def load_checkpoint(host: Host, folder: Path) -> Learned:
    """Load a checkpoint folder that `save_checkpoint` wrote.

    Raises:
        FormatError: it is not one.
    """
    record = _read_record(folder / _RECORD_FILE)
    try:
        maker: Locomotion = host.provider("feature", record["feature"])
        feature = maker.restored(record["training_set"])
        fitted = host.model(record["model"]).load(folder / _MODEL_FILE)
        limits = {key: np.asarray(value) for key, value in record["limits"].items()}
        limits["limited"] = limits["limited"].astype(bool)
        gaits = tuple(measure.Gait(**gait) for gait in record["gaits"])
        rest = float(record["toe_rest_height_m"])
        return Learned(fitted, feature, JointLimits(**limits), rest, gaits, record)
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"is not a checkpoint's record: {error}", path=folder / _RECORD_FILE) from error


def _read_record(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_RECORD_BYTES:
            raise FormatError("is too large", path=path, expected=f"at most {_MAX_RECORD_BYTES:,} bytes")
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FormatError("is missing", path=path, expected="a checkpoint folder with its record") from None
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise FormatError(f"is not JSON: {error}", path=path) from None
    if not isinstance(record, dict):
        raise FormatError("is not a JSON object", path=path)
    return record
