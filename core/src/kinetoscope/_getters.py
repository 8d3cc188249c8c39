"""The typed ways to ask a host for providers of the seven hooks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kinetoscope_spec import Detector, Feature, Importer, Inpainter, Model, Renderer, Voice

__all__ = ["Getters"]


class Getters:
    """One method for each hook of the specification; a host is one of these."""

    def provider(self, hook: str, name: str | None = None, *, for_: str | Path | None = None) -> Any:
        """Return the provider of `hook`; the host says how."""
        raise NotImplementedError

    def importer(self, name: str | None = None, *, for_: str | Path | None = None) -> Importer:
        """Return an importer, by name or for a content label or a file; see `provider`."""
        held: Importer = self.provider("importer", name, for_=for_)
        return held

    def feature(self, name: str | None = None, *, for_: str | Path | None = None) -> Feature:
        """Return a feature; see `provider`."""
        held: Feature = self.provider("feature", name, for_=for_)
        return held

    def model(self, name: str | None = None, *, for_: str | Path | None = None) -> Model:
        """Return a model; see `provider`."""
        held: Model = self.provider("model", name, for_=for_)
        return held

    def renderer(self, name: str | None = None, *, for_: str | Path | None = None) -> Renderer:
        """Return a renderer; see `provider`."""
        held: Renderer = self.provider("renderer", name, for_=for_)
        return held

    def detector(self, name: str | None = None, *, for_: str | Path | None = None) -> Detector:
        """Return a detector; see `provider`."""
        held: Detector = self.provider("detector", name, for_=for_)
        return held

    def voice(self, name: str | None = None, *, for_: str | Path | None = None) -> Voice:
        """Return a voice, by name or for a language (`for_="de"`); see `provider`."""
        held: Voice = self.provider("voice", name, for_=for_)
        return held

    def inpainter(self, name: str | None = None, *, for_: str | Path | None = None) -> Inpainter:
        """Return an inpainter; see `provider`."""
        held: Inpainter = self.provider("inpainter", name, for_=for_)
        return held
