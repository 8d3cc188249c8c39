"""What an evaluation found, as a table and as curves."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from kinetoscope.evaluation.rollout import STILL
from kinetoscope_spec.errors import ProviderUnavailable

__all__ = ["curves", "difference_rows", "drawing", "error_rows", "figure_rows", "markdown"]

_FIGURES = {
    "skate_cm_s": ("skate cm/s", "{:.2f}"),
    "skate_planted_cm_s": ("planted", "{:.2f}"),
    "penetration_cm": ("penetration cm", "{:.2f}"),
    "outside_limits_share": ("outside limits", "{:.2%}"),
    "path_error_m": ("path error m", "{:.3f}"),
    "frechet_m2": ("Frechet m2", "{:.3f}"),
}
Rows = tuple[tuple[str, ...], list[tuple[str, ...]]]


def error_rows(found: Mapping[str, Any]) -> Rows:
    """Return headers and rows: each method's errors at each horizon, with 95 % intervals."""
    rows = [(*key, *map(_cell, errors)) for key, errors in _errors(found)]
    return ("method", "frames", "position m", "rotation", "NPSS"), rows


def difference_rows(found: Mapping[str, Any]) -> Rows:
    """Return headers and rows: how much more than zero velocity each method errs, window by window.

    Below 0 is better; an interval that is all below 0 is surely so.
    """
    rows = [
        (*key, *(_cell(error["less_still"], sign="+") for error in errors))
        for key, errors in _errors(found)
        if key[0] != STILL
    ]
    return ("less zero velocity", "frames", "position m", "rotation", "NPSS"), rows


def _errors(found: Mapping[str, Any]) -> list[tuple[tuple[str, str], list[Mapping[str, Any]]]]:
    """Return method and horizon, and the three errors there, by horizon."""
    told = [
        ((name, horizon), [errors[key] for key in ("position_m", "rotation", "npss")])
        for name, method in found["methods"].items()
        for horizon, errors in method.get("errors", {}).items()
    ]
    return sorted(told, key=lambda row: int(row[0][1]))


def _cell(error: Mapping[str, float], sign: str = "") -> str:
    value, low, high = (f"{error[key]:{sign}.3f}" for key in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def figure_rows(found: Mapping[str, Any]) -> Rows:
    """Return headers and rows: each method's figures that belong to no horizon."""
    rows = [
        (
            name,
            *(form.format(told["figures"][key]) for key, (_, form) in _FIGURES.items()),
            f"{told['diversity_m']:.3f}" if "diversity_m" in told else "",
        )
        for name, told in found["methods"].items()
        if "figures" in told
    ]
    return ("method", *(header for header, _ in _FIGURES.values()), "diversity m"), rows


def markdown(found: Mapping[str, Any]) -> str:
    """Return a page with all tables."""
    parts = [
        f"{found['windows']} windows of {found['clips']} clips at {found['framerate']:g} Hz; "
        f"{found['clips_too_short']} clips are too short. In brackets 95 % intervals "
        "over clips, and of several trainings over these as well."
    ]
    for headers, rows in (error_rows(found), difference_rows(found), figure_rows(found)):
        lines = [headers, tuple("---" for _ in headers), *rows]
        parts.append("\n".join("| " + " | ".join(line) + " |" for line in lines))
    return "# Evaluation\n\n" + "\n\n".join(parts) + "\n"


def drawing() -> Any:
    """Return Matplotlib's `Figure`.

    Raises:
        ProviderUnavailable: Matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ProviderUnavailable("curves need Matplotlib: pip install 'kinetoscope[plot]'") from error
    return Figure


def curves(found: Mapping[str, Any]) -> bytes:
    """Return a PNG of the errors frame by frame.

    Raises:
        ProviderUnavailable: Matplotlib is not installed.
    """
    figure = drawing()(figsize=(11, 4.2), layout="constrained")
    kinds = (("position_m", "position error, m a joint"), ("rotation", "rotation error"))
    for axes, (kind, label) in zip(figure.subplots(1, 2), kinds, strict=True):
        for name, told in found["methods"].items():
            if "curves" in told:
                values = told["curves"][kind]
                axes.plot(range(1, len(values) + 1), values, label=name)
        axes.set(xlabel=f"frames ahead, {found['framerate']:g} a second", ylabel=label, ylim=(0, None))
        axes.grid(alpha=0.3)
    figure.axes[0].legend()
    held = io.BytesIO()
    figure.savefig(held, format="png", dpi=100)
    return held.getvalue()
