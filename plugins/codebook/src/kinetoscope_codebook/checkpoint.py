"""Checkpoints on disk: tensors as safetensors, everything else as JSON in its header.

Layout: `__metadata__["kinetoscope"]` holds one JSON object with `format`, `spec` and what
`FittedNetwork` knows besides its weights. Nothing is ever unpickled.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load as parse_tensors
from safetensors.numpy import save as serialised

from kinetoscope_codebook.bounds import overflow
from kinetoscope_codebook.kinds import build
from kinetoscope_codebook.network import Architecture, Network
from kinetoscope_spec import SPEC_VERSION, FeatureSchema, Skeleton
from kinetoscope_spec.errors import FormatError, ValidationError
from kinetoscope_spec.files import replacing

__all__ = ["FORMAT", "finite_json", "header_of", "read_checkpoint", "write_checkpoint", "write_whole"]

FORMAT = "kinetoscope-model/1"

_LARGEST_HEADER = 64 * 2**20
_LARGEST_FILE = 4 * 2**30
_LARGEST_NUMBER = sys.float_info.max
_KEYS = ("input_schema", "output_schema", "losses", "perplexity", "metadata", "training")


def write_checkpoint(
    path: str | Path, tensors: Mapping[str, np.ndarray[Any, Any]], description: Mapping[str, Any]
) -> None:
    """Write `tensors` and `description` (plain JSON values) to `path`, whole or not at all."""
    header = {"format": FORMAT, "spec": SPEC_VERSION, **description}
    text = json.dumps(header, allow_nan=False, sort_keys=True)
    write_whole(path, serialised(dict(tensors), metadata={"kinetoscope": text}))


def write_whole(path: str | Path, data: bytes) -> None:
    """Write `data` to a temporary name beside `path`, then put it in place."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def read_checkpoint(path: str | Path) -> tuple[Network, dict[str, Any]]:
    """Return the network in evaluation mode, and the arguments of `FittedNetwork` besides it.

    Raises:
        FormatError: naming the file and what is wrong with it.
        OSError: it can't be read.
    """
    path = Path(path)
    description = _description(path, header_of(path))
    architecture = _architecture(path, description)
    schemas = {key: _schema(path, description, key) for key in ("input_schema", "output_schema")}
    for key, size in (("input_schema", architecture.inputs), ("output_schema", architecture.outputs)):
        if len(schemas[key]) != size:
            raise FormatError(
                f"{key} has {len(schemas[key])} columns, the architecture {size}",
                path=path,
                expected="one number",
            )
    try:
        tensors = parse_tensors(path.read_bytes())
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise FormatError(f"the tensors can't be read: {error}", path=path, expected="safetensors") from None
    network = _filled(path, architecture, tensors)
    return network, {**{key: description[key] for key in _KEYS}, **schemas}


def header_of(path: Path) -> dict[str, Any]:
    """Return the safetensors header, after checking that its size is believable."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size - 8, _LARGEST_HEADER):
            raise FormatError(
                f"a header of {length} bytes in a file of {size}", path=path, offset=0, expected="safetensors"
            )
        if size > _LARGEST_FILE:
            raise FormatError(f"the file has {size} bytes", path=path, expected=f"at most {_LARGEST_FILE}")
        return finite_json(path, file.read(length), "header")


def finite_json(path: Path, text: str | bytes, what: str) -> dict[str, Any]:
    """Return the JSON object in `text`, whose numbers are all finite; a `FormatError` names `what`."""
    try:
        found = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"the {what} is not JSON: {error}", path=path, expected="a JSON object") from None
    if not isinstance(found, dict):
        raise FormatError(f"the {what} is a {type(found).__name__}", path=path, expected="a JSON object")
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is too large a number")
    return number


def _description(path: Path, header: Mapping[str, Any]) -> dict[str, Any]:
    about = header.get("__metadata__")
    text = about.get("kinetoscope") if isinstance(about, dict) else None
    if not isinstance(text, str):
        raise FormatError(
            "no 'kinetoscope' in the metadata", path=path, expected="a checkpoint of Kinetoscope"
        )
    found = finite_json(path, text, "description")
    if found.get("format") != FORMAT:
        raise FormatError(f"the format is {found.get('format')!r}", path=path, expected=FORMAT)
    missing = [key for key in ("architecture", *_KEYS) if key not in found]
    if missing:
        raise FormatError(f"the description lacks {', '.join(missing)}", path=path)
    _check_kinds(path, found)
    return found


def _check_kinds(path: Path, found: Mapping[str, Any]) -> None:
    for key, kinds in (
        ("losses", (list,)),
        ("perplexity", (int, float, type(None))),
        ("metadata", (dict,)),
        ("training", (dict,)),
    ):
        if not isinstance(found[key], kinds):
            raise FormatError(
                f"{key} is a {type(found[key]).__name__}", path=path, expected=kinds[0].__name__
            )
    perplexity = found["perplexity"]
    if perplexity is not None and not (_is_number(perplexity) and perplexity >= 0):
        raise FormatError(f"perplexity is {perplexity!r}", path=path, expected="a number from 0, or null")
    _check_training(path, found["training"])
    for i, entry in enumerate(found["losses"]):
        if not isinstance(entry, dict) or not all(_is_number(value) for value in entry.values()):
            raise FormatError(f"losses[{i}] is wrong", path=path, expected="an object of finite numbers")


def _check_training(path: Path, training: Mapping[str, Any]) -> None:
    """Check what is read back of the record: the skeleton, and how the codebook is used."""
    numbers = training.get("perplexities")
    if numbers is not None and not (isinstance(numbers, list) and all(map(_is_number, numbers))):
        raise FormatError("training.perplexities is wrong", path=path, expected="a list of numbers, or null")
    classes = training.get("classes")
    if classes is not None and not _is_number(classes):
        raise FormatError("training.classes is wrong", path=path, expected="a number, or null")
    if training.get("skeleton") is not None:
        try:
            Skeleton(**training["skeleton"])
        except (TypeError, ValueError, KeyError, ValidationError) as error:
            raise FormatError(f"training.skeleton is wrong: {error}", path=path) from None


def _is_number(value: Any) -> bool:
    """Say whether `value` is a number that a float can hold; truth values are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST_NUMBER


def _architecture(path: Path, description: Mapping[str, Any]) -> Architecture:
    try:
        return Architecture(**description["architecture"])
    except (TypeError, ValueError) as error:
        raise FormatError(f"the architecture is wrong: {error}", path=path) from None


def _schema(path: Path, description: Mapping[str, Any], key: str) -> FeatureSchema:
    try:
        return FeatureSchema.from_json(description[key])
    except (TypeError, ValueError, KeyError, ValidationError) as error:
        raise FormatError(f"{key} is wrong: {error}", path=path) from None


def _filled(path: Path, architecture: Architecture, tensors: Mapping[str, np.ndarray[Any, Any]]) -> Network:
    """Return the network with these weights; nothing is allocated before the shapes agree."""
    try:
        with torch.device("meta"):
            network = build(architecture)
    except ValidationError as error:
        raise FormatError(f"the architecture is wrong: {error}", path=path) from None
    expected = network.state_dict()
    if expected.keys() != tensors.keys():
        odd = sorted(expected.keys() ^ tensors.keys())
        raise FormatError(f"tensors missing or unknown: {', '.join(odd[:5])}", path=path)
    for name, tensor in tensors.items():
        shape = list(expected[name].shape)
        if list(tensor.shape) != shape or tensor.dtype != np.float32:
            raise FormatError(
                f"tensor {name!r} is {tensor.dtype} {list(tensor.shape)}",
                path=path,
                expected=f"float32 {shape}",
            )
        if not np.isfinite(tensor).all():
            raise FormatError(f"tensor {name!r} holds a number that is not finite", path=path)
    network.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in tensors.items()}, assign=True)
    if (place := overflow(network)) is not None:
        raise FormatError(
            f"the numbers of {place!r} are so large (or a deviation so small) that predictions are not finite",
            path=path,
            expected="weights of a trained network",
        )
    return network.eval()
