"""Numbers of a training as TensorBoard shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kinetoscope_spec.errors import ProviderUnavailable

__all__ = ["Logs"]


class Logs:
    """TensorBoard's logs, or nothing."""

    def __init__(self, folder: str | None) -> None:
        self._writer: Any = None
        if folder is None:
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise ProviderUnavailable(
                "logs need the package tensorboard: pip install 'kinetoscope-codebook[tensorboard]'"
            ) from None
        self._writer = SummaryWriter(folder)

    def __call__(self, entry: Mapping[str, float], rate: float) -> None:
        """Log an entry of the history, and the learning rate."""
        if self._writer is not None:
            for name, value in {**entry, "rate": rate}.items():
                if name != "step":
                    self._writer.add_scalar(f"training/{name}", value, int(entry["step"]))

    def close(self) -> None:
        """Write what is left to write."""
        if self._writer is not None:
            self._writer.close()
