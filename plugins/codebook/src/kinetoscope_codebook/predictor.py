"""Prediction in real time: one character or a crowd, with the least there is between question and answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from kinetoscope_codebook.onnx_export import onnx_bytes
from kinetoscope_spec.errors import ProviderUnavailable, ValidationError

if TYPE_CHECKING:
    from kinetoscope_codebook.fitted import FittedNetwork

__all__ = ["Predictor"]

ENGINES = ("onnx", "torch", "compile")


class Predictor:
    """A trained network made ready to be asked again and again.

    `onnx` runs its exported graph in ONNX Runtime (extra `realtime`), `torch` runs it as it is,
    `compile` through `torch.compile` (which needs a C++ compiler, and seconds for the first answer).
    All give what `FittedNetwork.predict` gives, to 1e-5 in standard deviations. Not for several threads at once.

    Args:
        fitted: the trained network.
        engine: one of `ENGINES`.
        threads: of ONNX Runtime; small networks are quickest on one. Torch's are left as they are.

    Raises:
        ValidationError: another engine.
        ProviderUnavailable: ONNX or ONNX Runtime is not installed.
    """

    def __init__(self, fitted: FittedNetwork, *, engine: str = "onnx", threads: int = 1) -> None:
        if engine not in ENGINES:
            raise ValidationError(f"engine is {engine!r}, expected one of {', '.join(map(repr, ENGINES))}")
        self._fitted, self._network = fitted, fitted.network
        self._draws = fitted.network.draw(1, torch.Generator().manual_seed(0)) is not None
        self._sessions: dict[bool, Any] = {}
        self._run = self._by_onnx if engine == "onnx" else self._by_torch
        self._threads = threads
        if engine == "compile":
            self._network = torch.compile(fitted.network)  # type: ignore[assignment]
        if engine == "onnx":
            self._session(drawn=False)

    def predict(self, inputs: Any, *, seed: int | None = None) -> NDArray[np.float32]:
        """Return outputs `[N, Y]` for `inputs [N, X]`; `seed` as in `FittedNetwork.predict`.

        Raises:
            ValidationError: another width. Whether numbers are finite is not looked at.
        """
        rows = np.require(inputs, np.float32, ["C", "W"])
        wanted = len(self._fitted.input_schema)
        if rows.ndim != 2 or rows.shape[1] != wanted:
            raise ValidationError(
                f"inputs have shape {list(rows.shape)}, expected [N, {wanted}] by the schema"
            )
        noise = None
        if seed is not None and self._draws:
            noise = self._network.draw(len(rows), torch.Generator().manual_seed(seed))
        return self._run(rows, noise)

    def _by_onnx(self, rows: NDArray[np.float32], noise: torch.Tensor | None) -> NDArray[np.float32]:
        given = {"inputs": rows} if noise is None else {"inputs": rows, "noise": noise.numpy()}
        found: NDArray[np.float32] = self._session(drawn=noise is not None).run(None, given)[0]
        return found

    def _by_torch(self, rows: NDArray[np.float32], noise: torch.Tensor | None) -> NDArray[np.float32]:
        with torch.no_grad():
            found: NDArray[np.float32] = self._network(torch.from_numpy(rows), noise).numpy()
        return found

    def _session(self, *, drawn: bool) -> Any:
        """Return ONNX Runtime's session, made when first asked for: most characters never draw."""
        if drawn not in self._sessions:
            try:
                import onnxruntime
            except ImportError:
                raise ProviderUnavailable(
                    "the engine 'onnx' needs onnxruntime: pip install 'kinetoscope-codebook[realtime]'"
                ) from None
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = self._threads
            self._sessions[drawn] = onnxruntime.InferenceSession(
                onnx_bytes(self._fitted.network, drawn=drawn), options, providers=["CPUExecutionProvider"]
            )
        return self._sessions[drawn]
