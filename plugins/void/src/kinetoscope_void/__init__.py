"""VOID for Kinetoscope: the inpainter `void`, which takes out an object and what it did to the scene."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from kinetoscope_spec import Provider, hookimpl

__all__ = ["configured", "providers"]

_told = threading.local()


@hookimpl
def configured(settings: Mapping[str, Any]) -> None:
    """Take `[plugins.void]` for the provider that the same host asks for next."""
    _told.settings = dict(settings)


@hookimpl(specname="inpainter")
def providers() -> Sequence[Provider]:
    """Offer VOID, where its weights are; it is a GPU's work, so it is never chosen before the others."""
    settings = getattr(_told, "settings", {})
    weights = () if settings.get("folder") else ("env:KINETOSCOPE_VOID_FOLDER",)
    modules = ("module:torch", "module:diffusers", "module:transformers", "module:accelerate", "module:cv2")
    return [
        Provider(
            "void",
            "objects, and what they did to the scene, by VOID's two passes of diffusion",
            load=partial(_load, settings),
            devices=("cuda", "cpu"),
            licence="Apache-2.0 AND LicenseRef-CogVideoX",
            requires=(*modules, *weights),
            order=-1,
        )
    ]


def _load(settings: Mapping[str, Any]) -> Any:
    from kinetoscope_void.inpainter import VoidInpainter

    return VoidInpainter.of(settings)
