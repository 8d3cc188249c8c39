"""The contract of the hook `renderer`: where things are in the picture, and what a session promises."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Any, ClassVar

import attrs
import numpy as np
from hypothesis import strategies as st

from kinetoscope_spec._arrays import Array
from kinetoscope_spec.contracts import _staging as staging
from kinetoscope_spec.contracts import strategies
from kinetoscope_spec.contracts._law import law, require
from kinetoscope_spec.contracts._raycast import rays
from kinetoscope_spec.contracts._stage import Stage
from kinetoscope_spec.errors import ContractError, KinetoscopeError
from kinetoscope_spec.scene import Camera, Frame, Scene

__all__ = ["RendererContract"]

_SIZES = ((16, 12), (1, 1), (3, 2), (37, 23), (5, 64))
_QUALITIES = ("draft", "medium", "high")
_CLEAR = np.array([0.0, 0.0, 0.0, 0.0])

_WRONG: tuple[tuple[str, Any, str], ...] = (
    ("quality", "hihg", "hihg"),
    ("buffers", ("dephts",), "dephts"),
    ("size", (0, 16), "0"),
    ("size", (16, -2), "-2"),
)
"""Options that no renderer has, and what the error is to name."""


class RendererContract(Stage):
    """What callers of a renderer rely on.

    Sessions are opened as `open(size, quality, buffers=("depth", "id"), **open_options)`. Geometry is
    judged where no edge comes near a pixel's centre, by rays through triangles in float64.

    Attributes:
        size: (width, height) of most pictures; small ones take little time.
        quality: of most pictures.
        open_options: what else is passed to `open`.
        levels: by how many of 255 levels colours may differ by rounding.
        edge_px: how far from an edge, in pixels, rounding may show.
        moved_share: the share of pixels that may differ when camera and world move together: those
            at edges, which rounding takes to one side or the other.
        influences: how many a vertex may have.
        blendings: what of `Skin.blending` the renderer knows.
    """

    hook: ClassVar[str] = "renderer"
    mutants: ClassVar[str | None] = "kinetoscope_spec.contracts.mutants.renderer:MUTANTS"

    # -- laws of pictures

    @law(st.sampled_from(_SIZES), st.sampled_from(_QUALITIES), "_scenes", strategies.cameras(), cost=5)
    def test_pictures_have_the_size_that_was_asked_for(
        self, size: tuple[int, int], quality: str, scene: Scene, camera: Camera
    ) -> None:
        """A picture is `uint8 [H, W, 4]` of the session's size, with just the buffers that were asked for."""
        dtypes = {"depth": np.dtype(np.float32), "id": np.dtype(np.uint16)}
        with self._open(size, quality) as session:
            frame = session.render(scene, camera)
        shape = (size[1], size[0])
        require(isinstance(frame, Frame), f"render returned {type(frame).__name__}, expected a Frame")
        require(
            frame.color.shape == (*shape, 4),
            f"color is {list(frame.color.shape)} at a size of {size[0]} x {size[1]}, expected {[*shape, 4]}",
        )
        require(
            set(frame.buffers) == set(dtypes),
            f"buffers hold {sorted(frame.buffers)}, expected {sorted(dtypes)}, which were asked for",
        )
        for name, dtype in dtypes.items():
            held = np.asarray(frame.buffers[name])
            require(
                held.shape == shape and held.dtype == dtype,
                f"buffer {name!r} is {held.dtype} {list(held.shape)}, expected {dtype} {list(shape)}",
            )

    @law(strategies.cameras(), st.booleans(), st.booleans())
    def test_up_is_up_and_left_is_left(self, camera: Camera, right: bool, low: bool) -> None:
        """A triangle in the upper left of the view is in the upper left of the picture, and so all round."""
        width, height = self.size
        pixel = (width * (3 if right else 1) // 4, height * (3 if low else 1) // 4)
        post = staging.signpost(camera, self.size, pixel, height / 6)
        empty = Scene(lights=(), background=np.array([0.0, 0.0, 0.0, 1.0]))
        frame = self._render(attrs.evolve(empty, actors=(post,)), camera)
        difference = frame.color.astype(int) - self._render(empty, camera).color
        ys, xs = np.nonzero(np.abs(difference).max(axis=-1) > 8)
        where = f"the {'lower' if low else 'upper'} {'right' if right else 'left'}"
        require(len(xs), f"a white triangle in {where} of the view is not to be seen in `color`")
        astray = ((xs >= width / 2) != right) | ((ys >= height / 2) != low)
        require(
            not astray.any(),
            f"a triangle around pixel {pixel}, in {where} of the view, stands around "
            f"({xs.mean():.0f}, {ys.mean():.0f}) of {width} x {height} in `color` (x right, y down)",
        )

    @law("_empty_scenes", strategies.cameras())
    def test_an_empty_scene_is_the_background(self, scene: Scene, camera: Camera) -> None:
        """Where nothing is, the picture is `background` in sRGB with its alpha.

        Exposure, tone curve, fog and lights are for what is lit. The colour of what is wholly
        transparent is not judged.
        """
        color = self._render(scene, camera).color.astype(float)
        expected = np.append(staging.srgb(scene.background[:3]), 255 * scene.background[3])
        channels = slice(3, 4) if scene.background[3] == 0 else slice(0, 4)
        off = np.abs(color - expected)[..., channels].max(axis=-1)
        wrong = off > self.levels
        require(
            not wrong.any(),
            f"{wrong.sum()} of {wrong.size} pixels are off: "
            f"{staging.first_pixel(wrong, color, np.broadcast_to(expected.round(), color.shape))}, the "
            f"sRGB of linear {scene.background.tolist()} at an exposure of {scene.exposure:g}",
        )

    @law("_scenes", "_scenes", strategies.cameras(), cost=3)
    def test_the_same_scene_gives_the_same_picture(self, scene: Scene, other: Scene, camera: Camera) -> None:
        """The same scene gives the same picture, bit for bit, whatever was drawn between; an equal one too."""
        # A session of its own: what it keeps from picture to picture then depends on this example alone.
        with self._open() as session:
            first = session.render(scene, camera)
            session.render(other, camera)
            for what, again in (("the same scene", scene), ("an equal copy of it", staging.copied(scene))):
                self._compare(first, session.render(again, camera), f"{what}, drawn after another one")

    @law(
        "_movable_scenes",
        strategies.cameras(),
        st.integers(-180, 180),
        st.sampled_from((0, 1, 7, 500)),
        cost=2,
    )
    def test_moving_camera_and_world_together_changes_nothing(
        self, scene: Scene, camera: Camera, degrees: int, metres: int
    ) -> None:
        """Turning camera, actors and lights about the vertical, and moving them, changes no more than edges."""
        move = staging.movement(np.radians(degrees), (0.6 * metres, -0.3 * metres, -metres))
        here = self._render(scene, camera)
        there = self._render(staging.moved_scene(scene, move), staging.moved_camera(camera, move))
        off = np.abs(here.color.astype(int) - there.color).max(axis=-1) > self.levels
        ids = self._buffer(here, "id") != self._buffer(there, "id")
        tied = self._cast(scene, camera).tied  # surfaces in one place: rounding tells which is seen
        for name, wrong in (("color", off), ("id", ids)):
            share = float((wrong & ~tied).mean())
            require(
                share <= self.moved_share,
                f"{share:.1%} of the pixels of {name} differ after turning by {degrees} degrees and moving by "
                f"{metres} m, expected at most {self.moved_share:.0%}, those at edges",
            )

    # -- laws of geometry

    @law("_crowds", strategies.cameras(), cost=2)
    def test_the_nearer_surface_wins(self, scene: Scene, camera: Camera) -> None:
        """Of several actors at a pixel the nearest is seen, in whatever order they are listed."""
        whole = self._render(scene, camera)
        alone = [self._render(attrs.evolve(scene, actors=(actor,)), camera) for actor in scene.actors]
        depths = np.stack([self._buffer(frame, "depth") for frame in alone]).astype(float)
        ids = np.stack([self._buffer(frame, "id") for frame in alone])
        first, second = np.sort(depths, axis=0)[:2]
        nearest = depths.argmin(axis=0)[None]
        expected = np.take_along_axis(ids, nearest, axis=0)[0]
        found, depth = self._buffer(whole, "id"), self._buffer(whole, "depth")
        with np.errstate(invalid="ignore"):
            clear = np.isfinite(second) & (second - first > 1e-3 * first + first**2 * 2.0**-20 / camera.near)
            wrong = clear & ((found != expected) | (np.abs(depth - first) > 1e-3 * first))
        require(
            not wrong.any(),
            f"at {wrong.sum()} of {clear.sum()} pixels where actors overlap another than the nearest is seen; "
            f"by `id`, {staging.first_pixel(wrong, found, expected)}; by `depth`, "
            f"{staging.first_pixel(wrong, depth, first)} m",
        )

    @law("_solid_scenes", strategies.cameras(), cost=2)
    def test_ids_agree_with_geometry(self, scene: Scene, camera: Camera) -> None:
        """`id` is that of the actor which the ray through a pixel's centre meets, and 0 where it meets none."""
        met = self._cast(scene, camera)
        expected, one = met.whose()
        found = self._buffer(self._render(scene, camera), "id").astype(int)
        wrong = met.sure & one & (found != expected)  # of several actors: the_nearer_surface_wins
        require(not wrong.any(), self._astray(wrong, "`id`", found, expected))

    @law("_solid_scenes", strategies.cameras(), cost=2)
    def test_depth_is_infinite_where_nothing_is(self, scene: Scene, camera: Camera) -> None:
        """`depth` is inf where a pixel's ray meets nothing from near to far plane, and finite elsewhere."""
        met = self._cast(scene, camera)
        depth = self._buffer(self._render(scene, camera), "depth")
        expected = met.met.any(axis=0)
        wrong = met.sure & (np.isfinite(depth) != expected)
        nearest, _ = met.nearest
        require(not wrong.any(), self._astray(wrong, "`depth` (m)", depth, nearest))

    @law("_solid_scenes", strategies.cameras(), cost=2)
    def test_depth_reprojects_to_the_surface(self, scene: Scene, camera: Camera) -> None:
        """The camera's position plus depth times the pixel's ray is the point of the surface that is seen.

        Depth is in metres along the camera's axis, so the ray is a metre long along that axis.
        """
        met = self._cast(scene, camera)
        nearest, slack = met.nearest
        _, one = met.whose()
        depth = self._buffer(self._render(scene, camera), "depth").astype(float)
        judged = met.sure & one & np.isfinite(nearest) & np.isfinite(depth)
        with np.errstate(invalid="ignore"):
            wrong = judged & (np.abs(depth - nearest) > 2 * slack)
        if wrong.any():
            y, x = np.argwhere(wrong)[0]
            ray = rays(camera, self.size)[y, x]
            point, there = (camera.position + away * ray for away in (depth[y, x], nearest[y, x]))
            raise ContractError(
                f"{wrong.sum()} of {judged.sum()} pixels are off the surface; pixel ({x}, {y}) at a depth of "
                f"{depth[y, x]:.5g} m is {_vector(point)}, expected {_vector(there)} at {nearest[y, x]:.5g} m"
            )

    @law("_closed_scenes", strategies.cameras(), cost=2)
    def test_backs_are_seen_of_double_sided_surfaces_only(self, scene: Scene, camera: Camera) -> None:
        """A triangle whose corners run clockwise is drawn only if its material is double-sided.

        A pose that mirrors keeps a rigid mesh's outside outside.
        """
        met = self._cast(scene, camera)
        found = self._buffer(self._render(scene, camera), "id") > 0
        expected = met.met.any(axis=0)
        wrong = met.sure & (found != expected)
        require(not wrong.any(), self._astray(wrong, "whether something is seen", found, expected))

    @law("_skinned_scenes", strategies.cameras(), cost=2)
    def test_skinning_equals_the_reference(self, scene: Scene, camera: Camera) -> None:
        """A vertex stands where the weighed mean of pose times inverse bind matrix times vertex puts it.

        With `dual_quaternion` it stands where the blend of its bones' dual quaternions puts it, signs taken
        on the side of its heaviest bone, after the weighed mean of what they stretch.
        """
        met = self._cast(scene, camera)
        found = self._buffer(self._render(scene, camera), "id") > 0
        expected = met.met.any(axis=0)
        wrong = met.sure & (found != expected)
        require(
            not wrong.any(),
            self._astray(wrong, "whether the skinned surface is seen", found, expected),
        )

    @law("_solid_scenes", strategies.cameras(), cost=2)
    def test_alpha_is_coverage_over_a_clear_background(self, scene: Scene, camera: Camera) -> None:
        """Over a background of alpha 0, alpha is 255 on opaque surfaces and 0 beside them; edges may be soft."""
        met = self._cast(scene, camera)
        alpha = self._render(attrs.evolve(scene, background=_CLEAR), camera).color[..., 3]
        covered = met.met.any(axis=0)
        inner, outer = (staging.eroded(met.sure & held, 2) for held in (covered, ~covered))
        expected = np.where(covered, 255, 0)
        wrong = (inner | outer) & (np.abs(alpha.astype(int) - expected) > self.levels)
        require(not wrong.any(), self._astray(wrong, "alpha", alpha, expected))

    # -- laws of sessions

    @law(strategies.cameras(), cost=5)
    def test_closing_twice_is_harmless(self, camera: Camera) -> None:
        """A session may be closed twice, also one that has drawn nothing, and after `with`."""
        with self._open() as session:
            session.render(Scene(), camera)
        session.close()
        idle = self._open()
        idle.close()
        idle.close()

    @law(st.booleans(), strategies.cameras(), cost=5)
    def test_a_closed_session_draws_no_more(self, leaves: bool, camera: Camera) -> None:
        """Closed by `close` or by leaving `with`, a session that is asked to draw raises `KinetoscopeError`."""
        session = self._open()
        if leaves:
            with session as entered:
                require(entered is session, "`with session as name` gives another object than the session")
        else:
            session.close()
        try:
            session.render(Scene(), camera)
        except KinetoscopeError:
            return
        raise ContractError(
            f"a session drew a picture after {'leaving `with`' if leaves else '`close`'}, expected a KinetoscopeError"
        )

    @law(cost=5)
    def test_closing_leaves_nothing_behind(self) -> None:
        """Sessions that are closed leave no thread running and no file open."""
        self._come_and_go(2)  # what is set up once for all is not a session's
        before = _open_things()
        self._come_and_go(8)
        for name, count in _open_things().items():
            more = count - before[name]
            require(
                more < 8, f"8 sessions were opened and closed, and {more} more {name} are left, expected none"
            )

    @law("_scenes", strategies.cameras(), cost=5)
    def test_sessions_do_not_disturb_each_other(self, scene: Scene, camera: Camera) -> None:
        """Sessions that are open at once draw the same, and closing one leaves the others as they were."""
        with self._open() as one:
            first = one.render(scene, camera)
            with self._open((20, 12)) as small:
                small.render(Scene(), camera)
                with self._open() as other:
                    again = other.render(scene, camera)
                self._compare(first, again, "a second session's picture", levels=self.levels)
                last = one.render(scene, camera)
                small.render(Scene(), camera)
            self._compare(first, last, "the picture after closing another session", levels=self.levels)

    @law(st.sampled_from(_WRONG))
    def test_wrong_options_are_errors(self, wrong: tuple[str, Any, str]) -> None:
        """A size below 1, an unknown quality or buffer is a `KinetoscopeError` that names it."""
        option, value, named = wrong
        try:
            self._open(**{option: value}).close()
        except KinetoscopeError as error:
            require(named in str(error), f"the error about {option}={value!r} does not name it: {error}")
        else:
            raise ContractError(f"open took {option}={value!r}, expected a KinetoscopeError")


def _vector(point: Sequence[float] | Array) -> str:
    return "(" + ", ".join(f"{x:.4g}" for x in point) + ")"


def _open_things() -> dict[str, int]:
    """Count this process's threads, and its open files where the system lists them."""
    counts = {"threads": threading.active_count()}
    if os.path.isdir("/dev/fd"):
        counts["files"] = len(os.listdir("/dev/fd"))
    return counts
