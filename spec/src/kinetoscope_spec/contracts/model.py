"""The contract of the hook `model`: learning outputs from inputs, predicting, and checkpoints."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import random
import re
import unittest
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from hypothesis import strategies as st

from kinetoscope_spec._arrays import Array
from kinetoscope_spec.contracts._bombs import bombs
from kinetoscope_spec.contracts._bounds import bounded_memory, bounded_time
from kinetoscope_spec.contracts._contract import Contract
from kinetoscope_spec.contracts._law import law, require
from kinetoscope_spec.contracts.strategies._learning import training_sets
from kinetoscope_spec.contracts.strategies._text import file_bytes
from kinetoscope_spec.errors import (
    Cancelled,
    ContractError,
    FormatError,
    ProviderUnavailable,
    ValidationError,
)
from kinetoscope_spec.learning import Column, TrainingSet

__all__ = ["ModelContract"]

SECONDS = 60.0
"""What reading one small checkpoint may take, the import of a library included."""

BYTES = 256 << 20
"""What reading one small checkpoint may take of memory, besides 4,096 bytes for each byte of it."""

FAR = (10.0, 1e3, 1e6, 1e12, 1e30)
"""How far outside of the training set's range inputs are taken, in their own units."""


class ModelContract(Contract):
    """What callers of a model rely on.

    Attributes:
        budget: what most laws train with: as little as shows the law.
        memorise_budget: what it takes to memorise eight rows.
        memorised: the share of the outputs' variance that may be left then.
        tolerance: by how much predictions of a batch and of its rows may differ, for numbers about 1 and
            below; larger ones may differ by as much more.
        onnx_tolerance: the same for predictions by the exported ONNX file.
    """

    hook: ClassVar[str] = "model"
    mutants: ClassVar[str | None] = "kinetoscope_spec.contracts.mutants.model:MUTANTS"
    budget: Mapping[str, float] = {"steps": 10}
    memorise_budget: Mapping[str, float] = {"steps": 300}
    memorised: float = 0.3
    tolerance: float = 1e-5
    onnx_tolerance: float = 1e-5

    def training_sets(self) -> st.SearchStrategy[TrainingSet]:
        """Return training sets that the model accepts."""
        return training_sets()

    def batches(self) -> st.SearchStrategy[TrainingSet]:
        """Return training sets that are small enough to be memorised."""
        return training_sets(rows=st.just(8), constant=False)

    # -- laws

    @law("training_sets", st.integers(0, 2**32 - 1), cost=10)
    def test_the_same_seed_gives_the_same_weights(self, dataset: TrainingSet, seed: int) -> None:
        """The same seed gives the same weights, whatever was drawn or trained in between.

        Weights are compared by what they predict, to the last bit.
        """
        first = self._fit(dataset, seed=seed)
        random.random()  # noqa: S311 - moves the generators that a careless model draws from
        np.random.random(3)
        self._fit(dataset, seed=seed ^ 1)
        again = self._fit(dataset, seed=seed)
        a, b = (self._predict(fitted, dataset.inputs) for fitted in (first, again))
        require(np.array_equal(a, b), f"trained twice with seed {seed}, {_worst(a, b)}")

    @law("training_sets", cost=10)
    def test_a_batch_equals_its_rows(self, dataset: TrainingSet) -> None:
        """Predicting a batch gives what predicting each of its rows alone gives."""
        fitted = self._fit(dataset)
        together = self._predict(fitted, dataset.inputs)
        shape = (len(dataset), len(dataset.output_schema))
        require(
            together.shape == shape, f"predictions have shape {list(together.shape)}, expected {list(shape)}"
        )
        alone = self._alone(fitted, dataset.inputs)
        self._same(alone, together, "rows predicted alone, and as a batch", self.tolerance)

    @law("training_sets", cost=10)
    def test_saving_and_loading_changes_no_bit(self, dataset: TrainingSet) -> None:
        """A model that is saved and loaded predicts the same to the last bit; saving leaves one whole file."""
        fitted = self._fit(dataset)
        expected = self._predict(fitted, dataset.inputs)
        with self.folder() as folder:
            path = folder / "model.checkpoint"
            path.write_bytes(b"what stood here before")
            fitted.save(path)
            left = sorted(other.name for other in folder.iterdir())
            require(left == [path.name], f"saving {path.name!r} left {left} in its folder, expected it alone")
            loaded = self.subject.load(path)
            found = self._predict(loaded, dataset.inputs)
            require(
                np.array_equal(expected, found), f"before saving and after loading, {_worst(expected, found)}"
            )
            require(path.exists(), "loading took the file away")

    @law("batches", st.integers(0, 2**16), cost=25)
    def test_loss_falls_on_a_batch_it_can_memorise(self, dataset: TrainingSet, seed: int) -> None:
        """Eight rows are learned by heart: little of the outputs' variance is left unexplained."""
        fitted = self.subject.fit(dataset, seed=seed, budget=dict(self.memorise_budget))
        truth = np.asarray(dataset.outputs, np.float64)
        found = np.asarray(self._predict(fitted, dataset.inputs), np.float64)
        left = float((((found - truth) ** 2).mean(axis=0) / truth.var(axis=0)).mean())
        require(
            left <= self.memorised,
            f"{left:.0%} of the variance of {len(dataset)} rows is left after {dict(self.memorise_budget)}, "
            f"expected at most {self.memorised:.0%}; the mean alone leaves 100%",
        )

    @law("training_sets", st.integers(0, 2**16), cost=10)
    def test_far_inputs_give_finite_outputs(self, dataset: TrainingSet, seed: int) -> None:
        """Inputs far outside of the range that was trained on give finite outputs."""
        fitted = self._fit(dataset)
        signs = np.random.default_rng(seed).choice((-1.0, 0.0, 1.0), size=np.shape(dataset.inputs))
        for far in FAR:
            found = self._predict(fitted, (dataset.inputs + far * signs).astype(np.float32))
            count = int((~np.isfinite(found)).sum())
            require(not count, f"inputs {far:g} away gave {count} of {found.size} outputs not finite")

    @law("training_sets", cost=10)
    def test_wrong_width_names_the_schema(self, dataset: TrainingSet) -> None:
        """Inputs of another width are a `ValidationError` that says both widths and speaks of the schema."""
        fitted = self._fit(dataset)
        width = len(dataset.input_schema)
        for wrong in (width - 1, width + 1, width + 7):
            self._refuses(fitted, wrong, width)

    @law("training_sets", cost=25)
    def test_a_strangers_checkpoint_cannot_run_code(self, dataset: TrainingSet) -> None:
        """A checkpoint from a stranger never runs code, whatever pickles it is made of or holds."""
        own = self._checkpoint(dataset)
        with self.folder() as folder:
            canary = folder / "canary"
            for what, data in bombs(canary, own).items():
                path = folder / "stranger.checkpoint"
                path.write_bytes(data)
                with contextlib.suppress(Exception):  # which error it is, is another law's business
                    self.subject.load(path)
                require(not canary.exists(), f"loading {what} ran the code in it, expected a FormatError")

    @law("_damaged", cost=0.5)
    def test_any_bytes_end_in_a_model_or_a_format_error(self, data: bytes) -> None:
        """Any bytes end in a model or a `FormatError` that names the file, in bounded time and memory."""
        what = f"loading {len(data)} bytes"
        with self.folder() as folder:
            path = folder / "damaged.checkpoint"
            path.write_bytes(data)
            with bounded_memory(BYTES + 4096 * len(data), what), bounded_time(SECONDS, what):
                try:
                    self.subject.load(path)
                except FormatError as error:
                    require(path.name in str(error), f"the FormatError does not name the file: {error}")

    @law("training_sets", cost=10, unless="cannot_export")
    def test_onnx_gives_the_same_outputs(self, dataset: TrainingSet) -> None:
        """The exported ONNX file predicts what the model predicts, to 1e-5."""
        fitted = self._fit(dataset)
        expected = self._alone(fitted, dataset.inputs)
        with self.folder() as folder:
            path = folder / "model.onnx"
            try:
                fitted.export_onnx(path)
            except ProviderUnavailable as error:
                raise unittest.SkipTest(str(error)) from error
            found = _by_onnx(path, np.asarray(dataset.inputs))
        self._same(expected, found, "predictions, and those of the ONNX file", self.onnx_tolerance)

    @law("training_sets", cost=10)
    def test_progress_cancels(self, dataset: TrainingSet) -> None:
        """Progress is told `(done, total, message)` while training; returning False raises `Cancelled`."""
        told: list[tuple[Any, ...]] = []
        self.subject.fit(dataset, budget=dict(self.budget), progress=lambda *call: told.append(call))
        require(told, "progress was never told anything")
        for call in told:
            fits = len(call) == 3 and 0 <= call[0] <= call[1] and isinstance(call[2], str)
            require(fits, f"progress was told {call}, expected (done, total, message) with done up to total")
        try:
            self.subject.fit(dataset, budget=dict(self.budget), progress=lambda *_: False)
        except Cancelled:
            return
        raise ContractError("training went on although progress returned False, expected Cancelled")

    # -- what laws draw, and why some do not apply

    def cannot_export(self) -> str | None:
        """Return why the law of ONNX does not apply, or None."""
        if not importlib.util.find_spec("onnxruntime"):
            return "onnxruntime is not installed"
        return None if hasattr(self._small(), "export_onnx") else "what it fits has no 'export_onnx'"

    def _damaged(self) -> st.SearchStrategy[bytes]:
        with self.folder() as folder:
            path = folder / "model.checkpoint"
            self._small().save(path)
            own = path.read_bytes()
        armed = list(bombs(Path(os.devnull), own).values())
        cut = st.integers(0, len(own)).map(lambda stop: own[:stop])
        return st.one_of(file_bytes([own]), cut, st.sampled_from(armed))

    def _small(self) -> Any:
        """Return a model fitted to the simplest training set."""
        rows = np.linspace(-1, 1, 8, dtype=np.float32)[:, None]
        schema = TrainingSet.measured((Column("x"),), rows)
        return self._fit(TrainingSet(rows, rows**2, schema, TrainingSet.measured((Column("y"),), rows**2)))

    # -- how they use the model, and compare

    def _fit(self, dataset: TrainingSet, *, seed: int = 0) -> Any:
        return self.subject.fit(dataset, seed=seed, budget=dict(self.budget))

    def _predict(self, fitted: Any, inputs: Array) -> Array:
        return np.array(fitted.predict(inputs))

    def _alone(self, fitted: Any, inputs: Array) -> Array:
        return np.concatenate([self._predict(fitted, inputs[i : i + 1]) for i in range(len(inputs))])

    def _refuses(self, fitted: Any, wrong: int, width: int) -> None:
        try:
            found = fitted.predict(np.zeros((3, wrong), np.float32))
        except ValidationError as error:
            told = set(re.findall(r"\d+", str(error)))
            require(
                {str(width), str(wrong)} <= told and "schema" in str(error),
                f"the error says {str(error)!r}, expected both widths, {wrong} and {width}, and the word schema",
            )
        else:
            raise ContractError(
                f"inputs of {wrong} columns gave predictions of shape {list(np.shape(found))}, expected a "
                f"ValidationError: the input schema has {width}"
            )

    def _checkpoint(self, dataset: TrainingSet) -> bytes:
        with self.folder() as folder:
            path = folder / "model.checkpoint"
            self._fit(dataset).save(path)
            return path.read_bytes()

    def _same(self, a: Array, b: Array, what: str, tolerance: float) -> None:
        require(a.shape == b.shape, f"{what}: shapes {list(a.shape)} and {list(b.shape)}, expected the same")
        bound = tolerance * (1 + np.abs(a).max(axis=0, initial=0.0))
        require(np.abs(a - b) <= bound, f"{what}: {_worst(a, b)}, expected the same to {bound.max():.2g}")


def _worst(a: Array, b: Array) -> str:
    """Say where `a` and `b` differ most."""
    if a.shape != b.shape:
        return f"shapes are {list(a.shape)} and {list(b.shape)}"
    row, column = np.unravel_index(int(np.argmax(np.abs(a - b))), a.shape)
    return f"output {column} of row {row} is {a[row, column]:.9g} and {b[row, column]:.9g}"


def _by_onnx(path: Path, inputs: Array) -> Array:
    import onnxruntime

    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    (taken,) = session.get_inputs()
    dtype = np.float64 if taken.type == "tensor(double)" else np.float32
    return np.asarray(session.run(None, {taken.name: inputs.astype(dtype)})[0])
