"""Pictures of a clip's features over time: contacts, speeds, trajectory and phases.

Needs Matplotlib (extra `plot`), which is imported when the first picture is drawn.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from kinetoscope_features.basic import RootTrajectory
from kinetoscope_features.body import Array, Body
from kinetoscope_features.periodic import PeriodicPhase
from kinetoscope_features.root import RootTrack, root_track
from kinetoscope_features.standing import FootContacts, FootPhase, resting_height
from kinetoscope_spec import Motion, footing, kinematics
from kinetoscope_spec.errors import ProviderUnavailable
from kinetoscope_spec.files import replacing

__all__ = ["drawn", "figures", "written"]

SIDES = ("left", "right")
COLOURS = ("tab:blue", "tab:red")
STANDING_M_S = 0.05
"""What a standing foot should keep below: drawn as a line."""


def figures() -> Any:
    """Return Matplotlib's `Figure`.

    Raises:
        ProviderUnavailable: Matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ProviderUnavailable(
            "pictures need Matplotlib: pip install 'kinetoscope-features[plot]'"
        ) from error
    return Figure


def written(figure: Any, path: Path) -> None:
    """Write a figure as PNG, whole or not at all; its folder is made."""
    held = io.BytesIO()
    figure.savefig(held, format="png", dpi=100)
    with replacing(path) as temporary:
        temporary.write_bytes(held.getvalue())


def drawn(motion: Motion) -> Any:
    """Return a Matplotlib figure of the clip: contacts, speeds, phases over time, and the way from above.

    A notebook shows it (`%matplotlib inline`); `figure.savefig("clip.png")` writes it.

    Args:
        motion: of a humanoid; rigid.

    Raises:
        ValidationError: a joint is missing.
        ProviderUnavailable: Matplotlib is not installed.
    """
    figure_class = figures()
    body = Body.of(motion.skeleton)
    positions = np.asarray(motion.global_transforms()[0], np.float64)
    feet, root = body.foot_positions(positions), root_track(body, positions, motion.framerate)
    touching = FootContacts().compute(motion).astype(bool)
    times = motion.start_time + np.arange(motion.frame_count) / motion.framerate

    figure = figure_class(figsize=(12, 8), layout="constrained")
    figure.suptitle(f"{motion.name}: {motion.frame_count} frames at {motion.framerate:g} Hz")
    panels = figure.subplot_mosaic(
        [["contacts", "way"], ["speeds", "way"], ["turn", "phase"], ["swing", "phase"]], width_ratios=(3, 2)
    )
    _contacts(panels["contacts"], times, feet, touching)
    _speeds(panels["speeds"], times, feet, touching, root, motion.framerate)
    _root(panels["turn"], times, motion)
    _swing(panels["swing"], times, body, motion)
    _way(panels["way"], feet, touching, root, motion.framerate)
    _phase(panels["phase"], times, motion)
    for name in ("contacts", "speeds", "turn"):
        panels[name].sharex(panels["swing"])
        panels[name].tick_params(labelbottom=False)
    for name in ("phase", "swing"):
        panels[name].set_xlabel("s")
    return figure


def _named(axes: Any) -> None:
    """Say which line is what, above the panel, where it hides none."""
    axes.legend(
        frameon=False,
        loc="lower right",
        bbox_to_anchor=(1.0, 0.97),
        ncols=3,
        fontsize="small",
        borderaxespad=0,
    )


def _contacts(axes: Any, times: Array, feet: Array, touching: Array) -> None:
    ground = resting_height(feet)
    step = times[1] - times[0] if len(times) > 1 else 1.0
    for foot, (side, colour) in enumerate(zip(SIDES, COLOURS, strict=True)):
        axes.plot(times, 100 * (feet[:, foot, 1] - ground[foot]), color=colour, label=side, lw=1)
        bars = [(times[a] - step / 2, (b - a) * step) for a, b in footing.runs(touching[:, foot])]
        axes.broken_barh(bars, (-4.0 - 3 * foot, 2.5), color=colour)
    axes.set(ylabel="toes above rest, cm\nbars: in contact")
    _named(axes)


def _speeds(axes: Any, times: Array, feet: Array, touching: Array, root: RootTrack, framerate: float) -> None:
    speeds = np.linalg.norm(kinematics.velocities(feet, framerate), axis=-1)
    for foot, colour in enumerate(COLOURS):
        axes.plot(times, speeds[:, foot], color=colour, lw=0.6, alpha=0.5)
        standing = np.where(touching[:, foot], speeds[:, foot], np.nan)
        axes.plot(times, standing, color=colour, lw=2.5)
    way = np.linalg.norm(kinematics.velocities(root.ground, framerate), axis=-1)
    axes.plot(times, way, color="black", lw=1, label="root")
    axes.axhline(STANDING_M_S, color="grey", ls=":", lw=1)
    low = speeds[touching]
    said = (
        f"in contact: {100 * np.quantile(low, 0.6827):.1f} cm/s at 1 sigma"
        if len(low)
        else "never in contact"
    )
    axes.set_title(said, loc="left", fontsize="small")
    axes.set(ylabel="speed, m/s\nthick: in contact", ylim=(0, None))
    _named(axes)


def _root(axes: Any, times: Array, motion: Motion) -> None:
    feature = RootTrajectory()
    rows, schema = feature.compute(motion), feature.schema(motion.skeleton)
    for component, style in (("x", "--"), ("z", "-")):
        (column,) = schema.where("root_velocity", component=component)
        axes.plot(times, rows[:, column], style, color="black", lw=1, label=f"velocity {component}")
    (turn,) = schema.where("root_turn_rate")
    axes.plot(times, rows[:, turn], color="tab:green", lw=1, label="turn rate")
    axes.set(ylabel="root, m/s and rad/s")
    _named(axes)


def _swing(axes: Any, times: Array, body: Body, motion: Motion) -> None:
    rows = PeriodicPhase().compute(motion)
    for foot, (side, colour) in enumerate(zip(SIDES, COLOURS, strict=True)):
        sine, _, frequency = rows[:, 3 * foot : 3 * foot + 3].T
        axes.plot(times, sine, color=colour, lw=1, label=f"{side}, {np.median(frequency):.2f} Hz")
    axes.set(ylabel="periodic phase of toes\na sin, leg lengths")
    _named(axes)


def _phase(axes: Any, times: Array, motion: Motion) -> None:
    rows = FootPhase().compute(motion)
    for foot, (side, colour) in enumerate(zip(SIDES, COLOURS, strict=True)):
        sine, cosine = rows[:, 2 * foot], rows[:, 2 * foot + 1]
        known = np.hypot(sine, cosine) > 0.5
        phase = np.where(known, np.arctan2(sine, cosine) % (2 * np.pi), np.nan)
        axes.plot(times, phase, ".", ms=3, color=colour, label=side)
    axes.axhline(np.pi, color="grey", ls=":", lw=1)
    axes.set(ylabel="foot phase, rad (below pi: standing)", ylim=(0, 2 * np.pi))
    _named(axes)


def _way(axes: Any, feet: Array, touching: Array, root: RootTrack, framerate: float) -> None:
    """The ground as seen from above: +X to the left, +Z up, as one sees it who faces +Z."""
    axes.plot(*root.ground.T, color="black", lw=1)
    every = slice(None, None, max(round(framerate / 4), 1))
    axes.quiver(
        *root.ground[every].T,
        np.sin(root.yaw[every]),
        np.cos(root.yaw[every]),
        angles="xy",  # the x axis runs to the left, and arrows with it
        color="tab:green",
        width=0.004,
    )
    for foot, colour in enumerate(COLOURS):
        steps = [feet[a:b, foot].mean(axis=0) for a, b in footing.runs(touching[:, foot])]
        if steps:
            x, _, z = np.transpose(steps)
            axes.plot(x, z, "o", color=colour, ms=5)
    axes.set(xlabel="x, m", ylabel="z, m", title="the way: root, facing, where feet stood")
    axes.set_aspect("equal", adjustable="datalim")
    axes.invert_xaxis()
