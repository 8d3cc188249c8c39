"""The host's logger, `kinetoscope.host`; silent unless the application sets logging up."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging

__all__ = ["log_failure", "warn"]


def warn(text: str) -> None:
    """Log what went wrong. `logging` is imported here: where all is well nobody pays for it."""
    _logger().warning("%s", text)


def log_failure(text: str) -> None:
    """Log the exception that is being handled, with its traceback."""
    _logger().exception("%s", text)


def _logger() -> logging.Logger:
    import logging

    root = logging.getLogger("kinetoscope")
    if not root.handlers:
        root.addHandler(logging.NullHandler())
    return root.getChild("host")
