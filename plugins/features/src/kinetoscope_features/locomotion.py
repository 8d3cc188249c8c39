"""Locomotion: one representation of walking that can be learned and played."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from kinetoscope_features import formulas
from kinetoscope_features.bend import bent, wandering
from kinetoscope_features.body import Array, Body
from kinetoscope_features.mirror import Mirror
from kinetoscope_features.root import extended
from kinetoscope_features.track import Rig, Track, joined, track_of
from kinetoscope_spec import Column, Control, FeatureSchema, Motion, Skeleton, TrainingSet, rotation
from kinetoscope_spec.errors import Cancelled, ValidationError, nearest
from kinetoscope_spec.protocols import Progress

__all__ = ["Locomotion", "State", "style_of"]

_6D = ("xx", "xy", "xz", "yx", "yy", "yz")


def style_of(name: str) -> str:
    """Return the style that a clip's name tells: its last word before the number.

    `dataset-1_walk_normal_001` is `normal`, `jog_02` is `jog`.
    """
    return re.sub(r"[-_ ]*\d+$", "", name).split("_")[-1] or name


@attrs.frozen(eq=False)
class State:
    """A character in motion: what it did lately, what it is about to do, what it has played.

    Attributes:
        rig: how poses become transforms again.
        history: the last frames, up to now.
        pending: frames already predicted, still to be played, or None.
        played: what has been played since the seed, piece by piece.
        style: the style of the seed, where a control names none.
    """

    rig: Rig
    history: Track
    pending: Track | None
    played: tuple[Track, ...]
    style: str | None


@attrs.define(kw_only=True)
class Locomotion:
    """Walking along a trajectory: what is known now in, the next frames out.

    A row of inputs holds the root's trajectory (past, and future as it is wanted), the pose with its
    velocities, the foot contacts and the style, all in root space at one frame. A row of outputs
    holds the next `horizon` frames: the root relative to where it is now, the hips and the rotations
    of all joints in the root space of their own frame, and the contacts.

    Of every prediction `stride` frames are played; the rest overlaps with the next prediction and is
    blended into it, so that no seam shows.

    Options:
        framerate: rows per second; clips are resampled to it.
        horizon: frames in a row of outputs.
        stride: frames played of each prediction.
        past_s, future_s: when the trajectory is sampled, s before and after now.
        mirror: add every clip mirrored.
        bends: how many bent copies of every clip to add (see `bend`).
        turn_rate: standard deviation of the bent copies' turn rate, rad/s.
        style_dropout: share of rows whose style is left out, so that none is a style too.
        seed: of the random turn rates and dropouts.
        styles: the styles known; `training_set` finds them in the names of the clips.
    """

    framerate: float = 30.0
    horizon: int = 10
    stride: int = 5
    past_s: tuple[float, ...] = attrs.field(default=(1.0, 0.75, 0.5, 0.25), converter=tuple)
    future_s: tuple[float, ...] = attrs.field(default=(0.2, 0.4, 0.6, 0.8, 1.0), converter=tuple)
    mirror: bool = True
    bends: int = 4
    turn_rate: float = 0.5
    style_dropout: float = 0.1
    seed: int = 0
    styles: tuple[str, ...] = attrs.field(default=(), converter=tuple)

    def __attrs_post_init__(self) -> None:
        if not 1 <= self.stride <= self.horizon:
            raise ValidationError(
                f"stride is {self.stride}, expected 1 to the horizon of {self.horizon} frames"
            )
        if min(*self.past_s, *self.future_s) <= 0 or list(self.future_s) != sorted(self.future_s):
            raise ValidationError("past_s and future_s must be above 0 and future_s increasing")

    # -- what the numbers mean ---------------------------------------------------------------

    def schema(self, skeleton: Skeleton) -> FeatureSchema:
        """Return the meaning of the inputs' columns."""
        return FeatureSchema(self._input_columns(Body.of(skeleton)))

    def output_schema(self, skeleton: Skeleton) -> FeatureSchema:
        """Return the meaning of the outputs' columns."""
        return FeatureSchema(self._output_columns(Body.of(skeleton)))

    def _input_columns(self, body: Body) -> list[Column]:
        offsets = [*(-s for s in self.past_s), *self.future_s]
        feet = [body.skeleton.names[foot] for foot in body.feet]
        return [
            *(Column("trajectory_position", "m", None, axis, at) for at in offsets for axis in "xz"),
            *(Column("trajectory_direction", "1", None, axis, at) for at in offsets for axis in "xz"),
            *(Column("joint_position", "m", name, axis) for name in body.names for axis in "xyz"),
            *(Column("joint_velocity", "m/s", name, axis) for name in body.names for axis in "xyz"),
            *(Column("joint_rotation_6d", "1", name, part) for name in body.names for part in _6D),
            *(Column("contact", "1", foot) for foot in feet),
            *(Column("style", "1", None, style) for style in self.styles),
        ]

    def _output_columns(self, body: Body) -> list[Column]:
        hips = body.skeleton.names[body.hips]
        feet = [body.skeleton.names[foot] for foot in body.feet]
        columns: list[Column] = []
        for frame in range(1, self.horizon + 1):
            at = frame / self.framerate
            columns += [Column("root_position", "m", None, axis, at) for axis in "xz"]
            columns += [Column("root_yaw", "rad", None, None, at)]
            columns += [Column("hips_position", "m", hips, axis, at) for axis in "xyz"]
            columns += [
                Column("joint_rotation_6d", "1", name, part, at) for name in body.names for part in _6D
            ]
            columns += [Column("contact", "1", foot, None, at) for foot in feet]
        return columns

    # -- learning ----------------------------------------------------------------------------

    def compute(self, motion: Motion, frames: Sequence[int] | Array | None = None) -> Array:
        """Return the inputs `[N, X]` at `frames`, with what the clip did next as what is wanted."""
        body = Body.of(motion.skeleton)
        track = track_of(body, motion.resample(self.framerate))
        asked = np.arange(len(track)) if frames is None else np.asarray(frames, np.int64).reshape(-1)
        if ((asked < 0) | (asked >= len(track))).any():
            raise ValidationError(f"frames asked outside 0 to {len(track) - 1} of motion {motion.name!r}")
        return self._rows_in(body, track, asked, self._style_row(style_of(motion.name), known_only=False))

    def training_set(self, motions: Sequence[Motion], *, progress: Progress | None = None) -> TrainingSet:
        """Return rows of all `motions`, of their mirrored and of their bent copies.

        The styles that the names of the clips tell are kept in `styles`, so that `inputs` knows them.
        A style is what two clips share: a name of its own tells which clip it is, and a model that
        learned it would play that clip wherever it is told to go.

        Raises:
            ValidationError: no motion, several skeletons, a joint missing, or no clip long enough.
            Cancelled: `progress` returned False.
        """
        skeleton = _one_skeleton(motions)
        body = Body.of(skeleton)
        self.styles = _shared_styles(motions)
        clips = [motion.resample(self.framerate) for motion in motions]
        mirror = Mirror.of(clips) if self.mirror else None
        random = np.random.default_rng(self.seed)
        inputs, outputs, numbers = [], [], []
        for number, clip in enumerate(clips):
            if progress is not None and progress(number, len(clips), f"features of {clip.name}") is False:
                raise Cancelled(f"features cancelled at clip {number} of {len(clips)}")
            for copy in self._copies(clip, body, mirror, random):
                x, y = self._rows(body, copy, style_of(clip.name), random)
                inputs.append(x)
                outputs.append(y)
                numbers.append(np.full(len(x), number))
        if not sum(map(len, inputs)):
            raise ValidationError(f"no clip has the {self.horizon + 2} frames that one row needs")
        if progress is not None:
            progress(len(clips), len(clips), "features done")
        x, y = np.concatenate(inputs), np.concatenate(outputs)
        return TrainingSet(
            x,
            y,
            TrainingSet.measured(self._input_columns(body), x),
            TrainingSet.measured(self._output_columns(body), y),
            skeleton=skeleton,
            framerate=self.framerate,
            clips=np.concatenate(numbers),
            metadata=self.record(clips),
        )

    def record(self, clips: Sequence[Motion]) -> dict[str, Any]:
        """Return what a checkpoint must remember of this feature, as plain JSON values."""
        speeds: dict[str, list[float]] = {}
        for clip in clips:
            speeds.setdefault(style_of(clip.name), []).append(_speed(clip))
        return {
            "feature": "locomotion",
            "options": {
                field.name: list(value) if isinstance(value := getattr(self, field.name), tuple) else value
                for field in attrs.fields(Locomotion)
            },
            "speeds_m_s": {style: float(np.median(values)) for style, values in sorted(speeds.items())},
            "clips": [clip.name for clip in clips],
        }

    def configured(self, **options: Any) -> Locomotion:
        """Return a new feature with these options; this one stays as it is.

        Raises:
            ValidationError: an unknown option (naming the nearest) or a value out of range.
        """
        known = [field.name for field in attrs.fields(Locomotion)]
        for name in options:
            if name not in known:
                raise ValidationError(f"'locomotion' has no option {name!r}{nearest(name, known)}")
        return attrs.evolve(self, **options)

    def restored(self, record: Mapping[str, Any]) -> Locomotion:
        """Return a new feature as it was when it made the training set with this `metadata`."""
        return self.from_record(record)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Locomotion:
        """Build the feature again from the metadata of a training set or of a fitted model.

        Raises:
            ValidationError: it is not this feature's record.
        """
        if record.get("feature") != "locomotion" or not isinstance(record.get("options"), Mapping):
            raise ValidationError("this metadata is not of the feature 'locomotion'")
        known = {field.name for field in attrs.fields(cls)}
        unknown = set(record["options"]) - known
        if unknown:
            raise ValidationError(f"unknown options of 'locomotion' in this metadata: {sorted(unknown)}")
        return cls(**record["options"])

    def _copies(
        self, clip: Motion, body: Body, mirror: Mirror | None, random: np.random.Generator
    ) -> list[Motion]:
        sides = [clip] if mirror is None else [clip, mirror(clip)]
        copies = list(sides)
        for i in range(self.bends):
            rates = wandering(clip.frame_count, self.framerate, self.turn_rate, random)
            copies.append(bent(sides[i % len(sides)], body, rates))
        return copies

    def _rows(
        self, body: Body, motion: Motion, style: str, random: np.random.Generator
    ) -> tuple[Array, Array]:
        track = track_of(body, motion)
        frames = np.arange(1, len(track) - self.horizon)
        styles = np.repeat(self._style_row(style, known_only=False), len(frames), axis=0)
        styles[random.random(len(frames)) < self.style_dropout] = 0.0
        return self._rows_in(body, track, frames, styles), self._rows_out(track, frames)

    def _rows_in(self, body: Body, track: Track, frames: Array, styles: Array) -> Array:
        steps = [round(s * self.framerate) for s in self.future_s]
        ground = extended(track.ground, 0, max(steps), framerate=self.framerate)
        yaw = extended(track.yaw, 0, max(steps), framerate=self.framerate)
        at = frames[:, None] + np.array(steps)
        return self._inputs(track, frames, ground[at], formulas.heading(yaw[at]), styles)

    def _inputs(self, track: Track, frames: Array, wanted: Array, directions: Array, styles: Array) -> Array:
        """Return rows at `frames`, with the wanted trajectory `[N, F, 2]` in world x and z."""
        back = max(round(s * self.framerate) for s in self.past_s) + 1
        ground = extended(track.ground, back, 0, framerate=self.framerate)
        yaw = extended(track.yaw, back, 0, framerate=self.framerate)
        past = frames[:, None] + back - np.array([round(s * self.framerate) for s in self.past_s])
        here, facing = track.ground[frames][:, None], track.yaw[frames][:, None]
        points = np.concatenate([ground[past], wanted], axis=1) - here
        headings = np.concatenate([formulas.heading(yaw[past]), directions], axis=1)
        pose = (
            formulas.unturned(facing, points),
            formulas.unturned(facing, headings),
            track.joints[frames],
            self._velocities(track, frames),
            rotation.to_6d(track.rotations[frames]),
            track.contacts[frames],
            styles,
        )
        rows = np.concatenate([part.reshape(len(frames), -1) for part in pose], axis=1)
        return rows.astype(np.float32)

    def _velocities(self, track: Track, frames: Array) -> Array:
        """Return world velocities since the frame before, in root space, `[N, B, 3]`."""
        before = np.maximum(frames - 1, 0)
        now, then = (
            formulas.from_root(track.ground[at], track.yaw[at], track.joints[at]) for at in (frames, before)
        )
        turn = rotation.from_yaw(-track.yaw[frames])[:, None]
        velocities: Array = rotation.rotate(turn, (now - then) * self.framerate)
        return velocities

    def _rows_out(self, track: Track, frames: Array) -> Array:
        ahead = frames[:, None] + np.arange(1, self.horizon + 1)
        here, facing = track.ground[frames][:, None], track.yaw[frames][:, None]
        shape = (len(frames), self.horizon, -1)
        parts = (
            formulas.unturned(facing, track.ground[ahead] - here),
            (track.yaw[ahead] - facing)[..., None],
            track.joints[ahead][:, :, 0],
            rotation.to_6d(track.rotations[ahead]),
            track.contacts[ahead],
        )
        rows = np.concatenate([part.reshape(shape) for part in parts], axis=-1)
        return rows.reshape(len(frames), -1).astype(np.float32)

    def _style_row(self, style: str | None, *, known_only: bool = True) -> Array:
        """Return the one-hot row `[1, S]` of `style`; None is a row of zeros."""
        if known_only and style is not None and style not in self.styles:
            known = ", ".join(self.styles) or "none; call training_set or from_record first"
            raise ValidationError(f"unknown style {style!r}{nearest(style, self.styles)} (known: {known})")
        return np.array([[float(style == known) for known in self.styles]]).reshape(1, -1)

    # -- playing -----------------------------------------------------------------------------

    def start(self, seed: Motion) -> State:
        """Return the state of a character that has just moved as `seed` did."""
        body = Body.of(seed.skeleton)
        seed = seed.resample(self.framerate)
        track = track_of(body, seed)
        style = style_of(seed.name)
        return State(Rig.of(body, seed, track), track, None, (), style if style in self.styles else None)

    def inputs(self, state: State, control: Control) -> Array:
        """Return the model's input `[1, X]` in this state under this control.

        Raises:
            ValidationError: the control's style is not known.
        """
        track, now = state.history, len(state.history) - 1
        wanted, directions = self._wanted(track, control)
        style = control.style if control.style is not None else state.style
        styles = self._style_row(style)
        return self._inputs(track, np.array([now]), wanted[None], directions[None], styles)

    def _wanted(self, track: Track, control: Control) -> tuple[Array, Array]:
        """Return where to be and to face, `[F, 2]` each, at the times that rows ask for."""
        times = np.concatenate([[0.0], control.times])
        points = np.concatenate([track.ground[-1:], control.positions])
        facings = np.concatenate([formulas.heading(track.yaw[-1:]), control.directions])
        at = np.array(self.future_s)
        inside = np.minimum(at, times[-1])
        wanted = np.stack([np.interp(inside, times, points[:, i]) for i in (0, 1)], axis=-1)
        slope = (points[-1] - points[-2]) / (times[-1] - times[-2])
        wanted += (at - inside)[:, None] * slope
        directions = np.stack([np.interp(inside, times, facings[:, i]) for i in (0, 1)], axis=-1)
        length = np.linalg.norm(directions, axis=-1, keepdims=True)
        return wanted, directions / np.maximum(length, 1e-9)

    def advance(self, state: State, outputs: Array) -> State:
        """Return the state after `stride` of the frames that `outputs [1, Y]` describe were played.

        Raises:
            ValidationError: another width, or a number that is not finite.
        """
        predicted = self._decoded(state, outputs)
        if state.pending is not None:
            predicted = _blended(state.rig, state.pending, predicted)
        now, later = predicted.slice(0, self.stride), predicted.slice(self.stride)
        keep = round(max(self.past_s) * self.framerate) + 2
        return attrs.evolve(
            state,
            history=joined([state.history, now]).slice(-keep),
            pending=later if len(later) else None,
            played=(*state.played, now),
        )

    def _decoded(self, state: State, outputs: Array) -> Track:
        """Return the frames that a row describes, in the world."""
        body = state.rig.body
        rows = np.asarray(outputs, np.float64)
        width = self.horizon * (8 + 6 * len(body.joints))
        if rows.shape != (1, width):
            raise ValidationError(f"outputs have shape {list(rows.shape)}, expected [1, {width}]")
        if not np.isfinite(rows).all():
            raise ValidationError(f"outputs[0, {int(np.argmin(np.isfinite(rows[0])))}] is not finite")
        frames = rows.reshape(self.horizon, -1)
        here, facing = state.history.ground[-1], state.history.yaw[-1]
        rotations = rotation.from_6d(frames[:, 6:-2].reshape(self.horizon, -1, 6))
        return Track(
            ground=here + formulas.turned(np.full(self.horizon, facing), frames[:, :2]),
            yaw=facing + frames[:, 2],
            joints=state.rig.posed(frames[:, 3:6], rotations),
            rotations=rotations,
            contacts=np.clip(frames[:, -2:], 0.0, 1.0),
        )

    def root(self, state: State) -> tuple[Array, Array]:
        """Return the ground position `[2]` m and facing `[2]` of the character now (world x, z)."""
        return state.history.ground[-1], formulas.heading(state.history.yaw[-1])

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
        """Return the predicted contact of the left and the right foot, `[T, 2]` in [0, 1]."""
        return joined(state.played).contacts if state.played else np.zeros((0, 2))


def _shared_styles(motions: Sequence[Motion]) -> tuple[str, ...]:
    counted = Counter(style_of(motion.name) for motion in motions)
    return tuple(sorted(style for style, count in counted.items() if count > 1))


def _one_skeleton(motions: Sequence[Motion]) -> Skeleton:
    if not motions:
        raise ValidationError("training_set got no motion, expected at least one")
    skeleton = motions[0].skeleton
    for motion in motions:
        if motion.skeleton.names != skeleton.names:
            raise ValidationError(f"motion {motion.name!r} moves another skeleton than {motions[0].name!r}")
    return skeleton


def _speed(clip: Motion) -> float:
    """Return the mean ground speed of the hips from first to last frame, m/s."""
    hips = clip.global_transforms()[0][:, Body.of(clip.skeleton).hips][:, [0, 2]].astype(np.float64)
    return float(np.linalg.norm(hips[-1] - hips[0]) / max(clip.duration, 1e-9))


def _blended(rig: Rig, old: Track, new: Track) -> Track:
    """Return `new`, whose first frames fade over from `old`'s prediction of the same frames."""
    overlap = min(len(old), len(new))
    weight = np.arange(1, overlap + 1) / (overlap + 1)
    old, head = old.slice(0, overlap), new.slice(0, overlap)

    def mix(a: Array, b: Array) -> Array:
        w = weight.reshape((-1,) + (1,) * (a.ndim - 1))
        mixed: Array = a + (b - a) * w
        return mixed

    rotations = rotation.nlerp(
        old.rotations, head.rotations, np.repeat(weight[:, None], old.rotations.shape[1], 1)
    )
    blended = Track(
        ground=mix(old.ground, head.ground),
        yaw=mix(old.yaw, head.yaw),
        joints=rig.posed(mix(old.joints[:, 0], head.joints[:, 0]), rotations),
        rotations=rotations,
        contacts=mix(old.contacts, head.contacts),
    )
    return joined([blended, new.slice(overlap)])
