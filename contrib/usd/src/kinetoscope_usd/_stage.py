"""Opens a stage, after a look at every layer it is made of: none may lie outside the file's folder."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kinetoscope_usd._refused import Refused

__all__ = ["MEMORY_PER_BYTE", "SECONDS_PER_MB", "inside", "opened"]

_MOST_LAYERS = 1000
MEMORY_PER_BYTE = 64
SECONDS_PER_MB = 2.0
"""What reading may take for each byte of a file and its layers, beside what any file may."""

_SUFFIXES = {"usda": (".usda", ".usd"), "usdc": (".usdc", ".usd"), "usdz": (".usdz",)}


@contextmanager
def opened(path: Path, kind: str) -> Iterator[tuple[Any, int]]:
    """Open the stage at `path`; yield it and the bytes of all its layers.

    Raises:
        Refused: it can't be parsed, or a layer lies elsewhere.
    """
    from pxr import Tf, Usd

    with _named(path, kind) as named:
        try:
            size = _size_of_layers(named, path.parent)
            stage = Usd.Stage.Open(str(named))
        except Tf.ErrorException as error:
            raise _refusal(error) from error
        if stage is None:
            raise Refused("OpenUSD can't open the file")
        yield stage, size


@contextmanager
def _named(path: Path, kind: str) -> Iterator[Path]:
    """Yield a path that OpenUSD takes for what the bytes are: it goes by the suffix alone.

    A path with brackets means something in a package to it, too.
    """
    plain = not any(mark in str(path) for mark in ("[", "]", ":SDF_FORMAT_ARGS:"))
    if path.suffix.lower() in _SUFFIXES[kind] and plain:
        yield path
        return
    # What the file refers to is then not found, for it is looked for beside the link.
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / f"file.{kind}"
        link.symlink_to(path)
        yield link


def _size_of_layers(path: Path, folder: Path) -> int:
    from pxr import Sdf

    root = Sdf.Layer.FindOrOpen(str(path))
    if root is None:
        raise Refused("OpenUSD can't parse the file")
    own = os.path.getsize(path)
    seen, waiting, size = {root.identifier}, [root], own
    while waiting:
        layer = waiting.pop()
        for asset in layer.GetCompositionAssetDependencies():
            if not asset:
                continue
            place = inside(folder, layer, asset)
            found = Sdf.Layer.FindOrOpen(place) if place not in seen else None
            seen.add(place)
            if len(seen) > _MOST_LAYERS:
                raise Refused(f"more than {_MOST_LAYERS} layers")
            if found is not None:
                waiting.append(found)
                with contextlib.suppress(OSError):  # inside a package
                    size += os.path.getsize(found.realPath)
    _allow(size - own)
    return size


def inside(folder: Path, layer: Any, asset: str) -> str:
    """Return the full path of an asset that `layer` names, which must lie in `folder` or below.

    Raises:
        Refused: it does not, or an expression stands for it.
    """
    from pxr import Ar, Sdf

    if asset.startswith("`"):
        raise Refused(f"the layer refers to the expression {asset[:80]!r}", "plain asset paths")
    place = layer.ComputeAbsolutePath(asset)
    outer = Sdf.Layer.SplitIdentifier(place)[0]
    while Ar.IsPackageRelativePath(outer):
        outer = Ar.SplitPackageRelativePathOuter(outer)[0]
    home, real = os.path.realpath(folder), os.path.realpath(outer)
    own = os.path.realpath(layer.realPath.split("[")[0])
    if real != own and os.path.commonpath([home, real]) != home:
        raise Refused(f"the layer refers to {asset[:200]!r}", f"files in {folder} or below it")
    return str(place)


def _allow(size: int) -> None:
    """Let the limits grow with the layers beside the file: they were set by the file alone."""
    with contextlib.suppress(ImportError):
        import resource

        more = {"RLIMIT_AS": MEMORY_PER_BYTE * size, "RLIMIT_FSIZE": MEMORY_PER_BYTE * size}
        more["RLIMIT_CPU"] = int(SECONDS_PER_MB * size / 1e6)
        for name, extra in more.items():
            with contextlib.suppress(AttributeError, ValueError, OSError):
                kind = getattr(resource, name)
                soft, hard = resource.getrlimit(kind)
                if soft != resource.RLIM_INFINITY:
                    resource.setrlimit(kind, (soft + extra, hard))


def _refusal(error: Exception) -> Refused:
    """Return what the parser of the text format says, with its line; else the first thing said at all."""
    text = " ".join(str(error).split())
    told = re.search(r":(\d+):\d+: (.*?)'?$", text)
    if told:
        return Refused(f"the text breaks off from its grammar: {told[2][:300]}", line=int(told[1]))
    quoted = re.search(r" : '(.*?)'?$", text)
    return Refused(f"OpenUSD can't read the file: {(quoted[1] if quoted else text)[:300]}")
