"""What a shot file says: the plate, the performer, the voice, the camera, the light, the output."""

from __future__ import annotations

import glob
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from kinetoscope.shot._actions import LEAST_SPEED_M_S, Action, check_order
from kinetoscope.shot._checks import above, between, each_between, each_of, one_of
from kinetoscope.shot._plate import Plate, Remove, Voice
from kinetoscope.toml import Document, WrongValue, read_document
from kinetoscope_spec.errors import ConfigError

__all__ = [
    "MARKS",
    "Action",
    "Camera",
    "Light",
    "Listing",
    "Output",
    "Performer",
    "Plate",
    "Remove",
    "Shot",
    "ShotFile",
    "Training",
    "Voice",
    "files_in",
    "read_shot",
    "shot_file",
]

MAX_CLIPS = 10_000
MAX_SIZE = 8192
MAX_PLACE_M = 1000.0
MARKS = ("bones", "axes", "past", "ahead", "contacts", "velocities", "name")
"""What can be drawn beside a figure; see `marks`."""


@attrs.frozen
class Training:
    """How long to train: whichever limit is met first; `steps` and `epochs` are reproducible.

    Attributes:
        seconds: wall-clock seconds; the weights then depend on the machine's speed.
        steps: optimiser steps.
        epochs: passes over the training set.
    """

    seconds: float | None = attrs.field(default=None, validator=above(0, "seconds"))
    steps: int | None = attrs.field(default=None, validator=above(0, "steps"))
    epochs: int | None = attrs.field(default=None, validator=above(0, "epochs"))

    def budget(self) -> dict[str, float] | None:
        """Return the limits that are set, for `Model.fit`; None leaves the choice to the model."""
        limits = {key: value for key, value in attrs.asdict(self).items() if value is not None}
        return limits or None


@attrs.frozen
class Performer:
    """Who moves, learned from what, going where.

    Attributes:
        mocap: clips to learn from: files, folders or patterns, relative to the shot file.
        path: points on the ground to walk along, `[[x, z], ...]` m.
        model, feature, solver, retargeter: providers; the host's choice where none is named.
        options: options of the feature.
        seed: of the training and the generation.
        training: how long to train.
        speed: m/s along the path; the mean of the clips where it is not given.
        style: a label that the clips carry, or None.
        start: the clip whose motion the performance begins with; the one nearest in speed if None.
        character: a file with a skinned character; of another skeleton than the clips' a retargeter puts
            the motion on it; a body is built if None.
        seconds: the longest the performance may take; long enough for the path if None.
        action: what changes on the way, by time: speed, style, a place to face, a clip to play.
    """

    mocap: tuple[str, ...]
    path: tuple[tuple[float, float], ...]
    model: str | None = None
    feature: str = "locomotion"
    solver: str | None = None
    retargeter: str | None = None
    options: dict[str, Any] = attrs.field(factory=dict)
    seed: int = attrs.field(default=0, validator=between(0, 2**31 - 1, "a number"))
    training: Training = attrs.field(factory=Training)
    speed: float | None = attrs.field(default=None, validator=between(LEAST_SPEED_M_S, 20, "m/s"))
    style: str | None = None
    start: str | None = None
    character: str | None = None
    seconds: float | None = attrs.field(default=None, validator=between(0.5, 3600, "seconds"))
    action: tuple[Action, ...] = ()

    def __attrs_post_init__(self) -> None:
        check_order(self.action)
        if len(self.path) < 2:
            raise WrongValue("path", f"has {len(self.path)} points, expected at least 2")
        if any(abs(number) > MAX_PLACE_M for point in self.path for number in point):
            raise WrongValue("path", f"leads beyond {MAX_PLACE_M:g} m from the origin")
        if not self.mocap:
            raise WrongValue("mocap", "is empty, expected at least one file or pattern")


@attrs.frozen
class Camera:
    """Where it is seen from.

    Attributes:
        kind: `follow` goes along with the performer; `orbit` does so and turns around it; `third-person`
            stays behind it; both hold all of it in frame. `fixed` stands still; `plate` is found in the
            plate; `file` is read from a file. `plate` unless given where there is one, else `follow`.
        position, target: `[x, y, z]` m, of a fixed camera.
        distance: m from the performer, of a following camera.
        height: m over the ground, of a following camera and of the plate's; 1.25 and 1.6 unless given.
        angle: degrees about the vertical from straight behind the path's first direction; in third person,
            from straight behind the performer, 0 unless given.
        turn: degrees per second by which `orbit` turns.
        pitch, roll: degrees by which the plate's camera looks down and leans to its right in the first frame.
        field_of_view: vertical, degrees; 36 unless given, or measured in the plate where that tells it.
        smoothing: seconds over which a following camera lags.
        file: JSON, as `kinetoscope solve-camera` writes it, relative to the shot file.
    """

    kind: str | None = attrs.field(
        default=None,
        validator=attrs.validators.optional(
            one_of("follow", "orbit", "third-person", "fixed", "plate", "file")
        ),
    )
    position: tuple[float, float, float] | None = None
    target: tuple[float, float, float] | None = None
    distance: float = attrs.field(default=3.6, validator=between(0.1, 100, "m"))
    height: float | None = attrs.field(default=None, validator=between(-100, 100, "m"))
    angle: float | None = None
    turn: float = attrs.field(default=24.0, validator=between(-720, 720, "degrees per second"))
    pitch: float = attrs.field(default=0.0, validator=between(-80, 80, "degrees"))
    roll: float = attrs.field(default=0.0, validator=between(-90, 90, "degrees"))
    field_of_view: float | None = attrs.field(default=None, validator=between(1, 170, "degrees"))
    smoothing: float = attrs.field(default=0.6, validator=between(0, 60, "seconds"))
    file: str | None = None

    def __attrs_post_init__(self) -> None:
        if self.kind == "fixed" and (self.position is None or self.target is None):
            raise WrongValue("kind", "is 'fixed', which needs position and target")
        if self.position is not None and self.position == self.target:
            raise WrongValue("target", "is where the camera stands")
        if (self.kind == "file") != (self.file is not None):
            raise WrongValue(
                "kind" if self.kind == "file" else "file", "goes together: kind = 'file' and file"
            )


@attrs.frozen
class Light:
    """The sun and the sky, or the surroundings.

    Attributes:
        azimuth: degrees about the vertical from +Z towards +X, where the sun stands, without an environment.
        elevation: degrees over the horizon.
        intensity: factor on the sun, and on the lamp across from it; under an environment, on the sun that is
            found in that, if one is.
        color: linear RGB of the sun.
        ambient: factor on the light of sky and earth, or of the environment.
        tone: the curve from light to the picture, `aces` or `neutral`, which keeps the colours of materials.
        environment: a picture of the surroundings that lights the performer, by latitude and longitude, its
            middle towards -Z (`.hdr`, `.exr`, or a PNG or JPEG, which holds nothing brighter than white),
            relative to the shot file.
        rotation: degrees by which the environment is turned about the vertical, from +Z towards +X.
    """

    azimuth: float = 65.0
    elevation: float = attrs.field(default=48.0, validator=between(1, 90, "degrees"))
    intensity: float = attrs.field(default=1.0, validator=between(0, 100, "a factor"))
    color: tuple[float, float, float] = attrs.field(
        default=(1.0, 0.95, 0.88), validator=each_between(0, 100, "light")
    )
    ambient: float = attrs.field(default=1.0, validator=between(0, 100, "a factor"))
    tone: str = attrs.field(default="aces", validator=one_of("aces", "neutral"))
    environment: str | None = None
    rotation: float = attrs.field(default=0.0, validator=between(-360, 360, "degrees"))

    def __attrs_post_init__(self) -> None:
        if self.rotation and self.environment is None:
            raise WrongValue("rotation", "turns an environment, but there is none")


@attrs.frozen
class Output:
    """The film.

    Attributes:
        file: where it goes, relative to the shot file.
        size: `[width, height]` pixels; the plate's where there is one.
        framerate: frames per second; the plate's where there is one.
        quality: `draft`, `medium` or `high`.
        shutter: share of a frame's time that the shutter is open, 0 for none: motion blur over a plate.
        passes: of the renderer, to be switched on, or off with a - before the name: `["outline", "-ssao"]`.
        device: what the renderer draws on, such as `gpu`, `cpu`, `egl:1`; its choice where none is named.
        background: what stands behind everything where there is no plate: `stage`, or the light's `environment`.
        skinning: how bones share a vertex, `linear` or `dual-quaternion`; as the character's file says if not
            given.
        ghosts, ghosts_ahead: past and future poses that are shown beside.
        ghost_spacing: seconds from one ghost to the next.
        show: marks beside the figure: `bones`, `axes`, `past`, `ahead` (its way), `contacts`, `velocities`, `name`.
        span: seconds of the ways that are shown; all if not given.
        bare: whether the body is left out, which hides what is inside.
        renderer, media: providers; the host's choice where none is named.
    """

    file: str = "shot.mp4"
    size: tuple[int, int] = (1280, 720)
    framerate: float = attrs.field(default=30.0, validator=between(1, 240, "frames per second"))
    quality: str = attrs.field(default="medium", validator=one_of("draft", "medium", "high"))
    shutter: float = attrs.field(default=0.5, validator=between(0, 1, "a share"))
    passes: tuple[str, ...] = ()
    device: str | None = None
    background: str = attrs.field(default="stage", validator=one_of("stage", "environment"))
    skinning: str | None = attrs.field(
        default=None, validator=attrs.validators.optional(one_of("linear", "dual-quaternion"))
    )
    ghosts: int = attrs.field(default=0, validator=between(0, 100, "poses"))
    ghosts_ahead: int = attrs.field(default=0, validator=between(0, 100, "poses"))
    ghost_spacing: float = attrs.field(default=0.2, validator=between(0.001, 3600, "seconds"))
    show: tuple[str, ...] = attrs.field(default=(), validator=each_of(*MARKS))
    span: float | None = attrs.field(default=None, validator=above(0, "seconds"))
    bare: bool = False
    renderer: str | None = None
    media: str | None = None

    def __attrs_post_init__(self) -> None:
        for side in self.size:
            if not 16 <= side <= MAX_SIZE:
                raise WrongValue("size", f"is {list(self.size)}, expected 16 to {MAX_SIZE} pixels")

    @property
    def beside(self) -> list[str]:
        """What is asked for that films over a plate do not have, by key."""
        asked = {"background": self.background != "stage"}
        asked |= {key: bool(getattr(self, key)) for key in ("ghosts", "ghosts_ahead", "show", "bare")}
        return [key for key, given in asked.items() if given]

    def drawing(self) -> dict[str, Any]:
        """Return the options for the renderer's `open`, those that were given."""
        switches = {name.removeprefix("-"): not name.startswith("-") for name in self.passes}
        options: dict[str, Any] = {"passes": switches} if switches else {}
        return options if self.device is None else {**options, "device": self.device}


@attrs.frozen
class Shot:
    """Everything a shot file says."""

    performer: Performer
    plate: Plate | None = None
    voice: Voice | None = None
    camera: Camera = attrs.field(factory=Camera)
    light: Light = attrs.field(factory=Light)
    output: Output = attrs.field(factory=Output)
    name: str = "shot"

    def __attrs_post_init__(self) -> None:
        if self.plate is None and self.camera.kind == "plate":
            raise WrongValue("camera", "kind is 'plate', but the shot has no [plate]")
        if self.plate is not None and self.camera.kind in ("follow", "orbit", "third-person"):
            raise WrongValue("camera", f"kind is {self.camera.kind!r}, but a plate has a camera of its own")
        if self.output.background == "environment" and self.light.environment is None:
            raise WrongValue("output", "background is 'environment', but [light] has no environment")
        beside = self.output.beside
        if self.plate is not None and beside:
            raise WrongValue("output", f"has {beside[0]}, which films without a plate have alone")


@attrs.frozen
class Listing:
    """Files to learn from.

    Attributes:
        files: each once.
        named: those that were named one by one: what can't be read among the others is left out.
    """

    files: tuple[Path, ...]
    named: frozenset[Path]


def files_in(folder: Path) -> list[Path]:
    """Return the files in `folder`, hidden ones left out, sorted."""
    return sorted(child for child in folder.iterdir() if child.is_file() and not child.name.startswith("."))


@attrs.frozen
class ShotFile:
    """A shot and the file it was read from, against whose folder its paths are read.

    Attributes:
        shot: what it says.
        document: the file.
        within: the only folders in which files may be named, resolved; None for a shot that is trusted.
        out: where the film goes instead of where the shot says; who runs the shot chose it.
    """

    shot: Shot
    document: Document
    within: tuple[Path, ...] | None = None
    out: Path | None = None

    @property
    def folder(self) -> Path:
        """The folder that relative paths start from."""
        return self.document.path.resolve().parent

    def clips(self) -> Listing:
        """Return the files that `performer.mocap` names, each once, in its order.

        Raises:
            ConfigError: an entry that matches nothing, more than 10,000 files, or one outside of `within`.
        """
        found: dict[Path, bool] = {}
        for i, entry in enumerate(self.shot.performer.mocap):
            path = self._allowed(entry, "performer", "mocap", i)
            named = path.is_file()
            matches = [path] if named else self._matches(path)
            if not matches:
                raise ConfigError(f"{entry!r} matches no file", place=self.place("performer", "mocap", i))
            for match in matches:
                resolved = self._confined(match, entry, "performer", "mocap", i).resolve()
                found[resolved] = found.get(resolved, False) or named
            if len(found) > MAX_CLIPS:
                raise ConfigError(
                    f"{entry!r} matches more than {MAX_CLIPS:,} files",
                    place=self.place("performer", "mocap", i),
                )
        return Listing(tuple(found), frozenset(path for path, named in found.items() if named))

    def _matches(self, path: Path) -> list[Path]:
        if path.is_dir():
            return files_in(path)
        # What the folder of the shot file is called is no pattern.
        pattern = str(path)
        if pattern.startswith(str(self.folder)):
            pattern = glob.escape(str(self.folder)) + pattern[len(str(self.folder)) :]
        return sorted(Path(match) for match in glob.iglob(pattern, recursive=True) if Path(match).is_file())

    def path(self, name: str, *keys: str) -> Path:
        """Return the file that the value at `keys` names.

        Raises:
            ConfigError: there is no such file, or it lies outside of `within`.
        """
        path = self._confined(self._allowed(name, *keys), name, *keys)
        if not path.is_file():
            raise ConfigError(f"{path} is no file", place=self.place(*keys))
        return path

    @property
    def film(self) -> Path:
        """Where the film goes.

        Raises:
            ConfigError: it lies outside of `within`.
        """
        if self.out is not None:
            return self.out
        name = self.shot.output.file
        return self._confined(self._allowed(name, "output", "file"), name, "output", "file")

    def place(self, *keys: str | int) -> str:
        """Return `file:line: key` for errors."""
        return self.document.place(keys)

    def _allowed(self, name: str, *keys: str | int) -> Path:
        """Return the path of a name (or pattern) that leads nowhere but downward where that is asked for."""
        path = Path(name)
        # A drive or a root without the other is no absolute path on Windows, and leads away as well.
        if self.within is not None and (path.anchor or ".." in path.parts):
            raise ConfigError(
                f"{name!r} leads out of the shot's folder, expected a name in it", place=self.place(*keys)
            )
        return self.folder / path

    def _confined(self, path: Path, name: str, *keys: str | int) -> Path:
        """Return `path`; wherever its links lead, it lies in a folder that may be named."""
        if self.within is not None:
            resolved = path.resolve()
            if not any(resolved.is_relative_to(folder) for folder in self.within):
                raise ConfigError(
                    f"{name!r} leads out of the folders that this shot may use", place=self.place(*keys)
                )
        return path


def read_shot(path: str | Path) -> ShotFile:
    """Read a shot file.

    Raises:
        ConfigError: it is not TOML, a key is unknown or missing, a value is out of range.
    """
    document = read_document(path)
    return ShotFile(document.structure(Shot), document)


def shot_file(
    given: str | Path | Shot | Mapping[str, Any] | ShotFile, within: Sequence[str | Path] | None = None
) -> ShotFile:
    """Return a shot with what its paths are read against: the file's folder, or the current one.

    Args:
        given: a file, or what would stand in one: a mapping of tables, or a `Shot`.
        within: the only folders in which it may name files; see `ShotFile`.

    Raises:
        ConfigError: as of `read_shot`.
    """
    if isinstance(given, str | Path):
        found = read_shot(given)
    elif isinstance(given, ShotFile):
        found = given
    else:
        told = given if isinstance(given, Mapping) else {}
        document = Document(Path("settings").absolute(), "", told)
        found = ShotFile(document.structure(Shot) if isinstance(given, Mapping) else given, document)
    if within is None:
        return found
    return attrs.evolve(found, within=tuple(Path(folder).resolve() for folder in within))
