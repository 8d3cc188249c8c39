"""What takes things out of films without weights: a segmenter, reasoners and an inpainter.

What is hidden in a frame is fetched from the frames that show it.
"""

from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["providers", "reasoners", "segmenters"]


@hookimpl(specname="inpainter")
def providers() -> Sequence[Provider]:
    """Offer the inpainter that needs neither weights nor a GPU."""
    return [
        Provider(
            "propagate",
            "what other frames show, aligned and blended; a guess where none does",
            load="kinetoscope_propagate.inpainter:PropagateInpainter",
        )
    ]


@hookimpl(specname="segmenter")
def segmenters() -> Sequence[Provider]:
    """Offer the segmenter that needs no weights; one that has learnt what things look like goes before it."""
    return [
        Provider(
            "grabcut",
            "GrabCut from clicks, boxes and masks, carried from frame to frame by flow",
            load="kinetoscope_propagate.segmenter:GrabcutSegmenter",
            order=-1,
        )
    ]


@hookimpl(specname="reasoner")
def reasoners() -> Sequence[Provider]:
    """Offer the reasoners that need no network; one that knows what things are goes before them."""
    return [
        Provider(
            "motion",
            "what moves with the object, its shadow, and what it touches; no names",
            load="kinetoscope_propagate.reasoner:MotionReasoner",
            order=-1,
        ),
        Provider(
            "none",
            "nothing changes: the object alone is taken out",
            load="kinetoscope_propagate.reasoner:NoneReasoner",
            order=-1,
        ),
    ]
