"""Levels of detail: which of a mesh's levels a frame shows, and where they are kept."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Sequence
from pathlib import Path

import attrs
import numpy as np
import platformdirs
from numpy.typing import NDArray

from kinetoscope_deferred.meshes import corner_normals
from kinetoscope_spec import detail, kinematics
from kinetoscope_spec.character import Mesh
from kinetoscope_spec.scene import Camera

__all__ = ["FACES_A_PIXEL", "Sight", "fitting", "levels"]

Array = NDArray[np.float64]

FACES_A_PIXEL = 2.0
"""A picture of no more triangles than this is drawn in full: what it shows is then what rays would meet."""

_LOG = logging.getLogger("kinetoscope.deferred")
_LOG.addHandler(logging.NullHandler())  # nothing is printed unless the application sets logging up


def levels(mesh: Mesh) -> tuple[detail.Level, ...]:
    """Return coarser meshes than `mesh`, the finest first; kept below `KINETOSCOPE_HOME` by what it is made of."""
    normals = mesh.normals
    if normals is None:
        normals = corner_normals(mesh, np.asarray(kinematics.morphed_vertices(mesh), np.float64))
    try:
        return detail.levels(mesh, np.asarray(normals), folder=_folder())
    except ImportError as error:
        _say_once(str(error))
        return ()


def fitting(errors: Sequence[float], draw_corners: Array, rows: Array, view: Sight) -> int:
    """Return how many levels down a mesh may be shown: off by as many pixels as may be where it is nearest.

    Args:
        errors: of the levels, m, in the rest pose.
        draw_corners: `[N, 3]` m of boxes that hold it, relative to the camera.
        rows: `[B, 3, 4]`, its bones, which may make it larger than it is at rest.
        view: who looks.
    """
    nearest = float((draw_corners @ view.ahead).min())
    if nearest <= view.camera.near:
        return 0
    metre_px = view.height / (2 * np.tan(view.camera.field_of_view / 2) * nearest)
    scale = float(np.linalg.norm(rows[:, :, :3], axis=1).max())
    return sum(error * scale * metre_px <= view.most_px for error in errors)


@attrs.frozen(eq=False)
class Sight:
    """A camera, the direction `[3]` it looks in, the height of its picture and how far meshes may be off, pixels."""

    camera: Camera
    ahead: Array
    height: int
    most_px: float


def _folder() -> Path:
    home = os.environ.get("KINETOSCOPE_HOME")
    base = (
        Path(home).expanduser() if home else Path(platformdirs.user_data_dir("kinetoscope", appauthor=False))
    )
    return base / "cache" / "detail"


@functools.cache
def _say_once(error: str) -> None:
    _LOG.warning("crowds are drawn in full detail: %s", error)
