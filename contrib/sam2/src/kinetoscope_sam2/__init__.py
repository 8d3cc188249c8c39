"""SAM 2 and SAM 3 for Kinetoscope: the segmenters `sam2`, `sam2-transformers` and `sam3-transformers`."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from kinetoscope_spec import Provider, hookimpl

__all__ = ["configured", "segmenters"]

_told = threading.local()

_SETTINGS = ("checkpoint", "config", "device", "folder", "text_folder")


@hookimpl
def configured(settings: Mapping[str, Any]) -> None:
    """Take `[plugins.sam2]` for the providers that the same host asks for next."""
    _told.settings = dict(settings)


@hookimpl(specname="segmenter")
def segmenters() -> Sequence[Provider]:
    """Offer SAM 2 twice, the package first, whose checkpoints its makers publish; then SAM 3, which knows words."""
    settings = getattr(_told, "settings", {})
    weights = () if settings.get("checkpoint") else ("env:KINETOSCOPE_SAM2_CHECKPOINT",)
    folder = () if settings.get("folder") else ("env:KINETOSCOPE_SAM2_FOLDER",)
    words = () if settings.get("text_folder") else ("env:KINETOSCOPE_SAM3_FOLDER",)
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
        Provider(
            "sam3-transformers",
            "SAM 3 on transformers: things by what they are called, with a folder of its weights",
            load=partial(_text, settings),
            devices=("cuda", "cpu"),
            licence="SAM License",
            requires=("module:transformers", *words),
        ),
    ]


def _package(settings: Mapping[str, Any]) -> Any:
    from kinetoscope_sam2.package import Sam2Segmenter

    return Sam2Segmenter(**_of(settings, ("checkpoint", "config", "device")))


def _port(settings: Mapping[str, Any]) -> Any:
    from kinetoscope_sam2.port import Sam2TransformersSegmenter

    return Sam2TransformersSegmenter(**_of(settings, ("folder", "device")))


def _text(settings: Mapping[str, Any]) -> Any:
    from kinetoscope_sam2.text import Sam3TransformersSegmenter

    wanted = _of(settings, ("text_folder", "device"))
    return Sam3TransformersSegmenter(wanted.pop("text_folder", None), **wanted)


def _of(settings: Mapping[str, Any], wanted: Sequence[str]) -> dict[str, Any]:
    """Return the settings that one of the providers takes.

    Raises:
        ValidationError: there is one that none of them does.
    """
    from kinetoscope_spec import ValidationError

    for name in settings:
        if name not in _SETTINGS:
            raise ValidationError(f"sam2 has no setting {name!r}, expected one of {', '.join(_SETTINGS)}")
    return {name: held for name, held in settings.items() if name in wanted}
