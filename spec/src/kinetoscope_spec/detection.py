"""What a detector says of a file."""

from __future__ import annotations

import attrs

from kinetoscope_spec.errors import ValidationError

__all__ = ["MODES", "Detection"]

MODES = ("best-guess", "medium-confidence", "high-confidence")
"""From the laxest to the strictest: a stricter mode says `unknown` or `txt` where it is not sure."""


@attrs.frozen
class Detection:
    """The content type of one file.

    Attributes:
        label: the content type: `bvh`, `png`, `unknown`, `directory`, `empty`.
        mime: its MIME type.
        group: `animation`, `image`, `code`, `text`, `archive`, ...
        score: from 0 to 1; a signature that was validated scores 1.
        mode: which of `MODES` decided between label and `unknown`.
        decided_by: `filesystem`, `signature`, `rule`, `model` or `size`.
        overwrite_reason: `none`, `low-confidence` or `overwrite-map`: why `label` is not what the
            model said.
        alarms: what looks wrong although it does not change the label, one sentence each.
        error: why the file could not be read, or None.
        path: the file, or None for bytes and streams.
        is_text: whether the content is text.
    """

    label: str
    mime: str = "application/octet-stream"
    group: str = "unknown"
    score: float = 1.0
    mode: str = attrs.field(default="high-confidence", validator=attrs.validators.in_(MODES))
    decided_by: str = "signature"
    overwrite_reason: str = "none"
    alarms: tuple[str, ...] = attrs.field(default=(), converter=tuple)
    error: str | None = None
    path: str | None = None
    is_text: bool = False

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.score <= 1:
            raise ValidationError(f"Detection.score is {self.score}, expected 0 to 1")
