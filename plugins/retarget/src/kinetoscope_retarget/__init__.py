"""Retargeting: the motion of one skeleton on another, and which joints are whose partners."""

from collections.abc import Sequence

from kinetoscope_spec import Provider, hookimpl

__all__ = ["providers"]


@hookimpl(specname="retargeter")
def providers() -> Sequence[Provider]:
    """Offer the retargeter that goes by anatomy."""
    return [
        Provider(
            "anatomic",
            "retargeting by names and anatomy, with standing feet",
            load="kinetoscope_retarget.retargeter:AnatomicRetargeter",
        )
    ]
