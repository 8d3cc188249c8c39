"""The model: ridge regression of outputs on random waves of the inputs, solved at once.

Rahimi and Recht 2007, "Random Features for Large-Scale Kernel Machines". A checkpoint is JSON: numbers
survive it to the last bit, and nothing in it can run.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec import FeatureSchema, TrainingSet
from kinetoscope_spec.errors import Cancelled, FormatError, ProviderUnavailable, ValidationError
from kinetoscope_spec.protocols import Progress

__all__ = ["AcmeThingFitted", "AcmeThingModel"]

Array = NDArray[Any]

FORMAT: Final = "acme-thing/1"
WAVES: Final = 64
RIDGE: Final = 1e-6  # on the diagonal, for each row: what small weights are worth against small errors
FAR: Final = 8.0  # standard deviations at which inputs are cut off: further out nothing was ever seen

GRAPH: Final = """
<ir_version: 9, opset_import: ["": 17]>
waves (double[N, {inputs}] inputs) => (double[N, {outputs}] outputs) {{
    centred = Sub(inputs, input_mean)
    normal = Div(centred, input_deviation)
    near = Clip(normal, low, high)
    turned = MatMul(near, directions)
    shifted = Add(turned, phases)
    waves = Cos(shifted)
    summed = MatMul(waves, weights)
    outputs = Add(summed, output_mean)
}}
"""


def shapes(inputs: int, outputs: int) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of a model's arrays."""
    means = {"input_mean": (inputs,), "input_deviation": (inputs,), "output_mean": (outputs,)}
    return {**means, "directions": (inputs, WAVES), "phases": (WAVES,), "weights": (WAVES, outputs)}


@attrs.frozen(eq=False, kw_only=True)
class AcmeThingFitted:
    """A solved model.

    Attributes:
        input_schema, output_schema: the meaning of the columns.
        arrays: float64 arrays by name, see `shapes`.
        metadata: what the training set said of itself; features build themselves again from it.
    """

    input_schema: FeatureSchema
    output_schema: FeatureSchema
    arrays: Mapping[str, Array]
    metadata: Mapping[str, Any]

    def predict(self, inputs: Any, *, seed: int | None = None) -> Array:
        """Return outputs `[N, Y]` of `inputs [N, X]`; there is one answer, `seed` draws no other.

        Raises:
            ValidationError: another width than the input schema's, or a number that is not finite.
        """
        rows, width = np.asarray(inputs, np.float64), len(self.input_schema)
        if rows.ndim != 2 or rows.shape[1] != width or not np.isfinite(rows).all():
            raise ValidationError(
                f"inputs have shape {list(rows.shape)}, expected the {width} columns of the schema, finite"
            )
        found: Array = waves(self.arrays, rows) @ self.arrays["weights"] + self.arrays["output_mean"]
        return found

    def save(self, path: str | Path) -> None:
        """Write the checkpoint, whole or not at all."""
        schemas = {"inputs": self.input_schema.to_json(), "outputs": self.output_schema.to_json()}
        arrays = {name: array.tolist() for name, array in self.arrays.items()}
        held = {"format": FORMAT, **schemas, "arrays": arrays, "metadata": dict(self.metadata)}
        write_whole(Path(path), json.dumps(held, allow_nan=False).encode())

    def export_onnx(self, path: str | Path) -> None:
        """Write an ONNX file: `inputs [N, X]` to `outputs [N, Y]`, both double.

        Raises:
            ProviderUnavailable: the package `onnx` is missing.
        """
        try:
            from onnx import numpy_helper, parser
        except ImportError:
            raise ProviderUnavailable("exporting to ONNX needs the package onnx: pip install onnx") from None
        text = GRAPH.format(inputs=len(self.input_schema), outputs=len(self.output_schema))
        model = parser.parse_model(text)
        arrays = {**self.arrays, "low": np.array(-FAR), "high": np.array(FAR)}
        model.graph.initializer.extend(numpy_helper.from_array(held, name) for name, held in arrays.items())
        write_whole(Path(path), model.SerializeToString())


class AcmeThingModel:
    """Solves for its weights at once: there is nothing for a budget to limit."""

    def fit(
        self, dataset: TrainingSet, *, seed: int = 0, budget: Any = None, progress: Progress | None = None
    ) -> AcmeThingFitted:
        """Learn `dataset`; the same seed gives the same weights.

        Raises:
            Cancelled: `progress` returned False.
        """
        if progress is not None and progress(0, 1, f"{len(dataset)} rows") is False:
            raise Cancelled("training cancelled before it began")
        random = np.random.default_rng(seed)
        x, y = np.asarray(dataset.inputs, np.float64), np.asarray(dataset.outputs, np.float64)
        arrays = {
            "input_mean": x.mean(axis=0),
            "input_deviation": np.where(x.std(axis=0) < 1e-4, 1.0, x.std(axis=0)),
            "output_mean": y.mean(axis=0),
            "directions": random.normal(size=(x.shape[1], WAVES)),
            "phases": random.uniform(0, 2 * np.pi, WAVES),
        }
        risen = waves(arrays, x)
        normal = risen.T @ risen + RIDGE * len(x) * np.eye(WAVES)
        arrays["weights"] = np.linalg.solve(normal, risen.T @ (y - arrays["output_mean"]))
        if progress is not None:
            progress(1, 1, "solved")
        return AcmeThingFitted(
            input_schema=dataset.input_schema,
            output_schema=dataset.output_schema,
            arrays=arrays,
            metadata=dataset.metadata,
        )

    def load(self, path: str | Path) -> AcmeThingFitted:
        """Read a checkpoint; never runs code from it.

        Raises:
            FormatError: it is not one.
            OSError: it can't be read.
        """
        data = Path(path).read_bytes()
        try:
            held = json.loads(data)
            if held["format"] != FORMAT:
                raise ValueError(f"the format is {held['format']!r}")
            inputs, outputs = (FeatureSchema.from_json(held[name]) for name in ("inputs", "outputs"))
            arrays = {
                name: checked(name, held["arrays"][name], shape)
                for name, shape in shapes(len(inputs), len(outputs)).items()
            }
            metadata = dict(held["metadata"])
        except (ValueError, KeyError, TypeError, ArithmeticError, RecursionError) as error:
            raise FormatError(f"no checkpoint: {error}", path=path, expected=FORMAT) from None
        return AcmeThingFitted(input_schema=inputs, output_schema=outputs, arrays=arrays, metadata=metadata)


def waves(arrays: Mapping[str, Array], rows: Array) -> Array:
    """Return the waves `[N, WAVES]` of inputs `[N, X]`."""
    normal = np.clip((rows - arrays["input_mean"]) / arrays["input_deviation"], -FAR, FAR)
    risen: Array = np.cos(normal @ arrays["directions"] + arrays["phases"])
    return risen


def checked(name: str, numbers: Any, shape: tuple[int, ...]) -> Array:
    """Return `numbers` as an array; raise ValueError for another shape or what no model holds."""
    array = np.array(numbers, np.float64)
    if array.shape != shape or not np.isfinite(array).all():
        raise ValueError(f"{name} has shape {list(array.shape)}, expected {list(shape)}, finite")
    if name == "input_deviation" and not (array > 0).all():
        raise ValueError("input_deviation holds a number that is not above 0")
    return array


def write_whole(path: Path, data: bytes) -> None:
    """Write `data` to a temporary name beside `path`, then put it in place."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
