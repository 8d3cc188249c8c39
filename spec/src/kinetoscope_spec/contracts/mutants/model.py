"""Models with one thing wrong."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from kinetoscope_spec._arrays import Array
from kinetoscope_spec.contracts.mutants import Mutant, Wrapper, mutant
from kinetoscope_spec.errors import FormatError, ValidationError
from kinetoscope_spec.learning import TrainingSet

__all__ = ["MUTANTS"]

MUTANTS: list[Mutant] = []


class _Fits(Wrapper):
    """A model whose fitted models, trained or loaded, are wrapped."""

    def fit(self, dataset: TrainingSet, **options: Any) -> Any:
        return self.wrapped(self.real.fit(dataset, **options))

    def load(self, path: str | Path) -> Any:
        return self.wrapped(self.real.load(path))

    def wrapped(self, fitted: Any) -> Any:
        raise NotImplementedError  # pragma: no cover - every mutant has its own


@mutant(MUTANTS, "the_same_seed_gives_the_same_weights")
class Draws(Wrapper):
    """draws noise on its training rows from NumPy's global generator"""

    def fit(self, dataset: TrainingSet, **options: Any) -> Any:
        noise = 1e-4 * np.random.standard_normal(np.shape(dataset.outputs))
        return self.real.fit(attrs.evolve(dataset, outputs=dataset.outputs * (1 + noise)), **options)


class _Centred(Wrapper):
    """A fitted model that sees inputs relative to their batch."""

    def predict(self, inputs: Array, **options: Any) -> Array:
        found: Array = self.real.predict(inputs, **options)
        centred: Array = found + 0.01 * (found.mean(axis=0) - found)
        return centred


@mutant(MUTANTS, "a_batch_equals_its_rows")
class Normalises(_Fits):
    """goes on normalising by the batch when it predicts"""

    def wrapped(self, fitted: Any) -> Any:
        return _Centred(fitted)


class _Halved(Wrapper):
    """A fitted model whose predictions have few digits."""

    def predict(self, inputs: Array, **options: Any) -> Array:
        found: Array = self.real.predict(inputs, **options)
        return found.astype(np.float16).astype(found.dtype)


@mutant(MUTANTS, "saving_and_loading_changes_no_bit")
class Halves(Wrapper):
    """loads in half precision"""

    def load(self, path: str | Path) -> Any:
        return _Halved(self.real.load(path))


class _Litters(Wrapper):
    """A fitted model that writes beside its checkpoint."""

    def save(self, path: str | Path) -> None:
        self.real.save(path)
        Path(f"{path}.tmp").write_bytes(b"")


@mutant(MUTANTS, "saving_and_loading_changes_no_bit")
class Leaves(_Fits):
    """leaves a temporary file beside its checkpoint"""

    def wrapped(self, fitted: Any) -> Any:
        return _Litters(fitted)


@mutant(MUTANTS, "loss_falls_on_a_batch_it_can_memorise")
class Shuffles(Wrapper):
    """takes the outputs of other rows for those of a row"""

    def fit(self, dataset: TrainingSet, **options: Any) -> Any:
        return self.real.fit(attrs.evolve(dataset, outputs=np.roll(dataset.outputs, 1, axis=0)), **options)


class _Overflows(Wrapper):
    """A fitted model that does not cut off its inputs."""

    def predict(self, inputs: Array, **options: Any) -> Array:
        found: Array = self.real.predict(inputs, **options)
        far = np.abs(np.asarray(inputs)).max(axis=1, initial=0.0) > 1e5
        return np.where(far[:, None], np.inf, found).astype(found.dtype)


@mutant(MUTANTS, "far_inputs_give_finite_outputs")
class Explodes(_Fits):
    """overflows where inputs are large"""

    def wrapped(self, fitted: Any) -> Any:
        return _Overflows(fitted)


class _Silent(Wrapper):
    """A fitted model whose errors speak of matrices."""

    def predict(self, inputs: Array, **options: Any) -> Array:
        try:
            found: Array = self.real.predict(inputs, **options)
        except ValidationError as error:
            raise ValidationError(f"matmul: mismatch in dimension {np.ndim(inputs) - 1}") from error
        return found


@mutant(MUTANTS, "wrong_width_names_the_schema")
class Mumbles(_Fits):
    """says of a wrong width what matrices say"""

    def wrapped(self, fitted: Any) -> Any:
        return _Silent(fitted)


@mutant(MUTANTS, "a_strangers_checkpoint_cannot_run_code")
class Trusts(Wrapper):
    """unpickles what begins like a pickle before it looks at it"""

    def load(self, path: str | Path) -> Any:
        data = Path(path).read_bytes()
        if data[:1] == b"\x80" and b"canary" in data:
            pickle.loads(data)  # noqa: S301 - the mistake that the law is about
        return self.real.load(path)


@mutant(MUTANTS, "any_bytes_end_in_a_model_or_a_format_error")
class Leaks(Wrapper):
    """lets a KeyError through where a checkpoint lacks something"""

    def load(self, path: str | Path) -> Any:
        try:
            return self.real.load(path)
        except FormatError as error:
            raise KeyError("weights") from error


class _Stale(Wrapper):
    """A fitted model that exports another one's weights."""

    def __init__(self, real: Any, other: Any) -> None:
        super().__init__(real)
        self.other = other

    def __getattr__(self, name: str) -> Any:
        return getattr(self.other if name == "export_onnx" else self.real, name)


@mutant(MUTANTS, "onnx_gives_the_same_outputs")
class Exports(Wrapper):
    """exports weights that are a thousandth off"""

    def fit(self, dataset: TrainingSet, **options: Any) -> Any:
        fitted = self.real.fit(dataset, **options)
        near = attrs.evolve(dataset, outputs=dataset.outputs * 1.001)
        return _Stale(fitted, self.real.fit(near, **options))


@mutant(MUTANTS, "progress_cancels")
class Persists(Wrapper):
    """goes on training when progress says no"""

    def fit(self, dataset: TrainingSet, *, progress: Any = None, **options: Any) -> Any:
        def told(done: int, total: int, message: str) -> None:
            if progress is not None:
                progress(done, total, message)

        return self.real.fit(dataset, progress=told, **options)
