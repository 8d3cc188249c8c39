"""What a pass of somebody else's is, and one that is a fragment shader and little more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol, runtime_checkable

import attrs

from kinetoscope_deferred.device import Device, uniforms
from kinetoscope_deferred.passes.base import set_camera
from kinetoscope_deferred.quality import Quality
from kinetoscope_deferred.view import View
from kinetoscope_spec.errors import ConfigError

__all__ = ["FORMATS", "PLACES", "RenderPass", "ScreenPass"]

PLACES: Final = ("after", "before", "replaces")

FORMATS: Final[Mapping[str, tuple[int, str]]] = {
    "albedo": (4, "f1"),
    "normal": (2, "f2"),
    "material": (4, "f1"),
    "hdr": (4, "f2"),
    "picture": (4, "f1"),
    "smooth": (4, "f1"),
}
"""Components and kind of the renderer's own textures that a screen pass may draw into."""


@runtime_checkable
class RenderPass(Protocol):
    """A step of a frame that is not the renderer's own.

    One object serves all sessions of a host, in any thread: it holds nothing of a context. Textures,
    programs and framebuffers are those of the `device` that it is handed, which makes each once.

    Attributes:
        name: by which it is switched on, `open(..., passes={"outline": True})`; no pass of the renderer has it.
        reads: textures that it samples; each is written by a pass before it.
        writes: textures that it draws into, new ones or the renderer's own.
        after, before, replaces: the name of a pass; one of the three is given, the others are None or
            not there. What replaces a pass writes all that it wrote and has its switch.
    """

    name: str
    reads: Sequence[str]
    writes: Sequence[str]

    def draw(self, device: Device, view: View, quality: Quality) -> dict[str, int]:
        """Draw this step of `view`; return counts of the work it did, such as `{"outline.pixels": n}`.

        Whatever it raises reaches the caller as a `PluginError` that names the pass.
        """
        ...


@attrs.frozen(kw_only=True)
class ScreenPass:
    """A `RenderPass` that runs a fragment shader over the whole picture.

    The shader has a `sampler2D NAME_texture` (`usampler2D id_texture`) for each name in `reads`, and
    `layout(location = i) out` for each name in `writes`, in their order. What it reads and writes both, it
    reads as it was before.
    It has no `#version` line; `#include "camera.glsl"` gives `ray_at`, `metres` and their uniforms.

    Attributes:
        name, reads, writes, after, before, replaces: see `RenderPass`.
        package: the Python package in which the shader lies, such as `acme_outline`.
        fragment: its file there.
        values: uniforms by name, or a function of (view, quality) that returns them.
        formats: components and kind (`f1`, `f2`, `f4`) of textures that are not the renderer's own.
    """

    name: str
    package: str
    fragment: str
    reads: tuple[str, ...] = attrs.field(converter=tuple)
    writes: tuple[str, ...] = attrs.field(default=("picture",), converter=tuple)
    after: str | None = None
    before: str | None = None
    replaces: str | None = None
    values: Mapping[str, Any] | Callable[[View, Quality], Mapping[str, Any]] = attrs.field(factory=dict)
    formats: Mapping[str, tuple[int, str]] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        for name in self.writes:
            if name not in {**FORMATS, **self.formats}:
                raise ConfigError(
                    f"render pass {self.name!r} writes {name!r}, expected one of {', '.join(FORMATS)}, "
                    "or a name of its own with its components and kind in formats"
                )

    def draw(self, device: Device, view: View, quality: Quality) -> dict[str, int]:
        """Run the shader over all it writes."""
        program = device.program("screen.vert", f"{self.package}:{self.fragment}")
        set_camera(program, view)
        values = self.values(view, quality) if callable(self.values) else self.values
        uniforms(program, **values)
        read = {
            f"{name}_texture": device.copy(name) if name in self.writes else device.textures[name]
            for name in self.reads
        }
        device.bind(program, read)
        formats = {**FORMATS, **self.formats}
        colors = [device.texture(name, *formats[name]) for name in self.writes]
        device.screen(program, device.framebuffer(f"guest {self.name}", colors))
        return {f"{self.name}.pixels": device.size[0] * device.size[1]}
