"""The network's weights, from the checkpoint that the wheel of `resemble-perth` carries.

The package itself is never imported (it needs modules that are gone), and the checkpoint is never
unpickled. A PyTorch checkpoint is a zip archive with each tensor's bytes stored under a number, in
the order of the layers. Only the one checkpoint whose hash stands here is taken, so which number is
which layer's is known, and the pickle beside them need not be read at all.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import FormatError, ProviderUnavailable

__all__ = ["BINS", "TAPS", "Layer", "checkpoint", "layers", "read_layers"]

Layer = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Weights `[K * I, O]`, row `k * I + i` for input i at tap k of K, and biases `[O]`."""

BINS: Final = 128
"""Frequencies that the network sees and changes: 0 to 2 kHz in steps of 15.625 Hz."""

HIDDEN: Final = 256
TAPS: Final = 7
DEEP: Final = 5
"""Layers of `TAPS` taps in a stack, between one of a single tap at either end."""

OUTPUTS: Final[Mapping[str, int]] = MappingProxyType({"encoder": BINS, "slow": 2, "normal": 2, "fast": 2})
"""The stacks in the order of the checkpoint, and how many outputs each has."""

DISTRIBUTION: Final = "resemble-perth"
MEMBER: Final = "perth/perth_net/pretrained/implicit/perth_net_250000.pth.tar"
SHA256: Final = "a15bce457ebc53ce5e6c9c3f11df78cf7ee2bf9cdab0a798902135b4c4027670"


def checkpoint() -> Path:
    """Return where the checkpoint is installed.

    Raises:
        ProviderUnavailable: it is not.
    """
    try:
        path = Path(str(metadata.distribution(DISTRIBUTION).locate_file(MEMBER)))
    except metadata.PackageNotFoundError as error:
        raise ProviderUnavailable(
            f"the watermark's weights come with {DISTRIBUTION}, which is not installed: "
            f"pip install {DISTRIBUTION}==1.0.1"
        ) from error
    if not path.is_file():
        raise ProviderUnavailable(
            f"{DISTRIBUTION} is installed, but its {MEMBER} is not there: "
            f"pip install --force-reinstall --no-deps {DISTRIBUTION}==1.0.1"
        )
    return path


@cache
def layers(stack: str) -> tuple[Layer, ...]:
    """Return the layers of one stack of the installed checkpoint, first to last; each is read once."""
    path = checkpoint()
    _check(path)
    return read_layers(path, stack)


@cache
def _check(path: Path) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != SHA256:
        raise FormatError(
            f"is another checkpoint (SHA-256 {found[:16]}...)",
            path=path,
            expected=f"that of {DISTRIBUTION} 1.0.1 ({SHA256[:16]}...)",
        )


def read_layers(path: Path, stack: str) -> tuple[Layer, ...]:
    """Read the layers of a stack from a checkpoint that is laid out as the known one is.

    Raises:
        FormatError: it is not: no zip archive, damaged, or a tensor of another size.
    """
    before = list(OUTPUTS).index(stack) * 2 * (DEEP + 2)
    sizes = [BINS, *[HIDDEN] * (DEEP + 1), OUTPUTS[stack]]
    taps = [1, *[TAPS] * DEEP, 1]
    try:
        with zipfile.ZipFile(path) as archive:
            return tuple(
                _layer(archive, before + 2 * i, (sizes[i + 1], sizes[i], taps[i])) for i in range(DEEP + 2)
            )
    except (zipfile.BadZipFile, KeyError, ValueError, NotImplementedError, RuntimeError, EOFError) as error:
        raise FormatError(f"can't be read: {error}", path=path, expected="a PyTorch checkpoint") from error


def _layer(archive: zipfile.ZipFile, number: int, shape: tuple[int, int, int]) -> Layer:
    outputs, inputs, taps = shape
    weights = _tensor(archive, number, outputs * inputs * taps).reshape(shape)
    flat = np.ascontiguousarray(weights.transpose(2, 1, 0)).reshape(taps * inputs, outputs)
    return flat, _tensor(archive, number + 1, outputs)


def _tensor(archive: zipfile.ZipFile, number: int, count: int) -> NDArray[Any]:
    info = archive.getinfo(f"archive/data/{number}")
    if info.file_size != 4 * count:  # looked at before it is read, so that it can't be huge
        raise ValueError(f"tensor {number} has {info.file_size} bytes, expected {4 * count}")
    return np.frombuffer(archive.read(info), "<f4").astype(np.float32)
