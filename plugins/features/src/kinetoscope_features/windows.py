"""What the numbers of a locomotion row are: columns, rows from tracks, tracks from rows."""

from __future__ import annotations

import attrs
import numpy as np

from kinetoscope_features import formulas
from kinetoscope_features.body import Array, Body
from kinetoscope_features.root import extended
from kinetoscope_features.track import Rig, Track
from kinetoscope_spec import Column, rotation
from kinetoscope_spec.errors import ValidationError, nearest

__all__ = ["SIX", "Windows"]

SIX = ("xx", "xy", "xz", "yx", "yy", "yz")
"""Components of a 6D rotation: the matrix's column x, then its column y."""


@attrs.frozen(eq=False, kw_only=True)
class Windows:
    """The layout of input and output rows for one body; options as in `Locomotion`.

    `restored` says whether they come from a training set, whose clips tell all the styles there are.
    """

    body: Body
    framerate: float
    horizon: int
    past_s: tuple[float, ...]
    future_s: tuple[float, ...]
    styles: tuple[str, ...]
    restored: bool = False

    @property
    def _feet(self) -> list[str]:
        return [self.body.skeleton.names[foot] for foot in self.body.feet]

    @property
    def _past(self) -> Array:
        return np.array([round(s * self.framerate) for s in self.past_s])

    @property
    def _future(self) -> Array:
        return np.array([round(s * self.framerate) for s in self.future_s])

    @property
    def history(self) -> int:
        """Frames of the past that a row of inputs looks at, with the one before for velocities."""
        return int(self._past.max()) + 2

    def input_columns(self) -> list[Column]:
        """Return the columns of the inputs: trajectory, pose, contacts, style."""
        offsets = [*(-s for s in self.past_s), *self.future_s]
        names = self.body.names
        return [
            *(Column("trajectory_position", "m", None, axis, at) for at in offsets for axis in "xz"),
            *(Column("trajectory_direction", "1", None, axis, at) for at in offsets for axis in "xz"),
            *(Column("joint_position", "m", name, axis) for name in names for axis in "xyz"),
            *(Column("joint_velocity", "m/s", name, axis) for name in names for axis in "xyz"),
            *(Column("joint_rotation_6d", "1", name, part) for name in names for part in SIX),
            *(Column("contact", "1", foot) for foot in self._feet),
            *(Column("style", "1", None, style) for style in self.styles),
        ]

    def output_columns(self) -> list[Column]:
        """Return the columns of the outputs, frame by frame."""
        hips = self.body.skeleton.names[self.body.hips]
        columns: list[Column] = []
        for frame in range(1, self.horizon + 1):
            at = frame / self.framerate
            columns += [Column("root_position", "m", None, axis, at) for axis in "xz"]
            columns += [Column("root_yaw", "rad", None, None, at)]
            columns += [Column("hips_position", "m", hips, axis, at) for axis in "xyz"]
            columns += [
                Column("joint_rotation_6d", "1", name, part, at) for name in self.body.names for part in SIX
            ]
            columns += [Column("contact", "1", foot, None, at) for foot in self._feet]
        return columns

    def style_row(self, style: str | None) -> Array:
        """Return the one-hot row `[1, S]` of `style`; None is a row of zeros.

        Raises:
            ValidationError: the style is not known; the message names the nearest, or all.
        """
        if style is not None and style not in self.styles:
            raise ValidationError(f"unknown style {style!r}{self._known_styles(style)}")
        return np.array([float(style == known) for known in self.styles]).reshape(1, -1)

    def _known_styles(self, style: str) -> str:
        """Return what to say to someone who asked for the unknown `style`."""
        if self.styles:
            return nearest(style, self.styles) or f"; known are {', '.join(map(repr, self.styles))}"
        if self.restored:
            return ": this model knows no style: no two clips share one"
        return ": this feature knows no style, since it was not restored from a training set"

    def seen(self, track: Track, frames: Array, styles: Array) -> Array:
        """Return input rows `[N, X]` at `frames`, what came next standing for what was wanted."""
        ahead = int(self._future.max())
        ground = extended(track.ground, 0, ahead, framerate=self.framerate)
        yaw = extended(track.yaw, 0, ahead, framerate=self.framerate)
        at = frames[:, None] + self._future
        return self.inputs(track, frames, ground[at], formulas.heading(yaw[at]), styles)

    def inputs(self, track: Track, frames: Array, wanted: Array, facings: Array, styles: Array) -> Array:
        """Return input rows `[N, X]` at `frames`.

        Args:
            track: what has happened.
            frames: `[N]` indices into it, each standing for now.
            wanted: `[N, F, 2]` m, world x and z, where to be at `future_s`.
            facings: `[N, F, 2]`, where to face then.
            styles: `[N, S]` or `[1, S]`.
        """
        back = int(self._past.max())
        ground = extended(track.ground, back, 0, framerate=self.framerate)
        yaw = extended(track.yaw, back, 0, framerate=self.framerate)
        past = frames[:, None] + back - self._past
        here, facing = track.ground[frames][:, None], track.yaw[frames][:, None]
        points = np.concatenate([ground[past], wanted], axis=1) - here
        headings = np.concatenate([formulas.heading(yaw[past]), facings], axis=1)
        parts = (
            formulas.unturned(facing, points),
            formulas.unturned(facing, headings),
            track.joints[frames],
            self._velocities(track, frames),
            rotation.to_6d(track.rotations[frames]),
            track.contacts[frames],
            np.broadcast_to(styles, (len(frames), len(self.styles))),
        )
        # The sizes are spelled out: reshaping no frames to -1 columns is undefined.
        flat = [part.reshape(len(frames), int(np.prod(part.shape[1:]))) for part in parts]
        return np.concatenate(flat, axis=1).astype(np.float32)

    def _velocities(self, track: Track, frames: Array) -> Array:
        """Return world velocities since the frame before, in root space, `[N, B, 3]` m/s."""
        before = np.maximum(frames - 1, 0)
        now, then = (
            formulas.from_root(track.ground[at], track.yaw[at], track.joints[at]) for at in (frames, before)
        )
        turn = rotation.from_yaw(-track.yaw[frames])[:, None]
        velocities: Array = rotation.rotate(turn, (now - then) * self.framerate)
        return velocities

    def outputs(self, track: Track, frames: Array) -> Array:
        """Return output rows `[N, Y]`: the `horizon` frames that follow each of `frames`."""
        ahead = frames[:, None] + np.arange(1, self.horizon + 1)
        here, facing = track.ground[frames][:, None], track.yaw[frames][:, None]
        parts = (
            formulas.unturned(facing, track.ground[ahead] - here),
            (track.yaw[ahead] - facing)[..., None],
            track.joints[ahead][:, :, 0],
            rotation.to_6d(track.rotations[ahead]),
            track.contacts[ahead],
        )
        shape = (len(frames), self.horizon)
        flat = [part.reshape(*shape, int(np.prod(part.shape[2:]))) for part in parts]
        rows = np.concatenate(flat, axis=-1)
        return rows.reshape(len(frames), self.horizon * rows.shape[-1]).astype(np.float32)

    def decoded(self, rows: Array, rig: Rig, history: Track) -> Track:
        """Return the frames that rows `[C, Y]` describe as following the crowd's `history`, in the world.

        Raises:
            ValidationError: another shape, or a number that is not finite.
        """
        rows = np.asarray(rows, np.float64)
        shape = history.yaw.shape[1], self.horizon * (8 + 6 * len(self.body.joints))
        if rows.shape != shape:
            raise ValidationError(f"outputs have shape {list(rows.shape)}, expected {list(shape)}")
        if not np.isfinite(rows).all():
            row, column = np.argwhere(~np.isfinite(rows))[0]
            raise ValidationError(f"outputs[{row}, {column}] is not finite")
        frames = rows.reshape(len(rows), self.horizon, -1).swapaxes(0, 1)
        here, facing = history.ground[-1], history.yaw[-1]
        rotations = rotation.from_6d(frames[..., 6:-2].reshape(self.horizon, len(rows), -1, 6))
        yaws = np.broadcast_to(facing, frames.shape[:2])
        return Track(
            ground=here + formulas.turned(yaws, frames[..., :2]),
            yaw=facing + frames[..., 2],
            joints=rig.posed(frames[..., 3:6], rotations),
            rotations=rotations,
            contacts=np.clip(frames[..., -2:], 0.0, 1.0),
        )
