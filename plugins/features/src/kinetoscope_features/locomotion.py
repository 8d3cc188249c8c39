"""Locomotion: one representation of walking that can be learned and played."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from kinetoscope_features import formulas
from kinetoscope_features.bend import bent, wandering
from kinetoscope_features.body import Array, Body
from kinetoscope_features.frame import within
from kinetoscope_features.mirror import Mirror
from kinetoscope_features.steering import along, eased
from kinetoscope_features.track import Rig, Track, apart, blended, joined, settled, stacked, track_of
from kinetoscope_features.windows import Windows
from kinetoscope_spec import Control, FeatureSchema, Motion, Skeleton, TrainingSet
from kinetoscope_spec.errors import Cancelled, ValidationError, nearest
from kinetoscope_spec.protocols import Progress

__all__ = ["Locomotion", "State", "style_of"]


def style_of(name: str) -> str | None:
    """Return the style that a clip's name tells: the word between the last two underscores.

    `dataset-1_walk_normal_001` is `normal`, `jog_02` is `jog`; a name that does not end in a number
    is the name of one clip and tells no style.
    """
    words = re.fullmatch(r"(?:.*_)?([^_]*[^_\d][^_]*)_\d+", name)
    return words[1] if words else None


def _seconds(_: object, attribute: attrs.Attribute[Any], value: tuple[float, ...]) -> None:
    if not value or not all(isinstance(s, int | float) and 0 < s <= 10 for s in value):
        raise ValidationError(f"{attribute.name} is {value!r}, expected seconds above 0 and at most 10")


@attrs.frozen(eq=False)
class State:
    """A character in motion: what it did lately, what it is about to do, what it has played.

    Attributes:
        rig: how poses become transforms again.
        history: the last frames, up to now.
        pending: frames already predicted, still to be played, or None.
        played: what has been played since the seed, piece by piece.
        style: the style of the seed, for controls that name none.
    """

    rig: Rig
    history: Track
    pending: Track | None
    played: tuple[Track, ...]
    style: str | None


@attrs.frozen(kw_only=True)
class Locomotion:
    """Walking along a trajectory: what is known now in, the next frames out.

    A row of inputs holds the root's trajectory (past, and future as it is wanted), the pose with its
    velocities, the foot contacts and the style, all in root space at one frame. A row of outputs
    holds the next `horizon` frames: the root relative to where it is now, the hips and the rotations
    of all joints in the root space of their own frame, and the contacts.

    Of every prediction `stride` frames are played; the rest overlaps with the next prediction and is
    blended into it, so that no seam shows. What the first frame jumps by is kept and fades slowly: how
    a body holds itself is its own, and a model trained on others does not know it.

    Options:
        framerate: rows per second; clips are resampled to it.
        horizon: frames in a row of outputs.
        stride: frames played of each prediction.
        settle_s: time, s, in which the difference between what was played and what is predicted
            fades; 0 jumps.
        past_s, future_s: when the trajectory is sampled, s before and after now.
        mirror: add every clip mirrored.
        bends: how many bent copies of every clip to add (see `bend`).
        turn_rate: standard deviation of the bent copies' turn rate, rad/s.
        style_dropout: share of rows whose style is left out, so that none is a style too.
        seed: of the random turn rates and dropouts.
        styles: the styles known. `training_set` finds them in the names of the clips and writes
            them into its metadata, from which `restored` takes them.
    """

    framerate: float = attrs.field(default=30.0, validator=within(1, 1000))
    horizon: int = attrs.field(default=10, validator=within(1, 120, int))
    stride: int = attrs.field(default=5, validator=within(1, 120, int))
    settle_s: float = attrs.field(default=2.0, validator=within(0, 1000))
    past_s: tuple[float, ...] = attrs.field(
        default=(1.0, 0.75, 0.5, 0.25), converter=tuple, validator=_seconds
    )
    future_s: tuple[float, ...] = attrs.field(
        default=(0.2, 0.4, 0.6, 0.8, 1.0), converter=tuple, validator=_seconds
    )
    mirror: bool = attrs.field(default=True, validator=attrs.validators.instance_of(bool))
    bends: int = attrs.field(default=4, validator=within(0, 1000, int))
    turn_rate: float = attrs.field(default=0.5, validator=within(0, 10))
    style_dropout: float = attrs.field(default=0.1, validator=within(0, 1))
    seed: int = attrs.field(default=0, validator=within(0, 2**63, int))
    styles: tuple[str, ...] = attrs.field(default=(), converter=tuple)
    _is_restored: bool = attrs.field(default=False, init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        if self.stride > self.horizon:
            raise ValidationError(
                f"stride is {self.stride}, expected at most the horizon of {self.horizon} frames"
            )

    def configured(self, **options: Any) -> Locomotion:
        """Return a new feature with these options; this one stays as it is.

        Raises:
            ValidationError: an unknown option (naming the nearest) or a value out of range.
        """
        known = [field.name for field in attrs.fields(Locomotion) if field.init]
        for name in options:
            if name not in known:
                raise ValidationError(f"'locomotion' has no option {name!r}{nearest(name, known)}")
        try:
            return attrs.evolve(self, **options)._told(self._is_restored)
        except TypeError as error:
            raise ValidationError(f"options of 'locomotion': {error}") from None

    def _told(self, is_restored: bool) -> Locomotion:
        """Note whether the styles are those of a training set, for messages; no option, so not recorded."""
        object.__setattr__(self, "_is_restored", is_restored)  # frozen for everyone else
        return self

    def restored(self, record: Mapping[str, Any]) -> Locomotion:
        """Return a new feature as it was when it made the training set with this `metadata`.

        Raises:
            ValidationError: it is not this feature's metadata.
        """
        if record.get("feature") != "locomotion" or not isinstance(record.get("options"), Mapping):
            raise ValidationError("this metadata is not of a training set that 'locomotion' made")
        return self.configured(**record["options"])._told(True)

    def windows(self, body: Body) -> Windows:
        """Return the layout of rows for `body`."""
        return Windows(
            body=body,
            framerate=self.framerate,
            horizon=self.horizon,
            past_s=self.past_s,
            future_s=self.future_s,
            styles=self.styles,
            restored=self._is_restored,
        )

    def schema(self, skeleton: Skeleton) -> FeatureSchema:
        """Return the meaning of the inputs' columns."""
        return FeatureSchema(tuple(self.windows(Body.of(skeleton)).input_columns()))

    def output_schema(self, skeleton: Skeleton) -> FeatureSchema:
        """Return the meaning of the outputs' columns."""
        return FeatureSchema(tuple(self.windows(Body.of(skeleton)).output_columns()))

    def compute(self, motion: Motion, frames: Sequence[int] | Array | None = None) -> Array:
        """Return the inputs `[N, X]` at `frames`, with what the clip did next as what was wanted.

        Frames count at the feature's framerate; negative ones from the end.

        Raises:
            ValidationError: a frame outside the clip, a joint missing.
        """
        windows = self.windows(Body.of(motion.skeleton))
        track = track_of(windows.body, motion.resample(self.framerate))
        asked = np.arange(len(track)) if frames is None else np.asarray(frames, np.int64).reshape(-1)
        if ((asked < -len(track)) | (asked >= len(track))).any():
            raise ValidationError(
                f"a frame asked of motion {motion.name!r} lies outside its {len(track)} frames"
            )
        return windows.seen(track, asked % len(track), windows.style_row(self._style(motion)))

    def _style(self, motion: Motion) -> str | None:
        style = style_of(motion.name)
        return style if style in self.styles else None

    # -- learning ----------------------------------------------------------------------------

    def training_set(self, motions: Sequence[Motion], *, progress: Progress | None = None) -> TrainingSet:
        """Return rows of all `motions`, of their mirrored and of their bent copies.

        A style is what at least two clips share: a name of its own would only tell which clip it is,
        and a model that learned it would play that clip wherever it is told to go.

        `metadata` holds the options and styles (for `restored`), the names of the clips, and their
        `speeds_m_s` by style (the empty one is none): a speed at which each style is at home.

        Raises:
            ValidationError: no motion, several skeletons, a joint missing, or no clip long enough.
            Cancelled: `progress` returned False.
        """
        skeleton = _one_skeleton(motions)
        knowing = self.configured(styles=_shared_styles(motions))
        windows = knowing.windows(Body.of(skeleton))
        clips = [motion.resample(self.framerate) for motion in motions]
        parts = list(knowing._parts(windows, clips, progress))
        x, y, numbers = (np.concatenate(column) for column in zip(*parts, strict=True))
        if not len(x):
            raise ValidationError(f"no clip has the {self.horizon + 2} frames that one row needs")
        return TrainingSet(
            x,
            y,
            TrainingSet.measured(windows.input_columns(), x),
            TrainingSet.measured(windows.output_columns(), y),
            skeleton=skeleton,
            framerate=self.framerate,
            clips=numbers,
            metadata=knowing._record(clips),
        )

    def _parts(
        self, windows: Windows, clips: Sequence[Motion], progress: Progress | None
    ) -> Iterator[tuple[Array, Array, Array]]:
        """Yield inputs, outputs and the clip's number for every copy of every clip."""
        mirror = Mirror.of(clips) if self.mirror else None
        for number, clip in enumerate(clips):
            if progress is not None and progress(number, len(clips), f"features of {clip.name}") is False:
                raise Cancelled(f"features cancelled at clip {number} of {len(clips)}")
            # A generator for each clip: its rows do not depend on which others are there.
            random = np.random.default_rng([self.seed, number])
            for copy in self._copies(clip, windows.body, mirror, random):
                track = track_of(windows.body, copy)
                frames = np.arange(1, max(len(track) - self.horizon, 1))
                styles = np.repeat(windows.style_row(self._style(clip)), len(frames), axis=0)
                styles[random.random(len(frames)) < self.style_dropout] = 0.0
                rows = windows.seen(track, frames, styles)
                yield rows, windows.outputs(track, frames), np.full(len(frames), number)
        if progress is not None:
            progress(len(clips), len(clips), "features done")

    def _copies(
        self, clip: Motion, body: Body, mirror: Mirror | None, random: np.random.Generator
    ) -> list[Motion]:
        sides = [clip] if mirror is None else [clip, mirror(clip)]
        copies = list(sides)
        for i in range(self.bends):
            rates = wandering(clip.frame_count, self.framerate, self.turn_rate, random)
            copies.append(bent(sides[i % len(sides)], body, rates))
        return copies

    def _record(self, clips: Sequence[Motion]) -> dict[str, Any]:
        """Return all that `restored` needs and what else is worth knowing, as plain JSON values."""
        speeds: dict[str, list[float]] = {}
        for clip in clips:
            speeds.setdefault(style_of(clip.name) or "", []).append(_speed(clip))
        options = attrs.asdict(self, filter=lambda field, _: field.init)
        return {
            "feature": "locomotion",
            "options": {name: list(v) if isinstance(v, tuple) else v for name, v in options.items()},
            "speeds_m_s": {style: float(np.median(values)) for style, values in sorted(speeds.items())},
            "clips": [clip.name for clip in clips],
        }

    # -- playing -----------------------------------------------------------------------------

    def start(self, seed: Motion) -> State:
        """Return the state of a character that has just moved as `seed` did.

        The end of the seed tells speed and facing: give it a second or more.
        """
        body = Body.of(seed.skeleton)
        seed = seed.resample(self.framerate)
        track = track_of(body, seed)
        return State(Rig.of(body, seed, track), track, None, (), self._style(seed))

    def inputs(self, state: State, control: Control) -> Array:
        """Return the model's input `[1, X]` in this state under this control.

        Raises:
            ValidationError: the control's style is not known.
        """
        return self.crowd_inputs([state], [control])

    def crowd_inputs(self, states: Sequence[State], controls: Sequence[Control]) -> Array:
        """Return the model's inputs `[C, X]` of characters of one skeleton, each under its control.

        Raises:
            ValidationError: a control's style is not known.
        """
        windows = self.windows(states[0].rig.body)
        known = [state.history.slice(-windows.history) for state in states]
        told = zip(known, controls, strict=True)
        wanted, facings = (np.stack(part) for part in zip(*(self._wanted(*one) for one in told), strict=True))
        styles = np.concatenate(
            [
                windows.style_row(state.style if control.style is None else control.style)
                for state, control in zip(states, controls, strict=True)
            ]
        )
        if min(map(len, known)) < windows.history:  # whose past is made up is looked at alone
            parts = [
                windows.inputs(
                    state.history,
                    np.array([len(state.history) - 1]),
                    *(a[i : i + 1] for a in (wanted, facings, styles)),
                )
                for i, state in enumerate(states)
            ]
            return np.concatenate(parts)
        ends = np.cumsum([len(track) for track in known]) - 1
        return windows.inputs(joined(known), ends, wanted, facings, styles)

    def _wanted(self, track: Track, control: Control) -> tuple[Array, Array]:
        """Return where to be and to face, `[F, 2]` each, at the times that rows ask for."""
        at = np.array(self.future_s)
        times = np.concatenate([[0.0], control.times])
        points = np.concatenate([track.ground[-1:], control.positions])
        facings = np.concatenate([formulas.heading(track.yaw[-1:]), control.directions])
        asked, directions = along(times, points, at), along(times, facings, at, beyond=False)
        return eased(track, self.framerate, at, asked, directions)

    def advance(self, state: State, outputs: Array) -> State:
        """Return the state after `stride` of the frames that `outputs [1, Y]` describe were played.

        Raises:
            ValidationError: another width, or a number that is not finite.
        """
        return self.crowd_advance([state], outputs)[0]

    def crowd_advance(self, states: Sequence[State], outputs: Array) -> list[State]:
        """Return the states of characters of one skeleton after `stride` frames of each row of `outputs`.

        What `advance` makes of each, worked out together; `outputs` is `[C, Y]`.

        Raises:
            ValidationError: another shape, or a number that is not finite.
        """
        windows = self.windows(states[0].rig.body)
        lengths = {(min(len(s.history), 2), len(s.pending) if s.pending else 0) for s in states}
        if len(lengths) > 1:  # some have just started
            rows = np.asarray(outputs)
            return [self.crowd_advance([s], rows[i : i + 1])[0] for i, s in enumerate(states)]
        rig = attrs.evolve(states[0].rig, offsets=np.stack([state.rig.offsets for state in states]))
        before = stacked([state.history.slice(-2) for state in states])
        predicted = windows.decoded(outputs, rig, before)
        predicted = settled(rig, before, predicted, self.framerate, self.settle_s)
        pending = [state.pending for state in states if state.pending is not None]
        if pending:
            predicted = blended(rig, stacked(pending), predicted)
        return [
            self._after(state, one, windows.history)
            for state, one in zip(states, apart(predicted), strict=True)
        ]

    def _after(self, state: State, predicted: Track, kept: int) -> State:
        """Return the state after the first frames of what is `predicted`; `kept` frames are known of the past."""
        now, later = predicted.slice(0, self.stride), predicted.slice(self.stride)
        return attrs.evolve(
            state,
            history=joined([state.history, now]).slice(-kept),
            pending=later if len(later) else None,
            played=(*state.played, now),
        )

    def root(self, state: State) -> tuple[Array, Array]:
        """Return the ground position `[2]` m and facing `[2]` of the character now (world x, z)."""
        return state.history.ground[-1], formulas.heading(state.history.yaw[-1])

    def forgotten(self, state: State) -> State:
        """Return the state of a character that goes on alike but no longer knows what it has played."""
        return attrs.evolve(state, played=())

    def frame_count(self, state: State) -> int:
        """Return how many frames have been played since the seed's last."""
        return sum(map(len, state.played))

    def motion(self, state: State) -> Motion:
        """Return what has been played since the seed's last frame.

        Raises:
            ValidationError: nothing has been played yet.
        """
        if not state.played:
            raise ValidationError("nothing has been played yet, expected at least one advance()")
        return state.rig.motion(joined(state.played), self.framerate, f"{state.rig.template.name}-generated")

    def contacts(self, state: State) -> Array:
        """Return the predicted contacts of the left and the right foot, `[T, 2]` in [0, 1]."""
        return joined(state.played).contacts if state.played else np.zeros((0, 2))


def _shared_styles(motions: Sequence[Motion]) -> tuple[str, ...]:
    counted = Counter(style_of(motion.name) for motion in motions)
    return tuple(sorted(style for style, count in counted.items() if style is not None and count > 1))


def _one_skeleton(motions: Sequence[Motion]) -> Skeleton:
    if not motions:
        raise ValidationError("training_set got no motion, expected at least one")
    first = motions[0]
    for motion in motions:
        same = motion.skeleton.names == first.skeleton.names
        if not same or not np.array_equal(motion.skeleton.parents, first.skeleton.parents):
            raise ValidationError(f"motion {motion.name!r} moves another skeleton than {first.name!r}")
    return first.skeleton


def _speed(clip: Motion) -> float:
    """Return the mean ground speed of the hips from first to last frame, m/s."""
    hips = clip.global_transforms()[0][:, Body.of(clip.skeleton).hips][:, [0, 2]].astype(np.float64)
    return float(np.linalg.norm(hips[-1] - hips[0]) / max(clip.duration, 1e-9))
