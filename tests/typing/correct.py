"""A plugin as it should be: mypy --strict has nothing to say of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from kinetoscope import Host
from kinetoscope_spec import (
    Asset,
    Camera,
    Column,
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
    Motion,
    Progress,
    Provider,
    Renderer,
    Scene,
    Services,
    Session,
    Signature,
    Skeleton,
    Video,
    hookimpl,
    hookspec,
)
from kinetoscope_spec.contracts import ImporterContract, Sample, check

HOOKS = (Hook("grader", "colour grades", "correct:Grader"),)


class OwnImporter:
    """Options of its own, keyword-only, with defaults."""

    def read(self, path: str | Path, *, unit: float = 1.0, max_bytes: int = 1 << 20) -> Asset:
        if Path(path).stat().st_size > max_bytes:
            raise FormatError("is too large", path=path, line=1, expected="less")
        skeleton = Skeleton(("root",), [-1], [[0.0, unit, 0.0]])
        motion = Motion(skeleton, np.zeros((1, 1, 3)), [[[0, 0, 0, 1]]], 30)
        return Asset("one", skeleton, [motion], metadata={"format": "own", "unit_m": unit, "axes": "+X+Y+Z"})

    def write(self, asset: Asset, path: str | Path) -> None:
        Path(path).write_text(asset.name)


class AnyOptions:
    """Or any options at all."""

    def read(self, path: str | Path, **options: Any) -> Asset:
        return OwnImporter().read(path, **options)


class Heights:
    def schema(self, skeleton: Skeleton) -> FeatureSchema:
        return FeatureSchema(tuple(Column("height", "m", name) for name in skeleton.names))

    def compute(
        self, motion: Motion, frames: Sequence[int] | NDArray[Any] | None = None
    ) -> NDArray[np.float64]:
        rows: NDArray[np.float64] = motion.global_transforms()[0][..., 1]
        return rows if frames is None else rows[np.asarray(frames)]


class Drawing:
    def render(self, scene: Scene, camera: Camera) -> Frame:
        return Frame(np.zeros((1, 1, 4), np.uint8))

    def close(self) -> None: ...

    def __enter__(self) -> Drawing:
        return self

    def __exit__(self, *exc: object) -> None: ...


class Draws:
    def open(
        self, size: tuple[int, int], quality: str = "medium", *, buffers: Sequence[str] = (), samples: int = 1
    ) -> Drawing:
        return Drawing()


class Tells:
    def __init__(self, services: Services) -> None:
        self.known: Sequence[Signature] = services.signatures()

    def labels(self) -> frozenset[str]:
        return frozenset({"unknown"})

    def detect(self, source: str | Path | bytes | BinaryIO, mode: str = "high-confidence") -> Detection:
        return Detection("unknown", score=0.0, mode=mode)

    def detect_many(self, paths: Iterable[str | Path], mode: str = "high-confidence") -> list[Detection]:
        return [self.detect(path, mode) for path in paths]


class Leaves:
    def inpaint(
        self,
        video: Video,
        mask: Mask,
        *,
        prompt: str | None = None,
        seed: int = 0,
        progress: Progress | None = None,
        strength: float = 1.0,
    ) -> Video:
        if progress is not None:
            progress(1, 1, "done")
        return video


importers: list[Importer] = [OwnImporter(), AnyOptions()]
feature: Feature = Heights()
session: Session = Drawing()
renderer: Renderer = Draws()
detector: type[Detector] = Tells
inpainter: Inpainter = Leaves()


@hookimpl
def importer() -> Sequence[Provider]:
    signature = Signature("own", magic=b"own", extensions=("own",), is_text=True)
    return [Provider("own", "its own format", load=OwnImporter, reads=("own",), signatures=[signature])]


@hookimpl(specname="detector")
def providers() -> list[Provider]:
    return [Provider("tells", "nothing", load="correct:Tells", needs=("signatures",))]


@hookimpl
def configured(settings: Mapping[str, Any]) -> None:
    print(settings.get("own"))


@hookspec
def grader() -> Sequence[Provider]:  # type: ignore[empty-body]
    """Colour grades."""


class TestOwn(ImporterContract):
    provider = OwnImporter
    suffix = ".own"
    samples = (Sample(b"own", {"root": (0, 1, 0)}), b"own too")


def proven() -> bool:
    return check(TestOwn, examples=5, seed=0).ok


def seen(path: Path) -> float:
    with Host() as host:
        asset = host.open(path, unit=0.01)
        return asset.motions[0].framerate * len(asset.skeleton)
