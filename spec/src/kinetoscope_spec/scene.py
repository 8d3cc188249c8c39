"""What a renderer draws, and what it returns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np

from kinetoscope_spec import kinematics
from kinetoscope_spec._arrays import Array, in_range, shaped
from kinetoscope_spec._value import Value, as_tuple, frozen_mapping
from kinetoscope_spec.character import Character
from kinetoscope_spec.environment import Environment
from kinetoscope_spec.errors import ValidationError
from kinetoscope_spec.motion import Motion

__all__ = ["Actor", "Camera", "Frame", "Ground", "Light", "Scene"]


def _numbers(given: Any) -> Array:
    """Let type checkers accept tuples and lists: `_shape_vectors` makes arrays of them."""
    vector: Array = given
    return vector


def _shape_vectors(instance: Any, **lengths: int) -> None:
    """Check and freeze attributes of `instance` that hold vectors of these lengths."""
    owner = type(instance).__name__
    for name, length in lengths.items():
        vector = shaped(owner, name, getattr(instance, name), [length], np.float64)
        object.__setattr__(instance, name, vector)


@attrs.frozen(eq=False, repr=False)
class Camera(Value):
    """A pinhole camera that looks from `position` to `target`.

    Attributes:
        position, target, up: `[3]` m (`up` a direction), in the world.
        field_of_view: vertical, radians, above 0 and below pi.
        near, far: distances of the clipping planes, m.
    """

    position: Array = attrs.field(converter=_numbers)
    target: Array = attrs.field(converter=_numbers)
    up: Array = attrs.field(factory=lambda: np.array([0.0, 1.0, 0.0]), converter=_numbers)
    field_of_view: float = np.radians(45.0)
    near: float = 0.05
    far: float = 200.0

    def __attrs_post_init__(self) -> None:
        _shape_vectors(self, position=3, target=3, up=3)
        if not 0 < self.field_of_view < np.pi:
            raise ValidationError(
                f"Camera.field_of_view is {self.field_of_view} rad, expected above 0 and below pi"
            )
        if not 0 < self.near < self.far < np.inf:
            raise ValidationError(
                f"Camera.near and far are {self.near} and {self.far} m, expected 0 < near < far"
            )
        if np.linalg.norm(np.cross(self.target - self.position, self.up)) < 1e-9:
            raise ValidationError("Camera.target lies at the camera's position or straight along up")

    def view_matrix(self) -> Array:
        """Return the `[4, 4]` matrix from world to camera space (x right, y up, -z ahead)."""
        ahead = self.target - self.position
        ahead = ahead / np.linalg.norm(ahead)
        right = np.cross(ahead, self.up)
        right = right / np.linalg.norm(right)
        view = np.eye(4)
        view[:3, :3] = right, np.cross(right, ahead), -ahead
        view[:3, 3] = -view[:3, :3] @ self.position
        return view

    def projection_matrix(self, aspect: float) -> Array:
        """Return the `[4, 4]` perspective matrix to OpenGL clip space; `aspect` is width/height."""
        f = 1.0 / np.tan(0.5 * self.field_of_view)
        near, far = self.near, self.far
        matrix = np.zeros((4, 4))
        matrix[0, 0], matrix[1, 1] = f / aspect, f
        matrix[2, 2], matrix[2, 3] = (far + near) / (near - far), 2 * far * near / (near - far)
        matrix[3, 2] = -1.0
        return matrix

    def project(self, points: Array, size: tuple[int, int]) -> Array:
        """Return pixels and depth `[..., 3]` (x right, y down, metres ahead) of world `points [..., 3]`.

        `size` is (width, height); the centre of the top left pixel is (0.5, 0.5).
        """
        width, height = size
        homogeneous = np.concatenate([points, np.ones_like(points[..., :1])], axis=-1)
        seen = homogeneous @ self.view_matrix().T
        clip = seen @ self.projection_matrix(width / height).T
        ndc = clip[..., :2] / clip[..., 3:]
        return np.stack(
            [(ndc[..., 0] + 1) * 0.5 * width, (1 - ndc[..., 1]) * 0.5 * height, -seen[..., 2]], axis=-1
        )


@attrs.frozen(eq=False, repr=False)
class Light(Value):
    """A light: the `sun` (parallel), a `point` or a `spot`.

    Attributes:
        kind: `sun`, `point` or `spot`.
        color: linear RGB `[3]`, 0 and up.
        intensity: sun: irradiance in W/m² at a surface that faces it; point and spot: radiant
            intensity in W/sr, falling with the square of the distance.
        direction: `[3]`, where a sun or spot shines to.
        position: `[3]` m, of a point or spot.
        radius: m, the distance at which a point or spot has faded to nothing.
        angles: radians from the axis at which a spot begins and ends to fade.
        shadow: casts shadows.
    """

    kind: str = attrs.field(default="sun", validator=attrs.validators.in_(("sun", "point", "spot")))
    color: Array = attrs.field(factory=lambda: np.ones(3), converter=_numbers)
    intensity: float = 3.0
    direction: Array = attrs.field(factory=lambda: np.array([-0.4, -1.0, -0.35]), converter=_numbers)
    position: Array = attrs.field(factory=lambda: np.zeros(3), converter=_numbers)
    radius: float = 10.0
    angles: tuple[float, float] = (np.radians(20.0), np.radians(30.0))
    shadow: bool = True

    def __attrs_post_init__(self) -> None:
        _shape_vectors(self, color=3, direction=3, position=3)
        in_range("Light.color", self.color, 0, np.inf)
        if self.intensity < 0 or self.radius <= 0:
            raise ValidationError("Light.intensity must not be below 0, and Light.radius must be above 0")
        if self.kind != "point" and np.linalg.norm(self.direction) < 1e-9:
            raise ValidationError("Light.direction has no length")


@attrs.frozen(eq=False, repr=False)
class Ground(Value):
    """An endless floor with a grid.

    Attributes:
        height: m.
        color, line_color: linear RGB `[3]`, 0 to 1.
        spacing: m between lines; 0 for none.
    """

    height: float = 0.0
    color: Array = attrs.field(factory=lambda: np.full(3, 0.32), converter=_numbers)
    line_color: Array = attrs.field(factory=lambda: np.full(3, 0.16), converter=_numbers)
    spacing: float = 1.0

    def __attrs_post_init__(self) -> None:
        _shape_vectors(self, color=3, line_color=3)


@attrs.frozen(eq=False, repr=False)
class Actor(Value):
    """A character in one pose.

    Attributes:
        character: what is drawn. Renderers keep its meshes on the device as long as the same
            object comes back: make it once, evolve the pose.
        pose: global matrices `[J, 4, 4]` of the skeleton's nodes.
        id: what stands in the `id` buffer, 1 to 65,535; 0 is the background.
        previous_pose: the pose one frame before, for motion vectors, or None.
    """

    character: Character
    pose: Array
    id: int = attrs.field(default=1, validator=attrs.validators.in_(range(1, 65536)))
    previous_pose: Array | None = None

    def __attrs_post_init__(self) -> None:
        size = {"J": len(self.character.skeleton)}
        for name in ("pose", "previous_pose"):
            if getattr(self, name) is not None:
                object.__setattr__(
                    self, name, shaped("Actor", name, getattr(self, name), ["J", 4, 4], sizes=size)
                )

    @classmethod
    def at(cls, character: Character, motion: Motion, frame: int, **kwargs: Any) -> Actor:
        """Pose `character` as frame `frame` of `motion`, whose skeleton has the same joints."""
        motion = motion.slice(frame, frame + 1)
        return cls(
            character,
            kinematics.global_matrices(
                motion.skeleton.parents, motion.positions, motion.rotations, motion.scales
            )[0],
            **kwargs,
        )


@attrs.frozen(eq=False, repr=False)
class Scene(Value):
    """Everything that is in front of the camera at one instant.

    Attributes:
        actors: posed characters; ids unique.
        lights: lights.
        ground: the floor, or None.
        sky, earth: linear RGB `[3]` radiance from above and below (hemispheric ambient light).
        environment: light from all around instead of sky and earth, or None; it stands behind everything where
            it is `seen`.
        background: linear RGBA `[4]` where nothing is, nor a seen environment; alpha 0 composites over a plate.
        exposure: factor on light before tone mapping.
        tone: the curve from light to the picture: `aces` (Narkowicz's fit, 2015: contrast, whites that pale) or
            `neutral` (Khronos PBR Neutral, 2024: what is not bright keeps the colour of its material).
        fog: (linear RGB `[3]`, density 1/m), both 0 and up, or None.
        annotations: debug drawing by kind (`trajectory`, `bones`, `contacts`, `velocities`, `axes`, `text`, as
            `kinetoscope_spec.annotations` describes them, and `kinetoscope_spec.ghosts`), for renderers that
            know it; others leave it out.
    """

    actors: tuple[Actor, ...] = attrs.field(default=(), converter=as_tuple)
    lights: tuple[Light, ...] = attrs.field(factory=lambda: (Light(),), converter=as_tuple)
    ground: Ground | None = None
    sky: Array = attrs.field(factory=lambda: np.array([0.42, 0.47, 0.55]), converter=_numbers)
    earth: Array = attrs.field(factory=lambda: np.array([0.16, 0.15, 0.14]), converter=_numbers)
    environment: Environment | None = None
    background: Array = attrs.field(factory=lambda: np.array([0.55, 0.60, 0.68, 1.0]), converter=_numbers)
    exposure: float = 1.0
    tone: str = attrs.field(default="aces", validator=attrs.validators.in_(("aces", "neutral")))
    fog: tuple[Any, float] | None = None
    annotations: Mapping[str, Any] = attrs.field(factory=dict, converter=frozen_mapping)

    def __attrs_post_init__(self) -> None:
        _shape_vectors(self, sky=3, earth=3, background=4)
        ids = [actor.id for actor in self.actors]
        if len(set(ids)) < len(ids):
            raise ValidationError(f"Scene.actors have ids {ids}, expected each id once")
        if not 0 <= self.exposure < np.inf:
            raise ValidationError(f"Scene.exposure is {self.exposure}, expected a number, 0 and up")
        if self.fog is not None:
            object.__setattr__(self, "fog", _fog(self.fog))


def _fog(given: Any) -> tuple[Array, float]:
    """Return colour and density, or say what is wrong with them."""
    try:
        color, density = given
        density = float(density)
    except (TypeError, ValueError):
        raise ValidationError(f"Scene.fog is {given!r}, expected a colour and a density") from None
    if not 0 <= density < np.inf:
        raise ValidationError(f"Scene.fog has a density of {density} 1/m, expected a number, 0 and up")
    held = shaped("Scene", "fog[0]", color, [3], np.float64)
    return in_range("Scene.fog[0]", held, 0, np.inf), density


@attrs.frozen(eq=False, repr=False)
class Frame(Value):
    """One rendered picture.

    Attributes:
        color: sRGB `uint8 [H, W, 4]`, top row first, alpha not premultiplied.
        buffers: what the picture was made from, `[H, W, ...]`, top row first, as far as it was
            asked for: `depth` (float32 m along the camera's axis, inf where nothing is), `normal`
            (float32 world, 3), `albedo` (float32 linear, 3), `material` (float32 roughness,
            metallic, emissive), `motion` (float32 pixels since the frame before, 2), `id`
            (uint16), `hdr` (float32 linear, 3), `final` (the same as `color`). What is blended is in
            `hdr` and `final` alone: the others hold what is behind it.
        work: counts of what was done, by pass (`lighting.pixels`, ...), for tests.
    """

    color: Array
    buffers: Mapping[str, Array] = attrs.field(factory=dict, converter=frozen_mapping)
    work: Mapping[str, int] = attrs.field(factory=dict, converter=frozen_mapping)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "color", shaped("Frame", "color", self.color, ["H", "W", 4], np.uint8))

    def _repr_png_(self) -> bytes:
        """Show the picture in a notebook."""
        from kinetoscope_spec.display import png

        return png(self.color)
