"""The hooks that this distribution brings: `segmenter` and `reasoner`, their protocols, values, contracts.

Implement one in a distribution of your own: a module with

    @hookimpl
    def segmenter() -> Sequence[Provider]: ...

in the entry-point group `kinetoscope.segmenter` (`kinetoscope.reasoner`). Importing this module loads
nothing but the spec's hook markers; what `__all__` names besides is imported when it is first named.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from kinetoscope_spec import Hook, Provider, hookimpl, hookspec

if TYPE_CHECKING:
    from kinetoscope_quadmask._chunks import ChunkedFrames
    from kinetoscope_quadmask._grid import Grid
    from kinetoscope_quadmask._options import BoxType, PointType, gathered
    from kinetoscope_quadmask._refusing import check_background, check_writing
    from kinetoscope_quadmask._store import MaskStore
    from kinetoscope_quadmask.analysis import analysis_of, read_analysis
    from kinetoscope_quadmask.contract import SegmenterContract
    from kinetoscope_quadmask.contract_reasoner import ReasonerContract
    from kinetoscope_quadmask.editing import MaskEditor
    from kinetoscope_quadmask.files import read_mask, read_quadmask, write_mask, write_quadmask
    from kinetoscope_quadmask.growing import grown
    from kinetoscope_quadmask.overlay import overlay_video
    from kinetoscope_quadmask.pipeline import Masked, MaskPipeline
    from kinetoscope_quadmask.prompting import prompts_json, read_prompts
    from kinetoscope_quadmask.prompts import (
        Box,
        Doubt,
        Hint,
        Point,
        Prompts,
        Segmentation,
        Segmenter,
        check_objects,
    )
    from kinetoscope_quadmask.reasoning import Affected, Belonging, Cells, Reasoner, Reasoning, Step
    from kinetoscope_quadmask.streams import (
        affected_mask,
        as_quadmask,
        check_fit,
        on_grid,
        removed_mask,
        with_first_frame,
    )

__all__ = [
    "HOOKS",
    "Affected",
    "Belonging",
    "Box",
    "BoxType",
    "Cells",
    "ChunkedFrames",
    "Doubt",
    "Grid",
    "Hint",
    "MaskEditor",
    "MaskPipeline",
    "MaskStore",
    "Masked",
    "Point",
    "PointType",
    "Prompts",
    "Reasoner",
    "ReasonerContract",
    "Reasoning",
    "Segmentation",
    "Segmenter",
    "SegmenterContract",
    "Step",
    "addhooks",
    "affected_mask",
    "analysis_of",
    "as_quadmask",
    "check_background",
    "check_fit",
    "check_objects",
    "check_writing",
    "gathered",
    "grown",
    "on_grid",
    "overlay_video",
    "prompts_json",
    "read_analysis",
    "read_mask",
    "read_prompts",
    "read_quadmask",
    "reasoner",
    "removed_mask",
    "segmenter",
    "with_first_frame",
    "write_mask",
    "write_quadmask",
]


@hookspec
def segmenter() -> Sequence[Provider]:  # type: ignore[empty-body]
    """What belongs to an object, in every frame of a video, from a few prompts: see `Segmenter`."""


@hookspec
def reasoner() -> Sequence[Provider]:  # type: ignore[empty-body]
    """What else changes in a video when an object is taken out of it: see `Reasoner`."""


HOOKS: Final = (
    Hook(
        "segmenter",
        "masks of objects from points, boxes and masks",
        "kinetoscope_quadmask.hooks:Segmenter",
        "kinetoscope_quadmask.hooks:SegmenterContract",
    ),
    Hook(
        "reasoner",
        "what else changes when an object is taken out",
        "kinetoscope_quadmask.hooks:Reasoner",
        "kinetoscope_quadmask.hooks:ReasonerContract",
    ),
)


@hookimpl
def addhooks() -> Sequence[object]:
    """Make the hooks known: this module is their specification."""
    return [sys.modules[__name__]]


_HOMES = {
    **dict.fromkeys(
        ("Box", "Doubt", "Hint", "Point", "Prompts", "Segmentation", "Segmenter", "check_objects"), "prompts"
    ),
    **dict.fromkeys(("Affected", "Belonging", "Cells", "Reasoner", "Reasoning", "Step"), "reasoning"),
    **dict.fromkeys(("read_mask", "read_quadmask", "write_mask", "write_quadmask"), "files"),
    **dict.fromkeys(
        ("affected_mask", "as_quadmask", "check_fit", "on_grid", "removed_mask", "with_first_frame"),
        "streams",
    ),
    **dict.fromkeys(("BoxType", "PointType", "gathered"), "_options"),
    **dict.fromkeys(("check_background", "check_writing"), "_refusing"),
    "grown": "growing",
    **dict.fromkeys(("analysis_of", "read_analysis"), "analysis"),
    **dict.fromkeys(("prompts_json", "read_prompts"), "prompting"),
    **dict.fromkeys(("MaskPipeline", "Masked"), "pipeline"),
    "overlay_video": "overlay",
    "MaskEditor": "editing",
    "ChunkedFrames": "_chunks",
    "Grid": "_grid",
    "MaskStore": "_store",
    "SegmenterContract": "contract",
    "ReasonerContract": "contract_reasoner",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"kinetoscope_quadmask.{_HOMES[name]}"), name)
