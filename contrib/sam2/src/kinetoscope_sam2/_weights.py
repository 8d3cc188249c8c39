"""Where the weights are, what is missing, and on which device the network runs."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Final

from kinetoscope_spec import ProviderUnavailable, ValidationError

__all__ = ["CHECKPOINT", "FOLDER", "TEXT_FOLDER", "config_of", "device_of", "loaded", "weights_path"]

CHECKPOINT: Final = "KINETOSCOPE_SAM2_CHECKPOINT"
FOLDER: Final = "KINETOSCOPE_SAM2_FOLDER"
TEXT_FOLDER: Final = "KINETOSCOPE_SAM3_FOLDER"

_SOURCES: Final = {
    CHECKPOINT: (
        "SAM 2",
        "download sam2.1_hiera_large.pt (898 MB, Apache-2.0) from "
        "https://github.com/facebookresearch/sam2#model-description and set {variable}, or checkpoint in "
        "[plugins.sam2], to the file",
    ),
    FOLDER: (
        "SAM 2",
        "download the repository facebook/sam2.1-hiera-large (Apache-2.0) from https://huggingface.co into a "
        "folder and set {variable}, or folder in [plugins.sam2], to it",
    ),
    TEXT_FOLDER: (
        "SAM 3",
        "accept the SAM License for the repository facebook/sam3 on https://huggingface.co, download it into a "
        "folder and set {variable}, or text_folder in [plugins.sam2], to it",
    ),
}
"""By the variable that names the weights: whose they are, and how to get them."""

_SIZES: Final = {"tiny": "t", "small": "s", "base_plus": "b+", "large": "l"}


def weights_path(given: str | Path | None, *, variable: str) -> Path:
    """Return where the weights are: a file for the package (`CHECKPOINT`), else a folder.

    Raises:
        ProviderUnavailable: they are not there; says what to download and where to put it.
    """
    whose, how = _SOURCES[variable]
    advice = how.format(variable=variable)
    told = str(given or os.environ.get(variable, "")).strip()
    if not told:
        raise ProviderUnavailable(f"{whose} needs weights and there are none: {advice}")
    path = Path(told).expanduser()
    if not (path.is_file() if variable == CHECKPOINT else path.is_dir()):
        kind = "a file" if variable == CHECKPOINT else "a folder"
        raise ProviderUnavailable(f"{whose}'s weights {path} are not {kind}: {advice}")
    return path


def loaded(kind: Any, folder: Path) -> Any:
    """Return a model of transformers' with the weights of a folder, all of them, without bars on standard error.

    Raises:
        ProviderUnavailable: some are missing, and the model would see with random ones.
    """
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        model, told = kind.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, output_loading_info=True
        )
    finally:
        if shown:
            logging.enable_progress_bar()
    missing = sorted(map(str, [*told["missing_keys"], *told["mismatched_keys"]]))
    if missing:
        raise ProviderUnavailable(
            f"{folder} lacks {len(missing)} of the weights of {kind.__name__}, the first is {missing[0]}: "
            "download it whole"
        )
    return model


def config_of(checkpoint: Path) -> str:
    """Return the package's configuration for a checkpoint by its published name.

    Raises:
        ValidationError: it has another name.
    """
    found = re.fullmatch(r"(sam2|sam2\.1)_hiera_(tiny|small|base_plus|large)(?:[._-].*)?", checkpoint.stem)
    if found is None:
        raise ValidationError(
            f"{checkpoint.name} is no name of a checkpoint of SAM 2's, expected such as sam2.1_hiera_large.pt; "
            "or name the configuration (config)"
        )
    return f"configs/{found[1]}/{found[1]}_hiera_{_SIZES[found[2]]}.yaml"


def device_of(wanted: str) -> Any:
    """Return the torch device: `auto` is the first GPU, else the CPU."""
    import torch

    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.device(wanted)
    except RuntimeError as error:
        raise ValidationError(f"device is {wanted!r}, expected auto, cpu or cuda") from error
