"""SAM 2 for Kinetoscope: the segmenters `sam2` (its package) and `sam2-transformers` (the port)."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from kinetoscope_spec import Provider, hookimpl

__all__ = ["configured", "segmenters"]

_told = threading.local()

_SETTINGS = ("checkpoint", "config", "device", "folder")


@hookimpl
def configured(settings: Mapping[str, Any]) -> None:
    """Take `[plugins.sam2]` for the providers that the same host asks for next."""
    _told.settings = dict(settings)


@hookimpl(specname="segmenter")
def segmenters() -> Sequence[Provider]:
    """Offer both; the package first, whose checkpoints its makers publish."""
    settings = getattr(_told, "settings", {})
    weights = () if settings.get("checkpoint") else ("env:KINETOSCOPE_SAM2_CHECKPOINT",)
    folder = () if settings.get("folder") else ("env:KINETOSCOPE_SAM2_FOLDER",)
    return [
        Provider(
            "sam2",
            "SAM 2 on its package, with the official checkpoints",
            load=partial(_package, settings),
            devices=("cuda", "cpu"),
            licence="Apache-2.0",
            requires=("module:sam2", *weights),
            order=1,
        ),
        Provider(
            "sam2-transformers",
            "SAM 2 on transformers' port, with a folder of its weights",
            load=partial(_port, settings),
            devices=("cuda", "cpu"),
            licence="Apache-2.0",
            requires=("module:transformers", *folder),
        ),
    ]


def _package(settings: Mapping[str, Any]) -> Any:
    from kinetoscope_sam2.package import Sam2Segmenter

    return Sam2Segmenter(**_of(settings, ("checkpoint", "config", "device")))


def _port(settings: Mapping[str, Any]) -> Any:
    from kinetoscope_sam2.port import Sam2TransformersSegmenter

    return Sam2TransformersSegmenter(**_of(settings, ("folder", "device")))


def _of(settings: Mapping[str, Any], wanted: Sequence[str]) -> dict[str, Any]:
    """Return the settings that one of the two providers takes.

    Raises:
        ValidationError: there is one that neither does.
    """
    from kinetoscope_spec import ValidationError

    for name in settings:
        if name not in _SETTINGS:
            raise ValidationError(f"sam2 has no setting {name!r}, expected one of {', '.join(_SETTINGS)}")
    return {name: held for name, held in settings.items() if name in wanted}
