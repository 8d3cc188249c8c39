"""What a compositor takes and gives."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, runtime_checkable

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_composite.layer import Layer
from kinetoscope_spec import Camera, Mask, Progress, ValidationError, Video, rotation

__all__ = ["CameraSolve", "Compositor"]

Array = NDArray[Any]


@attrs.frozen(eq=False)
class CameraSolve:
    """How a plate's camera turned, and how wide it sees.

    Attributes:
        rotations: `[T, 3, 3]`, from the axes of the first frame's camera (x right, y up, -z ahead) to
            those of frame t's; the first is the identity.
        field_of_view: vertical, rad.
        measured: the field of view was found in the plate; if not, it was given or is a guess.
        still: the camera did not move at all.
        error_px: root mean square of what a turning camera does not explain, pixels of the plate.
        parallax: the camera did more than turn: things near and far moved against each other.
    """

    rotations: Array
    field_of_view: float
    measured: bool
    still: bool
    error_px: float
    parallax: bool

    def __len__(self) -> int:
        return len(self.rotations)

    def camera(
        self, frame: int, *, height_m: float = 1.6, pitch: float = 0.0, roll: float = 0.0, **kwargs: Any
    ) -> Camera:
        """Return the camera of a frame, above the world's origin; the first frame's looks along +Z.

        Args:
            frame: which; negative ones count from the end.
            height_m: of the camera over the ground.
            pitch: rad, by which the first frame looks down.
            roll: rad, by which the first frame leans to its right.
            kwargs: `near` and `far` of `Camera`.

        Raises:
            ValidationError: there is no such frame.
        """
        if not -len(self) <= frame < len(self):
            raise ValidationError(f"frame {frame} of a solve of {len(self)} frames")
        # The first camera's axes in the world: right is -X, as it looks along +Z with Y up.
        leaning = rotation.from_rotation_vector(np.array([[-pitch, 0.0, 0.0], [0.0, 0.0, -roll]]))
        down, sideways = rotation.to_matrix(leaning)
        axes = np.diag([-1.0, 1.0, -1.0]) @ down @ sideways @ self.rotations[frame].T
        position = np.array([0.0, height_m, 0.0])
        return Camera(position, position - axes[:, 2], axes[:, 1], self.field_of_view, **kwargs)


@runtime_checkable
class Compositor(Protocol):
    """Puts pictures over plates, and finds the camera that saw one.

    Where a layer hides nothing and shades nothing, the plate stays as it is, bit for bit. The plate is
    only read; size, rate, timestamps, frame count and sound of the result are the plate's. Frames are
    made as they are read, and can be read again, from any to any. The same seed gives the same frames.
    """

    def solve(
        self,
        plate: Video,
        *,
        mask: Mask | None = None,
        field_of_view: float | None = None,
        progress: Progress | None = None,
    ) -> CameraSolve:
        """Find how the plate's camera turned; what `mask` covers (above 0) is not looked at.

        Args:
            plate: the film; its frames are read once.
            mask: what moves by itself.
            field_of_view: vertical, rad, where it is known.
            progress: told after each frame.

        Raises:
            ValidationError: no frame, a mask of another size or length, a field of view out of range, or
                a frame in which nothing can be followed; names it.
            Cancelled: `progress` returned False.
        """
        ...

    def composite(
        self,
        plate: Video,
        layers: Iterable[Layer],
        *,
        tint: float = 0.5,
        grain: bool = True,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Video:
        """Return the plate with a layer over each frame.

        Args:
            plate: the film below.
            layers: one for each frame, in order; made anew for every reading where they are a sequence or
                another thing that can be gone through again. Where they can be sliced (`layers[8:]` is
                gone through from the ninth on), frames read from the middle on ask for no layer before.
            tint: how much of the plate's colour of light the layers take on, 0 to 1.
            grain: whether layers get the plate's noise.
            seed: of the noise.
            progress: told as frames are made.

        Raises:
            ValidationError: a layer of another size, or more or fewer layers than frames; raised where
                frames are made.
            Cancelled: `progress` returned False; raised where frames are made.
        """
        ...
