"""The hook specifications: the whole contract between host and plugins, on one page.

A plugin is a module (or object) with functions of these names marked `@hookimpl`. Each of the
seven returns a sequence of `Provider`; the host imports what a provider names on first use. The
module stands in the entry-point group `kinetoscope.<hook>` under the provider's name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import attrs
import pluggy

from kinetoscope_spec.provider import Provider

__all__ = ["HOOKS", "PROJECT", "Hook", "hookimpl", "hookspec"]

PROJECT: Final = "kinetoscope"
hookspec: Final = pluggy.HookspecMarker(PROJECT)
hookimpl: Final = pluggy.HookimplMarker(PROJECT)


@attrs.frozen
class Hook:
    """A kind of provider: its name, its protocol and its contract (`module:Class` each)."""

    name: str
    summary: str
    protocol: str
    contract: str | None = None


@hookspec
def importer() -> Sequence[Provider]:  # type: ignore[empty-body]
    """Readers (and writers) of motion, mesh and character files: see `Importer`."""


@hookspec
def feature() -> Sequence[Provider]:  # type: ignore[empty-body]
    """Numbers computed from motion, for learning and search: see `Feature`."""


@hookspec
def model() -> Sequence[Provider]:  # type: ignore[empty-body]
    """Models that learn outputs from inputs: see `Model`."""


@hookspec
def renderer() -> Sequence[Provider]:  # type: ignore[empty-body]
    """Pictures of scenes: see `Renderer`."""


@hookspec
def detector() -> Sequence[Provider]:  # type: ignore[empty-body]
    """Content types of files, from their bytes: see `Detector`."""


@hookspec
def voice() -> Sequence[Provider]:  # type: ignore[empty-body]
    """Speech from scripts: see `Voice`."""


@hookspec
def inpainter() -> Sequence[Provider]:  # type: ignore[empty-body]
    """Video with what a mask covers taken out: see `Inpainter`."""


@hookspec
def addhooks() -> Sequence[object]:  # type: ignore[empty-body]
    """Return modules that hold hook specifications of the plugin's own.

    Each module has functions marked `@hookspec` that return `Sequence[Provider]`, and a tuple
    `HOOKS` of `Hook`. It imports nothing but the spec, so that others can implement the hook
    without the plugin's weight. Found through the entry-point group `kinetoscope`.
    """


@hookspec
def configured(settings: Mapping[str, Any]) -> None:
    """Told to every loaded plugin once the host's configuration is known or has changed."""


@hookspec
def before_use(hook: str, provider: str, operation: str) -> None:
    """Told before a provider is used through the host (tracing, accounting)."""


@hookspec
def after_use(hook: str, provider: str, operation: str, seconds: float, error: BaseException | None) -> None:
    """Told after a provider was used; `error` is what it raised, if anything."""


def _spec_hook(name: str, summary: str) -> tuple[str, Hook]:
    title = name.capitalize()
    return name, Hook(
        name, summary, f"kinetoscope_spec.protocols:{title}", f"kinetoscope_spec.contracts:{title}Contract"
    )


HOOKS: Final[Mapping[str, Hook]] = MappingProxyType(
    dict(
        [
            _spec_hook("importer", "motion, mesh and character files"),
            _spec_hook("feature", "numbers computed from motion"),
            _spec_hook("model", "learning outputs from inputs"),
            _spec_hook("renderer", "pictures of scenes"),
            _spec_hook("detector", "content types from bytes"),
            _spec_hook("voice", "speech from scripts"),
            _spec_hook("inpainter", "video with something taken out"),
        ]
    )
)
"""The seven hooks of the spec, by name. Plugins add more with `addhooks`."""
