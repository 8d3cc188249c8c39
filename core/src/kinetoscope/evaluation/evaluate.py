"""Models side by side, and beside those who know nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope.evaluation import metrics, rollout
from kinetoscope.evaluation.rollout import STILL
from kinetoscope.shot import futures, measure
from kinetoscope.shot.learn import Learned
from kinetoscope_spec import Motion
from kinetoscope_spec.errors import ConfigError, nearest
from kinetoscope_spec.protocols import Progress

if TYPE_CHECKING:
    from kinetoscope import Host

__all__ = ["INTERPOLATION", "STILL", "Plan", "evaluate"]

Array = NDArray[np.float64]
_Measured = dict[int, dict[str, tuple[Array, Array]]]
INTERPOLATION = "interpolation (told the end)"


def _counts(_: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    if not value or any(not isinstance(n, int) or isinstance(n, bool) or not 2 <= n <= 3600 for n in value):
        raise ConfigError(f"{attribute.name} is {list(value)}, expected frames, each from 2 to 3600")


def _count(low: int, high: int) -> Any:
    def check(_: object, attribute: attrs.Attribute[Any], value: Any) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ConfigError(f"{attribute.name} is {value!r}, expected a whole number from {low} to {high}")

    return check


def _sorted(value: Any) -> tuple[Any, ...]:
    return tuple(sorted(value)) if isinstance(value, list | tuple) else (value,)


@attrs.frozen(kw_only=True)
class Plan:
    """How models are evaluated.

    Attributes:
        horizons: frames ahead at which errors are told.
        seen: frames of a clip that go before the first window at least.
        every: frames between the starts of windows.
        samples: futures drawn of each window, for the diversity.
        seed: of these draws and of the bootstrap.
    """

    horizons: tuple[int, ...] = attrs.field(default=(5, 15, 30, 45), converter=_sorted, validator=_counts)
    seen: int = attrs.field(default=40, validator=_count(2, 100_000))
    every: int = attrs.field(default=30, validator=_count(1, 100_000))
    samples: int = attrs.field(default=8, validator=_count(2, 100))
    seed: int = attrs.field(default=0, validator=_count(0, 2**31 - 1))

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Plan:
        """Return a plan with these settings.

        Raises:
            ConfigError: an unknown one (naming the nearest) or a value out of range.
        """
        known = [field.name for field in attrs.fields(cls)]
        for name in given:
            if name not in known:
                raise ConfigError(f"unknown entry {name!r}{nearest(name, known)}")
        return cls(**given)


def evaluate(
    host: Host,
    models: Mapping[str, Learned],
    clips: Sequence[Motion],
    plan: Plan,
    *,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Return the figures of every model and baseline on windows of `clips`, ready for JSON.

    `methods` holds for each its `errors` by horizon (position, rotation, NPSS), each a value with its 95 %
    interval over clips, and `less_still`, the same of its difference from zero velocity's error; `curves`
    of position and rotation errors frame by frame; and the figures of `_Judge.figures`. Models that differ
    in nothing but their training's seed have their common `errors` besides, with intervals over clips and
    trainings.

    Raises:
        ConfigError: no clip is long enough, or models play at different framerates.
        Cancelled: `progress` returned False.
    """
    rates = {learned.framerate for learned in models.values()}
    if len(rates) != 1:
        raise ConfigError(f"models play at {sorted(rates)} frames a second, expected one framerate")
    (rate,) = rates
    ahead = plan.horizons[-1]
    resampled = [clip.resample(rate) for clip in clips]
    asked = list(rollout.windows(resampled, seen=plan.seen, ahead=ahead, every=plan.every))
    if not asked:
        raise ConfigError(
            f"no clip has {plan.seen + ahead + 1} frames at {rate:g} Hz: {plan.seen} to see and {ahead} to predict"
        )
    going = {name: rollout.roots(learned.feature, asked) for name, learned in models.items()}
    makers: dict[str, Callable[[], list[Motion]]] = {
        name: partial(rollout.played, learned, asked, going=going[name], progress=progress)
        for name, learned in models.items()
    }
    makers[STILL] = lambda: [rollout.still(window) for window in asked]
    makers[INTERPOLATION] = lambda: [rollout.interpolated(window) for window in asked]
    judge = _Judge.of(host, asked, next(iter(models.values())), plan)
    still = judge.measured(makers[STILL]())
    methods, measured = {}, {}
    for name, make in makers.items():
        found = make()
        measured[name] = judge.measured(found)
        methods[name] = judge.judged(found, measured[name], still)
    for names in _trainings(models):
        title = f"{len(names)} trainings: {', '.join(names)}"
        methods[title] = {"errors": judge.errors([measured[name] for name in names], still)}
    for name, learned in models.items():
        methods[name]["diversity_m"] = _diversity(learned, asked, plan, going[name], progress)
    methods["truth"] = {"figures": judge.figures([window.truth for window in asked])}
    return {
        "windows": len(asked),
        "clips": len({window.clip for window in asked}),
        "clips_too_short": len(clips) - len({window.clip for window in asked}),
        "framerate": rate,
        "plan": attrs.asdict(plan),
        "methods": methods,
    }


def _trainings(models: Mapping[str, Learned]) -> list[tuple[str, ...]]:
    """Return the names of those that were trained by one recipe with several seeds."""
    groups: dict[str, dict[Any, str]] = {}
    for name, learned in models.items():
        recipe = dict(learned.record["recipe"])
        seed = recipe.pop("seed")
        groups.setdefault(json.dumps(recipe, sort_keys=True), {}).setdefault(seed, name)
    return [tuple(names.values()) for names in groups.values() if len(names) > 1]


def _diversity(
    learned: Learned,
    asked: Sequence[rollout.Window],
    plan: Plan,
    going: rollout.Roots,
    progress: Progress | None,
) -> float:
    """Return the average pairwise distance of futures drawn from the first window of every clip, m."""
    first = {window.clip: window for window in reversed(asked)}
    repeated = [window for window in first.values() for _ in range(plan.samples)]
    postures = [
        futures.posture(motion)
        for motion in rollout.played(learned, repeated, seed=plan.seed, going=going, progress=progress)
    ]
    samples = np.stack(postures).reshape(len(first), plan.samples, *postures[0].shape)
    return float(np.mean([metrics.diversity(drawn) for drawn in samples]))


@attrs.frozen(eq=False)
class _Judge:
    """Who knows the truth.

    Attributes:
        asked: the windows.
        truth: `[W, T, J, 3]` m and `[W, T, J, 4]`, global.
        learned: whose limits and rest height count.
        plan: at which horizons, how the bootstrap draws.
        solver: plants feet.
        rows_of: the features in which Fréchet's distance is measured, of a motion.
        true_rows: those of the truth.
    """

    asked: Sequence[rollout.Window]
    truth: tuple[Array, Array]
    learned: Learned
    plan: Plan
    solver: Any
    rows_of: Callable[[Motion], Array]
    true_rows: Array

    @classmethod
    def of(cls, host: Host, asked: Sequence[rollout.Window], learned: Learned, plan: Plan) -> _Judge:
        """Return the judge of predictions for these windows."""
        rows_of = host.provider("feature", "joint-positions").compute
        truths = [window.truth for window in asked]
        rows = np.concatenate([rows_of(motion) for motion in truths])
        return cls(asked, _globals(truths), learned, plan, host.provider("solver"), rows_of, rows)

    def judged(self, found: Sequence[Motion], measured: _Measured, still: _Measured) -> dict[str, Any]:
        """Return all figures of predictions, one for each window, whose errors were `measured`."""
        last = measured[self.plan.horizons[-1]]
        return {
            "errors": self.errors([measured], still),
            "curves": {name: last[name][0].mean(axis=0).tolist() for name in ("position_m", "rotation")},
            "figures": self.figures(found),
        }

    def measured(self, found: Sequence[Motion]) -> _Measured:
        """Return by horizon and measure the errors of each window, with what they are divided by.

        Those of positions and rotations are `[W, T]`, frame by frame; of NPSS there is one a window.
        """
        positions, rotations = _globals(found)
        told: _Measured = {}
        for h in self.plan.horizons:
            by_frame = {
                "position_m": metrics.position_errors(positions[:, :h], self.truth[0][:, :h]),
                "rotation": metrics.rotation_errors(rotations[:, :h], self.truth[1][:, :h]),
            }
            told[h] = {name: (values, np.ones(len(values))) for name, values in by_frame.items()}
            told[h]["npss"] = self._npss(rotations, h)
        return told

    def errors(self, trainings: Sequence[_Measured], still: _Measured) -> dict[str, dict[str, Any]]:
        """Return by horizon and measure the error at its last frame, with its interval.

        `less_still` is what is left of it without zero velocity's error on the same windows. Clips are hard
        or easy for both, so this interval tells who is better where the two intervals overlap.
        """
        found: dict[str, dict[str, Any]] = {}
        for h in self.plan.horizons:
            found[str(h)] = {}
            for name in trainings[0][h]:
                values, weights = (
                    np.stack(part) for part in zip(*(m[h][name] for m in trainings), strict=True)
                )
                values, base = _last(values, 2), _last(still[h][name][0], 1)
                told: dict[str, Any] = {**self._told(values, weights)}
                # The weights of NPSS are the truth's power: one for all methods.
                told["less_still"] = self._told(values - base, weights)
                found[str(h)][name] = told
        return found

    def _npss(self, rotations: Array, horizon: int) -> tuple[Array, Array]:
        found, truth = (
            metrics.continuous(q)[:, :horizon].reshape(len(q), horizon, -1)
            for q in (rotations, self.truth[1])
        )
        return metrics.npss(found, truth)

    def _told(self, values: Array, weights: Array) -> dict[str, float]:
        """Return the value of `[M, W]` of M trainings, and its interval."""
        clips = [window.clip for window in self.asked]
        low, high = metrics.interval(values, clips, weights=weights, seed=self.plan.seed)
        return {"value": float(values.sum() / max(weights.sum(), 1e-12)), "low": low, "high": high}

    def figures(self, found: Sequence[Motion]) -> dict[str, float]:
        """Return what needs no truth but Fréchet's distance and the path.

        Skate in cm/s before and after planting; how deep toes are under the ground on average, cm; the
        share of joint angles outside the training clips' range; the pelvis' distance from where it went, m.
        """
        rest, limits = self.learned.rest_m, self.learned.limits
        skates, planted, depths = [], [], []
        for motion in found:
            contacts = measure.contact_frames(motion, rest)
            skates.append(measure.skate_cm_s(motion, contacts))
            after = self.solver.plant(motion, contacts=contacts, ground_m=rest, limits=limits).motion
            planted.append(measure.skate_cm_s(after, contacts))
            depths.append(100 * np.maximum(rest - measure.toes(motion)[..., 1], 0).mean())
        paths = [
            np.linalg.norm(measure.pelvis(motion) - measure.pelvis(window.truth), axis=-1).mean()
            for motion, window in zip(found, self.asked, strict=True)
        ]
        excess = np.concatenate([limits.excess(motion.rotations) for motion in found])
        return {
            "skate_cm_s": float(np.mean(skates)),
            "skate_planted_cm_s": float(np.mean(planted)),
            "penetration_cm": float(np.mean(depths)),
            "outside_limits_share": float((excess > measure.LIMIT_TOLERANCE_RAD).mean()),
            "path_error_m": float(np.mean(paths)),
            "frechet_m2": metrics.frechet(
                np.concatenate([self.rows_of(motion) for motion in found]), self.true_rows
            ),
        }


def _last(values: Array, axes: int) -> Array:
    """Return the last frame's values where there is an axis of frames after `axes` others."""
    return values if values.ndim == axes else values[..., -1]


def _globals(motions: Sequence[Motion]) -> tuple[Array, Array]:
    positions, rotations = zip(*(motion.global_transforms() for motion in motions), strict=True)
    return np.stack(positions).astype(np.float64), np.stack(rotations).astype(np.float64)
