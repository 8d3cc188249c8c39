"""Where the weights are, what to do where they are not, and reading them strictly."""

from __future__ import annotations

import json
import os
from inspect import signature
from pathlib import Path
from typing import Any, Final

from kinetoscope_spec import FormatError, ProviderUnavailable

__all__ = ["BASE", "CHANNELS", "FOLDER", "find_folder", "read_transformer", "transformer_config"]

FOLDER: Final = "KINETOSCOPE_VOID_FOLDER"
BASE: Final = "CogVideoX-Fun-V1.5-5b-InP"
CHANNELS: Final = 48
"""Of the transformer's input: 16 of noisy latents, 16 of the mask's, 16 of the film's, in this order."""

_COMPONENTS: Final = ("transformer/config.json", "vae", "text_encoder", "tokenizer", "scheduler")
_ADVICE: Final = (
    f"download the repository alibaba-pai/{BASE} (20 GB, CogVideoX License) from https://huggingface.co to "
    f"{BASE} in a folder, and from netflix/void-model (Apache-2.0) void_pass1.safetensors and, for the second "
    f"pass, void_pass2.safetensors (10.4 GiB each) beside it; then set {FOLDER}, or folder in [plugins.void], "
    "to that folder"
)


def find_folder(given: Path | None, passes: int) -> Path:
    """Return the folder of the weights, in which all are that `passes` need.

    Raises:
        ProviderUnavailable: something is not there; says what to download and where to put it.
    """
    told = str(given or os.environ.get(FOLDER, "")).strip()
    if not told:
        raise ProviderUnavailable(f"VOID needs weights and there are none: {_ADVICE}")
    folder = Path(told).expanduser()
    wanted = [f"{BASE}/{part}" for part in _COMPONENTS]
    wanted += [f"void_pass{n}.safetensors" for n in range(1, passes + 1)]
    missing = [name for name in wanted if not (folder / name).exists()]
    if missing:
        more = " (or set passes to 1 for the first alone)" if missing == ["void_pass2.safetensors"] else ""
        raise ProviderUnavailable(f"VOID's folder {folder} lacks {', '.join(missing)}{more}: {_ADVICE}")
    return folder


def transformer_config(folder: Path) -> tuple[dict[str, Any], bool]:
    """Return the transformer's configuration for VOID, and whether noise is added to the film it is told.

    Raises:
        FormatError: the base's `config.json` is no configuration of a CogVideoX 1.5 transformer.
    """
    from diffusers import CogVideoXTransformer3DModel

    path = folder / BASE / "transformer" / "config.json"
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FormatError(f"can't be read: {error}", path=path) from error
    if not isinstance(held, dict) or not isinstance(held.get("patch_size_t"), int):
        raise FormatError(
            "is no configuration of VOID's base", path=path, expected="patch_size_t, as in CogVideoX 1.5"
        )
    known = set(signature(CogVideoXTransformer3DModel.__init__).parameters) - {"self"}
    config = {name: value for name, value in held.items() if name in known}
    return {**config, "in_channels": CHANNELS}, bool(held.get("add_noise_in_inpaint_model", False))


def read_transformer(path: Path, config: dict[str, Any], kind: Any) -> Any:
    """Return the transformer with the weights of `path` as type `kind`: all of them, and no others.

    Raises:
        FormatError: the file is no safetensors file, or its tensors are not those of `config`.
    """
    import diffusers
    import torch
    from accelerate import init_empty_weights
    from safetensors import SafetensorError, safe_open

    kind_of_network: Any = diffusers.CogVideoXTransformer3DModel
    with init_empty_weights():
        network = kind_of_network(**config)
    wanted = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    try:
        with safe_open(path, framework="pt") as file:
            found = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
            _compare(path, wanted, found)
            held: dict[str, torch.Tensor] = {name: file.get_tensor(name).to(kind) for name in wanted}
    except (SafetensorError, OSError) as error:
        raise FormatError(f"can't be read: {error}", path=path, expected="a safetensors file") from error
    network.load_state_dict(held, strict=True, assign=True)
    return network.eval().requires_grad_(False)


def _compare(path: Path, wanted: dict[str, Any], found: dict[str, Any]) -> None:
    """Raise a `FormatError` unless both have the same names and shapes."""
    missing, more = sorted(wanted.keys() - found.keys()), sorted(found.keys() - wanted.keys())
    if missing or more:
        told = [
            f"{len(names)} {kind}: {', '.join(names[:3])}"
            for names, kind in ((missing, "missing"), (more, "unknown"))
            if names
        ]
        raise FormatError(f"tensors {'; '.join(told)}", path=path, expected="those of VOID's transformer")
    for name, shape in wanted.items():
        if found[name] != shape:
            raise FormatError(f"{name} is {list(found[name])}", path=path, expected=str(list(shape)))
