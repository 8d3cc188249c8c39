"""Plugins with one thing wrong each. A line that ends in `# says CODE: WORDS` must be complained of so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from kinetoscope import Host
from kinetoscope_spec import (
    Asset,
    Detection,
    Detector,
    Feature,
    FeatureSchema,
    FormatError,
    Frame,
    Hook,
    Importer,
    Inpainter,
    Mask,
    Model,
    Motion,
    Provider,
    Renderer,
    Script,
    Signature,
    Skeleton,
    Video,
    Voice,
    hookimpl,
)
from kinetoscope_spec.contracts import Sample, check

# -- providers that lack something of their protocol


class PositionalOption:
    def read(self, path: str | Path, unit: float) -> Asset:
        raise NotImplementedError


class OptionWithoutDefault:
    def read(self, path: str | Path, *, unit: float) -> Asset:
        raise NotImplementedError


class OnlyPaths:
    def read(self, path: Path) -> Asset:
        raise NotImplementedError


class Bytes:
    def read(self, path: str | Path) -> bytes:
        return Path(path).read_bytes()


class Later:
    async def read(self, path: str | Path) -> Asset:
        raise NotImplementedError


class Loads:
    def load(self, path: str | Path) -> Asset:
        raise NotImplementedError


a: Importer = PositionalOption()  # says assignment: path: str | Path, unit: float) -> Asset
b: Importer = OptionWithoutDefault()  # says assignment: path: str | Path, *, unit: float) -> Asset
c: Importer = OnlyPaths()  # says assignment: def read(self, path: Path) -> Asset
d: Importer = Bytes()  # says assignment: def read(self, path: str | Path) -> bytes
e: Importer = Later()  # says assignment: Coroutine[Any, Any, Asset]
f: Importer = Loads()  # says assignment: variable has type "Importer"


class NoSchema:
    def compute(self, motion: Motion, frames: Sequence[int] | None = None) -> Any:
        return None


class ListOfRows:
    def schema(self, skeleton: Skeleton) -> FeatureSchema:
        raise NotImplementedError

    def compute(self, motion: Motion, frames: Any = None) -> list[float]:
        return []


g: Feature = NoSchema()  # says assignment: "NoSchema" is missing following "Feature" protocol member
h: Feature = ListOfRows()  # says assignment: -> list[float]


class Seedless:
    def fit(self, dataset: Any) -> Any:
        return None

    def load(self, path: str | Path) -> Any:
        return None


i: Model = Seedless()  # says assignment: def fit(self, dataset: Any) -> Any


class Unclosed:
    def render(self, scene: Any, camera: Any) -> Frame:
        raise NotImplementedError


class Draws:
    def open(self, size: tuple[int, int], quality: str = "medium") -> Unclosed:
        return Unclosed()


class Square:
    def open(self, size: int, quality: str = "medium") -> Any:
        return None


j: Renderer = Draws()  # says assignment: -> Unclosed
k: Renderer = Square()  # says assignment: def open(self, size: int


class Lazy:
    def labels(self) -> set[str]:
        return set()

    def detect(self, source: str | Path | bytes | BinaryIO, mode: str = "high-confidence") -> Detection:
        raise NotImplementedError

    def detect_many(self, paths: Iterable[str | Path], mode: str = "high-confidence") -> Iterator[Detection]:
        return iter(())


m: Detector = Lazy()  # says assignment: -> Iterator[Detection]


class Mute:
    def speak(self, script: Script, **options: Any) -> bytes:
        return b""


n: Voice = Mute()  # says assignment: variable has type "Voice"


class Swapped:
    def inpaint(
        self, mask: Mask, video: Video, *, prompt: Any = None, seed: int = 0, progress: Any = None
    ) -> Video:
        return video


o: Inpainter = Swapped()  # says assignment: def inpaint(self, mask: Mask, video: Video

# -- what a plugin says of itself

Provider(name=1, summary="", load="a:B")  # says arg-type: "name" to "Provider" has incompatible type "int"
Provider("a", "no load")  # says call-arg: Missing positional argument "load"
Provider("a", "", "a:B", ("a",))  # says call-arg: Too many positional arguments for "Provider"
Provider("a", "", load="a:B", read=("a",))  # says call-arg: Unexpected keyword argument "read"
Provider("a", "", load=OnlyPaths())  # says arg-type: expected "str | Callable[..., Any]"
Provider("a", "", load="a:B", signatures=[b"a"])  # says list-item: expected "Signature"
Signature("a", magic="text")  # says arg-type: "magic" to "Signature" has incompatible type "str"
Hook("a", "no protocol")  # says call-arg: Missing positional argument "protocol"


@hookimpl
def importer() -> Sequence[Provider]:
    return "wrong:OnlyPaths"  # says return-value: got "str", expected "Sequence[Provider]"


@hookimpl(specname="voice")
def providers() -> Sequence[Provider]:
    return Provider("mute", "", load=Mute)  # says return-value: got "Provider", expected "Sequence[Provider]"


@hookimpl(specnam="feature")  # says call-overload: did you mean "specname"?
def features() -> Sequence[Provider]:
    return []


# -- values, errors and contracts

Asset("a", None)  # says arg-type: expected "Skeleton"
FormatError("is wrong", "clip.bvh")  # says call-arg: Too many positional arguments for "FormatError"
Sample("text")  # says arg-type: expected "bytes"
check(OnlyPaths)  # says arg-type: expected "Contract | type[Contract]"


def moved(motion: Motion) -> None:
    motion.framerate = 60.0  # says misc: Property "framerate" defined in "Motion" is read-only
    print(motion.frames)  # says attr-defined: "Motion" has no attribute "frames"


def opened(host: Host) -> str:
    return host.open("clip.bvh")  # says return-value: got "Asset", expected "str"
