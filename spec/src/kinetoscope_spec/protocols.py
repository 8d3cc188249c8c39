"""The protocols of the seven hooks: what a provider's class must have.

Each protocol's docstring states what callers rely on; the laws that are tested stand in
`kinetoscope_spec.contracts`. Options are keyword-only.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol, runtime_checkable

import attrs
import numpy as np

from kinetoscope_spec._arrays import Array, shaped
from kinetoscope_spec._value import Value
from kinetoscope_spec.character import Asset
from kinetoscope_spec.detection import Detection
from kinetoscope_spec.learning import FeatureSchema, TrainingSet
from kinetoscope_spec.motion import Motion, Skeleton
from kinetoscope_spec.scene import Camera, Frame, Scene
from kinetoscope_spec.video import Mask, Video
from kinetoscope_spec.voice import Audio, Script, VoiceInfo

__all__ = [
    "ArrayFeature",
    "Control",
    "Detector",
    "Feature",
    "Fitted",
    "Importer",
    "Inpainter",
    "Locomotion",
    "MirroredFeature",
    "Model",
    "Progress",
    "Renderer",
    "Session",
    "Voice",
]

Progress = Callable[[int, int, str], bool | None]
"""`progress(done, total, message)`, called from the thread that works; False raises `Cancelled`."""


@runtime_checkable
class Importer(Protocol):
    """Reads files of some formats into assets; may write them too.

    Reading is deterministic and leaves the file alone. Whatever the bytes, it ends in a valid
    `Asset` or a `FormatError`, in time and memory bounded by the file's size.
    """

    def read(self, path: str | Path) -> Asset:
        """Read the file at `path`.

        Options of an importer's own (`unit=`, `max_bytes=`) are keyword-only and have defaults.

        Raises:
            FormatError: the file is not what it should be; names file and place.
            OSError: it can't be read: missing, a directory, no permission.
        """
        ...


@runtime_checkable
class Feature(Protocol):
    """Computes rows of numbers from motion. Deterministic; a batch equals its frames."""

    def schema(self, skeleton: Skeleton) -> FeatureSchema:
        """Return the meaning of the D columns for motions of `skeleton`."""
        ...

    def compute(self, motion: Motion, frames: Sequence[int] | Array | None = None) -> Array:
        """Return `[N, D]` for the N `frames` asked for; None is all of them."""
        ...


@runtime_checkable
class ArrayFeature(Feature, Protocol):
    """A feature that computes on arrays of any library: NumPy, PyTorch (which differentiates it), JAX."""

    def rows(self, skeleton: Skeleton, positions: Any, rotations: Any, framerate: float) -> Any:
        """Return the rows `[T, D]` of all frames, in the library, dtype and device of the arrays.

        Args:
            skeleton: whose motion it is.
            positions: `[T, J, 3]` m, relative to the parent.
            rotations: `[T, J, 4]` unit quaternions xyzw, relative to the parent.
            framerate: frames per second.
        """
        ...


@runtime_checkable
class MirroredFeature(Feature, Protocol):
    """A feature that knows what its rows become when the motion is mirrored."""

    def mirrored(self, rows: Array, skeleton: Skeleton) -> Array:
        """Return the rows `[N, D]` of the motion that `rows [N, D]` are of, mirrored on the plane x = 0.

        Left and right joints change places, and each is turned out of its rest pose by the mirror image
        of its partner's turn. The rest pose of `skeleton` is its own mirror image.
        """
        ...


@attrs.frozen(eq=False, repr=False)
class Control(Value):
    """Where a character is to go: its root's trajectory on the ground, seen from now.

    Attributes:
        times: `[K]` s from now, increasing, above 0.
        positions: `[K, 2]` m, world x and z.
        directions: `[K, 2]` unit vectors, world x and z, where it is to face.
        style: a label that the training set knows, or None.
    """

    times: Array
    positions: Array
    directions: Array
    style: str | None = None

    def __attrs_post_init__(self) -> None:
        size: dict[str, int] = {}
        shapes: dict[str, list[int | str]] = {"times": ["K"], "positions": ["K", 2], "directions": ["K", 2]}
        for name, shape in shapes.items():
            object.__setattr__(
                self, name, shaped("Control", name, getattr(self, name), shape, np.float64, sizes=size)
            )


@runtime_checkable
class Locomotion(Feature, Protocol):
    """A feature that can be learned and played: windows in, the next frames out.

    It owns both directions of one representation, so that a model needs to know only rows:

        state = feature.start(seed)
        while feature.frame_count(state) < wanted:
            rows = fitted.predict(feature.inputs(state, control))
            state = feature.advance(state, rows)
        motion = feature.motion(state)

    It may have `crowd_inputs(states, controls) -> [C, X]` and `crowd_advance(states, outputs) -> list` of
    states besides: what `inputs` and `advance` do, for many characters of one skeleton at once.
    """

    def configured(self, **options: Any) -> Locomotion:
        """Return a new feature with these options; this one stays as it is.

        Raises:
            ValidationError: an unknown option (naming the nearest) or a value out of range.
        """
        ...

    def restored(self, record: Mapping[str, Any]) -> Locomotion:
        """Return a new feature as it was when it made the training set with this `metadata`."""
        ...

    def training_set(self, motions: Sequence[Motion], *, progress: Progress | None = None) -> TrainingSet:
        """Return rows of (what is known now and wanted next, what came next) from all `motions`.

        The set's `metadata` holds, as JSON values, all that `restored` needs.
        """
        ...

    def start(self, seed: Motion) -> Any:
        """Return the state of a character that has just moved as `seed` did."""
        ...

    def inputs(self, state: Any, control: Control) -> Array:
        """Return the model's input `[1, X]` in this state under this control."""
        ...

    def advance(self, state: Any, outputs: Array) -> Any:
        """Return the state after the frames that `outputs [1, Y]` describe have been played."""
        ...

    def root(self, state: Any) -> tuple[Array, Array]:
        """Return the ground position `[2]` m and facing `[2]` of the character now (world x, z)."""
        ...

    def frame_count(self, state: Any) -> int:
        """Return how many frames have been played since the seed's last."""
        ...

    def motion(self, state: Any) -> Motion:
        """Return what has been played since the seed's last frame."""
        ...


@runtime_checkable
class Fitted(Protocol):
    """A trained model. Prediction of a batch equals prediction of its rows."""

    def predict(self, inputs: Array, *, seed: int | None = None) -> Array:
        """Return outputs `[N, Y]` for `inputs [N, X]`, both in the units of their schemas.

        `seed` draws a sample where the model has several answers; None is the likeliest one.
        """
        ...

    def save(self, path: str | Path) -> None:
        """Write the checkpoint: safetensors and JSON, nothing that could run."""
        ...

    def export_onnx(self, path: str | Path) -> None:
        """Write an ONNX file whose output equals `predict`'s to 1e-5."""
        ...


@runtime_checkable
class Model(Protocol):
    """Learns outputs from inputs. The same seed gives the same weights."""

    def fit(
        self, dataset: TrainingSet, *, seed: int = 0, budget: Any = None, progress: Progress | None = None
    ) -> Fitted:
        """Train on `dataset`; `budget` is seconds, or `{"epochs": n}`, or `{"steps": n}`."""
        ...

    def load(self, path: str | Path) -> Fitted:
        """Read a checkpoint; never runs code from it.

        Raises:
            FormatError: it is not one.
        """
        ...


@runtime_checkable
class Session(Protocol):
    """An open renderer; closing twice is harmless, leaving `with` closes.

    Sessions that are open at once do not disturb each other; each belongs to the thread that opened it.

    An attribute `history` says to how many pictures before it a picture looks back, as one that is smoothed
    over time does; without it, to none. Films of such sessions are drawn in ranges of frames whose bounds
    the film's length decides alone, each by a session of its own that begins so many frames early: the same
    bytes wherever a range is drawn.

    An attribute `watch`, of sessions that have one, tells what each pass of a picture takes, and costs nothing
    as long as it is None (`kinetoscope_spec.rendering`).
    """

    def render(self, scene: Scene, camera: Camera) -> Frame:
        """Draw one picture.

        Raises:
            KinetoscopeError: the session is closed.
        """
        ...

    def close(self) -> None:
        """Free the context, and all that was opened or started with it."""
        ...

    def __enter__(self) -> Session: ...

    def __exit__(self, *exc: object) -> None: ...


@runtime_checkable
class Renderer(Protocol):
    """Draws scenes. The same scene gives the same picture, whatever was drawn before.

    A pixel shows the nearest surface that the ray through its centre meets between the near and the
    far plane; of a triangle whose corners run clockwise, only if its material is double-sided. Where
    nothing is met the picture is `Scene.background` in sRGB, with its alpha, whatever the exposure
    and the tone curve. A vertex follows at least eight bones. Morphs stay at rest: an actor has no
    weights for them. Turning the world about the vertical or moving it, with its lights and the camera,
    changes edges at most.
    """

    def open(self, size: tuple[int, int], quality: str = "medium", *, buffers: Sequence[str] = ()) -> Session:
        """Open a session for pictures of `size` (width, height); `draft`, `medium` or `high`.

        `buffers` are those that `Frame.buffers` is to hold, and no others: every renderer has `depth`
        and `id`. Options of a renderer's own are keyword-only and have defaults.

        Raises:
            ConfigError: a size below 1, an unknown quality or buffer; names it.
            ProviderUnavailable: no driver; names what is missing.
        """
        ...


@runtime_checkable
class Detector(Protocol):
    """Tells content types from bytes. Total: any bytes, any path; the name never matters.

    The answer is a function of content and mode, the same for a path, bytes and a stream, and costs
    time and memory that do not grow with the file. Nothing is opened that could be waited for.
    A path that can't be read (missing, no permission, no name at all) gives a detection labelled
    `unknown` that says why in `error`, from `detect` as from `detect_many`. What is no file
    (`directory`, `fifo`, `device`) has a label of its own, or an `error` too.

    From one of `MODES` to a stricter one a label stays, or becomes `unknown` or `txt`.

    A detector may also have `detect_each(paths, mode)`, which yields what `detect_many` returns as it
    is found and takes only a bounded number of paths ahead, so that these may have no end.
    """

    def labels(self) -> Collection[str]:
        """Return every label that it may give, `unknown` and those of what is no file among them."""
        ...

    def detect(self, source: str | Path | bytes | BinaryIO, mode: str = "high-confidence") -> Detection:
        """Say what `source` (a path, bytes, or a seekable stream whose position is kept) is.

        Raises:
            ConfigError: an unknown mode; names those there are.
        """
        ...

    def detect_many(self, paths: Iterable[str | Path], mode: str = "high-confidence") -> list[Detection]:
        """Detect all, in order; one that can't be read becomes a Detection with `error`."""
        ...


@runtime_checkable
class Voice(Protocol):
    """Speaks scripts. Async twins carry an `a` in front (`aspeak`, `astream`).

    The samples are finite, within full scale, and come at the highest rate of the voices that
    speak. Cues of kind `word` cover the words of the script in order: a word is what stands between
    white space once audio tags (`[whispers]`) are taken out, without what is no letter, mark or digit
    at its ends; where a language is written without spaces, several cues may make up one. A lexicon
    changes how a word sounds, not the word of its cue. Every audio, each piece of a stream too, has
    `Provenance`.

    All of these raise before the first sample:

    Raises:
        ValidationError: no word to say; a voice, language or audio tag that it does not know,
            naming the nearest that it does.
    """

    def speak(self, script: Script, **options: Any) -> Audio:
        """Speak all of it, with cues and provenance."""
        ...

    def stream(self, script: Script, **options: Any) -> Iterator[Audio]:
        """Speak it piece by piece, as soon as each is ready: the samples of `speak`, in order.

        The cues of a piece count from its own beginning.
        """
        ...

    async def aspeak(self, script: Script, **options: Any) -> Audio:
        """Speak all of it without holding up the event loop."""
        ...

    def astream(self, script: Script, **options: Any) -> AsyncIterator[Audio]:
        """Speak it piece by piece without holding up the event loop."""
        ...

    def voices(self) -> Sequence[VoiceInfo]:
        """Return the voices it has, the default one first."""
        ...


@runtime_checkable
class Inpainter(Protocol):
    """Takes what a mask covers out of a video. Pixels outside the mask stay as they are, bit for bit.

    A `Mask` covers where it is above 0, a `Quadmask` where it is not 255 (keep). The video and the mask
    that are passed in are only read.

    One whose class says `whole_first_frame = False` is given quadmasks whose first frame names the object
    alone, without what changes with it, where its callers make the quadmask.
    """

    def inpaint(
        self,
        video: Video,
        mask: Mask,
        *,
        prompt: str | None = None,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Video:
        """Return a video of the same size, rate, timestamps, frame count, channels and sound.

        Its frames may be made as they are read, and can be read again, from any to any. The same seed
        gives the same frames. `progress` is called as frames are made, here or in reading them.

        Raises:
            ValidationError: the mask has another size or length; names both. Where only reading to the
                end would tell the length, reading raises it.
            Cancelled: `progress` returned False; raised where frames are made.
        """
        ...


@attrs.frozen
class Budget:
    """How long a model may train: whichever of the limits that are given comes first."""

    seconds: float | None = None
    epochs: int | None = None
    steps: int | None = None

    @classmethod
    def of(cls, given: Any) -> Budget:
        """Read a budget from seconds, a mapping of limits, a `Budget`, or None (no limit)."""
        if given is None or isinstance(given, Budget):
            return given or cls()
        if isinstance(given, int | float):
            return cls(seconds=float(given))
        return cls(**given)
