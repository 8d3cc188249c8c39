"""The laws of the hook `compositor`, to be run on any provider of it.

    class TestMine(CompositorContract):
        provider = MyCompositor()

Needs hypothesis (extra `contracts`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import attrs
import numpy as np
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.spatial.transform import Rotation

from kinetoscope_composite.layer import Layer
from kinetoscope_spec import Cancelled, ValidationError, Video
from kinetoscope_spec.contracts import Contract, law, require, strategies

__all__ = ["CompositorContract", "Shot"]

Array = Any


@attrs.frozen(eq=False)
class Shot:
    """A plate and a layer for each of its frames."""

    plate: Video
    layers: tuple[Layer, ...]


@st.composite
def shots(draw: Any, *, kind: str = "any") -> Shot:
    """Draw a small plate and its layers: `clear` ones, `opaque` ones, or `any`."""
    plate = draw(strategies.videos())
    frames = list(plate.frames())
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    layers = []
    for frame in frames:
        size = frame.shape[:2]
        alpha = {"clear": np.zeros(size), "opaque": np.ones(size)}.get(kind)
        if alpha is None:
            alpha = random.random(size) * (random.random(size) < 0.7)
        light = random.random((*size, 3)) * alpha[..., None]
        shade = None if kind != "any" or random.random() < 0.3 else random.uniform(0.2, 1.2, size)
        layers.append(Layer(light, alpha, shade))
    return Shot(plate, tuple(layers))


class CompositorContract(Contract):
    """What callers of a compositor rely on.

    Attributes:
        turned_rad: by how much a solved camera may be off where the field of view is known.
    """

    hook: ClassVar[str] = "compositor"
    mutants: ClassVar[str | None] = "kinetoscope_composite.contract_mutants:MUTANTS"
    turned_rad: float = np.radians(0.25)

    @law(shots(kind="clear"), cost=2)
    def test_what_nothing_lies_over_stays_as_it_is(self, shot: Shot) -> None:
        """Layers that hide nothing and shade nothing leave the plate as it is, bit for bit."""
        for i, (was, now) in enumerate(zip(shot.plate.frames(), self._made(shot, seed=3), strict=True)):
            off = int((was != now).any(axis=-1).sum())
            require(off == 0, f"frame {i}: {off} pixels changed under a layer that hides nothing")

    @law(shots(kind="opaque"), cost=2)
    def test_what_hides_all_is_what_is_seen(self, shot: Shot) -> None:
        """A layer of alpha 1, with neither tint nor grain, is seen as it is, to a level."""
        for i, (layer, now) in enumerate(
            zip(shot.layers, self._made(shot, tint=0.0, grain=False), strict=True)
        ):
            self._near(now[..., :3], _levels(np.asarray(layer.light)), f"frame {i} under an opaque layer")

    @law(shots(), cost=2)
    def test_light_adds_up_as_light_does(self, shot: Shot) -> None:
        """Plate and layer are blended in linear light, and a shadow takes a part of the plate's light."""
        made = self._made(shot, tint=0.0, grain=False)
        for i, (was, layer, now) in enumerate(zip(shot.plate.frames(), shot.layers, made, strict=True)):
            shade = 1.0 if layer.shade is None else np.asarray(layer.shade)[..., None]
            below = _light(was[..., :3]) * shade * (1 - layer.alpha[..., None])
            self._near(now[..., :3], _levels(below + layer.light), f"frame {i} blended in linear light")

    @law(shots(), cost=2)
    def test_the_plate_keeps_what_it_is(self, shot: Shot) -> None:
        """Size, rate, timestamps, number of frames, channels and sound are the plate's own."""
        made = self.subject.composite(shot.plate, shot.layers)
        for name in ("width", "height", "rate", "audio"):
            there, here = getattr(shot.plate, name), getattr(made, name)
            require(here == there, f"{name} is {here}, expected the plate's {there}")
        was, now = shot.plate.timestamps, made.timestamps
        same = was is now if was is None or now is None else np.array_equal(was, now)
        require(same, "timestamps differ from the plate's")
        shapes = [frame.shape for frame in made.frames()]
        require(shapes == [frame.shape for frame in shot.plate.frames()], f"frames are {shapes}")

    @law(shots(), st.integers(0, 2**31 - 1), cost=3)
    def test_the_same_seed_gives_the_same_frames_from_any_to_any(self, shot: Shot, seed: int) -> None:
        """Frames are the same bits when they are read again, and when some of them are read."""
        made = self.subject.composite(shot.plate, shot.layers, seed=seed)
        whole = list(made.frames())
        again = list(self.subject.composite(shot.plate, shot.layers, seed=seed).frames())
        require(all(map(np.array_equal, whole, again)), f"frames differ between two calls with seed {seed}")
        start = len(whole) // 2
        part = list(made.frames(start, len(whole)))
        require(len(part) == len(whole) - start, f"{len(part)} frames were read from {start} of {len(whole)}")
        require(
            all(map(np.array_equal, whole[start:], part)), f"frames from {start} on differ when read alone"
        )

    @law(shots(), cost=2)
    def test_no_layer_is_made_that_is_not_read(self, shot: Shot) -> None:
        """Frames that are read from the middle on ask layers that can be sliced for none before."""
        layers = _Counted(shot.layers)
        count = len(shot.layers)
        for start in range(count):
            layers.made.clear()
            list(self.subject.composite(shot.plate, layers, seed=3).frames(start, start + 1))
            early = [number for number in layers.made if number < start]
            require(not early, f"layers {early} were made for frame {start}")
            require(start in layers.made, f"layer {start} was not made for frame {start}")

    @law(shots(), st.booleans())
    def test_layers_that_do_not_fit_are_an_error(self, shot: Shot, more: bool) -> None:
        """A layer too many or too few, or one of another size, is a `ValidationError`."""
        wrong = (*shot.layers, shot.layers[-1]) if more else shot.layers[:-1]
        self._refused(shot.plate, wrong, f"{len(wrong)} layers over {len(shot.layers)} frames")
        size = shot.layers[0].alpha.shape
        larger = Layer(np.zeros((size[0] + 1, size[1], 3)), np.zeros((size[0] + 1, size[1])))
        self._refused(shot.plate, (larger, *shot.layers[1:]), "a layer that is a row higher")

    @law(shots())
    def test_it_can_be_cancelled(self, shot: Shot) -> None:
        """`progress` that returns False raises `Cancelled` where frames are made."""
        made = self.subject.composite(shot.plate, shot.layers, progress=lambda *_: False)
        try:
            list(made.frames())
        except Cancelled:
            return
        require(False, "frames came to an end though progress returned False, expected Cancelled")

    @law(st.integers(0, 2**32 - 1), cost=20)
    def test_a_camera_that_turns_is_found(self, seed: int) -> None:
        """Pans, tilts and rolls of a plate are found where the field of view is known."""
        turns, view, plate = _turned(seed)
        solved = self.subject.solve(plate, field_of_view=view)
        require(len(solved) == len(turns), f"{len(solved)} rotations of {len(turns)} frames")
        off = Rotation.from_matrix(solved.rotations @ turns.transpose(0, 2, 1)).magnitude()
        told = f"frame {int(off.argmax())} is {np.degrees(off.max()):.2f} degrees off"
        require(off.max() <= self.turned_rad, f"{told}, expected {np.degrees(self.turned_rad):.2f} at most")
        require(not solved.still, "a camera that turns is called still")

    @law(st.integers(0, 2**32 - 1), cost=5)
    def test_a_camera_that_stands_still_does(self, seed: int) -> None:
        """A plate of a locked-off camera with a little noise gives no rotation at all."""
        random = np.random.default_rng(seed)
        picture = _texture(random, (120, 160))
        frames = picture + random.normal(scale=1.0, size=(5, *picture.shape, 1))[..., 0]
        plate = Video.from_frames(_three(frames), 25)
        solved = self.subject.solve(plate)
        turned = float(np.abs(solved.rotations - np.eye(3)).max())
        require(solved.still and turned == 0, f"a camera that stands still is turned by {turned:.1e}")

    def _made(self, shot: Shot, **options: Any) -> list[Array]:
        return list(self.subject.composite(shot.plate, shot.layers, **options).frames())

    def _near(self, now: Array, wanted: Array, what: str) -> None:
        off = np.abs(now.astype(float) - wanted)
        require(off.max() <= 1.0, f"{what} is off by {off.max():.1f} of 255 levels, expected 1 at most")

    def _refused(self, plate: Video, layers: Any, what: str) -> None:
        try:
            list(self.subject.composite(plate, layers).frames())
        except ValidationError:
            return
        require(False, f"{what} raised nothing, expected a ValidationError")


def _light(levels: Array) -> Array:
    share = levels / 255.0
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def _levels(light: Array) -> Array:
    light = np.clip(light, 0, 1)
    return 255.0 * np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def _three(grey: Array) -> Array:
    return np.repeat(np.rint(grey).clip(0, 255).astype(np.uint8)[..., None], 3, axis=-1)


def _texture(random: np.random.Generator, shape: tuple[int, int]) -> Array:
    whole = np.zeros(shape)
    for blur in (1.2, 3.0, 9.0):
        octave = gaussian_filter(random.normal(size=shape), blur)
        whole += octave / octave.std()
    return 128 + 30 * whole


def _turned(seed: int) -> tuple[Array, float, Video]:
    """Return rotations `[T, 3, 3]` from the first camera's axes, a field of view, and what is seen so.

    A wall far off, square to the first camera, is looked at through each rotated camera.
    """
    random = np.random.default_rng(seed)
    width, height, frames = 192, 128, 8
    view = float(np.radians(random.uniform(30, 60)))
    focal = height / 2 / np.tan(view / 2)
    end = np.radians(random.uniform(-6, 6, size=3))
    end[random.integers(2)] += np.sign(random.normal()) * np.radians(3)
    turns = Rotation.from_rotvec(np.linspace(0, 1, frames)[:, None] * end).inv().as_matrix()
    u, v = np.meshgrid(np.arange(width) + 0.5 - width / 2, height / 2 - np.arange(height) - 0.5)
    rays = np.stack([u, v, np.full_like(u, -focal)], axis=-1)
    wall = _texture(random, (6 * height, 6 * width))
    pictures = []
    for turn in turns:
        seen = rays @ turn
        x, y = (-focal * seen[..., i] / seen[..., 2] for i in range(2))
        pictures.append(
            map_coordinates(wall, [3 * height - y - 0.5, 3 * width + x - 0.5], order=1, mode="reflect")
        )
    return turns, view, Video.from_frames(_three(np.stack(pictures)), 25)


class _Counted:
    """Layers that note which of them are made."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self._layers = layers
        self.made: list[int] = []

    def __len__(self) -> int:
        return len(self._layers)

    def __iter__(self) -> Iterator[Layer]:
        return self[:]

    def __getitem__(self, part: slice) -> Iterator[Layer]:
        for number in range(*part.indices(len(self._layers))):
            self.made.append(number)
            yield self._layers[number]
