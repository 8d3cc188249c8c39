"""Where the weights are, what is missing, and on which device the network runs."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Final

from kinetoscope_spec import ProviderUnavailable, ValidationError

__all__ = ["CHECKPOINT", "FOLDER", "config_of", "device_of", "weights_path"]

CHECKPOINT: Final = "KINETOSCOPE_SAM2_CHECKPOINT"
FOLDER: Final = "KINETOSCOPE_SAM2_FOLDER"

_PACKAGE: Final = (
    "download sam2.1_hiera_large.pt (898 MB, Apache-2.0) from "
    "https://github.com/facebookresearch/sam2#model-description and set {variable}, or checkpoint in "
    "[plugins.sam2], to the file"
)
_PORT: Final = (
    "download the repository facebook/sam2.1-hiera-large (Apache-2.0) from https://huggingface.co into a folder "
    "and set {variable}, or folder in [plugins.sam2], to it"
)
_SIZES: Final = {"tiny": "t", "small": "s", "base_plus": "b+", "large": "l"}


def weights_path(given: str | Path | None, *, folder: bool) -> Path:
    """Return where the weights are: a file for the package, a folder for the port.

    Raises:
        ProviderUnavailable: they are not there; says what to download and where to put it.
    """
    variable = FOLDER if folder else CHECKPOINT
    advice = (_PORT if folder else _PACKAGE).format(variable=variable)
    told = str(given or os.environ.get(variable, "")).strip()
    if not told:
        raise ProviderUnavailable(f"SAM 2 needs weights and there are none: {advice}")
    path = Path(told).expanduser()
    if not (path.is_dir() if folder else path.is_file()):
        kind = "a folder" if folder else "a file"
        raise ProviderUnavailable(f"SAM 2's weights {path} are not {kind}: {advice}")
    return path


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
