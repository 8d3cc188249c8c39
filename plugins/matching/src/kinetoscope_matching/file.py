"""Moments on disk: tensors as safetensors, everything else as JSON in its header; nothing is unpickled."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as parse_tensors
from safetensors.numpy import save as serialised

from kinetoscope_matching.fitted import FittedMatching
from kinetoscope_matching.space import Space
from kinetoscope_spec import SPEC_VERSION, FeatureSchema
from kinetoscope_spec.errors import FormatError, ValidationError
from kinetoscope_spec.files import replacing

__all__ = ["load", "save"]

FORMAT = "kinetoscope-matching/1"
_LARGEST_HEADER = 64 * 2**20
_LARGEST_FILE = 16 * 2**30
_LARGEST_NUMBER = 1e18
"""Of what is stored: beyond it distances of far inputs would not be finite."""


def save(fitted: FittedMatching, path: str | Path) -> None:
    """Write `fitted` to `path`, whole or not at all."""
    tensors: dict[str, Any] = {"outputs": fitted.outputs}
    for i, (space, points) in enumerate(zip(fitted.spaces, fitted.points, strict=True)):
        tensors |= {f"mean{i}": space.mean, f"axes{i}": space.axes, f"points{i}": points}
    description = {
        "format": FORMAT,
        "spec": SPEC_VERSION,
        "input_schema": fitted.input_schema.to_json(),
        "output_schema": fitted.output_schema.to_json(),
        "metadata": dict(fitted.metadata),
        "options": dict(fitted.options),
        "spaces": len(fitted.spaces),
    }
    text = json.dumps(description, allow_nan=False, sort_keys=True)
    whole = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    with replacing(path) as temporary:
        temporary.write_bytes(serialised(whole, metadata={"kinetoscope": text}))


def load(path: str | Path) -> FittedMatching:
    """Read a checkpoint that `save` wrote.

    Raises:
        FormatError: it is not one; names the file and what is wrong.
        OSError: it can't be read.
    """
    path = Path(path)
    held = _description(path)
    try:
        schemas = {key: FeatureSchema.from_json(held[key]) for key in ("input_schema", "output_schema")}
    except (TypeError, ValueError, KeyError, ValidationError) as error:
        raise FormatError(f"a schema is wrong: {error}", path=path) from None
    try:
        tensors = parse_tensors(path.read_bytes())
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise FormatError(f"the tensors can't be read: {error}", path=path, expected="safetensors") from None
    _check_tensors(path, tensors, held["spaces"], *(len(schema) for schema in schemas.values()))
    numbers = range(held["spaces"])
    return FittedMatching.of(
        spaces=tuple(Space(tensors[f"mean{i}"], tensors[f"axes{i}"]) for i in numbers),
        points=tuple(tensors[f"points{i}"] for i in numbers),
        outputs=tensors["outputs"],
        metadata=held["metadata"],
        options=held["options"],
        **schemas,
    )


def _description(path: Path) -> dict[str, Any]:
    """Return what the header says, after checking that its size is believable."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size - 8, _LARGEST_HEADER):
            raise FormatError(
                f"a header of {length} bytes in a file of {size}", path=path, offset=0, expected="safetensors"
            )
        if size > _LARGEST_FILE:
            raise FormatError(f"the file has {size} bytes", path=path, expected=f"at most {_LARGEST_FILE}")
        header = _json(path, file.read(length), "header")
    about = header.get("__metadata__")
    text = about.get("kinetoscope") if isinstance(about, dict) else None
    if not isinstance(text, str):
        raise FormatError("no 'kinetoscope' in the metadata", path=path, expected="moments of Kinetoscope")
    found = _json(path, text, "description")
    if found.get("format") != FORMAT:
        raise FormatError(f"the format is {found.get('format')!r}", path=path, expected=FORMAT)
    _check_description(path, found)
    return found


def _json(path: Path, text: str | bytes, what: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"the {what} is not JSON: {error}", path=path) from None
    if not isinstance(found, dict):
        raise FormatError(f"the {what} is a {type(found).__name__}", path=path, expected="a JSON object")
    return found


def _check_description(path: Path, found: Mapping[str, Any]) -> None:
    if found.get("spaces") not in (1, 2) or isinstance(found["spaces"], bool):
        raise FormatError(f"spaces is {found.get('spaces')!r}", path=path, expected="1 or 2")
    for key in ("metadata", "options"):
        if not isinstance(found.get(key), dict):
            raise FormatError(f"{key} is a {type(found.get(key)).__name__}", path=path, expected="an object")
    for key, most in (("spread", 100.0), ("stay", 1.0)):
        value = found["options"].get(key)
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not number or not 0 <= value <= most:
            raise FormatError(f"options.{key} is {value!r}", path=path, expected=f"from 0 to {most:g}")


def _check_tensors(path: Path, tensors: Mapping[str, Any], spaces: int, inputs: int, outputs: int) -> None:
    expected = {"outputs": (np.float32, [None, outputs])}
    for i in range(spaces):
        expected[f"mean{i}"] = (np.float64, [inputs])
        expected[f"axes{i}"] = (np.float64, [inputs, None])
        expected[f"points{i}"] = (np.float32, [None, None])
    if tensors.keys() != expected.keys():
        odd = sorted(tensors.keys() ^ expected.keys())
        raise FormatError(f"tensors missing or unknown: {', '.join(odd[:5])}", path=path)
    for name, (dtype, shape) in expected.items():
        array = tensors[name]
        fits = array.ndim == len(shape) and all(
            w in (None, n) for w, n in zip(shape, array.shape, strict=True)
        )
        if array.dtype != dtype or not fits:
            raise FormatError(f"tensor {name!r} is {array.dtype} {list(array.shape)}", path=path)
        if not (np.abs(array) <= _LARGEST_NUMBER).all():
            raise FormatError(
                f"tensor {name!r} holds a number that is not finite, or larger than {_LARGEST_NUMBER:g}",
                path=path,
            )
    rows = len(tensors["outputs"])
    for i in range(spaces):
        points, axes = tensors[f"points{i}"], tensors[f"axes{i}"]
        if not rows or len(points) != rows or points.shape[1] != axes.shape[1] or not axes.shape[1]:
            raise FormatError(
                f"points{i} is {list(points.shape)}, axes{i} {list(axes.shape)}, with {rows} outputs",
                path=path,
                expected="one point for each output, along each axis",
            )
